//! Where the resource names a collector, a purchase is one trace there, from the click to the capture.

use std::collections::HashSet;
use std::process::ExitCode;
use std::sync::Mutex;

use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use bigtix_client::NewOrder;
use bigtix_contracts::Cents;
use bigtix_testkit::eventually;
use bigtix_tests::suite::{Scenario, Suite};
use bigtix_tests::{Mode, World, scenarios};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Word;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use prost::Message;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// The ids of a trace, and of the span of it in which somebody clicked.
const CLICK: (&str, &str) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");

/// A span as its service told the collector.
#[derive(Debug, Clone)]
struct Seen {
    service: String,
    /// Its name, and what it is about.
    what: String,
    trace: String,
    id: String,
    parent: String,
}

/// What an OTLP receiver was told.
static SPANS: Mutex<Vec<Seen>> = Mutex::new(Vec::new());

fn main() -> ExitCode {
    let runtime = Runtime::new().expect("threads");
    let listener = runtime
        .block_on(TcpListener::bind("127.0.0.1:0"))
        .expect("a port");
    let collector = format!("http://{}", listener.local_addr().expect("an address"));
    let receive = async |body: Bytes| {
        let sent = ExportTraceServiceRequest::decode(body).expect("an OTLP message");
        SPANS.lock().expect("nobody panicked").extend(read(&sent));
    };
    let router = Router::new().route("/v1/traces", post(receive));
    let _serving = runtime.spawn(async move { axum::serve(listener, router).await });

    let mut suite = Suite::new().one_by_one();
    let shop = suite.shop(
        Mode::Separate { instances: 1 },
        &[("spec.observability.otlpEndpoint", &collector)],
    );
    suite.add(&shop, "traces", ALL);
    suite.run()
}

const ALL: &[(&str, Scenario)] = scenarios![
    a_purchase_is_one_trace_from_the_click_to_the_capture,
    nonsense_for_a_trace_is_passed_over,
];

fn of_the_click() -> Vec<Seen> {
    let spans = SPANS.lock().expect("nobody panicked");
    spans
        .iter()
        .filter(|span| span.trace == CLICK.0)
        .cloned()
        .collect()
}

fn read(sent: &ExportTraceServiceRequest) -> Vec<Seen> {
    let mut seen = Vec::new();
    for resource in &sent.resource_spans {
        let attributes = resource
            .resource
            .as_ref()
            .map(|resource| resource.attributes.as_slice());
        let service = text(attributes.unwrap_or_default(), "service.name");
        for span in resource.scope_spans.iter().flat_map(|scope| &scope.spans) {
            let about = ["route", "consumer", "call"].map(|key| text(&span.attributes, key));
            seen.push(Seen {
                service: service.clone(),
                what: format!("{} {}", span.name, about.concat()),
                trace: hex::encode(&span.trace_id),
                id: hex::encode(&span.span_id),
                parent: hex::encode(&span.parent_span_id),
            });
        }
    }
    seen
}

fn text(attributes: &[KeyValue], key: &str) -> String {
    let found = attributes.iter().find(|attribute| attribute.key == key);
    match found.and_then(|attribute| attribute.value.clone()) {
        Some(AnyValue {
            value: Some(Word::StringValue(text)),
        }) => text,
        _ => String::new(),
    }
}

async fn a_purchase_is_one_trace_from_the_click_to_the_capture(world: World) {
    let (seller, buyer) = world.two_people().await;
    let ticket = seller.lists(Cents(1999)).await;
    let card = world.good_card().await;
    let clicked = buyer
        .client
        .within_trace(&format!("00-{}-{}-01", CLICK.0, CLICK.1));
    let order = clicked
        .place_order(&NewOrder::ticket(ticket.id))
        .idempotency_key("the click")
        .await
        .expect("an order");
    clicked.pay(order.id, &card).await.expect("a payment");

    let wanted = [
        ("bigtix-orders", "request /api/orders"),
        ("bigtix-payments", "request /api/payments"),
        ("bigtix-orders", "call /internal/orders/confirm"),
        ("bigtix-payments", "stripe create"),
        ("bigtix-payments", "stripe capture"),
        ("bigtix-orders", "call /internal/orders/complete"),
        ("bigtix-tickets", "consume tickets-orders"),
        ("bigtix-payments", "consume payments-orders"),
        ("bigtix-expiration", "consume expiration-orders"),
    ];
    for (service, what) in wanted {
        eventually(&format!("{service} to tell of {what}"), async || {
            let seen = of_the_click();
            seen.iter()
                .any(|span| span.service == service && span.what == what)
                .then_some(())
        })
        .await;
    }
    eventually(
        "every span to come from another one, or from the click",
        async || {
            let seen = of_the_click();
            let ids: HashSet<&str> = seen.iter().map(|span| span.id.as_str()).collect();
            let is_known = |span: &Seen| span.parent == CLICK.1 || ids.contains(span.parent.as_str());
            seen.iter().all(is_known).then_some(())
        },
    )
    .await;
}

async fn nonsense_for_a_trace_is_passed_over(world: World) {
    let buyer = world.person().await;
    let lost = buyer.client.within_trace("00-nonsense");
    lost.orders().page().await.expect("a list");
    eventually("a trace of its own", async || {
        let spans = SPANS.lock().expect("nobody panicked");
        let its_own = |span: &Seen| span.what == "request /api/orders" && span.parent.is_empty();
        spans.iter().any(its_own).then_some(())
    })
    .await;
}
