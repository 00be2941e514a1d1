//! One HTTP/1.1 connection that is kept alive: the load generator shares two cores with what it measures, so it does
//! no more than write bytes and look for the end of the answer.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A connection.
#[derive(Debug)]
pub struct Wire {
    address: SocketAddr,
    stream: Option<TcpStream>,
    buffer: Vec<u8>,
}

/// An answer.
#[derive(Debug)]
pub struct Reply<'a> {
    /// The HTTP status.
    pub status: u16,
    /// The body, without what frames it only if its length was announced.
    pub body: &'a [u8],
}

/// Where an answer's body begins, and how it ends.
#[derive(Debug, PartialEq, Eq)]
enum End {
    Length(usize),
    LastChunk,
}

#[derive(Debug, PartialEq, Eq)]
struct Head {
    status: u16,
    length: usize,
    end: End,
    closes: bool,
}

impl Wire {
    /// A connection that is opened when it is needed.
    pub fn new(address: SocketAddr) -> Self {
        Self {
            address,
            stream: None,
            buffer: Vec::with_capacity(4096),
        }
    }

    /// Sends a whole request and reads the whole answer.
    ///
    /// # Errors
    /// When the connection fails; the next request opens another one.
    pub async fn exchange(&mut self, request: &[u8]) -> io::Result<Reply<'_>> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => {
                let stream = TcpStream::connect(self.address).await?;
                stream.set_nodelay(true)?;
                stream
            }
        };
        stream.write_all(request).await?;
        self.buffer.clear();
        let head = loop {
            read_more(&mut stream, &mut self.buffer).await?;
            if let Some(head) = head_of(&self.buffer)? {
                break head;
            }
        };
        let body_ends = loop {
            let body = &self.buffer[head.length..];
            match head.end {
                End::Length(length) if body.len() >= length => break head.length + length,
                End::LastChunk if body.ends_with(b"0\r\n\r\n") => break self.buffer.len(),
                End::Length(_) | End::LastChunk => read_more(&mut stream, &mut self.buffer).await?,
            }
        };
        if !head.closes {
            self.stream = Some(stream);
        }
        Ok(Reply {
            status: head.status,
            body: &self.buffer[head.length..body_ends],
        })
    }
}

async fn read_more(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> io::Result<()> {
    if stream.read_buf(buffer).await? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(())
}

/// The head of the answer, once all of it is there.
fn head_of(bytes: &[u8]) -> io::Result<Option<Head>> {
    let Some(blank) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Ok(None);
    };
    let malformed = || io::Error::new(io::ErrorKind::InvalidData, "no HTTP/1.1 answer");
    let text = std::str::from_utf8(&bytes[..blank]).map_err(|_| malformed())?;
    let mut lines = text.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok());
    let mut head = Head {
        status: status.ok_or_else(malformed)?,
        length: blank + 4,
        end: End::Length(0),
        closes: false,
    };
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        let value = value.trim();
        if name.eq_ignore_ascii_case("content-length") {
            head.end = End::Length(value.parse().map_err(|_| malformed())?);
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            head.end = End::LastChunk;
        } else if name.eq_ignore_ascii_case("connection") {
            head.closes = value.eq_ignore_ascii_case("close");
        }
    }
    Ok(Some(head))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_says_where_the_body_ends() {
        let text = b"HTTP/1.1 201 Created\r\nContent-Length: 5\r\nx: y\r\n\r\nhello";
        let head = head_of(text).unwrap().unwrap();
        assert_eq!((head.status, head.end, head.closes), (201, End::Length(5), false));
        assert_eq!(&text[head.length..], b"hello");
        let chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n";
        let head = head_of(chunked).unwrap().unwrap();
        assert_eq!((head.end, head.closes), (End::LastChunk, true));
        assert_eq!(head_of(b"HTTP/1.1 200 OK\r\n").unwrap(), None);
        assert!(head_of(b"nonsense\r\n\r\n").is_err());
    }
}
