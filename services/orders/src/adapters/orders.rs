//! Reading orders and changing them by compare-and-set.

use std::time::Duration;

use std::collections::HashMap;

use bigtix_contracts::events::{OrderState, Versioned};
use bigtix_contracts::{OrderId, UserId};
use bigtix_service::clock::StoreClock;
use bigtix_service::http::Page;
use bigtix_service::mongo::{GroupedChanges, to_bson_time};
use bson::{DateTime, Document, doc};
use futures::TryStreamExt;
use mongodb::error::Error;
use mongodb::options::Hint;

use super::Claims;
use super::claims::HELD;
use super::documents::{HeldRow, OrderDocument, oid};
use crate::domain::order::{Applied, Command, Guard, Verdict, decide, is_overdue};

/// How often a compare-and-set that lost is decided anew.
const ATTEMPTS: u32 = 12;
/// Before the second one; each later one waits longer by as much.
const PAUSE: Duration = Duration::from_millis(2);

/// The orders among the claims, with the clock that decides on expiry.
#[derive(Clone)]
pub(crate) struct Orders {
    claims: Claims,
    changes: GroupedChanges,
    clock: StoreClock,
}

fn all_orders() -> Document {
    doc! {"kind": "order"}
}

impl Orders {
    /// Orders in `claims`, expiring by `clock`.
    pub(crate) fn new(claims: Claims, clock: StoreClock) -> Self {
        Self {
            changes: claims.changes(),
            claims,
            clock,
        }
    }

    /// The order as it is now; an overdue one is expired first.
    pub(crate) async fn find(&self, id: OrderId) -> Result<Option<Versioned<OrderState>>, Error> {
        match self.find_stored(id).await? {
            Some(order) => self.expire_if_overdue(order).await.map(Some),
            None => Ok(None),
        }
    }

    async fn find_stored(&self, id: OrderId) -> Result<Option<Versioned<OrderState>>, Error> {
        // The store needs no plan to find an id, and would need one to look at the kind, too.
        let claim = self.claims.raw().find_one(doc! {"_id": oid(id.bytes())}).await?;
        let order = claim.filter(|claim| matches!(claim.get_str("kind"), Ok("order")));
        order
            .map(|order| bson::deserialize_from_slice(order.as_bytes()).map(OrderDocument::into_order))
            .transpose()
            .map_err(Error::custom)
    }

    /// A buyer's orders, newest first; one more than the page holds, where there are more.
    pub(crate) async fn find_of(
        &self,
        user: UserId,
        page: &Page,
    ) -> Result<Vec<Versioned<OrderState>>, Error> {
        let mut filter = doc! {"kind": "order", "userId": oid(user.bytes())};
        if let Some(after) = page.after {
            let at = DateTime::from_millis(after.millis);
            filter.insert(
                "$or",
                vec![
                    doc! {"createdAt": {"$lt": at}},
                    doc! {"createdAt": at, "_id": {"$lt": oid(after.id)}},
                ],
            );
        }
        let limit = i64::try_from(page.limit + 1).unwrap_or(i64::MAX);
        let rows: Vec<OrderDocument> = self
            .claims
            .orders()
            .find(filter)
            .sort(doc! {"createdAt": -1, "_id": -1})
            .limit(limit)
            .await?
            .try_collect()
            .await?;
        let mut orders = Vec::with_capacity(rows.len());
        for row in rows {
            orders.push(self.expire_if_overdue(row.into_order()).await?);
        }
        Ok(orders)
    }

    /// `order`, expired if its time is over.
    pub(crate) async fn expire_if_overdue(
        &self,
        order: Versioned<OrderState>,
    ) -> Result<Versioned<OrderState>, Error> {
        if !is_overdue(&order.state, self.clock.now()) {
            return Ok(order);
        }
        let id = order.state.id;
        Ok(self
            .apply(id, Command::Expire)
            .await?
            .map_or(order, Applied::into_order))
    }

    /// Applies `command` by compare-and-set; `None` when there is no such order.
    pub(crate) async fn apply(&self, id: OrderId, command: Command) -> Result<Option<Applied>, Error> {
        for attempt in 0..ATTEMPTS {
            // The store's clock may have to catch up with ours before it agrees that a time is over.
            if attempt > 0 {
                tokio::time::sleep(PAUSE * attempt).await;
            }
            let Some(order) = self.find_stored(id).await? else {
                return Ok(None);
            };
            match decide(&order.state, command, self.clock.now()) {
                Verdict::Already => return Ok(Some(Applied::Done(order))),
                Verdict::Refused => return self.expire_refused(order, command).await.map(Some),
                Verdict::Change(next, guard) => {
                    if let Some(changed) = self.compare_and_set(&order, &next, guard).await? {
                        return Ok(Some(Applied::Done(changed)));
                    }
                }
            }
        }
        Err(Error::custom("an order changed too often to be changed"))
    }

    /// A refusal because the time is over leaves the order expired.
    async fn expire_refused(&self, order: Versioned<OrderState>, command: Command) -> Result<Applied, Error> {
        match command {
            Command::Expire => Ok(Applied::Refused(order)),
            _ => Box::pin(self.expire_if_overdue(order))
                .await
                .map(Applied::Refused),
        }
    }

