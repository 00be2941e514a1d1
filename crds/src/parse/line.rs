//! Where a field stands in a file. The YAML reader says where reading failed, so it is made to fail at the field.

use crate::path::{FieldPath, Segment};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::cell::Cell;
use std::fmt;

/// The line, counted from 1, of the field at `path`, or of the nearest of its parents that the text names.
#[must_use]
pub fn line_of(text: &str, path: &str) -> Option<usize> {
    let mut path: FieldPath = path.parse().ok()?;
    while !path.0.is_empty() {
        if let Some(line) = exact_line(text, &path) {
            return Some(line);
        }
        path = path.parent()?;
    }
    None
}

fn exact_line(text: &str, path: &FieldPath) -> Option<usize> {
    let found = Cell::new(false);
    let reader = serde_yaml_ng::Deserializer::from_str(text);
    let outcome = Seek {
        path: &path.0,
        found: &found,
    }
    .deserialize(reader);
    let error = outcome.err().filter(|_| found.get())?;
    Some(error.location()?.line())
}

/// Fails at the value, or at the key that leads to it.
struct Seek<'a> {
    path: &'a [Segment],
    found: &'a Cell<bool>,
}

impl Seek<'_> {
    fn stop<E: Error>(&self) -> E {
        self.found.set(true);
        E::custom("found")
    }
}

impl<'de> DeserializeSeed<'de> for Seek<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seek<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let (first, rest) = split(self.path);
        while let Some(here) = map.next_key_seed(Key {
            wanted: first,
            last: rest.is_empty(),
            seek: &self,
        })? {
            if here {
                map.next_value_seed(Seek {
                    path: rest,
                    found: self.found,
                })?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let (first, rest) = split(self.path);
        let mut at = 0;
        loop {
            let here = matches!(first, Some(Segment::Index(index)) if *index == at);
            let more = if here {
                let element = Element {
                    last: rest.is_empty(),
                    seek: Seek {
                        path: rest,
                        found: self.found,
                    },
                };
                list.next_element_seed(element)?.is_some()
            } else {
                list.next_element::<IgnoredAny>()?.is_some()
            };
            if !more {
                return Ok(());
            }
            at += 1;
        }
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }
}

fn split(path: &[Segment]) -> (Option<&Segment>, &[Segment]) {
    path.split_first()
        .map_or((None, path), |(first, rest)| (Some(first), rest))
}

/// Fails at the element itself when it is what is sought, else looks inside.
struct Element<'a> {
    last: bool,
    seek: Seek<'a>,
}

impl<'de> DeserializeSeed<'de> for Element<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        if self.last {
            return reader.deserialize_any(Stop(&self.seek)).map(|_| ());
        }
        self.seek.deserialize(reader)
    }
}

/// A key: says whether it is the one wanted, and fails when it ends the path.
struct Key<'a> {
    wanted: Option<&'a Segment>,
    last: bool,
    seek: &'a Seek<'a>,
}

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<bool, D::Error> {
        reader.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<bool, E> {
        match self.wanted {
            Some(Segment::Key(wanted)) if wanted == key && self.last => Err(self.seek.stop()),
            Some(Segment::Key(wanted)) => Ok(wanted == key),
            Some(Segment::Index(_)) | None => Ok(false),
        }
    }
}

/// Fails at whatever it is shown.
struct Stop<'a>(&'a Seek<'a>);

impl<'de> Visitor<'de> for Stop<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_map<A: MapAccess<'de>>(self, _: A) -> Result<(), A::Error> {
        Err(self.0.stop())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<(), A::Error> {
        Err(self.0.stop())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Err(self.0.stop())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Err(self.0.stop())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Err(self.0.stop())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Err(self.0.stop())
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        Err(self.0.stop())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Err(self.0.stop())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
# a shop
kind: BigTix
spec:
  version: 1.0.0
  mongodb:
    managed:
      replicas: 2
  administrators:
    - a@b.c
    - name: x
      value: y
  ingress:
    annotations: { example.com/x: y }
";

    #[test]
    fn each_field_is_found_on_the_line_of_its_name() {
        for (path, line) in [
            ("kind", 2),
            ("spec", 3),
            ("spec.version", 4),
            ("spec.mongodb", 5),
            ("spec.mongodb.managed.replicas", 7),
            ("spec.administrators[0]", 9),
            ("spec.administrators[1]", 10),
            ("spec.administrators[1].value", 11),
            ("spec.ingress.annotations[example.com/x]", 13),
        ] {
            assert_eq!(line_of(TEXT, path), Some(line), "{path}");
        }
    }

    #[test]
    fn a_field_that_is_not_there_is_reported_at_its_nearest_parent() {
        assert_eq!(line_of(TEXT, "spec.mongodb.managed.storage.size"), Some(6));
        assert_eq!(line_of(TEXT, "spec.version.x"), Some(4));
        assert_eq!(line_of(TEXT, "spec.administrators[7]"), Some(8));
        assert_eq!(line_of(TEXT, "metadata.name"), None);
        assert_eq!(line_of(TEXT, ""), None);
    }
}
