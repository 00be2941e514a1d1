//! A shop that is sold out while everything around it breaks, and what must hold all the same.
//!
//! A run has a [`schedule`] that follows from a seed, [`people`] who buy and sell, [`strike`]s that make the faults
//! happen, a [`drain`] after them, and [`checks`] over everything that is known then ([`evidence`]).

pub mod asker;
pub mod books;
pub mod checks;
pub mod clock;
pub mod disk;
pub mod documents;
pub mod drain;
pub mod evidence;
pub mod history;
pub mod market;
pub mod people;
pub mod proxy;
pub mod report;
pub mod run;
pub mod schedule;
pub mod site;
pub mod store_history;
pub mod strike;
