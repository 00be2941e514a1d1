//! A whole run: which scenarios, in which order, beside which baselines.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use bigtix_contracts::TicketId;
use bigtix_contracts::api::tickets::Event;
use bigtix_testkit::stores::HeldPort;
use bigtix_testkit::stripe::Options;

use super::baselines::{BareInserts, charge, echo};
use super::buyers::Market;
use super::cage::Cage;
use super::load::Tally;
use super::machine::resident_megabytes;
use super::overload;
use super::quiet::come_to_rest;
use super::report::{Figure, Report, Rounds};
use super::reservations::{be_refused, catch_up, read_back, reserve};
use super::sales::{View, complete, look};
use super::servers::{Running, Server};
use crate::shop::{Launch, Mode, SERVICES, Shop};

/// Longer than a run, so that no reservation ends while it is measured.
const SETTINGS: [(&str, &str); 2] = [
    ("spec.reservationSeconds", "86400"),
    ("spec.maxHeldTicketsPerUser", "10000"),
];
/// How long a shop is left alone before its memory counts as idle.
const LEFT_ALONE: Duration = Duration::from_secs(5);
/// More tickets than a warm-up says will be needed.
const RESERVE: f64 = 1.6;
/// What all services together have of a processor while they are overloaded, so that the load can be made beside them.
const SHARE: f64 = 0.5;
/// How many times what they can do is asked for then.
const OVERLOAD: f64 = 10.0;
/// For how many times as long as other scenarios are measured.
const OVERLOADED_FOR: u32 = 12;

/// What to measure.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The program `bigtix`.
    pub program: PathBuf,
    /// Its data folder; one from an earlier run is found again.
    pub data: PathBuf,
    /// How many clients at once.
    pub clients: usize,
    /// How many distinct buyers.
    pub buyers: usize,
    /// How often each scenario is measured.
    pub rounds: usize,
    /// For how long each time.
    pub duration: Duration,
    /// Only these scenarios; all if empty.
    pub only: Vec<String>,
}

impl Plan {
    fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == name)
    }

    fn wants_under_load(&self) -> bool {
        self.only.is_empty()
            || self
                .only
                .iter()
                .any(|only| only != "overload" && only != "up_ready")
    }
}

/// Measures.
///
/// # Errors
/// When the shop does not start, or anything goes wrong while it is measured.
pub async fn run(plan: &Plan) -> Result<Report> {
    let mut report = Report::default();
    if plan.wants_under_load() {
        let subject = start(plan, Mode::OneProcess)?;
        let measured = under_load(plan, &subject, &mut report).await;
        subject.shop.stop().await;
        measured?;
    }
    at_rest(plan, &mut report).await?;
    if plan.wants("overload") {
        let subject = start(plan, Mode::Separate { instances: 1 })?;
        let measured = past_capacity(plan, &subject.shop, &mut report).await;
        subject.shop.stop().await;
        measured?;
    }
    Ok(report)
}

/// A shop, and the double of Stripe that it charges. The shop's own double is made for trying out, not for load.
struct Subject {
    shop: Shop,
    stripe: Running,
}

fn start(plan: &Plan, mode: Mode) -> Result<Subject> {
    let held = HeldPort::find().context("a port for the shop")?;
    let port = held.number();
    let stripe = Running::start(&Server::Stripe {
        webhook: format!("http://127.0.0.1:{port}/api/webhooks/stripe"),
    })?;
    let account = Options::default();
    let api_url = format!("http://{}", stripe.address);
    let mut settings = SETTINGS.to_vec();
    settings.extend([
        ("spec.payments.secretName", "stripe"),
        ("spec.payments.apiURL", &api_url),
    ]);
    let shop = Shop::launch(&Launch {
        program: &plan.program,
        folder: &plan.data,
        port,
        mode,
        settings: &settings,
        env: &[
            ("STRIPE_SECRET_KEY", &account.secret_key),
            ("STRIPE_WEBHOOK_SECRET", &account.webhook_secret),
        ],
    })?;
    let (url, took) = (&shop.run().url, shop.ready_after().as_secs_f64());
    println!("{url} is ready after {took:.2} s");
    Ok(Subject { shop, stripe })
}

