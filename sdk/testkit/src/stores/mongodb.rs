//! mongod as a child: a replica set of one member, because change streams and majority writes need a replica set.

use std::io;
use std::net::Ipv4Addr;
use std::path::Path;
use std::time::Duration;

use mongodb::bson::{Bson, Document, doc};
use mongodb::error::{Error, ErrorKind};
use mongodb::options::{ClientOptions, Credential, ServerAddress};
use mongodb::{Client, Database};
use tokio::net::TcpStream;

use super::child::ChildSpec;
use super::secrets::{private_folder, write_private};
use super::{Folder, GRACE, LOOK_AGAIN};

const REPLICA_SET: &str = "bigtix";
/// The user that administers the store.
const ROOT: &str = "root";
/// What `saslStart` answers to a wrong password or an unknown user.
const AUTHENTICATION_FAILED: i32 = 18;
/// What strangers are answered once there are users.
const UNAUTHORIZED: i32 = 13;
/// Not a primary yet, or any more, or about to become one.
const CHANGING_STATE: [i32; 8] = [91, 94, 189, 10107, 11600, 11602, 13435, 13436];
const ALREADY_INITIALIZED: i32 = 23;
const ROLE_EXISTS: i32 = 51002;
const USER_EXISTS: i32 = 51003;
/// Cheap, because the passwords are 32 random bytes: there is nothing to make guessing dearer for.
const HASH_ITERATIONS: u32 = 5_000;

pub(super) fn spec(
    folder: &Folder<'_>,
    program: &Path,
    port: u16,
    key: &str,
    cache_gigabytes: f64,
) -> io::Result<ChildSpec> {
    let data = folder.dir.join("mongodb");
    private_folder(&data)?;
    let key_file = folder.dir.join("mongodb.key");
    write_private(&key_file, key.as_bytes())?;
    let text = [
        ("--port", port.to_string()),
        ("--bind_ip", "127.0.0.1".to_owned()),
        ("--replSet", REPLICA_SET.to_owned()),
        ("--wiredTigerCacheSizeGB", cache_gigabytes.to_string()),
        (
            "--setParameter",
            format!("scramSHA256IterationCount={HASH_ITERATIONS}"),
        ),
        // Nobody takes over from a single member, so there is nothing to wait for when it stops.
        (
            "--setParameter",
            "shutdownTimeoutMillisForSignaledShutdown=100".to_owned(),
        ),
        (
            "--setParameter",
            "diagnosticDataCollectionEnabled=false".to_owned(),
        ),
    ];
    let mut args = vec![
        "--dbpath".into(),
        data.into(),
        "--keyFile".into(),
        key_file.into(),
    ];
    args.extend(["--quiet".into(), "--nounixsocket".into()]);
    args.extend(
        text.into_iter()
            .flat_map(|(option, value)| [option.into(), value.into()]),
    );
    Ok(ChildSpec {
        name: "mongodb".into(),
        program: program.into(),
        args,
        env: vec![],
        log: folder.log("mongodb"),
        grace: GRACE,
    })
}

/// Whether somebody listens. Asked before the driver is, which looks only twice a second.
pub(super) async fn listens(port: u16) -> bool {
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.is_ok()
}

/// The address of the store for one user, whose database of the same name holds the user too.
pub(super) fn service_uri(port: u16, service: &str, password: &str) -> String {
    format!("mongodb://{service}:{password}@127.0.0.1:{port}/?replicaSet={REPLICA_SET}&authSource={service}")
}

/// The address of the store for its administrator.
pub(super) fn admin_uri(port: u16, password: &str) -> String {
    format!("mongodb://{ROOT}:{password}@127.0.0.1:{port}/?replicaSet={REPLICA_SET}&authSource=admin")
}

/// Makes a listening mongod a primary with the given users, whatever an earlier start had got done of that.
pub(super) async fn prepare(port: u16, root: &str, users: &[(&str, String)]) -> Result<(), Error> {
    // Without users yet, mongod lets this machine make the first ones.
    let stranger = connect(port, None)?;
    let hello = stranger
        .database("admin")
        .run_command(doc! { "hello": 1 })
        .await?;
    // It says so too when it was a replica set at another address.
    let is_new = hello.get_bool("isreplicaset").unwrap_or(false) && initiate(&stranger, port).await?;
    if is_new {
        become_primary(&stranger).await?;
        create_root(&stranger, root).await?;
    }
    let admin = connect(port, Some(root))?;
    if !is_new {
        settle(port, root, &stranger, &admin).await?;
    }
    create_users(&admin, users).await
}

/// Whether [`prepare`] may be begun again after this. A mongod that becomes a primary cuts the connections that it has.
pub(super) fn is_passing(error: &Error) -> bool {
    let is_cut = matches!(
        error.kind.as_ref(),
        ErrorKind::Io(_) | ErrorKind::ConnectionPoolCleared { .. } | ErrorKind::ServerSelection { .. }
    );
    is_cut || command_code(error).is_some_and(|code| CHANGING_STATE.contains(&code))
}

