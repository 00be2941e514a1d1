//! Looks at the bytes of a connection before the HTTP library does, and refuses what two readers could read
//! differently.
//!
//! The library mends some of it silently (a length beside a chunked body) and answers the rest with an empty body,
//! while every refusal of the edge is to be a problem in the one shape. So a head is held back until it is complete;
//! a good one is passed on byte for byte, a bad one is replaced by a stand-in that is answered with the refusal.

use hyper::Uri;

/// Longest request target, in bytes.
const TARGET_LIMIT: usize = 8 * 1024;
/// Longest head, in bytes.
const HEAD_LIMIT: usize = 64 * 1024;
const HEADERS: usize = 100;
/// Longest line that begins a chunk, or trailer line, in bytes.
const CHUNK_LINE_LIMIT: usize = 4 * 1024;

/// What the library gets to read instead of a head that was refused.
const STAND_IN: &[u8] = b"GET / HTTP/1.1\r\nhost: refused\r\nconnection: close\r\n\r\n";

/// Why a head is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BadHead {
    Malformed,
    HeadTooLong,
    TargetTooLong,
    Host,
    Framing,
    Connect,
}

impl BadHead {
    pub(super) fn message(self) -> &'static str {
        match self {
            Self::Malformed => "The request is not HTTP/1.1",
            Self::HeadTooLong => "The request's headers are too long",
            Self::TargetTooLong => "The request's address is too long",
            Self::Host => "The request must name exactly one host",
            Self::Framing => "The length of the request's body is ambiguous",
            Self::Connect => "The request's method is not allowed",
        }
    }
}

/// Where in the stream of bytes the connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Head,
    Body(u64),
    ChunkLine,
    /// What is left of a chunk, its line break included.
    Chunk(u64),
    Trailers,
    /// Nothing is passed on any more.
    Refused,
}

/// Inspects one connection.
pub(super) struct Inspector {
    place: Place,
    /// Read and not passed on yet: a head, or a line, that is not complete.
    held: Vec<u8>,
    /// Up to here `held` has been searched for an end.
    searched: usize,
    /// Heads passed on so far, a stand-in included.
    heads: u64,
    refusal: Option<(u64, BadHead)>,
}

impl Inspector {
    pub(super) fn new() -> Self {
        Self {
            place: Place::Head,
            held: Vec::new(),
            searched: 0,
            heads: 0,
            refusal: None,
        }
    }

    /// Which request of the connection, counted from 1, stands for one that was refused, and why.
    pub(super) fn refusal(&self) -> Option<(u64, BadHead)> {
        self.refusal
    }

    /// Takes bytes that were read, and puts those that the library may see into `out`.
    pub(super) fn feed(&mut self, mut bytes: &[u8], out: &mut Vec<u8>) {
        while !bytes.is_empty() {
            bytes = match self.place {
                Place::Head => self.head(bytes, out),
                Place::Body(left) => {
                    let (rest, left) = pass(bytes, left, out);
                    self.place = if left == 0 { Place::Head } else { Place::Body(left) };
                    rest
                }
                Place::Chunk(left) => {
                    let (rest, left) = pass(bytes, left, out);
                    self.place = if left == 0 {
                        Place::ChunkLine
                    } else {
                        Place::Chunk(left)
                    };
                    rest
                }
                Place::ChunkLine | Place::Trailers => self.line(bytes, out),
                Place::Refused => &[],
            };
        }
    }

    /// Lets go of what is held back, because no more bytes come: the library tells what is missing.
    pub(super) fn release(&mut self, out: &mut Vec<u8>) {
        out.append(&mut self.held);
        self.searched = 0;
    }

