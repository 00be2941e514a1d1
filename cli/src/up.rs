//! `bigtix up`: everything that a resource describes, on this machine, in one call.

mod door;
mod fleet;
mod keys;
mod wiring;

use std::env;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bigtix_contracts::network::{Network, NotANetwork};
use bigtix_crds::Platform;
use bigtix_crds::platform::Payments;
use bigtix_service::Settings;
use bigtix_service::telemetry::{self, TelemetryConfig};
use bigtix_testkit::stores::{ChildEvent, StoreError, Stores, StoresConfig, Watcher};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::sync::mpsc;

use crate::applied::{Applied, Asked};
use crate::args::UpArgs;
use crate::edge::{Docs, Edge, EdgeConfig, Limits};
use crate::folder::{DataFolder, FolderError};
use crate::resource::{self, ResourceError};
use crate::run_file::{self, MongodbRun, RunFile, StripeRun, UrlRun};
use crate::services;
use crate::stop_signal::StopSignal;
use crate::terminal::{Ready, Terminal};

use self::door::{Door, DoorError};
use self::fleet::{Fleet, FleetError, InProcess, Separate, choose_places, internal_urls, public_urls};
use self::keys::Keys;
use self::wiring::{StoreAccess, StripeAccess, Wiring};

pub(crate) use self::wiring::foreseen;

/// How long requests that are under way may take to end.
const DRAIN: Duration = Duration::from_secs(25);
/// Files that may be open at once, in this process and in each that it starts, where the system lets it have them.
const FILES: u64 = 65_536;
/// Names the proxies before the edge whose `X-Forwarded-*` headers count.
const TRUSTED_PROXIES: &str = "TRUSTED_PROXIES";

/// Where the double serves its script, and a key that it takes.
const DOUBLE_SCRIPT: &str = "/js.stripe.com/v3/";
const DOUBLE_KEY: &str = "pk_test_bigtix";

/// Why nothing runs.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UpError {
    #[error(transparent)]
    Resource(#[from] ResourceError),
    #[error(transparent)]
    Folder(#[from] FolderError),
    #[error(transparent)]
    Door(#[from] DoorError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Fleet(#[from] FleetError),
    #[error(
        "spec.payments names the Secret {0}, and there are none on one machine: set STRIPE_SECRET_KEY, \
         STRIPE_WEBHOOK_SECRET and STRIPE_PUBLISHABLE_KEY in the environment, or leave spec.payments out"
    )]
    StripeAccount(String),
    #[error("{TRUSTED_PROXIES}: {0}")]
    Proxies(#[from] NotANetwork),
    #[error("{what}: {source}")]
    Io { what: String, source: io::Error },
    #[error("stopped before everything was ready")]
    Interrupted,
    #[error("stopped at once, because a second signal came")]
    Impatient,
}

fn io_error(what: impl Into<String>) -> impl FnOnce(io::Error) -> UpError {
    let what = what.into();
    move |source| UpError::Io { what, source }
}

/// Runs until it is asked to stop.
pub(crate) async fn up(args: &UpArgs, terminal: Terminal) -> Result<(), UpError> {
    let began = Instant::now();
    allow_many_files();
    let mut signal = StopSignal::listen().map_err(io_error("signals cannot be received"))?;
    let resource = resource::read(args.file.as_deref(), &args.set, args.separate)?;
    if !resource.ignored.is_empty() {
        terminal.say(format!("Ignored on one machine: {}", resource.ignored.join(", ")));
    }
    let folder = DataFolder::take(&args.data.data)?;
    run_file::remove(folder.dir()).map_err(io_error("an old run.json cannot be removed"))?;
    let door = Door::take(args.port)?;
    let telemetry = telemetry::init(&telemetry_settings(&resource.platform));

    let (watcher, mut events) = watch();
    let start = Start {
        args,
        platform: &resource.platform,
        dir: folder.dir(),
        terminal,
        watcher,
    };
    let shop = tokio::select! {
        shop = start.shop(door) => shop?,
        // What was started by then is killed as it is dropped.
        () = signal.received() => return Err(UpError::Interrupted),
    };
    shop.write_run_file()
        .map_err(io_error("run.json cannot be written"))?;
    let asked = Asked {
        resource: serde_json::to_value(&resource.bigtix).unwrap_or_default(),
        separate: args.separate,
        port: args.port,
    };
    Applied::note(folder.dir(), asked).map_err(io_error("applied.json cannot be written"))?;
    terminal.ready(Ready {
        release: resource.platform.version.to_string(),
        url: shop.url.clone(),
        data: args.data.data.clone(),
        seconds: began.elapsed().as_secs_f64(),
    });
    loop {
        tokio::select! {
            () = signal.received() => break,
            Some(event) = events.recv() => shop.notice(event, terminal).await,
        }
    }
    let outcome = shop.stop(&mut signal, terminal).await;
    telemetry.flush();
    // Whoever waits for the folder waits for the end of this process.
    std::mem::forget(folder);
    outcome
}

/// Every connection is a file, and what a shell allows by itself is few.
fn allow_many_files() {
    let limit = getrlimit(Resource::Nofile);
    let current = limit.maximum.map_or(FILES, |most| most.min(FILES));
    if limit.current.is_some_and(|now| now < current) {
        let raised = Rlimit {
            current: Some(current),
            ..limit
        };
        if let Err(error) = setrlimit(Resource::Nofile, raised) {
            tracing::debug!(%error, "no more files are allowed than before");
        }
    }
}

/// What a person at a terminal wants to read, and where the resource sends traces; the environment says otherwise.
fn telemetry_settings(platform: &Platform) -> TelemetryConfig {
    let mut values: std::collections::BTreeMap<String, String> = env::vars().collect();
    values.entry("LOG".into()).or_insert_with(|| "warn".into());
    values.entry("LOG_JSON".into()).or_insert_with(|| "false".into());
    if let Some(endpoint) = &platform.observability.otlp_endpoint {
        values
            .entry("OTEL_EXPORTER_OTLP_ENDPOINT".into())
            .or_insert_with(|| endpoint.to_string());
    }
    TelemetryConfig::read(&mut Settings::from_map(values))
}

fn watch() -> (Watcher, mpsc::UnboundedReceiver<ChildEvent>) {
    let (send, events) = mpsc::unbounded_channel();
    // Nobody listens any more once everything is being stopped.
    (Arc::new(move |event| drop(send.send(event))), events)
}

/// What it takes to start.
struct Start<'a> {
    args: &'a UpArgs,
    platform: &'a Platform,
    dir: &'a Path,
    terminal: Terminal,
    watcher: Watcher,
}

