//! The cart.

use bigtix_contracts::Cents;
use bigtix_tests::suite::Scenario;
use bigtix_tests::world::{PASSWORD, unique};
use bigtix_tests::{World, scenarios};

use crate::browser::Browser;

pub(crate) const ALL: &[(&str, Scenario)] = scenarios![
    a_cart_survives_signing_in_and_is_reserved_at_once,
    all_or_nothing_with_a_choice_when_some_are_gone,
    tickets_are_taken_out_again,
    twenty_tickets_fit,
];

async fn a_cart_survives_signing_in_and_is_reserved_at_once(world: World) {
    let (seller, buyer) = world.two_people().await;
    let event = seller.adds_an_event(&unique("Cart")).await;
    seller.lists_for(&event, 2, Cents(20_00)).await;
    let other = seller.lists(Cents(15_50)).await;
    let mut browser = Browser::new(&world);
    let page = browser.get(&format!("/events/{}", event.id)).await.is(200);
    let page = browser.send(&page.form("Add to cart")).await.is(200);
    assert_eq!(page.the(".notice-good .notice-title"), "In your cart");
    assert!(page.the(".cart .count").starts_with('1'));
    let page = browser.send(&page.form("Add to cart")).await.is(200);
    // The same again changes nothing.
    assert!(
        page.the(".cart .count").starts_with('2'),
        "{}",
        page.the(".cart .count")
    );
    let page = browser.get(&format!("/tickets/{}", other.id)).await;
    browser.send(&page.form("Add to cart")).await.is(200);

    let page = browser.get("/cart").await.is(200);
    assert_eq!(page.the(".sums-total dd"), "$55.50");
    let page = browser.send(&page.form("Reserve all 3 tickets")).await.is(200);
    let form = page
        .form("Sign in")
        .with("email", &buyer.user.email)
        .with("password", PASSWORD);
    let page = browser.send(&form).await.is(200);
    assert_eq!((page.path.as_str(), page.all(".stub").len()), ("/cart", 3));
    let page = browser.send(&page.form("Reserve all 3 tickets")).await.is(200);
    assert!(page.path.starts_with("/orders/"), "{}", page.path);
    assert_eq!(page.the(".sums-total dd"), "$55.50");
    assert_eq!(browser.cookie("cart"), None);
    assert!(browser.get("/cart").await.has(".empty"));
}

async fn all_or_nothing_with_a_choice_when_some_are_gone(world: World) {
    let (seller, buyer) = world.two_people().await;
    let tickets = [
        seller.lists(Cents(20_00)).await,
        seller.lists(Cents(30_00)).await,
        seller.lists(Cents(40_00)).await,
    ];
    let mut browser = Browser::of(&world, &buyer);
    for ticket in &tickets {
        let page = browser.get(&format!("/tickets/{}", ticket.id)).await;
        browser.send(&page.form("Add to cart")).await.is(200);
    }
    let page = browser.get("/cart").await.is(200);
    let quicker = world.person().await;
    quicker.reserves(tickets[1].id).await;
    let page = browser.send(&page.form("Reserve all 3 tickets")).await.is(422);
    assert_eq!(page.the(".notice-warn .notice-title"), "One ticket is gone");
    assert_eq!(page.all(".stub .state"), ["Reserved"]);
    assert_eq!(page.all("#error-summary li").len(), 1);
    // Nothing was held meanwhile.
    assert!(browser.get("/orders").await.has(".empty"));
    let page = browser
        .send(&page.form("Reserve the 2 that are left"))
        .await
        .is(200);
    assert_eq!(page.the(".sums-total dd"), "$60.00");
    let page = browser.get("/cart").await.is(200);
    assert_eq!(page.all(".stub").len(), 1);
    let page = browser.send(&page.form("Remove what is gone")).await.is(200);
    assert!(page.has(".empty"));
}

async fn tickets_are_taken_out_again(world: World) {
    let seller = world.person().await;
    let ticket = seller.lists(Cents(20_00)).await;
    let mut browser = Browser::new(&world);
    let page = browser.get(&format!("/tickets/{}", ticket.id)).await;
    browser.send(&page.form("Add to cart")).await.is(200);
    let page = browser.get("/cart").await.is(200);
    let page = browser.send(&page.form("Remove")).await.is(200);
    assert_eq!(page.the(".empty h2"), "Your cart is empty");
}

async fn twenty_tickets_fit(world: World) {
    let seller = world.person().await;
    let event = seller.adds_an_event(&unique("Many")).await;
    seller.lists_for(&event, 21, Cents(20_00)).await;
    let mut browser = Browser::new(&world);
    for number in 1..=20 {
        let page = browser.get(&format!("/events/{}", event.id)).await.is(200);
        let page = browser.send(&page.form("Add to cart")).await.is(200);
        assert!(page.the(".cart .count").starts_with(&number.to_string()));
    }
    let page = browser.get(&format!("/events/{}", event.id)).await.is(200);
    let page = browser.send(&page.form("Add to cart")).await.is(422);
    assert!(page.the(".error-summary li").starts_with("Your cart is full"));
}
