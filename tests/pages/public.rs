//! What anybody sees, search engines among them.

use bigtix_contracts::Cents;
use bigtix_tests::suite::Scenario;
use bigtix_tests::world::unique;
use bigtix_tests::{World, scenarios};
use serde_json::Value;

use crate::browser::Browser;

pub(crate) const ALL: &[(&str, Scenario)] = scenarios![
    what_is_on_sale_is_found_by_words_and_filters,
    a_long_list_comes_in_pages_and_keeps_its_filters,
    an_event_page_says_what_a_search_engine_wants_to_know,
    what_a_seller_writes_is_text_and_never_markup,
    private_pages_are_not_found,
    robots_and_a_map,
    an_unknown_path_has_a_page_with_the_search,
    assets_are_kept_for_ever_and_pages_are_not,
    the_api_is_described_where_there_is_no_edge,
    a_picture_belongs_to_its_event,
    every_page_of_a_visitor_is_whole,
];

async fn what_is_on_sale_is_found_by_words_and_filters(world: World) {
    let seller = world.person().await;
    let title = unique("Symphony");
    let event = seller.adds_an_event(&title).await;
    seller.lists_for(&event, 3, Cents(20_00)).await;
    seller.lists_for(&event, 1, Cents(35_50)).await;
    let mut browser = Browser::new(&world);
    let word = title.split('-').next_back().expect("a word");
    let page = browser.get(&format!("/?q={word}")).await.is(200);
    assert_eq!(page.the(".tile-title"), title);
    assert_eq!(page.all(".tile .price"), ["from $20.00"]);
    assert_eq!(page.all(".tile .left"), ["Only 4 left"]);
    assert_eq!(
        page.attribute(".tile time", "datetime"),
        "2031-05-01T14:30:00-05:00"
    );
    for (filter, is_there) in [
        ("city=springfield", true),
        ("city=Vienna", false),
        ("from=2031-05-01&to=2031-05-01", true),
        ("from=2031-05-02", false),
        ("minPrice=30", true),
        ("minPrice=36", false),
        ("maxPrice=19.99", false),
    ] {
        let page = browser.get(&format!("/?q={word}&{filter}")).await.is(200);
        assert_eq!(page.has(".tile"), is_there, "{filter}");
    }
    let page = browser.get(&format!("/?q={word}&from=soon")).await.is(200);
    assert_eq!(page.the("#from-error"), "Dates look like 2031-05-01");
    let page = browser.get("/?q=zzzzzzzzzz").await.is(200);
    assert_eq!(page.the(".empty h2"), "Nothing matches");
}

async fn a_long_list_comes_in_pages_and_keeps_its_filters(world: World) {
    let seller = world.person().await;
    let word = unique("long").replace('-', "");
    let draft = bigtix_client::NewTicket::new(&word, Cents(20_00));
    seller.client.list_tickets(&draft, 60).await.expect("listings");
    let mut browser = Browser::new(&world);
    let first = browser.get(&format!("/?q={word}&maxPrice=20")).await.is(200);
    let next = first.attribute("a[rel=next]", "href");
    assert!(next.contains(&format!("q={word}&maxPrice=20&cursor=")), "{next}");
    let second = browser.get(&next).await.is(200);
    let mut seen = [first.links(".tile-title a"), second.links(".tile-title a")].concat();
    seen.sort();
    seen.dedup();
    assert_eq!((seen.len(), second.has("a[rel=next]")), (60, false));
    assert_eq!(
        second.attribute("a[rel=prev]", "href"),
        format!("/?q={word}&maxPrice=20")
    );
    // A cursor that somebody made up leads to no page.
    browser.get("/?cursor=nonsense").await.is(404);
}