    fn head<'b>(&mut self, bytes: &'b [u8], out: &mut Vec<u8>) -> &'b [u8] {
        let before = self.held.len();
        self.held.extend_from_slice(bytes);
        // Empty lines before a request are allowed.
        let leading = self
            .held
            .iter()
            .take_while(|byte| matches!(byte, b'\r' | b'\n'))
            .count();
        let Some(end) = end_of_head(&self.held, self.searched.max(leading)) else {
            self.searched = self.held.len().saturating_sub(3);
            if self.held.len() > HEAD_LIMIT {
                self.refuse(BadHead::HeadTooLong, out);
                return &[];
            }
            return &[];
        };
        match judge(&self.held[leading..end]) {
            Ok(place) if end <= HEAD_LIMIT => {
                out.extend_from_slice(&self.held[leading..end]);
                self.heads += 1;
                self.place = place;
                self.held.clear();
                self.searched = 0;
                &bytes[end - before..]
            }
            Ok(_) => {
                self.refuse(BadHead::HeadTooLong, out);
                &[]
            }
            Err(why) => {
                self.refuse(why, out);
                &[]
            }
        }
    }

    fn refuse(&mut self, why: BadHead, out: &mut Vec<u8>) {
        self.heads += 1;
        self.refusal = Some((self.heads, why));
        self.place = Place::Refused;
        self.held.clear();
        out.extend_from_slice(STAND_IN);
    }

    /// A line of a chunked body. What cannot be read is left to the library, which ends the connection over it.
    fn line<'b>(&mut self, bytes: &'b [u8], out: &mut Vec<u8>) -> &'b [u8] {
        let Some(at) = bytes.iter().position(|byte| *byte == b'\n') else {
            self.held.extend_from_slice(bytes);
            if self.held.len() > CHUNK_LINE_LIMIT {
                self.give_up(out);
            }
            return &[];
        };
        self.held.extend_from_slice(&bytes[..=at]);
        let is_empty = self.held.iter().all(|byte| matches!(byte, b'\r' | b'\n'));
        self.place = match self.place {
            Place::Trailers if is_empty => Place::Head,
            Place::Trailers => Place::Trailers,
            _ => match httparse::parse_chunk_size(&self.held) {
                Ok(httparse::Status::Complete((_, 0))) => Place::Trailers,
                Ok(httparse::Status::Complete((_, size))) => Place::Chunk(size.saturating_add(2)),
                Ok(httparse::Status::Partial) | Err(_) => {
                    self.give_up(out);
                    return &[];
                }
            },
        };
        out.append(&mut self.held);
        &bytes[at + 1..]
    }

    fn give_up(&mut self, out: &mut Vec<u8>) {
        out.append(&mut self.held);
        self.place = Place::Refused;
    }
}

fn pass<'b>(bytes: &'b [u8], left: u64, out: &mut Vec<u8>) -> (&'b [u8], u64) {
    let take = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
    out.extend_from_slice(&bytes[..take]);
    (&bytes[take..], left - take as u64)
}

/// The position after the empty line that ends a head.
fn end_of_head(bytes: &[u8], from: usize) -> Option<usize> {
    (from..bytes.len())
        .filter(|at| bytes[*at] == b'\n')
        .find_map(|at| match bytes[at + 1..] {
            [b'\n', ..] => Some(at + 2),
            [b'\r', b'\n', ..] => Some(at + 3),
            _ => None,
        })
}

/// What follows a head, or why it is refused.
fn judge(head: &[u8]) -> Result<Place, BadHead> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    match request.parse(head) {
        Ok(httparse::Status::Complete(length)) if length == head.len() => {}
        Err(httparse::Error::TooManyHeaders) => return Err(BadHead::HeadTooLong),
        _ => return Err(BadHead::Malformed),
    }
    let (Some(method), Some(target), Some(minor)) = (request.method, request.path, request.version) else {
        return Err(BadHead::Malformed);
    };
    if target.len() > TARGET_LIMIT {
        return Err(BadHead::TargetTooLong);
    }
    if method == "CONNECT" {
        return Err(BadHead::Connect);
    }
    let uri = Uri::try_from(target).map_err(|_| BadHead::Malformed)?;
    let values = |name: &'static str| {
        let named = request
            .headers
            .iter()
            .filter(move |header| header.name.eq_ignore_ascii_case(name));
        named.map(|header| header.value.trim_ascii())
    };
    host(&values("host").collect::<Vec<_>>(), &uri, minor)?;
    body(
        &values("content-length").collect::<Vec<_>>(),
        &values("transfer-encoding").collect::<Vec<_>>(),
        minor,
    )
}

fn host(hosts: &[&[u8]], uri: &Uri, minor: u8) -> Result<(), BadHead> {
    match (hosts, uri.authority()) {
        // Only HTTP/1.0 knows requests without a host.
        ([], _) if minor == 0 => Ok(()),
        ([_], None) => Ok(()),
        ([host], Some(authority)) if host.eq_ignore_ascii_case(authority.as_str().as_bytes()) => Ok(()),
        _ => Err(BadHead::Host),
    }
}

