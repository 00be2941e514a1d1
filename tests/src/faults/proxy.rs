//! A TCP proxy between a service and what it depends on, which can be told to misbehave.

mod wire;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::schedule::Disturbance;

pub use wire::Protocol;

/// Where the connections lead to, as lately known.
pub type Upstream = Arc<dyn Fn() -> Option<u16> + Send + Sync>;

/// How the connections are now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Sound,
    Slow(Duration),
    Cut,
    HalfOpen,
}

/// One that listens. It ends when dropped.
pub struct Proxy {
    address: SocketAddr,
    mode: watch::Sender<Mode>,
    losses: Arc<Losses>,
    task: JoinHandle<()>,
}

/// Which answers are to be lost.
#[derive(Default)]
struct Losses {
    /// One write of so many; 0: none.
    every: AtomicU32,
    writes: AtomicU32,
}

impl Losses {
    /// Whether the answer to the write that comes now is to be lost.
    fn strikes(&self) -> bool {
        let every = self.every.load(Ordering::Relaxed);
        every > 0 && self.writes.fetch_add(1, Ordering::Relaxed) % every == every - 1
    }
}

impl Proxy {
    /// Listens on a free loopback port.
    ///
    /// # Errors
    /// When there is none.
    pub async fn start(protocol: Protocol, upstream: Upstream) -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (mode, _) = watch::channel(Mode::Sound);
        let losses = Arc::new(Losses::default());
        let connections = Connections {
            protocol,
            upstream,
            mode: mode.subscribe(),
            losses: Arc::clone(&losses),
        };
        let task = tokio::spawn(connections.accept(listener));
        Ok(Self {
            address,
            mode,
            losses,
            task,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Misbehaves from now on.
    pub fn disturb(&self, disturbance: Disturbance) {
        match disturbance {
            Disturbance::Cut => drop(self.mode.send_replace(Mode::Cut)),
            Disturbance::Slow(by) => drop(self.mode.send_replace(Mode::Slow(by))),
            Disturbance::HalfOpen => drop(self.mode.send_replace(Mode::HalfOpen)),
            Disturbance::AnswerLost { every } => self.losses.every.store(every, Ordering::Relaxed),
        }
    }

    /// Behaves again.
    pub fn heal(&self) {
        self.losses.every.store(0, Ordering::Relaxed);
        self.mode.send_replace(Mode::Sound);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Connections {
    protocol: Protocol,
    upstream: Upstream,
    mode: watch::Receiver<Mode>,
    losses: Arc<Losses>,
}

impl Connections {
    async fn accept(self, listener: TcpListener) {
        loop {
            // Out of descriptors for a moment: the next attempt may find one.
            let Ok((client, _)) = listener.accept().await else {
                tokio::task::yield_now().await;
                continue;
            };
            let connection = Connection {
                protocol: self.protocol,
                mode: self.mode.clone(),
                losses: Arc::clone(&self.losses),
                doomed: Arc::new(AtomicI64::new(wire::NOBODY)),
            };
            let upstream = Arc::clone(&self.upstream);
            // A connection that ends is what both its ends see; there is nobody else to tell.
            tokio::spawn(async move {
                let _ = connection.serve(client, &upstream).await;
            });
        }
    }
}

/// One connection of a service.
#[derive(Clone)]
struct Connection {
    protocol: Protocol,
    mode: watch::Receiver<Mode>,
    losses: Arc<Losses>,
    /// The request whose answer is not to arrive.
    doomed: Arc<AtomicI64>,
}

impl Connection {
    async fn serve(mut self, client: TcpStream, upstream: &Upstream) -> std::io::Result<()> {
        self.pass().await?;
        let port = upstream().ok_or_else(broken)?;
        let server = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        let (client_reads, client_writes) = client.into_split();
        let (server_reads, server_writes) = server.into_split();
        let mut cut = self.mode.clone();
        tokio::select! {
            outcome = self.clone().requests(client_reads, server_writes) => outcome,
            outcome = self.answers(server_reads, client_writes) => outcome,
            _ = cut.wait_for(|mode| *mode == Mode::Cut) => Err(broken()),
        }
    }

    async fn requests(
        mut self,
        mut from: impl AsyncRead + Unpin,
        mut to: impl AsyncWrite + Unpin,
    ) -> std::io::Result<()> {
        while let Some(message) = self.protocol.read(&mut from).await? {
            self.pass().await?;
            if let Some(write) = self.protocol.write_in(&message)
                && self.losses.strikes()
            {
                self.doomed.store(write, Ordering::Relaxed);
            }
            to.write_all(&message).await?;
        }
        Ok(())
    }

    async fn answers(
        mut self,
        mut from: impl AsyncRead + Unpin,
        mut to: impl AsyncWrite + Unpin,
    ) -> std::io::Result<()> {
        while let Some(message) = self.protocol.read(&mut from).await? {
            self.pass().await?;
            if self
                .protocol
                .answers(&message, self.doomed.load(Ordering::Relaxed))
            {
                return Err(broken());
            }
            to.write_all(&message).await?;
        }
        Ok(())
    }

    /// Waits until something may pass. What was caught in a half-open connection never gets through.
    async fn pass(&mut self) -> std::io::Result<()> {
        let mode = *self.mode.borrow_and_update();
        match mode {
            Mode::Sound => Ok(()),
            Mode::Slow(by) => {
                tokio::time::sleep(by).await;
                Ok(())
            }
            Mode::Cut => Err(broken()),
            Mode::HalfOpen => {
                let _ = self.mode.wait_for(|mode| *mode != Mode::HalfOpen).await;
                Err(broken())
            }
        }
    }
}

fn broken() -> std::io::Error {
    std::io::ErrorKind::ConnectionReset.into()
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;

    use super::*;

    /// A server that says everything twice.
    async fn echo() -> u16 {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let mut byte = [0];
                    while stream.read_exact(&mut byte).await.is_ok() {
                        if stream.write_all(&[byte[0], byte[0]]).await.is_err() {
                            return;
                        }
                    }
                });
            }
        });
        port
    }

    async fn says(stream: &mut TcpStream, byte: u8) -> std::io::Result<[u8; 2]> {
        stream.write_all(&[byte]).await?;
        let mut answer = [0, 0];
        stream.read_exact(&mut answer).await?;
        Ok(answer)
    }

    #[tokio::test]
    async fn a_connection_that_is_cut_ends_and_a_new_one_works_once_it_is_healed() {
        let port = echo().await;
        let proxy = Proxy::start(Protocol::Any, Arc::new(move || Some(port)))
            .await
            .unwrap();
        let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
        assert_eq!(says(&mut stream, 1).await.unwrap(), [1, 1]);
        proxy.disturb(Disturbance::Cut);
        assert!(says(&mut stream, 2).await.is_err());
        let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
        assert!(says(&mut stream, 3).await.is_err());
        proxy.heal();
        let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
        assert_eq!(says(&mut stream, 4).await.unwrap(), [4, 4]);
    }

    #[tokio::test]
    async fn a_half_open_connection_says_nothing_and_never_recovers() {
        let port = echo().await;
        let proxy = Proxy::start(Protocol::Any, Arc::new(move || Some(port)))
            .await
            .unwrap();
        let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
        assert_eq!(says(&mut stream, 1).await.unwrap(), [1, 1]);
        proxy.disturb(Disturbance::HalfOpen);
        let silence = tokio::time::timeout(Duration::from_millis(50), says(&mut stream, 2)).await;
        assert!(silence.is_err());
        proxy.heal();
        assert!(says(&mut stream, 3).await.is_err());
    }
}
