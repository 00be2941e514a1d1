//! One partition: a database with claims of its own, and everything that decides about them. A shop has one, unless it was
//! made with more.

use std::sync::Mutex;

use bigtix_service::clock::StoreClock;
use bigtix_service::internal::Peer;
use bigtix_service::mongo::Mongo;
use bigtix_service::{StartContext, StartError};

use super::Rules;
use super::counter::{self, Batch, Clerk, Counter};
use super::place_any::Pools;
use super::second_look::SecondLook;
use crate::adapters::copies::Memory;
use crate::adapters::{Claims, Copies, Orders};
use crate::domain::partition::Share;

/// A partition's use cases, and what they need. No promise spans two partitions.
#[derive(Clone)]
pub(crate) struct Partition {
    pub(super) share: Share,
    pub(super) claims: Claims,
    pub(super) copies: Copies,
    pub(crate) orders: Orders,
    pub(super) second_look: SecondLook,
    pub(crate) clock: StoreClock,
    pub(super) counter: Counter,
    pub(super) pools: Pools,
}

/// Prepares the partition that is in this database, and the clerk of its counter.
pub(crate) async fn open_partition(
    share: Share,
    mongo: &Mongo,
    owner: Peer,
    memory: Memory,
    rules: Rules,
) -> Result<(Partition, Clerk<Batch>), StartError> {
    let clock = StoreClock::learn(mongo).await.trying_to("read MongoDB's clock")?;
    let claims = Claims::prepare(mongo.clone())
        .await
        .trying_to("prepare the claims")?;
    let copies = Copies::prepare(mongo.clone(), owner, memory)
        .await
        .trying_to("prepare the copies")?;
    let orders = Orders::new(claims.clone(), clock.clone());
    let second_look = SecondLook {
        copies: copies.clone(),
        orders: orders.clone(),
    };
    let (counter, clerk) = counter::open(Batch {
        share,
        claims: claims.clone(),
        copies: copies.clone(),
        orders: orders.clone(),
        second_look: second_look.clone(),
        clock: clock.clone(),
        rules,
        held_lately: Mutex::default(),
    });
    let partition = Partition {
        share,
        claims,
        copies,
        orders,
        second_look,
        clock,
        counter,
        pools: Pools::new(),
    };
    Ok((partition, clerk))
}
