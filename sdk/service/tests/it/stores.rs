//! The stores themselves: what the kit promises about MongoDB, leases and Redis.

use bigtix_service::Secret;
use bigtix_service::lease::Lease;
use bigtix_service::mongo::{
    GroupedChanges, GroupedInserts, InsertError, MongoError, Update, UpdateOne, duplicate_key, new_id,
    outcome_unknown, to_object_id,
};
use bigtix_service::redis::{RedisClient, RedisConfig};
use bigtix_testkit::eventually;
use bigtix_testkit::stores::shared;
use bson::doc;
use bson::oid::ObjectId;
use futures::future::join_all;
use mongodb::IndexModel;
use mongodb::options::IndexOptions;

use crate::world::World;

fn unique(field: &str, name: &str) -> IndexModel {
    let options = IndexOptions::builder().name(name.to_owned()).unique(true).build();
    IndexModel::builder()
        .keys(doc! {field: 1})
        .options(options)
        .build()
}

fn set(id: i32, number: i32, upsert: bool) -> UpdateOne {
    UpdateOne {
        filter: doc! {"_id": id},
        update: Update::Document(doc! {"$set": {"number": number}}),
        upsert,
    }
}

#[tokio::test]
async fn a_bulk_update_says_what_became_of_each_statement() {
    let world = World::new().await;
    world
        .mongo
        .ensure_indexes("things", &[unique("number", "one_number_each")])
        .await
        .unwrap();
    let things = world.mongo.collection("things");
    things
        .insert_many([doc! {"_id": 1, "number": 1}, doc! {"_id": 2, "number": 2}])
        .await
        .unwrap();
    let pipeline = Update::Pipeline(vec![doc! {"$set": {"number": {"$add": ["$number", 40]}}}]);
    let updates = vec![
        set(1, 1, false),
        set(1, 2, false),
        set(3, 3, true),
        UpdateOne {
            filter: doc! {"_id": 2},
            update: pipeline,
            upsert: false,
        },
        set(9, 9, false),
    ];
    let outcome = world.mongo.bulk_update("things", updates).await.unwrap();
    assert_eq!((outcome.matched, outcome.modified), (2, 1));
    assert_eq!(outcome.upserted, [2]);
    assert_eq!(
        outcome
            .errors
            .iter()
            .map(|(index, code, _)| (*index, *code))
            .collect::<Vec<_>>(),
        [(1, 11000)]
    );
    assert_eq!(
        outcome.first_failure(),
        None,
        "a duplicate key is no failure of a copy"
    );
}

#[tokio::test]
async fn a_bulk_update_may_be_longer_than_a_command() {
    let world = World::new().await;
    let updates = (0..2500).map(|id| set(id, id, true)).collect();
    let outcome = world.mongo.bulk_update("things", updates).await.unwrap();
    assert_eq!(outcome.upserted, (0..2500).collect::<Vec<_>>());
    let broken = UpdateOne {
        filter: doc! {"_id": 2400},
        update: Update::Document(doc! {"$no": 1}),
        upsert: false,
    };
    let mut updates: Vec<UpdateOne> = (0..2400).map(|id| set(id, id + 1, false)).collect();
    updates.push(broken);
    let outcome = world.mongo.bulk_update("things", updates).await.unwrap();
    assert_eq!(
        (
            outcome.modified,
            outcome.errors.len(),
            outcome.first_failure().unwrap().0
        ),
        (2400, 1, 2400)
    );
}

