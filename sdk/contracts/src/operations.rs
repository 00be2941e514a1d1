//! What every service says of itself, and by which it is judged: the operator, alerts and collectors go by these names.

/// Counts requests. Labels: service, method, [`ROUTE`], [`STATUS`].
pub const REQUESTS: &str = "http_requests_total";
/// Histogram of the time that requests took, in seconds. Labels: service, method, [`ROUTE`].
pub const REQUEST_SECONDS: &str = "http_request_duration_seconds";
/// The label with the route as it was registered, such as `/api/orders/{id}`.
pub const ROUTE: &str = "route";
/// The label with the status of the answer.
pub const STATUS: &str = "status";

/// Whether the process lives.
pub const LIVEZ: &str = "/livez";
/// Whether it can be sent requests.
pub const READYZ: &str = "/readyz";
/// Which version it is.
pub const VERSION: &str = "/version";
/// Where the metrics are.
pub const METRICS: &str = "/metrics";
/// The description of its API.
pub const OPENAPI: &str = "/openapi.json";
/// All of them. No user asks for these.
pub const ROUTES: [&str; 5] = [LIVEZ, READYZ, VERSION, METRICS, OPENAPI];
