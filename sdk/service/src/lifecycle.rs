//! start -> ready -> drain -> stop.

mod start_error;

use std::future::Future;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::{Router, middleware};
use futures::future::BoxFuture;
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use utoipa::openapi::{Info, OpenApi, Paths};

use crate::admission::{Admission, Part, Strain, hear};
use crate::config::Settings;
use crate::http::operations::{self, Health, ReadinessCheck};
use crate::inbox::Subscription;
use crate::mongo::Mongo;
use crate::nats::Bus;
use crate::rate::RateLimit;
use crate::{internal, telemetry};

pub use start_error::{StartContext, StartError};

/// How long requests and tasks may take to end once a stop was asked for.
const DRAIN_DEADLINE: Duration = Duration::from_secs(25);
/// How long a process waits for stores that are not there yet, and how often it looks.
const START_PATIENCE: Duration = Duration::from_secs(45);
const START_AGAIN: Duration = Duration::from_millis(500);

#[derive(Deserialize)]
struct VersionFile {
    version: String,
}

/// The version in the text of a `version.json`.
///
/// # Panics
/// When the text is not `{"version": "..."}`; it is embedded, so a test of each service would show it.
pub fn version_in(version_json: &str) -> String {
    let VersionFile { version } = serde_json::from_str(version_json).expect("version.json holds a version");
    version
}

type Task = Box<dyn FnOnce(CancellationToken) -> BoxFuture<'static, ()> + Send>;

/// A service that is wired and not yet started.
pub struct Service {
    name: &'static str,
    version: String,
    public: Router,
    part: Part,
    strain: Strain,
    openapi: OpenApi,
    internal: Option<Router>,
    tasks: Vec<(&'static str, Task)>,
    checks: Vec<ReadinessCheck>,
}

/// Where a service listens. Port 0 takes a free one.
#[derive(Debug, Clone, Copy)]
pub struct Listen {
    /// The address that the edge talks to.
    pub public: SocketAddr,
    /// The address that other services talk to; only for services that answer internal calls.
    pub internal: Option<SocketAddr>,
}

impl Service {
    /// A service called `name`; `version_json` is the text of its `version.json`.
    ///
    /// # Panics
    /// As [`version_in`].
    pub fn new(name: &'static str, version_json: &str) -> Self {
        let version = version_in(version_json);
        let openapi = OpenApi::new(Info::new(format!("BigTix {name}"), version.clone()), Paths::new());
        Self {
            name,
            version,
            public: Router::new(),
            part: Part::Begins,
            strain: Strain::default(),
            openapi,
            internal: None,
            tasks: Vec::new(),
            checks: Vec::new(),
        }
    }

    /// The routes that users reach, without operations (`/livez` and so on), which are added to every service.
    #[must_use]
    pub fn public(mut self, routes: Router) -> Self {
        self.public = routes;
        self
    }

    /// What is asked of it finishes what somebody began elsewhere: while it is refused, the services that
    /// are [told](crate::internal::Peer::telling) of the `strain` begin less.
    #[must_use]
    pub fn finishes_what_was_begun(mut self, strain: Strain) -> Self {
        self.part = Part::Finishes;
        self.strain = strain;
        self
    }

    /// What `/openapi.json` says; without this it says that there are no operations.
    #[must_use]
    pub fn openapi(mut self, document: OpenApi) -> Self {
        self.openapi = document;
        self
    }

    /// The routes that other services reach with a service token.
    #[must_use]
    pub fn internal(mut self, routes: Router, keys: &crate::http::keys::KeyRing) -> Self {
        self.internal = Some(internal::guarded(routes, keys.clone()));
        self
    }

    /// Something that runs until the token is cancelled.
    #[must_use]
    pub fn task<F, Fut>(mut self, name: &'static str, task: F) -> Self
    where
        F: FnOnce(CancellationToken) -> Fut + Send + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        self.tasks
            .push((name, Box::new(move |stop| Box::pin(task(stop)))));
        self
    }