/// Twenty who want to take each of ten documents from version to version, all at once and from two instances.
#[tokio::test]
async fn of_grouped_changes_to_one_version_one_is_made() {
    let world = World::new().await;
    let things = world.mongo.collection("things");
    let ids: Vec<ObjectId> = (0..10).map(|_| ObjectId::new()).collect();
    things
        .insert_many(ids.iter().map(|id| doc! {"_id": id, "version": 0_i64}))
        .await
        .unwrap();
    let instances = [0, 1].map(|_| GroupedChanges::new(world.mongo.clone(), "things"));
    for version in 0..5_i64 {
        let asked = ids.iter().flat_map(|id| (0..20).map(move |who| (*id, who)));
        let answers = asked.map(|(id, who)| {
            let changes = instances[who % 2].clone();
            async move {
                let condition = doc! {"version": version};
                let set = doc! {"version": version + 1, "who": i64::try_from(who).unwrap()};
                changes
                    .set_if(id, condition, set)
                    .await
                    .unwrap()
                    .then_some((id, who))
            }
        });
        let made: Vec<(ObjectId, usize)> = join_all(answers).await.into_iter().flatten().collect();
        assert_eq!(made.len(), ids.len(), "one each");
        for (id, who) in made {
            let thing = things.find_one(doc! {"_id": id}).await.unwrap().unwrap();
            assert_eq!(thing.get_i64("version").unwrap(), version + 1);
            assert_eq!(
                thing.get_i64("who").unwrap(),
                i64::try_from(who).unwrap(),
                "the one who was told so"
            );
        }
    }
}

#[tokio::test]
async fn a_grouped_insert_that_is_refused_does_not_hinder_the_others() {
    let world = World::new().await;
    world
        .mongo
        .ensure_indexes("things", &[unique("number", "one_number_each")])
        .await
        .unwrap();
    let inserts = GroupedInserts::new(world.mongo.clone(), "things");
    let asked = (0..60_i32).map(|number| inserts.insert(doc! {"number": number % 50}));
    let answers = join_all(asked).await;
    let refused: Vec<&InsertError> = answers
        .iter()
        .filter_map(|answer| answer.as_ref().err())
        .collect();
    assert_eq!(refused.len(), 10);
    for error in refused {
        assert!(
            matches!(error, InsertError::Duplicate(key) if key.index == "one_number_each"),
            "{error}"
        );
    }
    let stored = world
        .mongo
        .collection("things")
        .count_documents(doc! {})
        .await
        .unwrap();
    assert_eq!(stored, 50);
}

#[tokio::test]
async fn a_duplicate_key_names_its_index() {
    let world = World::new().await;
    world
        .mongo
        .ensure_indexes("things", &[unique("number", "one_number_each")])
        .await
        .unwrap();
    let things = world.mongo.collection("things");
    things
        .insert_one(doc! {"_id": to_object_id(new_id()), "number": 1})
        .await
        .unwrap();
    let single = things.insert_one(doc! {"number": 1}).await.unwrap_err();
    let many = things
        .insert_many([doc! {"number": 5}, doc! {"number": 1}])
        .ordered(false)
        .await
        .unwrap_err();
    let modify = things
        .find_one_and_update(doc! {"number": 5}, doc! {"$set": {"number": 1}})
        .await
        .unwrap_err();
    for error in [single, many, modify] {
        assert_eq!(
            duplicate_key(&error).expect("a duplicate key").index,
            "one_number_each",
            "{error}"
        );
        assert!(!outcome_unknown(&error));
    }
    let id = things
        .insert_one(doc! {"_id": 7, "number": 7})
        .await
        .unwrap()
        .inserted_id;
    let again = things
        .insert_one(doc! {"_id": id, "number": 8})
        .await
        .unwrap_err();
    assert_eq!(duplicate_key(&again).unwrap().index, "_id_");
}

