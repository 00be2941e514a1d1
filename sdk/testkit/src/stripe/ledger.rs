//! The books: every intent with every cent, the oracle for money.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::account::{Account, IntentRecord};

/// One payment intent's money. All amounts are cents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The payment intent's id.
    pub id: String,
    /// Stripe's status of it.
    pub status: String,
    /// What the shop asked for.
    pub amount: i64,
    /// Three letters, lower case.
    pub currency: String,
    /// What the bank put on hold, ever.
    pub authorised: i64,
    /// What is still on hold.
    pub held: i64,
    /// What was taken.
    pub captured: i64,
    /// How often something was taken.
    pub captures: u32,
    /// What of the hold was given back without being taken.
    pub released: i64,
    /// What was taken and given back.
    pub refunded: i64,
    /// How many refunds were made.
    pub refunds: u32,
    /// Whether the buyer disputes it.
    pub disputed: bool,
    /// What the shop wrote on it.
    pub metadata: BTreeMap<String, String>,
}

impl Entry {
    /// What the shop has of it: captured and not refunded.
    pub fn kept(&self) -> i64 {
        self.captured - self.refunded
    }
}

/// Every payment intent, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    /// The entries.
    pub intents: Vec<Entry>,
}

impl Ledger {
    pub(crate) fn of(account: &Account) -> Self {
        let mut refunds: BTreeMap<&str, u32> = BTreeMap::new();
        for refund in account.refunds.rows() {
            *refunds.entry(&refund.intent).or_default() += 1;
        }
        let entry = |record: &IntentRecord| Entry {
            id: record.id.clone(),
            status: record.state.status.as_str().to_owned(),
            amount: record.state.amount,
            currency: record.currency.clone(),
            authorised: record.state.authorised,
            held: record.state.capturable(),
            captured: record.state.captured,
            captures: record.state.captures,
            released: record.state.released,
            refunded: record.state.refunded,
            refunds: refunds.get(record.id.as_str()).copied().unwrap_or(0),
            disputed: record.state.disputed,
            metadata: record.metadata.clone(),
        };
        Self {
            intents: account.intents.rows().map(entry).collect(),
        }
    }

    /// The intent with this id.
    pub fn get(&self, id: &str) -> Option<&Entry> {
        self.intents.iter().find(|entry| entry.id == id)
    }

    /// The intents on which the shop wrote `value` under `key`, oldest first.
    pub fn with(&self, key: &str, value: &str) -> impl Iterator<Item = &Entry> {
        self.intents
            .iter()
            .filter(move |entry| entry.metadata.get(key).is_some_and(|written| written == value))
    }

    /// What the shop has in all.
    pub fn kept(&self) -> i64 {
        self.intents.iter().map(Entry::kept).sum()
    }

    /// What is on hold in all.
    pub fn held(&self) -> i64 {
        self.intents.iter().map(|entry| entry.held).sum()
    }
}
