//! The mistakes, each as a patch of the sources, with the faults under which it shows.

/// A mistake that somebody might make.
pub(crate) struct Defect {
    /// Its name, and its file's.
    pub(crate) name: &'static str,
    /// What makes it of the sources.
    pub(crate) patch: &'static str,
    /// The kinds of faults that bring it out; none: it shows without.
    pub(crate) faults: &'static [&'static str],
    /// How many processes of each service it takes.
    pub(crate) instances: Option<usize>,
}

macro_rules! defects {
    ($($name:literal: $faults:expr, $instances:expr;)*) => {
        &[$(Defect {
            name: $name,
            patch: include_str!(concat!($name, ".patch")),
            faults: &$faults,
            instances: $instances,
        }),*]
    };
}

const NOTHING: &str = "nothing goes wrong";

/// All of them.
pub(crate) const DEFECTS: &[Defect] = defects! {
    // The claims have an index that lets everybody in.
    "no-unique-index": [NOTHING], None;
    // Whoever wants a ticket looks first whether it is free.
    "read-then-insert": [NOTHING], Some(2);
    // An event is acknowledged before what it changes is written.
    "acknowledge-before-writing": ["restart storm"], None;
    // Who holds a ticket is shown by whatever news came last.
    "no-version-check": ["bus wiped", "bus rolled back"], None;
    // An order expires whatever it has become meanwhile.
    "expire-without-compare-and-set": ["Stripe troubled", "connection slow"], None;
    // The money is taken with the authorisation.
    "capture-at-once": [NOTHING], None;
    // A call to Stripe that is repeated is another call.
    "a-new-key-for-each-attempt": ["Stripe troubled"], None;
    // A write is acknowledged before it is on the disk.
    "writes-without-majority": ["database killed"], None;
    // The relay forgets what it has sent before the bus has it.
    "position-before-acknowledgement": ["bus stopped", "bus paused", "restart storm"], None;
    // Anybody can say what Stripe says.
    "webhooks-without-signature": [NOTHING], None;
    // An order costs what its buyer expects.
    "price-from-the-request": [NOTHING], None;
    // Nobody but Redis knows when an order expires.
    "timers-only-in-redis": ["Redis flushed"], None;
    // An order is acknowledged while its write still waits.
    "answer-before-writing": [NOTHING], None;
    // A write that takes long is taken to be done.
    "unknown-is-done": ["database killed"], None;
    // A write that takes long is taken to have failed.
    "unknown-is-failed": ["database killed"], None;
    // When a payment is due again is said by the clock of whoever left it.
    "pauses-by-an-instances-clock": ["clock moved", "Stripe troubled"], None;
};
