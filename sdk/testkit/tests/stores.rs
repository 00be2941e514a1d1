//! The stores, really started.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use bigtix_testkit::eventually;
use bigtix_testkit::stores::{HeldPort, StoreError, Stores, StoresConfig, shared};
use futures::StreamExt;
use mongodb::Client;
use mongodb::bson::doc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const SERVICES: [&str; 2] = ["orders", "tickets"];

#[tokio::test]
async fn a_service_writes_its_own_database_and_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let stores = Stores::start(StoresConfig::new(dir.path(), SERVICES))
        .await
        .unwrap();
    let client = Client::with_uri_str(stores.mongodb_uri("orders")).await.unwrap();

    let own = client.database("orders").collection("orders");
    let mut changes = own.watch().await.unwrap();
    own.insert_one(doc! { "_id": 1 }).await.unwrap();
    changes.next().await.unwrap().unwrap();
    let validator = doc! { "collMod": "orders", "validator": { "_id": { "$exists": true } } };
    client.database("orders").run_command(validator).await.unwrap();

    let foreign = client.database("tickets").collection("tickets");
    assert!(foreign.insert_one(doc! { "_id": 1 }).await.is_err());
    assert!(foreign.find_one(doc! {}).await.is_err());
    stores.stop().await;
}

#[tokio::test]
async fn a_service_publishes_its_own_subjects_and_hears_its_own_inbox_only() {
    let dir = tempfile::tempdir().unwrap();
    let stores = Stores::start(StoresConfig::new(dir.path(), SERVICES))
        .await
        .unwrap();
    let url: url::Url = stores.nats_url("orders").parse().unwrap();
    for (words, refused) in [
        ("PUB orders.order.1 2\r\n{}\r\n", false),
        ("PUB tickets.ticket.1 2\r\n{}\r\n", true),
        ("PUB $JS.API.STREAM.CREATE.orders 2\r\n{}\r\n", false),
        ("PUB $JS.API.STREAM.INFO.tickets 2\r\n{}\r\n", false),
        ("PUB $JS.API.STREAM.DELETE.tickets 2\r\n{}\r\n", true),
        (
            "PUB $JS.API.CONSUMER.MSG.NEXT.tickets.orders-tickets 2\r\n{}\r\n",
            false,
        ),
        ("SUB _INBOX_orders.1 1\r\n", false),
        ("SUB _INBOX_tickets.1 1\r\n", true),
        ("SUB > 1\r\n", true),
    ] {
        let heard = said_to_nats(&url, words).await;
        assert_eq!(
            heard.contains("Permissions Violation"),
            refused,
            "{words}: {heard}"
        );
    }
    stores.stop().await;
}

#[tokio::test]
async fn the_next_start_finds_the_data_at_another_port_too() {
    let dir = tempfile::tempdir().unwrap();
    let stores = Stores::start(StoresConfig::new(dir.path(), SERVICES))
        .await
        .unwrap();
    let uri = stores.mongodb_uri("orders");
    let client = Client::with_uri_str(&uri).await.unwrap();
    client
        .database("orders")
        .collection("orders")
        .insert_one(doc! { "_id": 1 })
        .await
        .unwrap();
    stores.stop().await;
    assert_eq!(
        (stores.mongodb_pid(), stores.nats_pid(), stores.redis_pid()),
        (None, None, None)
    );

    let again = Stores::start(StoresConfig::new(dir.path(), SERVICES))
        .await
        .unwrap();
    assert_eq!(again.mongodb_uri("orders"), uri);
    again.stop().await;

    let mut config = StoresConfig::new(dir.path(), ["orders", "tickets", "later"]);
    let other = HeldPort::find().unwrap();
    config.mongodb_port = Some(other.number());
    let moved = Stores::start(config).await.unwrap();
    assert_ne!(moved.mongodb_uri("orders"), uri);
    let client = Client::with_uri_str(moved.mongodb_uri("orders")).await.unwrap();
    let found = client
        .database("orders")
        .collection::<mongodb::bson::Document>("orders")
        .find_one(doc! {})
        .await;
    assert_eq!(found.unwrap().unwrap().get_i32("_id").unwrap(), 1);
    let late = Client::with_uri_str(moved.mongodb_uri("later")).await.unwrap();
    late.database("later")
        .collection("any")
        .insert_one(doc! { "_id": 1 })
        .await
        .unwrap();
    moved.stop().await;
}

#[tokio::test]
async fn a_store_that_is_killed_comes_back_at_the_same_port_with_its_data() {
    let dir = tempfile::tempdir().unwrap();
    let stores = Stores::start(StoresConfig::new(dir.path(), SERVICES))
        .await
        .unwrap();
    let client = Client::with_uri_str(stores.mongodb_uri("orders")).await.unwrap();
    let orders = client.database("orders").collection("orders");
    orders.insert_one(doc! { "_id": 1 }).await.unwrap();

    let killed = stores.mongodb_pid().unwrap();
    kill(killed);
    eventually("another mongod", async || {
        stores.mongodb_pid().filter(|pid| *pid != killed)
    })
    .await;
    eventually("its data", async || {
        orders.find_one(doc! { "_id": 1 }).await.ok().flatten()
    })
    .await;
    stores.stop().await;
}

