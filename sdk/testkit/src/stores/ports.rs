//! Loopback ports for the stores.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::{fs, io};

use super::secrets::write_private;

/// Below the range from which systems take the ports of outgoing connections: a store that restarts must find its
/// port free.
const RANGE: std::ops::Range<u16> = 15_000..32_000;
const ATTEMPTS: usize = 100;

/// Whether a server could listen on this port of the loopback address now.
pub fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// A loopback port that nobody listens on.
///
/// # Errors
/// When a hundred tries found none.
pub fn free_port() -> io::Result<u16> {
    (0..ATTEMPTS)
        .map(|_| rand::random_range(RANGE))
        .find(|port| is_free(*port))
        .ok_or_else(|| io::Error::new(io::ErrorKind::AddrInUse, "no free port was found on 127.0.0.1"))
}

/// The ports that the stores of a data folder had last time. Having the same one again saves mongod from being
/// told its new address, and people from looking it up.
#[derive(Debug, Default)]
pub(super) struct Ports(BTreeMap<String, u16>);

impl Ports {
    pub(super) fn open(dir: &Path) -> Self {
        let read = fs::read(dir.join("ports.json")).ok();
        Self(
            read.and_then(|bytes| serde_json::from_slice(&bytes).ok())
                .unwrap_or_default(),
        )
    }

    /// The given port; else last time's when it is free; else a free one.
    pub(super) fn choose(&mut self, name: &str, given: Option<u16>) -> io::Result<u16> {
        let port = match (given, self.0.get(name)) {
            (Some(given), _) => given,
            (None, Some(last)) if is_free(*last) => *last,
            (None, _) => loop {
                let port = free_port()?;
                if !self.0.values().any(|taken| *taken == port) {
                    break port;
                }
            },
        };
        self.0.insert(name.to_owned(), port);
        Ok(port)
    }

    pub(super) fn save(&self, dir: &Path) -> io::Result<()> {
        write_private(&dir.join("ports.json"), &serde_json::to_vec(&self.0)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_port_is_taken_again_while_it_is_free() {
        let dir = tempfile::tempdir().unwrap();
        let mut ports = Ports::open(dir.path());
        let first = ports.choose("redis", None).unwrap();
        ports.save(dir.path()).unwrap();
        assert_eq!(Ports::open(dir.path()).choose("redis", None).unwrap(), first);

        let _taken = TcpListener::bind((Ipv4Addr::LOCALHOST, first)).unwrap();
        assert_ne!(Ports::open(dir.path()).choose("redis", None).unwrap(), first);
        assert_eq!(Ports::open(dir.path()).choose("redis", Some(7)).unwrap(), 7);
    }
}
