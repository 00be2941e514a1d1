//! From an event to a receipt, without JavaScript.

use bigtix_contracts::Cents;
use bigtix_tests::shop::Paused;
use bigtix_tests::suite::Scenario;
use bigtix_tests::world::{PASSWORD, unique};
use bigtix_tests::{World, scenarios};

use crate::browser::Browser;

/// With a shop of its own, whose services are processes.
pub(crate) const WITHOUT_AUTH: &[(&str, Scenario)] = scenarios![who_is_signed_in_goes_on_without_auth];

pub(crate) const ALL: &[(&str, Scenario)] = scenarios![
    a_visitor_reserves_signs_in_and_pays,
    the_cheapest_tickets_of_an_event_are_reserved_together,
    a_form_that_is_sent_twice_is_one_order,
    a_ticket_that_is_gone_is_refused_in_plain_words,
    a_price_that_changed_is_shown_before_it_is_paid,
    sellers_cannot_buy_from_themselves,
    somebody_elses_order_does_not_exist,
];

async fn a_visitor_reserves_signs_in_and_pays(world: World) {
    let (seller, buyer) = world.two_people().await;
    let event = seller.adds_an_event(&unique("Recital")).await;
    let ticket = seller.lists_for(&event, 1, Cents(19_99)).await.remove(0);
    let mut browser = Browser::new(&world);

    let path = format!("/tickets/{}", ticket.id);
    let page = browser.get(&path).await.is(200);
    let page = browser.send(&page.form("Reserve")).await.is(200);
    assert!(page.path.starts_with("/auth/signin?next="), "{}", page.path);
    let form = page
        .form("Sign in")
        .with("email", &buyer.user.email)
        .with("password", PASSWORD);
    let page = browser.send(&form).await.is(200);
    assert_eq!(page.path, path);

    let page = browser.send(&page.form("Reserve")).await.is(200);
    assert!(page.path.starts_with("/orders/"), "{}", page.path);
    assert_eq!(page.the("h1"), "Pay for your tickets");
    assert_eq!(page.attribute(".order", "data-order"), "payable");
    assert!(page.has(".countdown time[datetime]") && page.has(".countdown .zone"));
    assert!(page.the(".clock").starts_with("14:") || page.the(".clock") == "15:00");
    assert_eq!(page.the(".sums-total dd"), "$19.99");

    let page = browser
        .send(&page.form("Pay $19.99 with a test card"))
        .await
        .is(200);
    assert_eq!(page.the("h1"), "Your tickets");
    assert!(
        page.has(".admission .qr[role=img][aria-label] svg"),
        "{}",
        page.text
    );
    assert!(page.the(".admission .facts").contains("2:30 PM CDT"));
    assert!(page.the(".receipt").contains("$19.99"));
    let calendar = browser.get(&format!("{}/calendar.ics", page.path)).await.is(200);
    assert!(
        calendar.text.contains("DTSTART:20310501T193000Z"),
        "{}",
        calendar.text
    );
    let orders = browser.get("/orders").await.is(200);
    assert_eq!(orders.all(".table .state"), ["Paid"]);
    let gone = Browser::new(&world).get(&path).await.is(200);
    assert_eq!(gone.the(".stub .state"), "Sold");
}

async fn the_cheapest_tickets_of_an_event_are_reserved_together(world: World) {
    let (seller, buyer) = world.two_people().await;
    let event = seller.adds_an_event(&unique("Match")).await;
    seller.lists_for(&event, 1, Cents(30_00)).await;
    seller.lists_for(&event, 2, Cents(20_00)).await;
    let mut browser = Browser::of(&world, &buyer);
    let page = browser.get(&format!("/events/{}", event.id)).await.is(200);
    assert_eq!(page.attribute("#quantity", "data-prices"), "2000 2000 3000");
    assert_eq!(page.attribute("#quantity", "max"), "3");
    let form = page.form("Reserve the cheapest").with("quantity", 3);
    let page = browser.send(&form).await.is(200);
    assert_eq!(page.the(".sums-total dd"), "$70.00");
    let page = browser
        .get(&format!("/events/{}?quantity=99", event.id))
        .await
        .is(200);
    assert_eq!(page.the(".empty h3"), "No ticket is free just now");
    let again = browser.send(&form.with("quantity", 0)).await.is(422);
    assert_eq!(again.all(".error-summary li"), ["Choose from 1 to 20 tickets"]);
}

