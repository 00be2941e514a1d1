//! Paying, and the time that there is for it.

use bigtix_contracts::Cents;
use bigtix_testkit::eventually;
use bigtix_tests::stripe::{Card, answer_the_bank, card_token};
use bigtix_tests::suite::Scenario;
use bigtix_tests::world::unique;
use bigtix_tests::{Person, World, scenarios};
use jiff::Timestamp;

use crate::browser::{Browser, Page};

pub(crate) const ALL: &[(&str, Scenario)] = scenarios![
    a_declined_card_keeps_the_order,
    the_bank_asks_and_the_buyer_answers,
    an_order_is_cancelled,
    the_pay_step_alone_may_load_the_script,
    an_order_says_how_it_stands,
    a_refund_is_told,
];

/// With a shop whose reservations last two seconds.
pub(crate) const EXPIRY: &[(&str, Scenario)] =
    scenarios![the_time_runs_out_and_the_same_tickets_are_held_again];

async fn reserved(world: &World) -> (Person, Browser, Page) {
    let (seller, buyer) = world.two_people().await;
    let ticket = seller.lists(Cents(20_00)).await;
    let order = buyer.reserves(ticket.id).await;
    let mut browser = Browser::of(world, &buyer);
    let page = browser.get(&format!("/orders/{}", order.id)).await.is(200);
    (seller, browser, page)
}

async fn a_declined_card_keeps_the_order(world: World) {
    let (_, mut browser, page) = reserved(&world).await;
    let pay = page.form("Pay $20.00 with a test card");
    let page = browser
        .send(&pay.with("token", "pm_card_chargeCustomerFail"))
        .await
        .is(422);
    assert!(page.the("title").starts_with("Error: "));
    assert_eq!(page.the(".notice-bad .notice-title"), "Your card was declined.");
    assert_eq!(page.attribute(".order", "data-order"), "payable");
    let page = browser
        .send(&page.form("Pay $20.00 with a test card"))
        .await
        .is(200);
    assert_eq!(page.the("h1"), "Your tickets");
}

async fn the_bank_asks_and_the_buyer_answers(world: World) {
    let (_, mut browser, page) = reserved(&world).await;
    let token = card_token(world.shop(), Card::Asks).await;
    // What the script does: it puts the token into the form and sends it.
    let form = page.form("Pay $20.00").with("token", token);
    let page = browser.send(&form).await.is(200);
    assert_eq!(page.attribute(".order", "data-order"), "authenticate");
    let secret = page.attribute("[data-pay=authenticate]", "data-client-secret");
    let policy = page.headers["content-security-policy"]
        .to_str()
        .expect("a policy")
        .to_owned();
    assert!(
        policy.contains("/js.stripe.com") || policy.contains("http://127.0.0.1:"),
        "{policy}"
    );
    answer_the_bank(world.shop(), &secret, true).await.is(200);
    let page = browser.send(&page.form("Confirm with my bank")).await.is(200);
    assert_eq!(page.the("h1"), "Your tickets");
}

async fn an_order_is_cancelled(world: World) {
    let (_, mut browser, page) = reserved(&world).await;
    let form = page.form("Cancel this order");
    let page = browser.send(&form).await.is(200);
    assert_eq!(page.the(".notice-title"), "You cancelled this order");
    // Once more, as the way back in a browser does.
    browser.send(&form).await.is(200);
    let page = browser
        .send(&page.form("Try the same tickets again"))
        .await
        .is(200);
    assert_eq!(page.attribute(".order", "data-order"), "payable");
    // A paid order cannot be cancelled; its page says what it is.
    let cancel = page.form("Cancel this order");
    browser
        .send(&page.form("Pay $20.00 with a test card"))
        .await
        .is(200);
    let page = browser.send(&cancel).await.is(200);
    assert_eq!(page.the("h1"), "Your tickets");
}

