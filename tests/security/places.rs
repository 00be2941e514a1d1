//! Where secrets lie: in files that only their owner reads, and nowhere else.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bigtix_contracts::Cents;
use bigtix_tests::suite::Scenario;
use bigtix_tests::world::PASSWORD;
use bigtix_tests::{World, scenarios};
use serde_json::{Value, json};

pub(crate) const ALL: &[(&str, Scenario)] = scenarios![
    no_secret_is_in_a_log_or_an_answer,
    what_holds_a_secret_is_its_owners_alone,
    no_secret_is_on_a_command_line,
];

/// Shorter texts are names, and stand in many places.
const SHORTEST: usize = 16;

/// Every secret of the data folder, as it is kept and as it is handed on.
fn secrets(world: &World) -> BTreeSet<String> {
    let folder = world.shop().folder();
    let read = |name: &str| -> Value {
        serde_json::from_slice(&fs::read(folder.join(name)).expect("the folder's secrets")).expect("JSON")
    };
    let mut found = BTreeSet::new();
    for value in read("secrets.json").as_object().expect("secrets").values() {
        let secret = value.as_str().expect("a text");
        found.extend([secret.to_owned(), STANDARD.encode(secret)]);
    }
    for key in read("session-keys.json").as_array().expect("keys") {
        found.insert(key["base64"].as_str().expect("a text").to_owned());
    }
    assert!(found.len() > 10, "{} secrets", found.len());
    assert!(found.iter().all(|secret| secret.len() >= SHORTEST));
    found
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    // A store may remove a file between the listing and the look.
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => all.extend(files(&entry.path())),
            Ok(kind) if kind.is_file() => all.push(entry.path()),
            Ok(_) | Err(_) => {}
        }
    }
    all
}

fn found_in<'a>(text: &str, secrets: &'a BTreeSet<String>) -> Option<&'a String> {
    secrets.iter().find(|secret| text.contains(secret.as_str()))
}

/// Sales, refusals and errors of every service, so that there is something in the logs.
async fn traffic(world: &World) -> (Vec<String>, BTreeSet<String>) {
    let (seller, buyer) = world.two_people().await;
    let ticket = seller.lists(Cents(2500)).await;
    buyer.buys(world, ticket.id).await;
    let mut answers = Vec::new();
    for ask in [
        world
            .post("/api/users/signup")
            .json(json!({"email": buyer.user.email, "password": PASSWORD})),
        world
            .post("/api/users/signin")
            .json(json!({"email": buyer.user.email, "password": "Wrong-pass-1word"})),
        world
            .post("/api/users/signin")
            .body("application/json", format!("{{\"password\": \"{PASSWORD}\"")),
        world
            .post("/api/tickets")
            .by(&seller)
            .json(json!({"title": buyer.token.expose()})),
        world
            .post("/api/payments")
            .by(&buyer)
            .json(json!({"orderId": "x", "token": "tok_visa"})),
        world
            .post("/api/webhooks/stripe")
            .header("stripe-signature", "t=1,v1=00")
            .json(json!({})),
        world.get("/api/orders/64b0c0ffee0000000000beef").by(&buyer),
        world.get("/api/nothing"),
        world
            .get("/api/orders")
            .header("authorization", &format!("Bearer {}x", buyer.token.expose())),
    ] {
        answers.push(ask.await.text);
    }
    let told = [
        PASSWORD,
        "Wrong-pass-1word",
        seller.token.expose(),
        buyer.token.expose(),
    ];
    (answers, told.map(str::to_owned).into())
}

async fn no_secret_is_in_a_log_or_an_answer(world: World) {
    let (answers, told) = traffic(&world).await;
    let mut secrets = secrets(&world);
    for answer in &answers {
        assert_eq!(found_in(answer, &secrets), None, "{answer}");
    }
    secrets.extend(told);
    let folder = world.shop().folder();
    let mut logs: Vec<PathBuf> = files(folder)
        .into_iter()
        .filter(|file| file.extension().is_some_and(|extension| extension == "log"))
        .collect();
    logs.push(folder.with_extension("log"));
    let mut read = 0;
    for log in &logs {
        let text = String::from_utf8_lossy(&fs::read(log).expect("a log")).into_owned();
        read += text.len();
        assert_eq!(found_in(&text, &secrets), None, "in {}", log.display());
    }
    assert!(logs.len() > 3 && read > 1_000, "{read} bytes in {logs:?}");
}

async fn what_holds_a_secret_is_its_owners_alone(world: World) {
    let (folder, secrets) = (world.shop().folder(), secrets(&world));
    let mode = |path: &Path| fs::metadata(path).map(|file| file.permissions().mode() & 0o777);
    assert_eq!(mode(folder).expect("the folder"), 0o700, "{}", folder.display());
    let mut holders = 0;
    for file in files(folder) {
        let Ok(contents) = fs::read(&file) else { continue };
        if found_in(&String::from_utf8_lossy(&contents), &secrets).is_some() {
            holders += 1;
            assert_eq!(
                mode(&file).expect("a file") & 0o077,
                0,
                "others may read {}",
                file.display()
            );
        }
    }
    assert!(holders >= 4, "{holders} files hold secrets");
}

async fn no_secret_is_on_a_command_line(world: World) {
    let (run, secrets) = (world.shop().run(), secrets(&world));
    let mut processes = vec![run.pid, run.mongodb.pid, run.nats.pid, run.redis.pid];
    processes.extend(run.stripe.iter().map(|stripe| stripe.pid));
    processes.extend(
        run.services
            .values()
            .flat_map(|service| service.instances.iter().map(|it| it.pid)),
    );
    for process in processes {
        // Only of processes that have not been started again since.
        let Ok(line) = fs::read(format!("/proc/{process}/cmdline")) else {
            continue;
        };
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        assert!(!line.is_empty(), "no command line of {process}");
        assert_eq!(found_in(&line, &secrets), None, "{line}");
    }
}
