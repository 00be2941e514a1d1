//! Scenarios that a shop with everything in one process goes through, one after the other.

use std::cell::RefCell;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::sync::OnceCell;
use tokio::time::Instant;

use super::baselines::{BareInserts, charge, echo, hash};
use super::report::Report;
use super::reservations::{be_refused, reserve};
use super::run::Plan;
use super::scenario::{Scenario, Stage};
use super::views::{People, View, complete, look};
use crate::load::books::settle_well;
use crate::load::drive::Load;
use crate::load::machine::resident_megabytes;
use crate::load::market::{Market, Offer};
use crate::load::quiet::come_to_rest;
use crate::load::servers::{Running, Server};
use crate::load::shopping::Pick;
use crate::load::subject::Subject;
use crate::load::tally::Tally;

/// More tickets than a warm-up says will be needed.
const RESERVE: f64 = 1.6;
/// How long a warm-up takes.
const WARM_UP: Duration = Duration::from_secs(1);
/// How many tickets a warm-up has.
const SAMPLE: usize = 10_000;
/// Over how many events a load is spread.
const EVENTS: usize = 20;
/// Clients of the scenario that has more of them than the others.
const CROWD: usize = 256;
/// How many tickets are looked at.
const LOOKED_AT: usize = 2000;

/// A shop, and what it stands beside.
pub struct UnderLoad<'a> {
    plan: &'a Plan,
    subject: &'a Subject,
    market: Market,
    inserts: BareInserts,
    echo: Running,
    people: OnceCell<People>,
}

impl<'a> UnderLoad<'a> {
    /// Prepares what all scenarios need.
    ///
    /// # Errors
    /// When the shop or its store refuses it.
    pub async fn prepare(plan: &'a Plan, subject: &'a Subject) -> Result<Self> {
        Ok(Self {
            plan,
            subject,
            market: subject.market(plan.buyers).await?,
            inserts: BareInserts::prepare(&subject.shop.run().mongodb.uri).await?,
            echo: Running::start(&Server::Echo)?,
            people: OnceCell::new(),
        })
    }

    /// Measures each scenario once.
    ///
    /// # Errors
    /// When anything goes wrong in one.
    pub async fn round(&self, report: &mut Report) -> Result<()> {
        let under_load = |scenario: &Scenario| scenario.stage() == Stage::UnderLoad;
        for scenario in self.plan.scenarios.iter().copied().filter(under_load) {
            self.measure(scenario, report)
                .await
                .with_context(|| format!("measuring {scenario}"))?;
        }
        Ok(())
    }

    async fn measure(&self, scenario: Scenario, report: &mut Report) -> Result<()> {
        let Plan {
            clients, duration, ..
        } = *self.plan;
        let name = scenario.name();
        match scenario {
            Scenario::ReserveHot => {
                let caught_up = self.reserve(name, clients, 1, Pick::Ticket, report).await?;
                let behind = caught_up.as_secs_f64() * 1000.0;
                report.add_value(Scenario::CopiesCaughtUp.name(), "ms", behind, None);
                Ok(())
            }
            Scenario::ReserveSpread => self.reserve_spread(name, report).await,
            Scenario::ReserveAny => {
                let reserved = self.reserve(name, clients, EVENTS, Pick::Any, report);
                reserved.await.map(drop)
            }
            Scenario::Reserve256 => {
                let reserved = self.reserve(name, CROWD, 1, Pick::Ticket, report);
                reserved.await.map(drop)
            }
            Scenario::Refuse => {
                let baseline = echo(self.echo.address, clients, duration).await?;
                report.add_round(name, &self.refuse().await?, baseline)
            }
            Scenario::Complete => {
                let baseline = charge(self.subject.stripe.address, clients, duration).await?;
                report.add_round(name, &self.complete().await?, baseline)
            }
            Scenario::TicketGet => self.look(name, View::Ticket, report).await,
            Scenario::TicketPage => self.look(name, View::Page, report).await,
            Scenario::List => self.look(name, View::List, report).await,
            Scenario::Search => self.look(name, View::Search, report).await,
            Scenario::Signin => {
                let baseline = hash(duration).await?;
                let signed_up = || People::sign_up(&self.market, clients);
                let people = self.people.get_or_try_init(signed_up).await?;
                report.add_round(name, &people.sign_in(&self.market, duration).await, baseline)
            }
            Scenario::LoadedMemory => {
                let resident = resident_megabytes(self.subject.shop.run().pid)?;
                report.add_value(name, "MB", resident, None);
                Ok(())
            }
            // It is told with the reservations.
            Scenario::CopiesCaughtUp => Ok(()),
            Scenario::UpReady | Scenario::IdleMemory | Scenario::Overload | Scenario::Sustained => Ok(()),
        }
    }

