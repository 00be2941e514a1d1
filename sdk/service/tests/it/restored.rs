//! A database that was put back to an earlier moment, while the bus went on.

use bigtix_service::mongo::{Mongo, MongoError, restoring};
use bigtix_service::outbox::without_its_stream;
use bigtix_testkit::eventually;
use bson::{Document, doc};
use futures::TryStreamExt;

use crate::world::World;

async fn all(world: &World, collection: &str) -> Vec<Document> {
    let found = world.mongo.collection(collection).find(doc! {}).await;
    found.unwrap().try_collect().await.unwrap()
}

async fn put_back(world: &World, collection: &str, documents: Vec<Document>) {
    let collection = world.mongo.collection(collection);
    collection.drop().await.unwrap();
    collection.insert_many(documents).await.unwrap();
}

#[tokio::test]
async fn what_the_stream_holds_of_the_time_after_goes_when_the_database_is_put_back() {
    let world = World::new().await;
    let relay = world.relay().await;
    let early = world.write("kept").await;
    world.published("kept", early).await;
    relay.stop().await;
    let (notes, relays) = (all(&world, "notes").await, all(&world, "relay").await);

    let relay = world.relay().await;
    for note in ["kept", "gone"] {
        let late = world.write(note).await;
        world.published(note, late).await;
    }
    relay.stop().await;
    put_back(&world, "notes", notes).await;
    put_back(
        &world,
        "relay",
        relays.into_iter().map(without_its_stream).collect(),
    )
    .await;

    let relay = world.relay().await;
    eventually("the stream holds what the database holds", async || {
        let is_back = world.on_stream("kept").await? == early;
        (is_back && world.on_stream("gone").await.is_none()).then_some(())
    })
    .await;
    let copy = world.copy("orders-tickets").await;
    world.copied("orders-tickets").await;
    let next = world.write("kept").await;
    world.published("kept", next).await;
    relay.stop().await;
    copy.stop().await;
}

#[tokio::test]
async fn a_database_that_is_half_restored_is_refused() {
    let world = World::new().await;
    let database = world.mongo.database();
    restoring::begin(database, "/backups/monday").await.unwrap();
    let refused = Mongo::connect(&world.config).await.unwrap_err();
    assert!(matches!(refused, MongoError::HalfRestored { .. }), "{refused}");
    assert!(refused.to_string().contains("/backups/monday"), "{refused}");
    restoring::end(database).await.unwrap();
    Mongo::connect(&world.config).await.unwrap();
}
