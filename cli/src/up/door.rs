//! The port of the shop: taken before anything is started, opened when everything is ready.

use std::env;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::net::{TcpListener, TcpSocket};

/// Names the address to listen on instead of the loopback ones, such as `0.0.0.0`.
const ADDRESS: &str = "BIGTIX_ADDRESS";
const BACKLOG: u32 = 1024;

/// Why the port cannot be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DoorError {
    #[error("port {port} is in use: stop what listens there, or choose another one with --port")]
    InUse { port: u16 },
    #[error("{ADDRESS} is {0:?}, which is no address such as 0.0.0.0")]
    NoAddress(String),
    #[error("cannot listen on {address}: {source}")]
    Io { address: SocketAddr, source: io::Error },
}

/// The port, taken and not yet open.
pub(super) struct Door {
    sockets: Vec<TcpSocket>,
    address: SocketAddr,
}

impl Door {
    /// Takes the port, or a free one for 0.
    pub(super) fn take(port: u16) -> Result<Self, DoorError> {
        match env::var(ADDRESS) {
            Ok(text) if !text.is_empty() => {
                let ip: IpAddr = text.parse().map_err(|_| DoorError::NoAddress(text))?;
                let (socket, address) = bind(SocketAddr::from((ip, port)))?;
                Ok(Self {
                    sockets: vec![socket],
                    address,
                })
            }
            _ => Self::take_loopback(port),
        }
    }

    fn take_loopback(port: u16) -> Result<Self, DoorError> {
        let (socket, address) = bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
        let mut sockets = vec![socket];
        // What a browser makes of `localhost` may be either; a machine without IPv6 does without.
        match bind(SocketAddr::from((Ipv6Addr::LOCALHOST, address.port()))) {
            Ok((socket, _)) => sockets.push(socket),
            Err(error @ DoorError::InUse { .. }) if port != 0 => return Err(error),
            Err(error) => tracing::debug!(%error, "no IPv6"),
        }
        Ok(Self { sockets, address })
    }

    /// The address that programs on this machine use.
    pub(super) fn url(&self) -> String {
        let ip = match self.address.ip() {
            ip if !ip.is_unspecified() => ip,
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        };
        format!("http://{}", SocketAddr::from((ip, self.address.port())))
    }

    /// Opens it.
    pub(super) fn open(self) -> Result<Vec<TcpListener>, DoorError> {
        let address = self.address;
        let listen = |socket: TcpSocket| socket.listen(BACKLOG).map_err(|source| failed(address, source));
        self.sockets.into_iter().map(listen).collect()
    }
}

fn bind(address: SocketAddr) -> Result<(TcpSocket, SocketAddr), DoorError> {
    let bind = || {
        let socket = if address.is_ipv4() {
            TcpSocket::new_v4()?
        } else {
            TcpSocket::new_v6()?
        };
        // Connections of an earlier run that are still being forgotten are no reason to refuse.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        let address = socket.local_addr()?;
        Ok((socket, address))
    };
    bind().map_err(|source| failed(address, source))
}

fn failed(address: SocketAddr, source: io::Error) -> DoorError {
    match source.kind() {
        io::ErrorKind::AddrInUse => DoorError::InUse { port: address.port() },
        _ => DoorError::Io { address, source },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_port_in_use_is_named() {
        let taken = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        let error = Door::take_loopback(port).err().unwrap();
        assert!(
            matches!(error, DoorError::InUse { port: named } if named == port),
            "{error}"
        );
    }

    #[tokio::test]
    async fn a_free_port_is_found_and_opened() {
        let door = Door::take_loopback(0).unwrap();
        assert!(door.url().starts_with("http://127.0.0.1:"));
        let address = door.address;
        assert!(tokio::net::TcpStream::connect(address).await.is_err());
        let _open = door.open().unwrap();
        tokio::net::TcpStream::connect(address).await.unwrap();
    }
}
