//! The few lines of the stores' own protocols that it takes to see whether they answer.

use std::io;
use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A store on this machine answers within this or does not count as ready.
const PATIENCE: Duration = Duration::from_secs(1);

/// Whether the server at this port of this machine, told `words`, answers something that contains `answer`.
pub(super) async fn says(port: u16, words: &str, answer: &str) -> bool {
    says_at((Ipv4Addr::LOCALHOST, port), words, answer).await
}

/// As [`says`], of a server at any address.
pub(super) async fn says_at(address: (Ipv4Addr, u16), words: &str, answer: &str) -> bool {
    let talk = async {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(words.as_bytes()).await?;
        let mut heard = Vec::new();
        let mut buffer = [0; 4096];
        loop {
            let read = stream.read(&mut buffer).await?;
            heard.extend_from_slice(&buffer[..read]);
            if String::from_utf8_lossy(&heard).contains(answer) {
                return Ok::<_, io::Error>(true);
            }
            if read == 0 {
                return Ok(false);
            }
        }
    };
    matches!(tokio::time::timeout(PATIENCE, talk).await, Ok(Ok(true)))
}