fn body(lengths: &[&[u8]], encodings: &[&[u8]], minor: u8) -> Result<Place, BadHead> {
    match (lengths, encodings) {
        ([], []) => Ok(Place::Head),
        ([length], []) => {
            let digits = std::str::from_utf8(length)
                .ok()
                .filter(|text| text.bytes().all(|b| b.is_ascii_digit()));
            match digits.and_then(|digits| digits.parse().ok()) {
                Some(0) => Ok(Place::Head),
                Some(length) => Ok(Place::Body(length)),
                None => Err(BadHead::Framing),
            }
        }
        ([], [encoding]) if minor == 1 && encoding.eq_ignore_ascii_case(b"chunked") => Ok(Place::ChunkLine),
        _ => Err(BadHead::Framing),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds it in pieces of `size` bytes.
    fn feed(text: &str, size: usize) -> (Inspector, String) {
        let (mut inspector, mut out) = (Inspector::new(), Vec::new());
        for piece in text.as_bytes().chunks(size) {
            inspector.feed(piece, &mut out);
        }
        (inspector, String::from_utf8(out).unwrap())
    }

    #[test]
    fn good_requests_pass_as_they_are_however_they_arrive() {
        let text = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n\
                    POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello\
                    POST /c HTTP/1.1\r\nhost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nx: y\r\n\r\n\
                    GET http://x/d HTTP/1.1\r\nHost: x\r\n\r\n";
        for size in [1, 2, 3, 7, 50, 1000] {
            let (inspector, out) = feed(text, size);
            assert_eq!(out, text);
            assert_eq!(
                (inspector.heads, inspector.refusal()),
                (4, None),
                "in pieces of {size}"
            );
        }
    }

    #[test]
    fn ambiguous_requests_are_refused() {
        let post = |headers: &str| format!("POST / HTTP/1.1\r\nHost: x\r\n{headers}\r\n");
        for (text, why) in [
            (
                post("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"),
                BadHead::Framing,
            ),
            (
                post("Transfer-Encoding: chunked\r\nContent-Length: 1\r\n"),
                BadHead::Framing,
            ),
            (
                post("Content-Length: 1\r\nContent-Length: 2\r\n"),
                BadHead::Framing,
            ),
            (post("Content-Length: +1\r\n"), BadHead::Framing),
            (post("Transfer-Encoding: gzip, chunked\r\n"), BadHead::Framing),
            (post("Host: y\r\n"), BadHead::Host),
            (post("Space : y\r\n"), BadHead::Malformed),
            ("GET / HTTP/1.1\r\n\r\n".into(), BadHead::Host),
            ("GET http://y/ HTTP/1.1\r\nHost: x\r\n\r\n".into(), BadHead::Host),
            ("nonsense\r\n\r\n".into(), BadHead::Malformed),
            ("CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n".into(), BadHead::Connect),
            ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".into(), BadHead::Malformed),
            (
                format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(TARGET_LIMIT)),
                BadHead::TargetTooLong,
            ),
            (
                post(&format!("A: {}\r\n", "a".repeat(HEAD_LIMIT))),
                BadHead::HeadTooLong,
            ),
            ("a".repeat(HEAD_LIMIT + 1), BadHead::HeadTooLong),
            (post(&"A: b\r\n".repeat(HEADERS)), BadHead::HeadTooLong),
        ] {
            for size in [5, 1_000_000] {
                let (inspector, out) = feed(&text, size);
                assert_eq!(
                    inspector.refusal(),
                    Some((1, why)),
                    "{}",
                    &text[..text.len().min(80)]
                );
                assert_eq!(out.as_bytes(), STAND_IN);
            }
        }
    }

    #[test]
    fn nothing_after_a_refused_head_is_passed_on() {
        let good = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
        let bad = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n";
        let (inspector, out) = feed(&format!("{good}{bad}{good}"), 10_000);
        assert_eq!(inspector.refusal(), Some((2, BadHead::Framing)));
        assert_eq!(out, format!("{good}{}", std::str::from_utf8(STAND_IN).unwrap()));
    }
}