    /// Something without which the service must not get requests.
    #[must_use]
    pub fn ready_when<F, Fut>(mut self, name: &'static str, check: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = bool> + Send + 'static,
    {
        self.checks.push(ReadinessCheck {
            name,
            check: Box::new(move || Box::pin(check())),
        });
        self
    }

    /// Hears of what other services publish.
    #[must_use]
    pub fn subscription(self, mongo: &Mongo, bus: &Bus, subscription: Subscription) -> Self {
        let (mongo, bus) = (mongo.clone(), bus.clone());
        self.task("subscription", |stop| subscription.run(mongo, bus, stop))
    }

    /// Shares with other instances what `limit` has counted.
    #[must_use]
    pub fn limit(self, limit: RateLimit) -> Self {
        self.task("limits", |stop| limit.share(stop))
    }

    /// Gets no requests while MongoDB is away.
    #[must_use]
    pub fn needs_mongodb(self, mongo: Mongo) -> Self {
        self.ready_when("mongodb", move || {
            let mongo = mongo.clone();
            async move { mongo.is_healthy().await }
        })
    }

    /// Listens, starts the tasks and returns once both are under way.
    ///
    /// # Errors
    /// [`StartError::Listen`] when an address cannot be had; nothing is left running then.
    pub async fn start(self, listen: Listen) -> Result<Running, StartError> {
        let Self {
            name,
            version,
            public,
            part,
            strain,
            openapi,
            internal,
            tasks,
            checks,
        } = self;
        let public_listener = bind(listen.public).await?;
        let internal_listener = match (&internal, listen.internal) {
            (Some(_), Some(address)) => Some(bind(address).await?),
            _ => None,
        };
        let draining = Arc::new(AtomicBool::new(false));
        let health = Arc::new(Health {
            service: name,
            version: version.clone(),
            draining: draining.clone(),
            checks,
        });
        let admission = Arc::new(Admission::new(name, part, strain));
        let internal =
            internal.map(|routes| routes.layer(middleware::from_fn_with_state(admission.clone(), hear)));
        let router = operations::with_operations(public, admission.clone(), openapi, health);
        let (stop_tasks, stop_serving) = (CancellationToken::new(), CancellationToken::new());
        let mut running = JoinSet::new();
        let (public_addr, internal_addr) = (
            local(&public_listener, listen.public),
            internal_listener.as_ref().map(|l| local(l, listen.public)),
        );
        running.spawn(serve(public_listener, router.clone(), stop_serving.clone()));
        if let (Some(listener), Some(routes)) = (internal_listener, internal) {
            running.spawn(serve(listener, routes, stop_serving.clone()));
        }
        let mut background = JoinSet::new();
        background.spawn(admission.govern(stop_tasks.clone()));
        for (task_name, task) in tasks {
            let token = stop_tasks.clone();
            background.spawn(async move {
                task(token).await;
                tracing::debug!(service = name, task = task_name, "task ended");
            });
        }
        tracing::info!(service = name, version, address = %public_addr, "listening");
        Ok(Running {
            name,
            version,
            public_addr,
            internal_addr,
            router,
            draining,
            stop_tasks,
            stop_serving,
            serving: running,
            background,
        })
    }
}

/// A service that runs. Dropping it stops it at once; [`Running::stop`] lets it finish what it began.
pub struct Running {
    /// Such as `orders`.
    pub name: &'static str,
    /// From `version.json`.
    pub version: String,
    /// Where it serves users.
    pub public_addr: SocketAddr,
    /// Where it serves other services.
    pub internal_addr: Option<SocketAddr>,
    /// The public routes, to be called without a connection.
    pub router: Router,
    draining: Arc<AtomicBool>,
    stop_tasks: CancellationToken,
    stop_serving: CancellationToken,
    serving: JoinSet<()>,
    background: JoinSet<()>,
}

impl Running {
    /// Says "not ready" and goes on serving, so that callers turn away before anything is refused.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Release);
    }

