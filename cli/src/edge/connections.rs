//! How many connections there may be at once. Each costs memory and a file, and a slow client keeps its own for long.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bigtix_contracts::network::Network;
use bigtix_contracts::{ErrorCode, Problem};
use bigtix_service::http::observe::new_request_id;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::Limits;

/// How long a refused client may take to hear so; what it sent meanwhile is read, or the system would take the answer
/// back.
const HEARS: Duration = Duration::from_secs(1);
/// How much of that is read, in bytes.
const READ_ON: u64 = 64 * 1024;
/// Who is refused beyond so many at once hears nothing.
const REFUSED_AT_ONCE: usize = 256;

/// The connections that are open.
pub(super) struct Connections {
    most: usize,
    most_per_address: usize,
    /// Many clients come through a proxy, and those beside the edge could stop it anyway.
    trusted_proxies: Vec<Network>,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    all: usize,
    refused: usize,
    by_address: HashMap<Network, usize>,
}

/// One of them, until this is dropped.
pub(super) struct Connection {
    connections: Arc<Connections>,
    address: Option<Network>,
}

/// Why a connection is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TooMany {
    InAll,
    FromOneAddress,
}

impl Connections {
    pub(super) fn new(limits: &Limits, trusted_proxies: Vec<Network>) -> Self {
        Self {
            most: limits.connections,
            most_per_address: limits.connections_per_address,
            trusted_proxies,
            open: Mutex::default(),
        }
    }

    pub(super) fn open(self: &Arc<Self>, peer: IpAddr) -> Result<Connection, TooMany> {
        let peer = peer.to_canonical();
        let is_many = peer.is_loopback() || self.trusted_proxies.iter().any(|proxy| proxy.contains(peer));
        let address = (!is_many).then(|| Network::of_client(peer));
        let mut open = self.lock();
        if open.all >= self.most {
            return Err(TooMany::InAll);
        }
        if let Some(address) = address {
            let here = open.by_address.entry(address).or_default();
            if *here >= self.most_per_address {
                return Err(TooMany::FromOneAddress);
            }
            *here += 1;
        }
        open.all += 1;
        Ok(Connection {
            connections: Arc::clone(self),
            address,
        })
    }

    /// Tells a client that it is not let in.
    pub(super) async fn refuse(&self, mut stream: TcpStream, why: TooMany) {
        metrics::counter!("edge_connections_refused_total").increment(1);
        if !self.lock().begin_refusal() {
            return;
        }
        let saying = async {
            stream.write_all(&why.answer()).await?;
            stream.shutdown().await?;
            let mut sent = stream.take(READ_ON);
            tokio::io::copy(&mut sent, &mut tokio::io::sink()).await
        };
        // It may be gone already.
        let _ = tokio::time::timeout(HEARS, saying).await;
        self.lock().refused -= 1;
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        // Nothing inside panics half-way.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    fn begin_refusal(&mut self) -> bool {
        let has_room = self.refused < REFUSED_AT_ONCE;
        self.refused += usize::from(has_room);
        has_room
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let mut open = self.connections.lock();
        open.all -= 1;
        if let Some(address) = self.address
            && let Some(here) = open.by_address.get_mut(&address)
        {
            *here -= 1;
            if *here == 0 {
                open.by_address.remove(&address);
            }
        }
    }
}

impl TooMany {
    fn answer(self) -> Vec<u8> {
        let (status, code, message) = match self {
            Self::InAll => (
                "503 Service Unavailable",
                ErrorCode::Unavailable,
                "Too many connections are open; nothing happened, try again",
            ),
            Self::FromOneAddress => (
                "429 Too Many Requests",
                ErrorCode::TooManyRequests,
                "Too many connections from this address are open",
            ),
        };
        let body = serde_json::to_string(&Problem::new(code, message)).expect("a problem is JSON");
        let (length, id) = (body.len(), new_request_id());
        format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nretry-after: 1\r\n\
             x-content-type-options: nosniff\r\nx-request-id: {id}\r\nconnection: close\r\n\r\n{body}"
        )
        .into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connections(most: usize, most_per_address: usize) -> Arc<Connections> {
        let limits = Limits {
            connections: most,
            connections_per_address: most_per_address,
            ..Limits::default()
        };
        Arc::new(Connections::new(&limits, vec!["10.0.0.0/8".parse().unwrap()]))
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn one_address_has_its_share_until_it_closes_one() {
        let connections = connections(10, 2);
        let [first, _second] = [(); 2].map(|()| connections.open(address("192.0.2.1")).ok());
        for same in ["192.0.2.1", "::ffff:192.0.2.1"] {
            assert_eq!(
                connections.open(address(same)).err(),
                Some(TooMany::FromOneAddress)
            );
        }
        assert!(connections.open(address("192.0.2.2")).is_ok());
        drop(first);
        assert!(connections.open(address("192.0.2.1")).is_ok());
    }

    #[test]
    fn proxies_and_this_machine_stand_for_many() {
        let connections = connections(10, 1);
        let open: Vec<_> = ["10.0.0.1", "10.0.0.1", "127.0.0.1", "127.0.0.1", "::1"]
            .map(|peer| connections.open(address(peer)).ok())
            .into_iter()
            .flatten()
            .collect();
        assert_eq!(open.len(), 5);
        drop(open);
        assert!(connections.lock().by_address.is_empty());
    }

    #[test]
    fn nobody_is_let_in_beyond_the_limit() {
        let connections = connections(1, 1);
        let open = connections.open(address("127.0.0.1"));
        assert_eq!(connections.open(address("127.0.0.1")).err(), Some(TooMany::InAll));
        drop(open);
        assert!(connections.open(address("127.0.0.1")).is_ok());
    }
}
