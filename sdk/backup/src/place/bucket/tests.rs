use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use bigtix_service::Secret;
use bigtix_testkit::stores::{Mongod, StoresConfig, Versitygw};
use bson::spec::BinarySubtype;
use bson::{Binary, Document, doc};
use tempfile::TempDir;

use super::*;
use crate::place::{Address, Kind};
use crate::{Archive, ArchiveError, BackupError, Existing, Name, Place, Shop, backup, begin_restore};

/// A store with one bucket.
struct World {
    dir: TempDir,
    store: Versitygw,
}

impl World {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Versitygw::start(dir.path()).await.unwrap();
        store.make_bucket("shop-backups").unwrap();
        Self { dir, store }
    }

    fn settings(&self) -> AmazonS3Builder {
        AmazonS3Builder::new()
            .with_endpoint(self.store.url())
            .with_region("us-east-1")
            .with_access_key_id(Versitygw::ACCESS_KEY)
            .with_secret_access_key(self.store.secret_key())
    }

    fn at(&self, address: &str) -> Bucket {
        Bucket::new(&objects(address), self.settings()).unwrap()
    }

    /// Every file that the store has made in its buckets, parts that nobody finished included.
    fn files(&self) -> Vec<PathBuf> {
        below(&self.dir.path().join("buckets")).unwrap()
    }
}

fn below(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        match path.is_dir() {
            true => found.extend(below(&path)?),
            false => found.push(path),
        }
    }
    Ok(found)
}

fn objects(address: &str) -> Objects {
    match Address::try_from(std::ffi::OsString::from(address)).unwrap() {
        Address::Objects(objects) => objects,
        Address::Folder(path) => panic!("{} is a folder", path.display()),
    }
}

/// Bytes that are not the same again after any power of two.
fn noise(length: usize) -> Vec<u8> {
    (0..length).map(|n| (n % 251) as u8).collect()
}

async fn write(bucket: &Bucket, file: &str, bytes: &[u8]) {
    let mut upload = bucket.create(file);
    for chunk in bytes.chunks(100_000) {
        upload.write(chunk).await.unwrap();
    }
    upload.finish().await.unwrap();
}

async fn read(bucket: &Bucket, file: &str) -> Vec<u8> {
    let mut download = bucket.open(file).await.unwrap();
    let (mut all, mut chunk) = (Vec::new(), vec![0; 70_000]);
    loop {
        match download.read(&mut chunk).await.unwrap() {
            0 => return all,
            length => all.extend_from_slice(&chunk[..length]),
        }
    }
}

#[tokio::test]
async fn what_is_written_in_parts_comes_back_and_is_never_seen_half() {
    let world = World::new().await;
    let monday = world.at("s3://shop-backups/shop/monday");
    for length in [1, PART - 1, PART, PART + 1, 2 * PART + 12_345] {
        let file = format!("auth/{length}.bson.gz");
        write(&monday, &file, &noise(length)).await;
        assert!(read(&monday, &file).await == noise(length), "{length}");
    }

    let mut upload = monday.create("orders/claims.bson.gz");
    upload.write(&noise(PART)).await.unwrap();
    let begun = world.files().len();
    let missing = monday.open("orders/claims.bson.gz").await.err().unwrap();
    assert!(matches!(missing, PlaceError::Missing { .. }), "{missing}");
    upload.abandon().await;
    assert_eq!(world.files().len(), begun - 1, "a store keeps its parts");
}

/// Documents of 24 MB that no compression makes smaller.
fn incompressible() -> impl Iterator<Item = Document> {
    let mut state = 1_u64;
    (0..12).map(move |id| {
        let mut bytes = Vec::with_capacity(2_000_000);
        while bytes.len() < bytes.capacity() {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            bytes.extend(state.to_le_bytes());
        }
        let subtype = BinarySubtype::Generic;
        doc! {"_id": id, "bytes": Binary { subtype, bytes }}
    })
}

