//! Starting the stores: all at once, and none of them if one does not start.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use super::child::{Child, ChildSpec};
use super::ports;
use super::program::Program;
use super::secrets::{Secrets, private_folder};
use super::{
    Folder, LOOK_AGAIN, MONGODB_KEY, MONGODB_ROOT, PORT_ATTEMPTS, REDIS, START, Store, StoreError, Stores,
    StoresConfig, localstripe, mongodb, mongodb_secret, nats, nats_secret, redis,
};

/// Waits until a program that was just started is ready, unless it ends before.
pub(super) async fn until_ready(
    name: &'static str,
    child: &Child,
    log: PathBuf,
    is_ready: impl AsyncFn() -> Result<bool, StoreError>,
) -> Result<(), StoreError> {
    let ready = async {
        loop {
            if let Some(why) = child.obituary() {
                return Err(StoreError::Ended { name, why });
            }
            if is_ready().await? {
                return Ok(());
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    };
    tokio::time::timeout(START, ready)
        .await
        .unwrap_or(Err(StoreError::TooSlow { name, log }))
}

pub(super) async fn start(config: StoresConfig) -> Result<Stores, StoreError> {
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
    let (mongodb, nats, redis, stripe) = match (mongodb, nats, redis, stripe) {
        (Ok(mongodb), Ok(nats), Ok(redis), Ok(stripe)) => (mongodb, nats, redis, stripe),
        (mongodb, nats, redis, stripe) => {
            let outcomes = [mongodb.map(Some), nats.map(Some), redis.map(Some), stripe];
            return Err(stop_all(outcomes).await);
        }
    };
    starter
        .ports
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .save(&dir)
        .map_err(in_folder)?;
    let stores = Stores {
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

/// Starts mongod alone; the folder is made as for all of them.
pub(super) async fn start_mongod(config: &StoresConfig) -> Result<(Secrets, Store), StoreError> {
    let program = Program::Mongod.find()?;
    let dir = config.dir.as_path();
    let in_folder = |source| StoreError::Folder {
        path: dir.into(),
        source,
    };
    private_folder(dir)
        .and_then(|()| private_folder(&dir.join("logs")))
        .map_err(in_folder)?;
    let dir = std::path::absolute(dir).map_err(in_folder)?;
    let mut secrets = Secrets::open(&dir).map_err(in_folder)?;
    let starter = Starter::new(config, &dir, &mut secrets);
    secrets.save().map_err(in_folder)?;
    let mongodb = starter.mongodb(&program).await?;
    Ok((secrets, mongodb))
}

/// Stops those that started, and returns why not all of them did.
async fn stop_all(outcomes: [Result<Option<Store>, StoreError>; 4]) -> StoreError {
    let (started, failed): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    let started: Vec<Store> = started.into_iter().flatten().flatten().collect();
    futures::future::join_all(started.iter().map(|store| store.child.stop())).await;
    failed
        .into_iter()
        .find_map(Result::err)
        .expect("one of them is an error")
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
                match mongodb::prepare(port, &self.root, &self.mongodb_users).await {
                    Ok(()) => Ok(true),
                    Err(error) if mongodb::is_passing(&error) => Ok(false),
                    Err(error) => Err(Box::new(error)),
                }
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

    /// Starts one store and waits until it is ready. A port that was chosen here and that somebody else listens on all
    /// the same is replaced by another one.
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
            let held = {
                let mut ports = self.ports.lock().unwrap_or_else(PoisonError::into_inner);
                ports.choose(name, given)
            };
            let held = held.map_err(|error| match (given, error.kind()) {
                (Some(port), io::ErrorKind::AddrInUse) => StoreError::PortInUse { name, port },
                _ => in_folder(error),
            })?;
            let port = held.number();
            let spec = spec(port).map_err(in_folder)?;
            let log = spec.log.clone();
            let child =
                Child::start(spec, Arc::clone(&self.config.watcher)).map_err(|error| StoreError::Ended {
                    name,
                    why: error.to_string(),
                })?;
            let is_ready = async || is_ready(port).await.map_err(StoreError::MongoDb);
            match until_ready(name, &child, log, is_ready).await {
                Ok(()) => {
                    (self.config.on_ready)(name, began.elapsed());
                    return Ok(Store { child, port: held });
                }
                Err(StoreError::Ended { .. })
                    if given.is_none() && !ports::is_free(port) && attempt < PORT_ATTEMPTS =>
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