async fn under_load(plan: &Plan, subject: &Subject, report: &mut Report) -> Result<()> {
    let Subject { shop, stripe } = subject;
    let market = Market::open(shop, plan.buyers).await?;
    let inserts = BareInserts::prepare(&shop.run().mongodb.uri).await?;
    let echo = Running::start(&Server::Echo)?;
    let bench = Bench {
        plan,
        shop,
        stripe,
        market,
        inserts,
        echo,
    };
    let mut figures = Figures::default();
    for round in 1..=plan.rounds {
        println!("round {round} of {}", plan.rounds);
        bench.round(&mut figures).await?;
    }
    report.add("reserve_hot", figures.reserve_hot.figure("1/s"));
    report.add("copies_caught_up", figures.caught_up.figure("ms"));
    report.add("refuse", figures.refuse.figure("1/s"));
    report.add("complete", figures.complete.figure("1/s"));
    report.add("ticket_get", figures.ticket_get.figure("1/s"));
    report.add("ticket_page", figures.ticket_page.figure("1/s"));
    if plan.wants("idle_memory") {
        let mut memory = Rounds::default();
        memory.add_value(resident_megabytes(shop.run().pid)?);
        report.add("memory_after_load", memory.figure("MB"));
    }
    Ok(())
}

#[derive(Default)]
struct Figures {
    reserve_hot: Rounds,
    caught_up: Rounds,
    refuse: Rounds,
    complete: Rounds,
    ticket_get: Rounds,
    ticket_page: Rounds,
}

struct Bench<'a> {
    plan: &'a Plan,
    shop: &'a Shop,
    stripe: &'a Running,
    market: Market,
    inserts: BareInserts,
    echo: Running,
}

impl Bench<'_> {
    async fn round(&self, figures: &mut Figures) -> Result<()> {
        let Plan {
            clients, duration, ..
        } = *self.plan;
        if self.plan.wants("reserve_hot") {
            let baseline = self.inserts.rate(duration).await?;
            let (tally, caught_up) = self.reserve_hot().await?;
            said("reserve_hot", &tally, baseline);
            figures.reserve_hot.add("reserve_hot", &tally, baseline)?;
            figures.caught_up.add_value(caught_up.as_secs_f64() * 1000.0);
        }
        if self.plan.wants("refuse") {
            let baseline = echo(self.echo.address, clients, duration).await?;
            let tally = self.refuse().await?;
            said("refuse", &tally, baseline);
            figures.refuse.add("refuse", &tally, baseline)?;
        }
        if self.plan.wants("complete") {
            let baseline = charge(self.stripe.address, clients, duration).await?;
            let tally = self.complete().await?;
            said("complete", &tally, baseline);
            figures.complete.add("complete", &tally, baseline)?;
        }
        let views = [
            ("ticket_get", View::Api, &mut figures.ticket_get),
            ("ticket_page", View::Page, &mut figures.ticket_page),
        ];
        for (name, view, figure) in views {
            if self.plan.wants(name) {
                let baseline = echo(self.echo.address, clients, duration).await?;
                let (_, tickets) = self.stock("Look", 2000).await?;
                let tally = look(&self.market, clients, view, &tickets, duration).await;
                said(name, &tally, baseline);
                figure.add(name, &tally, baseline)?;
            }
        }
        Ok(())
    }

    /// An event with so many tickets, once the whole shop knows of them.
    async fn stock(&self, title: &str, quantity: usize) -> Result<(Event, Vec<TicketId>)> {
        let stock = self.market.stock(title, quantity).await?;
        come_to_rest(self.shop).await?;
        Ok(stock)
    }

    /// How many tickets a round will need, found out in a second.
    async fn needed(&self, sample: usize, rate: impl AsyncFnOnce(Vec<TicketId>) -> Tally) -> Result<usize> {
        let (_, tickets) = self.stock("Warm-up", sample).await?;
        let tally = rate(tickets).await;
        let needed = tally.rate() * self.plan.duration.as_secs_f64() * RESERVE;
        ensure!(
            needed >= 1.0,
            "nothing was done in the warm-up: {:?}",
            tally.first_failure
        );
        Ok(needed.ceil() as usize + self.plan.clients)
    }

    async fn reserve_hot(&self) -> Result<(Tally, Duration)> {
        let Plan {
            clients, duration, ..
        } = *self.plan;
        let second = Duration::from_secs(1);
        let warm_up = async |tickets: Vec<_>| reserve(&self.market, clients, &tickets, second).await.1;
        let needed = self.needed(10_000, warm_up).await?;
        let (event, tickets) = self.stock("Hot", needed).await?;
        let (placed, tally) = reserve(&self.market, clients, &tickets, duration).await;
        let last = Instant::now();
        let caught_up = catch_up(&self.market, &event, &placed, last).await?;
        read_back(&self.market, clients, &placed).await?;
        Ok((tally, caught_up))
    }

    async fn refuse(&self) -> Result<Tally> {
        let Plan {
            clients, duration, ..
        } = *self.plan;
        let (_, tickets) = self.stock("Taken", 1).await?;
        let (placed, _) = reserve(&self.market, 1, &tickets, duration).await;
        let taken = placed.first().context("the ticket could not be reserved")?;
        Ok(be_refused(&self.market, clients, taken.ticket, duration).await)
    }

    async fn complete(&self) -> Result<Tally> {
        let Plan {
            clients, duration, ..
        } = *self.plan;
        let second = Duration::from_secs(1);
        let warm_up = async |tickets: Vec<_>| complete(&self.market, clients, &tickets, second).await;
        let needed = self.needed(2000, warm_up).await?;
        let (_, tickets) = self.stock("Paid", needed).await?;
        Ok(complete(&self.market, clients, &tickets, duration).await)
    }
}

