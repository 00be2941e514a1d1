//! Servers beside the shop, each this very program in a process of its own, so that their work is not the load
//! generator's.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};
use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use bigtix_testkit::stripe::{Options, StripeDouble};
use clap::Subcommand;

/// What this program can be instead of a load generator.
#[derive(Debug, Clone, Subcommand)]
pub enum Server {
    /// Be the bare server that is measured beside the shop
    #[command(hide = true)]
    Echo,
    /// Be the shop's Stripe
    #[command(hide = true)]
    Stripe {
        /// Where its webhooks go
        webhook: String,
    },
}

impl Server {
    /// Serves until it is killed, or until whoever started it is gone, however that came: that closes its standard input.
    /// The first line that it prints is its address.
    ///
    /// # Errors
    /// When it cannot listen.
    pub async fn serve(self) -> Result<()> {
        let (left, alone) = tokio::sync::oneshot::channel();
        // A thread of its own: the runtime would wait for its own one before it ends.
        std::thread::spawn(move || {
            let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
            let _ = left.send(());
        });
        tokio::select! {
            served = self.serve_for_ever() => served,
            _ = alone => Ok(()),
        }
    }

    async fn serve_for_ever(self) -> Result<()> {
        match self {
            Self::Echo => {
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
                println!("{}", listener.local_addr()?);
                let routes = Router::new().route("/api/orders", post(async |body: Bytes| body));
                axum::serve(listener, routes).await?;
            }
            Self::Stripe { webhook } => {
                let options = Options {
                    webhook_url: Some(webhook),
                    ..Options::default()
                };
                let double = StripeDouble::start(options).await?;
                println!("{}", double.url.trim_start_matches("http://"));
                std::future::pending::<()>().await;
            }
        }
        Ok(())
    }

    fn arguments(&self) -> Vec<&str> {
        match self {
            Self::Echo => vec!["echo"],
            Self::Stripe { webhook } => vec!["stripe", webhook],
        }
    }
}

/// A server that runs; it is killed when this is dropped.
#[derive(Debug)]
pub struct Running {
    process: Child,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Running {
    /// Starts it.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(server: &Server) -> Result<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .args(server.arguments())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("starting {server:?}"))?;
        let mut line = String::new();
        if let Some(told) = process.stdout.take() {
            BufReader::new(told).read_line(&mut line)?;
        }
        match line.trim().parse() {
            Ok(address) => Ok(Self { process, address }),
            Err(_) => {
                end(&mut process);
                anyhow::bail!("{server:?} said {line:?} instead of its address")
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        end(&mut self.process);
    }
}

fn end(process: &mut Child) {
    // It is gone already if it cannot be killed.
    let _ = process.kill();
    let _ = process.wait();
}
