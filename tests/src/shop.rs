//! A running shop: `bigtix up` on free ports with its data in a fresh folder.

mod run_file;

use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bigtix_testkit::stores::{Child, ChildSpec, HeldPort};
use rustix::process::{Pid, Signal};

pub use run_file::{InstanceFacts, MongoFacts, RunFile, ServiceFacts, StoreFacts, StripeFacts};

/// How long a shop may take to start on a busy machine.
const START: Duration = Duration::from_secs(120);
/// How long it may take to stop.
const GRACE: Duration = Duration::from_secs(45);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// The services that can have several instances.
pub const SERVICES: [&str; 6] = ["auth", "tickets", "orders", "payments", "expiration", "web"];

/// How the services are run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// As tasks of one process.
    OneProcess,
    /// Each instance as a process of its own.
    Separate {
        /// How many of every service.
        instances: usize,
    },
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OneProcess => f.write_str("one process"),
            Self::Separate { instances } => write!(f, "{instances} of each"),
        }
    }
}

/// Fields of the resource that spread a shop's events over its own store and the one at `uri`.
pub fn further_partition(uri: &str) -> [(&'static str, &str); 2] {
    [
        ("spec.services.orders.env[0].name", "MONGODB_PARTITION_URIS"),
        ("spec.services.orders.env[0].value", uri),
    ]
}

/// Why a shop is not there.
#[derive(Debug)]
pub struct StartError(String);

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for StartError {}

/// A shop that is to be started.
#[derive(Debug, Clone, Copy)]
pub struct Launch<'a> {
    /// The program `bigtix`.
    pub program: &'a Path,
    /// Its data folder.
    pub folder: &'a Path,
    /// Where the edge listens.
    pub port: u16,
    /// How its services run.
    pub mode: Mode,
    /// Fields of the resource, such as `("spec.reservationSeconds", "2")`.
    pub settings: &'a [(&'a str, &'a str)],
    /// What its environment has besides ours.
    pub env: &'a [(&'a str, &'a str)],
}

/// A running shop. Dropping it kills it; [`Shop::stop`] lets it finish.
pub struct Shop {
    child: Child,
    folder: PathBuf,
    /// Removed at the end; absent when the folder is somebody else's.
    _fresh: Option<tempfile::TempDir>,
    run: RunFile,
    mode: Mode,
    ready_after: Duration,
}

impl Shop {
    /// Starts a shop in a fresh folder; `settings` are fields of the resource, such as
    /// `("spec.reservationSeconds", "2")`.
    ///
    /// # Errors
    /// When the program is not built, or was not ready in time; the message says what to do, or what it printed.
    pub fn start(mode: Mode, settings: &[(&str, &str)]) -> Result<Self, StartError> {
        let fresh = tempfile::Builder::new()
            .prefix("bigtix-tests-")
            .tempdir()
            .map_err(|error| StartError(format!("cannot make a folder for the shop: {error}")))?;
        let folder = fresh.path().join("data");
        let port = HeldPort::find()
            .map_err(|error| StartError(format!("cannot find a port for the edge: {error}")))?;
        let mut shop = Self::launch(&Launch {
            program: &program()?,
            folder: &folder,
            port: port.number(),
            mode,
            settings,
            env: &[],
        })?;
        shop._fresh = Some(fresh);
        Ok(shop)
    }

    /// Starts a shop whose folder stays.
    ///
    /// # Errors
    /// As [`Shop::start`].
    pub fn launch(launch: &Launch<'_>) -> Result<Self, StartError> {
        let Launch {
            program,
            folder,
            port,
            mode,
            settings,
            env,
        } = *launch;
        let failed = |what: &str, error: &dyn fmt::Display| StartError(format!("cannot {what}: {error}"));
        fs::create_dir_all(folder).map_err(|error| failed("make the shop's folder", &error))?;
        let log = folder.with_extension("log");
        let spec = ChildSpec {
            name: "shop".into(),
            program: program.into(),
            args: arguments(folder, port, mode, settings),
            env: env
                .iter()
                .map(|(name, value)| ((*name).into(), (*value).into()))
                .collect(),
            log: log.clone(),
            grace: GRACE,
        };
        let began = Instant::now();
        let child = Child::start(spec, Arc::new(|_| {})).map_err(|error| failed("run the shop", &error))?;
        let run = wait_until_ready(&child, &folder.join("run.json"), began)?;
        Ok(Self {
            child,
            folder: folder.into(),
            _fresh: None,
            run,
            mode,
            ready_after: began.elapsed(),
        })
    }

    /// Where everything is.
    pub fn run(&self) -> &RunFile {
        &self.run
    }

    /// Where everything is now: what dies is started again as another process. Waits while something is being started.
    ///
    /// # Panics
    /// When it takes longer than a start may take.
    pub fn run_now(&self) -> RunFile {
        let began = Instant::now();
        while began.elapsed() < START {
            if let Some(run) = self.last_run() {
                return run;
            }
            std::thread::sleep(LOOK_AGAIN);
        }
        panic!("run.json names no process for something");
    }

    /// What `run.json` says, unless it is gone or something is being started: that has no process id yet.
    pub fn last_run(&self) -> Option<RunFile> {
        read_run_file(&self.folder.join("run.json"))?.ok()
    }

    /// The Stripe double that it started.
    ///
    /// # Panics
    /// When it has an account at Stripe instead.
    pub fn stripe(&self) -> &StripeFacts {
        self.run
            .stripe
            .as_ref()
            .expect("the shop has no account at Stripe")
    }

    /// How the services run.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Its data folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// How long it took from its start until `run.json` was there.
    pub fn ready_after(&self) -> Duration {
        self.ready_after
    }

