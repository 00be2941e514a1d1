//! An order costs what its tickets' sellers asked for, and Stripe is asked for that.

use std::collections::{BTreeSet, HashMap};

use mongodb::bson::Document;
use mongodb::bson::oid::ObjectId;

use crate::faults::books::order_of;
use crate::faults::evidence::Evidence;
use crate::faults::store_history::Kept;

pub(super) fn are_the_sellers(evidence: &Evidence) -> Vec<String> {
    let mut asked: HashMap<(ObjectId, i64), i64> = HashMap::new();
    let mut totals: HashMap<ObjectId, i64> = HashMap::new();
    let mut wrong = Vec::new();
    // Of tickets before orders, though an order may be committed only after its tickets: a state is looked up by version.
    for state in evidence.states.iter().filter(|state| state.kept == Kept::Tickets) {
        if let Some(document) = &state.document
            && let (Ok(version), Ok(price)) = (document.get_i64("version"), document.get_i64("price"))
        {
            asked.insert((state.id, version), price);
        }
    }
    for state in evidence.states.iter().filter(|state| state.kept == Kept::Claims) {
        let Some(document) = &state.document else { continue };
        if !document.get_str("kind").is_ok_and(|kind| kind == "order") {
            continue;
        }
        let (paid, total) = (bought(document), document.get_i64("total").unwrap_or_default());
        for (ticket, version, price) in &paid {
            let right = asked.get(&(*ticket, *version));
            if right != Some(price) {
                wrong.push(format!(
                    "order {} has ticket {ticket} at version {version} for {price}, its seller asked {right:?}",
                    state.id
                ));
            }
        }
        let sum: i64 = paid.iter().map(|(_, _, price)| price).sum();
        if sum != total {
            wrong.push(format!("order {} costs {total}, its tickets {sum}", state.id));
        }
        totals.insert(state.id, total);
    }
    for entry in &evidence.ledger.intents {
        let total = order_of(entry).and_then(|order| totals.get(&ObjectId::from_bytes(order.bytes())));
        if total != Some(&entry.amount) {
            wrong.push(format!(
                "{} is for {} cents, its order costs {total:?}",
                entry.id, entry.amount
            ));
        }
    }
    wrong.sort();
    wrong.dedup();
    wrong
}

/// What somebody buys: a title for a price.
type Offer = (String, i64);

/// A ticket cannot be edited while an order holds it, so what is paid for it is what it cost when it was claimed. Its
/// version may be a later one: settling an edit that was left behind raises it and changes nothing else.
pub(super) fn are_of_the_day(evidence: &Evidence) -> Vec<String> {
    let mut current: HashMap<ObjectId, Offer> = HashMap::new();
    let mut claimed: HashMap<ObjectId, HashMap<ObjectId, Offer>> = HashMap::new();
    let mut wrong = BTreeSet::new();
    for state in &evidence.states {
        let Some(document) = &state.document else { continue };
        match state.kept {
            Kept::Tickets => {
                current.extend(offer(document).map(|offer| (state.id, offer)));
            }
            Kept::Claims => {
                let paid = offers(document);
                let then = claimed.entry(state.id).or_insert_with(|| {
                    let tickets = paid.iter().map(|(ticket, _)| *ticket);
                    tickets
                        .filter_map(|ticket| Some((ticket, current.get(&ticket)?.clone())))
                        .collect()
                });
                // What is given up before anybody is told of it may have an old price.
                if !matches!(document.get_str("status"), Ok("awaiting:payment" | "complete")) {
                    continue;
                }
                for (ticket, paid) in paid {
                    let right = then.get(&ticket);
                    if right != Some(&paid) {
                        wrong.insert(format!(
                            "order {} is paid with ticket {ticket} as {paid:?}, and it was {right:?}",
                            state.id
                        ));
                    }
                }
            }
            Kept::Payments => {}
        }
    }
    wrong.into_iter().collect()
}

fn tickets(order: &Document) -> impl Iterator<Item = &Document> {
    let tickets = order.get_array("tickets").into_iter().flatten();
    tickets.filter_map(|ticket| ticket.as_document())
}

