//! The load: buyers who fight over few tickets, sellers, an administrator who gives money back, newcomers. What each
//! wants next comes from the seed; what it is answered does not.

mod buyer;
mod staff;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use bigtix_client::Client;
use bigtix_testkit::stripe::Running;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use self::buyer::Buyer;
use self::staff::{Newcomers, Seller};
use super::asker::{Account, Asker, Request};
use super::history::{Action, Outcome};
use super::market::Market;
use super::site::ADMINISTRATOR;
use crate::world::{PASSWORD, concert, unique};

const BUYERS: usize = 10;
const SELLERS: usize = 2;
/// How often a request whose outcome is unknown is repeated at once.
const REPETITIONS: usize = 2;

/// Everybody, between two stretches of work.
pub struct People {
    /// What they have in common.
    pub market: Arc<Market>,
    /// Those who have orders.
    pub buyers: Vec<Account>,
    asker: Asker,
    stripe: Arc<Running>,
    sellers: Vec<Account>,
    administrator: Account,
    seed: u64,
    stretch: u64,
}

impl People {
    /// Signs everybody up, while nothing is wrong yet.
    ///
    /// # Errors
    /// When the shop refuses somebody.
    pub async fn gather(url: &str, asker: Asker, stripe: Arc<Running>, seed: u64) -> Result<Self> {
        let client = Client::new(url);
        let mut accounts = Vec::new();
        for _ in 0..BUYERS + SELLERS {
            accounts.push(sign_up(&client, &format!("{}@faults.test", unique("p"))).await?);
        }
        let administrator = sign_up(&client, ADMINISTRATOR).await?;
        let sellers = accounts.split_off(BUYERS);
        let event = concert("Symphony No. 9");
        let seller = client.signed_in(sellers[0].token.clone());
        let event = seller.add_event(&event).await.context("an event")?;
        Ok(Self {
            market: Arc::new(Market::new(event.id)),
            buyers: accounts,
            asker,
            stripe,
            sellers,
            administrator,
            seed,
            stretch: 0,
        })
    }

    /// Sets everybody to work; they end when the market is stopped.
    pub fn work(&mut self) -> Vec<tokio::task::JoinHandle<()>> {
        self.stretch += 1;
        self.market.stop(false);
        let stretch = self.seed.wrapping_mul(1_000_003).wrapping_add(self.stretch << 32);
        let mut number = 0;
        let mut worker = |account: &Account| {
            number += 1;
            Worker {
                asker: self.asker.clone(),
                market: Arc::clone(&self.market),
                account: account.clone(),
                random: StdRng::seed_from_u64(stretch.wrapping_add(number)),
                keys: format!("{}-{number}", self.stretch),
                made: 0,
            }
        };
        let mut tasks = Vec::new();
        for account in &self.buyers {
            let buyer = Buyer::new(worker(account), Arc::clone(&self.stripe));
            tasks.push(tokio::spawn(buyer.work()));
        }
        for account in &self.sellers {
            let seller = Seller::new(worker(account), self.administrator.clone());
            tasks.push(tokio::spawn(seller.work()));
        }
        tasks.push(tokio::spawn(Newcomers(worker(&self.administrator)).work()));
        tasks
    }
}

async fn sign_up(client: &Client, email: &str) -> Result<Account> {
    let session = client
        .sign_up(email, PASSWORD)
        .await
        .with_context(|| format!("signing {email} up"))?;
    Ok(Account {
        user: session.user.id,
        token: session.token,
    })
}

/// What everybody who works has.
struct Worker {
    asker: Asker,
    market: Arc<Market>,
    account: Account,
    random: StdRng,
    /// What this worker's idempotency keys begin with.
    keys: String,
    made: u64,
}

impl Worker {
    /// A key that nobody has used.
    fn key(&mut self) -> String {
        self.made += 1;
        format!("{}-{}", self.keys, self.made)
    }

    /// True in so many cases of a hundred.
    fn chance(&mut self, percent: u32) -> bool {
        self.random.random_ratio(percent, 100)
    }

    /// Takes a moment before the next turn.
    async fn think(&mut self) {
        let millis = self.random.random_range(5..60);
        tokio::time::sleep(Duration::from_millis(millis)).await;
    }

    /// Asks without a key.
    async fn ask(&self, action: Action) -> Outcome {
        self.ask_with(action, None).await
    }

    async fn ask_with(&self, action: Action, body: Option<serde_json::Value>) -> Outcome {
        let request = Request {
            action,
            body,
            key: None,
        };
        self.asker.ask(Some(&self.account), &request).await
    }

    /// Asks with a key; repeats what nobody knows the outcome of, and now and then what is known.
    async fn insist(&mut self, action: Action, body: serde_json::Value) -> Outcome {
        let account = self.account.clone();
        self.insist_as(&account, action, body).await
    }

    async fn insist_as(&mut self, account: &Account, action: Action, body: serde_json::Value) -> Outcome {
        let request = Request {
            action,
            body: Some(body),
            key: Some(self.key()),
        };
        let mut outcome = if self.chance(5) {
            // Somebody pressed the button twice.
            let (first, _) = futures::join!(
                self.asker.ask(Some(account), &request),
                self.asker.ask(Some(account), &request)
            );
            first
        } else {
            self.asker.ask(Some(account), &request).await
        };
        for _ in 0..REPETITIONS {
            match outcome {
                Outcome::Unknown { .. } => {}
                Outcome::Ok { .. } if self.chance(5) => {}
                Outcome::Ok { .. } | Outcome::Failed { .. } => return outcome,
            }
            self.think().await;
            outcome = self.asker.ask(Some(account), &request).await;
        }
        if let Outcome::Unknown { .. } = outcome {
            self.market.leave_open(account.clone(), request);
        }
        outcome
    }
}