/// Makes it a replica set; `false` if it is one already.
async fn initiate(stranger: &Client, port: u16) -> Result<bool, Error> {
    let initiate = doc! { "replSetInitiate": { "_id": REPLICA_SET, "members": [member(port)] } };
    match stranger.database("admin").run_command(initiate).await {
        Ok(_) => Ok(true),
        Err(error) if [Some(UNAUTHORIZED), Some(ALREADY_INITIALIZED)].contains(&command_code(&error)) => {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

/// A data folder that existed before: perhaps at another port, perhaps without its first user.
async fn settle(port: u16, root: &str, stranger: &Client, admin: &Client) -> Result<(), Error> {
    let database = admin.database("admin");
    match database.run_command(doc! { "replSetGetConfig": 1 }).await {
        Ok(found) => {
            let mut config = found.get_document("config").cloned().map_err(Error::custom)?;
            let here = member(port);
            let is_here = config.get_array("members").is_ok_and(|members| {
                members
                    .iter()
                    .filter_map(Bson::as_document)
                    .all(|each| each.get("host") == here.get("host"))
            });
            if !is_here {
                let version = config.get_i32("version").unwrap_or(1);
                config.insert("version", version + 1);
                config.insert("members", vec![here]);
                database
                    .run_command(doc! { "replSetReconfig": config, "force": true })
                    .await?;
            }
            become_primary(stranger).await
        }
        Err(error) if is_authentication_failure(&error) => {
            become_primary(stranger).await?;
            create_root(stranger, root).await
        }
        Err(error) => Err(error),
    }
}

fn member(port: u16) -> Document {
    doc! { "_id": 0, "host": format!("127.0.0.1:{port}") }
}

fn connect(port: u16, root: Option<&str>) -> Result<Client, Error> {
    let mut options = ClientOptions::default();
    options.hosts = vec![ServerAddress::Tcp {
        host: "127.0.0.1".into(),
        port: Some(port),
    }];
    options.direct_connection = Some(true);
    options.server_selection_timeout = Some(Duration::from_secs(10));
    options.credential = root.map(|password| {
        let mut credential = Credential::default();
        credential.username = Some(ROOT.to_owned());
        credential.password = Some(password.to_owned());
        credential.source = Some("admin".to_owned());
        credential
    });
    Client::with_options(options)
}

/// Completes when writes are taken. Whoever starts the store limits the time.
async fn become_primary(client: &Client) -> Result<(), Error> {
    loop {
        let hello = client.database("admin").run_command(doc! { "hello": 1 }).await?;
        if hello.get_bool("isWritablePrimary").unwrap_or(false) {
            return Ok(());
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

async fn create_root(stranger: &Client, password: &str) -> Result<(), Error> {
    let create =
        doc! { "createUser": ROOT, "pwd": password, "roles": ["root"], "mechanisms": ["SCRAM-SHA-256"] };
    stranger.database("admin").run_command(create).await.map(drop)
}

/// A service reads and writes its own database, and may change its collections' validators; that is all.
async fn create_users(admin: &Client, users: &[(&str, String)]) -> Result<(), Error> {
    let found = admin
        .database("admin")
        .run_command(doc! { "usersInfo": { "forAllDBs": true } })
        .await?;
    let there: Vec<&str> = found
        .get_array("users")
        .map(|users| {
            users
                .iter()
                .filter_map(|user| user.as_document()?.get_str("user").ok())
                .collect()
        })
        .unwrap_or_default();
    let missing = users.iter().filter(|(name, _)| !there.contains(name));
    futures::future::try_join_all(
        missing.map(|(name, password)| create_service_user(admin.database(name), name, password)),
    )
    .await
    .map(drop)
}

async fn create_service_user(database: Database, name: &str, password: &str) -> Result<(), Error> {
    let role = doc! {
        "createRole": "modifyCollections",
        "privileges": [{ "resource": { "db": name, "collection": "" }, "actions": ["collMod"] }],
        "roles": [],
    };
    unless_there(database.run_command(role).await, ROLE_EXISTS)?;
    let user = doc! {
        "createUser": name,
        "pwd": password,
        "roles": ["readWrite", "modifyCollections"],
        "mechanisms": ["SCRAM-SHA-256"],
    };
    unless_there(database.run_command(user).await, USER_EXISTS)
}

fn unless_there(result: Result<Document, Error>, exists: i32) -> Result<(), Error> {
    match result {
        Err(error) if command_code(&error) != Some(exists) => Err(error),
        _ => Ok(()),
    }
}

fn command_code(error: &Error) -> Option<i32> {
    match error.kind.as_ref() {
        ErrorKind::Command(command) => Some(command.code),
        _ => None,
    }
}

/// The driver says this of the handshake in its own way, with the store's answer as the source.
fn is_authentication_failure(error: &Error) -> bool {
    matches!(error.kind.as_ref(), ErrorKind::Authentication { .. })
        || command_code(error) == Some(AUTHENTICATION_FAILED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_that_is_cut_is_no_reason_to_give_up_and_a_refusal_is() {
        let cut = Error::from(io::Error::from(io::ErrorKind::UnexpectedEof));
        assert!(is_passing(&cut), "{cut}");
        assert!(!is_passing(&Error::custom("what is read makes no sense")));
    }
}