    /// So many events with so many tickets together, once the whole shop knows of them.
    async fn stock(&self, title: &str, quantity: usize, events: usize) -> Result<Vec<Offer>> {
        let offers = self.market.stock_events(title, quantity, events).await?;
        come_to_rest(&self.subject.shop).await?;
        Ok(offers)
    }

    async fn one_offer(&self, title: &str, quantity: usize) -> Result<Offer> {
        let mut offers = self.stock(title, quantity, 1).await?;
        offers.pop().context("an event")
    }

    /// How many tickets a round will need, by what a warm-up did.
    fn needed(&self, warm_up: &Tally) -> Result<usize> {
        warm_up.flawless().context("the warm-up")?;
        let needed = warm_up.rate() * self.plan.duration.as_secs_f64() * RESERVE;
        ensure!(needed >= 1.0, "nothing was done in the warm-up");
        Ok(needed.ceil() as usize + CROWD)
    }

    /// Reserves tickets of many events.
    pub(super) async fn reserve_spread(&self, name: &'static str, report: &mut Report) -> Result<()> {
        let reserved = self.reserve(name, self.plan.clients, EVENTS, Pick::Ticket, report);
        reserved.await.map(drop)
    }

    /// Reserves tickets of so many events, and says how long the copies were behind afterwards.
    async fn reserve(
        &self,
        name: &'static str,
        clients: usize,
        events: usize,
        pick: Pick,
        report: &mut Report,
    ) -> Result<Duration> {
        let baseline = self.inserts.rate(self.plan.duration).await?;
        let load = |duration| Load::of_clients(&self.market.edge, clients, duration);
        let offers = self.stock("Warm-up", SAMPLE, events).await?;
        let answers = RefCell::default();
        let warm_up = reserve(&self.market, &load(WARM_UP), &offers, pick, &[], &answers).await;
        let offers = self.stock("Rush", self.needed(&warm_up)?, events).await?;
        let answers = RefCell::default();
        let load = load(self.plan.duration);
        let tally = reserve(&self.market, &load, &offers, pick, &[], &answers).await;
        let over = Instant::now();
        // The first one's: of the others it would be how long those before them were read back for.
        let mut caught_up = None;
        for (offer, answers) in offers.iter().zip(answers.into_inner()) {
            let behind = settle_well(&self.market, offer.event.id, &answers, over).await?;
            caught_up.get_or_insert(behind);
        }
        report.add_round(name, &tally, baseline)?;
        Ok(caught_up.unwrap_or_default())
    }

    async fn refuse(&self) -> Result<Tally> {
        let Plan {
            clients, duration, ..
        } = *self.plan;
        let offer = self.one_offer("Taken", 1).await?;
        let answers = RefCell::default();
        let load = Load::of_clients(&self.market.edge, 1, duration);
        let offers = [offer];
        let tally = reserve(&self.market, &load, &offers, Pick::Ticket, &[], &answers).await;
        tally.flawless().context("taking the ticket")?;
        let [Offer { tickets, .. }] = &offers;
        let taken = tickets.first().context("a ticket")?;
        Ok(be_refused(&self.market, clients, *taken, duration).await)
    }

    async fn complete(&self) -> Result<Tally> {
        let Plan {
            clients, duration, ..
        } = *self.plan;
        let sample = self.one_offer("Warm-up", 2000).await?;
        let warm_up = complete(&self.market, clients, &sample.tickets, WARM_UP).await;
        let offer = self.one_offer("Paid", self.needed(&warm_up)?).await?;
        Ok(complete(&self.market, clients, &offer.tickets, duration).await)
    }

    async fn look(&self, name: &'static str, view: View, report: &mut Report) -> Result<()> {
        let Plan {
            clients, duration, ..
        } = *self.plan;
        let baseline = echo(self.echo.address, clients, duration).await?;
        let offer = self.one_offer("Look", LOOKED_AT).await?;
        let paths = view.paths(&self.market, &offer).await?;
        let load = Load::of_clients(&self.market.edge, clients, duration);
        let tally = look(&load, &paths).await;
        report.add_round(name, &tally, baseline)
    }
}
