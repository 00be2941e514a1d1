//! What can happen next: every call, its loss, its repetition and its delay, the death of whoever waits for an answer,
//! banks, buyers, sellers, clocks and events.

use std::collections::HashSet;
use std::sync::Mutex;

use bigtix_contracts::events::OrderState;
use bigtix_orders::domain::order::Command;
use bigtix_payments::domain::{
    Call, Closure, Concern, Input, Phase, Reading, Topic, completed, concern, confirmed, reading,
};
use stateright::{Model, Property};

use super::known::Known;
use super::properties;
use super::rules::{Mistake, Rules};
use super::stripe::{Bank, Happening};
use super::world::{Answer, Request, World, at, order};

/// What is explored.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// How many orders compete for the ticket.
    pub(crate) orders: usize,
    /// Each payment's order.
    pub(crate) payments: &'static [usize],
    /// How many requests are under way at once.
    pub(crate) requests: usize,
    /// How many answers are.
    pub(crate) answers: usize,
    /// What banks say.
    pub(crate) banks: &'static [Bank],
}

/// The saga within bounds.
pub(crate) struct Saga {
    pub(crate) bounds: Bounds,
    pub(crate) rules: Rules,
    /// Worlds that are known to come to rest.
    pub(crate) resting: Mutex<HashSet<u64>>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Action {
    /// Time passes.
    Tick,
    /// Somebody reserves the ticket.
    Place(usize),
    /// The buyer gives the order up.
    Cancel(usize),
    /// Whoever notices expires an order; by a clock that may be ahead.
    Expire(usize),
    /// Somebody expires an order that was read in this version.
    ExpireBlindly(usize, usize),
    /// The buyer pays.
    Begin(usize),
    /// The buyer pays anew instead of answering the bank.
    Supersede(usize),
    /// The seller refunds.
    AskRefund(usize, bool),
    /// A worker makes the call that is due.
    Send(usize),
    /// A request arrives.
    Arrive(Known<Request>, Luck, Copies),
    /// A request is lost.
    LoseRequest(Known<Request>),
    /// A worker takes in an answer.
    Learn(Known<Answer>),
    /// A worker takes in an answer and stores what it means for the payment as it was.
    LearnBlindly(Known<Answer>, usize),
    /// An answer is lost, or comes after the deadline, or whoever waited for it is killed.
    LoseAnswer(Known<Answer>),
    /// Something happens at Stripe.
    AtStripe(usize, Happening),
    /// A webhook, of whatever age, makes a worker look at the intent.
    HearWebhook(usize),
    /// The webhook of a refund, which Stripe repeats until it is taken, is read.
    ReadNotice(usize),
    /// The event of an order's version comes, perhaps late or again.
    HearOrder(usize, usize),
}

/// What meets a request where it arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Luck {
    /// Nothing of note.
    None,
    /// The bank says so.
    Bank(Bank),
    /// The bank takes a refund later.
    SlowBank,
    /// The instance that is asked believes that no time has passed.
    ClockBehind,
}

/// Whether a request arrives for the last time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Copies {
    Last,
    Another,
}

impl Saga {
    pub(crate) fn new(bounds: Bounds, mistake: Option<Mistake>) -> Self {
        Self {
            bounds,
            rules: Rules { mistake },
            resting: Mutex::default(),
        }
    }

    fn buyers_and_sellers(&self, world: &World, actions: &mut Vec<Action>) {
        if usize::from(world.tick) < self.bounds.orders {
            actions.push(Action::Tick);
        }
        for place in 0..self.bounds.orders {
            if world.orders[place].is_empty() {
                actions.push(Action::Place(place));
                continue;
            }
            actions.extend([Action::Cancel(place), Action::Expire(place)]);
            if self.rules.makes(Mistake::ExpiryWithoutCompareAndSet) {
                let versions = 0..world.orders[place].len();
                actions.extend(versions.map(|version| Action::ExpireBlindly(place, version)));
            }
            let versions = 0..world.orders[place].len();
            actions.extend(versions.map(|version| Action::HearOrder(place, version)));
        }
        for place in 0..self.bounds.payments.len() {
            match world.phase(place) {
                None => {
                    actions.push(Action::Begin(place));
                    continue;
                }
                Some(Phase::RequiresAction) => actions.push(Action::Supersede(place)),
                Some(Phase::Succeeded) => {
                    actions.extend([true, false].map(|relist| Action::AskRefund(place, relist)));
                }
                Some(_) => {}
            }
            let happenings = world.books[place].happenings();
            actions.extend(happenings.into_iter().map(|what| Action::AtStripe(place, what)));
            if world.notices[place] {
                actions.push(Action::ReadNotice(place));
            }
            if world.answers.len() < self.bounds.answers {
                actions.push(Action::HearWebhook(place));
            }
        }
    }