async fn an_event_page_says_what_a_search_engine_wants_to_know(world: World) {
    let seller = world.person().await;
    let event = seller.adds_an_event(&unique("Opera")).await;
    let path = format!("/events/{}", event.id);
    let mut browser = Browser::new(&world);
    let page = browser.get(&path).await.is(200);
    let before: Value = serde_json::from_str(&page.the("script[type='application/ld+json']")).expect("JSON");
    assert_eq!(before["offers"]["availability"], "https://schema.org/SoldOut");

    let other = seller.adds_an_event(&unique("Opera")).await;
    seller.lists_for(&other, 2, Cents(19_99)).await;
    let path = format!("/events/{}", other.id);
    let page = browser.get(&path).await.is(200);
    let data: Value = serde_json::from_str(&page.the("script[type='application/ld+json']")).expect("JSON");
    assert_eq!(data["@type"], "Event");
    assert_eq!(data["startDate"], "2031-05-01T14:30:00-05:00");
    assert_eq!(data["eventStatus"], "https://schema.org/EventScheduled");
    assert_eq!(data["offers"]["price"], "19.99");
    assert_eq!(data["offers"]["offerCount"], 2);
    assert_eq!(data["offers"]["availability"], "https://schema.org/InStock");
    assert_eq!(
        page.attribute("link[rel=canonical]", "href"),
        format!("{}{path}", world.shop().run().url)
    );
    assert_eq!(
        page.attribute("meta[property='og:title']", "content"),
        page.the("title")
    );
    assert!(!page.has("meta[name=robots]"));
    assert!(
        page.the(".facts").contains("2:30 PM CDT"),
        "{}",
        page.the(".facts")
    );
}

async fn what_a_seller_writes_is_text_and_never_markup(world: World) {
    let seller = world.person().await;
    let evil = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'";
    let event = seller.adds_an_event(evil).await;
    let draft = bigtix_client::NewTicket::new(evil, Cents(20_00))
        .event(event.id)
        .description(evil);
    let ticket = seller.client.list_ticket(&draft).await.expect("a listing");
    let mut browser = Browser::of(&world, &seller);
    for path in [
        format!("/events/{}", event.id),
        format!("/tickets/{}", ticket.id),
        format!("/tickets/{}/edit", ticket.id),
        "/tickets/mine".to_owned(),
        "/".to_owned(),
        "/?q=%3Cscript%3Ealert(3)%3C%2Fscript%3E%22%27".to_owned(),
        "/auth/signin?next=%2F%22%3E%3Cscript%3Ealert(4)%3C%2Fscript%3E".to_owned(),
    ] {
        let page = browser.get(&path).await.is(200);
        assert!(!page.has("img[onerror]"), "{path}");
        let scripts = page.all("script:not([type='application/ld+json'])");
        assert_eq!(scripts, [""], "{path}");
        assert!(!page.text.contains("<script>"), "{path}");
    }
    let page = browser.get(&format!("/tickets/{}", ticket.id)).await;
    assert!(
        page.the("h1").contains("<script>alert(1)</script>"),
        "{}",
        page.the("h1")
    );
}

async fn private_pages_are_not_found(world: World) {
    let person = world.person().await;
    let mut browser = Browser::of(&world, &person);
    for path in [
        "/cart",
        "/orders",
        "/tickets/mine",
        "/tickets/new",
        "/auth/signin",
        "/auth/signup",
    ] {
        let page = browser.get(path).await.is(200);
        assert_eq!(
            page.attribute("meta[name=robots]", "content"),
            "noindex",
            "{path}"
        );
        assert_eq!(page.headers["cache-control"], "no-store", "{path}");
        assert!(!page.has("link[rel=canonical]"), "{path}");
    }
}

async fn robots_and_a_map(world: World) {
    let seller = world.person().await;
    let event = seller.adds_an_event(&unique("Mapped")).await;
    let mut browser = Browser::new(&world);
    let robots = browser.get("/robots.txt").await.is(200);
    assert!(robots.text.contains("Disallow: /orders"));
    assert!(
        robots
            .text
            .contains(&format!("Sitemap: {}/sitemap.xml", world.shop().run().url))
    );
    let map = browser.get("/sitemap.xml").await.is(200);
    assert!(
        map.headers["content-type"]
            .to_str()
            .unwrap_or_default()
            .starts_with("application/xml")
    );
    assert!(
        map.text.contains("<urlset")
            && map
                .text
                .contains(&format!("<loc>{}/</loc>", world.shop().run().url))
    );
    // The map is drawn once a minute; events of before are there, and this one at the latest then.
    assert!(map.text.contains("/events/") || map.text.contains(&event.id.to_string()));
    browser.get("/favicon.ico").await.is(200);
}

async fn an_unknown_path_has_a_page_with_the_search(world: World) {
    let mut browser = Browser::new(&world);
    for path in [
        "/nothing",
        "/a/b/c",
        "/orders/x",
        "/events/64b0c0ffee0000000000dead",
        "/tickets/64b0c0ffee0000000000dead",
    ] {
        let page = browser.get(path).await;
        let page = if path.starts_with("/orders") {
            page
        } else {
            page.is(404)
        };
        assert!(page.has("form[role=search] input[name=q]"), "{path}");
        assert_eq!(page.all("h1").len(), 1);
    }
    for (path, accept) in [("/api/nothing", "*/*"), ("/nothing", "application/json")] {
        let headers = [("accept", accept)];
        let call = browser
            .ask(reqwest::Method::GET, path, &[], &headers)
            .await
            .is(404);
        assert!(call.text.starts_with('{'), "{}", call.text);
    }
}

