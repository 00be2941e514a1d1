//! Logs, metrics and traces of a process.

use std::io::IsTerminal;
use std::sync::OnceLock;
use std::time::Duration;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::WithExportConfig;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use crate::config::Settings;

const UPKEEP_EVERY: Duration = Duration::from_secs(5);
/// Upper bounds of batches' sizes.
const SIZES: &[f64] = &[1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0];
/// Upper bounds of the duration histograms, in seconds.
const SECONDS: &[f64] = &[
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// How a process speaks of itself.
#[derive(Debug, Clone)]
pub struct TelemetryConfig {
    filter: String,
    json: bool,
    otlp_endpoint: Option<String>,
    service_name: String,
}

impl TelemetryConfig {
    /// Reads it.
    pub fn read(settings: &mut Settings) -> Self {
        Self {
            filter: settings.text(
                "LOG",
                "info",
                "what is logged, as a tracing filter such as info,bigtix_orders=debug",
            ),
            json: settings.flag("LOG_JSON", true, "whether each log line is a JSON object"),
            otlp_endpoint: settings.optional(
                "OTEL_EXPORTER_OTLP_ENDPOINT",
                "where traces go, by OTLP over HTTP; absent: nowhere",
            ),
            service_name: settings.text(
                "OTEL_SERVICE_NAME",
                "bigtix",
                "what traces say that they come from",
            ),
        }
    }
}

/// What must be flushed at the end.
pub struct Telemetry {
    tracer: Option<SdkTracerProvider>,
}

impl Telemetry {
    /// Sends what is still waiting.
    pub fn flush(&self) {
        if let Some(Err(error)) = self.tracer.as_ref().map(SdkTracerProvider::shutdown) {
            eprintln!("traces could not be flushed: {error}");
        }
    }
}

/// Installs logs, metrics and traces for this process; a second call changes nothing.
pub fn init(config: &TelemetryConfig) -> Telemetry {
    crate::tls::use_ring();
    metrics_handle();
    let filter = EnvFilter::try_new(&config.filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let tracer = config
        .otlp_endpoint
        .as_deref()
        .and_then(|endpoint| otlp(endpoint, &config.service_name));
    // Libraries speak of themselves below this level, and the one that sends traces would speak of its own sending.
    let traces = tracer.as_ref().map(|provider| {
        tracing_opentelemetry::layer()
            .with_tracer(provider.tracer("bigtix"))
            .with_filter(LevelFilter::INFO)
    });
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    let lines = if config.json {
        lines.json().flatten_event(true).boxed()
    } else {
        lines.compact().boxed()
    };
    let installed = tracing_subscriber::registry()
        .with(traces)
        .with(lines.with_filter(filter))
        .try_init();
    if installed.is_err() {
        tracing::debug!("logging was set up before");
    }
    Telemetry { tracer }
}

fn otlp(endpoint: &str, service_name: &str) -> Option<SdkTracerProvider> {
    let endpoint = format!("{}/v1/traces", endpoint.trim_end_matches('/'));
    match opentelemetry_otlp::SpanExporter::builder()
        .with_http()
        .with_endpoint(endpoint)
        .build()
    {
        Ok(exporter) => Some(
            SdkTracerProvider::builder()
                .with_resource(
                    Resource::builder()
                        .with_service_name(service_name.to_owned())
                        .build(),
                )
                .with_batch_exporter(exporter)
                .build(),
        ),
        Err(error) => {
            eprintln!("traces cannot be exported: {error}");
            None
        }
    }
}

/// The process's metrics; installs the recorder at the first call.
pub fn metrics_handle() -> &'static PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE.get_or_init(|| {
        let builder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), SECONDS)
            .and_then(|builder| builder.set_buckets_for_metric(Matcher::Suffix("_batch".into()), SIZES))
            .expect("the buckets are not empty");
        let recorder = builder.build_recorder();
        let handle = recorder.handle();
        if metrics::set_global_recorder(recorder).is_err() {
            tracing::warn!("another metrics recorder is installed; /metrics stays empty");
        }
        keep_small(handle.clone());
        handle
    })
}

/// Measured durations pile up until somebody reads them, and nobody may ever ask for `/metrics`.
fn keep_small(handle: PrometheusHandle) {
    let upkeep = move || {
        loop {
            std::thread::sleep(UPKEEP_EVERY);
            handle.run_upkeep();
        }
    };
    // Without the thread metrics are right all the same.
    if let Err(error) = std::thread::Builder::new().name("metrics".into()).spawn(upkeep) {
        tracing::warn!(%error, "metrics will take more and more memory");
    }
}