async fn a_form_that_is_sent_twice_is_one_order(world: World) {
    let (seller, buyer) = world.two_people().await;
    let event = seller.adds_an_event(&unique("Twice")).await;
    seller.lists_for(&event, 4, Cents(20_00)).await;
    let mut browser = Browser::of(&world, &buyer);
    let page = browser.get(&format!("/events/{}", event.id)).await.is(200);
    let form = page.form("Reserve the cheapest").with("quantity", 2);
    let mut other = browser.clone();
    let (first, second) = futures::join!(browser.send(&form), other.send(&form));
    assert_eq!(first.is(200).path, second.is(200).path);
    // The way back in the browser, and once more.
    let third = browser.send(&form).await.is(200);
    assert_eq!(browser.get("/orders").await.all(".table tbody tr").len(), 1);

    let pay = third.form("Pay $40.00 with a test card");
    let mut other = browser.clone();
    let (first, second) = futures::join!(browser.send(&pay), other.send(&pay));
    for page in [first.is(200), second.is(200)] {
        assert!(["complete", "confirming"].contains(&page.attribute(".order", "data-order").as_str()));
    }
    let order = third
        .path
        .split('/')
        .next_back()
        .and_then(|id| id.parse().ok())
        .expect("an order");
    let charged = bigtix_tests::stripe::charged_for(world.shop(), order).await;
    assert_eq!(charged.len(), 1, "{charged:?}");
}

async fn a_ticket_that_is_gone_is_refused_in_plain_words(world: World) {
    let (seller, buyer) = world.two_people().await;
    let ticket = seller.lists(Cents(20_00)).await;
    let mut browser = Browser::of(&world, &buyer);
    let page = browser.get(&format!("/tickets/{}", ticket.id)).await.is(200);
    let quicker = world.person().await;
    quicker.reserves(ticket.id).await;
    let page = browser.send(&page.form("Reserve")).await.is(422);
    assert!(page.the("title").starts_with("Error: "));
    let words = page.the(".error-summary li");
    assert!(
        words.starts_with("Somebody else has just reserved this."),
        "{words}"
    );
}

async fn a_price_that_changed_is_shown_before_it_is_paid(world: World) {
    let (seller, buyer) = world.two_people().await;
    let ticket = seller.lists(Cents(20_00)).await;
    let mut browser = Browser::of(&world, &buyer);
    let page = browser.get(&format!("/tickets/{}", ticket.id)).await.is(200);
    let dearer = bigtix_client::TicketChange::default().price(Cents(90_00));
    seller
        .client
        .change_ticket(ticket.id, &dearer)
        .await
        .expect("a change");
    let page = browser.send(&page.form("Reserve")).await.is(422);
    assert!(page.the(".error-summary li").starts_with("The price has changed"));
    assert_eq!(page.the(".stub .price"), "$90.00");
    let page = browser.send(&page.form("Reserve for $90.00")).await.is(200);
    assert_eq!(page.the(".sums-total dd"), "$90.00");
}

async fn sellers_cannot_buy_from_themselves(world: World) {
    let seller = world.person().await;
    let event = seller.adds_an_event(&unique("Own")).await;
    let ticket = seller.lists_for(&event, 1, Cents(20_00)).await.remove(0);
    let mut visitor = Browser::new(&world);
    let form = visitor
        .get(&format!("/tickets/{}", ticket.id))
        .await
        .form("Reserve");
    let mut browser = Browser::of(&world, &seller);
    let page = browser.get(&format!("/events/{}", event.id)).await.is(200);
    assert!(!page.has(".quick") && page.the(".stub-tear .stub-note").starts_with("Your listing."));
    let page = browser.send(&form).await.is(422);
    assert_eq!(
        page.all(".error-summary li"),
        ["This is your own listing, so you cannot buy it."]
    );
}

async fn somebody_elses_order_does_not_exist(world: World) {
    let (seller, buyer) = world.two_people().await;
    let ticket = seller.lists(Cents(20_00)).await;
    let order = buyer.reserves(ticket.id).await;
    let path = format!("/orders/{}", order.id);
    let mut stranger = Browser::of(&world, &seller);
    let page = stranger.get(&path).await.is(404);
    let nothing = stranger.get("/orders/64b0c0ffee0000000000dead").await.is(404);
    assert_eq!(page.text, nothing.text);
    stranger.get(&format!("{path}/state")).await.is(404);
    let page = Browser::new(&world).get(&path).await.is(200);
    assert!(page.path.starts_with("/auth/signin"), "{}", page.path);
}

async fn who_is_signed_in_goes_on_without_auth(world: World) {
    let (seller, buyer) = world.two_people().await;
    let ticket = seller.lists(Cents(20_00)).await;
    let _auth = Paused::processes(world.shop().service_pids("auth"));
    let mut browser = Browser::of(&world, &buyer);
    let page = browser.get(&format!("/tickets/{}", ticket.id)).await.is(200);
    let page = browser.send(&page.form("Reserve")).await.is(200);
    let page = browser
        .send(&page.form("Pay $20.00 with a test card"))
        .await
        .is(200);
    assert_eq!(page.the("h1"), "Your tickets");
}
