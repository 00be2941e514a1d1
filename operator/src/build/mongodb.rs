//! MongoDB: a replica set whose members know each other by a key.

use std::collections::BTreeMap;

use bigtix_crds::platform::{Amounts, ManagedStore, Quantity, Resources};
use bigtix_crds::{Platform, Service};
use bson::{Document, doc};
use k8s_openapi::api::core::v1::Container;

use super::endpoint::{self, Port};
use super::pod::{self, Pace, Pod};
use super::store::{self, managed, mount};
use super::{Child, Shop, amounts, backup, service};
use crate::names::{self, Component};

pub use super::store::volume_size;

/// Where members and clients connect.
pub const PORT: Port = Port {
    name: "mongodb",
    number: 27017,
};
/// What the members call their set.
pub const REPLICA_SET: &str = "rs0";
/// The entry of the store's Secret that all members share.
pub const KEY_FILE: &str = "keyfile";
/// The database that holds the users.
pub const USERS_DATABASE: &str = "admin";

/// Who has a user of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum User {
    /// Reads and writes its own database.
    Service(Service),
    /// Reads every service's, for backups.
    Reader,
    /// Replaces every service's, for restores.
    Writer,
}

impl User {
    /// What the database calls it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Service(service) => service.as_str(),
            Self::Reader => "backup",
            Self::Writer => "restore",
        }
    }

    /// The Secret with its password, and the entry.
    #[must_use]
    pub fn password(self, platform: &Platform) -> (String, &'static str) {
        let (component, entry) = match self {
            Self::Service(service) => (Component::Service(service), service::MONGODB_ENTRY),
            Self::Reader => (Component::Backup, backup::READER_ENTRY),
            Self::Writer => (Component::Backup, backup::WRITER_ENTRY),
        };
        (names::credentials(platform, component), entry)
    }
}

/// What a user may do. A service reads and writes its own database, and may change its collections' validators; that is
/// all. Who takes backups reads the services' databases, and who restores writes them.
#[must_use]
pub fn roles(user: User, platform: &Platform) -> Vec<Document> {
    let each = |role: &str| {
        let databases = with_databases(platform);
        databases
            .map(|service| doc! { "role": role, "db": service.as_str() })
            .collect()
    };
    match user {
        User::Service(service) => vec![
            doc! { "role": "readWrite", "db": service.as_str() },
            doc! { "role": role(service), "db": USERS_DATABASE },
        ],
        User::Reader => each("read"),
        User::Writer => each("readWrite"),
    }
}

/// The name of a service's own role.
#[must_use]
pub fn role(service: Service) -> String {
    format!("modify-{service}")
}

/// Every user that the shop needs.
pub fn users(platform: &Platform) -> impl Iterator<Item = User> {
    let services = with_databases(platform).map(User::Service);
    let backup = platform.backup.as_ref().map(|_| [User::Reader, User::Writer]);
    services.chain(backup.into_iter().flatten())
}

/// The services that have a database of their own, which has their name. The pages keep nothing.
pub fn with_databases(platform: &Platform) -> impl Iterator<Item = Service> {
    let services = platform.services.iter().map(|(service, _)| service);
    services.filter(|service| !matches!(service, Service::Web))
}

const ME: Component = Component::Mongodb;
/// For how many seconds a member waits for its name.
const NAME_TRIES: u32 = 90;
const SECRET: &str = "secret";
const KEYS: &str = "keys";
const SCRATCH: &str = "tmp";
/// The share of its memory that a member caches documents in; connections, sorts and the file system's cache need the rest.
const CACHE_PERCENT: u64 = 40;
/// mongod takes no less.
const SMALLEST_CACHE: f64 = 0.25;
/// Cheap, because the passwords are random: there is nothing to make guessing dearer for.
const HASH_ITERATIONS: u32 = 5_000;
/// How long a primary that stops waits for somebody to take over, and then says that it goes.
const SHUTDOWN_MILLISECONDS: u32 = 5_000;
/// Handing over, a checkpoint, and some patience.
const GRACE_SECONDS: i64 = 60;
/// Seconds for a member that is back to catch up before the next one goes.
const SETTLE_SECONDS: i32 = 10;

/// Everything that carries MongoDB; nothing where somebody else runs it. `template_size` is the size of the volumes that
/// the StatefulSet was created with, none when there is none yet.
#[must_use]
pub fn children(shop: Shop<'_>, template_size: Option<&Quantity>) -> Vec<Child> {
    let Some(store) = managed(&shop.platform.stores.mongodb) else {
        return Vec::new();
    };
    let mut children = vec![
        pod::account(shop, ME),
        endpoint::members(shop, ME, &[PORT]),
        stateful_set(shop, store, template_size),
    ];
    children.extend(pod::budget(shop, ME, store.replicas));
    children
}

/// The host and port by which a member is known to the set and to clients.
#[must_use]
pub fn member_address(shop: Shop<'_>, ordinal: u32) -> String {
    let (name, members) = (ME.object_name(shop.platform), names::members(shop.platform, ME));
    format!(
        "{name}-{ordinal}.{members}.{}.svc:{}",
        shop.namespace, PORT.number
    )
}

