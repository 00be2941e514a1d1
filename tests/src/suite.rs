//! Scenarios by name, each run against shops that they share. A shop is started when its first scenario begins, and
//! stopped when all are over.

use std::process::ExitCode;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use futures::future::LocalBoxFuture;
use libtest_mimic::{Arguments, Trial};
use tokio::runtime::Runtime;

use crate::world::Crowd;
use crate::{Mode, Shop, World};

/// How long one scenario may take.
const DEADLINE: Duration = Duration::from_secs(300);
/// Scenarios wait more than they compute.
const SIDE_BY_SIDE: usize = 4;

/// What a user does, and what must come of it. It panics when something else comes of it.
pub type Scenario = fn(World) -> LocalBoxFuture<'static, ()>;

/// The scenarios of a module by name: `scenarios![a_buyer_pays, a_card_is_declined]`, each an
/// `async fn(World)`.
#[macro_export]
macro_rules! scenarios {
    ($($name:ident),* $(,)?) => {
        &[$((stringify!($name), |world| Box::pin($name(world)))),*]
    };
}

type Settings = Vec<(String, String)>;

struct LazyShop {
    mode: Mode,
    settings: Settings,
    shop: OnceLock<Result<Arc<Shop>, String>>,
    crowd: Crowd,
}

impl LazyShop {
    fn get(&self) -> Result<Arc<Shop>, String> {
        let start = || {
            let settings: Vec<(&str, &str)> = self
                .settings
                .iter()
                .map(|(path, value)| (path.as_str(), value.as_str()))
                .collect();
            Shop::start(self.mode, &settings)
                .map(Arc::new)
                .map_err(|error| error.to_string())
        };
        self.shop.get_or_init(start).clone()
    }
}

/// A shop that scenarios of a suite share.
#[derive(Clone)]
pub struct SharedShop(Arc<LazyShop>);

/// The scenarios of one test program.
pub struct Suite {
    runtime: Arc<Runtime>,
    shops: Vec<SharedShop>,
    trials: Vec<Trial>,
    side_by_side: usize,
}

impl Default for Suite {
    fn default() -> Self {
        Self::new()
    }
}

impl Suite {
    /// A suite without scenarios.
    ///
    /// # Panics
    /// When the system has no threads left.
    pub fn new() -> Self {
        Self {
            runtime: Arc::new(Runtime::new().expect("threads")),
            shops: Vec::new(),
            trials: Vec::new(),
            side_by_side: SIDE_BY_SIDE,
        }
    }

    /// Runs one scenario at a time: each has the shop for itself.
    #[must_use]
    pub fn one_by_one(mut self) -> Self {
        self.side_by_side = 1;
        self
    }

    /// A shop to run scenarios against; `settings` as [`Shop::start`] takes them.
    pub fn shop(&mut self, mode: Mode, settings: &[(&str, &str)]) -> SharedShop {
        let settings = settings
            .iter()
            .map(|(path, value)| ((*path).to_owned(), (*value).to_owned()))
            .collect();
        let shop = SharedShop(Arc::new(LazyShop {
            mode,
            settings,
            shop: OnceLock::new(),
            crowd: Crowd::default(),
        }));
        self.shops.push(shop.clone());
        shop
    }

    /// Adds scenarios under a common name.
    pub fn add(&mut self, shop: &SharedShop, group: &str, scenarios: &'static [(&'static str, Scenario)]) {
        for (name, scenario) in scenarios {
            let (runtime, lazy) = (Arc::clone(&self.runtime), shop.clone());
            let trial = Trial::test(format!("{group}::{name}"), move || {
                let world = World::new(lazy.0.get()?, Arc::clone(&lazy.0.crowd));
                let in_time = async { tokio::time::timeout(DEADLINE, scenario(world)).await };
                runtime
                    .block_on(in_time)
                    .map_err(|_| format!("not over after {DEADLINE:?}").into())
            });
            self.trials.push(trial.with_kind(shop.0.mode.to_string()));
        }
    }

    /// Adds a test that brings its own shop, if it needs one.
    pub fn add_test(&mut self, name: &str, test: impl FnOnce() -> Result<(), String> + Send + 'static) {
        self.trials
            .push(Trial::test(name, move || test().map_err(Into::into)));
    }

    /// A test that cannot be run here is listed as ignored, with the reason in its name.
    pub fn add_skipped(&mut self, name: &str, reason: &str) {
        eprintln!("SKIPPED: {name}: {reason}");
        let trial = Trial::test(format!("{name} (skipped: {reason})"), || Ok(()));
        self.trials.push(trial.with_ignored_flag(true));
    }

    /// Runs what the arguments select, stops the shops, and says how it went.
    pub fn run(self) -> ExitCode {
        let mut arguments = Arguments::from_args();
        // Where a scenario gave up; the way there through the runtime helps nobody. The message comes with the failures.
        let gave_up: Arc<Mutex<Vec<String>>> = Arc::default();
        let noted = Arc::clone(&gave_up);
        std::panic::set_hook(Box::new(move |panic| {
            if let Some(place) = panic.location() {
                eprintln!("\n{place}: see the failures below");
                let message = panic.payload_as_str().unwrap_or_default();
                let first = message.lines().next().unwrap_or_default();
                if let Ok(mut noted) = noted.lock() {
                    noted.push(format!("{place}: {first}"));
                }
            }
        }));
        arguments.test_threads.get_or_insert(self.side_by_side);
        let conclusion = libtest_mimic::run(&arguments, self.trials);
        let mut tidy = true;
        let mut why = Vec::new();
        for lazy in self.shops {
            match lazy.0.shop.get() {
                Some(Ok(shop)) => tidy &= self.runtime.block_on(close(shop, conclusion.has_failed())),
                Some(Err(error)) => why.push(format!("the shop with {} did not start: {error}", lazy.0.mode)),
                None => {}
            }
        }
        // Last, because the end is what is seen of a long output.
        if conclusion.has_failed() {
            why.extend(gave_up.lock().into_iter().flat_map(|noted| noted.clone()));
            eprintln!("--- why, in short ---\n{}", why.join("\n"));
        }
        if tidy {
            conclusion.exit_code()
        } else {
            ExitCode::FAILURE
        }
    }
}

/// Stops a shop; whether it left nothing behind.
async fn close(shop: &Shop, failed: bool) -> bool {
    if failed {
        eprintln!("--- the end of the log of the shop with {} ---", shop.mode());
        eprintln!("{}", shop.log_tail());
    }
    let began = Instant::now();
    let last = shop.last_run();
    shop.stop().await;
    let left = shop.left_behind(last.as_ref().unwrap_or(shop.run()));
    if left.is_empty() {
        return true;
    }
    eprintln!(
        "the shop with {} stopped in {:?} and left behind: {left:?}",
        shop.mode(),
        began.elapsed()
    );
    false
}
