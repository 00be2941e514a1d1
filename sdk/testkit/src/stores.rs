//! Real stores as child processes of this one, on this machine: for tests, and for running a shop on one machine.
//!
//! mongod (a replica set of one), nats-server with JetStream, redis-server and, where it is asked for, localstripe.
//! All listen on the loopback address only, all need credentials, none outlives this process, and one that dies is
//! started again at the same port. Their data and logs are in one folder; the credentials are made once per folder.
//!
//! Tests take [`shared`] stores: started once per test process, with a fresh database and prefix for each test.

mod alone;
mod child;
mod localstripe;
mod mongodb;
mod nats;
mod ports;
mod program;
mod redis;
mod secrets;
mod shared;
mod start;
mod stripe_mock;
mod versitygw;
mod wire;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

pub use self::alone::Mongod;
pub use self::child::{Child, ChildEvent, ChildSpec, Watcher};
pub use self::ports::HeldPort;
pub use self::program::Program;
pub use self::secrets::{Secrets, private_folder, write_private};
pub use self::shared::{SharedStores, TestDatabase, shared};
pub use self::stripe_mock::StripeMock;
pub use self::versitygw::Versitygw;

/// How long a store may take to stop by itself.
const GRACE: Duration = Duration::from_secs(15);
/// How long the stores may take to start, a recovery after a power cut included.
const START: Duration = Duration::from_secs(60);
/// Between two looks at a store that is not ready yet.
const LOOK_AGAIN: Duration = Duration::from_millis(5);
/// How often a store that found its port taken gets another one.
const PORT_ATTEMPTS: usize = 3;

/// Why the stores could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A program is not installed.
    #[error("{program} was not found: run `make tools`, or set {variable} to the path of the program")]
    MissingProgram {
        /// Its name.
        program: &'static str,
        /// The environment variable that can say where it is.
        variable: &'static str,
    },
    /// A port that was asked for is taken.
    #[error("port {port} for {name} is in use: stop what listens there, or choose another port")]
    PortInUse {
        /// For which store.
        name: &'static str,
        /// Which port.
        port: u16,
    },
    /// A store ended while it started.
    #[error("{name} did not start: {why}")]
    Ended {
        /// Which store.
        name: &'static str,
        /// Its exit status and the end of its log.
        why: String,
    },
    /// A store was not ready in time.
    #[error("{name} was not ready within {} seconds; its log is {}", START.as_secs(), log.display())]
    TooSlow {
        /// Which store.
        name: &'static str,
        /// What it printed.
        log: PathBuf,
    },
    /// mongod refused what makes it a replica set with users.
    #[error("mongod could not be prepared: {0}")]
    MongoDb(Box<::mongodb::error::Error>),
    /// A file of the folder could not be read or written.
    #[error("{}: {source}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// What to start, and where.
#[derive(Clone)]
pub struct StoresConfig {
    /// The folder for data, logs and credentials; made with mode 0700 if there is none.
    pub dir: PathBuf,
    /// Each gets a user, and a database, of its name.
    pub services: Vec<String>,
    /// What goes before the subjects that services may publish: empty, or something like `t1.`.
    pub subject_prefix: String,
    /// mongod's port; a free one if not given.
    pub mongodb_port: Option<u16>,
    /// nats-server's port; a free one if not given.
    pub nats_port: Option<u16>,
    /// redis-server's port; a free one if not given.
    pub redis_port: Option<u16>,
    /// mongod's cache, in gigabytes; it takes no less than 0.25.
    pub mongodb_cache_gigabytes: f64,
    /// Whether localstripe is started too.
    pub stripe: bool,
    /// Called with the name of each store that has become ready, and how long that took.
    pub on_ready: Arc<dyn Fn(&'static str, Duration) + Send + Sync>,
    /// Called when a store died and when it was started again.
    pub watcher: Watcher,
}

impl StoresConfig {
    /// Stores in this folder for these services, at free ports, without Stripe.
    pub fn new<S: Into<String>>(dir: impl Into<PathBuf>, services: impl IntoIterator<Item = S>) -> Self {
        Self {
            dir: dir.into(),
            services: services.into_iter().map(Into::into).collect(),
            subject_prefix: String::new(),
            mongodb_port: None,
            nats_port: None,
            redis_port: None,
            mongodb_cache_gigabytes: 0.25,
            stripe: false,
            on_ready: Arc::new(|_, _| {}),
            watcher: Arc::new(|_| {}),
        }
    }
}

/// The folder, as the stores see it.
struct Folder<'a> {
    dir: &'a Path,
}

