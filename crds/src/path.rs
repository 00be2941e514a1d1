//! Paths of fields, as `spec.services.web.env[0].name` and `spec.ingress.annotations[example.com/x]`.

use std::fmt;
use std::str::FromStr;

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Segment {
    /// A field or the key of a map.
    Key(String),
    /// A place in a list, from 0.
    Index(usize),
}

/// Where a field is in a resource.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldPath(pub(crate) Vec<Segment>);

impl FieldPath {
    pub(crate) fn key(&self, name: &str) -> Self {
        let mut longer = self.clone();
        longer.0.push(Segment::Key(name.to_owned()));
        longer
    }

    pub(crate) fn index(&self, at: usize) -> Self {
        let mut longer = self.clone();
        longer.0.push(Segment::Index(at));
        longer
    }

    pub(crate) fn parent(&self) -> Option<Self> {
        let (_, rest) = self.0.split_last()?;
        Some(Self(rest.to_vec()))
    }
}

/// A key that can be written without brackets.
fn is_plain(key: &str) -> bool {
    !key.is_empty()
        && key
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Key(key) if is_plain(key) && at == 0 => f.write_str(key)?,
                Segment::Key(key) if is_plain(key) => write!(f, ".{key}")?,
                Segment::Key(key) => write!(f, "[{key}]")?,
                Segment::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

/// Why a text is not the path of a field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// Nothing is named.
    #[error("the path is empty; write one such as spec.reservationSeconds")]
    Empty,
    /// Two dots, or a dot at an end.
    #[error("{0}: a name is missing beside a dot")]
    NameMissing(String),
    /// A bracket without its partner, or with nothing in it.
    #[error("{0}: brackets must hold a list index such as [0] or a key such as [example.com/x]")]
    Brackets(String),
}

impl FromStr for FieldPath {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() {
            return Err(PathError::Empty);
        }
        let brackets = || PathError::Brackets(text.to_owned());
        let mut segments = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            if let Some(inner) = rest.strip_prefix('[') {
                let (key, after) = inner.split_once(']').ok_or_else(brackets)?;
                segments.push(bracketed(key).ok_or_else(brackets)?);
                rest = after;
                continue;
            }
            let name = if segments.is_empty() {
                rest
            } else {
                rest.strip_prefix('.').ok_or_else(brackets)?
            };
            let end = name.find(['.', '[']).unwrap_or(name.len());
            let (name, after) = name.split_at(end);
            if name.is_empty() {
                return Err(PathError::NameMissing(text.to_owned()));
            }
            if name.contains(']') {
                return Err(brackets());
            }
            segments.push(Segment::Key(name.to_owned()));
            rest = after;
        }
        Ok(Self(segments))
    }
}

fn bracketed(inside: &str) -> Option<Segment> {
    if inside.is_empty() || inside.contains('[') {
        return None;
    }
    Some(
        inside
            .parse()
            .map_or_else(|_| Segment::Key(inside.to_owned()), Segment::Index),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_path_that_cannot_be_meant_is_refused() {
        for (text, error) in [
            ("", PathError::Empty),
            ("spec.", PathError::NameMissing("spec.".into())),
            (".spec", PathError::NameMissing(".spec".into())),
            ("spec..version", PathError::NameMissing("spec..version".into())),
            ("spec.env[0", PathError::Brackets("spec.env[0".into())),
            ("spec.env[]", PathError::Brackets("spec.env[]".into())),
            ("spec.env]0[", PathError::Brackets("spec.env]0[".into())),
            ("spec.env[0]name", PathError::Brackets("spec.env[0]name".into())),
        ] {
            assert_eq!(text.parse::<FieldPath>(), Err(error));
        }
    }

    fn any_segment() -> impl Strategy<Value = Segment> {
        prop_oneof![
            "[a-zA-Z][a-zA-Z0-9]{0,8}".prop_map(Segment::Key),
            "[a-z]{1,5}[.][a-z]{1,5}/[a-z]{1,5}".prop_map(Segment::Key),
            (0_usize..100).prop_map(Segment::Index),
        ]
    }

    proptest! {
        #[test]
        fn what_is_displayed_can_be_read_back(
            first in "[a-z]{1,8}",
            rest in proptest::collection::vec(any_segment(), 0..6),
        ) {
            let mut path = FieldPath::default().key(&first);
            path.0.extend(rest);
            prop_assert_eq!(path.to_string().parse::<FieldPath>(), Ok(path));
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,40}") {
            let _ = text.parse::<FieldPath>();
        }
    }
}