impl Start<'_> {
    async fn shop(&self, door: Door) -> Result<Shop, UpError> {
        let account = self.stripe_account(&door)?;
        let trusted_proxies = env::var(TRUSTED_PROXIES).unwrap_or_default();
        let networks = trusted_proxies
            .split(',')
            .map(str::trim)
            .filter(|text| !text.is_empty());
        let networks: Vec<Network> = networks.map(str::parse).collect::<Result<_, _>>()?;
        let keys = Keys::open(self.dir, self.platform.session.rotate_after)
            .map_err(io_error(self.dir.display().to_string()))?;

        let stores = Stores::start(self.stores_config(account.is_none())).await?;
        let (url, webhook_secret) = (door.url(), keys.webhook.clone());
        let stripe = account.unwrap_or_else(|| StripeAccess {
            api_url: stores.stripe_url().unwrap_or_default(),
            secret_key: keys.stripe.clone(),
            webhook_secret: keys.webhook.clone(),
            return_url: None,
            script_url: format!("{}{DOUBLE_SCRIPT}", stores.stripe_url().unwrap_or_default()),
            publishable_key: Some(DOUBLE_KEY.to_owned()),
            is_double: true,
        });
        let fleet = match self.fleet(&stores, &keys, &stripe, &url, &trusted_proxies).await {
            Ok(fleet) => fleet,
            Err(error) => {
                stores.stop().await;
                return Err(error);
            }
        };
        let config = EdgeConfig {
            upstreams: fleet.upstreams(),
            docs: Docs::new(&services::documents()),
            trusted_proxies: networks,
            limits: Limits::default(),
        };
        let shop = match door.open() {
            Ok(listeners) => {
                let edge = Edge::start(config, listeners);
                Shop {
                    dir: self.dir.to_owned(),
                    url,
                    webhook_secret,
                    stores,
                    fleet,
                    edge,
                }
            }
            Err(error) => {
                fleet.stop(self.terminal).await;
                stores.stop().await;
                return Err(error.into());
            }
        };
        if let Err(error) = shop.register_webhook().await {
            shop.end(self.terminal).await;
            return Err(io_error("the Stripe double does not take the webhook")(error));
        }
        Ok(shop)
    }

    fn stores_config(&self, stripe: bool) -> StoresConfig {
        let terminal = self.terminal;
        let users = services::HELD.iter().filter(|held| held.has_stores);
        let mut config = StoresConfig::new(self.dir, users.map(|held| held.service.as_str()));
        config.stripe = stripe;
        config.on_ready = Arc::new(move |name, took| terminal.step(name, took));
        config.watcher = Arc::clone(&self.watcher);
        config
    }

    /// The account at Stripe that the resource names, with the keys of the environment.
    fn stripe_account(&self, door: &Door) -> Result<Option<StripeAccess>, UpError> {
        let Payments::Account {
            secret_name,
            api_url,
            script_url,
        } = &self.platform.payments
        else {
            return Ok(None);
        };
        let given = |name| env::var(name).ok().filter(|value| !value.is_empty());
        match (given("STRIPE_SECRET_KEY"), given("STRIPE_WEBHOOK_SECRET")) {
            (Some(secret_key), Some(webhook_secret)) => Ok(Some(StripeAccess {
                api_url: api_url.to_string(),
                secret_key,
                webhook_secret,
                return_url: Some(format!("{}/orders", door.url())),
                script_url: script_url.to_string(),
                publishable_key: given("STRIPE_PUBLISHABLE_KEY"),
                is_double: false,
            })),
            _ => Err(UpError::StripeAccount(secret_name.to_string())),
        }
    }

    async fn fleet(
        &self,
        stores: &Stores,
        keys: &Keys,
        stripe: &StripeAccess,
        public_url: &str,
        trusted_proxies: &str,
    ) -> Result<Fleet, UpError> {
        let instances = |service| match self.args.separate {
            true => self
                .platform
                .services
                .get(service)
                .map_or(1, |workload| workload.replicas.at_least()),
            false => 1,
        };
        let (places, held) = choose_places(instances).map_err(io_error("ports for the services"))?;
        let (internal_urls, public_urls) = (internal_urls(&places), public_urls(&places));
        let settings = |service: bigtix_crds::Service| {
            let has_stores = services::by_name(service.as_str()).is_some_and(|held| held.has_stores);
            let wiring = Wiring {
                platform: self.platform,
                keys,
                public_url,
                trusted_proxies,
                stripe,
                internal_urls: &internal_urls,
                public_urls: &public_urls,
                stores: has_stores.then(|| StoreAccess {
                    mongodb_uri: stores.mongodb_uri(service.as_str()),
                    nats_url: stores.nats_url(service.as_str()),
                    redis_url: stores.redis_url(),
                }),
            };
            wiring.settings(service)
        };
        Ok(if self.args.separate {
            let (watcher, terminal) = (&self.watcher, self.terminal);
            Fleet::Separate(Separate::start(self.dir, &places, held, settings, watcher, terminal).await?)
        } else {
            Fleet::InProcess(InProcess::start(&places, settings, self.terminal).await?)
        })
    }
}

