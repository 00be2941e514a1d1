//! `bigtix backup` and `bigtix restore`: what was there at one moment comes back, or nothing is touched.

mod bucket;
mod elsewhere;
mod market;

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use bigtix_backup::Sha256Hex;
use bigtix_contracts::TicketId;
use bigtix_testkit::eventually;
use bson::oid::ObjectId;
use bson::{Document, doc};
use market::{Crowd, ballast, buy, database, list_tickets, rows, settle, sign_in, sign_up, url};
use serde_json::Value;

use crate::machine::{Machine, Said, kill};

const TICKETS: usize = 200;
const BUYERS: usize = 4;

fn up(machine: &Machine) {
    let up = machine.bigtix(&["up", "--detach", "--port", "0"]);
    assert_eq!(up.code, 0, "{up:?}");
}

fn down(machine: &Machine) {
    let down = machine.bigtix(&["down"]);
    assert_eq!(down.code, 0, "{down:?}");
}

fn back_up(machine: &Machine, archive: &Path) -> Said {
    let said = machine.bigtix(&["backup", "--to", archive.to_str().unwrap()]);
    assert_eq!(said.code, 0, "{said:?}");
    said
}

fn restore(machine: &Machine, archive: &Path, more: &[&str]) -> Said {
    let arguments = [&["restore", "--from", archive.to_str().unwrap()], more].concat();
    machine.bigtix(&arguments)
}

