//! The stores, asked by somebody without credentials.

use std::time::Duration;

use bigtix_tests::suite::Scenario;
use bigtix_tests::{World, scenarios};
use mongodb::Client;
use mongodb::bson::{Document, doc};
use mongodb::error::ErrorKind;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use url::Url;

use crate::sockets::{self, LOOPBACK, Socket};

pub(crate) const ALL: &[(&str, Scenario)] = scenarios![
    mongodb_wants_a_password,
    a_services_user_sees_no_other_database,
    nats_wants_a_password,
    redis_wants_a_password,
    nobody_listens_beyond_this_machine,
];

/// What MongoDB says to somebody who may not.
const UNAUTHORIZED: i32 = 13;

async fn refused(uri: &str, database: &str, collection: &str) -> Option<i32> {
    let client = Client::with_uri_str(uri).await.expect("an address");
    let collection = client.database(database).collection::<Document>(collection);
    match collection.find_one(doc! {}).await.map_err(|error| *error.kind) {
        Err(ErrorKind::Command(error)) => Some(error.code),
        Err(other) => panic!("{other:?}"),
        Ok(_) => None,
    }
}

async fn mongodb_wants_a_password(world: World) {
    let uri = &world.shop().run().mongodb.uri;
    let known = Url::parse(uri).expect("an address");
    let mut stranger = known.clone();
    stranger.set_username("").expect("an address with users");
    stranger.set_password(None).expect("an address with users");
    stranger.set_query(Some("directConnection=true"));
    for (database, collection) in [("auth", "users"), ("orders", "claims"), ("admin", "system.users")] {
        let answer = refused(stranger.as_str(), database, collection).await;
        assert_eq!(answer, Some(UNAUTHORIZED), "{database}.{collection}");
    }
    assert_eq!(refused(uri, "orders", "claims").await, None, "the owner may");
}

async fn a_services_user_sees_no_other_database(world: World) {
    let secrets = std::fs::read(world.shop().folder().join("secrets.json")).expect("the folder's secrets");
    let secrets: serde_json::Value = serde_json::from_slice(&secrets).expect("JSON");
    let mut tickets = Url::parse(&world.shop().run().mongodb.uri).expect("an address");
    let password = secrets["mongodb/tickets"].as_str().expect("a password");
    tickets.set_username("tickets").expect("an address with users");
    tickets
        .set_password(Some(password))
        .expect("an address with users");
    tickets.set_path("/tickets");
    tickets.set_query(Some("directConnection=true&authSource=tickets"));
    if refused(tickets.as_str(), "tickets", "tickets").await == Some(18) {
        tickets.set_query(Some("directConnection=true&authSource=admin"));
    }
    assert_eq!(refused(tickets.as_str(), "tickets", "tickets").await, None);
    for (database, collection) in [("auth", "users"), ("payments", "payments"), ("orders", "claims")] {
        let answer = refused(tickets.as_str(), database, collection).await;
        assert_eq!(answer, Some(UNAUTHORIZED), "{database}.{collection}");
    }
}

/// What the server at this address says to these words, once it says `awaited` or hangs up.
async fn told(address: &str, words: &str, awaited: &str) -> String {
    let url = Url::parse(address).expect("an address");
    let port = url.port().expect("a port");
    let mut stream = TcpStream::connect(("127.0.0.1", port))
        .await
        .expect("a connection");
    stream.write_all(words.as_bytes()).await.expect("to be heard");
    let mut heard = Vec::new();
    let listen = async {
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = stream.read(&mut buffer).await {
            heard.extend_from_slice(&buffer[..count]);
            if String::from_utf8_lossy(&heard).contains(awaited) {
                break;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), listen)
        .await
        .expect("an answer");
    String::from_utf8_lossy(&heard).into_owned()
}

async fn nats_wants_a_password(world: World) {
    let address = &world.shop().run().nats.url;
    for connect in [
        r#"{"verbose":false}"#,
        r#"{"verbose":false,"user":"orders","pass":""}"#,
        r#"{"verbose":false,"user":"orders","pass":"orders"}"#,
        r#"{"verbose":false,"auth_token":"x"}"#,
    ] {
        let answer = told(
            address,
            &format!("CONNECT {connect}\r\nSUB > 1\r\nPING\r\n"),
            "-ERR",
        )
        .await;
        assert!(answer.contains("Authorization Violation"), "{answer}");
        assert!(!answer.contains("PONG"), "{answer}");
    }
}

async fn redis_wants_a_password(world: World) {
    let address = &world.shop().run().redis.url;
    for command in ["PING", "KEYS *", "CONFIG GET requirepass", "FLUSHALL"] {
        let answer = told(address, &format!("{command}\r\n"), "\r\n").await;
        assert!(answer.starts_with("-NOAUTH"), "{command}: {answer}");
    }
    let guessed = told(address, "AUTH redis\r\n", "\r\n").await;
    assert!(guessed.starts_with("-WRONGPASS"), "{guessed}");
}

async fn nobody_listens_beyond_this_machine(world: World) {
    let run = world.shop().run();
    let mut addresses = vec![
        run.mongodb.uri.clone(),
        run.nats.url.clone(),
        run.redis.url.clone(),
    ];
    addresses.extend(run.stripe.iter().map(|stripe| stripe.url.clone()));
    addresses.extend(run.services.values().map(|service| service.url.clone()));
    let ports: Vec<u16> = addresses
        .iter()
        .filter_map(|address| Url::parse(address).ok()?.port())
        .collect();
    assert_eq!(ports.len(), addresses.len(), "every address has a port");
    let ours: Vec<Socket> = sockets::listening()
        .into_iter()
        .filter(|socket| ports.contains(&socket.port))
        .collect();
    assert!(!ours.is_empty(), "the kernel lists none of {ports:?}");
    for Socket { address, port, .. } in ours {
        assert_eq!(address, LOOPBACK, "port {port} is open beyond loopback");
    }
}
