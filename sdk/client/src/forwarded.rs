//! For whom a server in between asks.

/// What a proxy says of the request that it answers.
///
/// ```
/// use bigtix_client::Forwarded;
///
/// let forwarded = Forwarded { addresses: "203.0.113.7, 10.0.0.2".into(), protocol: "https".into() };
/// assert!(forwarded.addresses.starts_with("203.0.113.7"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forwarded {
    /// `X-Forwarded-For`: the client's address and those of the proxies after it, oldest first.
    pub addresses: String,
    /// `X-Forwarded-Proto`: how the client speaks to the outermost proxy, `http` or `https`.
    pub protocol: String,
}
