//! The state of the model: what the stores hold, what is under way, and the clock.

use std::hash::{Hash, Hasher};

use bigtix_contracts::events::{OrderState, OrderStatus, OrderTicket};
use bigtix_contracts::{OrderId, PaymentId, TicketId, UserId};
use bigtix_orders::domain::order::{Command, Verdict};
use bigtix_payments::domain::{Call, Decision, Input, Payment, Phase};
use jiff::Timestamp;

use super::known::{Bag, Known};
use super::rules::{Mistake, Rules};
use super::stripe::{AMOUNT, Books};

/// How long an order can be paid; time passes in steps of it.
const RESERVATION: i64 = 900;

/// A document of the store's.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Stored {
    pub(crate) state: OrderState,
    pub(crate) version: i64,
}

/// A call that left and has not arrived, or may arrive once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Request {
    /// Whose it is, by its place in the world.
    pub(crate) payment: usize,
    pub(crate) call: Call,
    /// Whether the tickets go back on sale; for the one call that says so.
    pub(crate) relist: bool,
}

/// News on their way to a worker.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Answer {
    pub(crate) payment: usize,
    pub(crate) input: Input,
    /// Whether a webhook about a refund asked for it, which is kept until it is read.
    pub(crate) is_of_notice: bool,
}

/// How often a payment was changed. Nothing is decided by it but whether it grows, so that worlds that differ in
/// nothing else are one; without that there would be no end to them, as late news can come again and again.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Version(i64);

impl PartialEq for Version {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Version {}

impl Hash for Version {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

/// A payment as a worker read it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Snapshot {
    pub(crate) payment: Known<Payment>,
    pub(crate) version: Version,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct World {
    /// The store's clock, in reservations.
    pub(crate) tick: u8,
    /// Every version of each order, as events tell them; the last one is in the store. Empty before it is placed.
    pub(crate) orders: Vec<Vec<Known<Stored>>>,
    /// The payments in the store; `None` before they are begun.
    pub(crate) payments: Vec<Option<Known<Payment>>>,
    pub(crate) versions: Vec<Version>,
    /// What a payment was before, where workers forget to compare versions.
    pub(crate) snapshots: Vec<Snapshot>,
    pub(crate) books: Vec<Books>,
    pub(crate) requests: Bag<Request>,
    pub(crate) answers: Bag<Answer>,
    /// Payments with a webhook about a refund that is not read yet.
    pub(crate) notices: Vec<bool>,
    /// Whether any version went back.
    pub(crate) went_back: bool,
    /// Whether an order was confirmed after its time.
    pub(crate) was_late: bool,
}

pub(crate) fn at(tick: u8) -> Timestamp {
    Timestamp::from_second(i64::from(tick) * RESERVATION).expect("a time near 1970")
}

fn payment_id(place: usize) -> PaymentId {
    PaymentId::from_bytes([u8::try_from(place).expect("few payments") + 1; 12])
}

/// An order over the one ticket. Each can be paid for one step longer than the one before.
pub(crate) fn order(place: usize) -> Stored {
    let n = u8::try_from(place).expect("few orders");
    let state = OrderState {
        id: OrderId::from_bytes([n + 1; 12]),
        user_id: UserId::from_bytes([n + 1; 12]),
        status: OrderStatus::Created,
        reason: None,
        expires_at: at(n + 1),
        created_at: at(0),
        total: AMOUNT,
        tickets: vec![OrderTicket {
            id: TicketId::from_bytes([1; 12]),
            seller_id: UserId::from_bytes([9; 12]),
            title: "Row F seat 12".to_owned(),
            price: AMOUNT,
            version: 0,
            serial_number: "F12".to_owned(),
            event_id: None,
        }],
        payment_id: None,
        relisted: false,
        turn: None,
    };
    Stored { state, version: 0 }
}

impl World {
    /// One placed order of `orders`, and nothing of `payments` yet.
    pub(crate) fn new(orders: usize, payments: usize) -> Self {
        let mut world = Self {
            tick: 0,
            orders: vec![Vec::new(); orders],
            payments: vec![None; payments],
            versions: vec![Version(0); payments],
            snapshots: Vec::new(),
            books: (0..payments).map(|place| Books::new(payment_id(place))).collect(),
            requests: Bag::new(),
            answers: Bag::new(),
            notices: vec![false; payments],
            went_back: false,
            was_late: false,
        };
        world.orders[0].push(Known::new(order(0)));
        world
    }

    pub(crate) fn now(&self) -> Timestamp {
        at(self.tick)
    }

