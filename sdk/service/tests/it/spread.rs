//! One relay that reads several databases: their notes reach one stream, which has one writer.

use bigtix_testkit::eventually;
use bigtix_testkit::stores::{HeldPort, Mongod, StoresConfig, shared};
use bson::doc;

use crate::world::World;

/// Another database whose notes belong to the same stream.
async fn beside(world: &World) -> World {
    let stores = shared();
    let other = stores.database();
    World::at(&other.uri, &other.name, &stores.nats_url(), &world.prefix).await
}

#[tokio::test]
async fn notes_of_two_databases_reach_one_stream_and_a_relay_goes_on_where_another_one_was() {
    let here = World::new().await;
    let there = beside(&here).await;
    there.write("scanned").await;
    let relay = here.relay_with(&there).await;
    for (world, note) in [(&here, "a"), (&there, "b"), (&there, "scanned")] {
        let version = world.write(note).await;
        world.published(note, version).await;
    }
    eventually("a position in both", async || {
        let progress = here.progress().await;
        let tokens = progress.get_document("tokens").ok()?;
        (progress.contains_key("token") && tokens.contains_key("1")).then_some(())
    })
    .await;
    relay.kill().await;
    let missed = (here.write("a").await, there.write("b").await);
    let relay = here.relay_with(&there).await;
    here.published("a", missed.0).await;
    there.published("b", missed.1).await;
    assert_eq!(
        here.epoch().await,
        0,
        "nobody took what the other database has for lost"
    );
    assert!(
        there.progress().await.is_empty(),
        "progress is in the first one alone"
    );
    relay.stop().await;
}

#[tokio::test]
async fn a_stream_that_is_lost_is_filled_from_both_databases_again() {
    let here = World::new().await;
    let there = beside(&here).await;
    let relay = here.relay_with(&there).await;
    let versions = (here.write("a").await, there.write("b").await);
    here.published("a", versions.0).await;
    there.published("b", versions.1).await;
    here.stored_position().await;
    here.jetstream()
        .await
        .delete_stream(here.stream_name())
        .await
        .unwrap();
    eventually("the loss to be noticed", async || {
        (here.epoch().await == 1).then_some(())
    })
    .await;
    here.published("a", versions.0).await;
    there.published("b", versions.1).await;
    relay.stop().await;
}

#[tokio::test]
async fn a_database_that_is_away_holds_up_its_own_notes_alone() {
    let here = World::new().await;
    let dir = tempfile::tempdir().unwrap();
    let port = HeldPort::find().unwrap();
    let mut config = StoresConfig::new(dir.path(), ["tickets"]);
    config.mongodb_port = Some(port.number());
    drop(port);
    let mongod = Mongod::start(&config).await.unwrap();
    let there = World::at(&mongod.admin_uri(), "notes", &shared().nats_url(), &here.prefix).await;
    let relay = here.relay_with(&there).await;
    let version = there.write("b").await;
    there.published("b", version).await;

    mongod.stop().await;
    for _ in 0..3 {
        let version = here.write("a").await;
        here.published("a", version).await;
        // Whoever waits for the other database gives up, and has to try again later.
        there
            .mongo
            .collection("notes")
            .find_one(doc! {})
            .await
            .unwrap_err();
    }
    let mongod = Mongod::start(&config).await.unwrap();
    let version = there.write("b").await;
    there.published("b", version).await;
    assert_eq!(here.epoch().await, 0);
    relay.stop().await;
    mongod.stop().await;
}
