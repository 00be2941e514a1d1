//! The web service: the shop in a browser.
//!
//! It owns no store and decides nothing. Every page is made on the server from what the other services answer, by way
//! of `bigtix-client`; every form posts to its own page's path and is answered with a redirect or with the page again.

mod assets;
mod cart;
mod config;
mod failure;
mod forms;
mod live;
mod pages;
mod reads;
mod routes;
mod security;
mod session;
mod shell;
mod site;
mod view;

use std::sync::Arc;

use bigtix_client::Client;
use bigtix_service::{Service, StartError};

pub use config::Config;

use crate::live::Live;
use crate::reads::Reads;
use crate::session::Users;
use crate::site::Site;

/// What every handler has in hand.
pub(crate) struct App {
    /// The API, on nobody's behalf.
    pub(crate) api: Client,
    /// What anybody may read, kept for a moment.
    pub(crate) reads: Reads,
    /// Who is signed in, kept for a moment.
    pub(crate) users: Users,
    /// One poller for each event that somebody looks at.
    pub(crate) live: Live,
    /// What the shop is called and where it is.
    pub(crate) site: Site,
}

/// Wires the service. It needs no other service to start: a page says what is away.
///
/// # Errors
/// None; the kit asks for the type.
pub async fn service(config: Config) -> Result<Service, StartError> {
    let Config { bases, site } = config;
    let api = Client::with_bases(bases);
    let reads = Reads::new(api.clone());
    let app = Arc::new(App {
        live: Live::new(reads.clone()),
        users: Users::default(),
        site,
        reads,
        api,
    });
    Ok(Service::new("web", include_str!("../version.json")).public(routes::router(app)))
}