    fn workers_and_network(&self, world: &World, actions: &mut Vec<Action>) {
        if world.requests.len() < self.bounds.requests {
            let due = |place: &usize| world.due(*place).is_some();
            actions.extend((0..self.bounds.payments.len()).filter(due).map(Action::Send));
        }
        for request in world.requests.iter() {
            for copies in [Copies::Last, Copies::Another] {
                let lucks = self.lucks(world, request).into_iter();
                actions.extend(lucks.map(|luck| Action::Arrive(request.clone(), luck, copies)));
            }
            actions.push(Action::LoseRequest(request.clone()));
        }
        for answer in world.answers.iter() {
            actions.extend([Action::Learn(answer.clone()), Action::LoseAnswer(answer.clone())]);
            if self.rules.makes(Mistake::NoVersionCheck) {
                let before = 0..world.snapshots.len();
                actions.extend(before.map(|read| Action::LearnBlindly(answer.clone(), read)));
            }
        }
    }

    /// What may meet a request where it arrives.
    fn lucks(&self, world: &World, request: &Request) -> Vec<Luck> {
        match request.call {
            Call::Create | Call::Find if world.books[request.payment].intents.is_empty() => {
                self.bounds.banks.iter().map(|bank| Luck::Bank(*bank)).collect()
            }
            Call::Confirm => vec![Luck::None, Luck::ClockBehind],
            Call::Refund => vec![Luck::None, Luck::SlowBank],
            Call::Create
            | Call::Find
            | Call::Retrieve
            | Call::LookAtAction
            | Call::Capture
            | Call::Complete
            | Call::Cancel
            | Call::Fail
            | Call::ReadRefund
            | Call::TellRefund
            | Call::Watch => vec![Luck::None],
        }
    }

    fn place(&self, world: &mut World, place: usize) {
        let is_held = world
            .orders
            .iter()
            .any(|order| order.last().is_some_and(|it| it.state.holds_tickets()));
        if !is_held || self.rules.makes(Mistake::NoUniqueIndex) {
            world.orders[place].push(Known::new(order(place)));
        }
    }

    fn answer(&self, world: &mut World, payment: usize, input: Input, is_of_notice: bool) {
        // One that finds no room is lost.
        if world.answers.len() < self.bounds.answers {
            world.answers.insert(Answer {
                payment,
                input,
                is_of_notice,
            });
        }
    }

    /// Makes the call that is due: one that only reads is answered at once, one with an effect is under way.
    fn send(&self, world: &mut World, place: usize) {
        let (Some(call), Some(payment)) = (world.due(place), world.payments[place].clone()) else {
            return;
        };
        let intent = payment.intent.clone();
        let read = match call {
            Call::Retrieve => world.books[place].retrieve(intent.as_ref()),
            Call::Watch => world.books[place].retrieve(None),
            Call::ReadRefund => intent.and_then(|id| world.books[place].read_refund(&id)),
            Call::LookAtAction => {
                let order = World::place_of_order(payment.order_id);
                world.command(order, Command::Expire, world.now(), self.rules);
                match world.current(order).and_then(|order| Closure::of(&order.state)) {
                    Some(why) => Some(Input::OrderClosed(why)),
                    None => world.books[place].retrieve(intent.as_ref()),
                }
            }
            Call::Create
            | Call::Find
            | Call::Confirm
            | Call::Capture
            | Call::Complete
            | Call::Cancel
            | Call::Fail
            | Call::Refund
            | Call::TellRefund => {
                world.requests.insert(Request {
                    payment: place,
                    call,
                    relist: payment.relists(),
                });
                None
            }
        };
        if let Some(input) = read {
            self.answer(world, place, input, false);
        }
    }

    /// A request has its effect; what may be answered.
    fn arrive(&self, world: &mut World, request: Request, luck: Luck) -> Vec<Input> {
        let (place, rules) = (request.payment, self.rules);
        let Some(payment) = world.payments[place].clone() else {
            return Vec::new();
        };
        let order = World::place_of_order(payment.order_id);
        let told = |world: &mut World, command, read: &dyn Fn(&OrderState) -> Input| {
            world.command(order, command, world.now(), rules);
            // What is refused because the time is over is expired.
            world.command(order, Command::Expire, world.now(), rules);
            world
                .current(order)
                .map(|order| read(&order.state))
                .into_iter()
                .collect()
        };
        let intent = world.intent_of(place);
        let books = &mut world.books[place];
        let of_intent: Option<Input> = match request.call {
            Call::Create | Call::Find => {
                let bank = match luck {
                    Luck::Bank(bank) => bank,
                    Luck::None | Luck::SlowBank | Luck::ClockBehind => Bank::Approves,
                };
                return books.create(bank, rules);
            }
            Call::Capture => intent.and_then(|id| books.capture(&id)),
            Call::Cancel => intent.and_then(|id| books.cancel(&id)),
            Call::Refund => intent.and_then(|id| books.refund(&id, luck == Luck::SlowBank, rules)),
            Call::Confirm => {
                if luck == Luck::ClockBehind {
                    world.command(order, Command::Confirm(payment.id), at(0), rules);
                }
                return told(world, Command::Confirm(payment.id), &|order| {
                    confirmed(&payment, order)
                });
            }
            Call::Complete => {
                return told(world, Command::Complete(payment.id), &|order| {
                    completed(&payment, order)
                });
            }
            Call::Fail => return told(world, Command::Fail(payment.id), &|_| Input::OrderFailed),
            Call::TellRefund => {
                let command = Command::Refund {
                    payment: payment.id,
                    relist: request.relist,
                };
                return told(world, command, &|_| Input::OrderRefunded);
            }
            Call::Retrieve | Call::Watch | Call::LookAtAction | Call::ReadRefund => None,
        };
        of_intent.into_iter().collect()
    }

