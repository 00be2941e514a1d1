//! Which paths are let through at all: only those that every reader reads alike.

/// Why a path is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct StrangePath;

/// Refuses a path that some server would read as another path: with `.` or `..` or nothing between two slashes, with
/// a backslash, an encoded slash, a control character, or bytes that are no UTF-8.
pub(super) fn check(path: &str) -> Result<(), StrangePath> {
    let segments = path.strip_prefix('/').ok_or(StrangePath)?;
    let mut segments = segments.split('/').peekable();
    while let Some(segment) = segments.next() {
        let decoded = decode(segment).ok_or(StrangePath)?;
        let is_last = segments.peek().is_none();
        let is_strange = decoded.chars().any(|c| c.is_control() || c == '/' || c == '\\');
        if is_strange || decoded == "." || decoded == ".." || (segment.is_empty() && !is_last) {
            return Err(StrangePath);
        }
    }
    Ok(())
}

/// Whether the path belongs to calls between services, which never come through the edge.
pub(super) fn is_internal(path: &str) -> bool {
    path.strip_prefix("/internal")
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn decode(segment: &str) -> Option<String> {
    if !segment.is_ascii() {
        return None;
    }
    let mut bytes = segment.bytes();
    let mut decoded = Vec::with_capacity(segment.len());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => digit(bytes.next()?)? * 16 + digit(bytes.next()?)?,
            _ => byte,
        });
    }
    String::from_utf8(decoded).ok()
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_paths_pass() {
        for path in [
            "/",
            "/api/tickets",
            "/api/tickets/",
            "/a/b.c/..d",
            "/search/%C3%A9t%C3%A9",
            "/a%20b",
            "/%2Ea",
        ] {
            assert_eq!(check(path), Ok(()), "{path}");
        }
    }

    #[test]
    fn paths_that_can_be_read_in_two_ways_are_refused() {
        for path in [
            "",
            "*",
            "a",
            "//",
            "//a",
            "/a//b",
            "/.",
            "/..",
            "/a/./b",
            "/a/../b",
            "/a/%2e%2E/b",
            "/%2E/b",
            "/a%2Fb",
            "/a%2fb",
            "/a\\b",
            "/a%5Cb",
            "/a%00",
            "/a%0a",
            "/%7f",
            "/%",
            "/%2",
            "/%zz",
            "/%ff",
            "/%c0%af",
            "/é",
        ] {
            assert_eq!(check(path), Err(StrangePath), "{path}");
        }
    }

    #[test]
    fn internal_calls_are_recognised_by_whole_segments() {
        assert!(is_internal("/internal") && is_internal("/internal/claims"));
        assert!(!is_internal("/internals") && !is_internal("/api/internal"));
    }
}
