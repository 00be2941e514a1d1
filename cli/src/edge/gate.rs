//! What happens to one request.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use axum::body::Body;
use bigtix_contracts::network::Network;
use bigtix_crds::{Service, routes};
use bigtix_service::admission::{LETS_IN, TURNED_AWAY};
use bigtix_service::http::observe::{REQUEST_ID, is_good_request_id, new_request_id};
use bigtix_service::telemetry::metrics_handle;
use futures::StreamExt;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body as _, Bytes, Incoming};
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Request, Response};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio_util::sync::CancellationToken;

use super::answer::Refusal;
use super::inspect::BadHead;
use super::upstream::Upstream;
use super::{Docs, EdgeConfig, Limits, forwarded, own, target};

/// A body beyond the limit is read on up to this many times the limit, so that a client that sends before it listens
/// gets to hear why it is refused.
const READ_ON: usize = 8;
const READ_ON_FOR: Duration = Duration::from_secs(5);

/// Room for bodies is given by so many bytes; a body of less needs none, because there are few connections.
const UNIT: usize = 16 * 1024;

/// Headers that concern one connection and are not passed on.
const HOP_BY_HOP: [HeaderName; 11] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    LETS_IN,
    TURNED_AWAY,
];

/// Decides what becomes of requests.
pub(super) struct Gate {
    pub(super) upstreams: BTreeMap<Service, Upstream>,
    pub(super) docs: Docs,
    trusted_proxies: Vec<Network>,
    limits: Limits,
    /// Room for bodies, in [`UNIT`]s.
    room: Semaphore,
    stop: CancellationToken,
}

impl Gate {
    /// Streams of events end when `stop` is cancelled; anything else is let finish.
    pub(super) fn new(config: EdgeConfig, stop: CancellationToken) -> Self {
        // Installs the recorder: what is counted before that is lost.
        metrics_handle();
        let EdgeConfig {
            upstreams,
            docs,
            trusted_proxies,
            limits,
        } = config;
        Self {
            upstreams,
            docs,
            trusted_proxies,
            room: Semaphore::new(limits.bodies_bytes / UNIT),
            limits,
            stop,
        }
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The answer to a request from `peer`, or to one that stands for a head that was refused.
    pub(super) async fn answer(
        &self,
        mut request: Request<Incoming>,
        peer: SocketAddr,
        bad_head: Option<BadHead>,
    ) -> Response<Body> {
        let began = Instant::now();
        let id = request_id(request.headers());
        let method = request.method().clone();
        request.headers_mut().insert(REQUEST_ID, id.clone());
        let (service, mut response) = match bad_head {
            Some(why) => ("edge", Refusal::BadHead(why).into_response()),
            None => self.admit(request, peer).await,
        };
        remove_hop_by_hop(response.headers_mut(), service == "edge");
        response.headers_mut().insert(REQUEST_ID, id);
        let labels = [
            ("service", service.to_owned()),
            ("method", own::known_method(&method).to_owned()),
            ("status", response.status().as_str().to_owned()),
        ];
        metrics::counter!("edge_requests_total", &labels).increment(1);
        metrics::histogram!("edge_request_duration_seconds", &labels[..1]).record(began.elapsed());
        response
    }

    async fn admit(&self, request: Request<Incoming>, peer: SocketAddr) -> (&'static str, Response<Body>) {
        let path = request.uri().path();
        if target::check(path).is_err() {
            return ("edge", Refusal::StrangePath.into_response());
        }
        if let Some(own) = own::Own::at(path) {
            return ("edge", own.answer(self, request.method(), peer).await);
        }
        let service = routes::route(path);
        let upstream = match self.upstreams.get(&service) {
            Some(upstream) if !target::is_internal(path) => upstream,
            _ => return ("edge", Refusal::UnknownPath.into_response()),
        };
        match self.pass_on(upstream, request, peer).await {
            Ok(response) => (service.as_str(), response),
            Err(refusal) => ("edge", refusal.into_response()),
        }
    }

    async fn pass_on(
        &self,
        upstream: &Upstream,
        request: Request<Incoming>,
        peer: SocketAddr,
    ) -> Result<Response<Body>, Refusal> {
        let (mut parts, body) = request.into_parts();
        let expects = parts.headers.contains_key(header::EXPECT);
        let _room = self.room_for(&body)?;
        let body = self.read(body, expects).await?;
        remove_hop_by_hop(&mut parts.headers, false);
        parts.headers.remove(header::EXPECT);
        forwarded::set(&mut parts.headers, peer.ip(), &self.trusted_proxies);
        if !body.is_empty() || parts.headers.contains_key(header::CONTENT_LENGTH) {
            parts
                .headers
                .insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
        }
        let mut passed = Request::new(body);
        *passed.method_mut() = parts.method;
        *passed.uri_mut() = origin_form(&parts.uri);
        *passed.headers_mut() = parts.headers;
        let answer = upstream.call(passed, self.limits.upstream).await;
        answer
            .map(|response| self.ending_with_the_edge(response))
            .map_err(Refusal::Upstream)
    }

    /// A stream of events has no end of its own, and a stop would wait for it; browsers come back by themselves.
    fn ending_with_the_edge(&self, response: Response<Body>) -> Response<Body> {
        let media_type = response.headers().get(header::CONTENT_TYPE);
        if !media_type.is_some_and(|value| value.as_bytes().starts_with(b"text/event-stream")) {
            return response;
        }
        let stop = self.stop.clone().cancelled_owned();
        response.map(|body| Body::from_stream(body.into_data_stream().take_until(stop)))
    }

    /// Room for a body, which is as large as its client says; of one who does not say it is the largest there may be.
    fn room_for(&self, body: &Incoming) -> Result<Option<SemaphorePermit<'_>>, Refusal> {
        let limit = self.limits.body_bytes;
        let most = body
            .size_hint()
            .upper()
            .map_or(limit, |most| usize::try_from(most).unwrap_or(limit));
        let units = u32::try_from(most.min(limit) / UNIT).unwrap_or(u32::MAX);
        if units == 0 {
            return Ok(None);
        }
        self.room
            .try_acquire_many(units)
            .map(Some)
            .map_err(|_| Refusal::NoRoom)
    }

