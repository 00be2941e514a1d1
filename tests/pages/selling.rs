//! Listing tickets, changing them, taking them off sale.

use bigtix_contracts::Cents;
use bigtix_tests::suite::Scenario;
use bigtix_tests::world::unique;
use bigtix_tests::{World, scenarios};

use crate::browser::Browser;

pub(crate) const ALL: &[(&str, Scenario)] = scenarios![
    tickets_are_listed_for_a_new_event,
    one_ticket_is_listed_for_an_event_that_is_there,
    what_is_wrong_with_a_listing_is_said_beside_its_field,
    a_listing_that_is_sent_twice_is_one,
    a_listing_is_changed_and_withdrawn,
    a_reserved_ticket_cannot_be_changed_and_its_page_says_so_first,
    a_listing_of_somebody_else_cannot_be_edited,
];

async fn tickets_are_listed_for_a_new_event(world: World) {
    let seller = world.person().await;
    let mut browser = Browser::of(&world, &seller);
    let title = unique("Premiere");
    let form = browser.get("/tickets/new").await.is(200).form("Put on sale");
    let form = form
        .with("title", "Standing")
        .with("price", "45")
        .with("quantity", 3);
    let form = form
        .with("eventTitle", &title)
        .with("venue", "Konzerthaus")
        .with("eventCity", "Vienna");
    let form = form
        .with("startsAt", "2031-12-05T19:30")
        .with("timeZone", "Europe/Vienna");
    let page = browser.send(&form).await.is(200);
    assert_eq!(page.the(".notice-good"), "Your tickets are on sale.");
    assert_eq!(page.all(".table .state"), ["For sale"; 3]);
    assert!(page.all("th[scope=row] small")[0].starts_with(&title));
    let ticket = page.attribute("th[scope=row] a", "href");
    let page = browser.get(&ticket).await.is(200);
    assert!(
        page.the(".facts").contains("7:30 PM CET"),
        "{}",
        page.the(".facts")
    );
}

async fn one_ticket_is_listed_for_an_event_that_is_there(world: World) {
    let seller = world.person().await;
    let event = seller.adds_an_event(&unique("Existing")).await;
    let mut browser = Browser::of(&world, &seller);
    let page = browser
        .get(&format!("/tickets/new?event={}", event.id))
        .await
        .is(200);
    let form = page.form("Put on sale");
    assert_eq!(form.value("event"), event.id.to_string());
    let serial = unique("S");
    let form = form
        .with("title", "Row F")
        .with("price", "$19.99")
        .with("serialNumber", &serial);
    browser
        .send(&form.with("description", "Two lines\nof text"))
        .await
        .is(200);
    let listed = world
        .client()
        .ticket_by_serial_number(&serial)
        .await
        .expect("a listing");
    assert_eq!(
        (listed.price.0, listed.event_id),
        (Cents(19_99), Some(event.id.to_string()))
    );
    let word = event.title.split('-').next_back().expect("a word");
    let page = browser.get(&format!("/tickets/new?find={word}")).await.is(200);
    assert!(
        page.all("#event option")
            .iter()
            .any(|option| option.starts_with(&event.title))
    );
}

async fn what_is_wrong_with_a_listing_is_said_beside_its_field(world: World) {
    let seller = world.person().await;
    let mut browser = Browser::of(&world, &seller);
    let form = browser.get("/tickets/new").await.is(200).form("Put on sale");
    let page = browser
        .send(&form.clone().with("price", "much").with("venue", "Hall"))
        .await
        .is(422);
    for (field, words) in [
        ("title", "Title is required"),
        ("price", "Price must be a number"),
        ("eventTitle", "Name of the event is required"),
        ("eventCity", "City is required"),
        ("startsAt", "Date and time look like 2031-05-01T19:30"),
    ] {
        assert_eq!(page.the(&format!("#{field}-error")), words);
        assert_eq!(page.the(&format!(".error-summary a[href='#{field}']")), words);
    }
    assert_eq!(page.attribute("#venue", "value"), "Hall");
    page.is_consistent();
    // What only the API knows is said in the same place.
    let page = browser
        .send(&form.with("title", "A").with("price", "0.10"))
        .await
        .is(422);
    assert_eq!(page.the("#price-error"), "Price must be at least 0.50");
}

async fn a_listing_that_is_sent_twice_is_one(world: World) {
    let seller = world.person().await;
    let mut browser = Browser::of(&world, &seller);
    let form = browser.get("/tickets/new").await.is(200).form("Put on sale");
    let form = form.with("title", "Once").with("price", "20");
    let mut other = browser.clone();
    futures::join!(browser.send(&form), other.send(&form));
    let page = browser.send(&form).await.is(200);
    assert_eq!(page.all(".table .state").len(), 1);
}

async fn a_listing_is_changed_and_withdrawn(world: World) {
    let seller = world.person().await;
    let ticket = seller.lists(Cents(20_00)).await;
    let path = format!("/tickets/{}/edit", ticket.id);
    let mut browser = Browser::of(&world, &seller);
    let page = browser.get(&path).await.is(200);
    assert_eq!(page.attribute("#price", "value"), "20.00");
    let form = page.form("Save");
    let saved = browser
        .send(&form.clone().with("price", "25.50").with("title", "Row G"))
        .await
        .is(200);
    assert_eq!(saved.the(".notice-good"), "The listing is changed.");
    // A form from before the change would undo it.
    let page = browser.send(&form.with("price", "1")).await.is(422);
    assert!(
        page.the(".error-summary li")
            .starts_with("This listing was changed meanwhile.")
    );
    assert_eq!(page.attribute("#price", "value"), "25.50");
    let page = browser.send(&page.form("Withdraw this listing")).await.is(200);
    assert_eq!(page.the(".notice-good"), "The listing is off sale.");
    assert_eq!(page.all(".table .state"), ["Withdrawn"]);
    let page = Browser::new(&world)
        .get(&format!("/tickets/{}", ticket.id))
        .await
        .is(410);
    assert!(page.has("meta[name=robots]"));
}

async fn a_reserved_ticket_cannot_be_changed_and_its_page_says_so_first(world: World) {
    let (seller, buyer) = world.two_people().await;
    let ticket = seller.lists(Cents(20_00)).await;
    let path = format!("/tickets/{}/edit", ticket.id);
    let mut browser = Browser::of(&world, &seller);
    let page = browser.get(&path).await.is(200);
    assert!(
        page.the("main")
            .contains("As soon as a buyer reserves this ticket it cannot be changed")
    );
    let (save, withdraw) = (page.form("Save"), page.form("Withdraw"));
    buyer.reserves(ticket.id).await;
    for form in [save, withdraw] {
        let page = browser.send(&form).await.is(422);
        assert!(
            page.the(".error-summary li")
                .starts_with("A buyer has just reserved this ticket.")
        );
    }
    bigtix_testkit::eventually("the page knows it first", async || {
        let page = browser.get(&path).await.is(200);
        (!page.has("#price") && page.has(".notice-warn")).then_some(())
    })
    .await;
}

async fn a_listing_of_somebody_else_cannot_be_edited(world: World) {
    let (seller, other) = world.two_people().await;
    let ticket = seller.lists(Cents(20_00)).await;
    let path = format!("/tickets/{}/edit", ticket.id);
    let form = Browser::of(&world, &seller).get(&path).await.is(200).form("Save");
    let mut browser = Browser::of(&world, &other);
    browser.get(&path).await.is(404);
    browser.send(&form).await.is(404);
}
