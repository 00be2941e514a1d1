//! What visitors do in each scenario, and what they remember of it.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use anyhow::{Context, Result};
use bigtix_contracts::{ErrorCode, TicketId};
use bigtix_tests::load::audit::{Answers, Breach, Claim, Sales, Told};
use bigtix_tests::load::books::{settle, wait_until_ended};
use bigtix_tests::load::drive::{Load, Turn, drive};
use bigtix_tests::load::market::{Market, Offer};
use bigtix_tests::load::shopping::{Miss, Pick, RESERVE, Wish, cancel, look, pay_in_the_end, place};
use bigtix_tests::load::tally::{Outcome, Steps};
use bigtix_tests::load::wire::Wire;
use tokio::time::Instant;

use super::arguments::{Arguments, Scenario};
use super::site::Site;
use super::verdict::{Findings, Verdict};

/// What the shop may say to somebody who wants a ticket.
const EXPECTED: [ErrorCode; 3] = [
    ErrorCode::SoldOut,
    ErrorCode::TicketReserved,
    ErrorCode::Unavailable,
];
/// How much later than their time orders may end.
const LATE: Duration = Duration::from_secs(10);

/// Sends the visitors, and looks what came of it.
///
/// # Errors
/// When there is no shop, or it cannot be asked what came of it.
pub(crate) async fn run(arguments: &Arguments) -> Result<Verdict> {
    let site = Site::open(arguments).await?;
    let visited = visit_site(arguments, &site).await;
    let circumstances = site.close().await;
    let findings = visited?;
    Ok(Verdict::new(arguments, circumstances, findings))
}

async fn visit_site(arguments: &Arguments, site: &Site) -> Result<Findings> {
    let market = &site.market;
    let stocked = market.stock_events("Load", arguments.stock, arguments.events());
    let offers = stocked.await.context("putting tickets on sale")?;
    site.come_to_rest().await?;
    let visitors = Visitors::new(arguments, market, offers);
    let name = format!("{:?}", arguments.scenario()).to_lowercase();
    let load = Load {
        edge: &market.edge,
        arrivals: arguments.arrivals(),
        duration: arguments.duration(),
        progress: Some(&name),
    };
    let began = Instant::now();
    let tally = drive(&load, async |wire, turn| visitors.visit(wire, turn).await).await;
    let sold_out_after = visitors.sold_out_after(began);
    eprintln!("  all visitors have left; every order is read back");
    let Visitors {
        offers,
        answers,
        steps,
        ..
    } = visitors;
    let (sales, caught_up, breaches) = check(site, &offers, answers.into_inner()).await?;
    Ok(Findings {
        tally,
        steps: steps.quantiles(),
        sales,
        sold_out_after,
        caught_up,
        breaches,
    })
}

/// What all visitors share.
struct Visitors<'a> {
    scenario: Scenario,
    pick: Pick,
    market: &'a Market,
    offers: Vec<Offer>,
    paths: Vec<String>,
    answers: RefCell<Vec<Answers>>,
    steps: Steps,
    last_sale: Cell<Option<Instant>>,
}

/// What becomes of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Kept,
    Paid,
    GivenUp,
    Forgotten,
}

impl Scenario {
    /// What becomes of the order of the visitor with this number.
    fn fate(self, number: usize) -> Fate {
        match self {
            Self::Rush | Self::Spread | Self::Browse => Fate::Kept,
            Self::Purchase => Fate::Paid,
            Self::Mixed => match number % 10 {
                0..=5 => Fate::Paid,
                6 | 7 => Fate::GivenUp,
                _ => Fate::Forgotten,
            },
        }
    }

    /// Whether tickets come back while others are sold.
    fn gives_back(self) -> bool {
        self == Self::Mixed
    }
}

impl<'a> Visitors<'a> {
    fn new(arguments: &Arguments, market: &'a Market, offers: Vec<Offer>) -> Self {
        let scenario = arguments.scenario();
        let answers = Answers {
            gives_back: scenario.gives_back(),
            ..Answers::default()
        };
        Self {
            scenario,
            pick: arguments.pick,
            market,
            paths: browsing(&offers),
            answers: RefCell::new(vec![answers; offers.len()]),
            offers,
            steps: Steps::default(),
            last_sale: Cell::new(None),
        }
    }

    /// How long it took until nothing was left, if that came to be.
    fn sold_out_after(&self, began: Instant) -> Option<Duration> {
        let answers = self.answers.borrow();
        let all = answers.iter().all(|answers| answers.sold_out > 0);
        let last = self.last_sale.get()?;
        all.then(|| last - began)
    }

    async fn visit(&self, wire: &mut Wire, turn: Turn) -> Outcome {
        let visited = match self.scenario {
            Scenario::Browse => self.browse(wire, turn).await,
            Scenario::Rush | Scenario::Spread | Scenario::Purchase => self.buy(wire, turn).await,
            Scenario::Mixed => match self.browse(wire, turn).await {
                Ok(()) => self.buy(wire, turn).await,
                Err(miss) => Err(miss),
            },
        };
        visited.map_or_else(|miss| miss.expecting(&EXPECTED), |()| Outcome::Done)
    }

    /// Looks at one thing, each visitor at another.
    async fn browse(&self, wire: &mut Wire, turn: Turn) -> Result<(), Miss> {
        let path = turn.one_of(&self.paths);
        let asked = Instant::now();
        look(wire, path).await?;
        self.steps.note(kind_of(path), asked.elapsed());
        Ok(())
    }

