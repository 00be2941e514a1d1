//! What other services ask.

use bigtix_contracts::TicketId;
use bigtix_contracts::internal::{ReadEventTickets, ReadTickets, TicketList, paths};
use reqwest::Method;
use serde_json::json;

use crate::market::{Market, ticket_id};

#[tokio::test(flavor = "multi_thread")]
async fn tickets_are_read_by_id_and_unknown_ones_left_out() {
    let market = Market::open().await;
    let ticket = market.list_any(&market.person()).await;
    let ids = vec![ticket_id(&ticket), TicketId::from_bytes([9; 12])];
    let list: TicketList = market
        .peer()
        .call(paths::READ_TICKETS, &ReadTickets { ids })
        .await
        .unwrap();
    assert_eq!(list.tickets.len(), 1);
    assert_eq!(
        (list.tickets[0].version, list.tickets[0].state.price.0),
        (0, 2000)
    );
    let too_many = ReadTickets {
        ids: vec![TicketId::from_bytes([9; 12]); 1001],
    };
    assert!(
        market
            .peer()
            .call::<_, TicketList>(paths::READ_TICKETS, &too_many)
            .await
            .is_err()
    );
    market.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_events_tickets_are_read_without_withdrawn_ones() {
    let market = Market::open().await;
    let seller = market.person();
    let event = market.add_event("Symphony").await;
    let ask = async |event_id: &str, versions_only: bool| -> TicketList {
        let question = ReadEventTickets {
            event_id: event_id.to_owned(),
            versions_only,
        };
        market
            .peer()
            .call(paths::READ_EVENT_TICKETS, &question)
            .await
            .unwrap()
    };
    let read = async |event_id: &str| ask(event_id, false).await;
    let id = event["id"].as_str().unwrap();
    let empty = read(id).await;
    assert_eq!((empty.tickets.len(), empty.event_exists), (0, true));
    assert!(!read("64b0c0ffee0000000000beef").await.event_exists);
    let body = json!({"title": "Seat", "price": 1, "eventId": id, "quantity": 2});
    let tickets = market.list(&seller, body).await;
    let path = format!("/api/tickets/{}", tickets[0]["id"].as_str().unwrap());
    market.ask(&seller, Method::DELETE, &path, None).await.ok(200);
    let left = read(&id.to_uppercase()).await;
    assert_eq!(
        left.tickets
            .iter()
            .map(|ticket| ticket.state.id)
            .collect::<Vec<_>>(),
        [ticket_id(&tickets[1])]
    );
    let versions = ask(id, true).await;
    assert_eq!(versions.versions, [(ticket_id(&tickets[1]), 0)]);
    assert!(versions.tickets.is_empty() && versions.event_exists);
    assert!(!ask("64b0c0ffee0000000000beef", true).await.event_exists);
    market.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_can_make_these_calls() {
    let market = Market::open().await;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = http
        .post(market.internal_url(paths::READ_TICKETS))
        .json(&json!({"ids": []}))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status().as_u16(), 401);
    let public = market
        .post(&market.person(), paths::READ_TICKETS, json!({"ids": []}))
        .await;
    assert_eq!(public.status, 404);
    market.close().await;
}