#[tokio::test]
async fn localstripe_keeps_its_data_and_listens_on_loopback_only() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = StoresConfig::new(dir.path(), SERVICES);
    config.stripe = true;
    let stores = Stores::start(config.clone()).await.unwrap();
    let id = request(&stores, "POST", "/v1/customers", "email=ann%40example.com").await["id"].clone();
    stores
        .register_stripe_webhook("http://127.0.0.1:9/hook", "whsec_1")
        .await
        .unwrap();
    stores.stop().await;

    let again = Stores::start(config).await.unwrap();
    let found = request(
        &again,
        "GET",
        &format!("/v1/customers/{}", id.as_str().unwrap()),
        "",
    )
    .await;
    assert_eq!(found["email"], "ann@example.com");
    let mode = fs::metadata(dir.path().join("stripe/store.pickle"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    again.stop().await;
}

#[tokio::test]
async fn a_port_in_use_is_named_and_nothing_is_left_behind() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let dir = tempfile::tempdir().unwrap();
    let mut config = StoresConfig::new(dir.path(), SERVICES);
    config.redis_port = Some(port);
    let error = Stores::start(config).await.err().unwrap();
    assert!(
        matches!(error, StoreError::PortInUse { name: "redis", port: named } if named == port),
        "{error}"
    );
    assert!(processes_of(&dir.path().display().to_string()).is_empty());
}

#[tokio::test]
async fn tests_share_stores_and_have_databases_and_prefixes_of_their_own() {
    let (first, second) = (shared().database(), shared().database());
    assert_ne!(first.name, second.name);
    assert_ne!(shared().prefix(), shared().prefix());
    let client = Client::with_uri_str(&first.uri).await.unwrap();
    client
        .database(&first.name)
        .collection("any")
        .insert_one(doc! { "_id": 1 })
        .await
        .unwrap();
}

/// Runs as a process of its own for the test below: prints where its stores are, and waits to be killed.
#[tokio::test]
#[ignore = "started by a test"]
async fn stores_of_a_process_that_is_going_to_be_killed() {
    println!("\nDIR {}", shared().dir().display());
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn stores_die_with_a_process_that_is_killed_and_their_folder_is_removed() {
    let mut parent = Command::new(std::env::current_exe().unwrap())
        .args([
            "--ignored",
            "--exact",
            "--nocapture",
            "stores_of_a_process_that_is_going_to_be_killed",
        ])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(parent.stdout.take().unwrap()).lines();
    let dir = lines
        .map_while(Result::ok)
        .find_map(|line| Some(line.strip_prefix("DIR ")?.to_owned()))
        .unwrap();
    assert!(!processes_of(&dir).is_empty());

    parent.kill().unwrap();
    parent.wait().unwrap();
    eventually("no folder and no process", async || {
        (!fs::exists(&dir).unwrap() && processes_of(&dir).is_empty()).then_some(())
    })
    .await;
}

#[tokio::test]
async fn all_stores_together_start_in_a_few_seconds() {
    let dir = tempfile::tempdir().unwrap();
    let began = Instant::now();
    let mut config = StoresConfig::new(
        dir.path(),
        ["auth", "tickets", "orders", "payments", "expiration"],
    );
    config.on_ready = std::sync::Arc::new(|name, took| println!("{name} {took:?}"));
    let stores = Stores::start(config.clone()).await.unwrap();
    println!("all {:?}", began.elapsed());
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    let began = Instant::now();
    stores.stop().await;
    println!("stopped {:?}", began.elapsed());
    let began = Instant::now();
    let stores = Stores::start(config).await.unwrap();
    println!("again {:?}", began.elapsed());
    stores.stop().await;
}

/// What nats-server answers to the words, said by the user of the URL.
async fn said_to_nats(url: &url::Url, words: &str) -> String {
    let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", url.port().unwrap()))
        .await
        .unwrap();
    let (user, password) = (url.username(), url.password().unwrap());
    let connect = format!(r#"CONNECT {{"verbose":false,"user":"{user}","pass":"{password}"}}"#);
    stream
        .write_all(format!("{connect}\r\n{words}PING\r\n").as_bytes())
        .await
        .unwrap();
    let mut heard = String::new();
    while !heard.contains("PONG") {
        let mut buffer = [0; 4096];
        let read = stream.read(&mut buffer).await.unwrap();
        assert!(read > 0, "{heard}");
        heard.push_str(&String::from_utf8_lossy(&buffer[..read]));
    }
    heard
}

fn kill(pid: u32) {
    let pid = rustix::process::Pid::from_raw(pid.cast_signed()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}

/// The processes whose command line mentions this folder.
fn processes_of(dir: &str) -> Vec<String> {
    fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| fs::read(entry.ok()?.path().join("cmdline")).ok())
        .map(|line| String::from_utf8_lossy(&line).replace('\0', " "))
        .filter(|line| line.contains(dir))
        .collect()
}

async fn request(stores: &Stores, method: &str, path: &str, body: &'static str) -> serde_json::Value {
    use http_body_util::{BodyExt, Full};
    use hyper_util::{client::legacy::Client, rt::TokioExecutor};
    let request = hyper::Request::builder()
        .method(method)
        .uri(format!("{}{path}", stores.stripe_url().unwrap()))
        .header("authorization", "Bearer sk_test_12345")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Full::new(hyper::body::Bytes::from_static(body.as_bytes())))
        .unwrap();
    let client: Client<_, Full<hyper::body::Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let answer = client.request(request).await.unwrap();
    serde_json::from_slice(&answer.into_body().collect().await.unwrap().to_bytes()).unwrap()
}
