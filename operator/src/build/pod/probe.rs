//! Questions that the kubelet asks.

use k8s_openapi::api::core::v1::{HTTPGetAction, Probe, TCPSocketAction};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use crate::build::endpoint::Port;

/// How often a question is asked and how many failures count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Seconds from one question to the next.
    pub every: i32,
    /// Seconds that an answer may take.
    pub within: i32,
    /// Failures in a row after which it is believed.
    pub failures: i32,
}

impl Pace {
    /// Whether it has started: asked often, and for a minute at most.
    pub const START: Self = Self {
        every: 1,
        within: 2,
        failures: 60,
    };
    /// Whether a store has started, which may have a journal to go through first: ten minutes at most.
    pub const STORE_START: Self = Self {
        every: 2,
        within: 5,
        failures: 300,
    };
    /// Whether it is worth keeping. Slow to judge, because a start anew makes an overload worse.
    pub const ALIVE: Self = Self {
        every: 10,
        within: 5,
        failures: 6,
    };
    /// Whether it gets requests. Quick, because requests that go elsewhere are answered.
    pub const READY: Self = Self {
        every: 2,
        within: 3,
        failures: 2,
    };
}

/// Asks for a path and expects a status below 400.
#[must_use]
pub fn http(path: &str, port: Port, pace: Pace) -> Probe {
    let action = HTTPGetAction {
        path: Some(path.to_owned()),
        port: IntOrString::String(port.name.to_owned()),
        scheme: Some("HTTP".to_owned()),
        ..HTTPGetAction::default()
    };
    Probe {
        http_get: Some(action),
        ..paced(pace)
    }
}

/// Asks whether somebody listens.
#[must_use]
pub fn tcp(port: Port, pace: Pace) -> Probe {
    let action = TCPSocketAction {
        port: IntOrString::String(port.name.to_owned()),
        ..TCPSocketAction::default()
    };
    Probe {
        tcp_socket: Some(action),
        ..paced(pace)
    }
}

fn paced(
    Pace {
        every,
        within,
        failures,
    }: Pace,
) -> Probe {
    Probe {
        period_seconds: Some(every),
        timeout_seconds: Some(within),
        failure_threshold: Some(failures),
        ..Probe::default()
    }
}
