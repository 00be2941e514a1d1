//! The relay: what is in the database reaches the stream, whatever fails.

use std::time::{Duration, Instant};

use bigtix_testkit::eventually;
use bson::doc;

use crate::world::{World, envelope};

#[tokio::test]
async fn every_version_reaches_the_consumer_at_last_and_the_newest_state_wins() {
    let world = World::new().await;
    world.write("before").await;
    let (relay, copy) = (world.relay().await, world.copy("orders-tickets").await);
    for round in 0..20 {
        for note in 0..10 {
            if (round + note) % 3 != 0 {
                world.write(&format!("note-{note}")).await;
            }
        }
    }
    world.copied("orders-tickets").await;
    assert_eq!(world.contents("orders-tickets").await.len(), 11);
    relay.stop().await;
    copy.stop().await;
}

#[tokio::test]
async fn a_backlog_of_thousands_is_worked_off_by_a_scan_and_a_tail() {
    let world = World::new().await;
    let note = |id: String| doc! {"_id": id, "kind": "note", "version": 0_i64, "text": "text 0"};
    let notes = world.mongo.collection("notes");
    notes
        .insert_many((0..2000).map(|n| note(format!("scanned-{n}"))))
        .await
        .unwrap();
    let (relay, copy) = (world.relay().await, world.copy("orders-tickets").await);
    notes
        .insert_many((0..2000).map(|n| note(format!("tailed-{n}"))))
        .await
        .unwrap();
    world.copied("orders-tickets").await;
    relay.stop().await;
    copy.stop().await;
}

#[tokio::test]
async fn only_what_the_filter_takes_is_published() {
    let world = World::new().await;
    let relay = world.relay().await;
    world
        .mongo
        .collection("notes")
        .insert_one(doc! {"_id": "draft", "kind": "draft", "version": 0_i64, "text": ""})
        .await
        .unwrap();
    let version = world.write("real").await;
    world.published("real", version).await;
    assert_eq!(world.on_stream("draft").await, None);
    relay.stop().await;
}

#[tokio::test]
async fn a_document_that_cannot_be_read_does_not_stop_the_others() {
    let world = World::new().await;
    let broken = doc! {"_id": "broken", "kind": "note", "version": "one"};
    world
        .mongo
        .collection("notes")
        .insert_one(broken.clone())
        .await
        .unwrap();
    let relay = world.relay().await;
    let version = world.write("a").await;
    world.published("a", version).await;
    world
        .mongo
        .collection("notes")
        .update_one(doc! {"_id": "broken"}, doc! {"$set": {"more": 1}})
        .await
        .unwrap();
    let version = world.write("a").await;
    world.published("a", version).await;
    relay.stop().await;
}

#[tokio::test]
async fn a_relay_that_dies_before_it_stored_its_position_publishes_again_and_nothing_is_lost() {
    let world = World::new().await;
    let relay = world.relay().await;
    let version = world.write("first").await;
    world.published("first", version).await;
    let early = world.stored_position().await;
    for note in ["a", "b", "c"] {
        world.write(note).await;
        let version = world.write(note).await;
        world.published(note, version).await;
    }
    relay.kill().await;
    // As if it had died before it stored anything more.
    let mut back = early.clone();
    back.insert("term", world.progress().await.get_i64("term").unwrap());
    world
        .mongo
        .collection("relay")
        .replace_one(doc! {"_id": early.get_str("_id").unwrap()}, back)
        .await
        .unwrap();
    // Nobody relays this.
    let missed = world.write("b").await;

    let (relay, copy) = (world.relay().await, world.copy("orders-tickets").await);
    world.published("b", missed).await;
    world.copied("orders-tickets").await;
    assert_eq!(world.epoch().await, 0, "the stream was never lost");
    relay.stop().await;
    copy.stop().await;
}

