//! What a clerk promises, whoever runs next: shuttle tries thousands of orders of events, and says how to repeat one that
//! breaks a promise. The store is a small one in memory, whose every step lets others run.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard};

use bigtix_contracts::events::{OrderState, OrderStatus, OrderTicket, Versioned};
use bigtix_contracts::{Cents, OrderId, TicketId, UserId};
use jiff::{SignedDuration, Timestamp};
use shuttle::future::{JoinHandle, block_on, spawn, yield_now};
use tokio_util::sync::CancellationToken;

use super::{Answer, Counter, Decide, Fate, open};
use crate::app::place_order::{PlaceError, Wish};
use crate::domain::quote::Rejection;

/// How many orders of events are tried of each scenario, in each of two ways.
const RUNS: usize = 2_000;
/// How often those who run are changed on purpose (Burckhardt et al., "A Randomized Scheduler with Probabilistic
/// Guarantees of Finding Bugs", 2010).
const CHANGES: usize = 3;

/// Who holds a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holder {
    Order(OrderId),
    /// An edit, for as long as its seller takes.
    Edit,
    /// An order whose time is over, until somebody looks.
    Overdue,
}

#[derive(Default)]
struct Books {
    held: HashMap<TicketId, Holder>,
    /// In the order in which they came to the counter.
    arrived: Vec<OrderId>,
    hung_up: HashSet<OrderId>,
    is_inserting: bool,
}

#[derive(Clone, Default)]
struct Store(Arc<Mutex<Books>>);

impl Store {
    fn books(&self) -> MutexGuard<'_, Books> {
        self.0.lock().expect("nobody panics with it")
    }

    fn holder(&self, ticket: TicketId) -> Option<Holder> {
        self.books().held.get(&ticket).copied()
    }
}

impl Decide for Store {
    type Begun = Vec<bool>;

    async fn begin(&self, wishes: &[&Wish]) -> Vec<bool> {
        {
            let mut books = self.books();
            assert!(!books.is_inserting, "two batches are inserted at once");
            books.is_inserting = true;
            let mut wanted = HashSet::new();
            for wish in wishes {
                assert!(
                    !books.hung_up.contains(&wish.order_id),
                    "a wish is begun of which nobody wants to know"
                );
                for ticket in &wish.tickets {
                    assert!(wanted.insert(*ticket), "a ticket is in a batch twice");
                }
            }
        }
        yield_now().await;
        let begun = wishes
            .iter()
            .map(|wish| {
                let mut books = self.books();
                let is_free = wish.tickets.iter().all(|ticket| !books.held.contains_key(ticket));
                if is_free {
                    let held = wish
                        .tickets
                        .iter()
                        .map(|ticket| (*ticket, Holder::Order(wish.order_id)));
                    books.held.extend(held);
                }
                is_free
            })
            .collect();
        yield_now().await;
        self.books().is_inserting = false;
        begun
    }

    async fn finish(&self, wishes: &[&Wish], begun: Vec<bool>) -> Vec<Fate> {
        yield_now().await;
        let mut fates = Vec::new();
        for (wish, is_placed) in wishes.iter().zip(begun) {
            fates.push(if is_placed {
                Fate::Placed(order(wish))
            } else {
                self.refused(wish)
            });
            yield_now().await;
        }
        fates
    }

    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    fn pause() -> impl Future<Output = ()> + Send + 'static {
        let passed = spawn(yield_now());
        async move { passed.await.expect("nobody ends it") }
    }
}

impl Store {
    fn refused(&self, wish: &Wish) -> Fate {
        let mut fate = Fate::Again;
        for ticket in &wish.tickets {
            match self.holder(*ticket) {
                None => {}
                Some(Holder::Order(_)) => {
                    return Fate::Failed(Rejection::Reserved(*ticket).into());
                }
                Some(Holder::Edit) => fate = Fate::AgainSoon,
                Some(Holder::Overdue) => {
                    self.books().held.remove(ticket);
                }
            }
        }
        fate
    }
}

