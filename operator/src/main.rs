//! The operator's process: flags, logs, election, and the loop.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;

use bigtix_operator::apply::Applier;
use bigtix_operator::backups::facts::Program;
use bigtix_operator::backups::{self, program};
use bigtix_operator::controller::{self, Context};
use bigtix_operator::election::Candidate;
use bigtix_operator::names::MANAGER;
use bigtix_operator::observe::{Databases, Observer, Scraper};
use bigtix_operator::server;
use clap::{Parser, Subcommand};
use futures::future::join_all;
use k8s_openapi::api::coordination::v1::Lease;
use kube::runtime::events::{Recorder, Reporter};
use kube::{Api, Client};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tracing_subscriber::EnvFilter;

/// How long and how often `check` asks.
const CHECKED_FOR: Duration = Duration::from_secs(30);
const CHECKED_EVERY: Duration = Duration::from_secs(1);

/// Brings BigTix resources about on Kubernetes and keeps them so.
#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// Namespace that the operator itself runs in.
    #[arg(long, env = "POD_NAMESPACE", default_value = "bigtix-system")]
    namespace: String,
    /// What tells this operator from others that want the lease.
    #[arg(long, env = "POD_NAME", default_value = "bigtix-operator")]
    identity: String,
    /// Namespaces to look after, separated by commas; none means all.
    #[arg(long, env = "WATCH_NAMESPACES", value_delimiter = ',')]
    watch_namespaces: Vec<String>,
    /// Name of the lease.
    #[arg(long, env = "LEASE_NAME", default_value = "bigtix-operator")]
    lease: String,
    /// Where /livez, /readyz and /metrics are served.
    #[arg(long, env = "LISTEN", default_value = "0.0.0.0:8080")]
    listen: SocketAddr,
    /// The operator's own image, which the Jobs of backups and restores run.
    #[arg(long, env = "OPERATOR_IMAGE")]
    image: Option<String>,
    /// What is logged, as a tracing filter.
    #[arg(long, env = "LOG", default_value = "info,kube_client=warn")]
    log: String,
}

#[derive(Subcommand)]
enum Command {
    /// Prints the definitions of the resources.
    Crd,
    /// What a Job of a BigTixBackup or BigTixRestore does.
    Backup(program::Arguments),
    /// Asks a URL until it answers 200, for half a minute at most.
    Check {
        /// The URL.
        url: String,
    },
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    // The process has one TLS implementation, whichever library asks first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match &arguments.command {
        Some(Command::Crd) => {
            let definitions = bigtix_crds::crd::definitions();
            print!(
                "{}",
                definitions.each_ref().map(bigtix_crds::crd::yaml).join("---\n")
            );
            Ok(())
        }
        Some(Command::Backup(work)) => {
            log(&arguments.log)?;
            program::run(work).await
        }
        Some(Command::Check { url }) => check_for_a_while(url).await,
        None => operate(&arguments).await,
    }
}

/// The network of a pod that has just begun may not be complete yet, and an operator that has just begun not ready.
async fn check_for_a_while(url: &str) -> anyhow::Result<()> {
    let began = Instant::now();
    loop {
        match check(url).await {
            Err(error) if began.elapsed() < CHECKED_FOR => {
                eprintln!("not yet: {error:#}");
                tokio::time::sleep(CHECKED_EVERY).await;
            }
            outcome => return outcome,
        }
    }
}

async fn check(url: &str) -> anyhow::Result<()> {
    let answer = reqwest::get(url)
        .await
        .with_context(|| format!("{url} does not answer"))?;
    anyhow::ensure!(answer.status().is_success(), "{url} answers {}", answer.status());
    Ok(())
}

/// Lines of JSON on standard error.
fn log(filter: &str) -> anyhow::Result<()> {
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_env_filter(EnvFilter::try_new(filter).context("LOG is no filter")?)
        .with_writer(std::io::stderr)
        .init();
    Ok(())
}

/// Waits for the lease, and works as long as it is held.
async fn operate(arguments: &Arguments) -> anyhow::Result<()> {
    log(&arguments.log)?;
    let is_ready = Arc::new(AtomicBool::new(false));
    let serving = tokio::spawn(server::serve(
        arguments.listen,
        server::metrics()?,
        is_ready.clone(),
    ));
    let client = Client::try_default().await.context("no cluster is configured")?;
    client
        .apiserver_version()
        .await
        .context("the cluster does not answer")?;
    let scraper = Scraper::new().context("pods cannot be asked for metrics")?;
    is_ready.store(true, Ordering::Release);

    let candidate = Candidate {
        api: Api::<Lease>::namespaced(client.clone(), &arguments.namespace),
        lease: arguments.lease.clone(),
        identity: arguments.identity.clone(),
    };
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        () = candidate.win() => tracing::info!(identity = arguments.identity, "the lease is ours"),
        _ = terminate.recv() => return Ok(()),
        _ = interrupt.recv() => return Ok(()),
        outcome = serving => return outcome?,
    }
    let (stop, _) = watch::channel(false);
    let work = work(client, arguments, scraper, &stop);
    tokio::pin!(work);
    let lost = tokio::select! {
        () = candidate.hold() => true,
        () = &mut work => false,
        _ = terminate.recv() => false,
        _ = interrupt.recv() => false,
    };
    // Somebody else may begin any moment: there is no time to finish anything.
    anyhow::ensure!(!lost, "the lease is lost");
    let _ = stop.send(true);
    work.await;
    candidate
        .release()
        .await
        .context("the lease could not be released")
}

async fn work(client: Client, arguments: &Arguments, scraper: Scraper, stop: &watch::Sender<bool>) {
    let databases = Databases::default();
    let reporter = Reporter {
        controller: MANAGER.to_owned(),
        instance: Some(arguments.identity.clone()),
    };
    let requests = Arc::new(backups::Context::new(
        client.clone(),
        Program {
            image: arguments.image.clone(),
            operator_namespace: arguments.namespace.clone(),
        },
        Recorder::new(client.clone(), reporter.clone()),
    ));
    let context = Arc::new(Context::new(
        Observer {
            client: client.clone(),
            databases: databases.clone(),
            scraper,
            operator_namespace: arguments.namespace.clone(),
        },
        Applier {
            client: client.clone(),
            databases,
        },
        Recorder::new(client.clone(), reporter),
    ));
    let stopped = || {
        let mut stop = stop.subscribe();
        async move {
            let _ = stop.wait_for(|stop| *stop).await;
        }
    };
    let namespaces: Vec<Option<&str>> = if arguments.watch_namespaces.is_empty() {
        vec![None]
    } else {
        arguments
            .watch_namespaces
            .iter()
            .map(|namespace| Some(namespace.as_str()))
            .collect()
    };
    let loops = namespaces.into_iter().map(|namespace| {
        let shops = controller::run(client.clone(), namespace, context.clone(), stopped());
        let requests = backups::run(client.clone(), namespace, requests.clone(), stopped);
        async { tokio::join!(shops, requests) }
    });
    join_all(loops).await;
}
