//! One HTTP/1.1 connection that is kept alive: the load generator shares two cores with what it measures, so it does
//! no more than write bytes and look for the end of the answer.

use std::io;
use std::io::Write;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use bigtix_client::Token;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

/// Where a server listens, and the name by which it is asked.
#[derive(Debug, Clone)]
pub struct Edge {
    address: SocketAddr,
    host: Arc<str>,
}

impl Edge {
    /// The server in a URL such as `http://shop.test:8080`.
    ///
    /// # Errors
    /// When the URL names something else, or its name is unknown.
    pub async fn of_url(url: &str) -> Result<Self> {
        let parsed: url::Url = url.parse().with_context(|| format!("{url} is no URL"))?;
        if parsed.scheme() != "http" {
            bail!("{url}: the load generator speaks http only; ask the shop past what ends its TLS");
        }
        let host = parsed
            .host_str()
            .with_context(|| format!("{url} names no host"))?;
        let port = parsed.port_or_known_default().unwrap_or(80);
        let found = tokio::net::lookup_host((host.trim_matches(['[', ']']), port)).await;
        let all: Vec<SocketAddr> = found.with_context(|| format!("looking {host} up"))?.collect();
        // A shop on this machine listens on the older of the two protocols.
        let address = all.iter().find(|address| address.is_ipv4()).or(all.first());
        Ok(Self {
            address: *address.with_context(|| format!("{host} has no address"))?,
            host: format!("{host}:{port}").into(),
        })
    }
}

impl From<SocketAddr> for Edge {
    fn from(address: SocketAddr) -> Self {
        Self {
            address,
            host: address.to_string().into(),
        }
    }
}

/// A connection.
#[derive(Debug)]
pub struct Wire {
    edge: Edge,
    from: Option<IpAddr>,
    stream: Option<TcpStream>,
    request: Vec<u8>,
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
    pub fn new(edge: &Edge) -> Self {
        Self {
            edge: edge.clone(),
            from: None,
            stream: None,
            request: Vec::with_capacity(1024),
            buffer: Vec::with_capacity(4096),
        }
    }

    /// Asks from this address of the machine from now on, as if it were another client.
    pub fn come_from(&mut self, address: IpAddr) {
        if self.from != Some(address) {
            self.from = Some(address);
            self.stream = None;
        }
    }

    /// GET, on somebody's behalf or on nobody's.
    ///
    /// # Errors
    /// When the connection fails; the next request opens another one. So with all that follow.
    pub async fn get(&mut self, path: &str, token: Option<&Token>) -> io::Result<Reply<'_>> {
        self.ask("GET", path, token.map(Token::expose), None).await
    }

    /// DELETE, on somebody's behalf.
    ///
    /// # Errors
    /// As [`Wire::get`].
    pub async fn delete(&mut self, path: &str, token: &Token) -> io::Result<Reply<'_>> {
        self.ask("DELETE", path, Some(token.expose()), None).await
    }

    /// POST with a JSON body.
    ///
    /// # Errors
    /// As [`Wire::get`].
    pub async fn post(&mut self, path: &str, token: Option<&Token>, body: &str) -> io::Result<Reply<'_>> {
        let body = ("application/json", body);
        self.ask("POST", path, token.map(Token::expose), Some(body)).await
    }

    /// POST of a form, as Stripe is asked, with its secret key.
    ///
    /// # Errors
    /// As [`Wire::get`].
    pub async fn post_form(&mut self, path: &str, key: &str, body: &str) -> io::Result<Reply<'_>> {
        let body = ("application/x-www-form-urlencoded", body);
        self.ask("POST", path, Some(key), Some(body)).await
    }

    async fn ask(
        &mut self,
        method: &str,
        path: &str,
        bearer: Option<&str>,
        body: Option<(&str, &str)>,
    ) -> io::Result<Reply<'_>> {
        self.request.clear();
        let request = &mut self.request;
        write!(
            request,
            "{method} {path} HTTP/1.1\r\nhost: {}\r\n",
            self.edge.host
        )?;
        if let Some(bearer) = bearer {
            write!(request, "authorization: Bearer {bearer}\r\n")?;
        }
        match body {
            Some((kind, text)) => {
                let length = text.len();
                write!(
                    request,
                    "content-type: {kind}\r\ncontent-length: {length}\r\n\r\n{text}"
                )?;
            }
            None => request.extend_from_slice(b"\r\n"),
        }
        self.exchange().await
    }

    /// Sends the whole request and reads the whole answer.
    async fn exchange(&mut self) -> io::Result<Reply<'_>> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => connect(self.edge.address, self.from).await?,
        };
        stream.write_all(&self.request).await?;
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

async fn connect(to: SocketAddr, from: Option<IpAddr>) -> io::Result<TcpStream> {
    let socket = match to {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    if let Some(from) = from {
        socket.bind(SocketAddr::new(from, 0))?;
    }
    let stream = socket.connect(to).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
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

    #[tokio::test]
    async fn a_shop_is_asked_by_its_name_where_it_listens() {
        let edge = Edge::of_url("http://127.0.0.1:8080/").await.unwrap();
        assert_eq!(edge.address, SocketAddr::from(([127, 0, 0, 1], 8080)));
        assert_eq!(&*edge.host, "127.0.0.1:8080");
        let portless = Edge::of_url("http://[::1]").await.unwrap();
        assert_eq!(portless.address.port(), 80);
        for (url, why) in [
            ("https://shop.test", "http only"),
            ("shop", "no URL"),
            ("http:///", "no URL"),
        ] {
            let error = format!("{:#}", Edge::of_url(url).await.unwrap_err());
            assert!(error.contains(why), "{error}");
        }
    }

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
