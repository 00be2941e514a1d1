//! Real stores as child processes of this one, on this machine: for tests, and for running a shop on one machine.
//!
//! mongod (a replica set of one), nats-server with JetStream, redis-server and, where it is asked for, localstripe.
//! All listen on the loopback address only, all need credentials, none outlives this process, and one that dies is
//! started again at the same port. Their data and logs are in one folder; the credentials are made once per folder.
//!
//! Tests take [`shared`] stores: started once per test process, with a fresh database and prefix for each test.

mod child;
mod localstripe;
mod mongodb;
mod nats;
mod ports;
mod program;
mod redis;
mod secrets;
mod shared;
mod wire;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

pub use self::child::{Child, ChildEvent, ChildSpec, Watcher};
pub use self::ports::{free_port, is_free};
pub use self::program::Program;
pub use self::secrets::{Secrets, private_folder, write_private};
pub use self::shared::{SharedStores, TestDatabase, shared};

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
    port: u16,
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
        let dir = config.dir.as_path();
        let in_folder = |source| StoreError::Folder {
            path: dir.into(),
            source,
        };
        let programs = Programs::find(config.stripe)?;
        private_folder(dir)
            .and_then(|()| private_folder(&dir.join("logs")))
            .map_err(in_folder)?;
        let dir = std::path::absolute(dir).map_err(in_folder)?;
        let mut secrets = Secrets::open(&dir).map_err(in_folder)?;
        let starter = Starter::new(&config, &dir, &mut secrets);
        secrets.save().map_err(in_folder)?;

        let (mongodb, nats, redis, stripe) = futures::join!(
            starter.mongodb(&programs.mongod),
            starter.nats(&programs.nats_server),
            starter.redis(&programs.redis_server),
            starter.stripe(programs.localstripe_python.as_deref()),
        );
        // Each is looked at only now, so that one that failed does not leave another one half started.
        let outcome = match (mongodb, nats, redis, stripe) {
            (Ok(mongodb), Ok(nats), Ok(redis), Ok(stripe)) => Ok((mongodb, nats, redis, stripe)),
            (mongodb, nats, redis, stripe) => {
                let (mongodb, nats, redis) = (split(mongodb), split(nats), split(redis));
                let stripe = match stripe {
                    Ok(started) => (started, None),
                    Err(error) => (None, Some(error)),
                };
                let started = [mongodb.0, nats.0, redis.0, stripe.0];
                futures::future::join_all(started.iter().flatten().map(|store| store.child.stop())).await;
                let error = [mongodb.1, nats.1, redis.1, stripe.1]
                    .into_iter()
                    .flatten()
                    .next();
                Err(error.expect("one of them is an error"))
            }
        };
        let (mongodb, nats, redis, stripe) = outcome?;
        starter
            .ports
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .save(&dir)
            .map_err(in_folder)?;
        let stores = Self {
            secrets: Mutex::new(secrets),
            mongodb,
            nats,
            redis,
            stripe,
        };
        for store in stores.all() {
            store.child.keep_alive();
        }
        Ok(stores)
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
        mongodb::service_uri(self.mongodb.port, service, &self.secret(&mongodb_secret(service)))
    }

    /// mongod's address for its administrator, who may use every database.
    pub fn mongodb_admin_uri(&self) -> String {
        mongodb::admin_uri(self.mongodb.port, &self.secret(MONGODB_ROOT))
    }

    /// nats-server's address for one of the services. That user's answers come to `_INBOX_<service>.>` only.
    pub fn nats_url(&self, service: &str) -> String {
        nats::url(self.nats.port, service, &self.secret(&nats_secret(service)))
    }

    /// nats-server's address for its administrator, who may publish and hear everything.
    pub fn nats_admin_url(&self) -> String {
        self.nats_url(nats::ADMIN)
    }

    /// redis-server's address.
    pub fn redis_url(&self) -> String {
        redis::url(self.redis.port, &self.secret(REDIS))
    }

    /// localstripe's address, where it runs.
    pub fn stripe_url(&self) -> Option<String> {
        self.stripe
            .as_ref()
            .map(|store| format!("http://127.0.0.1:{}", store.port))
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
        while !localstripe::answers(stripe.port).await && Instant::now() < deadline {
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        localstripe::register_webhook(stripe.port, url, secret).await
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

fn split(outcome: Result<Store, StoreError>) -> (Option<Store>, Option<StoreError>) {
    match outcome {
        Ok(store) => (Some(store), None),
        Err(error) => (None, Some(error)),
    }
}

struct Programs {
    mongod: PathBuf,
    nats_server: PathBuf,
    redis_server: PathBuf,
    localstripe_python: Option<PathBuf>,
}

impl Programs {
    fn find(stripe: bool) -> Result<Self, StoreError> {
        Ok(Self {
            mongod: Program::Mongod.find()?,
            nats_server: Program::NatsServer.find()?,
            redis_server: Program::RedisServer.find()?,
            localstripe_python: stripe.then(|| Program::LocalstripePython.find()).transpose()?,
        })
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

/// Everything that it takes to start the stores.
struct Starter<'a> {
    config: &'a StoresConfig,
    folder: Folder<'a>,
    ports: Mutex<ports::Ports>,
    key: String,
    root: String,
    redis: String,
    mongodb_users: Vec<(&'a str, String)>,
    nats_users: Vec<nats::User<'a>>,
}

impl<'a> Starter<'a> {
    fn new(config: &'a StoresConfig, dir: &'a Path, secrets: &mut Secrets) -> Self {
        let services = || config.services.iter().map(String::as_str);
        Self {
            config,
            folder: Folder { dir },
            ports: Mutex::new(ports::Ports::open(dir)),
            key: secrets.get(MONGODB_KEY),
            root: secrets.get(MONGODB_ROOT),
            redis: secrets.get(REDIS),
            mongodb_users: services()
                .map(|name| (name, secrets.get(&mongodb_secret(name))))
                .collect(),
            nats_users: std::iter::once(nats::ADMIN)
                .chain(services())
                .map(|name| nats::User {
                    name,
                    password: secrets.get(&nats_secret(name)),
                })
                .collect(),
        }
    }

    async fn mongodb(&self, program: &Path) -> Result<Store, StoreError> {
        let cache = self.config.mongodb_cache_gigabytes;
        self.store(
            "mongodb",
            self.config.mongodb_port,
            |port| mongodb::spec(&self.folder, program, port, &self.key, cache),
            async |port| {
                if !mongodb::listens(port).await {
                    return Ok(false);
                }
                mongodb::prepare(port, &self.root, &self.mongodb_users)
                    .await
                    .map_err(Box::new)?;
                Ok(true)
            },
        )
        .await
    }

    async fn nats(&self, program: &Path) -> Result<Store, StoreError> {
        let admin = &self.nats_users[0].password;
        let prefix = &self.config.subject_prefix;
        self.store(
            "nats",
            self.config.nats_port,
            |port| nats::spec(&self.folder, program, port, prefix, &self.nats_users),
            async |port| Ok(nats::answers(port, admin).await),
        )
        .await
    }

    async fn redis(&self, program: &Path) -> Result<Store, StoreError> {
        self.store(
            "redis",
            self.config.redis_port,
            |port| redis::spec(&self.folder, program, port, &self.redis),
            async |port| Ok(redis::answers(port, &self.redis).await),
        )
        .await
    }

    async fn stripe(&self, python: Option<&Path>) -> Result<Option<Store>, StoreError> {
        let Some(python) = python else { return Ok(None) };
        self.store(
            "stripe",
            None,
            |port| localstripe::spec(&self.folder, python, port),
            async |port| Ok(localstripe::answers(port).await),
        )
        .await
        .map(Some)
    }

    /// Starts one store and waits until it is ready. A port that was chosen here and taken by somebody else in
    /// between is replaced by another one.
    async fn store(
        &self,
        name: &'static str,
        given: Option<u16>,
        spec: impl Fn(u16) -> io::Result<ChildSpec>,
        is_ready: impl AsyncFn(u16) -> Result<bool, Box<::mongodb::error::Error>>,
    ) -> Result<Store, StoreError> {
        let in_folder = |source| StoreError::Folder {
            path: self.folder.dir.into(),
            source,
        };
        let began = Instant::now();
        let mut attempt = 1;
        loop {
            let port = {
                let mut ports = self.ports.lock().unwrap_or_else(PoisonError::into_inner);
                ports.choose(name, given).map_err(in_folder)?
            };
            if given.is_some() && !is_free(port) {
                return Err(StoreError::PortInUse { name, port });
            }
            let spec = spec(port).map_err(in_folder)?;
            let log = spec.log.clone();
            let child =
                Child::start(spec, Arc::clone(&self.config.watcher)).map_err(|error| StoreError::Ended {
                    name,
                    why: error.to_string(),
                })?;
            let ready = async {
                while child.obituary().is_none() {
                    if is_ready(port).await.map_err(StoreError::MongoDb)? {
                        return Ok(());
                    }
                    tokio::time::sleep(LOOK_AGAIN).await;
                }
                Err(StoreError::Ended {
                    name,
                    why: child.obituary().unwrap_or_default(),
                })
            };
            let outcome = tokio::time::timeout(START, ready)
                .await
                .unwrap_or(Err(StoreError::TooSlow { name, log }));
            match outcome {
                Ok(()) => {
                    (self.config.on_ready)(name, began.elapsed());
                    return Ok(Store { child, port });
                }
                Err(StoreError::Ended { .. })
                    if given.is_none() && !is_free(port) && attempt < PORT_ATTEMPTS =>
                {
                    attempt += 1;
                }
                Err(error) => {
                    child.stop().await;
                    return Err(error);
                }
            }
        }
    }
}
