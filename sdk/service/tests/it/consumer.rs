//! Consumers: what is on the stream is applied, whatever fails.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_nats::jetstream::consumer::PullConsumer;
use bigtix_contracts::events::Envelope;
use bigtix_service::dead_letters;
use bigtix_service::inbox::{HandlerError, Subscription};
use bigtix_testkit::eventually;

use crate::world::{Note, Seen, World, copying, envelope, note_down};

impl World {
    /// Publishes without the relay.
    async fn publish(&self, event: &Envelope<Note>) {
        self.publish_raw(&event.data.id, serde_json::to_vec(event).unwrap())
            .await;
    }

    async fn publish_raw(&self, id: &str, payload: Vec<u8>) {
        self.jetstream()
            .await
            .publish(self.subject(id), payload.into())
            .await
            .unwrap()
            .await
            .unwrap();
    }

    /// Waits until the consumer has nothing left, delivered or not. What it has left alone does not tell: a message that
    /// was stored this moment is not counted yet. The stream's last one is never superseded, so it is delivered some time.
    async fn caught_up(&self, consumer: &str) {
        let jetstream = self.jetstream().await;
        eventually(
            &format!("{consumer} to have acknowledged everything"),
            async || {
                let mut stream = jetstream.get_stream(self.stream_name()).await.ok()?;
                let last = stream.info().await.ok()?.state.last_sequence;
                let consumer: PullConsumer = jetstream
                    .get_consumer_from_stream(self.consumer_name(consumer), self.stream_name())
                    .await
                    .ok()?;
                let info = consumer.cached_info();
                let is_delivered = info.delivered.stream_sequence >= last;
                (is_delivered && info.num_ack_pending == 0 && info.num_pending == 0).then_some(())
            },
        )
        .await;
    }
}

#[tokio::test]
async fn duplicates_and_reordering_are_harmless() {
    let world = World::new().await;
    let relay = world.relay().await;
    let copy = world.copy("orders-tickets").await;
    for _ in 0..4 {
        world.write("a").await;
    }
    world.copied("orders-tickets").await;
    relay.stop().await;
    for version in [1, 3, 0, 0, 2] {
        world.publish(&envelope("a", version)).await;
        world.caught_up("orders-tickets").await;
    }
    world.copied("orders-tickets").await;
    world.publish(&envelope("a", 9)).await;
    eventually("the newer version", async || {
        (world.contents("orders-tickets").await[0].1 == 9).then_some(())
    })
    .await;
    copy.stop().await;
}

#[tokio::test]
async fn a_batch_has_one_event_per_aggregate() {
    let world = World::new().await;
    let relay = world.relay().await;
    let version = world.write("a").await;
    world.published("a", version).await;
    relay.stop().await;
    let broken = Arc::new(AtomicBool::new(true));
    let seen = Seen::default();
    let handler = {
        let (seen, broken) = (seen.clone(), broken.clone());
        move |events: Vec<Envelope<Note>>| {
            let mut ids: Vec<String> = events.iter().map(|event| event.data.id.clone()).collect();
            ids.sort();
            let count = ids.len();
            ids.dedup();
            let once = ids.len() == count;
            note_down(&seen, &events);
            let waits = broken.load(Ordering::SeqCst);
            async move {
                assert!(once, "an aggregate stands twice in a batch");
                if waits {
                    Err(HandlerError::Transient("not yet".to_owned()))
                } else {
                    Ok(())
                }
            }
        }
    };
    let consumer = world.start(Subscription::new("orders-tickets", handler)).await;
    eventually("the first batch", async || {
        (!seen.lock().unwrap().is_empty()).then_some(())
    })
    .await;
    for version in 1..5 {
        world.publish(&envelope("a", version)).await;
        world.publish(&envelope("b", version)).await;
    }
    broken.store(false, Ordering::SeqCst);
    world.caught_up("orders-tickets").await;
    let newest = |id: &str| {
        seen.lock()
            .unwrap()
            .iter()
            .filter(|(note, _)| note == id)
            .map(|(_, version)| *version)
            .max()
    };
    assert_eq!((newest("a"), newest("b")), (Some(4), Some(4)));
    consumer.stop().await;
}

