//! Trace contexts as W3C writes them: read from a request or an event, and passed on with what comes of it, so that a
//! purchase is one trace from the click to the capture.
//!
//! Where traces go nowhere, no span has a context, and what arrived is passed on as it is.

use std::collections::HashMap;

use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::TraceContextExt;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// The header, and the field of an event.
pub(crate) const TRACEPARENT: &str = "traceparent";

/// Whether this is a context that somebody can go on from.
pub(crate) fn is_good(traceparent: &str) -> bool {
    read(traceparent).span().span_context().is_valid()
}

/// Makes `span`, which nobody entered yet, a part of the trace that `traceparent` belongs to. What cannot be read is
/// passed over: the span begins a trace of its own.
pub(crate) fn go_on(span: &Span, traceparent: &str) {
    // It fails where traces go nowhere.
    let _ = span.set_parent(read(traceparent));
}

/// Says that `span` works for this trace, too.
pub(crate) fn link(span: &Span, traceparent: &str) {
    span.add_link(read(traceparent).span().span_context().clone());
}

/// The context of the span that this is called in, if it has one.
pub(crate) fn current() -> Option<String> {
    let mut written = HashMap::new();
    TraceContextPropagator::new().inject_context(&Span::current().context(), &mut written);
    written.remove(TRACEPARENT)
}

fn read(traceparent: &str) -> opentelemetry::Context {
    let carrier = HashMap::from([(TRACEPARENT.to_owned(), traceparent.to_owned())]);
    TraceContextPropagator::new().extract_with_context(&opentelemetry::Context::new(), &carrier)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_is_good_or_it_is_not() {
        assert!(is_good("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"));
        for bad in [
            "",
            "00",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ] {
            assert!(!is_good(bad), "{bad}");
        }
    }
}