/// Everything that runs.
struct Shop {
    dir: PathBuf,
    url: String,
    webhook_secret: String,
    stores: Stores,
    fleet: Fleet,
    edge: Edge,
}

impl Shop {
    async fn register_webhook(&self) -> io::Result<()> {
        let url = format!("{}/api/webhooks/stripe", self.url);
        self.stores
            .register_stripe_webhook(&url, &self.webhook_secret)
            .await
    }

    fn write_run_file(&self) -> io::Result<()> {
        let stores = &self.stores;
        let run = RunFile {
            url: self.url.clone(),
            pid: std::process::id(),
            services: self.fleet.runs(),
            mongodb: MongodbRun {
                pid: stores.mongodb_pid(),
                uri: stores.mongodb_admin_uri(),
            },
            nats: UrlRun {
                pid: stores.nats_pid(),
                url: stores.nats_admin_url(),
            },
            redis: UrlRun {
                pid: stores.redis_pid(),
                url: stores.redis_url(),
            },
            stripe: stores.stripe_url().map(|url| StripeRun {
                pid: stores.stripe_pid(),
                url,
                webhook_secret: self.webhook_secret.clone(),
            }),
        };
        run.write(&self.dir)
    }

    /// A child died, or was started again.
    async fn notice(&self, event: ChildEvent, terminal: Terminal) {
        match event {
            ChildEvent::Died {
                name,
                status,
                again_in,
            } => {
                let again_in = again_in.as_secs_f64();
                terminal.report(&format!(
                    "{name} ended ({status}); it is started again in {again_in:.1} s"
                ));
            }
            ChildEvent::Restarted { name, pid } => {
                terminal.report(&format!("{name} was started again (pid {pid})"));
                if name == "stripe"
                    && let Err(error) = self.register_webhook().await
                {
                    terminal.report(&format!("the Stripe double does not take the webhook: {error}"));
                }
            }
        }
        if let Err(error) = self.write_run_file() {
            terminal.report(&format!("run.json cannot be written: {error}"));
        }
    }

    /// Ends everything in good order, or at once when another signal comes.
    async fn stop(self, signal: &mut StopSignal, terminal: Terminal) -> Result<(), UpError> {
        let dir = self.dir.clone();
        terminal.say("Stopping; a second signal stops at once");
        let outcome = tokio::select! {
            () = self.end(terminal) => Ok(()),
            // What still runs is killed as it is dropped.
            () = signal.received() => Err(UpError::Impatient),
        };
        run_file::remove(&dir).map_err(io_error("run.json cannot be removed"))?;
        outcome
    }

    async fn end(self, terminal: Terminal) {
        let Self {
            stores, fleet, edge, ..
        } = self;
        let began = Instant::now();
        if !edge.stop(DRAIN).await {
            terminal.say("Some requests did not end in time");
        }
        terminal.step("edge", began.elapsed());
        fleet.stop(terminal).await;
        let began = Instant::now();
        stores.stop().await;
        terminal.step("stores", began.elapsed());
    }
}