fn ticket(n: u8) -> TicketId {
    TicketId::from_bytes([n; 12])
}

fn wish(n: u8, tickets: &[u8]) -> Wish {
    Wish {
        order_id: OrderId::from_bytes([n; 12]),
        is_repeated: false,
        buyer: UserId::from_bytes([n; 12]),
        tickets: tickets.iter().copied().map(ticket).collect(),
        expected_total: None,
        traceparent: None,
    }
}

fn order(wish: &Wish) -> Versioned<OrderState> {
    let remember = |id: &TicketId| OrderTicket {
        id: *id,
        seller_id: UserId::from_bytes([0; 12]),
        title: "Seat".into(),
        price: Cents(500),
        version: 0,
        serial_number: String::new(),
        event_id: None,
    };
    let state = OrderState {
        id: wish.order_id,
        user_id: wish.buyer,
        status: OrderStatus::Created,
        reason: None,
        expires_at: Timestamp::UNIX_EPOCH + SignedDuration::from_mins(15),
        created_at: Timestamp::UNIX_EPOCH,
        total: Cents(500),
        tickets: wish.tickets.iter().map(remember).collect(),
        payment_id: None,
        relisted: false,
        turn: None,
    };
    Versioned { version: 0, state }
}

/// A counter with its clerk, and buyers who come whenever shuttle lets them.
struct Hall {
    store: Store,
    counter: Counter,
    stop: CancellationToken,
    clerk: JoinHandle<()>,
    buyers: Vec<(Wish, JoinHandle<Option<Answer>>)>,
}

impl Hall {
    fn open() -> Self {
        let store = Store::default();
        let stop = CancellationToken::new();
        let (counter, clerk) = open(store.clone());
        Self {
            store,
            counter,
            clerk: spawn(clerk.serve(stop.clone())),
            stop,
            buyers: Vec::new(),
        }
    }

    /// One buyer comes for each of these wishes, and leaves after so many moments, or stays.
    fn let_in(&mut self, wishes: &[(&[u8], Option<usize>)]) {
        for (n, (tickets, moments)) in (1..).zip(wishes) {
            let wish = wish(n, tickets);
            let buyer = buy(self.store.clone(), self.counter.clone(), wish.clone(), *moments);
            self.buyers.push((wish, spawn(buyer)));
        }
    }

    /// Somebody edits this ticket for a moment.
    fn edit(&self, ticket: TicketId) {
        self.store.books().held.insert(ticket, Holder::Edit);
        let store = self.store.clone();
        spawn(async move {
            yield_now().await;
            store.books().held.remove(&ticket);
        });
    }

    /// What each who stayed was told, once the clerk has gone home.
    async fn close(self) -> Told {
        let mut answers = Vec::new();
        for (wish, buyer) in self.buyers {
            let answer = buyer.await.expect("a buyer ends");
            answers.extend(answer.map(|answer| (wish, answer)));
        }
        self.stop.cancel();
        self.clerk.await.expect("the clerk ends");
        Told {
            store: self.store,
            answers,
        }
    }
}

async fn buy(store: Store, counter: Counter, wish: Wish, moments: Option<usize>) -> Option<Answer> {
    let id = wish.order_id;
    store.books().arrived.push(id);
    let placing = std::pin::pin!(counter.place(wish));
    let leaving = std::pin::pin!(async {
        match moments {
            None => std::future::pending().await,
            Some(moments) => {
                for _ in 0..moments {
                    yield_now().await;
                }
            }
        }
    });
    // Dropped with what this function returns, and nobody runs between the two.
    let answer = match futures::future::select(placing, leaving).await {
        futures::future::Either::Left((answer, _)) => Some(answer),
        futures::future::Either::Right(_) => None,
    };
    if answer.is_none() {
        store.books().hung_up.insert(id);
    }
    answer
}

/// What came of it.
struct Told {
    store: Store,
    answers: Vec<(Wish, Answer)>,
}

