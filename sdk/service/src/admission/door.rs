//! What a service and the edge before it tell each other, so that the edge turns away what the service would refuse: who is
//! past its capacity has to wait for a processor before it can say so, and the edge need not.

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};

/// With a request: the edge keeps to what it hears, and this is why it has turned others away since the last one.
pub const TURNED_AWAY: HeaderName = HeaderName::from_static("bigtix-turned-away");
/// With an answer to such a request: what the service lets in. Absent while that is everything.
pub const LETS_IN: HeaderName = HeaderName::from_static("bigtix-lets-in");

/// What a service that is past its capacity lets in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LetsIn {
    /// Requests that may be under way.
    pub at_once: usize,
    /// Requests in a second that may begin something; any number if there is none.
    pub pace: Option<f64>,
}

impl LetsIn {
    /// What an answer says.
    pub fn read(headers: &HeaderMap) -> Option<Self> {
        let text = headers.get(LETS_IN)?.to_str().ok()?;
        let mut words = text.split(' ');
        let at_once = words.next()?.parse().ok()?;
        let pace = words.next().map(str::parse).transpose().ok()?;
        Some(Self { at_once, pace })
    }

    /// How it is said.
    pub fn to_value(self) -> HeaderValue {
        let Self { at_once, pace } = self;
        let text = pace.map_or_else(|| at_once.to_string(), |pace| format!("{at_once} {pace:.1}"));
        HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""))
    }
}

/// Which bounds made somebody be turned away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TurnedAway {
    /// As many were under way as may be.
    pub was_full: bool,
    /// More came in than may begin something.
    pub was_fast: bool,
}

impl TurnedAway {
    /// What a request says; `None` when no edge listens.
    pub fn read(headers: &HeaderMap) -> Option<Self> {
        let text = headers.get(TURNED_AWAY)?.to_str().ok()?;
        Some(Self {
            was_full: text.contains("full"),
            was_fast: text.contains("fast"),
        })
    }

    /// How it is said.
    pub fn to_value(self) -> HeaderValue {
        let Self { was_full, was_fast } = self;
        HeaderValue::from_static(match (was_full, was_fast) {
            (false, false) => "none",
            (true, false) => "full",
            (false, true) => "fast",
            (true, true) => "full fast",
        })
    }
}

/// Whether a request may begin something that takes more of the shop than itself.
pub fn begins_something(method: &Method) -> bool {
    method == Method::POST
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_what_is_heard() {
        for pace in [None, Some(97.5)] {
            let said = LetsIn { at_once: 64, pace };
            let headers = HeaderMap::from_iter([(LETS_IN, said.to_value())]);
            assert_eq!(LetsIn::read(&headers), Some(said));
        }
        for (was_full, was_fast) in [(false, false), (true, false), (false, true), (true, true)] {
            let said = TurnedAway { was_full, was_fast };
            let headers = HeaderMap::from_iter([(TURNED_AWAY, said.to_value())]);
            assert_eq!(TurnedAway::read(&headers), Some(said));
        }
        assert_eq!(LetsIn::read(&HeaderMap::new()), None);
        assert_eq!(TurnedAway::read(&HeaderMap::new()), None);
        let nonsense = HeaderMap::from_iter([(LETS_IN, HeaderValue::from_static("many"))]);
        assert_eq!(LetsIn::read(&nonsense), None);
    }
}
