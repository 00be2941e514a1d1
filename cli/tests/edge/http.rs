//! A client that sends exactly what it is told.

use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines
            .find(|(found, _)| found.eq_ignore_ascii_case(name))
            .map_or("", |(_, value)| value)
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {} {}", self.head, self.body))
    }
}

/// One request on a connection of its own.
pub(crate) async fn request(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Answer {
    try_request(address, method, path, headers, body)
        .await
        .expect("an answer")
}

/// As [`request`]; `None` when there was no answer.
pub(crate) async fn try_request(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Option<Answer> {
    let mut text = format!("{method} {path} HTTP/1.1\r\n");
    if !headers.iter().any(|(name, _)| *name == "host") {
        text.push_str("host: x\r\n");
    }
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    if !headers.iter().any(|(name, _)| *name == "connection") {
        text.push_str("connection: close\r\n");
    }
    if !body.is_empty() || method == "POST" {
        text.push_str(&format!("content-length: {}\r\n", body.len()));
    }
    text.push_str("\r\n");
    text.push_str(body);
    let mut stream = TcpStream::connect(address).await.ok()?;
    stream.write_all(text.as_bytes()).await.ok()?;
    let is_head = method == "HEAD";
    read(&mut stream, is_head).await
}

/// Sends the text and reads one answer.
pub(crate) async fn raw(address: SocketAddr, text: &str) -> Answer {
    let mut stream = open(address, text).await;
    read(&mut stream, false).await.expect("an answer")
}

pub(crate) async fn open(address: SocketAddr, text: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    stream
}

pub(crate) async fn read_until(stream: &mut TcpStream, awaited: &str) {
    let mut heard = String::new();
    while !heard.contains(awaited) {
        let mut buffer = [0; 1024];
        let read = stream.read(&mut buffer).await.unwrap();
        assert!(read > 0, "ended before {awaited:?}: {heard}");
        heard.push_str(&String::from_utf8_lossy(&buffer[..read]));
    }
}

async fn read(stream: &mut TcpStream, is_head: bool) -> Option<Answer> {
    let mut heard = Vec::new();
    let mut buffer = [0; 16 * 1024];
    loop {
        if let Some(end) = heard.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8(heard[..end].to_vec()).unwrap();
            let length = head.lines().find_map(|line| {
                line.to_ascii_lowercase()
                    .strip_prefix("content-length: ")?
                    .parse::<usize>()
                    .ok()
            });
            let body = &heard[end + 4..];
            if is_head || length.is_some_and(|length| body.len() >= length) {
                let status = head.split(' ').nth(1)?.parse().ok()?;
                let body = String::from_utf8_lossy(body).into_owned();
                return Some(Answer { status, head, body });
            }
        }
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return None,
            Ok(read) => heard.extend_from_slice(&buffer[..read]),
        }
    }
}
