//! What the operator serves about itself: `/livez`, `/readyz`, `/metrics`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use metrics_util::MetricKindMask;

const SECONDS: &[f64] = &[0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];
/// Every shop is looked at every five minutes, so a gauge that is older is of one that is no longer there.
const GAUGES_ARE_KEPT: Duration = Duration::from_secs(1800);

/// Installs the recorder of this process's metrics.
///
/// # Errors
/// When there is one already.
pub fn metrics() -> anyhow::Result<PrometheusHandle> {
    Ok(PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), SECONDS)?
        .idle_timeout(MetricKindMask::GAUGE, Some(GAUGES_ARE_KEPT))
        .install_recorder()?)
}

/// Serves until the process ends. A candidate that waits for the lease is ready: it can take over.
///
/// # Errors
/// When the address is taken.
pub async fn serve(
    address: SocketAddr,
    metrics: PrometheusHandle,
    is_ready: Arc<AtomicBool>,
) -> anyhow::Result<()> {
    let ready = move || {
        let is_ready = is_ready.load(Ordering::Acquire);
        let (status, text) = if is_ready {
            (StatusCode::OK, "ok\n")
        } else {
            (StatusCode::SERVICE_UNAVAILABLE, "not yet\n")
        };
        std::future::ready((status, text))
    };
    let render = move || {
        metrics.run_upkeep();
        std::future::ready(metrics.render())
    };
    let routes = Router::new()
        .route("/livez", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .route("/metrics", get(render));
    let listener = tokio::net::TcpListener::bind(address).await?;
    axum::serve(listener, routes).await?;
    Ok(())
}
