//! Styles, scripts and pictures: embedded, and served under addresses that name their content.
//!
//! One digest of all files stands in the path before the file's name, so that files refer to each other by relative
//! addresses and still never change under theirs.

use std::sync::OnceLock;

use axum::extract::Path;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rust_embed::{EmbeddedFile, RustEmbed};
use sha2::{Digest, Sha256};

use crate::view::art::Seed;

/// A year: what is served under such an address stays as it is.
pub(crate) const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const FOR_A_DAY: HeaderValue = HeaderValue::from_static("public, max-age=86400");

#[derive(RustEmbed)]
#[folder = "assets"]
#[exclude = "*.md"]
struct Assets;

/// The address of a file.
pub(crate) fn url(name: &str) -> String {
    format!("/assets/{}/{name}", digest())
}

fn digest() -> &'static str {
    static DIGEST: OnceLock<String> = OnceLock::new();
    DIGEST.get_or_init(|| {
        let mut names: Vec<_> = Assets::iter().collect();
        names.sort();
        let mut hash = Sha256::new();
        for name in names {
            let content = Assets::get(&name).map(|file| file.metadata.sha256_hash());
            hash.update(name.as_bytes());
            hash.update(content.unwrap_or_default());
        }
        let digest = hash.finalize();
        digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect()
    })
}

/// `GET /assets/{digest}/{*path}`.
pub(crate) async fn asset(Path((asked, name)): Path<(String, String)>) -> Response {
    match Assets::get(&name) {
        Some(file) if asked == digest() => served(&name, file, FOR_EVER),
        // A page of an earlier version refers to what may look otherwise by now.
        Some(file) => served(&name, file, HeaderValue::from_static("no-cache")),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// `GET /favicon.ico`.
pub(crate) async fn favicon() -> Response {
    let icon = ["favicon.ico", "favicon.svg"]
        .into_iter()
        .find_map(|name| Some((name, Assets::get(name)?)));
    match icon {
        Some((name, file)) => served(name, file, FOR_A_DAY),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// `GET /art/{name}`: the picture of an event, drawn from its seed.
pub(crate) async fn art(Path(name): Path<String>) -> Response {
    match Seed::in_file_name(&name) {
        Some(seed) => with_type("image/svg+xml", seed.draw().into_bytes().into(), FOR_EVER),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn served(name: &str, file: EmbeddedFile, keep: HeaderValue) -> Response {
    with_type(media_type(name), file.data, keep)
}

fn with_type(media_type: &'static str, data: std::borrow::Cow<'static, [u8]>, keep: HeaderValue) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(media_type)),
        (header::CACHE_CONTROL, keep),
        // Opened by itself a picture is a document of this origin, which must not run anything.
        (
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; sandbox"),
        ),
    ];
    let body = match data {
        std::borrow::Cow::Borrowed(bytes) => axum::body::Body::from(bytes),
        std::borrow::Cow::Owned(bytes) => axum::body::Body::from(bytes),
    };
    (headers, body).into_response()
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("css") => "text/css; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        Some("webmanifest" | "json") => "application/manifest+json",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_address_with_the_digest_is_kept_for_ever_and_an_old_one_is_not() {
        let name = Assets::iter().next().expect("there are assets").into_owned();
        let now = asset(Path((digest().to_owned(), name.clone()))).await;
        assert_eq!(now.headers()[header::CACHE_CONTROL], FOR_EVER);
        let old = asset(Path(("0123456789ab".to_owned(), name))).await;
        assert_eq!(old.status(), StatusCode::OK);
        assert_eq!(old.headers()[header::CACHE_CONTROL], "no-cache");
        let missing = asset(Path((digest().to_owned(), "../Cargo.toml".to_owned()))).await;
        assert_eq!(missing.status(), StatusCode::NOT_FOUND);
    }

    #[test]
    fn what_templates_refer_to_exists() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/templates");
        let mut references = 0;
        for template in std::fs::read_dir(folder).unwrap() {
            let text = std::fs::read_to_string(template.unwrap().path()).unwrap();
            for part in text.split("shell.asset(\"").skip(1) {
                let name = part.split('"').next().unwrap();
                assert!(Assets::get(name).is_some(), "{name}");
                references += 1;
            }
        }
        assert!(references > 0);
    }
}