    pub(crate) fn current(&self, order: usize) -> Option<&Known<Stored>> {
        self.orders[order].last()
    }

    pub(crate) fn place_of_order(id: OrderId) -> usize {
        usize::from(id.bytes()[0]) - 1
    }

    pub(crate) fn place_of_payment(id: PaymentId) -> usize {
        usize::from(id.bytes()[0]) - 1
    }

    /// Inserts a payment, unless another one for the order is live, as the unique index sees to.
    pub(crate) fn begin(&mut self, place: usize, order: usize) {
        let Some(stored) = self.current(order) else {
            return;
        };
        let is_live = |it: &Known<Payment>| it.live && it.order_id == stored.state.id;
        if self.payments.iter().flatten().any(is_live) {
            return;
        }
        let source = "tok_visa".parse().expect("a token");
        let payment = Payment::begin(
            payment_id(place),
            stored.state.id,
            stored.state.user_id,
            stored.state.total,
            source,
            at(0),
        );
        self.payments[place] = Some(Known::new(payment));
    }

    /// Applies a command to an order as production does: decide, by a clock that may be off, what the order as it is
    /// becomes; store it if it is so still and the store's clock agrees; else decide anew.
    pub(crate) fn command(&mut self, order: usize, command: Command, believed: Timestamp, rules: Rules) {
        let Some(before) = self.current(order).cloned() else {
            return;
        };
        for now in [believed, self.now()] {
            let Verdict::Change(next, guard) = rules.decide(&before.state, command, now) else {
                return;
            };
            if rules.lets_through(guard, &before.state, self.now()) {
                return self.store_order(order, *next, before.version + 1);
            }
        }
    }

    fn store_order(&mut self, order: usize, state: OrderState, version: i64) {
        let before = self.current(order).expect("an order that was placed").clone();
        let confirms =
            before.state.status == OrderStatus::Created && state.status == OrderStatus::AwaitingPayment;
        self.was_late |= confirms && state.expires_at <= self.now();
        self.went_back |= version <= before.version;
        self.orders[order].push(Known::new(Stored { state, version }));
    }

    /// Expires the order as somebody read it before, over whatever it is by now.
    pub(crate) fn expire_blindly(&mut self, order: usize, read: &Stored, rules: Rules) {
        if let Verdict::Change(next, _) = rules.decide(&read.state, Command::Expire, self.now())
            && self
                .current(order)
                .is_some_and(|now| now.state.status != next.status)
        {
            let version = self.current(order).map_or(0, |now| now.version) + 1;
            self.store_order(order, *next, version);
        }
    }

    /// Stores what an input means for the payment as it is by then: that is what compare-and-set with deciding anew
    /// comes to.
    pub(crate) fn learn(&mut self, place: usize, input: &Input, rules: Rules) {
        if let Some(payment) = self.payments[place].clone() {
            self.store_payment(place, self.versions[place], rules.next(&payment, input), rules);
        }
    }

    /// Stores what was decided on the payment as it was in version `read`.
    pub(crate) fn store_payment(&mut self, place: usize, read: Version, decision: Decision, rules: Rules) {
        let (Decision::Become(after), Some(before)) = (decision, self.payments[place].clone()) else {
            return;
        };
        let (before_version, version) = (self.versions[place], Version(read.0 + 1));
        self.went_back |= version.0 <= before_version.0;
        if rules.makes(Mistake::NoVersionCheck) {
            let snapshot = Snapshot {
                payment: before,
                version: before_version,
            };
            if !self.snapshots.contains(&snapshot) {
                self.snapshots.push(snapshot);
            }
        }
        self.versions[place] = version;
        self.payments[place] = Some(Known::new(*after));
    }

    /// The call that is due for a payment, where making it can tell anything.
    pub(crate) fn due(&self, place: usize) -> Option<Call> {
        let payment = self.payments[place].as_ref()?;
        let call = payment.due(self.now())?;
        let is_idle = call == Call::Watch && self.books[place].intents.is_empty();
        (!is_idle).then_some(call)
    }

    pub(crate) fn intent_of(&self, place: usize) -> Option<bigtix_payments::domain::IntentId> {
        self.payments[place]
            .as_ref()
            .and_then(|payment| payment.intent.clone())
    }

    /// What the shop has of the buyers' money for an order, in charges.
    pub(crate) fn kept(&self, place: usize) -> usize {
        self.books[place]
            .intents
            .iter()
            .filter(|record| record.is_kept())
            .count()
    }

    pub(crate) fn phase(&self, place: usize) -> Option<&Phase> {
        self.payments[place].as_ref().map(|payment| &payment.phase)
    }
}
