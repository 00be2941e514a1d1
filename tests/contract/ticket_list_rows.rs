//! Lists of tickets and what they are filtered by.

use bigtix_contracts::Cents;
use bigtix_testkit::eventually;
use bigtix_tests::suite::Scenario;
use bigtix_tests::world::unique;
use bigtix_tests::{World, scenarios};
use serde_json::json;

pub(crate) const ALL: &[(&str, Scenario)] = scenarios![
    tickets_are_filtered_by_status,
    an_unknown_status_is_refused,
    tickets_are_searched_by_words,
    tickets_of_an_event_are_listed,
    available_tickets_of_an_event_need_the_event,
    a_seller_sees_everything_ever_listed,
    a_withdrawn_ticket_is_still_readable,
    the_old_path_of_the_list_is_the_list,
];

async fn tickets_are_filtered_by_status(world: World) {
    let (seller, buyer) = world.two_people().await;
    let event = seller.adds_an_event("Filters").await;
    let tickets = seller.lists_for(&event, 4, Cents(1500)).await;
    let [free, held, sold, gone] = [0, 1, 2, 3].map(|n| tickets[n].id);
    let order = buyer.reserves(held).await;
    buyer.buys(&world, sold).await;
    seller.client.withdraw_ticket(gone).await.expect("a withdrawal");
    let of = async |status: &str| {
        let path = format!("/api/tickets?eventId={}{status}", event.id);
        let mut ids = world.get(&path).await.is(200).ids();
        ids.sort();
        ids
    };
    let sorted = |ids: &[bigtix_contracts::TicketId]| {
        let mut ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        ids.sort();
        ids
    };
    for (status, expected) in [
        ("", vec![free]),
        ("&status=available", vec![free]),
        ("&status=reserved", vec![held]),
        ("&status=sold", vec![sold]),
        ("&status=all", vec![free, held, sold, gone]),
    ] {
        let expected = sorted(&expected);
        eventually(
            &format!("the list with {status:?} to be {expected:?}"),
            async || (of(status).await == expected).then_some(()),
        )
        .await;
    }
    let shown = world.get(&format!("/api/tickets/{held}")).await.is(200);
    assert_eq!(
        (shown.string("/status"), shown.string("/orderId")),
        ("reserved".into(), order.id.to_string())
    );
    let all = world
        .get(&format!("/api/tickets/all?eventId={}&status=all", event.id))
        .await;
    assert_eq!(all.is(200).ids().len(), 4);
}

async fn an_unknown_status_is_refused(world: World) {
    for path in ["/api/tickets", "/api/tickets/all"] {
        world
            .get(&format!("{path}?status=new"))
            .await
            .refuses_field("status");
    }
}

async fn tickets_are_searched_by_words(world: World) {
    let seller = world.person().await;
    let (word, other) = (
        unique("Quokka").replace('-', ""),
        unique("Numbat").replace('-', ""),
    );
    let event = seller.adds_an_event(&format!("The {other} show")).await;
    let list = async |body| {
        let listed = world.post("/api/tickets").by(&seller).json(body).await;
        listed.is(201).string("/id")
    };
    let in_title = list(json!({"title": format!("Meet the {word}"), "price": 5})).await;
    let in_text = list(json!({"title": "Zoo", "price": 5, "description": format!("with {word}!")})).await;
    let of_event = list(json!({"title": "Seat", "price": 5, "eventId": event.id})).await;
    let search = async |words: &str| {
        let path = format!("/api/tickets?q={words}");
        let mut found = world.get(&path).await.is(200).ids();
        found.sort();
        found
    };
    let mut both = vec![in_title, in_text];
    both.sort();
    assert_eq!(search(&word.to_lowercase()).await, both);
    assert_eq!(search(&word.to_uppercase()).await, both);
    assert_eq!(
        search(&format!("zoo%20{word}")).await.len(),
        1,
        "all words have to be there"
    );
    assert_eq!(
        search(&other.to_lowercase()).await,
        std::slice::from_ref(&of_event)
    );
    assert_eq!(search(&format!("{other}%20springfield%20town")).await, [of_event]);
    assert_eq!(search(&unique("nothing")).await, Vec::<String>::new());
    // What means something in a pattern means nothing here.
    for pattern in ["%5B", "%28%2A", ".%2A%5C", "%24where"] {
        world.get(&format!("/api/tickets?q={pattern}")).await.is(200);
    }
}