impl Folder<'_> {
    fn log(&self, name: &str) -> PathBuf {
        self.dir.join("logs").join(format!("{name}.log"))
    }
}

/// A running store.
struct Store {
    child: Child,
    /// Kept for as long as the store may be started again.
    port: HeldPort,
}

/// The running stores. Dropping them kills them; [`Stores::stop`] lets them finish.
pub struct Stores {
    secrets: Mutex<Secrets>,
    mongodb: Store,
    nats: Store,
    redis: Store,
    stripe: Option<Store>,
}

impl Stores {
    /// Starts all of them at once and returns when all are ready.
    ///
    /// # Errors
    /// When one cannot be started; the others are stopped by then.
    pub async fn start(config: StoresConfig) -> Result<Self, StoreError> {
        start::start(config).await
    }

    fn all(&self) -> impl Iterator<Item = &Store> {
        [&self.mongodb, &self.nats, &self.redis]
            .into_iter()
            .chain(&self.stripe)
    }

    fn secret(&self, name: &str) -> String {
        self.secrets
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(name)
    }

    /// mongod's address for one of the services.
    pub fn mongodb_uri(&self, service: &str) -> String {
        mongodb::service_uri(
            self.mongodb.port.number(),
            service,
            &self.secret(&mongodb_secret(service)),
        )
    }

    /// mongod's address for its administrator, who may use every database.
    pub fn mongodb_admin_uri(&self) -> String {
        mongodb::admin_uri(self.mongodb.port.number(), &self.secret(MONGODB_ROOT))
    }

    /// nats-server's address for one of the services. That user's answers come to `_INBOX_<service>.>` only.
    pub fn nats_url(&self, service: &str) -> String {
        nats::url(
            self.nats.port.number(),
            service,
            &self.secret(&nats_secret(service)),
        )
    }

    /// nats-server's address for its administrator, who may publish and hear everything.
    pub fn nats_admin_url(&self) -> String {
        self.nats_url(nats::ADMIN)
    }

    /// redis-server's address.
    pub fn redis_url(&self) -> String {
        redis::url(self.redis.port.number(), &self.secret(REDIS))
    }

    /// localstripe's address, where it runs.
    pub fn stripe_url(&self) -> Option<String> {
        self.stripe
            .as_ref()
            .map(|store| format!("http://127.0.0.1:{}", store.port.number()))
    }

    /// The process id of mongod, while it runs.
    pub fn mongodb_pid(&self) -> Option<u32> {
        self.mongodb.child.pid()
    }

    /// The process id of nats-server, while it runs.
    pub fn nats_pid(&self) -> Option<u32> {
        self.nats.child.pid()
    }

    /// The process id of redis-server, while it runs.
    pub fn redis_pid(&self) -> Option<u32> {
        self.redis.child.pid()
    }

    /// The process id of localstripe, while it runs.
    pub fn stripe_pid(&self) -> Option<u32> {
        self.stripe.as_ref()?.child.pid()
    }

    /// Waits until localstripe answers, and tells it where its webhooks go and how they are signed. It forgets that
    /// when it is started again. Does nothing where it does not run.
    ///
    /// # Errors
    /// When it does not answer within five seconds, or refuses the address.
    pub async fn register_stripe_webhook(&self, url: &str, secret: &str) -> io::Result<()> {
        let Some(stripe) = &self.stripe else { return Ok(()) };
        let deadline = Instant::now() + Duration::from_secs(5);
        while !localstripe::answers(stripe.port.number()).await && Instant::now() < deadline {
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        localstripe::register_webhook(stripe.port.number(), url, secret).await
    }

    /// Stops all of them in the reverse order of their importance, each with its grace.
    pub async fn stop(&self) {
        if let Some(stripe) = &self.stripe {
            stripe.child.stop().await;
        }
        self.redis.child.stop().await;
        self.nats.child.stop().await;
        self.mongodb.child.stop().await;
    }

    /// Kills all of them at once.
    pub fn kill(&self) {
        for store in self.all() {
            store.child.kill();
        }
    }
}

const MONGODB_KEY: &str = "mongodb/key";
const MONGODB_ROOT: &str = "mongodb/root";
const REDIS: &str = "redis";

fn mongodb_secret(service: &str) -> String {
    format!("mongodb/{service}")
}

fn nats_secret(user: &str) -> String {
    format!("nats/{user}")
}
