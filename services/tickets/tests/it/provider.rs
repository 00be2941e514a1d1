//! A small double of the event provider: the same paths and the same shape of JSON.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

pub(crate) const KEY: &str = "provider-key";

/// Counts what it was asked.
#[derive(Clone, Default)]
pub(crate) struct Provider {
    asked: Arc<AtomicUsize>,
}

impl Provider {
    /// Serves; returns the address.
    pub(crate) async fn serve(&self) -> String {
        let routes = Router::new()
            .route("/discovery/v2/events/{file}", get(event))
            .with_state(self.clone());
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, routes).await });
        format!("http://{address}")
    }

    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

async fn event(
    State(provider): State<Provider>,
    Path(file): Path<String>,
    Query(query): Query<Vec<(String, String)>>,
) -> Result<Json<Value>, StatusCode> {
    provider.asked.fetch_add(1, Ordering::Relaxed);
    if query != [("apikey".to_owned(), KEY.to_owned())] {
        return Err(StatusCode::UNAUTHORIZED);
    }
    match file.as_str() {
        "G5v0Z9.json" => Ok(Json(json!({
            "name": "Rock Night",
            "type": "event",
            "id": "G5v0Z9",
            "images": [
                {"ratio": "16_9", "url": "https://images.example/small.jpg", "width": 100, "height": 56, "fallback": false},
                {"ratio": "16_9", "url": "https://images.example/large.jpg", "width": 2048, "height": 1152, "fallback": false},
            ],
            "dates": {
                "start": {"localDate": "2030-07-04", "localTime": "20:00:00", "dateTime": "2030-07-05T00:00:00Z"},
                "timezone": "America/New_York",
                "status": {"code": "onsale"},
            },
            "info": "Doors at seven",
            "_embedded": {
                "venues": [{
                    "name": "Big Arena", "type": "venue", "city": {"name": "New York"},
                    "country": {"countryCode": "US"}, "timezone": "America/New_York",
                }],
                "attractions": [{"name": "The Rocks"}],
            },
        }))),
        "tba.json" => Ok(Json(json!({"name": "To be announced", "id": "tba"}))),
        "broken.json" => Err(StatusCode::BAD_GATEWAY),
        _ => Err(StatusCode::NOT_FOUND),
    }
}
