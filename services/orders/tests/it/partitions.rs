//! Two partitions on one machine: what holds in a shop of one holds in each, and nobody need know which is which.

use std::collections::BTreeSet;

use bigtix_contracts::events::{TicketState, Versioned};
use bigtix_contracts::internal::{
    Claim, ClaimKind, ClaimOutcome, ConfirmOrder, ConfirmOutcome, SettleOrder, paths,
};
use bigtix_contracts::{OrderId, PaymentId};
use bigtix_service::Secret;
use bigtix_service::mongo::{Mongo, MongoConfig, new_id, to_object_id};
use bigtix_testkit::eventually;
use bigtix_testkit::stores::shared;
use bson::doc;
use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::shop::{Answer, CONFIRM, PARTITION_URIS, Person, Shop, id_of, message, order_id};

/// One event of each partition.
const EVENTS: [&str; 2] = ["Opera", "Circus"];

/// The partition that an order's id names.
fn partition_of(answer: &Answer) -> u8 {
    order_id(answer).bytes()[4]
}

fn list(shop: &Shop, event: &str) -> Versioned<TicketState> {
    shop.catalogue.list(1000, Some(event))
}

async fn reserve(shop: &Shop, buyer: &Person, ticket: &Versioned<TicketState>) -> Answer {
    let answer = shop.order(buyer, json!({"ticketId": ticket.state.id})).await;
    id_of(&answer);
    answer
}

