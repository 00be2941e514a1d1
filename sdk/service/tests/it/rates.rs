//! Limits that several instances share.

use std::collections::BTreeMap;
use std::time::Duration;

use bigtix_service::rate::{RateConfig, RateLimit};
use bigtix_service::redis::{RedisClient, RedisConfig};
use bigtix_service::{Secret, Settings};
use bigtix_testkit::eventually;
use bigtix_testkit::stores::shared;
use tokio_util::sync::CancellationToken;

#[tokio::test]
async fn instances_learn_from_each_other_how_often_somebody_asked() {
    let stores = shared();
    let (prefix, url) = (stores.prefix(), stores.redis_url());
    let settings = BTreeMap::from([
        ("A_SECOND".to_owned(), "1".to_owned()),
        ("REDIS_URL".to_owned(), url.clone()),
    ]);
    let config = RateConfig::read(&mut Settings::from_map(settings), "A_SECOND", 0, "");
    let [here, there] = [(); 2].map(|()| RateLimit::new("tests", &prefix, &config).unwrap());
    let stop = CancellationToken::new();
    let sharing = [&here, &there].map(|limit| tokio::spawn(limit.clone().share(stop.clone())));
    let redis = RedisClient::new(&RedisConfig {
        url: Secret::new(url),
    })
    .unwrap();
    let counted = async |times| {
        eventually("the counts to be shared", async || {
            let name = [(format!("{prefix}rate:tests:ann"), 0)];
            let totals = redis.add_to_counts(&name, Duration::from_secs(60)).await.unwrap();
            (totals == [times]).then_some(())
        })
        .await;
    };
    for limit in [&here, &there] {
        limit.count("ann").unwrap();
    }
    counted(2).await;
    for _ in 0..8 {
        here.count("ann").unwrap();
    }
    counted(10).await;
    there.count("ann").unwrap();
    counted(11).await;
    let mut passed = 0;
    let wait = eventually("the other one's to count", async || {
        let counted = there.count("ann");
        passed += usize::from(counted.is_ok());
        counted.err()
    })
    .await;
    assert!(passed < 3 && wait <= Duration::from_secs(1), "{passed} {wait:?}");
    there.count("ben").unwrap();
    stop.cancel();
    for task in sharing {
        task.await.unwrap();
    }
}