async fn tickets_of_an_event_are_listed(world: World) {
    let (seller, buyer) = world.two_people().await;
    let event = seller.adds_an_event("All of it").await;
    let tickets = seller.lists_for(&event, 3, Cents(1500)).await;
    buyer.reserves(tickets[0].id).await;
    seller
        .client
        .withdraw_ticket(tickets[1].id)
        .await
        .expect("a withdrawal");
    let listed = world
        .get(&format!("/api/tickets/event/{}", event.id))
        .await
        .is(200);
    assert_eq!(listed.ids().len(), 2);
    assert!(!listed.ids().contains(&tickets[1].id.to_string()));
    for unknown in ["64b0c0ffee0000000000beef", "vvG1fZ9pPqYqDn"] {
        let none = world.get(&format!("/api/tickets/event/{unknown}")).await.is(200);
        assert_eq!(none.json, json!([]));
    }
}

async fn available_tickets_of_an_event_need_the_event(world: World) {
    let (seller, buyer) = world.two_people().await;
    let event = seller.adds_an_event("Free ones").await;
    let tickets = seller.lists_for(&event, 2, Cents(1500)).await;
    buyer.reserves(tickets[0].id).await;
    let path = format!("/api/tickets/for-event/{}", event.id);
    eventually("only the free ticket to be listed", async || {
        let ids = world.get(&path).await.is(200).ids();
        (ids == [tickets[1].id.to_string()]).then_some(())
    })
    .await;
    for path in [
        "/api/tickets/for-event/64b0c0ffee0000000000beef",
        "/api/tickets/tm-event/vvG1fZ9pPqYqDn",
    ] {
        world.get(path).await.refuses(404, "Event not found");
    }
}

async fn a_seller_sees_everything_ever_listed(world: World) {
    let (seller, buyer) = world.two_people().await;
    let event = seller.adds_an_event("Mine").await;
    let tickets = seller.lists_for(&event, 3, Cents(1500)).await;
    buyer.reserves(tickets[0].id).await;
    seller
        .client
        .withdraw_ticket(tickets[1].id)
        .await
        .expect("a withdrawal");
    let mine = world.get("/api/tickets/currentuser").by(&seller).await.is(200);
    let of_user = world
        .get(&format!("/api/tickets/user/{}", seller.user.id))
        .await
        .is(200);
    assert_eq!((mine.ids().len(), of_user.ids().len()), (3, 3));
    let nobody = world
        .get("/api/tickets/user/64b0c0ffee0000000000beef")
        .await
        .is(200);
    assert_eq!(nobody.json, json!([]));
}

async fn a_withdrawn_ticket_is_still_readable(world: World) {
    let seller = world.person().await;
    let ticket = seller.lists(Cents(1500)).await;
    seller
        .client
        .withdraw_ticket(ticket.id)
        .await
        .expect("a withdrawal");
    for path in ["/api/tickets", "/api/tickets/get-ticket"] {
        let found = world.get(&format!("{path}/{}", ticket.id)).await.is(200);
        assert_eq!(found.string("/status"), "withdrawn");
    }
}

async fn the_old_path_of_the_list_is_the_list(world: World) {
    let seller = world.person().await;
    let event = seller.adds_an_event("Old path").await;
    seller.lists_for(&event, 2, Cents(1500)).await;
    let query = format!("?eventId={}&limit=1", event.id);
    let new = world.get(&format!("/api/tickets{query}")).await.is(200);
    let old = world.get(&format!("/api/tickets/all{query}")).await.is(200);
    assert_eq!(new.json, old.json);
    assert!(old.header("x-next-cursor").is_some());
}
