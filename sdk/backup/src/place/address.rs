//! How people write where an archive is.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

use object_store::path::Path as Key;

const S3: &str = "s3://";
/// How long a bucket's name may be.
const BUCKET: std::ops::RangeInclusive<usize> = 3..=63;

/// Where an archive is, as somebody writes it: the path of a folder, or `s3://bucket/key`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// A folder of this machine.
    Folder(PathBuf),
    /// Objects in a bucket.
    Objects(Objects),
}

/// Objects of one bucket whose keys have the same beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Objects {
    pub(super) bucket: String,
    /// Of the archive; its files come below it.
    pub(super) key: Key,
}

/// What is written names no place of an archive.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAnAddress {
    /// A scheme that is not ours.
    #[error("{0:?} is neither the path of a folder nor s3://BUCKET/KEY")]
    Scheme(String),
    /// No bucket has such a name.
    #[error("{0:?} is no name of a bucket: letters, digits, . _ and - are, 3 to 63 of them")]
    Bucket(String),
    /// The bucket itself.
    #[error("{0:?} names a bucket and nothing in it: add the archive's name, such as {0}/monday")]
    NoKey(String),
    /// No object has such a key.
    #[error("{0:?} is no key: it has parts between slashes, none of them empty, . or ..")]
    Key(String),
}

impl TryFrom<OsString> for Address {
    type Error = NotAnAddress;

    fn try_from(text: OsString) -> Result<Self, NotAnAddress> {
        match text.to_str() {
            Some(text) if text.starts_with(S3) => Ok(Self::Objects(objects(text)?)),
            Some(text) if has_scheme(text) => Err(NotAnAddress::Scheme(text.to_owned())),
            Some(_) | None => Ok(Self::Folder(text.into())),
        }
    }
}

/// Whether it is meant as an address of something else than a folder: `https://...`, and `s3:/...` by mistake.
fn has_scheme(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(":/") else {
        return false;
    };
    let is_word = scheme.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_word && !scheme.is_empty() && (rest.starts_with('/') || scheme.eq_ignore_ascii_case("s3"))
}

fn objects(text: &str) -> Result<Objects, NotAnAddress> {
    let rest = text.strip_prefix(S3).unwrap_or(text);
    let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
    let is_fine = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    if !BUCKET.contains(&bucket.len()) || !bucket.bytes().all(is_fine) {
        return Err(NotAnAddress::Bucket(bucket.to_owned()));
    }
    if key.is_empty() {
        return Err(NotAnAddress::NoKey(format!("{S3}{bucket}")));
    }
    let refused = || NotAnAddress::Key(key.to_owned());
    // The library would take a slash in front for none.
    if key.starts_with('/') {
        return Err(refused());
    }
    Ok(Objects {
        bucket: bucket.to_owned(),
        key: Key::parse(key).map_err(|_| refused())?,
    })
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(path) => path.display().fmt(f),
            Self::Objects(objects) => objects.fmt(f),
        }
    }
}

impl fmt::Display for Objects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { bucket, key } = self;
        write!(f, "{S3}{bucket}/{key}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Address, NotAnAddress> {
        Address::try_from(OsString::from(text))
    }

    #[test]
    fn what_begins_with_s3_is_in_a_bucket_and_the_rest_is_a_folder() {
        for (text, written) in [
            ("s3://shop-backups/monday", "s3://shop-backups/monday"),
            ("s3://shop.backups/a/b/monday/", "s3://shop.backups/a/b/monday"),
        ] {
            let address = read(text).unwrap();
            assert!(matches!(address, Address::Objects(_)), "{text}");
            assert_eq!(address.to_string(), written);
        }
        for text in [
            "/backups/monday",
            "monday",
            "s3",
            "s3:monday",
            "./at 10:30/x",
            "a:/b",
        ] {
            assert_eq!(read(text), Ok(Address::Folder(text.into())), "{text}");
        }
    }

    #[test]
    fn what_is_meant_as_an_address_and_is_none_makes_no_folder() {
        for text in [
            "https://shop.test/a",
            "S3://bucket/a",
            "s3:/bucket/a",
            "gs://bucket/a",
        ] {
            assert!(matches!(read(text), Err(NotAnAddress::Scheme(_))), "{text}");
        }
        for text in [
            "s3://",
            "s3://ab/c",
            "s3:///a",
            "s3://bu cket/a",
            "s3://user:word@bucket/a",
        ] {
            assert!(matches!(read(text), Err(NotAnAddress::Bucket(_))), "{text}");
        }
        for text in ["s3://bucket", "s3://bucket/"] {
            assert!(matches!(read(text), Err(NotAnAddress::NoKey(_))), "{text}");
        }
        for text in [
            "s3://bucket//a",
            "s3://bucket/a//b",
            "s3://bucket/a/../b",
            "s3://bucket/.",
        ] {
            assert!(matches!(read(text), Err(NotAnAddress::Key(_))), "{text}");
        }
    }
}
