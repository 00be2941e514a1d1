//! Stores that die and come back, with or without their memory. These tests have stores of their own.

use std::process::Command;

use bigtix_testkit::eventually;
use bigtix_testkit::stores::{Stores, StoresConfig};

use crate::world::World;

struct Fragile {
    stores: Stores,
    world: World,
    dir: tempfile::TempDir,
}

impl Fragile {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let stores = Stores::start(StoresConfig::new(dir.path(), ["tickets", "orders"]))
            .await
            .unwrap();
        let world = World::at(&stores.mongodb_admin_uri(), "test", &stores.nats_admin_url(), "").await;
        Self { stores, world, dir }
    }

    async fn stop(self) {
        self.stores.stop().await;
    }
}

fn kill(pid: u32) {
    assert!(
        Command::new("kill")
            .args(["-9", &pid.to_string()])
            .status()
            .unwrap()
            .success()
    );
}

#[tokio::test]
async fn a_service_needs_no_more_rights_on_the_bus_than_its_own() {
    let fragile = Fragile::new().await;
    let world = &fragile.world;
    let relay = world
        .relay_on(world.bus_as(&fragile.stores.nats_url("tickets")).await)
        .await;
    let subscription = bigtix_service::inbox::Subscription::new(
        "orders-tickets",
        crate::world::copying(world.mongo.clone(), "orders-tickets"),
    );
    let copy = world
        .start_on(
            world.bus_as(&fragile.stores.nats_url("orders")).await,
            subscription,
        )
        .await;
    world.write("a").await;
    world.copied("orders-tickets").await;
    world
        .jetstream()
        .await
        .delete_stream(world.stream_name())
        .await
        .unwrap();
    world.write("b").await;
    world.copied("orders-tickets").await;
    relay.stop().await;
    copy.stop().await;
    fragile.stop().await;
}

#[tokio::test]
async fn a_bus_that_dies_is_used_again_when_it_is_back() {
    let fragile = Fragile::new().await;
    let world = &fragile.world;
    let (relay, copy) = (world.relay().await, world.copy("orders-tickets").await);
    world.write("a").await;
    world.copied("orders-tickets").await;
    kill(fragile.stores.nats_pid().unwrap());
    for note in ["a", "b", "c"] {
        world.write(note).await;
    }
    world.copied("orders-tickets").await;
    assert_eq!(world.epoch().await, 0, "it came back with its memory");
    relay.stop().await;
    copy.stop().await;
    fragile.stop().await;
}

#[tokio::test]
async fn a_bus_that_comes_back_empty_is_filled_again() {
    let fragile = Fragile::new().await;
    let world = &fragile.world;
    let (relay, copy) = (world.relay().await, world.copy("orders-tickets").await);
    let version = world.write("a").await;
    world.copied("orders-tickets").await;
    let pid = fragile.stores.nats_pid().unwrap();
    std::fs::remove_dir_all(fragile.dir.path().join("nats")).unwrap();
    kill(pid);
    world.published("a", version).await;
    assert_eq!(world.epoch().await, 1);
    world.write("b").await;
    world.copied("orders-tickets").await;
    let late = world.copy("payments-tickets").await;
    world.copied("payments-tickets").await;
    for running in [relay, copy, late] {
        running.stop().await;
    }
    fragile.stop().await;
}

#[tokio::test]
async fn a_database_that_dies_is_used_again_when_it_is_back() {
    let fragile = Fragile::new().await;
    let world = &fragile.world;
    let (relay, copy) = (world.relay().await, world.copy("orders-tickets").await);
    world.write("a").await;
    world.copied("orders-tickets").await;
    kill(fragile.stores.mongodb_pid().unwrap());
    eventually("the database to be back", async || {
        world.mongo.is_healthy().await.then_some(())
    })
    .await;
    world.write("a").await;
    world.write("b").await;
    world.copied("orders-tickets").await;
    relay.stop().await;
    copy.stop().await;
    fragile.stop().await;
}

#[tokio::test]
async fn everything_may_start_before_the_bus_does() {
    let fragile = Fragile::new().await;
    let world = &fragile.world;
    kill(fragile.stores.nats_pid().unwrap());
    let (relay, copy) = (world.relay().await, world.copy("orders-tickets").await);
    world.write("a").await;
    world.copied("orders-tickets").await;
    relay.stop().await;
    copy.stop().await;
    fragile.stop().await;
}
