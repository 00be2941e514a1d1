//! When a shop has caught up with itself, by its own metrics.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::Shop;

/// Longer than a shop needs for what a run does to it.
const PATIENCE: Duration = Duration::from_secs(120);
/// How often it has to look quiet in a row, and how far apart.
const LOOKS: usize = 3;
const BETWEEN: Duration = Duration::from_millis(250);
/// What is 0 when no event is under way.
const UNDER_WAY: [&str; 2] = ["bigtix_consumer_pending", "bigtix_relay_lag_seconds"];

/// Waits until no event is under way, so that what is measured next is not what was done before.
///
/// # Errors
/// When it does not come to rest.
pub async fn come_to_rest(shop: &Shop) -> Result<()> {
    come_to_rest_within(shop, PATIENCE).await
}

/// The same with a deadline of its own, after so much that it takes longer.
///
/// # Errors
/// When it does not come to rest by then.
pub async fn come_to_rest_within(shop: &Shop, patience: Duration) -> Result<()> {
    let url = format!("{}/metrics", shop.service_url("orders"));
    let began = Instant::now();
    let mut quiet = 0;
    while quiet < LOOKS {
        let text = reqwest::get(&url)
            .await
            .context("the shop's metrics")?
            .text()
            .await?;
        quiet = if is_quiet(&text) { quiet + 1 } else { 0 };
        ensure!(
            began.elapsed() < patience,
            "the shop did not come to rest within {patience:?}"
        );
        tokio::time::sleep(BETWEEN).await;
    }
    Ok(())
}

fn is_quiet(metrics: &str) -> bool {
    let under_way = |line: &&str| UNDER_WAY.iter().any(|name| line.starts_with(name));
    let is_zero = |line: &str| line.rsplit(' ').next().is_some_and(|value| value == "0");
    metrics.lines().filter(under_way).all(is_zero)
}

#[cfg(test)]
mod tests {
    use super::is_quiet;

    #[test]
    fn a_single_event_under_way_is_noticed() {
        let rest = "bigtix_consumer_pending{consumer=\"a\"} 0\nother 7\nbigtix_relay_lag_seconds{producer=\"b\"} 0\n";
        assert!(is_quiet(rest));
        assert!(!is_quiet(&rest.replace("\"a\"} 0", "\"a\"} 1")));
        assert!(!is_quiet(&rest.replace("\"b\"} 0", "\"b\"} 0.02")));
    }
}
