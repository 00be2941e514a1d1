//! How much one user may ask for.

use bigtix_testkit::stores::shared;
use reqwest::Method;

use crate::shop::Shop;

#[tokio::test(flavor = "multi_thread")]
async fn who_changes_too_much_has_to_wait_and_nobody_else_has() {
    let redis = shared().redis_url();
    let shop = Shop::open_with(&[("CHANGES_PER_USER_PER_SECOND", "1"), ("REDIS_URL", &redis)]).await;
    let (wild, calm) = (shop.person(), shop.person());
    let path = "/api/orders/64b0c0ffee0000000000beef";
    let mut answers = Vec::new();
    // Each of the two instances lets ten through before it hears of the other's.
    for _ in 0..60 {
        answers.push(shop.ask(&wild, Method::DELETE, path, None).await);
    }
    let refused = answers.iter().filter(|(status, _)| *status == 429).count();
    assert!((10..=50).contains(&refused), "{answers:?}");
    let (_, problem) = answers.iter().find(|(status, _)| *status == 429).unwrap();
    assert_eq!(problem["code"], "too_many_requests");
    assert_eq!(shop.ask(&calm, Method::DELETE, path, None).await.0, 404);
    assert_eq!(shop.ask(&wild, Method::GET, "/api/orders", None).await.0, 200);
    shop.close().await;
}