    /// Reserves a ticket, and does with the order what this visitor does.
    async fn buy(&self, wire: &mut Wire, turn: Turn) -> Result<(), Miss> {
        let (row, which) = (turn.number / self.offers.len(), turn.number % self.offers.len());
        let offer = &self.offers[which];
        let wish = self.pick.wish(offer, row);
        let asked = Instant::now();
        let placed = place(wire, self.market.buyer(turn.number), wish).await;
        let placed = placed.inspect_err(|miss| self.remember_miss(which, wish, miss))?;
        // From when it was due, unless the visitor looked around before.
        let since = if self.scenario == Scenario::Mixed {
            asked
        } else {
            turn.due
        };
        self.steps.note(RESERVE, since.elapsed());
        self.last_sale.set(Some(Instant::now()));
        let claim = placed.claim(turn.number, Told::Reserved);
        let index = {
            let mut answers = self.answers.borrow_mut();
            answers[which].claims.push(claim);
            answers[which].claims.len() - 1
        };
        let ended = self.end(wire, turn, claim).await;
        let told = match &ended {
            Ok(told) => *told,
            Err(_) => Told::Unsure,
        };
        self.answers.borrow_mut()[which].claims[index].told = told;
        ended.map(drop)
    }

    async fn end(&self, wire: &mut Wire, turn: Turn, claim: Claim) -> Result<Told, Miss> {
        let buyer = self.market.buyer(turn.number);
        match self.scenario.fate(turn.number) {
            Fate::Kept | Fate::Forgotten => Ok(Told::Reserved),
            Fate::Paid => {
                pay_in_the_end(wire, buyer, claim.order, &self.steps).await?;
                Ok(Told::Paid)
            }
            Fate::GivenUp => {
                let asked = Instant::now();
                cancel(wire, buyer, claim.order).await?;
                self.steps.note("cancel", asked.elapsed());
                Ok(Told::Cancelled)
            }
        }
    }

    fn remember_miss(&self, which: usize, wish: Wish, miss: &Miss) {
        let answers = &mut self.answers.borrow_mut()[which];
        match (miss, wish) {
            (Miss::Refused(ErrorCode::SoldOut), _) => answers.sold_out += 1,
            (Miss::Refused(ErrorCode::TicketReserved), Wish::Ticket(ticket)) => {
                answers.taken.insert(ticket);
            }
            (Miss::Unknown(_), _) => answers.unknown += 1,
            (Miss::Refused(_) | Miss::Failed(_), _) => {}
        }
    }
}

/// What visitors look at: lists and searches as often as single tickets and their pages.
fn browsing(offers: &[Offer]) -> Vec<String> {
    let of_offer = |offer: &Offer| {
        let words = offer.event.title.replace('-', "+");
        let ticket = |ticket: &TicketId| [format!("/api/tickets/{ticket}"), format!("/tickets/{ticket}")];
        let tickets = offer.tickets.iter().take(50).flat_map(ticket);
        let lists = [
            "/api/tickets".to_owned(),
            format!("/api/tickets?eventId={}", offer.event.id),
            format!("/api/tickets?q={words}"),
        ];
        let lists = lists.into_iter().cycle().take(75);
        tickets.chain(lists).collect::<Vec<_>>()
    };
    offers.iter().flat_map(of_offer).collect()
}

/// Under which name it is counted.
fn kind_of(path: &str) -> &'static str {
    match path.strip_prefix("/api/tickets") {
        None => "page",
        Some(rest) if rest.starts_with("?q=") => "search",
        Some(rest) if rest.starts_with('/') => "ticket",
        Some(_) => "list",
    }
}

/// Compares what visitors were told with what the shop says of every event.
async fn check(
    site: &Site,
    offers: &[Offer],
    answers: Vec<Answers>,
) -> Result<(Sales, Duration, Vec<Breach>)> {
    let over = Instant::now();
    let mut breaches = Vec::new();
    if let Some(seconds) = site.reservation_seconds() {
        let forgotten: Vec<Claim> = answers
            .iter()
            .flat_map(|answers| &answers.claims)
            .filter(|claim| claim.told == Told::Reserved)
            .copied()
            .collect();
        let patience = Duration::from_secs(seconds.into()) + LATE;
        eprintln!("  {} orders were left, and their time runs out", forgotten.len());
        breaches.extend(wait_until_ended(&site.market, &forgotten, patience).await?);
    }
    let (mut sales, mut caught_up) = (Sales::default(), None);
    for (offer, answers) in offers.iter().zip(&answers) {
        let audited = settle(&site.market, offer.event.id, answers, over).await?;
        sales += audited.sales;
        breaches.extend(audited.breaches);
        caught_up.get_or_insert(audited.caught_up);
    }
    Ok((sales, caught_up.unwrap_or_default(), breaches))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_ten_visitors_six_pay_two_give_up_and_two_forget() {
        let fates: Vec<Fate> = (0..10).map(|number| Scenario::Mixed.fate(number)).collect();
        let count = |fate| fates.iter().filter(|each| **each == fate).count();
        assert_eq!(
            (count(Fate::Paid), count(Fate::GivenUp), count(Fate::Forgotten)),
            (6, 2, 2)
        );
        assert!((0..10).all(|number| Scenario::Purchase.fate(number) == Fate::Paid));
    }

    #[test]
    fn what_is_looked_at_is_counted_by_its_kind() {
        for (path, kind) in [
            ("/api/tickets", "list"),
            ("/api/tickets?eventId=1", "list"),
            ("/api/tickets?q=a", "search"),
            ("/api/tickets/1", "ticket"),
            ("/tickets/1", "page"),
        ] {
            assert_eq!(kind_of(path), kind, "{path}");
        }
    }
}
