//! Loopback ports for servers that are about to be started.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::{fs, io};

use tokio::net::TcpSocket;

use super::secrets::write_private;

/// Below the range from which systems take the ports of outgoing connections: a store that restarts must find its
/// port free.
const RANGE: std::ops::Range<u16> = 15_000..32_000;
const ATTEMPTS: usize = 100;

/// A loopback port that nobody else finds free while this lives, whether its server listens already or not.
///
/// Its socket never listens: a server that allows its address to be used again, as ours and the stores do, can take
/// the port beside it.
#[derive(Debug)]
pub struct HeldPort {
    port: u16,
    _socket: TcpSocket,
}

impl HeldPort {
    /// A port that no socket has.
    ///
    /// # Errors
    /// When a hundred tries found none.
    pub fn find() -> io::Result<Self> {
        (0..ATTEMPTS)
            .find_map(|_| Self::bind(rand::random_range(RANGE), false).ok())
            .ok_or_else(|| io::Error::new(io::ErrorKind::AddrInUse, "no free port was found on 127.0.0.1"))
    }

    /// This port, unless somebody listens there. Connections of an earlier run are no reason to refuse.
    ///
    /// # Errors
    /// When it cannot be had; [`io::ErrorKind::AddrInUse`] when somebody listens there.
    pub fn take(port: u16) -> io::Result<Self> {
        if !is_free(port) {
            return Err(io::ErrorKind::AddrInUse.into());
        }
        Self::bind(port, true)
    }

    /// Whoever binds without sharing fails when another one holds the port, too. Its server may share it afterwards.
    fn bind(port: u16, shares: bool) -> io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(shares)?;
        socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
        socket.set_reuseaddr(true)?;
        Ok(Self {
            port,
            _socket: socket,
        })
    }

    /// Its number.
    pub fn number(&self) -> u16 {
        self.port
    }
}

/// Whether a server could listen on this port of the loopback address now.
pub(super) fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
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
    pub(super) fn choose(&mut self, name: &str, given: Option<u16>) -> io::Result<HeldPort> {
        let last = || self.0.get(name).and_then(|last| HeldPort::take(*last).ok());
        let held = match given {
            Some(given) => HeldPort::take(given)?,
            None => last().map_or_else(HeldPort::find, Ok)?,
        };
        self.0.insert(name.to_owned(), held.number());
        Ok(held)
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
        let first = ports.choose("redis", None).unwrap().number();
        ports.save(dir.path()).unwrap();
        let again = || Ports::open(dir.path()).choose("redis", None).unwrap().number();
        assert_eq!(again(), first);

        let _taken = TcpListener::bind((Ipv4Addr::LOCALHOST, first)).unwrap();
        assert_ne!(again(), first);
        let refused = Ports::open(dir.path()).choose("redis", Some(first)).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::AddrInUse);
    }

    #[test]
    fn a_held_port_is_its_servers_and_nobody_elses() {
        let held = HeldPort::find().unwrap();
        assert!(HeldPort::bind(held.number(), false).is_err(), "held twice");
        let server = TcpListener::bind((Ipv4Addr::LOCALHOST, held.number())).unwrap();
        drop(server);
        let _restarted = TcpListener::bind((Ipv4Addr::LOCALHOST, held.number())).unwrap();
        drop(held);
    }
}