#[tokio::test]
async fn a_handler_that_fails_for_a_while_gets_the_batch_again_until_it_is_applied() {
    let world = World::new().await;
    let relay = world.relay().await;
    let attempts = Arc::new(AtomicUsize::new(0));
    let (counter, apply) = (attempts.clone(), copying(world.mongo.clone(), "orders-tickets"));
    let handler = move |events: Vec<Envelope<Note>>| {
        let attempt = counter.fetch_add(1, Ordering::SeqCst);
        let applied = apply(events);
        async move {
            match attempt {
                0 | 1 => Err(HandlerError::Transient("the store is away".to_owned())),
                2 => panic!("a bug that shows once"),
                _ => applied.await,
            }
        }
    };
    let version = world.write("a").await;
    world.published("a", version).await;
    let consumer = world.start(Subscription::new("orders-tickets", handler)).await;
    world.copied("orders-tickets").await;
    world.caught_up("orders-tickets").await;
    assert_eq!(attempts.load(Ordering::SeqCst), 4);
    assert_eq!(
        dead_letters::list(&world.mongo).await.unwrap(),
        [],
        "a failure that passes is no reason to give up"
    );
    relay.stop().await;
    consumer.stop().await;
}

#[tokio::test]
async fn a_message_is_not_acknowledged_before_the_handler_has_answered() {
    let world = World::new().await;
    let relay = world.relay().await;
    let version = world.write("a").await;
    world.published("a", version).await;
    relay.stop().await;
    let seen = Seen::default();
    let noting = seen.clone();
    let never = world
        .start(Subscription::new(
            "orders-tickets",
            move |events: Vec<Envelope<Note>>| {
                note_down(&noting, &events);
                std::future::pending::<Result<(), HandlerError>>()
            },
        ))
        .await;
    eventually("the handler to have begun", async || {
        (!seen.lock().unwrap().is_empty()).then_some(())
    })
    .await;
    let consumer: PullConsumer = world
        .jetstream()
        .await
        .get_consumer_from_stream(world.consumer_name("orders-tickets"), world.stream_name())
        .await
        .unwrap();
    assert_eq!(consumer.cached_info().num_ack_pending, 1);
    assert_eq!(consumer.cached_info().ack_floor.stream_sequence, 0);
    never.kill().await;
}

#[tokio::test]
async fn what_a_stopped_consumer_had_not_applied_goes_to_the_next_one_at_once() {
    let world = World::new().await;
    let relay = world.relay().await;
    let seen = Seen::default();
    let noting = seen.clone();
    let stuck = world
        .start(Subscription::new(
            "orders-tickets",
            move |events: Vec<Envelope<Note>>| {
                note_down(&noting, &events);
                async { Err(HandlerError::Transient("the store is away".to_owned())) }
            },
        ))
        .await;
    world.write("a").await;
    eventually("the handler to have failed", async || {
        (!seen.lock().unwrap().is_empty()).then_some(())
    })
    .await;
    stuck.stop().await;
    // The server would wait 30 seconds for an acknowledgement; `copied` waits less.
    let copy = world.copy("orders-tickets").await;
    world.copied("orders-tickets").await;
    relay.stop().await;
    copy.stop().await;
}

