//! Who holds a ticket, as shown in answers: kept on the ticket's document, from the news of orders. It raises no version
//! and is no event of ours.

use bigtix_contracts::TicketId;
use bigtix_contracts::events::{OrderStatus, Turn};
use bigtix_service::mongo::{duplicate_key, to_object_id};
use bson::{Bson, Document, Timestamp, doc};
use mongodb::error::Error;

use super::documents::status_word;
use super::tickets::Tickets;
use crate::domain::hold::{Hold, is_open};

/// So many holds go in one command.
const TOGETHER: usize = 500;

/// Whether a ticket that is shown as open takes its serial number.
#[derive(Clone, Copy)]
enum Serial {
    Taken,
    /// Somebody else has listed it.
    LeftToOthers,
}

impl Tickets {
    /// Shows each hold on its ticket, unless something newer is known there. No ticket may be given twice.
    ///
    /// A refunded ticket that goes back on sale wants its serial number again. If somebody has listed that in the
    /// meantime, it goes on sale without.
    pub(crate) async fn show_holds(&self, holds: &[(TicketId, Hold)]) -> Result<(), Error> {
        for holds in holds.chunks(TOGETHER) {
            match self.show(holds, Serial::Taken).await {
                Err(error) if duplicate_key(&error).is_some() => self.show_one_by_one(holds).await?,
                shown => shown?,
            }
        }
        Ok(())
    }

    /// A command ends with the first serial number that it cannot have.
    async fn show_one_by_one(&self, holds: &[(TicketId, Hold)]) -> Result<(), Error> {
        for hold in holds.chunks(1) {
            match self.show(hold, Serial::Taken).await {
                Err(error) if duplicate_key(&error).is_some() => {
                    self.show(hold, Serial::LeftToOthers).await?;
                }
                shown => shown?,
            }
        }
        Ok(())
    }

    /// One statement, which finds each ticket's hold by the ticket's place in a list: to plan a statement for each of them
    /// would cost twice as much as all the rest.
    async fn show(&self, holds: &[(TicketId, Hold)], serial: Serial) -> Result<(), Error> {
        let ids: Vec<_> = holds
            .iter()
            .map(|(ticket, _)| to_object_id(ticket.bytes()))
            .collect();
        let news: Vec<_> = holds.iter().map(|(_, hold)| news(hold, serial)).collect();
        let place = doc! {"$indexOfArray": [{"$literal": &ids}, "$_id"]};
        let shown = doc! {"$mergeObjects": [
            "$$ROOT",
            {"hold": "$$news.hold"},
            {"$cond": ["$withdrawn", {}, "$$news.shown"]},
        ]};
        let next = doc! {"$let": {
            "vars": {"news": {"$arrayElemAt": [{"$literal": news}, place]}},
            "in": {"$cond": [supersedes(), shown, "$$ROOT"]},
        }};
        let update = vec![doc! {"$replaceWith": next}];
        let tickets = doc! {"_id": {"$in": ids}};
        self.tickets.update_many(tickets, update).await.map(|_| ())
    }
}

/// What a ticket is given that is held so: the hold, and what is shown of it unless the ticket is withdrawn.
fn news(hold: &Hold, serial: Serial) -> Document {
    let (status, order_id) = hold.shown();
    let open = match serial {
        Serial::Taken => is_open(status),
        Serial::LeftToOthers => false,
    };
    doc! {
        "hold": write(hold),
        "shown": {
            "status": status_word(status),
            "orderId": order_id.map_or(Bson::Null, |id| to_object_id(id.bytes()).into()),
            "open": open,
        },
    }
}

/// [`Hold::supersedes`] of `$$news.hold` and what the ticket has, as the store decides it.
fn supersedes() -> Document {
    let ordered = |operator: &str, field: &str| doc! {operator: [format!("$$news.hold.{field}"), format!("$hold.{field}")]};
    let has_turn = |hold: &str| doc! {"$eq": [{"$type": format!("{hold}.turn")}, "timestamp"]};
    let placed_later = doc! {"$or": [
        ordered("$gt", "createdAt"),
        {"$and": [ordered("$eq", "createdAt"), "$$news.hold.holds", {"$not": ["$hold.holds"]}]},
    ]};
    doc! {"$switch": {
        "branches": [
            {"case": {"$eq": [{"$type": "$hold"}, "missing"]}, "then": true},
            {"case": ordered("$eq", "orderId"), "then": ordered("$gt", "version")},
            {"case": {"$and": [has_turn("$$news.hold"), has_turn("$hold")]}, "then": ordered("$gt", "turn")},
        ],
        "default": placed_later,
    }}
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
    use bigtix_contracts::api::tickets::TicketStatus;
    use bigtix_contracts::events::TicketState;
    use bigtix_contracts::{Cents, OrderId, UserId};
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
        let arrivals = histories().prop_flat_map(|history| {
            let doubled: Vec<Hold> = history.iter().chain(&history).copied().collect();
            (Just(history), Just(doubled).prop_shuffle())
        });
        let mut lives = Vec::new();
        for _ in 0..200 {
            let (history, arrival) = arrivals.new_tree(&mut runner).unwrap().current();
            lives.push((list(&tickets).await, history, arrival));
        }
        let longest = lives.iter().map(|(_, _, arrival)| arrival.len()).max().unwrap();
        for step in 0..longest {
            let news = lives
                .iter()
                .filter_map(|(id, _, arrival)| Some((*id, *arrival.get(step)?)));
            tickets.show_holds(&news.collect::<Vec<_>>()).await.unwrap();
        }
        for (id, history, arrival) in lives {
            let ticket = tickets.find(id).await.unwrap().unwrap();
            let last = history.last().unwrap().shown();
            assert_eq!((ticket.status, ticket.order_id), last, "{arrival:?}");
            assert_eq!(ticket.version, 0);
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_serial_number_that_is_taken_keeps_no_other_ticket_from_its_news() {
        let tickets = tickets().await;
        let mut sold = Vec::new();
        for number in 1..=5 {
            sold.push((list(&tickets).await, complete(number)));
        }
        tickets.show_holds(&sold).await.unwrap();
        let (taken, _) = sold[2];
        let again = TicketState {
            id: TicketId::from_bytes(new_id()),
            ..tickets.find(taken).await.unwrap().unwrap().state
        };
        tickets.insert(&[again], None).await.unwrap();
        let refunded = |(id, hold): &(TicketId, Hold)| {
            let hold = Hold {
                version: hold.version + 1,
                status: OrderStatus::Refunded,
                holds: false,
                ..*hold
            };
            (*id, hold)
        };
        let refunded: Vec<_> = sold.iter().map(refunded).collect();
        tickets.show_holds(&refunded).await.unwrap();
        for (id, _) in sold {
            let ticket = tickets.find(id).await.unwrap().unwrap();
            assert_eq!(ticket.status, TicketStatus::Available);
            let open = tickets.seller_of_open(&ticket.state.serial_number).await.unwrap();
            assert!(open.is_some(), "{id}");
        }
    }

    fn complete(number: u8) -> Hold {
        Hold {
            order_id: OrderId::from_bytes([number; 12]),
            created_millis: 0,
            turn: Some(Turn {
                seconds: 1,
                ordinal: number.into(),
            }),
            version: 2,
            status: OrderStatus::Complete,
            holds: true,
        }
    }
}