#[tokio::test]
async fn a_collection_larger_than_a_part_goes_to_a_bucket_and_comes_back() {
    let world = World::new().await;
    let config = StoresConfig::new(world.dir.path().join("shop"), ["orders"]);
    let mongod = Mongod::start(&config).await.unwrap();
    let orders = Name::try_from("orders".to_owned()).unwrap();
    let databases = BTreeMap::from([(orders.clone(), "orders".to_owned())]);
    let shop = Shop::connect(&Secret::new(mongod.admin_uri()), databases)
        .await
        .unwrap();
    let claims = shop.database(&orders).unwrap().collection::<Document>("claims");
    claims.insert_many(incompressible()).await.unwrap();
    let versions = BTreeMap::from([(orders, "1.0.0".parse().unwrap())]);

    let monday = world.at("s3://shop-backups/monday");
    let place = || Place {
        kind: Kind::Bucket(monday.clone()),
    };
    backup(&shop, &versions, &place(), &|_| {}).await.unwrap();
    let again = backup(&shop, &versions, &place(), &|_| {}).await.unwrap_err();
    assert!(
        matches!(again, BackupError::Place(PlaceError::Taken { .. })),
        "{again}"
    );
    let archive = Archive::open(place()).await.unwrap();
    let checked = archive.check(&|_| {}).await.unwrap();
    claims.delete_many(doc! {"_id": {"$lt": 6}}).await.unwrap();
    let restore = begin_restore(&checked, &shop, Existing::Replace).await.unwrap();
    restore.finish(&|_| {}).await.unwrap();
    let back: Vec<Document> = claims
        .find(doc! {})
        .sort(doc! {"_id": 1})
        .await
        .unwrap()
        .try_collect()
        .await
        .unwrap();
    assert!(back.iter().eq(incompressible().collect::<Vec<_>>().iter()));

    let sums = world.dir.path().join("buckets/shop-backups/monday/SHA256SUMS");
    fs::remove_file(sums).unwrap();
    let unfinished = Archive::open(place()).await.unwrap_err();
    assert!(
        matches!(unfinished, ArchiveError::Unfinished { .. }),
        "{unfinished}"
    );
    mongod.stop().await;
}

#[tokio::test]
async fn a_place_is_taken_by_what_is_below_its_key_and_is_emptied_of_nothing_else() {
    let world = World::new().await;
    let monday = world.at("s3://shop-backups/monday");
    let neighbour = world.at("s3://shop-backups/monday-evening");
    assert!(monday.is_empty().await.unwrap());
    write(&neighbour, "manifest.json", b"{}").await;
    assert!(monday.is_empty().await.unwrap());
    for file in ["auth/users.bson.gz", "manifest.json"] {
        write(&monday, file, b"x").await;
    }
    assert!(!monday.is_empty().await.unwrap());
    monday.discard().await.unwrap();
    assert!(monday.is_empty().await.unwrap());
    assert_eq!(read(&neighbour, "manifest.json").await, b"{}");
}

#[tokio::test]
async fn a_refusal_says_why_and_no_secret() {
    let world = World::new().await;
    let (wrong, token) = ("a-secret-key-that-opens-nothing", "a-token-of-a-session");
    let monday = objects("s3://shop-backups/monday");
    let elsewhere = objects("s3://no-such-bucket/monday");
    let settings = || world.settings();
    for (objects, settings, why) in [
        (&elsewhere, settings(), "NoSuchBucket"),
        (
            &monday,
            settings().with_secret_access_key(wrong),
            "SignatureDoesNotMatch",
        ),
        (&monday, settings().with_token(token), "InvalidToken"),
        (
            &monday,
            settings().with_access_key_id("nobody-at-all"),
            "No user exists",
        ),
    ] {
        let bucket = Bucket::new(objects, settings).unwrap();
        let mut upload = bucket.create("manifest.json");
        upload.write(b"{}").await.unwrap();
        for error in [
            bucket.is_empty().await.err().unwrap(),
            bucket.open("SHA256SUMS").await.err().unwrap(),
            upload.finish().await.err().unwrap(),
        ] {
            let shown = format!("{error} {error:?} {bucket:?}");
            assert!(shown.contains(why), "{why}: {shown}");
            for secret in [wrong, token, "nobody-at-all", world.store.secret_key()] {
                assert!(!shown.contains(secret), "{shown}");
            }
        }
    }
    let half = AmazonS3Builder::new().with_access_key_id(Versitygw::ACCESS_KEY);
    let error = Bucket::new(&monday, half).err().unwrap().to_string();
    assert!(error.contains("SecretAccessKey"), "{error}");
}

#[tokio::test]
async fn a_store_that_is_not_there_is_told_from_one_that_refuses() {
    let world = World::new().await;
    let bucket = world.at("s3://shop-backups/monday");
    world.store.stop().await;
    let error = bucket.is_empty().await.err().unwrap().to_string();
    assert!(error.contains("Connection refused"), "{error}");
}

#[test]
fn an_answer_in_xml_becomes_a_sentence() {
    let source = "<Error><Code>AccessDenied</Code><Message>Access Denied.</Message><Key>k</Key></Error>";
    let error = object_store::Error::PermissionDenied {
        path: "k".to_owned(),
        source: source.into(),
    };
    assert_eq!(said(&error), "the object store says AccessDenied: Access Denied.");
    let error = object_store::Error::Generic {
        store: "S3",
        source: format!("Error performing PUT http://{ROLE_OF_THE_MACHINE}/latest/api/token").into(),
    };
    assert!(said(&error).contains("AWS_ACCESS_KEY_ID"));
}