#[tokio::test]
async fn a_message_that_cannot_be_read_goes_to_the_dead_letters_and_the_others_go_on() {
    let world = World::new().await;
    let (relay, copy) = (world.relay().await, world.copy("orders-tickets").await);
    world.write("a").await;
    world.copied("orders-tickets").await;
    relay.stop().await;
    world
        .publish_raw("b", b"{\"id\": \"no envelope\"}".to_vec())
        .await;
    world.publish_raw("c", vec![0xff, 0xfe]).await;
    world.publish(&envelope("d", 0)).await;
    let letters = eventually("two dead letters", async || {
        Some(dead_letters::list(&world.mongo).await.unwrap()).filter(|letters| letters.len() == 2)
    })
    .await;
    assert_eq!(letters[0].consumer, "orders-tickets");
    assert_eq!(letters[0].subject, world.subject("b"));
    assert_eq!(letters[0].event, b"{\"id\": \"no envelope\"}");
    assert_eq!(letters[1].event, [0xff, 0xfe]);
    assert!(
        letters
            .iter()
            .all(|letter| letter.attempts == 1 && !letter.error.is_empty())
    );
    eventually("the others to be applied", async || {
        (world.contents("orders-tickets").await.len() == 2).then_some(())
    })
    .await;
    world.caught_up("orders-tickets").await;

    assert!(dead_letters::replay(&world.mongo, &letters[0].id).await.unwrap());
    eventually("the second failure", async || {
        let letters = dead_letters::list(&world.mongo).await.unwrap();
        letters
            .iter()
            .any(|letter| letter.attempts == 2 && !letter.replay)
            .then_some(())
    })
    .await;
    assert!(dead_letters::discard(&world.mongo, &letters[0].id).await.unwrap());
    assert!(!dead_letters::replay(&world.mongo, &letters[0].id).await.unwrap());
    copy.stop().await;
}

#[tokio::test]
async fn a_poison_message_goes_to_the_dead_letters_and_is_applied_when_replayed() {
    let world = World::new().await;
    let relay = world.relay().await;
    for note in ["a", "poison", "z"] {
        let version = world.write(note).await;
        world.published(note, version).await;
    }
    let mended = Arc::new(AtomicBool::new(false));
    let (is_mended, apply) = (mended.clone(), copying(world.mongo.clone(), "orders-tickets"));
    let handler = move |events: Vec<Envelope<Note>>| {
        let poison = events
            .iter()
            .find(|event| event.data.id == "poison" && !is_mended.load(Ordering::SeqCst));
        let poison = poison.map(|event| HandlerError::Poison {
            id: event.id.clone(),
            reason: "refused".to_owned(),
        });
        let applied = apply(events);
        async move {
            match poison {
                Some(poison) => Err(poison),
                None => applied.await,
            }
        }
    };
    let consumer = world.start(Subscription::new("orders-tickets", handler)).await;
    let letters = eventually("a dead letter", async || {
        Some(dead_letters::list(&world.mongo).await.unwrap()).filter(|letters| !letters.is_empty())
    })
    .await;
    assert_eq!((letters.len(), letters[0].error.as_str()), (1, "refused"));
    eventually("the rest to be applied", async || {
        (world.contents("orders-tickets").await.len() == 2).then_some(())
    })
    .await;
    world.caught_up("orders-tickets").await;

    mended.store(true, Ordering::SeqCst);
    assert_eq!(dead_letters::replay_all(&world.mongo).await.unwrap(), 1);
    world.copied("orders-tickets").await;
    eventually("the letter to be gone", async || {
        dead_letters::list(&world.mongo)
            .await
            .unwrap()
            .is_empty()
            .then_some(())
    })
    .await;
    relay.stop().await;
    consumer.stop().await;
}

#[tokio::test]
async fn a_consumer_that_is_deleted_is_made_again() {
    let world = World::new().await;
    let (relay, copy) = (world.relay().await, world.copy("orders-tickets").await);
    world.write("a").await;
    world.copied("orders-tickets").await;
    let deleted = world
        .jetstream()
        .await
        .delete_consumer_from_stream(world.consumer_name("orders-tickets"), world.stream_name())
        .await;
    assert!(deleted.unwrap().success);
    world.write("a").await;
    world.write("b").await;
    world.copied("orders-tickets").await;
    relay.stop().await;
    copy.stop().await;
}

#[tokio::test]
async fn two_instances_share_a_consumer() {
    let world = World::new().await;
    let relay = world.relay().await;
    let (one, two) = (
        world.copy("orders-tickets").await,
        world.copy("orders-tickets").await,
    );
    for note in 0..20 {
        world.write(&format!("note-{note}")).await;
    }
    world.copied("orders-tickets").await;
    one.stop().await;
    world.write("note-1").await;
    world.copied("orders-tickets").await;
    two.stop().await;
    relay.stop().await;
}