#[tokio::test]
async fn an_index_that_differs_from_what_is_asked_for_is_an_error() {
    let world = World::new().await;
    let loose = IndexModel::builder()
        .keys(doc! {"number": 1})
        .options(IndexOptions::builder().name("numbers".to_owned()).build())
        .build();
    world.mongo.ensure_indexes("things", &[loose]).await.unwrap();
    assert!(
        world
            .mongo
            .ensure_indexes("things", &[unique("number", "numbers")])
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_wrong_connection_string_is_refused_without_being_repeated() {
    let config = bigtix_service::mongo::MongoConfig {
        uri: Secret::new("mongodb://u:hunter2@@"),
        database: "x".to_owned(),
    };
    let error = bigtix_service::mongo::Mongo::connect(&config).await.unwrap_err();
    assert!(matches!(error, MongoError::Uri));
    assert!(!format!("{error} {error:?}").contains("hunter2"));
}

#[tokio::test]
async fn writes_wait_for_a_majority_and_its_journal() {
    let world = World::new().await;
    let concern = world.mongo.collection("things").write_concern().cloned().unwrap();
    assert_eq!(
        (concern.w, concern.journal),
        (Some(mongodb::options::Acknowledgment::Majority), Some(true))
    );
    assert_eq!(
        world.mongo.database().read_concern(),
        Some(&mongodb::options::ReadConcern::majority())
    );
    assert!(world.mongo.is_healthy().await);
}

#[tokio::test]
async fn one_holder_has_the_lease_until_it_frees_it() {
    let world = World::new().await;
    let (one, two) = (Lease::new(&world.mongo, "work"), Lease::new(&world.mongo, "work"));
    let held = one.acquire().await.unwrap().expect("nobody has it");
    assert!(held.is_valid());
    assert!(two.acquire().await.unwrap().is_none());
    assert!(
        Lease::new(&world.mongo, "other work")
            .acquire()
            .await
            .unwrap()
            .is_some()
    );
    held.release().await.unwrap();
    assert!(two.acquire().await.unwrap().is_some());
}

#[tokio::test]
async fn a_lease_is_renewed_while_it_is_held_and_runs_out_when_its_holder_is_gone() {
    let world = World::new().await;
    let (one, two) = (Lease::new(&world.mongo, "work"), Lease::new(&world.mongo, "work"));
    let until = async || {
        world
            .mongo
            .collection("leases")
            .find_one(doc! {})
            .await
            .unwrap()
            .unwrap()
            .get_datetime("until")
            .cloned()
            .unwrap()
    };
    let held = one.acquire().await.unwrap().unwrap();
    let first = until().await;
    eventually("a renewal", async || (until().await > first).then_some(())).await;
    drop(held);
    eventually("the lease to run out", async || {
        two.acquire().await.unwrap().map(drop)
    })
    .await;
}

#[tokio::test]
async fn a_holder_learns_that_somebody_else_has_the_lease() {
    let world = World::new().await;
    let held = Lease::new(&world.mongo, "work").acquire().await.unwrap().unwrap();
    let theft = doc! {"$set": {"holder": bson::oid::ObjectId::new()}};
    world
        .mongo
        .collection("leases")
        .update_one(doc! {}, theft)
        .await
        .unwrap();
    eventually("the loss to be noticed", async || {
        held.lost().is_cancelled().then_some(())
    })
    .await;
    assert!(!held.is_valid());
}

#[tokio::test]
async fn a_sorted_set_gives_what_is_due_lowest_first() {
    let stores = shared();
    let client = RedisClient::new(&RedisConfig {
        url: Secret::new(stores.redis_url()),
    })
    .unwrap();
    assert!(client.is_healthy().await);
    let timers = client.sorted_set(format!("{}timers", stores.prefix()));
    let member = |name: &str, score| (name.to_owned(), score);
    timers
        .add(&[member("b", 20), member("a", 10), member("c", 1_900_000_000_000)])
        .await
        .unwrap();
    timers.add(&[member("b", 5)]).await.unwrap();
    assert_eq!(timers.up_to(20, 10).await.unwrap(), ["b", "a"]);
    assert_eq!(timers.up_to(20, 1).await.unwrap(), ["b"]);
    timers
        .remove(&["b".to_owned(), "a".to_owned(), "never".to_owned()])
        .await
        .unwrap();
    assert_eq!(timers.lowest_score().await.unwrap(), Some(1_900_000_000_000));
    assert_eq!(timers.count().await.unwrap(), 1);
}

#[tokio::test]
async fn redis_may_be_away_when_a_service_starts() {
    let held = bigtix_testkit::stores::HeldPort::find().unwrap();
    let client = RedisClient::new(&RedisConfig {
        url: Secret::new(format!("redis://127.0.0.1:{}", held.number())),
    })
    .unwrap();
    assert!(!client.is_healthy().await);
    assert!(client.sorted_set("timers").count().await.is_err());
}
