//! The shop under test: `bigtix up --separate` on a folder of its own, with a proxy on every way from a service to what
//! it depends on, and a Stripe whose books can be read.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use bigtix_testkit::stores::{HeldPort, Secrets, private_folder, write_private};
use bigtix_testkit::stripe::{Options, Running, StripeDouble};

use super::clock::MovableClock;
use super::disk::SmallDisk;
use super::proxy::{Protocol, Proxy};
use super::schedule::{Link, Schedule, Service};
use crate::shop::{Launch, Mode, Shop};

/// How long an order that is not paid holds its tickets: short, so that many expire.
const RESERVATION_SECONDS: &str = "4";
/// Who may refund any order.
pub const ADMINISTRATOR: &str = "office@faults.test";
const REDIS: &str = "redis";
/// What marks a folder as one of `bigtix up`, so that it takes the credentials that are there already.
const FOLDER_VERSION: &str = "1\n";

/// What is started.
pub struct Site {
    /// The shop; none while it is down.
    pub shop: Shop,
    /// The books.
    pub stripe: Arc<Running>,
    /// Every way that can be disturbed.
    pub proxies: BTreeMap<Link, Proxy>,
    /// The clock that can be moved.
    pub clock: Option<MovableClock>,
    /// The database's own disk.
    pub disk: Option<SmallDisk>,
    /// Redis' password.
    pub redis_password: String,
    folder: PathBuf,
}

impl Site {
    /// Starts it in `folder`, which is to be empty.
    ///
    /// # Errors
    /// When a part of it does not start.
    pub async fn start(program: &Path, folder: &Path, schedule: &Schedule) -> Result<Self> {
        let data = folder.join("data");
        private_folder(&data).context("the data folder")?;
        write_private(&data.join("version"), FOLDER_VERSION.as_bytes()).context("the data folder")?;
        let mut secrets = Secrets::open(&data).context("credentials")?;
        let stripe = Arc::new(
            StripeDouble::start(Options::default())
                .await
                .context("the Stripe double")?,
        );
        let mut proxies = BTreeMap::new();
        for link in every_link() {
            proxies.insert(link, proxy(link, &data, &stripe.url).await?);
        }
        let clock = MovableClock::find(folder).context("the clock's file")?;
        let disk = SmallDisk::mount(&data.join("mongodb"));
        let redis_password = secrets.get(REDIS);

        let mut settings: Vec<(String, String)> = [
            ("spec.reservationSeconds", RESERVATION_SECONDS),
            ("spec.administrators[0]", ADMINISTRATOR),
            ("spec.payments.secretName", "stripe"),
        ]
        .map(|(path, value)| (path.to_owned(), value.to_owned()))
        .into();
        settings.push((
            "spec.payments.apiURL".to_owned(),
            format!("http://{}", proxies[&Link::Stripe].address()),
        ));
        for service in Service::ALL {
            let mut variables = connections(service, &proxies, &mut secrets);
            if schedule.clock_of == service {
                variables.extend(clock.iter().flat_map(MovableClock::variables));
            }
            for (index, (name, value)) in variables.into_iter().enumerate() {
                let place = format!("spec.services.{}.env[{index}]", service.as_str());
                settings.push((format!("{place}.name"), name));
                settings.push((format!("{place}.value"), format!("{value:?}")));
            }
        }
        secrets.save().context("credentials")?;

        let settings: Vec<(&str, &str)> = settings
            .iter()
            .map(|(path, value)| (path.as_str(), value.as_str()))
            .collect();
        let env = [
            ("STRIPE_SECRET_KEY", stripe.secret_key.as_str()),
            ("STRIPE_PUBLISHABLE_KEY", stripe.publishable_key.as_str()),
            ("STRIPE_WEBHOOK_SECRET", stripe.webhook_secret.as_str()),
            ("NO_COLOR", "1"),
        ];
        let port = HeldPort::find().context("a port for the edge")?;
        let shop = Shop::launch(&Launch {
            program,
            folder: &data,
            port: port.number(),
            mode: Mode::Separate {
                instances: schedule.instances,
            },
            settings: &settings,
            env: &env,
        })?;
        stripe.set_webhook(format!("{}/api/webhooks/stripe", shop.run().url));
        Ok(Self {
            shop,
            stripe,
            proxies,
            clock,
            disk,
            redis_password,
            folder: data,
        })
    }

    /// Where its data and logs are.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Makes every connection sound again.
    pub fn heal_connections(&self) {
        for proxy in self.proxies.values() {
            proxy.heal();
        }
    }
}

fn every_link() -> impl Iterator<Item = Link> {
    let of_services = Service::ALL
        .into_iter()
        .flat_map(|service| [Link::Database(service), Link::Bus(service)]);
    of_services.chain([Link::Redis, Link::Stripe])
}

async fn proxy(link: Link, data: &Path, stripe_url: &str) -> Result<Proxy> {
    let port_of = |store: &'static str| {
        let data = data.to_owned();
        Arc::new(move || port_in(&data, store)) as super::proxy::Upstream
    };
    let (protocol, upstream) = match link {
        Link::Database(_) => (Protocol::MongoDb, port_of("mongodb")),
        Link::Bus(_) => (Protocol::Any, port_of("nats")),
        Link::Redis => (Protocol::Any, port_of(REDIS)),
        Link::Stripe => {
            let port = url::Url::parse(stripe_url).ok().and_then(|url| url.port());
            (Protocol::Any, Arc::new(move || port) as super::proxy::Upstream)
        }
    };
    Proxy::start(protocol, upstream).await.context("a proxy")
}

/// The port of a store: written down before any service is started, and kept from then on.
fn port_in(data: &Path, store: &str) -> Option<u16> {
    let text = std::fs::read(data.join("ports.json")).ok()?;
    let ports: BTreeMap<String, u16> = serde_json::from_slice(&text).ok()?;
    ports.get(store).copied()
}

/// The addresses that a service is told, which are the proxies'.
fn connections(
    service: Service,
    proxies: &BTreeMap<Link, Proxy>,
    secrets: &mut Secrets,
) -> Vec<(String, String)> {
    let name = service.as_str();
    let database = proxies[&Link::Database(service)].address();
    let bus = proxies[&Link::Bus(service)].address();
    let password = secrets.get(&format!("mongodb/{name}"));
    let mut variables = vec![
        (
            "MONGODB_URI".to_owned(),
            // The replica set would tell the driver its own address, which leads past the proxy.
            format!("mongodb://{name}:{password}@{database}/?directConnection=true&authSource={name}"),
        ),
        (
            "NATS_URL".to_owned(),
            format!("nats://{name}:{}@{bus}", secrets.get(&format!("nats/{name}"))),
        ),
    ];
    if service == Service::Expiration {
        let address = proxies[&Link::Redis].address();
        variables.push((
            "REDIS_URL".to_owned(),
            format!("redis://:{}@{address}/0", secrets.get(REDIS)),
        ));
    }
    variables
}