async fn the_pay_step_alone_may_load_the_script(world: World) {
    let (_, mut browser, page) = reserved(&world).await;
    let script = page.attribute("[data-pay]", "data-script");
    let origin = script
        .split("/js.stripe.com")
        .next()
        .expect("an origin")
        .to_owned();
    let policy = page.headers["content-security-policy"]
        .to_str()
        .expect("a policy");
    assert!(
        policy.contains(&format!("script-src 'self' {origin};")),
        "{policy}"
    );
    assert!(page.the("footer").contains("This shop takes test cards only"));
    for path in ["/", "/cart", "/orders"] {
        let page = browser.get(path).await.is(200);
        let policy = page.headers["content-security-policy"]
            .to_str()
            .expect("a policy");
        assert!(
            policy.contains("script-src 'self';") && !policy.contains("unsafe"),
            "{policy}"
        );
        assert!(!page.text.contains(&origin), "{path}");
    }
}

async fn an_order_says_how_it_stands(world: World) {
    let (_, mut browser, page) = reserved(&world).await;
    let asked = page.attribute(".order", "data-state");
    let state: serde_json::Value =
        serde_json::from_str(&browser.get(&asked).await.is(200).text).expect("JSON");
    assert_eq!(state["state"], "payable");
    let time = |name: &str| {
        state[name]
            .as_str()
            .and_then(|time| time.parse::<Timestamp>().ok())
            .expect("a time")
    };
    let left = time("expiresAt").duration_since(time("now"));
    assert!((800..=900).contains(&left.as_secs()), "{left:?}");
}

async fn a_refund_is_told(world: World) {
    let (seller, mut browser, page) = reserved(&world).await;
    let page = browser
        .send(&page.form("Pay $20.00 with a test card"))
        .await
        .is(200);
    let order = page
        .path
        .split('/')
        .next_back()
        .and_then(|id| id.parse().ok())
        .expect("an order");
    let mut sellers = Browser::of(&world, &seller);
    let sold = eventually("the sale is known", async || {
        let page = sellers.get("/tickets/mine").await.is(200);
        (page.all(".table .state") == ["Sold"]).then_some(page)
    })
    .await;
    assert_eq!(sold.the(".lede .price"), "$20.00");
    seller.client.refund(order, false).await.expect("a refund");
    let page = browser.get(&page.path).await.is(200);
    assert_eq!(page.attribute(".order", "data-order"), "refunded");
    assert!(!page.has(".qr"));
    let listings = sellers.get("/tickets/mine").await.is(200);
    assert_eq!(
        (listings.all(".table .state"), listings.the(".lede .price")),
        (vec!["Refunded".to_owned()], "$0.00".to_owned())
    );
}

async fn the_time_runs_out_and_the_same_tickets_are_held_again(world: World) {
    let (seller, buyer) = world.two_people().await;
    let event = seller.adds_an_event(&unique("Late")).await;
    let ticket = seller.lists_for(&event, 1, Cents(20_00)).await.remove(0);
    let order = buyer.reserves(ticket.id).await;
    let mut browser = Browser::of(&world, &buyer);
    let path = format!("/orders/{}", order.id);
    let page = browser.get(&path).await.is(200);
    assert!(page.has(".countdown time"));
    let pay = page.form("Pay $20.00 with a test card");
    let page = eventually("the order expires", async || {
        let page = browser.get(&path).await.is(200);
        (page.attribute(".order", "data-order") == "expired").then_some(page)
    })
    .await;
    assert_eq!(page.the(".notice-title"), "The time to pay is over");
    assert!(page.the(".notice").contains("you were not charged"));
    // A form from before comes too late, and its page says so.
    let late = browser.send(&pay).await.is(200);
    assert_eq!(late.attribute(".order", "data-order"), "expired");
    let page = browser
        .send(&page.form("Try the same tickets again"))
        .await
        .is(200);
    assert_ne!(page.path, path);
    assert_eq!(page.attribute(".order", "data-order"), "payable");
}
