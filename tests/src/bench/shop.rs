//! The shop that is measured: a release build in a process of its own, with its data on a disk.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use bigtix_contracts::UserId;
use bigtix_service::Secret;
use bigtix_service::http::keys::KeyRing;
use bigtix_service::http::session::Caller;
use bigtix_service::mongo::new_id;
use bigtix_testkit::stores::free_port;
use bigtix_testkit::stripe::{Options, Running, StripeDouble};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::Plan;
use super::report::Figure;
use super::wire::{Connection, Request};

const START: Duration = Duration::from_secs(30);
/// How long a shop is left alone before its memory is read.
const IDLE: Duration = Duration::from_secs(3);
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// A running shop.
pub(super) struct BenchShop {
    program: PathBuf,
    folder: PathBuf,
    run: Value,
    keys: KeyRing,
    ready_after: Duration,
}

/// The project's own Stripe; the one of the shop on one machine is written in Python and would be what is measured.
pub(super) async fn stripe_double() -> Result<Running> {
    StripeDouble::start(Options::default())
        .await
        .context("cannot start the Stripe double")
}

impl BenchShop {
    pub(super) async fn start(plan: &Plan, stripe: &Running) -> Result<Self> {
        ensure!(
            plan.program.exists(),
            "{} is missing: cargo build --release -p bigtix",
            plan.program.display()
        );
        fs::create_dir_all(&plan.folder)?;
        let folder = plan.folder.join("data");
        let began = Instant::now();
        let log = fs::File::create(plan.folder.join("shop.log"))?;
        let status = Command::new(&plan.program)
            .args(["up", "--detach", "--data"])
            .arg(&folder)
            .args(["--port", &free_port()?.to_string()])
            .args([
                "--set",
                "spec.payments.secretName=stripe",
                "--set",
                &format!("spec.payments.apiURL={}", stripe.url),
            ])
            .args(["--set", "spec.maxHeldTicketsPerUser=100"])
            .env("STRIPE_SECRET_KEY", &stripe.secret_key)
            .env("STRIPE_WEBHOOK_SECRET", &stripe.webhook_secret)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .status()?;
        ensure!(
            status.success(),
            "the shop did not start; see {}",
            plan.folder.join("shop.log").display()
        );
        let run = read_run(&folder, began)?;
        let ready_after = began.elapsed();
        let keys: Vec<Value> = serde_json::from_slice(&fs::read(folder.join("session-keys.json"))?)?;
        let spelled = keys
            .iter()
            .filter_map(|key| Some(format!("{}:{}", key["id"].as_str()?, key["base64"].as_str()?)));
        let keys = KeyRing::parse(&Secret::new(spelled.collect::<Vec<_>>().join(",")))?;
        Ok(Self {
            program: plan.program.clone(),
            folder,
            run,
            keys,
            ready_after,
        })
    }

    pub(super) fn ready_after(&self) -> Duration {
        self.ready_after
    }

    /// `host:port` of the edge.
    pub(super) fn address(&self) -> &str {
        self.run["url"]
            .as_str()
            .unwrap_or_default()
            .trim_start_matches("http://")
    }

    /// The store's address, with the administrator's password.
    pub(super) fn mongodb_uri(&self) -> &str {
        self.run["mongodb"]["uri"].as_str().unwrap_or_default()
    }

    /// A session of somebody who has never been here.
    pub(super) fn token(&self) -> Result<String> {
        let id = UserId::from_bytes(new_id());
        let now = Timestamp::now().as_second();
        let email = format!("{id}@example.com");
        Ok(self.keys.sign(&Caller {
            id,
            email,
            iat: now,
            exp: Some(now + 36_000),
            admin: false,
        })?)
    }

    /// Sessions of `count` people.
    pub(super) fn tokens(&self, count: usize) -> Result<Vec<String>> {
        (0..count).map(|_| self.token()).collect()
    }

    /// Asks once, and wants `status`.
    pub(super) async fn ask(&self, request: &Request, status: u16) -> Result<Value> {
        let answer = Connection::open(self.address()).await?.ask(request).await?;
        let body = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
        ensure!(
            answer.status == status,
            "wanted {status}, got {}: {body}",
            answer.status
        );
        Ok(body)
    }

    /// Lists `count` tickets of a new event; returns the event's id and theirs.
    pub(super) async fn list(&self, count: usize) -> Result<(String, Vec<String>)> {
        let seller = self.token()?;
        let event = json!({
            "title": "On sale", "venue": "Town Hall", "city": "Springfield", "startsAt": "2030-01-01T20:00:00Z",
            "timeZone": "UTC",
        });
        let event = self
            .ask(&Request::post("/api/events", &seller, &event.to_string()), 201)
            .await?;
        let event = event["id"].as_str().context("an event without id")?.to_owned();
        let mut ids = Vec::with_capacity(count);
        while ids.len() < count {
            let quantity = (count - ids.len()).min(1000);
            let body = json!({"title": "Seat", "price": 19.99, "eventId": event, "quantity": quantity});
            let made = self
                .ask(&Request::post("/api/tickets", &seller, &body.to_string()), 201)
                .await?;
            let made = made.as_array().context("no array of tickets")?;
            ids.extend(
                made.iter()
                    .filter_map(|ticket| ticket["id"].as_str().map(str::to_owned)),
            );
        }
        Ok((event, ids))
    }

    /// What the shop's own process takes when nobody asks anything.
    pub(super) async fn idle_memory(&self) -> Result<Figure> {
        tokio::time::sleep(IDLE).await;
        let pid = self.run["pid"].as_u64().context("run.json names no process")?;
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        let line = status
            .lines()
            .find(|line| line.starts_with("VmRSS:"))
            .context("no VmRSS")?;
        let kilobytes: f64 = line.split_whitespace().nth(1).context("no VmRSS")?.parse()?;
        Ok(Figure::megabytes(kilobytes / 1024.0))
    }

    pub(super) fn stop(self) -> Result<()> {
        let status = Command::new(&self.program)
            .args(["down", "--data"])
            .arg(&self.folder)
            .stdout(Stdio::null())
            .status()?;
        ensure!(status.success(), "the shop did not stop");
        Ok(())
    }
}

impl Drop for BenchShop {
    fn drop(&mut self) {
        // After a clean stop there is nothing to stop any more, and it says so.
        let down = Command::new(&self.program)
            .args(["down", "--data"])
            .arg(&self.folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        if let Err(error) = down {
            eprintln!("the shop may still be running: {error}");
        }
    }
}

fn read_run(folder: &Path, began: Instant) -> Result<Value> {
    while began.elapsed() < START {
        if let Ok(text) = fs::read(folder.join("run.json")) {
            return Ok(serde_json::from_slice(&text)?);
        }
        std::thread::sleep(LOOK_AGAIN);
    }
    bail!("run.json did not appear")
}
