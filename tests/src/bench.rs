//! Measuring a shop: through the edge, with everything running and its data on a disk, by distinct buyers who are
//! signed in. Each figure stands beside what a bare driver or a bare server does on the same machine in the same
//! run, because the machine is shared with the load generator and is never the same twice.
//!
//! * [`run`]: every [`scenario`], several times, each beside its baseline.
//! * [`compare`]: the same of two builds by turns.
//! * [`growth`]: what becomes of figures as tickets and buyers become more.
//! * [`instances`]: what more processes and partitions of orders give.

pub mod baselines;
pub mod cage;
pub mod compare;
pub mod growth;
pub mod instances;
pub mod overload;
pub mod report;
pub mod reservations;
pub mod run;
pub mod scenario;
pub mod seeding;
pub mod sustained;
pub mod under_load;
pub mod views;
