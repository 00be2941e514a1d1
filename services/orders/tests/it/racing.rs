//! What must hold when everybody comes at once, to two instances.

use bigtix_contracts::OrderId;
use bigtix_contracts::events::{OrderState, TicketState, Versioned};
use bigtix_contracts::internal::{Claim, ClaimKind, ClaimOutcome, ReadOrder, ReleaseClaim, paths};
use bigtix_service::mongo::new_id;
use futures::future::join_all;
use reqwest::Method;
use serde_json::json;

use crate::shop::{Answer, Shop, id_of, message, order_id};

fn count(answers: &[Answer], wanted: (u16, &str)) -> usize {
    answers.iter().filter(|answer| message(answer) == wanted).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_buyers_of_one_ticket_one_gets_it() {
    let shop = Shop::open(900).await;
    for _ in 0..20 {
        let body = json!({"ticketId": shop.catalogue.list(1999, None).state.id});
        let buyers: Vec<_> = (0..50).map(|_| shop.person()).collect();
        let answers = join_all(buyers.iter().map(|buyer| shop.order(buyer, body.clone()))).await;
        assert_eq!(answers.iter().filter(|answer| answer.0 == 201).count(), 1);
        assert_eq!(
            count(&answers, (400, "Ticket is already reserved")),
            49,
            "{answers:?}"
        );
    }
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_fifty_tickets_sells_exactly_fifty() {
    let shop = Shop::open(900).await;
    for round in 0..3 {
        let event = format!("event-{round}");
        for price in 0..50 {
            shop.catalogue.list(1000 + price, Some(&event));
        }
        let buyers: Vec<_> = (0..200).map(|_| shop.person()).collect();
        let body = json!({"eventId": event, "quantity": 1});
        let answers = join_all(buyers.iter().map(|buyer| shop.order(buyer, body.clone()))).await;
        let sold: std::collections::BTreeSet<_> = answers
            .iter()
            .filter(|answer| answer.0 == 201)
            .map(|answer| answer.1["ticket"]["id"].to_string())
            .collect();
        assert_eq!(sold.len(), 50);
        assert_eq!(
            count(&answers, (400, "Sold out")),
            150,
            "{:?}",
            answers.iter().find(|a| a.0 > 400)
        );
    }
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_of_three_with_one_taken_leaves_the_other_two_free() {
    let shop = Shop::open(900).await;
    for _ in 0..20 {
        let ids: Vec<_> = (0..3).map(|_| shop.catalogue.list(1000, None).state.id).collect();
        let (quick, greedy, after) = (shop.person(), shop.person(), shop.person());
        assert_eq!(shop.order(&quick, json!({"ticketId": ids[1]})).await.0, 201);
        let all = json!({"tickets": ids.iter().map(|id| json!({"id": id})).collect::<Vec<_>>()});
        assert_eq!(
            message(&shop.order(&greedy, all).await),
            (400, "Ticket is already reserved")
        );
        let rest = json!({"tickets": [{"id": ids[0]}, {"id": ids[2]}]});
        assert_eq!(shop.order(&after, rest).await.0, 201);
    }
    shop.close().await;
}

fn claim(ticket: &Versioned<TicketState>, kind: ClaimKind) -> Claim {
    Claim {
        claim_id: OrderId::from_bytes(new_id()),
        kind,
        ticket_id: ticket.state.id,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_and_an_order_never_both_hold_a_ticket_and_the_new_price_counts() {
    let shop = Shop::open(900).await;
    for round in 0..20 {
        let ticket = shop.catalogue.list(1000, None);
        let buyer = shop.person();
        let claim = claim(&ticket, ClaimKind::Edit);
        let edit = async {
            match shop.call::<_, ClaimOutcome>(paths::CLAIM, &claim).await {
                ClaimOutcome::Claimed => {
                    shop.end_edit(claim.claim_id, &ticket).await;
                    true
                }
                ClaimOutcome::Taken => false,
                ClaimOutcome::Released => panic!("nobody released it"),
            }
        };
        let body = json!({"ticketId": ticket.state.id});
        let (edited, ordered) = if round % 2 == 0 {
            tokio::join!(edit, shop.order(&buyer, body))
        } else {
            let edited = edit.await;
            (edited, shop.order(&buyer, body).await)
        };
        id_of(&ordered);
        let expected = if edited { "20" } else { "10" };
        assert_eq!(ordered.1["total"].to_string(), expected, "round {round}");
    }
    shop.close().await;
}

/// The ticket costs twenty now, as if its edit had ended just before the order's claim.
async fn reprice_behind_the_claim(shop: &Shop, ticket: &Versioned<TicketState>) {
    shop.end_edit(claim(ticket, ClaimKind::Edit).claim_id, ticket)
        .await;
}

/// The order's claim came with a price that its instance remembered, and that instance died before it looked again: what
/// a later run of the same request finds.
#[tokio::test(flavor = "multi_thread")]
async fn an_order_whose_first_run_was_cut_short_is_answered_with_the_new_price() {
    let shop = Shop::open(900).await;
    let (ticket, buyer) = (shop.catalogue.list(1000, None), shop.person());
    let ask = |body| shop.ask_with(&buyer, Method::POST, "/api/orders", Some(body), Some("k"));
    let body = json!({"ticketId": ticket.state.id});
    let first = ask(body.clone()).await;
    assert_eq!(first.1["total"].to_string(), "10");
    reprice_behind_the_claim(&shop, &ticket).await;
    let again = ask(body).await;
    assert_eq!(id_of(&again), id_of(&first));
    assert_eq!(again.1["total"].to_string(), "20");
    shop.close().await;
}

/// As above, but that the buyer finds the order instead of asking again: whoever reads it first, it has the new price.
#[tokio::test(flavor = "multi_thread")]
async fn an_order_whose_only_run_was_cut_short_is_read_at_the_new_price() {
    let shop = Shop::open(900).await;
    for way in ["one", "list", "payments"] {
        let (ticket, buyer) = (shop.catalogue.list(1000, None), shop.person());
        let placed = shop.order(&buyer, json!({"ticketId": ticket.state.id})).await;
        reprice_behind_the_claim(&shop, &ticket).await;
        let id = id_of(&placed);
        let total = match way {
            "one" => shop
                .ask(&buyer, Method::GET, &format!("/api/orders/{id}"), None)
                .await
                .1["total"]
                .clone(),
            "list" => shop.ask(&buyer, Method::GET, "/api/orders", None).await.1[0]["total"].clone(),
            _ => {
                let read = ReadOrder {
                    order_id: order_id(&placed),
                };
                let order: Versioned<OrderState> = shop.call(paths::READ_ORDER, &read).await;
                json!(order.state.total.0 / 100)
            }
        };
        assert_eq!(total.to_string(), "20", "{way}");
    }
    shop.close().await;
}

/// A look at the order takes nothing from what the buyer asked for.
#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_was_read_at_another_price_than_expected_is_given_up_when_it_is_asked_for_again() {
    let shop = Shop::open(900).await;
    let (ticket, buyer) = (shop.catalogue.list(1000, None), shop.person());
    let ask = |body| shop.ask_with(&buyer, Method::POST, "/api/orders", Some(body), Some("k"));
    let body = json!({"ticketId": ticket.state.id, "expectedTotal": 10});
    let first = ask(body.clone()).await;
    reprice_behind_the_claim(&shop, &ticket).await;
    let path = format!("/api/orders/{}", id_of(&first));
    let read = shop.ask(&buyer, Method::GET, &path, None).await;
    assert_eq!(read.1["total"].to_string(), "20");
    let again = ask(body).await;
    assert_eq!((again.0, again.1["code"].as_str()), (409, Some("price_changed")));
    let read = shop.ask(&buyer, Method::GET, &path, None).await;
    assert_eq!(read.1["status"], "cancelled");
    shop.close().await;
}

/// The contract: the same key and body answer with the status of the first run and the order as it is now.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_finds_its_order_when_the_ticket_cannot_be_had_any_more() {
    let shop = Shop::open(900).await;
    let (ticket, buyer) = (shop.catalogue.list(1000, None), shop.person());
    let ask = |body| shop.ask_with(&buyer, Method::POST, "/api/orders", Some(body), Some("k"));
    let body = json!({"ticketId": ticket.state.id});
    let first = ask(body.clone()).await;
    let path = format!("/api/orders/{}", id_of(&first));
    assert_eq!(shop.ask(&buyer, Method::DELETE, &path, None).await.0, 204);
    let withdrawal = claim(&ticket, ClaimKind::Withdrawn);
    let _: ClaimOutcome = shop.call(paths::CLAIM, &withdrawal).await;
    let mut next = ticket.clone();
    next.version = 1;
    next.state.withdrawn = true;
    let release = ReleaseClaim {
        claim_id: withdrawal.claim_id,
        ticket: next,
    };
    let _: serde_json::Value = shop.call(paths::RELEASE, &release).await;
    // One of the instances remembers the ticket as it was, the other one knows.
    for _ in 0..2 {
        let again = ask(body.clone()).await;
        assert_eq!(id_of(&again), id_of(&first));
        assert_eq!(again.1["status"], "cancelled");
    }
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawn_ticket_is_never_sold_and_a_late_claim_never_holds() {
    let shop = Shop::open(900).await;
    let ticket = shop.catalogue.list(1000, None);
    let withdrawal = claim(&ticket, ClaimKind::Withdrawn);
    let outcome: ClaimOutcome = shop.call(paths::CLAIM, &withdrawal).await;
    assert_eq!(outcome, ClaimOutcome::Claimed);
    let state = TicketState {
        withdrawn: true,
        ..ticket.state.clone()
    };
    let release = ReleaseClaim {
        claim_id: withdrawal.claim_id,
        ticket: Versioned { version: 1, state },
    };
    let _: serde_json::Value = shop.call(paths::RELEASE, &release).await;
    let answer = shop
        .order(&shop.person(), json!({"ticketId": ticket.state.id}))
        .await;
    assert_eq!(message(&answer), (400, "Ticket is no longer for sale"));

    let other = shop.catalogue.list(1000, None);
    let late = claim(&other, ClaimKind::Edit);
    let settled = ReleaseClaim {
        claim_id: late.claim_id,
        ticket: Versioned {
            version: 1,
            state: other.state.clone(),
        },
    };
    let _: serde_json::Value = shop.call(paths::RELEASE, &settled).await;
    let outcome: ClaimOutcome = shop.call(paths::CLAIM, &late).await;
    assert_eq!(outcome, ClaimOutcome::Released);
    assert_eq!(
        shop.order(&shop.person(), json!({"ticketId": other.state.id}))
            .await
            .0,
        201
    );
    shop.close().await;
}