fn said(name: &str, tally: &Tally, baseline: f64) {
    println!("  {name}: {:.0}/s beside {baseline:.0}/s", tally.rate());
}

/// Starts with the data of the run, and memory while nobody asks for anything.
async fn at_rest(plan: &Plan, report: &mut Report) -> Result<()> {
    let (mut ready, mut idle) = (Rounds::default(), Rounds::default());
    for _ in 0..plan.rounds {
        if !plan.wants("up_ready") && !plan.wants("idle_memory") {
            break;
        }
        let Subject { shop, stripe } = start(plan, Mode::OneProcess)?;
        ready.add_value(shop.ready_after().as_secs_f64());
        tokio::time::sleep(LEFT_ALONE).await;
        let resident = resident_megabytes(shop.run().pid);
        shop.stop().await;
        drop(stripe);
        idle.add_value(resident?);
    }
    if plan.wants("up_ready") {
        report.add("up_ready", ready.figure("s"));
    }
    if plan.wants("idle_memory") {
        report.add("idle_memory", idle.figure("MB"));
    }
    Ok(())
}

/// What becomes of ten times as many buyers as can be served.
async fn past_capacity(plan: &Plan, shop: &Shop, report: &mut Report) -> Result<()> {
    let market = Market::open(shop, plan.buyers).await?;
    let processes: Vec<u32> = SERVICES
        .iter()
        .flat_map(|service| shop.service_pids(service))
        .collect();
    let stock = async |quantity: usize| {
        let stock = market.stock("Rush", quantity).await?;
        come_to_rest(shop).await.map(|()| stock.1)
    };
    // What the whole machine sells in the time is more than a part of it will.
    let tickets = stock(2000).await?;
    let cage = Cage::hold(&processes, SHARE)?;
    let peak = overload::closed(&market, plan.clients / 2, &tickets, plan.duration).await?;
    drop(cage);
    let duration = plan.duration * OVERLOADED_FOR;
    let needed = peak.rate() * duration.as_secs_f64() * RESERVE;
    let tickets = stock(needed.ceil() as usize + plan.clients).await?;
    let cage = Cage::hold(&processes, SHARE)?;
    let rush = overload::open(&market, peak.rate() * OVERLOAD, &tickets, duration).await?;
    drop(cage);
    println!(
        "  {} bought, {} refused, {} payments asked for again",
        rush.bought, rush.refused, rush.payments_again
    );
    let figure = |name, value, unit, baseline| (name, Some(Figure::beside(value, unit, baseline)));
    for (name, figure) in [
        figure("overload", rush.rate(), "1/s", Some(peak.rate())),
        figure(
            "overload_purchase_p99",
            rush.p99_of_purchase(),
            "ms",
            Some(peak.p99_of_purchase()),
        ),
        figure(
            "overload_refusal_p99",
            overload::Tally::p99(&rush.refusing),
            "ms",
            None,
        ),
    ] {
        report.add(name, figure);
    }
    Ok(())
}

/// The program beside this one.
///
/// # Errors
/// When it is not built.
pub fn program_beside() -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    let beside = own.parent().map(|folder| folder.join("bigtix"));
    beside.filter(|path| path.is_file()).context(
        "the program `bigtix` is not built: run `make bench`, or `cargo build --release -p bigtix` first",
    )
}

/// Where figures and data are kept: `bench` in the folder of everything that is built.
pub fn default_folder(program: &Path) -> PathBuf {
    let built = program.ancestors().nth(2).unwrap_or(Path::new("target"));
    built.join("bench")
}
