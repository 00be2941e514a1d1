//! Lists: newest first, in pages that stay stable while rows are added.

use std::str::FromStr;

use axum::Json;
use axum::http::{HeaderMap, HeaderValue, Uri};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;

use super::{ApiError, Query};

/// The place in a list after which a page begins: rows are ordered by (time, id), both falling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// The last row's time, in milliseconds since 1970.
    pub millis: i64,
    /// The last row's id.
    pub id: [u8; 12],
}

impl Cursor {
    fn encode(self) -> String {
        let mut bytes = [0; 20];
        bytes[..8].copy_from_slice(&self.millis.to_be_bytes());
        bytes[8..].copy_from_slice(&self.id);
        URL_SAFE_NO_PAD.encode(bytes)
    }
}

impl FromStr for Cursor {
    type Err = ApiError;

    fn from_str(text: &str) -> Result<Self, ApiError> {
        let invalid = || ApiError::invalid("cursor", "Cursor is invalid");
        let bytes: [u8; 20] = URL_SAFE_NO_PAD
            .decode(text)
            .map_err(|_| invalid())?
            .try_into()
            .map_err(|_| invalid())?;
        let (mut millis, mut id) = ([0; 8], [0; 12]);
        millis.copy_from_slice(&bytes[..8]);
        id.copy_from_slice(&bytes[8..]);
        Ok(Self {
            millis: i64::from_be_bytes(millis),
            id,
        })
    }
}

/// Which part of a list is asked for: `?limit=` (1 to 200, default 50) and `?cursor=`.
#[derive(Debug, Clone, Copy)]
pub struct Page {
    /// How many rows.
    pub limit: usize,
    /// After which row.
    pub after: Option<Cursor>,
}

impl Page {
    /// Reads it.
    ///
    /// # Errors
    /// 400 for a limit out of range or a cursor that is none of ours.
    pub fn read(query: &Query) -> Result<Self, ApiError> {
        let limit = match query.get("limit") {
            None => 50,
            Some(text) => text
                .parse()
                .ok()
                .filter(|limit| (1..=200).contains(limit))
                .ok_or_else(|| ApiError::invalid("limit", "Limit must be 1 to 200"))?,
        };
        Ok(Self {
            limit,
            after: query.get("cursor").map(str::parse).transpose()?,
        })
    }

    /// Answers `rows`, of which one more than `limit` was fetched, with the way to the next page in the headers.
    pub fn answer<R, B: Serialize>(
        self,
        uri: &Uri,
        mut rows: Vec<R>,
        place: impl Fn(&R) -> Cursor,
        body: impl Fn(R) -> B,
    ) -> Response {
        let more = rows.len() > self.limit;
        rows.truncate(self.limit);
        let next = rows.last().filter(|_| more).map(|row| place(row).encode());
        let mut headers = HeaderMap::new();
        if let Some(cursor) = next {
            let link = format!("<{}>; rel=\"next\"", next_uri(uri, self.limit, &cursor));
            headers.extend(HeaderValue::try_from(link).map(|link| (axum::http::header::LINK, link)));
            headers.extend(
                HeaderValue::try_from(cursor)
                    .map(|cursor| (axum::http::HeaderName::from_static("x-next-cursor"), cursor)),
            );
        }
        let bodies: Vec<B> = rows.into_iter().map(body).collect();
        (headers, Json(bodies)).into_response()
    }
}

fn next_uri(uri: &Uri, limit: usize, cursor: &str) -> String {
    let kept = uri.query().unwrap_or_default().split('&').filter(|pair| {
        let name = pair.split('=').next().unwrap_or_default();
        !pair.is_empty() && name != "cursor" && name != "limit"
    });
    let pairs: Vec<String> = kept
        .map(str::to_owned)
        .chain([format!("limit={limit}"), format!("cursor={cursor}")])
        .collect();
    format!("{}?{}", uri.path(), pairs.join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_was_written() {
        let cursor = Cursor {
            millis: 1_789_000_000_123,
            id: *b"abcdefghijkl",
        };
        assert_eq!(cursor.encode().parse::<Cursor>().unwrap(), cursor);
        for text in ["", "x", "!!!!", "AAAA"] {
            assert_eq!(
                text.parse::<Cursor>().unwrap_err().problem().errors[0].message,
                "Cursor is invalid"
            );
        }
    }

    #[test]
    fn the_next_page_keeps_the_filters() {
        let uri = "/api/tickets?status=all&cursor=old&limit=2".parse().unwrap();
        assert_eq!(
            next_uri(&uri, 2, "new"),
            "/api/tickets?status=all&limit=2&cursor=new"
        );
    }
}
