//! What search engines ask for.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bigtix_client::TicketFilter;

use crate::App;
use crate::failure::Failure;

/// The most pages that the map names, and rows of one answer.
const MOST: usize = 10_000;
const ROWS: usize = 200;
const AN_HOUR: HeaderValue = HeaderValue::from_static("public, max-age=3600");

/// `GET /robots.txt`.
pub(crate) async fn robots(State(app): State<Arc<App>>) -> Response {
    let text = format!(
        "User-agent: *\nDisallow: /api/\nDisallow: /auth/\nDisallow: /cart\nDisallow: /orders\nDisallow: /tickets/mine\n\
         Disallow: /tickets/new\n\nSitemap: {}\n",
        app.site.absolute("/sitemap.xml")
    );
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    (
        [(header::CONTENT_TYPE, plain), (header::CACHE_CONTROL, AN_HOUR)],
        text,
    )
        .into_response()
}

/// `GET /sitemap.xml`: the events, and the tickets on sale that belong to none.
pub(crate) async fn sitemap(State(app): State<Arc<App>>) -> Result<Response, Failure> {
    let text = app.reads.sitemap(async { draw(&app).await }).await?;
    let xml = HeaderValue::from_static("application/xml; charset=utf-8");
    let headers = [(header::CONTENT_TYPE, xml), (header::CACHE_CONTROL, AN_HOUR)];
    Ok((headers, text.as_ref().clone()).into_response())
}

async fn draw(app: &App) -> Result<String, bigtix_client::ClientError> {
    let mut map = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\n",
    );
    put(&mut map, &app.site.absolute("/"));
    let mut left = MOST;
    let mut events = app.api.events().limit(ROWS);
    while left > 0 {
        let part = events.clone().page().await?;
        for event in &part.items {
            put(&mut map, &app.site.absolute(&format!("/events/{}", event.id)));
        }
        left = left.saturating_sub(part.items.len());
        match part.next {
            Some(cursor) => events = events.after(&cursor),
            None => break,
        }
    }
    let mut tickets = app.api.tickets().status(TicketFilter::Available).limit(ROWS);
    while left > 0 {
        let part = tickets.clone().page().await?;
        for ticket in part.items.iter().filter(|ticket| ticket.event.is_none()) {
            put(&mut map, &app.site.absolute(&format!("/tickets/{}", ticket.id)));
        }
        left = left.saturating_sub(part.items.len());
        match part.next {
            Some(cursor) => tickets = tickets.after(&cursor),
            None => break,
        }
    }
    map.push_str("</urlset>\n");
    Ok(map)
}

/// Ids and our own address hold nothing that XML would have to escape but an ampersand.
fn put(map: &mut String, url: &str) {
    let url = url.replace('&', "&amp;");
    writeln!(map, "<url><loc>{url}</loc></url>").expect("writing into a string cannot fail");
}