    fn read_notice(&self, world: &mut World, place: usize) {
        let Some(payment) = world.payments[place].clone() else {
            return;
        };
        match reading(Topic::Refund, &payment, false) {
            Reading::Done | Reading::Dispute => world.notices[place] = false,
            Reading::Later => {}
            Reading::Look => {
                if let Some(input) = world.books[place].retrieve(payment.intent.as_ref()) {
                    self.answer(world, place, input, true);
                }
            }
        }
    }

    fn hear_order(&self, world: &mut World, place: usize, version: usize) {
        let state = world.orders[place][version].state.clone();
        let Some((concern, input)) = concern(&state) else {
            return;
        };
        let concerned = match concern {
            Concern::Awaited(id) => Some(World::place_of_payment(id)),
            Concern::LiveBut(paid_by) => (0..world.payments.len()).find(|at| {
                let payment = world.payments[*at].as_ref();
                payment.is_some_and(|it| it.live && it.order_id == state.id && paid_by != Some(it.id))
            }),
        };
        if let Some(concerned) = concerned {
            world.learn(concerned, &input, self.rules);
        }
    }
}

impl Model for Saga {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        vec![World::new(self.bounds.orders, self.bounds.payments.len())]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        self.buyers_and_sellers(world, actions);
        self.workers_and_network(world, actions);
    }

    fn next_state(&self, before: &World, action: Action) -> Option<World> {
        let mut world = before.clone();
        let (rules, now) = (self.rules, before.now());
        match action {
            Action::Tick => world.tick += 1,
            Action::Place(place) => self.place(&mut world, place),
            Action::Cancel(place) => world.command(place, Command::Cancel, now, rules),
            Action::Expire(place) => world.command(place, Command::Expire, at(u8::MAX), rules),
            Action::ExpireBlindly(place, version) => {
                let read = world.orders[place][version].clone();
                world.expire_blindly(place, &read, rules);
            }
            Action::Begin(place) => world.begin(place, self.bounds.payments[place]),
            Action::Supersede(place) => world.learn(place, &Input::Superseded, rules),
            Action::AskRefund(place, relist) => {
                let request = world.payments[place].as_ref()?.id;
                world.learn(place, &Input::RefundAsked { relist, request }, rules);
            }
            Action::Send(place) => self.send(&mut world, place),
            Action::Arrive(request, luck, copies) => {
                if copies == Copies::Last {
                    world.requests.remove(&request);
                }
                for input in self.arrive(&mut world, *request, luck) {
                    self.answer(&mut world, request.payment, input, false);
                }
            }
            Action::LoseRequest(request) => {
                world.requests.remove(&request);
                self.give_up(&mut world, request.payment);
            }
            Action::Learn(answer) => {
                world.answers.remove(&answer);
                world.notices[answer.payment] &= !answer.is_of_notice;
                world.learn(answer.payment, &answer.input, rules);
            }
            Action::LearnBlindly(answer, read) => {
                world.answers.remove(&answer);
                let read = world.snapshots[read].clone();
                let place = World::place_of_payment(read.payment.id);
                if place != answer.payment {
                    return None;
                }
                let decision = rules.next(&read.payment, &answer.input);
                world.store_payment(place, read.version, decision, rules);
            }
            Action::LoseAnswer(answer) => {
                world.answers.remove(&answer);
                self.give_up(&mut world, answer.payment);
            }
            Action::AtStripe(place, what) => {
                world.books[place].happens(what);
                world.notices[place] |= what == Happening::RefundedByHand;
            }
            Action::HearWebhook(place) => {
                let payment = world.payments[place].clone()?;
                if reading(Topic::Intent, &payment, false) == Reading::Look {
                    let input = world.books[place].retrieve(payment.intent.as_ref())?;
                    self.answer(&mut world, place, input, false);
                }
            }
            Action::ReadNotice(place) => self.read_notice(&mut world, place),
            Action::HearOrder(place, version) => self.hear_order(&mut world, place, version),
        }
        (world != *before).then_some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties::all(&self.bounds)
    }
}

impl Saga {
    fn give_up(&self, world: &mut World, place: usize) {
        if let Some(payment) = world.payments[place].clone() {
            let decision = self.rules.unanswered(&payment);
            world.store_payment(place, world.versions[place], decision, self.rules);
        }
    }
}