    /// The whole body, so that it can be sent twice, and so that a slow client occupies no service.
    async fn read(&self, mut body: Incoming, expects: bool) -> Result<Bytes, Refusal> {
        let limit = self.limits.body_bytes;
        if body.size_hint().lower() > limit as u64 {
            // A client that asked first has sent nothing yet.
            if !expects {
                read_on(&mut body, limit * READ_ON).await;
            }
            return Err(Refusal::BodyTooLarge);
        }
        let collected =
            tokio::time::timeout(self.limits.body, Limited::new(&mut body, limit).collect()).await;
        match collected {
            Ok(Ok(whole)) => Ok(whole.to_bytes()),
            Ok(Err(error)) if error.is::<LengthLimitError>() => {
                read_on(&mut body, limit * READ_ON).await;
                Err(Refusal::BodyTooLarge)
            }
            Ok(Err(_)) => Err(Refusal::BodyBroken),
            Err(_) => Err(Refusal::BodyTooSlow),
        }
    }
}

/// Throws away what a client goes on sending.
async fn read_on(body: &mut Incoming, most: usize) {
    let reading = async {
        let mut read = 0;
        while let Some(Ok(frame)) = body.frame().await {
            read += frame.data_ref().map_or(0, Bytes::len);
            if read > most {
                break;
            }
        }
    };
    // Whether it ended or was too slow makes no difference.
    let _ = tokio::time::timeout(READ_ON_FOR, reading).await;
}

/// The client's id for the request if it gave one good one, else a new one.
fn request_id(headers: &HeaderMap) -> HeaderValue {
    let mut given = headers.get_all(REQUEST_ID).iter();
    match (given.next(), given.next()) {
        (Some(id), None) if id.to_str().is_ok_and(is_good_request_id) => id.clone(),
        _ => HeaderValue::try_from(new_request_id()).unwrap_or(HeaderValue::from_static("unknown")),
    }
}

/// Only the path and the query, also of a request that names scheme and host too.
fn origin_form(uri: &hyper::Uri) -> hyper::Uri {
    uri.path_and_query()
        .cloned()
        .map_or_else(|| hyper::Uri::from_static("/"), hyper::Uri::from)
}

/// The edge may say `connection: close` itself; what others say of their connections is not passed on.
fn remove_hop_by_hop(headers: &mut HeaderMap, is_own: bool) {
    if is_own {
        return;
    }
    let listed: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in listed.iter().chain(&HOP_BY_HOP) {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn headers_of_one_connection_are_not_passed_on() {
        let mut given = headers(&[
            ("connection", "keep-alive, X-Secret"),
            ("x-secret", "1"),
            ("te", "trailers"),
            ("upgrade", "websocket"),
            ("cookie", "a=b"),
        ]);
        remove_hop_by_hop(&mut given, false);
        assert_eq!(given, headers(&[("cookie", "a=b")]));
    }

    #[test]
    fn a_good_request_id_is_kept() {
        assert_eq!(request_id(&headers(&[("x-request-id", "abc")])), "abc");
        assert_ne!(request_id(&headers(&[("x-request-id", "a b")])), "a b");
        assert_ne!(request_id(&headers(&[])), request_id(&headers(&[])));
    }
}