impl Told {
    /// Who has an order has its tickets, and who is refused lost one of them to somebody.
    fn is_true(&self) {
        for (wish, answer) in &self.answers {
            let has = |ticket: &TicketId| self.store.holder(*ticket) == Some(Holder::Order(wish.order_id));
            match answer {
                Ok(order) => {
                    assert_eq!(order.state.id, wish.order_id);
                    assert!(wish.tickets.iter().all(has), "an order without its tickets");
                }
                Err(PlaceError::Rejected(Rejection::Reserved(ticket))) => {
                    assert!(
                        !wish.tickets.iter().any(has),
                        "a ticket of a refused order is held"
                    );
                    assert!(wish.tickets.contains(ticket));
                    assert!(
                        self.store.holder(*ticket).is_some(),
                        "refused for a ticket that is free"
                    );
                }
                Err(PlaceError::Unavailable(_)) => {
                    assert!(
                        !wish.tickets.iter().any(has),
                        "held for somebody who was sent away"
                    );
                }
                Err(other) => panic!("{:?} was told: {other}", wish.order_id),
            }
        }
    }

    /// The orders that stand.
    fn placed(&self) -> HashSet<OrderId> {
        let placed = self.answers.iter().filter(|(_, answer)| answer.is_ok());
        placed.map(|(wish, _)| wish.order_id).collect()
    }
}

fn check(scenario: impl Fn() + Copy + Send + Sync + 'static) {
    shuttle::check_random(scenario, RUNS);
    shuttle::check_pct(scenario, RUNS, CHANGES);
}

#[test]
fn tickets_go_to_whoever_came_first_and_everybody_is_told() {
    check(|| {
        block_on(async {
            let mut hall = Hall::open();
            hall.let_in(&[
                (&[1], None),
                (&[1, 2], None),
                (&[2], None),
                (&[1], None),
                (&[3], None),
                (&[2, 3], None),
            ]);
            let told = hall.close().await;
            told.is_true();
            assert_eq!(told.answers.len(), 6);
            let wanted: HashMap<OrderId, &Vec<TicketId>> = told
                .answers
                .iter()
                .map(|(wish, _)| (wish.order_id, &wish.tickets))
                .collect();
            let (mut taken, mut first) = (HashSet::<TicketId>::new(), HashSet::new());
            for id in &told.store.books().arrived {
                if wanted[id].iter().all(|ticket| !taken.contains(ticket)) {
                    taken.extend(wanted[id]);
                    first.insert(*id);
                }
            }
            assert_eq!(told.placed(), first, "somebody was overtaken");
        });
    });
}

#[test]
fn whoever_hangs_up_keeps_nobody_waiting() {
    check(|| {
        block_on(async {
            let mut hall = Hall::open();
            hall.let_in(&[
                (&[1], Some(0)),
                (&[1], Some(2)),
                (&[1, 2], None),
                (&[2], Some(1)),
                (&[2], None),
            ]);
            hall.close().await.is_true();
        });
    });
}

#[test]
fn who_comes_while_the_clerk_goes_home_is_told_what_is_so() {
    check(|| {
        block_on(async {
            let mut hall = Hall::open();
            hall.edit(ticket(1));
            hall.let_in(&[(&[1], None), (&[1], None), (&[2], None), (&[2], None)]);
            let stop = hall.stop.clone();
            spawn(async move {
                yield_now().await;
                stop.cancel();
            });
            hall.close().await.is_true();
        });
    });
}

#[test]
fn what_is_held_for_a_moment_is_sold_after_it() {
    check(|| {
        block_on(async {
            let mut hall = Hall::open();
            hall.store.books().held.insert(ticket(2), Holder::Overdue);
            hall.edit(ticket(1));
            hall.let_in(&[(&[1], None), (&[1], None), (&[1, 2], None), (&[2], None)]);
            let told = hall.close().await;
            told.is_true();
            for sold in [1, 2] {
                let holder = told.store.holder(ticket(sold));
                assert!(matches!(holder, Some(Holder::Order(_))), "{holder:?}");
            }
        });
    });
}