/// A folder beside which there is nothing of a shop.
fn elsewhere() -> (tempfile::TempDir, PathBuf) {
    let parent = tempfile::tempdir().unwrap();
    let archive = parent.path().join("archive");
    (parent, archive)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_that_was_wiped_comes_back_with_its_orders_tickets_and_payments_and_sells_on() {
    let (_kept, archive) = elsewhere();
    let old = Machine::new();
    up(&old);
    let seller = sign_up(&old, "seller").await;
    let tickets = list_tickets(&seller, TICKETS).await;
    let buyer = sign_up(&old, "buyer").await;
    let settled = settle(&seller, &buyer, tickets[..4].try_into().unwrap()).await;
    let mut buyers = Vec::new();
    for n in 0..BUYERS {
        buyers.push(sign_up(&old, &format!("crowd{n}")).await);
    }
    // What reads database by database sees payments whose orders it has read before they were there.
    ballast(&old, "orders").await;

    let crowd = Crowd::gather(buyers, &tickets[4..]);
    eventually("the crowd buys", async || {
        (crowd.bought().len() >= 8).then_some(())
    })
    .await;
    let (seen, stored) = (settled.seen(&buyer).await, settled.stored(&old).await);
    let promised = crowd.bought();
    let said = back_up(&old, &archive);
    assert!(said.stdout.contains("was written and read back"), "{said:?}");
    let then = crowd.bought().len();
    assert!(then > promised.len(), "nobody bought during the backup");
    assert_eq!(stored, settled.stored(&old).await);
    eventually("the crowd buys on", async || {
        (crowd.bought().len() > then + 4).then_some(())
    })
    .await;
    let all = crowd.stop().await;
    down(&old);
    drop(old);

    let new = Machine::new();
    let restored = restore(&new, &archive, &[]);
    assert_eq!(restored.code, 0, "{restored:?}");
    up(&new);
    let buyer = sign_in(&new, "buyer").await;
    assert_eq!(settled.stored(&new).await, stored);
    eventually("what the API answers is the same", async || {
        (settled.seen(&buyer).await == seen).then_some(())
    })
    .await;
    let complete = orders_with(&new, doc! {"status": "complete"}).await;
    for order in &promised {
        assert!(complete.contains(&ObjectId::from_bytes(order.bytes())), "{order}");
    }
    let lost = all
        .iter()
        .filter(|order| !complete.contains(&ObjectId::from_bytes(order.bytes())));
    assert!(
        lost.count() > 0,
        "what was bought after the backup cannot be in it"
    );
    every_payment_has_its_order(&new).await;
    it_sells_on(&new, &tickets).await;
}

async fn orders_with(machine: &Machine, filter: Document) -> BTreeSet<ObjectId> {
    let found = rows(machine, "orders", "claims", filter).await;
    found
        .iter()
        .map(|order| order.get_object_id("_id").unwrap())
        .collect()
}

/// At no one moment is there a payment without its order, or a payment that is done for an order that is not confirmed.
async fn every_payment_has_its_order(machine: &Machine) {
    let all = orders_with(machine, doc! {}).await;
    for payment in rows(machine, "payments", "payments", doc! {}).await {
        assert!(
            all.contains(&payment.get_object_id("orderId").unwrap()),
            "{payment}"
        );
    }
}

fn held(claims: &[Document]) -> Vec<ObjectId> {
    let tickets = claims
        .iter()
        .flat_map(|claim| claim.get_array("ticketIds").unwrap());
    tickets.map(|ticket| ticket.as_object_id().unwrap()).collect()
}

/// Copies agree with their owners, what is free can be bought, what is sold cannot, and nothing is sold twice.
async fn it_sells_on(machine: &Machine, tickets: &[TicketId]) {
    let active = || rows(machine, "orders", "claims", doc! {"active": true});
    let taken: BTreeSet<ObjectId> = held(&active().await).into_iter().collect();
    let free: Vec<TicketId> = tickets
        .iter()
        .copied()
        .filter(|ticket| !taken.contains(&ObjectId::from_bytes(ticket.bytes())))
        .collect();
    assert!(!taken.is_empty() && !free.is_empty());

    eventually("tickets show who holds them", async || {
        for ticket in rows(machine, "tickets", "tickets", doc! {}).await {
            let is_taken = taken.contains(&ticket.get_object_id("_id").unwrap());
            let shows = ticket.get_object_id("orderId").is_ok();
            if is_taken != shows {
                return None;
            }
        }
        Some(())
    })
    .await;
    let late = sign_up(machine, "late").await;
    for ticket in tickets.iter().filter(|ticket| !free.contains(ticket)).take(5) {
        assert!(!buy(&late, *ticket).await, "{ticket} was sold twice");
    }
    for ticket in free.iter().take(10) {
        assert!(buy(&late, *ticket).await, "{ticket} cannot be bought");
    }
    let mut all = held(&active().await);
    let count = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), count, "a ticket is in two orders");
    eventually("the streams carry what is bought from here on", async || {
        let status = late.shop.ticket(free[0]).await.unwrap();
        status.order_id.is_some().then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_damaged_archive_is_refused_before_anything_is_touched() {
    let (_kept, archive) = elsewhere();
    let machine = Machine::new();
    up(&machine);
    sign_up(&machine, "ann").await;
    back_up(&machine, &archive);
    sign_up(&machine, "bob").await;
    down(&machine);

    let users = archive.join("auth/users.bson.gz");
    let (manifest, sums) = (archive.join("manifest.json"), archive.join("SHA256SUMS"));
    let flip = |at: usize| move |bytes: &mut Vec<u8>| bytes[at] ^= 1;
    let nobody = Machine::new();
    // The fifth byte is of the header, where gzip notes a time that says nothing of what is inside.
    spoil(&machine, &nobody, &archive, &users, "damaged", flip(4));
    spoil(&machine, &nobody, &archive, &users, "damaged", flip(60));
    spoil(&machine, &nobody, &archive, &users, "damaged", |bytes| {
        bytes.truncate(50)
    });
    spoil(&machine, &nobody, &archive, &users, "missing", |bytes| {
        bytes.clear()
    });
    spoil(&machine, &nobody, &archive, &manifest, "damaged", flip(20));
    spoil(&machine, &nobody, &archive, &sums, "damaged", flip(3));
    spoil(
        &machine,
        &nobody,
        &archive,
        &sums,
        "no finished backup",
        |bytes| bytes.clear(),
    );

    let whole = machine.bigtix(&[
        "backup",
        "--verify",
        archive.to_str().unwrap(),
        "--output",
        "json",
    ]);
    assert_eq!(whole.code, 0, "{whole:?}");
    let whole: Value = serde_json::from_str(&whole.stdout).unwrap();
    assert_eq!(whole["services"]["auth"]["collections"]["users"]["documents"], 1);
    up(&machine);
    for name in ["ann", "bob"] {
        sign_in(&machine, name).await;
    }
}

/// Changes a file (removes it when nothing is left of it), sees the archive refused everywhere, and mends the file.
fn spoil(
    filled: &Machine,
    empty: &Machine,
    archive: &Path,
    file: &Path,
    why: &str,
    change: impl FnOnce(&mut Vec<u8>),
) {
    let whole = fs::read(file).unwrap();
    let mut spoiled = whole.clone();
    change(&mut spoiled);
    if spoiled.is_empty() {
        fs::remove_file(file).unwrap();
    } else {
        fs::write(file, &spoiled).unwrap();
    }
    let verified = filled.bigtix(&["backup", "--verify", archive.to_str().unwrap()]);
    assert!(
        verified.code == 1 && verified.stderr.contains(why),
        "{verified:?}"
    );
    for machine in [filled, empty] {
        let refused = restore(machine, archive, &["--replace"]);
        assert!(
            refused.code == 1 && refused.stderr.contains("Nothing was changed"),
            "{refused:?}"
        );
    }
    assert!(!empty.data().exists());
    fs::write(file, whole).unwrap();
}

#[tokio::test]
async fn an_archive_of_a_newer_release_is_refused() {
    let (_kept, archive) = elsewhere();
    let machine = Machine::new();
    up(&machine);
    back_up(&machine, &archive);
    down(&machine);
    let manifest = archive.join("manifest.json");
    let text = fs::read_to_string(&manifest).unwrap();
    let newer = text.replacen(r#""version": "1."#, r#""version": "99."#, 1);
    fs::write(&manifest, &newer).unwrap();
    let sums = archive.join("SHA256SUMS");
    let digest = |text: &str| Sha256Hex::of(text.as_bytes()).to_string();
    let changed = fs::read_to_string(&sums)
        .unwrap()
        .replace(&digest(&text), &digest(&newer));
    fs::write(&sums, changed).unwrap();
    let fresh = Machine::new();
    let refused = restore(&fresh, &archive, &[]);
    assert!(
        refused.code == 1 && refused.stderr.contains("auth 99.") && refused.stderr.contains("newer"),
        "{refused:?}"
    );
    assert!(!fresh.data().exists());
}

#[tokio::test]
async fn data_is_given_up_only_when_somebody_says_so() {
    let (_kept, archive) = elsewhere();
    let machine = Machine::new();
    let idle = machine.bigtix(&["backup", "--to", archive.to_str().unwrap()]);
    assert!(
        idle.code == 1 && idle.stderr.contains("bigtix up --data"),
        "{idle:?}"
    );
    up(&machine);
    sign_up(&machine, "ann").await;
    back_up(&machine, &archive);
    it_is_its_owners_alone(&archive);
    it_holds_no_secret(&archive, &machine);
    let again = machine.bigtix(&["backup", "--to", archive.to_str().unwrap()]);
    assert!(
        again.code == 1 && again.stderr.contains("holds something already"),
        "{again:?}"
    );
    let bob = sign_up(&machine, "bob").await;
    let running = restore(&machine, &archive, &["--replace"]);
    assert!(
        running.code == 1 && running.stderr.contains("bigtix down --data"),
        "{running:?}"
    );
    down(&machine);

    let refused = restore(&machine, &archive, &[]);
    assert!(
        refused.code == 1
            && refused.stderr.contains("--replace")
            && refused.stderr.contains("Nothing was changed"),
        "{refused:?}"
    );
    up(&machine);
    sign_in(&machine, "bob").await;
    down(&machine);

    let replaced = restore(&machine, &archive, &["--replace", "--output", "json"]);
    assert_eq!(replaced.code, 0, "{replaced:?}");
    let replaced: Value = serde_json::from_str(&replaced.stdout).unwrap();
    assert_eq!(
        replaced["services"]["auth"]["collections"]["users"]["documents"],
        1
    );
    up(&machine);
    sign_in(&machine, "ann").await;
    let shop = bob.shop.signed_out();
    assert!(shop.sign_in("bob@shop.test", market::PASSWORD).await.is_err());
    let bob = bigtix_client::Client::new(&url(&machine)).signed_in(bob.shop.token().unwrap().clone());
    assert!(
        !matches!(bob.current_user().await, Ok(Some(_))),
        "a session of nobody"
    );
    for service in ["auth", "tickets", "orders", "payments", "expiration"] {
        let relays = rows(&machine, service, "relay", doc! {}).await;
        let epochs: Vec<_> = relays
            .iter()
            .map(|relay| relay.get_i64("epoch").unwrap())
            .collect();
        assert_eq!(epochs, [1], "{service} publishes everything anew");
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| match path.is_dir() {
            true => files(&path),
            false => vec![path],
        })
        .collect()
}

fn it_is_its_owners_alone(archive: &Path) {
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    for file in files(archive) {
        let folder = file.parent().unwrap();
        assert_eq!((mode(folder), mode(&file)), (0o700, 0o600), "{}", file.display());
    }
}

/// Neither the keys of sessions nor the passwords of stores.
fn it_holds_no_secret(archive: &Path, machine: &Machine) {
    let read = |file: &str| fs::read(machine.data().join(file)).unwrap();
    let secrets: Value = serde_json::from_slice(&read("secrets.json")).unwrap();
    let keys: Value = serde_json::from_slice(&read("session-keys.json")).unwrap();
    let secrets = secrets.as_object().unwrap().values();
    let secrets: Vec<&str> = secrets
        .chain([&keys[0]["base64"]])
        .map(|value| value.as_str().unwrap())
        .collect();
    assert!(secrets.len() > 5);
    for file in files(archive) {
        // What is not compressed comes out as it is.
        let plain = Command::new("gzip").args(["-dcf"]).arg(&file).output().unwrap();
        assert!(plain.status.success(), "{plain:?}");
        let plain = String::from_utf8_lossy(&plain.stdout).into_owned();
        for secret in &secrets {
            assert!(!plain.contains(secret), "{}", file.display());
        }
    }
}

#[tokio::test]
async fn a_restore_that_is_killed_says_so_and_another_one_finishes_it() {
    let (_kept, archive) = elsewhere();
    let machine = Machine::new();
    up(&machine);
    sign_up(&machine, "ann").await;
    // The last collection of the last database.
    ballast(&machine, "tickets").await;
    back_up(&machine, &archive);
    down(&machine);

    let new = Machine::new();
    let arguments = ["restore", "--from", archive.to_str().unwrap()];
    let mut restoring = new.command(&arguments).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(restoring.stdout.take().unwrap()).lines();
    let began = lines
        .map_while(Result::ok)
        .skip_while(|line| !line.starts_with("Restoring into"))
        .find(|line| line.trim_start().starts_with("auth/users"));
    assert!(began.is_some());
    kill(u64::from(restoring.id()));
    restoring.wait().unwrap();
    eventually("mongod is gone as well", async || {
        new.processes().is_empty().then_some(())
    })
    .await;

    for arguments in [
        &["up", "--detach", "--port", "0"][..],
        &["up", "--detach", "--separate", "--port", "0"],
    ] {
        let refused = new.bigtix(arguments);
        assert!(
            refused.code == 1
                && refused.stderr.contains("half restored")
                && refused.stderr.contains("bigtix restore"),
            "{refused:?}"
        );
    }
    let finished = restore(&new, &archive, &[]);
    assert_eq!(finished.code, 0, "{finished:?}");
    up(&new);
    sign_in(&new, "ann").await;
    let ballast = database(&new, "tickets")
        .await
        .collection::<Document>("zz_ballast");
    assert_eq!(ballast.count_documents(doc! {}).await.unwrap(), 20_000);
}
