//! Making faults happen, and healing them.

mod bus_store;

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use bigtix_testkit::stripe::Fault as StripeFault;
use rustix::process::{Pid, Signal};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;

use self::bus_store::BusStore;
use super::schedule::{Disturbance, Fault, Link, Planned, Service};
use super::site::Site;
use crate::shop::RunFile;

/// How long a process may take to be there again.
const PATIENCE: Duration = Duration::from_secs(30);
const LOOK_AGAIN: Duration = Duration::from_millis(50);
const BETWEEN_KILLS: Duration = Duration::from_millis(250);
const AN_HOUR: i64 = 3_600;
/// How many requests to Stripe one trouble meets.
const TROUBLED: u32 = 4;
/// How long a connection without an answer is held: longer than payments waits.
const HELD: Duration = Duration::from_secs(12);

/// What has to be undone.
enum Undo {
    Nothing,
    Connections(Vec<Link>),
    Continue(Vec<Pid>),
    ReplaceBusStore(BusStore),
    Clock,
    Disk,
    Stripe,
}

/// Lets one fault last as long as it is planned to.
///
/// # Errors
/// When it could not be made, or not be healed.
pub async fn strike(site: &Site, planned: &Planned) -> Result<()> {
    let until = Instant::now() + (planned.ends - planned.begins);
    let undo = begin(site, planned.fault, until).await?;
    tokio::time::sleep_until(until).await;
    heal(site, undo).await
}

async fn begin(site: &Site, fault: Fault, until: Instant) -> Result<Undo> {
    match fault {
        Fault::ServiceKilled(service) => {
            let pids = instances(&running(site).await?, service);
            signal(pids.first().copied(), Signal::KILL);
            Ok(Undo::Nothing)
        }
        Fault::RestartStorm(service) => {
            while Instant::now() < until {
                for pid in instances(&running(site).await?, service) {
                    signal(Some(pid), Signal::KILL);
                }
                tokio::time::sleep(BETWEEN_KILLS).await;
            }
            Ok(Undo::Nothing)
        }
        Fault::ServicePaused(service) => {
            let pids = instances(&running(site).await?, service);
            Ok(pause(pids.into_iter().take(1)))
        }
        Fault::BusPaused => Ok(pause([running(site).await?.nats.pid])),
        Fault::BusStopped => {
            // Its parent starts it again at once; nobody gets to it before the fault is over.
            let links: Vec<Link> = Service::ALL.map(Link::Bus).into();
            for link in &links {
                site.proxies[link].disturb(Disturbance::Cut);
            }
            signal(Some(running(site).await?.nats.pid), Signal::KILL);
            Ok(Undo::Connections(links))
        }
        Fault::BusWiped => {
            BusStore::of(site.folder()).wipe(running(site).await?.nats.pid)?;
            Ok(Undo::Nothing)
        }
        Fault::BusRolledBack => {
            let store = BusStore::of(site.folder());
            store.remember(running(site).await?.nats.pid)?;
            Ok(Undo::ReplaceBusStore(store))
        }
        Fault::RedisFlushed => {
            flush_redis(&running(site).await?.redis.url, &site.redis_password).await?;
            Ok(Undo::Nothing)
        }
        Fault::DatabaseKilled => {
            signal(Some(running(site).await?.mongodb.pid), Signal::KILL);
            Ok(Undo::Nothing)
        }
        Fault::DiskFull => {
            site.disk.as_ref().context("no small disk")?.fill()?;
            Ok(Undo::Disk)
        }
        Fault::Connection(link, disturbance) => {
            site.proxies[&link].disturb(disturbance);
            Ok(Undo::Connections(vec![link]))
        }
        Fault::ClockMoved { ahead } => {
            let seconds = if ahead { AN_HOUR } else { -AN_HOUR };
            site.clock.as_ref().context("no other clock")?.set(seconds)?;
            Ok(Undo::Clock)
        }
        Fault::StripeTroubled(operation, trouble) => {
            let fault = StripeFault::request(operation, trouble).times(TROUBLED);
            site.stripe.plan(fault.lasting(HELD));
            Ok(Undo::Stripe)
        }
        Fault::WebhooksTroubled(trouble) => {
            site.stripe.plan(StripeFault::webhook(trouble).times(TROUBLED));
            Ok(Undo::Stripe)
        }
    }
}

async fn heal(site: &Site, undo: Undo) -> Result<()> {
    match undo {
        Undo::Nothing => {}
        Undo::Connections(links) => {
            for link in links {
                site.proxies[&link].heal();
            }
        }
        Undo::Continue(pids) => {
            for pid in pids {
                // One that is gone needs no signal.
                let _ = rustix::process::kill_process(pid, Signal::CONT);
            }
        }
        Undo::ReplaceBusStore(store) => store.bring_back(running(site).await?.nats.pid)?,
        Undo::Clock => site.clock.as_ref().context("no other clock")?.set(0)?,
        Undo::Disk => site.disk.as_ref().context("no small disk")?.clear()?,
        Undo::Stripe => site.stripe.clear_plans(),
    }
    Ok(())
}

/// Where everything is, once nothing is being started again.
async fn running(site: &Site) -> Result<RunFile> {
    let began = Instant::now();
    loop {
        if let Some(run) = site.shop.last_run() {
            return Ok(run);
        }
        ensure!(
            began.elapsed() < PATIENCE,
            "run.json names no process for something within {PATIENCE:?}"
        );
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

fn instances(run: &RunFile, service: Service) -> Vec<u32> {
    let facts = run.services.get(service.as_str());
    facts
        .into_iter()
        .flat_map(|facts| &facts.instances)
        .map(|instance| instance.pid)
        .collect()
}

fn process(raw: u32) -> Option<Pid> {
    i32::try_from(raw).ok().and_then(Pid::from_raw)
}

/// One that has just died by itself needs no signal.
fn signal(pid: Option<u32>, signal: Signal) {
    if let Some(pid) = pid.and_then(process) {
        let _ = rustix::process::kill_process(pid, signal);
    }
}

fn pause(pids: impl IntoIterator<Item = u32>) -> Undo {
    let pids: Vec<Pid> = pids.into_iter().filter_map(process).collect();
    for pid in &pids {
        let _ = rustix::process::kill_process(*pid, Signal::STOP);
    }
    Undo::Continue(pids)
}

/// In Redis' own protocol.
async fn flush_redis(url: &str, password: &str) -> Result<()> {
    let url = url::Url::parse(url).context("Redis' address")?;
    let port = url.port().context("Redis' port")?;
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    let words = format!("AUTH {password}\r\nFLUSHALL\r\nQUIT\r\n");
    stream.write_all(words.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    ensure!(
        answer.matches("+OK").count() >= 2,
        "Redis did not forget: {answer:?}"
    );
    Ok(())
}
