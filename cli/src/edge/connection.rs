//! A connection whose bytes are inspected before the HTTP library reads them.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::inspect::{BadHead, Inspector};

/// How much is read at once, in bytes.
const READ: usize = 16 * 1024;

/// The inspection's outcome, for whoever answers the connection's requests.
#[derive(Clone)]
pub(super) struct Verdicts {
    inspector: Arc<Mutex<Inspector>>,
}

impl Verdicts {
    /// Why this request of the connection, counted from 1, is to be refused.
    pub(super) fn of(&self, request: u64) -> Option<BadHead> {
        lock(&self.inspector)
            .refusal()
            .filter(|(refused, _)| *refused == request)
            .map(|(_, why)| why)
    }
}

/// A stream that lets through what has been inspected.
pub(super) struct Inspected {
    stream: TcpStream,
    inspector: Arc<Mutex<Inspector>>,
    passed: Vec<u8>,
    taken: usize,
}

impl Inspected {
    pub(super) fn new(stream: TcpStream) -> (Self, Verdicts) {
        let inspector = Arc::new(Mutex::new(Inspector::new()));
        let verdicts = Verdicts {
            inspector: Arc::clone(&inspector),
        };
        (
            Self {
                stream,
                inspector,
                passed: Vec::new(),
                taken: 0,
            },
            verdicts,
        )
    }
}

impl AsyncRead for Inspected {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            if this.taken < this.passed.len() {
                let take = buf.remaining().min(this.passed.len() - this.taken);
                buf.put_slice(&this.passed[this.taken..this.taken + take]);
                this.taken += take;
                return Poll::Ready(Ok(()));
            }
            this.passed.clear();
            this.taken = 0;
            let mut bytes = [0; READ];
            let mut read = ReadBuf::new(&mut bytes);
            std::task::ready!(Pin::new(&mut this.stream).poll_read(cx, &mut read))?;
            let mut inspector = lock(&this.inspector);
            if read.filled().is_empty() {
                inspector.release(&mut this.passed);
                if this.passed.is_empty() {
                    return Poll::Ready(Ok(()));
                }
            } else {
                inspector.feed(read.filled(), &mut this.passed);
            }
        }
    }
}

impl AsyncWrite for Inspected {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

fn lock(inspector: &Mutex<Inspector>) -> MutexGuard<'_, Inspector> {
    // Nothing inside panics half-way.
    inspector.lock().unwrap_or_else(PoisonError::into_inner)
}