#[tokio::test]
async fn what_was_written_while_no_relay_ran_is_published_by_the_next_one() {
    let world = World::new().await;
    let relay = world.relay().await;
    let version = world.write("a").await;
    world.published("a", version).await;
    let early = world.stored_position().await;
    let version = world.write("a").await;
    world.published("a", version).await;
    relay.stop().await;
    assert_ne!(
        world.progress().await.get("token"),
        early.get("token"),
        "a clean stop stores the position"
    );
    let version = world.write("a").await;
    let relay = world.relay().await;
    world.published("a", version).await;
    relay.stop().await;
}

#[tokio::test]
async fn of_two_relays_one_publishes_and_the_other_takes_over() {
    let world = World::new().await;
    let term = async || world.progress().await.get_i64("term").unwrap_or_default();
    let first = world.relay().await;
    eventually("the first relay to begin", async || {
        (term().await == 1).then_some(())
    })
    .await;
    let second = world.relay().await;
    let version = world.write("a").await;
    world.published("a", version).await;
    // The second one asks for the lease twice a second; the first one renews it every second.
    for _ in 0..2 {
        let before = world.lease_ends().await;
        eventually("a renewal", async || {
            (world.lease_ends().await > before).then_some(())
        })
        .await;
    }
    assert_eq!(term().await, 1, "the second one stands by");

    let stopped = Instant::now();
    first.stop().await;
    eventually("the second relay to take over", async || {
        (term().await == 2).then_some(())
    })
    .await;
    assert!(
        stopped.elapsed() < Duration::from_secs(3),
        "a clean stop frees the lease before it runs out"
    );
    let version = world.write("a").await;
    world.published("a", version).await;

    let third = world.relay().await;
    second.kill().await;
    let version = world.write("a").await;
    world.published("a", version).await;
    assert_eq!(term().await, 3, "a crash lets the lease run out");
    third.stop().await;
}

#[tokio::test]
async fn a_stream_that_is_deleted_while_running_is_made_and_filled_again() {
    let world = World::new().await;
    let (relay, copy) = (world.relay().await, world.copy("orders-tickets").await);
    let versions = [("a", world.write("a").await), ("b", world.write("b").await)];
    world.copied("orders-tickets").await;

    world
        .jetstream()
        .await
        .delete_stream(world.stream_name())
        .await
        .unwrap();
    for (note, version) in versions {
        world.published(note, version).await;
    }
    assert_eq!(world.epoch().await, 1);
    world.write("a").await;
    world.copied("orders-tickets").await;
    let late = world.copy("payments-tickets").await;
    world.copied("payments-tickets").await;
    for running in [relay, copy, late] {
        running.stop().await;
    }
}

#[tokio::test]
async fn a_stream_that_is_purged_while_running_is_filled_again() {
    let world = World::new().await;
    let relay = world.relay().await;
    let versions = [("a", world.write("a").await), ("b", world.write("b").await)];
    for (note, version) in versions {
        world.published(note, version).await;
    }
    // The relay has to have seen that there was something.
    eventually("the relay to have counted the messages", async || {
        (world.progress().await.get_i64("messages").ok()? == 2).then_some(())
    })
    .await;
    world
        .jetstream()
        .await
        .get_stream(world.stream_name())
        .await
        .unwrap()
        .purge()
        .await
        .unwrap();
    for (note, version) in versions {
        world.published(note, version).await;
    }
    assert_eq!(world.epoch().await, 1);
    relay.stop().await;
}

#[tokio::test]
async fn a_stream_that_somebody_replaced_is_filled_again() {
    let world = World::new().await;
    let relay = world.relay().await;
    for _ in 0..5 {
        world.write("a").await;
    }
    let version = world.write("b").await;
    world.published("b", version).await;
    let jetstream = world.jetstream().await;
    let config = jetstream
        .get_stream(world.stream_name())
        .await
        .unwrap()
        .cached_info()
        .config
        .clone();
    jetstream.delete_stream(world.stream_name()).await.unwrap();
    jetstream.create_stream(config).await.unwrap();
    // Its acknowledgement has a lower sequence than those before.
    let version = world.write("c").await;
    for (note, version) in [("a", 4), ("b", 0), ("c", version)] {
        world.published(note, version).await;
    }
    eventually("the epoch to be raised", async || {
        (world.epoch().await >= 1).then_some(())
    })
    .await;
    relay.stop().await;
}