fn offer(ticket: &Document) -> Option<Offer> {
    let title = ticket.get_str("title").ok()?;
    Some((title.to_owned(), ticket.get_i64("price").ok()?))
}

fn offers(order: &Document) -> Vec<(ObjectId, Offer)> {
    let read = |ticket: &Document| Some((ticket.get_object_id("id").ok()?, offer(ticket)?));
    tickets(order).filter_map(read).collect()
}

fn bought(order: &Document) -> Vec<(ObjectId, i64, i64)> {
    let read = |ticket: &Document| {
        Some((
            ticket.get_object_id("id").ok()?,
            ticket.get_i64("version").ok()?,
            ticket.get_i64("price").ok()?,
        ))
    };
    tickets(order).filter_map(read).collect()
}

#[cfg(test)]
mod tests {
    use mongodb::bson::doc;

    use super::super::planted::{captured, evidence, state};
    use super::*;

    #[test]
    fn another_price_than_the_sellers_is_found() {
        let (ticket, order) = (ObjectId::new(), ObjectId::from_bytes([1; 12]));
        let with_price = |price: i64, total: i64| {
            let tickets = [doc! {"id": ticket, "version": 3_i64, "price": price}];
            let document = doc! {"kind": "order", "tickets": tickets.to_vec(), "total": total};
            state(2, Kept::Claims, order, Some(document))
        };
        let mut planted = evidence();
        let listed = doc! {"version": 3_i64, "price": 2_000_i64};
        planted.states = vec![
            state(1, Kept::Tickets, ticket, Some(listed)),
            with_price(2_000, 2_000),
        ];
        planted.ledger.intents = vec![captured(1)];
        assert_eq!(are_the_sellers(&planted), Vec::<String>::new());
        planted.states[1] = with_price(50, 50);
        assert_eq!(are_the_sellers(&planted).len(), 2);
        planted.states[1] = with_price(2_000, 1_000);
        assert_eq!(are_the_sellers(&planted).len(), 2);
    }

    #[test]
    fn a_price_of_yesterday_is_found() {
        let (ticket, order) = (ObjectId::new(), ObjectId::new());
        let offered = |version: i64, price: i64| {
            let offer = doc! {"version": version, "title": "Standing", "price": price};
            state(1, Kept::Tickets, ticket, Some(offer))
        };
        let paid = |version: i64, price: i64| {
            let bought = doc! {"id": ticket, "version": version, "title": "Standing", "price": price};
            let document = doc! {"kind": "order", "tickets": [bought], "status": "complete"};
            state(3, Kept::Claims, order, Some(document))
        };
        let mut planted = evidence();
        planted.states = vec![offered(0, 2_000), offered(1, 3_000), paid(1, 3_000)];
        assert!(are_of_the_day(&planted).is_empty());
        planted.states = vec![offered(0, 2_000), offered(1, 3_000), paid(0, 2_000)];
        assert_eq!(are_of_the_day(&planted).len(), 1);
        // Once it is refunded and relisted, it may cost something else.
        planted.states = vec![offered(0, 2_000), paid(0, 2_000), offered(1, 3_000)];
        assert!(are_of_the_day(&planted).is_empty());
    }

    #[test]
    fn a_version_that_changed_nothing_is_no_other_price() {
        let (ticket, order) = (ObjectId::new(), ObjectId::new());
        let offered = |version: i64, title: &str| {
            let offer = doc! {"version": version, "title": title, "price": 2_000_i64};
            state(1, Kept::Tickets, ticket, Some(offer))
        };
        let bought = doc! {"id": ticket, "version": 3_i64, "title": "Standing", "price": 2_000_i64};
        let document = doc! {"kind": "order", "tickets": [bought], "status": "complete"};
        let paid = state(3, Kept::Claims, order, Some(document));
        let mut planted = evidence();
        planted.states = vec![offered(3, "Standing"), offered(4, "Standing"), paid.clone()];
        assert!(are_of_the_day(&planted).is_empty());
        planted.states = vec![offered(3, "Standing"), offered(4, "Row F"), paid];
        assert_eq!(are_of_the_day(&planted).len(), 1);
    }
}
