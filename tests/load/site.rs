//! The shop that is visited: one that runs somewhere, or one that is started here.

use std::path::Path;

use anyhow::{Context, Result};
use bigtix_service::Secret;
use bigtix_tests::Mode;
use bigtix_tests::load::machine::Circumstances;
use bigtix_tests::load::market::Market;
use bigtix_tests::load::quiet::come_to_rest;
use bigtix_tests::load::sessions::Keys;
use bigtix_tests::load::subject::{Setup, Subject, default_folder, program_beside};

use super::arguments::{Arguments, Scenario};

/// Longer than a run.
const FOR_LONG: u32 = 86_400;
/// So short that those who let their time run out can be waited for.
const SHORT: u32 = 15;

/// A shop.
pub(crate) struct Site {
    own: Option<Own>,
    pub(crate) market: Market,
    /// What is known of the machine, where the shop is on this one.
    pub(crate) circumstances: Option<Circumstances>,
}

struct Own {
    subject: Subject,
    reservation_seconds: u32,
    /// Removed at the end; absent when the folder is somebody else's.
    _fresh: Option<tempfile::TempDir>,
}

impl Site {
    /// Finds or starts it.
    ///
    /// # Errors
    /// When it does not start, or its keys are not there.
    pub(crate) async fn open(arguments: &Arguments) -> Result<Self> {
        let buyers = arguments.buyers;
        let Some(url) = &arguments.url else {
            return Self::start(arguments).await;
        };
        let spelled = std::env::var("SESSION_KEYS").ok().map(Secret::new);
        let keys = match (&arguments.data, &spelled) {
            (Some(folder), _) => Keys::Folder(folder),
            (None, Some(keys)) => Keys::Spelled(keys),
            (None, None) => anyhow::bail!(
                "buyers need sessions: name the shop's data folder with --data, or set SESSION_KEYS as its services have it"
            ),
        };
        Ok(Self {
            own: None,
            market: Market::open(url, keys, buyers).await?,
            circumstances: None,
        })
    }

    async fn start(arguments: &Arguments) -> Result<Self> {
        let program = match &arguments.program {
            Some(program) => program.clone(),
            None => program_beside()?,
        };
        let fresh = match &arguments.data {
            Some(_) => None,
            None => Some(fresh_folder(&program)?),
        };
        let data = match (&arguments.data, &fresh) {
            (Some(data), _) => data.clone(),
            (None, Some(fresh)) => fresh.path().join("shop"),
            (None, None) => anyhow::bail!("there is no folder for the shop's data"),
        };
        let reservation_seconds = match arguments.scenario() {
            Scenario::Mixed => SHORT,
            Scenario::Rush | Scenario::Spread | Scenario::Browse | Scenario::Purchase => FOR_LONG,
        };
        let setup = Setup {
            program: &program,
            data: &data,
            mode: Mode::OneProcess,
            reservation_seconds,
            settings: &[],
        };
        let subject = setup.start()?;
        let market = subject.market(arguments.buyers).await;
        let own = Own {
            subject,
            reservation_seconds,
            _fresh: fresh,
        };
        match market {
            Ok(market) => Ok(Self {
                own: Some(own),
                market,
                circumstances: Some(Circumstances::of(&program)),
            }),
            Err(error) => {
                own.subject.shop.stop().await;
                Err(error)
            }
        }
    }

    /// Waits until the shop has heard of everything, where that can be known.
    pub(crate) async fn come_to_rest(&self) -> Result<()> {
        match &self.own {
            Some(own) => come_to_rest(&own.subject.shop).await,
            None => Ok(()),
        }
    }

    /// How long reservations last, where that is known and short.
    pub(crate) fn reservation_seconds(&self) -> Option<u32> {
        let own = self.own.as_ref()?;
        (own.reservation_seconds == SHORT).then_some(SHORT)
    }

    /// Stops what was started.
    pub(crate) async fn close(self) -> Option<Circumstances> {
        if let Some(own) = self.own {
            own.subject.shop.stop().await;
        }
        self.circumstances
    }
}

fn fresh_folder(program: &Path) -> Result<tempfile::TempDir> {
    let folder = default_folder(program);
    std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    let fresh = tempfile::Builder::new().prefix("load-").tempdir_in(&folder);
    fresh.with_context(|| folder.display().to_string())
}
