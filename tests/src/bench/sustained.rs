//! Buyers who come at a constant rate for minutes, and how far the copies are behind meanwhile.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use anyhow::{Context, Result};
use bigtix_contracts::ErrorCode;
use futures::StreamExt;
use futures::future::join;
use futures::stream::FuturesUnordered;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::baselines::BareInserts;
use super::report::Report;
use super::reservations::reserve;
use super::run::Plan;
use super::scenario::Scenario;
use super::seeding::seed;
use crate::load::audit::{Answers, Claim};
use crate::load::books::{settle_well, wait_until_shown};
use crate::load::drive::{Arrivals, Load};
use crate::load::market::Market;
use crate::load::shopping::Pick;
use crate::load::subject::Subject;

/// Buyers on their way at once; whoever is due when all are has to wait, and that counts.
const AT_ONCE: usize = 3000;
/// For how long the baseline is measured.
const BASELINE: Duration = Duration::from_secs(5);
/// How often one of the newest orders is followed into the copy.
const SAMPLE: Duration = Duration::from_secs(1);
/// How often the copy is looked at for it: seldom, because several are followed at once when it is behind.
const LOOK: Duration = Duration::from_millis(100);
/// A copy that is behind by more is not waited for.
const PATIENCE: Duration = Duration::from_secs(600);

/// Measures.
///
/// # Errors
/// When anything else than a refusal comes of a reservation, or a promise is not kept.
pub async fn sustain(plan: &Plan, subject: &Subject, report: &mut Report) -> Result<()> {
    let market = subject.market(plan.buyers).await?;
    let inserts = BareInserts::prepare(&subject.shop.run().mongodb.uri).await?;
    let baseline = inserts.rate(BASELINE).await?;
    let quantity = (plan.per_second * plan.sustained.as_secs_f64()).ceil() as usize;
    let offers = [seed(&market, &subject.shop, "Sustained", quantity).await?];
    let load = Load {
        edge: &market.edge,
        arrivals: Arrivals::Rate {
            per_second: plan.per_second,
            at_once: AT_ONCE,
        },
        duration: plan.sustained,
        progress: Some(Scenario::Sustained.name()),
    };
    let answers = RefCell::default();
    let is_over = Cell::new(false);
    let visits = async {
        let expected = [ErrorCode::Unavailable];
        let tally = reserve(&market, &load, &offers, Pick::Ticket, &expected, &answers).await;
        is_over.set(true);
        (tally, Instant::now())
    };
    let ((tally, over), lag) = join(visits, longest_lag(&market, &answers, &is_over)).await;
    let lag = lag?;
    let answers = answers.into_inner().pop().context("what was answered")?;
    let caught_up = settle_well(&market, offers[0].event.id, &answers, over).await?;
    eprintln!(
        "  {} refused; the copy was behind by at most {:.1} s, and caught up after {:.1} s",
        tally.refusals(),
        lag.as_secs_f64(),
        caught_up.as_secs_f64()
    );
    report.add_round(Scenario::Sustained.name(), &tally, baseline)?;
    report.add_value("sustained_refused", "", tally.refusals() as f64, None);
    report.add_value("sustained_lag", "s", lag.as_secs_f64(), None);
    Ok(())
}

/// Follows the newest order of each second into the tickets service's copy, and says how long the longest was not there.
async fn longest_lag(
    market: &Market,
    answers: &RefCell<Vec<Answers>>,
    is_over: &Cell<bool>,
) -> Result<Duration> {
    let mut seconds = interval_at(Instant::now() + SAMPLE, SAMPLE);
    seconds.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut followed = FuturesUnordered::new();
    let mut longest = Duration::ZERO;
    let follow = async |claim: Claim, since: Instant| {
        let shown = wait_until_shown(market, &claim, since, LOOK, PATIENCE).await?;
        anyhow::Ok(shown.unwrap_or(PATIENCE))
    };
    loop {
        tokio::select! {
            since = seconds.tick(), if !is_over.get() => {
                let newest = answers.borrow().first().and_then(|answers| answers.claims.last().copied());
                if let Some(claim) = newest {
                    followed.push(follow(claim, since));
                }
            }
            Some(lag) = followed.next() => longest = longest.max(lag?),
            else => return Ok(longest),
        }
    }
}