/// How a user connects from within the namespace; `password` may be a reference to a variable. The one seed is the name
/// of all members, so that a set that grows restarts no client.
#[must_use]
pub fn uri(shop: Shop<'_>, user: &str, password: &str) -> String {
    let (members, port) = (names::members(shop.platform, ME), PORT.number);
    format!(
        "mongodb://{user}:{password}@{members}:{port}/?replicaSet={REPLICA_SET}&authSource={USERS_DATABASE}"
    )
}

fn stateful_set(shop: Shop<'_>, store: &ManagedStore, template_size: Option<&Quantity>) -> Child {
    let pod = Pod {
        component: ME,
        version: store.version.clone(),
        annotations: BTreeMap::new(),
        init_containers: vec![key_copier(shop, store)],
        container: member(store),
        volumes: vec![
            store::secret_volume(shop, ME, SECRET, KEY_FILE),
            store::scratch_volume(KEYS, "1Mi", true),
            store::scratch_volume(SCRATCH, "64Mi", false),
        ],
        owns_volumes: true,
        grace: GRACE_SECONDS,
        revision_label: None,
    };
    store::members(shop, store, template_size, Some(SETTLE_SECONDS), pod)
}

fn member(store: &ManagedStore) -> Container {
    Container {
        command: Some(vec!["mongod".to_owned()]),
        args: Some(arguments(&store.resources.memory)),
        ports: pod::ports(&[PORT]),
        startup_probe: Some(pod::tcp(PORT, Pace::STORE_START)),
        liveness_probe: Some(pod::tcp(PORT, Pace::ALIVE)),
        readiness_probe: Some(pod::tcp(PORT, Pace::READY)),
        volume_mounts: Some(vec![
            mount(store::DATA, "/data/db", false),
            mount(KEYS, "/keys", true),
            mount(SCRATCH, "/tmp", false),
        ]),
        ..pod::container("mongod", store.image.as_str(), &store.resources)
    }
}

/// Nothing here depends on the number of members, so that none restarts when the set grows.
fn arguments(memory: &Amounts) -> Vec<String> {
    let iterations = format!("scramSHA256IterationCount={HASH_ITERATIONS}");
    let shutdown = format!("shutdownTimeoutMillisForSignaledShutdown={SHUTDOWN_MILLISECONDS}");
    let (port, cache) = (PORT.number.to_string(), cache_gigabytes(memory));
    let options = [
        ("--replSet", REPLICA_SET),
        ("--port", &port),
        ("--dbpath", "/data/db"),
        ("--keyFile", "/keys/keyfile"),
        ("--wiredTigerCacheSizeGB", &cache),
        ("--setParameter", &iterations),
        ("--setParameter", &shutdown),
    ];
    ["--bind_ip_all", "--auth", "--nounixsocket"]
        .into_iter()
        .chain(options.into_iter().flat_map(|(option, value)| [option, value]))
        .map(str::to_owned)
        .collect()
}

fn cache_gigabytes(memory: &Amounts) -> String {
    // Rounded down, in hundredths, because rounding up may exceed what there is.
    let hundredths = amounts::bytes_of(memory)
        .map(|bytes| amounts::percent(bytes, CACHE_PERCENT) / ((1 << 30) / 100))
        .and_then(|hundredths| u32::try_from(hundredths).ok())
        .map_or(SMALLEST_CACHE, |hundredths| f64::from(hundredths) / 100.0);
    format!("{:.2}", hundredths.max(SMALLEST_CACHE))
}

/// mongod insists on a key file that is its own and nobody else's, and files of a Secret belong to root: so the key is
/// copied. Then it is waited until the member's name leads to this pod: a member that cannot find
/// itself in its set when it starts leaves the set, and does not look again.
fn key_copier(shop: Shop<'_>, store: &ManagedStore) -> Container {
    let quantity = |text: &str| Quantity(text.to_owned());
    let amounts = |request, limit| Amounts {
        request: quantity(request),
        limit,
    };
    let resources = Resources {
        cpu: amounts("10m", None),
        memory: amounts("16Mi", Some(quantity("64Mi"))),
    };
    let members = names::members(shop.platform, ME);
    let script = format!(
        "cp /secret/{KEY_FILE} /keys/{KEY_FILE} && chmod 0400 /keys/{KEY_FILE} || exit 1\n\
         tries=0\n\
         until case \"$(getent hosts \"$POD_NAME.{members}.{}.svc\")\" in \"$POD_IP \"*) true;; *) false;; esac; do\n  \
           tries=$((tries + 1))\n  [ $tries -lt {NAME_TRIES} ] || break\n  sleep 1\ndone\n",
        shop.namespace
    );
    Container {
        command: Some(vec!["sh".to_owned(), "-c".to_owned(), script]),
        env: Some(vec![pod::own_name(), pod::own_address()]),
        volume_mounts: Some(vec![mount(SECRET, "/secret", true), mount(KEYS, "/keys", false)]),
        ..pod::container("key", store.image.as_str(), &resources)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_follows_the_memory_and_is_never_too_small_to_start() {
        let cache = |limit: &str| {
            let quantity = || Quantity(limit.to_owned());
            cache_gigabytes(&Amounts {
                request: quantity(),
                limit: Some(quantity()),
            })
        };
        assert_eq!(cache("256Mi"), "0.25");
        assert_eq!(cache("1Gi"), "0.40");
        assert_eq!(cache("16Gi"), "6.40");
        assert_eq!(cache("nothing"), "0.25");
    }
}
