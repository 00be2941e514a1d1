//! Who holds a ticket, as shown in answers: kept on the ticket's document, from the news of orders. It raises no version
//! and is no event of ours.

use bigtix_contracts::TicketId;
use bigtix_contracts::api::tickets::TicketStatus;
use bigtix_contracts::events::{OrderStatus, Turn};
use bigtix_service::mongo::{BulkOutcome, Update, UpdateOne, duplicate_key_in, to_object_id};
use bson::{Bson, Document, Timestamp, doc};
use mongodb::error::Error;

use super::documents::status_word;
use super::tickets::{TICKETS, Tickets};
use crate::domain::hold::{Hold, is_open};

impl Tickets {
    /// Shows each hold on its ticket, unless something newer is known there.
    ///
    /// A refunded ticket that goes back on sale wants its serial number again. If somebody has listed that in the
    /// meantime, it goes on sale without.
    pub(crate) async fn show_holds(&self, holds: &[(TicketId, Hold)]) -> Result<(), Error> {
        let updates = holds
            .iter()
            .map(|(ticket, hold)| show(*ticket, hold, true))
            .collect();
        let outcome = self.mongo.bulk_update(TICKETS, updates).await?;
        let refused = |(index, code, message): &(usize, i32, String)| {
            duplicate_key_in(*code, message)
                .and(holds.get(*index))
                .map(|(ticket, hold)| show(*ticket, hold, false))
        };
        let again: Vec<UpdateOne> = outcome.errors.iter().filter_map(refused).collect();
        check(&outcome)?;
        if !again.is_empty() {
            check(&self.mongo.bulk_update(TICKETS, again).await?)?;
        }
        Ok(())
    }
}

fn check(outcome: &BulkOutcome) -> Result<(), Error> {
    match outcome.first_failure() {
        Some((_, code, message)) => Err(Error::custom(format!("an update failed with {code}: {message}"))),
        None => Ok(()),
    }
}

fn show(ticket: TicketId, hold: &Hold, may_open: bool) -> UpdateOne {
    let (status, order_id) = hold.shown();
    let unless_withdrawn = |shown: Bson, hidden: Bson| doc! {"$cond": ["$withdrawn", hidden, shown]};
    let order_id = order_id.map_or(Bson::Null, |id| to_object_id(id.bytes()).into());
    let withdrawn = status_word(TicketStatus::Withdrawn);
    let set = doc! {
        "hold": write(hold),
        "status": unless_withdrawn(status_word(status).into(), withdrawn.into()),
        "orderId": unless_withdrawn(order_id, Bson::Null),
        "open": unless_withdrawn((is_open(status) && may_open).into(), false.into()),
    };
    let mut filter = superseded_by(hold);
    filter.insert("_id", to_object_id(ticket.bytes()));
    UpdateOne {
        filter,
        update: Update::Pipeline(vec![doc! {"$set": set}]),
        upsert: false,
    }
}

fn write(hold: &Hold) -> Document {
    let Hold {
        order_id,
        created_millis,
        turn,
        version,
        status,
        holds,
    } = hold;
    let mut document = doc! {
        "orderId": to_object_id(order_id.bytes()),
        "createdAt": bson::DateTime::from_millis(*created_millis),
        "version": *version,
        "status": order_word(*status),
        "holds": *holds,
    };
    if let Some(turn) = turn {
        document.insert("turn", timestamp(*turn));
    }
    document
}

fn timestamp(Turn { seconds, ordinal }: Turn) -> Timestamp {
    Timestamp {
        time: seconds,
        increment: ordinal,
    }
}

/// [`Hold::supersedes`], as the store asks it.
fn superseded_by(hold: &Hold) -> Document {
    let order = to_object_id(hold.order_id.bytes());
    let time = bson::DateTime::from_millis(hold.created_millis);
    let mut earlier = vec![doc! {"hold.createdAt": {"$lt": time}}];
    if hold.holds {
        earlier.push(doc! {"hold.createdAt": time, "hold.holds": false});
    }
    let mut of_another = doc! {"$or": earlier};
    if let Some(turn) = hold.turn {
        of_another.insert("hold.turn", Bson::Null);
        let before = doc! {"hold.turn": {"$lt": timestamp(turn)}};
        of_another = doc! {"$or": [before, of_another]};
    }
    of_another.insert("hold.orderId", doc! {"$ne": order});
    doc! {"$or": [
        {"hold": {"$exists": false}},
        {"hold.orderId": order, "hold.version": {"$lt": hold.version}},
        of_another,
    ]}
}

fn order_word(status: OrderStatus) -> &'static str {
    match status {
        OrderStatus::Created => "created",
        OrderStatus::AwaitingPayment => "awaiting:payment",
        OrderStatus::Complete => "complete",
        OrderStatus::Cancelled => "cancelled",
        OrderStatus::Refunded => "refunded",
    }
}

#[cfg(test)]
mod tests {
    use bigtix_contracts::events::TicketState;
    use bigtix_contracts::{Cents, UserId};
    use bigtix_service::Settings;
    use bigtix_service::mongo::{Mongo, MongoConfig, new_id};
    use bigtix_testkit::stores::shared;
    use jiff::Timestamp;
    use proptest::prelude::*;
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;

    use super::*;
    use crate::domain::hold::tests::histories;

    async fn tickets() -> Tickets {
        let database = shared().database();
        let values = [("MONGODB_URI", database.uri), ("MONGODB_DATABASE", database.name)];
        let values = values.map(|(name, value)| (name.to_owned(), value));
        let config = MongoConfig::read(&mut Settings::from_map(values.into()), "tickets");
        Tickets::prepare(Mongo::connect(&config).await.unwrap())
            .await
            .unwrap()
    }

    async fn list(tickets: &Tickets) -> TicketId {
        let id = TicketId::from_bytes(new_id());
        let state = TicketState {
            id,
            user_id: UserId::from_bytes([1; 12]),
            title: "T".into(),
            price: Cents(50),
            description: String::new(),
            serial_number: id.to_string(),
            event_id: None,
            event: None,
            withdrawn: false,
            created_at: Timestamp::UNIX_EPOCH,
        };
        tickets.insert(&[state], None).await.unwrap();
        id
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_store_decides_like_the_rule_whatever_order_the_news_comes_in() {
        let tickets = tickets().await;
        let mut runner = TestRunner::deterministic();
        let arrivals =
            histories().prop_flat_map(|history| (Just(history.clone()), Just(history).prop_shuffle()));
        for _ in 0..40 {
            let (history, arrival) = arrivals.new_tree(&mut runner).unwrap().current();
            let id = list(&tickets).await;
            for hold in arrival.iter().chain(&arrival) {
                tickets.show_holds(&[(id, *hold)]).await.unwrap();
            }
            let ticket = tickets.find(id).await.unwrap().unwrap();
            let last = history.last().unwrap().shown();
            assert_eq!((ticket.status, ticket.order_id), last, "{arrival:?}");
            assert_eq!(ticket.version, 0);
        }
    }
}
