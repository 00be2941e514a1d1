//! The catalogue of events.

use bigtix_contracts::EventId;
use bigtix_contracts::api::tickets::Event;
use reqwest::Method;

use crate::call::json;
use crate::{Call, Client, List, NewEvent};

impl Client {
    fn events_url(&self, rest: &str) -> String {
        format!("{}/api/events{rest}", self.bases.tickets)
    }

    /// Every event.
    pub fn events(&self) -> List<Event> {
        List::new(self, self.events_url(""))
    }

    /// Events with this word in what they say.
    pub fn search_events(&self, keyword: &str) -> List<Event> {
        List::new(self, self.events_url("/search")).with("keyword", keyword)
    }

    /// One event.
    pub fn event(&self, id: EventId) -> Call<Event> {
        Call::new(self, Method::GET, self.events_url(&format!("/{id}")), json)
    }

    /// Adds an event.
    pub fn add_event(&self, event: &NewEvent) -> Call<Event> {
        Call::new(self, Method::POST, self.events_url(""), json).body(event)
    }
}