    /// The address of a service's first instance, for what the edge does not route.
    pub fn service_url(&self, service: &str) -> &str {
        match self.run.services.get(service) {
            Some(facts) => &facts.url,
            None => panic!("run.json names no service {service}"),
        }
    }

    /// The processes of a service; in one process that is the shop's own.
    pub fn service_pids(&self, service: &str) -> Vec<u32> {
        let instances = self.run.services.get(service).map(|facts| &facts.instances);
        instances
            .into_iter()
            .flatten()
            .map(|instance| instance.pid)
            .collect()
    }

    /// The end of what it printed, and of what its services and stores printed.
    pub fn log_tail(&self) -> String {
        self.child.log_tail()
    }

    /// What is still there of what `run.json` named: processes by what they are, and `run.json` itself.
    pub fn left_behind(&self, run: &RunFile) -> Vec<String> {
        let stores = [
            ("mongod", run.mongodb.pid),
            ("nats-server", run.nats.pid),
            ("redis-server", run.redis.pid),
        ];
        let double = run.stripe.iter().map(|double| ("the Stripe double", double.pid));
        let services = run.services.iter();
        let instances =
            services.flat_map(|(name, facts)| facts.instances.iter().map(|one| (name.as_str(), one.pid)));
        let mut left: Vec<String> = stores
            .into_iter()
            .chain(double)
            .chain(instances)
            .filter(|(_, process)| rustix::process::test_kill_process(pid(*process)).is_ok())
            .map(|(name, process)| format!("{name} ({process})"))
            .collect();
        if self.folder.join("run.json").exists() {
            left.push("run.json".into());
        }
        left
    }

    /// Lets it drain and stop, and waits for that.
    pub async fn stop(&self) {
        self.child.stop().await;
    }
}

/// Processes that were told to stand still; dropping this lets them go on.
#[derive(Debug)]
#[must_use = "the processes go on when this is dropped"]
pub struct Paused(Vec<Pid>);

impl Paused {
    /// Stops these processes in their tracks.
    ///
    /// # Panics
    /// When one of them is not there.
    pub fn processes(pids: impl IntoIterator<Item = u32>) -> Self {
        let pids: Vec<Pid> = pids.into_iter().map(pid).collect();
        for pid in &pids {
            rustix::process::kill_process(*pid, Signal::STOP).expect("the process is there");
        }
        Self(pids)
    }
}

impl Drop for Paused {
    fn drop(&mut self) {
        for pid in &self.0 {
            // One that is gone needs no signal.
            let _ = rustix::process::kill_process(*pid, Signal::CONT);
        }
    }
}

/// Kills a process at once.
///
/// # Panics
/// When it is not there.
pub fn kill(process: u32) {
    rustix::process::kill_process(pid(process), Signal::KILL).expect("the process is there");
}

fn pid(raw: u32) -> Pid {
    i32::try_from(raw)
        .ok()
        .and_then(Pid::from_raw)
        .expect("run.json names processes")
}

fn arguments(folder: &Path, port: u16, mode: Mode, settings: &[(&str, &str)]) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = vec![
        "up".into(),
        "--data".into(),
        folder.into(),
        "--port".into(),
        port.to_string().into(),
    ];
    if let Mode::Separate { instances } = mode {
        arguments.push("--separate".into());
        for service in SERVICES {
            arguments.extend([
                "--set".into(),
                format!("spec.services.{service}.replicas={instances}").into(),
            ]);
        }
    }
    for (path, value) in settings {
        arguments.extend(["--set".into(), format!("{path}={value}").into()]);
    }
    arguments
}

/// The program under test: `BIGTIX_BIN`, or `bigtix` in the folder above the one that test programs are in.
pub fn program() -> Result<PathBuf, StartError> {
    if let Some(named) = std::env::var_os("BIGTIX_BIN").filter(|value| !value.is_empty()) {
        let named = PathBuf::from(named);
        return if named.is_file() {
            Ok(named)
        } else {
            Err(StartError(format!(
                "BIGTIX_BIN is {}, and there is no such file",
                named.display()
            )))
        };
    }
    let own =
        std::env::current_exe().map_err(|error| StartError(format!("cannot tell where this is: {error}")))?;
    let beside = own.parent().into_iter().flat_map(Path::ancestors).take(2);
    let found = beside
        .map(|folder| folder.join("bigtix"))
        .find(|path| path.is_file());
    found.ok_or_else(|| {
        let message =
            "the program `bigtix` is not built: run `cargo build -p bigtix`, or set BIGTIX_BIN to it";
        StartError(message.into())
    })
}

fn read_run_file(path: &Path) -> Option<serde_json::Result<RunFile>> {
    fs::read(path).ok().map(|bytes| serde_json::from_slice(&bytes))
}

fn wait_until_ready(child: &Child, run_file: &Path, began: Instant) -> Result<RunFile, StartError> {
    loop {
        let own = |run: &RunFile| Some(run.pid) == child.pid();
        match read_run_file(run_file) {
            Some(Ok(run)) if own(&run) => return Ok(run),
            Some(Err(error)) if began.elapsed() > START => {
                return Err(StartError(format!(
                    "run.json is not what the contract says: {error}"
                )));
            }
            _ => {}
        }
        if let Some(obituary) = child.obituary() {
            return Err(StartError(format!("the shop ended: {obituary}")));
        }
        if began.elapsed() > START {
            let tail = child.log_tail();
            return Err(StartError(format!(
                "the shop was not ready within {START:?}:\n{tail}"
            )));
        }
        std::thread::sleep(LOOK_AGAIN);
    }
}
