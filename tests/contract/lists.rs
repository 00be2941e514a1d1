//! Lists and their pages.

use bigtix_contracts::Cents;
use bigtix_tests::suite::Scenario;
use bigtix_tests::{Answer, Person, World, scenarios};
use futures::TryStreamExt;

pub(crate) const ALL: &[(&str, Scenario)] = scenarios![
    a_list_is_newest_first,
    pages_follow_each_other_by_link_and_by_cursor,
    pages_stay_stable_while_rows_are_added,
    a_limit_out_of_range_and_a_strange_cursor_are_refused,
    a_page_has_fifty_rows_unless_told_otherwise,
];

async fn lists(seller: &Person, count: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for n in 0..count {
        ids.push(
            seller
                .lists(Cents(1000 + i64::try_from(n).expect("few")))
                .await
                .id
                .to_string(),
        );
    }
    ids.reverse();
    ids
}

async fn a_list_is_newest_first(world: World) {
    let seller = world.person().await;
    let newest_first = lists(&seller, 4).await;
    let path = format!("/api/tickets/user/{}", seller.user.id);
    let listed = world.get(&path).await.is(200);
    assert_eq!(listed.ids(), newest_first);
    assert!(listed.header("link").is_none() && listed.header("x-next-cursor").is_none());

    let buyer = world.person().await;
    let mut placed = Vec::new();
    for id in &newest_first {
        let order = buyer.reserves(id.parse().expect("an id")).await;
        placed.insert(0, order.id.to_string());
    }
    assert_eq!(world.get("/api/orders").by(&buyer).await.ids(), placed);
    let streamed: Vec<_> = buyer
        .client
        .orders()
        .limit(3)
        .all()
        .try_collect()
        .await
        .expect("orders");
    let streamed: Vec<String> = streamed.iter().map(|order| order.id.to_string()).collect();
    assert_eq!(streamed, placed);
}

/// The path of the next page, as `Link` has it.
fn next_link(page: &Answer) -> Option<String> {
    let link = page.header("link")?;
    let (target, relation) = link.split_once('>').expect("a target");
    assert!(relation.contains("rel=\"next\""), "{link}");
    let target = target.trim_start_matches('<');
    // It may be relative or absolute.
    Some(target.find("/api/").map_or(target, |at| &target[at..]).to_owned())
}

async fn pages_follow_each_other_by_link_and_by_cursor(world: World) {
    let seller = world.person().await;
    let all = lists(&seller, 5).await;
    let path = format!("/api/tickets/user/{}", seller.user.id);
    let first = world.get(&format!("{path}?limit=2")).await.is(200);
    assert_eq!(first.ids(), all[..2]);
    let by_link = world.get(&next_link(&first).expect("a next page")).await.is(200);
    let cursor = first.header("x-next-cursor").expect("a cursor");
    let by_cursor = world
        .get(&format!("{path}?limit=2&cursor={cursor}"))
        .await
        .is(200);
    assert_eq!(by_link.ids(), all[2..4]);
    assert_eq!(by_cursor.ids(), all[2..4]);
    let last = world
        .get(&next_link(&by_link).expect("a next page"))
        .await
        .is(200);
    assert_eq!(last.ids(), all[4..]);
    assert_eq!(next_link(&last), None);
    let exactly = world.get(&format!("{path}?limit=5")).await.is(200);
    assert_eq!((exactly.ids().len(), next_link(&exactly)), (5, None));
}

async fn pages_stay_stable_while_rows_are_added(world: World) {
    let seller = world.person().await;
    let before = lists(&seller, 6).await;
    let path = format!("/api/tickets/user/{}?limit=2", seller.user.id);
    let mut seen = Vec::new();
    let mut next = Some(path);
    while let Some(path) = next {
        let page = world.get(&path).await.is(200);
        seen.extend(page.ids());
        next = next_link(&page);
        lists(&seller, 3).await;
    }
    assert_eq!(seen, before);
}

async fn a_limit_out_of_range_and_a_strange_cursor_are_refused(world: World) {
    let person = world.person().await;
    for path in [
        "/api/tickets",
        "/api/tickets/currentuser",
        "/api/events",
        "/api/orders",
        "/api/orders/all",
    ] {
        for limit in ["0", "201", "-1", "many"] {
            let ask = world.get(&format!("{path}?limit={limit}")).by(&person);
            ask.await.refuses_field("limit");
        }
        for cursor in ["nonsense", "AAAA", "%20"] {
            let ask = world.get(&format!("{path}?cursor={cursor}")).by(&person);
            ask.await.refuses(400, "Cursor is invalid").about("cursor");
        }
        world.get(&format!("{path}?limit=200")).by(&person).await.is(200);
    }
}

async fn a_page_has_fifty_rows_unless_told_otherwise(world: World) {
    let seller = world.person().await;
    let event = seller.adds_an_event("Long list").await;
    seller.lists_for(&event, 51, Cents(1000)).await;
    let page = world.get("/api/tickets/currentuser").by(&seller).await.is(200);
    assert_eq!(page.ids().len(), 50);
    assert!(page.header("x-next-cursor").is_some());
}
