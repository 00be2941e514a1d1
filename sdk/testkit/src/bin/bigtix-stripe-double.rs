//! The Stripe double as a process of its own, for shops in a cluster that have no account. No money moves.

use std::env;
use std::net::SocketAddr;
use std::process::ExitCode;

use bigtix_testkit::stripe::{Options, StripeDouble};
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main]
async fn main() -> ExitCode {
    match serve().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

/// Serves until it is asked to stop.
async fn serve() -> Result<(), String> {
    let options = Options {
        address: setting("LISTEN")?
            .parse::<SocketAddr>()
            .map_err(|_| "LISTEN must be an address such as 0.0.0.0:8420".to_owned())?,
        public_url: env::var("PUBLIC_URL").ok(),
        secret_key: setting("STRIPE_SECRET_KEY")?,
        webhook_secret: setting("STRIPE_WEBHOOK_SECRET")?,
        webhook_url: Some(setting("WEBHOOK_URL")?),
        ..Options::default()
    };
    let mut terminate = signal(SignalKind::terminate()).map_err(|error| error.to_string())?;
    let running = StripeDouble::start(options)
        .await
        .map_err(|error| format!("LISTEN cannot be listened on: {error}"))?;
    println!("a stand-in for Stripe answers at {}; no money moves", running.url);
    terminate.recv().await;
    Ok(())
}

fn setting(name: &str) -> Result<String, String> {
    env::var(name).map_err(|_| format!("{name} must be set"))
}
