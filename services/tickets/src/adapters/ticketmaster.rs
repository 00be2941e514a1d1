//! Ticketmaster's Discovery API, version 2: where events can be imported from.

use std::fmt;
use std::time::Duration;

use bigtix_service::Secret;
use jiff::Timestamp;
use jiff::civil::{Date, Time};
use reqwest::StatusCode;
use serde::Deserialize;

use crate::domain::event::{EventDraft, LONGEST_IMAGE, LONGEST_NAME, parse_time, time_zone_name};
use crate::domain::ticket::LONGEST_DESCRIPTION;

const DEADLINE: Duration = Duration::from_secs(5);

/// Where the provider is, and who we are to it.
#[derive(Debug, Clone)]
pub(crate) struct ProviderConfig {
    pub(crate) url: String,
    /// Without one nothing is imported.
    pub(crate) key: Option<Secret>,
}

/// Why there is no event.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProviderError {
    /// No key is configured.
    #[error("no key of the event provider is configured")]
    Off,
    /// It has no such event, or not with what a catalogue needs: a name, a time and a place.
    #[error("the event provider has no such event")]
    NotFound,
    /// It is away, or answers nonsense.
    #[error("the event provider failed: {0}")]
    Failed(String),
}

/// Reads events.
#[derive(Clone)]
pub(crate) struct Ticketmaster {
    http: reqwest::Client,
    config: ProviderConfig,
}

impl Ticketmaster {
    pub(crate) fn new(config: ProviderConfig) -> Result<Self, reqwest::Error> {
        bigtix_service::tls::use_ring();
        let http = reqwest::Client::builder()
            .timeout(DEADLINE)
            .connect_timeout(DEADLINE)
            .build()?;
        Ok(Self { http, config })
    }

    /// The event with the provider's id.
    pub(crate) async fn read(&self, tm_event_id: &str) -> Result<EventDraft, ProviderError> {
        let key = self.config.key.as_ref().ok_or(ProviderError::Off)?;
        let mut url = reqwest::Url::parse(&self.config.url).map_err(failed)?;
        url.path_segments_mut()
            .map_err(|()| failed("its address takes no path"))?
            .pop_if_empty()
            .extend(["discovery", "v2", "events", &format!("{tm_event_id}.json")]);
        url.query_pairs_mut().append_pair("apikey", key.expose());
        // The key is part of the address, which must not be logged.
        let private = |error: reqwest::Error| failed(error.without_url());
        let answer = self.http.get(url).send().await.map_err(private)?;
        match answer.status() {
            StatusCode::NOT_FOUND => return Err(ProviderError::NotFound),
            status if !status.is_success() => return Err(failed(format!("status {}", status.as_u16()))),
            _ => {}
        }
        let event: DiscoveryEvent = answer.json().await.map_err(private)?;
        event.into_draft().ok_or(ProviderError::NotFound)
    }
}

fn failed(why: impl fmt::Display) -> ProviderError {
    ProviderError::Failed(why.to_string())
}

#[derive(Deserialize)]
struct DiscoveryEvent {
    name: Option<String>,
    info: Option<String>,
    description: Option<String>,
    #[serde(default)]
    dates: Dates,
    #[serde(default)]
    images: Vec<Image>,
    #[serde(default, rename = "_embedded")]
    embedded: Embedded,
}

#[derive(Default, Deserialize)]
struct Dates {
    #[serde(default)]
    start: Start,
    timezone: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Start {
    date_time: Option<String>,
    local_date: Option<String>,
    local_time: Option<String>,
}

#[derive(Deserialize)]
struct Image {
    url: String,
    #[serde(default)]
    width: u32,
}

#[derive(Default, Deserialize)]
struct Embedded {
    #[serde(default)]
    venues: Vec<Venue>,
}

#[derive(Deserialize)]
struct Venue {
    name: Option<String>,
    city: Option<City>,
    timezone: Option<String>,
}

#[derive(Deserialize)]
struct City {
    name: Option<String>,
}

impl DiscoveryEvent {
    fn into_draft(self) -> Option<EventDraft> {
        let Self {
            name,
            info,
            description,
            dates,
            images,
            embedded,
        } = self;
        let Venue {
            name: venue,
            city,
            timezone,
        } = embedded.venues.into_iter().next()?;
        let time_zone = dates.timezone.or(timezone).as_deref().and_then(time_zone_name)?;
        let widest = images
            .into_iter()
            .max_by_key(|image| image.width)
            .map(|image| image.url);
        Some(EventDraft {
            title: text(name?, LONGEST_NAME)?,
            venue: text(venue?, LONGEST_NAME)?,
            city: text(city?.name?, LONGEST_NAME)?,
            starts_at: dates.start.time(&time_zone)?,
            time_zone,
            image: widest.filter(|url| url.len() <= LONGEST_IMAGE),
            description: description
                .or(info)
                .and_then(|words| text(words, LONGEST_DESCRIPTION))
                .unwrap_or_default(),
        })
    }
}

impl Start {
    /// The provider leaves the exact time out when it knows only the local one, or only the day.
    fn time(&self, time_zone: &str) -> Option<Timestamp> {
        if let Some(time) = self.date_time.as_deref().and_then(parse_time) {
            return Some(time);
        }
        let date: Date = self.local_date.as_deref()?.parse().ok()?;
        let time: Time = match self.local_time.as_deref() {
            Some(time) => time.parse().ok()?,
            None => Time::midnight(),
        };
        let zone = jiff::tz::TimeZoneDatabase::bundled().get(time_zone).ok()?;
        date.to_datetime(time)
            .to_zoned(zone)
            .ok()
            .map(|local| local.timestamp())
    }
}

/// A trimmed text that fits; nothing when there is none.
fn text(words: String, longest: usize) -> Option<String> {
    let words: String = words.trim().chars().take(longest).collect();
    (!words.is_empty()).then_some(words)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn draft(event: serde_json::Value) -> Option<EventDraft> {
        serde_json::from_value::<DiscoveryEvent>(event)
            .unwrap()
            .into_draft()
    }

    #[test]
    fn a_local_time_is_read_in_the_venues_zone() {
        let event = json!({
            "name": "Show",
            "dates": {"start": {"localDate": "2030-06-01", "localTime": "19:30:00"}},
            "_embedded": {"venues": [{"name": "Hall", "city": {"name": "Berlin"}, "timezone": "Europe/Berlin"}]},
        });
        assert_eq!(
            draft(event).unwrap().starts_at.to_string(),
            "2030-06-01T17:30:00Z"
        );
    }

    #[test]
    fn an_event_without_a_place_or_a_time_is_of_no_use() {
        let nowhere = json!({"name": "Show", "dates": {"start": {"dateTime": "2030-06-01T17:30:00Z"}, "timezone": "Europe/Berlin"}});
        assert_eq!(draft(nowhere), None);
        let never = json!({
            "name": "Show",
            "_embedded": {"venues": [{"name": "Hall", "city": {"name": "Berlin"}, "timezone": "Europe/Berlin"}]},
        });
        assert_eq!(draft(never), None);
    }
}