    /// Replaces version `order.version` by `next`, if the store's clock agrees with `guard` at that moment.
    pub(crate) async fn compare_and_set(
        &self,
        order: &Versioned<OrderState>,
        next: &OrderState,
        guard: Guard,
    ) -> Result<Option<Versioned<OrderState>>, Error> {
        let mut condition = doc! {"version": order.version};
        match guard {
            Guard::None => {}
            Guard::NotOverdue => drop(condition.insert("$expr", doc! {"$gt": ["$expiresAt", "$$NOW"]})),
            Guard::Overdue => drop(condition.insert("$expr", doc! {"$lte": ["$expiresAt", "$$NOW"]})),
        }
        let version = order.version + 1;
        let mut set =
            bson::serialize_to_document(&OrderDocument::new(next, version, None)).map_err(Error::custom)?;
        set.remove("_id");
        let stored = self
            .changes
            .set_if(oid(order.state.id.bytes()), condition, set)
            .await?;
        Ok(stored.then(|| Versioned {
            version,
            state: next.clone(),
        }))
    }

    /// Expires every order whose time is over, by the store's clock; returns how many.
    pub(crate) async fn sweep(&self) -> Result<u64, Error> {
        let soon = DateTime::from_millis(self.clock.now().as_millisecond() + 60_000);
        self.expire_overdue(doc! {"expiresAt": {"$lte": soon}}).await
    }

    /// Expires those of the orders whose time is over, by the store's clock; returns how many.
    pub(crate) async fn expire(&self, ids: &[OrderId]) -> Result<u64, Error> {
        let ids: Vec<_> = ids.iter().map(|id| oid(id.bytes())).collect();
        self.expire_overdue(doc! {"_id": {"$in": ids}}).await
    }

    async fn expire_overdue(&self, among: Document) -> Result<u64, Error> {
        let mut filter = all_orders();
        filter.extend(among);
        filter.extend(doc! {"status": "created", "$expr": {"$lte": ["$expiresAt", "$$NOW"]}});
        let expire = doc! {"$set": {"status": "cancelled", "reason": "expired", "active": false, "version": {"$add": ["$version", 1_i64]}}};
        Ok(self
            .claims
            .orders()
            .update_many(filter, vec![expire])
            .await?
            .modified_count)
    }

    /// How many tickets each of `users` holds in created orders.
    pub(crate) async fn count_held(&self, users: &[UserId]) -> Result<HashMap<UserId, usize>, Error> {
        let ids: Vec<_> = users.iter().map(|user| oid(user.bytes())).collect();
        // Only orders have a buyer, so their kind need not be looked at. The index answers this alone; to group in the store
        // would cost more than all the rest, because the plan of a group is made anew each time.
        let live = doc! {"userId": {"$in": ids}, "status": "created", "expiresAt": {"$gt": to_bson_time(self.clock.now())}};
        let mut rows = self
            .claims
            .held()
            .find(live)
            .projection(doc! {"_id": 0, "userId": 1, "ticketCount": 1})
            .hint(Hint::Name(HELD.to_owned()))
            .await?;
        let mut held = HashMap::with_capacity(users.len());
        while let Some(HeldRow {
            user_id,
            ticket_count,
        }) = rows.try_next().await?
        {
            *held.entry(UserId::from_bytes(user_id.bytes())).or_default() +=
                usize::try_from(ticket_count).unwrap_or(usize::MAX);
        }
        Ok(held)
    }
}

#[cfg(test)]
mod tests {
    use bigtix_contracts::TicketId;
    use bigtix_service::mongo::new_id;
    use jiff::Timestamp;

    use super::super::claims::InsertFate;
    use super::super::claims::tests::{order, store};
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn those_expire_that_a_timer_names_and_whose_time_is_over() {
        let mongo = store().await;
        let claims = Claims::prepare(mongo.clone()).await.unwrap();
        let orders = Orders::new(claims.clone(), StoreClock::learn(&mongo).await.unwrap());
        let over = doc! {"expiresAt": to_bson_time(Timestamp::UNIX_EPOCH)};
        let mut paid_for = over.clone();
        paid_for.insert("status", "awaiting:payment");
        let cases = [
            (true, over.clone(), "cancelled"),
            (false, over, "created"),
            (true, paid_for, "awaiting:payment"),
            (true, doc! {"relisted": false}, "created"),
        ];
        let (mut placed, mut named) = (Vec::new(), Vec::new());
        for (is_named, change, expected) in cases {
            let order = order(TicketId::from_bytes(new_id()));
            let document = OrderDocument::to_insert(&order, None);
            assert_eq!(claims.insert(&[document]).await, [InsertFate::Placed]);
            let this = doc! {"_id": oid(order.id.bytes())};
            let changed = claims.raw().update_one(this.clone(), doc! {"$set": change}).await;
            assert_eq!(changed.unwrap().matched_count, 1);
            placed.push((this, expected));
            if is_named {
                named.push(order.id);
            }
        }
        assert_eq!(orders.expire(&named).await.unwrap(), 1);
        for (this, expected) in placed {
            let row = claims.raw().find_one(this).await.unwrap().unwrap();
            assert_eq!(row.get_str("status").unwrap(), expected);
        }
    }
}
