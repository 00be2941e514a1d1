//! One set of stores for all tests of a process.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;
use std::{io, os::unix::process::CommandExt};

use super::{Stores, StoresConfig};

/// What the services are called; each has a user of that name in the shared stores too.
const SERVICES: [&str; 5] = ["auth", "tickets", "orders", "payments", "expiration"];

/// Removes its folder when the pipe to the process that started it is closed, which happens however that ends. The
/// stores end at that moment too, so the first try may meet files that are still being made.
const JANITOR: &str =
    r#"read -r _; n=0; until rm -rf "$1" 2>/dev/null || [ $n -ge 50 ]; do n=$((n+1)); sleep 0.1; done"#;

/// The stores that all tests of this process share.
pub struct SharedStores {
    stores: Stores,
    dir: PathBuf,
    next: AtomicU64,
}

/// A database that no other test uses.
#[derive(Clone)]
pub struct TestDatabase {
    /// The store's address, with the administrator's credentials.
    pub uri: String,
    /// The name of the database.
    pub name: String,
}

impl SharedStores {
    /// A fresh database, empty.
    pub fn database(&self) -> TestDatabase {
        TestDatabase {
            uri: self.stores.mongodb_admin_uri(),
            name: format!("test_{}", self.number()),
        }
    }

    /// A fresh prefix for subjects, streams and consumers, with the dot at its end: `t17.`.
    pub fn prefix(&self) -> String {
        format!("t{}.", self.number())
    }

    /// The bus, as the user who may use every prefix.
    pub fn nats_url(&self) -> String {
        self.stores.nats_admin_url()
    }

    /// Redis. It is one for all tests: put a prefix before each key.
    pub fn redis_url(&self) -> String {
        self.stores.redis_url()
    }

    /// The stores themselves, for tests that need more.
    pub fn stores(&self) -> &Stores {
        &self.stores
    }

    /// Where their data and logs are.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    fn number(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }
}

/// The stores that all tests of this process share: started by the first who asks, ended with the process, and their
/// temporary folder removed.
///
/// # Panics
/// When they cannot be started; the message says what to do.
pub fn shared() -> &'static SharedStores {
    static SHARED: OnceLock<SharedStores> = OnceLock::new();
    SHARED
        .get_or_init(|| start().unwrap_or_else(|error| panic!("the stores for tests did not start: {error}")))
}

fn start() -> Result<SharedStores, Box<dyn std::error::Error + Send + Sync>> {
    let dir = tempfile::Builder::new().prefix("bigtix-test-").tempdir()?.keep();
    remove_when_this_ends(&dir)?;
    let config = StoresConfig::new(&dir, SERVICES);
    // A test has a runtime of its own, which may be the kind that must not be blocked on from inside.
    let (send, receive) = mpsc::channel();
    thread::Builder::new().name("stores".into()).spawn(move || {
        let outcome = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(Box::from)
            .and_then(|runtime| runtime.block_on(Stores::start(config)).map_err(Box::from));
        let _ = send.send(outcome);
    })?;
    let outcome: Result<Stores, Box<dyn std::error::Error + Send + Sync>> = receive.recv()?;
    Ok(SharedStores {
        stores: outcome?,
        dir,
        next: AtomicU64::new(1),
    })
}

fn remove_when_this_ends(dir: &Path) -> io::Result<()> {
    let janitor = Command::new("/bin/sh")
        .args(["-c", JANITOR, "sh"])
        .arg(dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()?;
    // Never dropped: the pipe is to be closed by the end of this process and by nothing else.
    std::mem::forget(janitor);
    Ok(())
}
