//! A shop that is started to be measured, and the double of Stripe that it charges. The shop's own double is made for
//! trying out, not for load.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use bigtix_testkit::stores::HeldPort;
use bigtix_testkit::stripe::Options;

use super::market::Market;
use super::servers::{Running, Server};
use super::sessions::Keys;
use crate::shop::{Launch, Mode, Shop};

/// A running shop with its Stripe.
pub struct Subject {
    /// The shop.
    pub shop: Shop,
    /// Its Stripe.
    pub stripe: Running,
}

/// Which shop.
#[derive(Debug, Clone, Copy)]
pub struct Setup<'a> {
    /// The program `bigtix`.
    pub program: &'a Path,
    /// Its data folder; one from an earlier run is found again.
    pub data: &'a Path,
    /// How its services run.
    pub mode: Mode,
    /// How long a reservation lasts.
    pub reservation_seconds: u32,
    /// Further fields of the resource.
    pub settings: &'a [(&'a str, &'a str)],
}

impl Setup<'_> {
    /// Starts it.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(&self) -> Result<Subject> {
        let held = HeldPort::find().context("a port for the shop")?;
        let port = held.number();
        let stripe = Running::start(&Server::Stripe {
            webhook: format!("http://127.0.0.1:{port}/api/webhooks/stripe"),
        })?;
        let account = Options::default();
        let api_url = format!("http://{}", stripe.address);
        let reservation_seconds = self.reservation_seconds.to_string();
        let own = [
            ("spec.reservationSeconds", reservation_seconds.as_str()),
            ("spec.maxHeldTicketsPerUser", "10000"),
            ("spec.payments.secretName", "stripe"),
            ("spec.payments.apiURL", &api_url),
        ];
        let shop = Shop::launch(&Launch {
            program: self.program,
            folder: self.data,
            port,
            mode: self.mode,
            settings: &[&own, self.settings].concat(),
            env: &[
                ("STRIPE_SECRET_KEY", &account.secret_key),
                ("STRIPE_WEBHOOK_SECRET", &account.webhook_secret),
            ],
        })?;
        let (url, took) = (&shop.run().url, shop.ready_after().as_secs_f64());
        eprintln!("{url} is ready after {took:.2} s");
        Ok(Subject { shop, stripe })
    }
}

impl Subject {
    /// Its market, with so many buyers.
    ///
    /// # Errors
    /// As [`Market::open`].
    pub async fn market(&self, buyers: usize) -> Result<Market> {
        Market::open(&self.shop.run().url, Keys::Folder(self.shop.folder()), buyers).await
    }
}

/// The program `bigtix` beside this one.
///
/// # Errors
/// When it is not built.
pub fn program_beside() -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    let beside = own.parent().map(|folder| folder.join("bigtix"));
    beside.filter(|path| path.is_file()).context(
        "the program `bigtix` is not built: run `make bench`, or `cargo build --release -p bigtix` first",
    )
}

/// Where figures and data are kept: `bench` in the folder of everything that is built.
pub fn default_folder(program: &Path) -> PathBuf {
    let built = program.ancestors().nth(2).unwrap_or(Path::new("target"));
    built.join("bench")
}