#[tokio::test]
async fn an_old_version_that_somebody_published_late_does_not_stay_the_newest() {
    let world = World::new().await;
    let relay = world.relay().await;
    let mut version = 0;
    for _ in 0..3 {
        version = world.write("a").await;
    }
    world.published("a", version).await;
    // As an instance does that lost the lease while its connection was broken.
    let late = serde_json::to_vec(&envelope("a", 1)).unwrap();
    world
        .jetstream()
        .await
        .publish(world.subject("a"), late.into())
        .await
        .unwrap()
        .await
        .unwrap();
    assert_eq!(world.on_stream("a").await, Some(1));
    world.published("a", version).await;
    relay.stop().await;
}

#[tokio::test]
async fn a_stream_lost_while_no_relay_ran_is_filled_by_the_next_one() {
    let world = World::new().await;
    let relay = world.relay().await;
    let version = world.write("a").await;
    world.published("a", version).await;
    relay.stop().await;
    world
        .jetstream()
        .await
        .delete_stream(world.stream_name())
        .await
        .unwrap();
    let relay = world.relay().await;
    world.published("a", version).await;
    assert_eq!(world.epoch().await, 1);
    relay.stop().await;
}

#[tokio::test]
async fn a_repair_that_was_interrupted_is_finished() {
    let world = World::new().await;
    let relay = world.relay().await;
    let version = world.write("a").await;
    world.published("a", version).await;
    relay.stop().await;
    let given_up = doc! {"$set": {"epoch": 1_i64, "created": null, "sequence": 0_i64, "messages": 0_i64}, "$unset": {"token": ""}};
    world
        .mongo
        .collection("relay")
        .update_one(doc! {}, given_up)
        .await
        .unwrap();
    let jetstream = world.jetstream().await;
    let created = jetstream
        .get_stream(world.stream_name())
        .await
        .unwrap()
        .cached_info()
        .created;
    let relay = world.relay().await;
    eventually("a new stream", async || {
        let stream = jetstream.get_stream(world.stream_name()).await.ok()?;
        (stream.cached_info().created != created).then_some(())
    })
    .await;
    world.published("a", version).await;
    assert_eq!(world.epoch().await, 1, "the epoch had been raised for this");
    relay.stop().await;
}

#[tokio::test]
async fn a_position_of_which_the_history_is_gone_is_made_up_for_by_a_scan() {
    for spoil in [too_old, garbage] {
        let world = World::new().await;
        let relay = world.relay().await;
        let version = world.write("a").await;
        world.published("a", version).await;
        let position = world.stored_position().await;
        relay.stop().await;
        let token = position.get_document("token").unwrap().get_str("_data").unwrap();
        let spoilt = doc! {"$set": {"token": {"_data": spoil(token)}}};
        world
            .mongo
            .collection("relay")
            .update_one(doc! {}, spoilt)
            .await
            .unwrap();
        let version = world.write("missed").await;
        let relay = world.relay().await;
        world.published("missed", version).await;
        let version = world.write("a").await;
        world.published("a", version).await;
        assert_eq!(world.epoch().await, 0, "the stream is fine");
        relay.stop().await;
    }
}

/// The same position, in 2020: a token starts with a type byte and the seconds.
fn too_old(token: &str) -> String {
    format!("{}5E0BE100{}", &token[..2], &token[10..])
}

fn garbage(_: &str) -> String {
    "00".to_owned()
}

#[tokio::test]
async fn a_dropped_collection_does_not_end_the_relay() {
    let world = World::new().await;
    let relay = world.relay().await;
    let version = world.write("a").await;
    world.published("a", version).await;
    world.mongo.collection("notes").drop().await.unwrap();
    let version = world.write("b").await;
    world.published("b", version).await;
    relay.stop().await;
}
