//! Accounts.

use bigtix_tests::suite::Scenario;
use bigtix_tests::world::{PASSWORD, unique};
use bigtix_tests::{World, scenarios};

use crate::browser::Browser;

pub(crate) const ALL: &[(&str, Scenario)] = scenarios![
    somebody_signs_up_signs_out_and_signs_in,
    what_is_wrong_is_said_beside_the_field_and_in_the_summary,
    a_wrong_password_is_refused_without_saying_which,
    signing_in_leads_back_and_never_out_of_the_shop,
    failures_from_one_address_do_not_lock_out_another,
];

async fn somebody_signs_up_signs_out_and_signs_in(world: World) {
    let mut browser = Browser::new(&world);
    let email = format!("{}@people.test", unique("web"));
    let form = browser.get("/auth/signup").await.is(200).form("Sign up");
    let page = browser
        .send(&form.with("email", &email).with("password", PASSWORD))
        .await
        .is(200);
    assert_eq!(page.path, "/");
    assert!(browser.cookie("session").is_some());
    assert!(
        page.all(".menu a").contains(&"My orders".to_owned()),
        "{}",
        page.text
    );

    let form = browser.get("/auth/signout").await.is(200).form("Sign out");
    let page = browser.send(&form).await.is(200);
    assert_eq!(browser.cookie("session"), None);
    assert!(page.all(".menu a").contains(&"Sign in".to_owned()));

    let form = browser.get("/auth/signin").await.is(200).form("Sign in");
    let page = browser
        .send(&form.with("email", &email).with("password", PASSWORD))
        .await
        .is(200);
    assert!(page.all(".menu a").contains(&"My orders".to_owned()));
}

async fn what_is_wrong_is_said_beside_the_field_and_in_the_summary(world: World) {
    let mut browser = Browser::new(&world);
    let form = browser.get("/auth/signup").await.is(200).form("Sign up");
    let page = browser
        .send(&form.with("email", "nobody").with("password", "short"))
        .await
        .is(422);
    assert!(page.the("title").starts_with("Error: "), "{}", page.the("title"));
    assert!(page.has(".error-summary[role=alert][autofocus] a[href='#email']"));
    let summary = page.all(".error-summary a[href='#email']");
    assert_eq!(summary, [page.the("#email-error")]);
    let beside = page.the("#password-error");
    for words in page.all(".error-summary a[href='#password']") {
        assert!(beside.contains(&words), "{words} is not in {beside}");
    }
    assert_eq!(page.attribute("#email", "aria-invalid"), "true");
    assert_eq!(page.attribute("#email", "aria-describedby"), "email-error");
    // What was typed is still there, but for the password.
    assert_eq!(page.attribute("#email", "value"), "nobody");
    assert!(!page.has("#password[value]"));
}

async fn a_wrong_password_is_refused_without_saying_which(world: World) {
    let person = world.person().await;
    let mut browser = Browser::new(&world);
    let form = browser.get("/auth/signin").await.form("Sign in");
    let form = form.with("password", "Wrong-1234");
    let known = browser
        .send(&form.clone().with("email", &person.user.email))
        .await
        .is(422);
    let unknown = browser
        .send(&form.with("email", format!("{}@people.test", unique("x"))))
        .await
        .is(422);
    assert_eq!(known.all(".error-summary li"), unknown.all(".error-summary li"));
    assert_eq!(known.all(".error-summary li"), ["Email or password is wrong"]);
}

async fn signing_in_leads_back_and_never_out_of_the_shop(world: World) {
    let person = world.person().await;
    let mut browser = Browser::new(&world);
    let page = browser.get("/tickets/mine?cursor=").await.is(200);
    assert!(
        page.path.starts_with("/auth/signin?next=%2Ftickets%2Fmine"),
        "{}",
        page.path
    );
    let form = page
        .form("Sign in")
        .with("email", &person.user.email)
        .with("password", PASSWORD);
    let page = browser.send(&form).await.is(200);
    assert_eq!(page.path, "/tickets/mine?cursor=");
    for elsewhere in [
        "//evil.test",
        "https://evil.test/",
        "/\\evil.test",
        "/%09/evil.test\t",
    ] {
        let mut browser = Browser::new(&world);
        let page = browser.get("/auth/signin").await;
        let form = page
            .form("Sign in")
            .with("email", &person.user.email)
            .with("password", PASSWORD);
        let page = browser.send(&form.with("next", elsewhere)).await.is(200);
        assert_eq!(page.path, "/", "{elsewhere}");
    }
}

async fn failures_from_one_address_do_not_lock_out_another(world: World) {
    // Ten failures for one email and address lock that pair; another email from here goes on.
    let person = world.person().await;
    let mut browser = Browser::new(&world);
    let form = browser
        .get("/auth/signin")
        .await
        .form("Sign in")
        .with("password", "Wrong-1234");
    let form = form.with("email", &person.user.email);
    for _ in 0..10 {
        browser.send(&form).await.is(422);
    }
    let page = browser.send(&form).await.is(429);
    assert_eq!(
        page.all(".error-summary li"),
        ["Too many attempts. Wait a few minutes and try again."]
    );
    let other = world.person().await;
    let form = form.with("email", &other.user.email).with("password", PASSWORD);
    browser.send(&form).await.is(200);
}