async fn assets_are_kept_for_ever_and_pages_are_not(world: World) {
    let mut browser = Browser::new(&world);
    let page = browser.get("/").await.is(200);
    assert_eq!(page.headers["cache-control"], "private, no-cache");
    for (css, attribute) in [
        ("link[rel=stylesheet]", "href"),
        ("script[type=module]", "src"),
        (".brand img", "src"),
        ("link[rel=icon]", "href"),
    ] {
        let path = page.attribute(css, attribute);
        let asset = browser.get(&path).await.is(200);
        assert_eq!(
            asset.headers["cache-control"], "public, max-age=31536000, immutable",
            "{path}"
        );
        assert_eq!(asset.headers["x-content-type-options"], "nosniff");
        let packed = [("accept-encoding", "br")];
        let packed = browser
            .ask(reqwest::Method::GET, &path, &[], &packed)
            .await
            .is(200);
        assert_eq!(packed.headers["content-encoding"], "br", "{path}");
    }
    browser.get("/assets/000000000000/nothing.css").await.is(404);
}

async fn the_api_is_described_where_there_is_no_edge(world: World) {
    let mut browser = Browser::at(world.shop().service_url("web"));
    let page = browser.get("/docs").await.is(200);
    assert_eq!(
        (page.path.as_str(), page.the("h1").as_str()),
        ("/api/docs", "API")
    );
    for link in page.links("main a") {
        let document: Value = serde_json::from_str(&browser.get(&link).await.is(200).text).expect("JSON");
        assert!(
            document["paths"]
                .as_object()
                .is_some_and(|paths| !paths.is_empty()),
            "{link}"
        );
    }
    browser.get("/api/docs/nothing.json").await.is(404);
}

async fn a_picture_belongs_to_its_event(world: World) {
    let seller = world.person().await;
    let event = seller.adds_an_event(&unique("Pictured")).await;
    let mut browser = Browser::new(&world);
    let page = browser.get(&format!("/events/{}", event.id)).await.is(200);
    let picture = browser.get(&page.attribute("img.art", "src")).await.is(200);
    assert_eq!(picture.headers["content-type"], "image/svg+xml");
    assert_eq!(
        picture.headers["cache-control"],
        "public, max-age=31536000, immutable"
    );
    let again = browser.get(&format!("/events/{}", event.id)).await;
    assert_eq!(
        again.attribute("img.art", "src"),
        page.attribute("img.art", "src")
    );
    browser.get("/art/nothing.svg").await.is(404);
}

/// One h1, landmarks, a label for each field, ids that are unique, and references that lead somewhere.
async fn every_page_of_a_visitor_is_whole(world: World) {
    let (seller, buyer) = world.two_people().await;
    let event = seller.adds_an_event(&unique("Whole")).await;
    let tickets = seller.lists_for(&event, 2, Cents(20_00)).await;
    let order = buyer.reserves(tickets[0].id).await;
    for (person, paths) in [
        (
            &seller,
            vec![
                "/tickets/new".to_owned(),
                "/tickets/mine".into(),
                format!("/tickets/{}/edit", tickets[1].id),
                format!("/tickets/{}/edit", tickets[0].id),
            ],
        ),
        (
            &buyer,
            vec![
                "/".to_owned(),
                "/cart".into(),
                "/orders".into(),
                format!("/orders/{}", order.id),
                format!("/events/{}", event.id),
                format!("/tickets/{}", tickets[1].id),
                "/auth/signin".into(),
                "/auth/signup".into(),
                "/auth/signout".into(),
            ],
        ),
    ] {
        let mut browser = Browser::of(&world, person);
        for path in paths {
            let page = browser.get(&path).await.is(200);
            assert_eq!(page.all("h1").len(), 1, "{path}");
            for landmark in [
                "header.masthead",
                "nav[aria-label]",
                "main#main",
                "footer",
                "a.skip[href='#main']",
                "html[lang]",
            ] {
                assert!(page.has(landmark), "{landmark} in {path}");
            }
            page.is_consistent();
        }
    }
}