    /// Drains, finishes the requests under way, then ends the tasks.
    pub async fn stop(mut self) {
        self.drain();
        self.stop_serving.cancel();
        let requests = async { while self.serving.join_next().await.is_some() {} };
        if tokio::time::timeout(DRAIN_DEADLINE, requests).await.is_err() {
            tracing::warn!(
                service = self.name,
                "requests were still under way at the drain deadline"
            );
        }
        self.stop_tasks.cancel();
        let tasks = async { while self.background.join_next().await.is_some() {} };
        if tokio::time::timeout(DRAIN_DEADLINE, tasks).await.is_err() {
            tracing::warn!(
                service = self.name,
                "tasks were still running at the drain deadline"
            );
        }
        tracing::info!(service = self.name, "stopped");
    }
}

async fn bind(address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address)
        .await
        .map_err(|source| StartError::Listen { address, source })
}

fn local(listener: &TcpListener, asked: SocketAddr) -> SocketAddr {
    listener.local_addr().unwrap_or(asked)
}

async fn serve(listener: TcpListener, router: Router, stop: CancellationToken) {
    let app = router.into_make_service_with_connect_info::<SocketAddr>();
    let listener = axum::serve::ListenerExt::tap_io(listener, |stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY could not be set");
        }
    });
    if let Err(error) = axum::serve(listener, app)
        .with_graceful_shutdown(stop.cancelled_owned())
        .await
    {
        tracing::error!(%error, "serving ended");
    }
}

/// Runs one service as a process: reads `LISTEN` and `INTERNAL_LISTEN`, starts, and stops on SIGTERM or SIGINT after
/// `DRAIN_DELAY_SECONDS` of saying "not ready".
pub fn main<C, F, Fut>(read: impl FnOnce(&mut Settings) -> C, service: F) -> ExitCode
where
    C: Clone,
    F: Fn(C) -> Fut,
    Fut: Future<Output = Result<Service, StartError>>,
{
    let mut settings = Settings::from_env();
    let process = Process::read(&mut settings);
    let config = read(&mut settings);
    if let Err(error) = settings.finish() {
        eprintln!("cannot start: {error}");
        return ExitCode::from(2);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("the system gives threads");
    match runtime.block_on(run(process, patiently(|| service(config.clone())))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "cannot start");
            eprintln!("cannot start: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Waits for stores that are not there yet. When everything starts at once, a process that gave up right away would be
/// started again later and later.
async fn patiently<Fut>(start: impl Fn() -> Fut) -> Result<Service, StartError>
where
    Fut: Future<Output = Result<Service, StartError>>,
{
    let began = Instant::now();
    loop {
        match start().await {
            Err(error @ StartError::Store { .. }) if began.elapsed() < START_PATIENCE => {
                tracing::warn!(%error, "not there yet");
                tokio::time::sleep(START_AGAIN).await;
            }
            outcome => return outcome,
        }
    }
}

/// What every service process reads besides its own settings.
#[derive(Debug, Clone)]
pub struct Process {
    listen: Listen,
    drain_delay: Duration,
    telemetry: telemetry::TelemetryConfig,
}

impl Process {
    /// Reads it.
    pub fn read(settings: &mut Settings) -> Self {
        let any = |port| SocketAddr::from(([0, 0, 0, 0], port));
        Self {
            listen: Listen {
                public: settings.parsed(
                    "LISTEN",
                    "an address and port",
                    any(3000),
                    "where users are served",
                ),
                internal: Some(settings.parsed(
                    "INTERNAL_LISTEN",
                    "an address and port",
                    any(3001),
                    "where other services are served",
                )),
            },
            drain_delay: settings.seconds(
                "DRAIN_DELAY_SECONDS",
                0,
                "how long to answer while saying \"not ready\" before a stop",
            ),
            telemetry: telemetry::TelemetryConfig::read(settings),
        }
    }
}

async fn run(
    process: Process,
    service: impl Future<Output = Result<Service, StartError>>,
) -> Result<(), StartError> {
    let telemetry = telemetry::init(&process.telemetry);
    // The first process of a container dies of no signal that it does not listen to.
    let service = tokio::select! {
        service = service => service?,
        () = stop_signal() => {
            telemetry.flush();
            return Ok(());
        }
    };
    let running = service.start(process.listen).await?;
    stop_signal().await;
    running.drain();
    tokio::time::sleep(process.drain_delay).await;
    running.stop().await;
    telemetry.flush();
    Ok(())
}

async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut term), Ok(mut int)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        tracing::error!("signals cannot be received; stopping");
        return;
    };
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
}