/// The buyer's orders, in pages of two.
async fn listed(shop: &Shop, buyer: &Person) -> Vec<Value> {
    let (mut path, mut orders) = ("/api/orders?limit=2".to_owned(), Vec::new());
    loop {
        let answer = shop.ask_whole(buyer, Method::GET, &path, None, None).await;
        let page = answer.body.as_array().unwrap();
        assert!(page.len() <= 2);
        orders.extend(page.iter().cloned());
        match answer.headers.get("x-next-cursor") {
            Some(cursor) => path = format!("/api/orders?limit=2&cursor={}", cursor.to_str().unwrap()),
            None => return orders,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_over_two_partitions_gets_each_ticket_once_and_every_ticket() {
    let shop = Shop::open_in_two(&[]).await;
    let tickets: Vec<_> = EVENTS
        .iter()
        .flat_map(|event| (0..30).map(|_| list(&shop, event)).collect::<Vec<_>>())
        .collect();
    let wishes = (0..200).map(|n| match n % 4 {
        0 | 1 => json!({"eventId": EVENTS[n % 2]}),
        _ => json!({"ticketId": tickets[n * 7 % tickets.len()].state.id}),
    });
    let buyers: Vec<_> = wishes.map(|wish| (shop.person(), wish)).collect();
    let mut answers = join_all(buyers.iter().map(|(buyer, wish)| shop.order(buyer, wish.clone()))).await;
    // Whoever wanted a certain ticket may have left others: they are there for those who take any.
    for event in EVENTS {
        loop {
            let answer = shop.order(&shop.person(), json!({"eventId": event})).await;
            if message(&answer) == (400, "Sold out") {
                break;
            }
            id_of(&answer);
            answers.push(answer);
        }
    }
    let sold: Vec<&Answer> = answers.iter().filter(|answer| answer.0 == 201).collect();
    let different: BTreeSet<String> = sold
        .iter()
        .map(|answer| answer.1["ticket"]["id"].to_string())
        .collect();
    assert_eq!((sold.len(), different.len()), (tickets.len(), tickets.len()));
    for (number, event) in EVENTS.into_iter().enumerate() {
        let of_event = sold
            .iter()
            .filter(|answer| answer.1["ticket"]["eventId"] == event);
        let partitions: Vec<u8> = of_event.map(|answer| partition_of(answer)).collect();
        assert_eq!(partitions, [u8::try_from(number).unwrap(); 30]);
    }
    let refused: BTreeSet<(u16, &str)> = answers
        .iter()
        .filter(|answer| answer.0 != 201)
        .map(message)
        .collect();
    let rules = BTreeSet::from([(400, "Sold out"), (400, "Ticket is already reserved")]);
    assert!(refused.is_subset(&rules), "{refused:?}");
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_read_listed_paid_and_cancelled_wherever_it_is() {
    let shop = Shop::open_in_two(&[]).await;
    let buyer = shop.person();
    let mut placed = Vec::new();
    for n in 0..7 {
        placed.push(reserve(&shop, &buyer, &list(&shop, EVENTS[n * n % 4 % 2])).await);
    }
    let newest_first: Vec<&str> = placed.iter().rev().map(id_of).collect();
    let orders = listed(&shop, &buyer).await;
    let ids: Vec<&str> = orders.iter().map(|order| order["id"].as_str().unwrap()).collect();
    assert_eq!(ids, newest_first);
    assert!(listed(&shop, &shop.person()).await.is_empty());

    for answer in &placed[..4] {
        let (id, order_id) = (id_of(answer), order_id(answer));
        let safe = format!("/api/orders/get-order-safe-details/{id}");
        assert_eq!(
            shop.ask(&shop.person(), Method::GET, &safe, None).await.1["id"],
            id
        );
        let payment_id = PaymentId::from_bytes(new_id());
        let confirm = ConfirmOrder { order_id, payment_id };
        let outcome: ConfirmOutcome = shop.call(CONFIRM, &confirm).await;
        assert!(matches!(outcome, ConfirmOutcome::Done { .. }));
        let settle = SettleOrder { order_id, payment_id };
        let _: ConfirmOutcome = shop.call(paths::COMPLETE, &settle).await;
        assert_eq!(shop.read(&buyer, id).await.1["status"], "complete");
    }
    for answer in &placed[4..] {
        let path = format!("/api/orders/{}", id_of(answer));
        assert_eq!(shop.ask(&buyer, Method::DELETE, &path, None).await.0, 204);
        let again = json!({"ticketId": answer.1["ticket"]["id"]});
        id_of(&shop.order(&shop.person(), again).await);
    }
    // No partition has such a number.
    let nowhere = OrderId::from_bytes([255; 12]);
    assert_eq!(shop.read(&buyer, &nowhere.to_string()).await.0, 404);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_expire_in_each_partition_although_nobody_looks() {
    let shop = Shop::open_in_two(&[("RESERVATION_SECONDS", "1")]).await;
    let home = shop.setting("MONGODB_DATABASE");
    for (event, database) in EVENTS.into_iter().zip([home.to_owned(), format!("{home}-1")]) {
        let ticket = list(&shop, event);
        let order = order_id(&reserve(&shop, &shop.person(), &ticket).await);
        let config = MongoConfig {
            uri: Secret::new(shop.setting(PARTITION_URIS)),
            database,
        };
        let claims = Mongo::connect(&config).await.unwrap().collection("claims");
        eventually("the order has expired", async || {
            let expired = doc! {"_id": to_object_id(order.bytes()), "reason": "expired", "active": false};
            claims.find_one(expired).await.unwrap()
        })
        .await;
        reserve(&shop, &shop.person(), &ticket).await;
    }
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tickets_of_two_partitions_need_an_order_each() {
    let shop = Shop::open_in_two(&[]).await;
    let (buyer, tickets) = (shop.person(), EVENTS.map(|event| list(&shop, event)));
    let both = json!({"tickets": tickets.each_ref().map(|ticket| json!({"id": ticket.state.id}))});
    for path in ["/api/orders", "/api/orders/create"] {
        let (status, problem) = shop.ask(&buyer, Method::POST, path, Some(both.clone())).await;
        assert_eq!(
            (status, problem["code"].as_str()),
            (400, Some("tickets_apart")),
            "{path}"
        );
    }
    assert!(listed(&shop, &buyer).await.is_empty());
    for ticket in &tickets {
        let one = json!({"tickets": [{"id": ticket.state.id}]});
        let (status, order) = shop
            .ask(&buyer, Method::POST, "/api/orders/create", Some(one))
            .await;
        assert_eq!(status, 201, "{order}");
    }
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_is_claimed_in_its_own_partition_alone() {
    let shop = Shop::open_in_two(&[]).await;
    let [first, other] = EVENTS.map(|event| list(&shop, event));
    // The first one's partition is asked, which finds the other ticket as well, and that it is not its own.
    let both = json!({"tickets": [{"id": first.state.id}, {"id": other.state.id}]});
    let answer = shop.order(&shop.person(), both).await;
    assert_eq!(message(&answer), (400, "These tickets cannot be in one order"));
    reserve(&shop, &shop.person(), &other).await;
    let second = shop
        .order(&shop.person(), json!({"ticketId": other.state.id}))
        .await;
    assert_eq!(message(&second), (400, "Ticket is already reserved"));
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_and_an_order_never_both_hold_a_ticket_in_either_partition() {
    let shop = Shop::open_in_two(&[]).await;
    let claim = |ticket: &Versioned<TicketState>| Claim {
        claim_id: OrderId::from_bytes(new_id()),
        kind: ClaimKind::Edit,
        ticket_id: ticket.state.id,
    };
    for event in EVENTS {
        let reserved = list(&shop, event);
        reserve(&shop, &shop.person(), &reserved).await;
        let late: ClaimOutcome = shop.call(paths::CLAIM, &claim(&reserved)).await;
        assert_eq!(late, ClaimOutcome::Taken);
        let ticket = list(&shop, event);
        let (edit, rival) = (claim(&ticket), claim(&ticket));
        assert_eq!(
            shop.call::<_, ClaimOutcome>(paths::CLAIM, &edit).await,
            ClaimOutcome::Claimed
        );
        assert_eq!(
            shop.call::<_, ClaimOutcome>(paths::CLAIM, &rival).await,
            ClaimOutcome::Taken
        );
        shop.end_edit(edit.claim_id, &ticket).await;
        let order = reserve(&shop, &shop.person(), &ticket).await;
        assert_eq!(order.1["total"].to_string(), "20");
    }
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_finds_its_order_in_its_partition() {
    let shop = Shop::open_in_two(&[]).await;
    let buyer = shop.person();
    for event in EVENTS {
        let ticket = list(&shop, event).state.id;
        list(&shop, event);
        let wishes = [
            ("/api/orders", json!({"ticketId": ticket})),
            ("/api/orders", json!({"eventId": event})),
        ];
        for (n, (path, wish)) in wishes.into_iter().enumerate() {
            let key = format!("{event}-{n}");
            let ask = || shop.ask_with(&buyer, Method::POST, path, Some(wish.clone()), Some(&key));
            let (first, again) = (ask().await, ask().await);
            assert_eq!(id_of(&first), id_of(&again));
        }
    }
    shop.close().await;
}

/// In the first run one of the two tickets did not exist yet.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_finds_its_partial_order_although_its_tickets_are_apart_by_now() {
    let shop = Shop::open_in_two(&[]).await;
    let (buyer, ticket) = (shop.person(), list(&shop, EVENTS[1]));
    let unlisted = shop.catalogue.unlisted(1000, Some(EVENTS[0]));
    let body = json!({"tickets": [{"id": unlisted.state.id}, {"id": ticket.state.id}]});
    let ask = || {
        shop.ask_with(
            &buyer,
            Method::POST,
            "/api/orders/create",
            Some(body.clone()),
            Some("k"),
        )
    };
    let first = ask().await;
    assert_eq!(first.0, 201, "{first:?}");
    shop.catalogue.put(unlisted);
    let again = ask().await;
    assert_eq!(again.0, 201, "{again:?}");
    assert_eq!(again.1["order"]["id"], first.1["order"]["id"]);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_two_partitions_hold_is_held_after_a_death() {
    let mut shop = Shop::open_in_two(&[]).await;
    let buyer = shop.person();
    let mut held = Vec::new();
    for event in EVENTS {
        let ticket = list(&shop, event);
        held.push((reserve(&shop, &buyer, &ticket).await, ticket));
    }
    shop.restart().await;
    for (order, ticket) in &held {
        assert_eq!(shop.read(&buyer, id_of(order)).await.1["status"], "created");
        let rival = shop
            .order(&shop.person(), json!({"ticketId": ticket.state.id}))
            .await;
        assert_eq!(message(&rival), (400, "Ticket is already reserved"));
    }
    assert_eq!(listed(&shop, &buyer).await.len(), 2);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_starts_with_the_partitions_that_it_was_made_with_and_no_others() {
    let shop = Shop::open_in_two(&[]).await;
    let uri = shop.setting(PARTITION_URIS).to_owned();
    let fewer = shop.refusal(PARTITION_URIS, "").await;
    assert!(fewer.contains("made with 2 and 1 are configured"), "{fewer}");
    let more = shop.refusal(PARTITION_URIS, &format!("{uri} {uri}")).await;
    assert!(more.contains("made with 2 and 3 are configured"), "{more}");
    let name = shop.setting("MONGODB_DATABASE").to_owned();
    let second_as_first = shop.refusal("MONGODB_DATABASE", &format!("{name}-1")).await;
    assert!(
        second_as_first.contains("number 0 is another one's"),
        "{second_as_first}"
    );
    assert!(
        !fewer.contains(&uri) && !more.contains("mongodb://"),
        "an address may hold a password"
    );
    assert_eq!(shop.refusal("RESERVATION_SECONDS", "900").await, "it starts");

    let single = Shop::open(900).await;
    let more = single.refusal(PARTITION_URIS, &shared().database().uri).await;
    assert!(more.contains("made with 1 and 2 are configured"), "{more}");
    single.close().await;
    shop.close().await;
}
