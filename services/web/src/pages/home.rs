//! What is on sale: search, filters, pages.

use std::collections::HashSet;
use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use bigtix_contracts::api::tickets::{EventSummary, Ticket};
use bigtix_contracts::{Cents, EventId};
use futures::future::join_all;
use jiff::Timestamp;
use jiff::civil::Date;
use url::form_urlencoded;

use super::{Occasion, Query};
use crate::App;
use crate::failure::{Failure, Sought};
use crate::forms::Errors;
use crate::reads::{Free, Listing};
use crate::session::Visitor;
use crate::shell::{Shell, public_html};
use crate::view::art::Seed;
use crate::view::time::{When, day};

/// How many tiles fill a page, and how far it is looked for them.
const ENOUGH: usize = 24;
const MOST_LOOKS: usize = 12;
/// From how many free tickets on it is worth saying that they are few.
const FEW: usize = 5;

/// The filters as they were typed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filters {
    pub(crate) q: String,
    pub(crate) city: String,
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) min_price: String,
    pub(crate) max_price: String,
}

/// What the filters mean.
#[derive(Debug, Default)]
struct Wanted {
    city: String,
    from: Option<Date>,
    to: Option<Date>,
    min_price: Option<Cents>,
    max_price: Option<Cents>,
}

/// One thing on sale.
struct Tile {
    href: String,
    art: String,
    title: String,
    when: Option<When>,
    place: Option<String>,
    price: String,
    has_more_prices: bool,
    left: Option<Left>,
}

struct Left {
    class: &'static str,
    text: String,
}

#[derive(Template)]
#[template(path = "home.html")]
struct Home {
    shell: Shell,
    errors: Errors,
    filters: Filters,
    is_filtered: bool,
    tiles: Vec<Tile>,
    previous: Option<String>,
    next: Option<String>,
}

impl Filters {
    fn read(query: &Query) -> Self {
        let text = |name| query.get(name).chars().take(100).collect();
        Self {
            q: text("q"),
            city: text("city"),
            from: text("from"),
            to: text("to"),
            min_price: text("minPrice"),
            max_price: text("maxPrice"),
        }
    }

    fn pairs(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let Self {
            q,
            city,
            from,
            to,
            min_price,
            max_price,
        } = self;
        [
            ("q", q),
            ("city", city),
            ("from", from),
            ("to", to),
            ("minPrice", min_price),
            ("maxPrice", max_price),
        ]
        .into_iter()
        .map(|(name, value)| (name, value.as_str()))
        .filter(|(_, value)| !value.is_empty())
    }

    /// The page's path with these filters, beginning at a cursor.
    fn href(&self, cursor: Option<&str>) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(self.pairs());
        query.extend_pairs(cursor.map(|cursor| ("cursor", cursor)));
        match query.finish() {
            query if query.is_empty() => "/".to_owned(),
            query => format!("/?{query}"),
        }
    }

    fn wanted(&self, errors: &mut Errors) -> Wanted {
        let mut date = |field, text: &str| {
            let read = (!text.is_empty()).then(|| text.parse::<Date>());
            read.and_then(|date| {
                date.inspect_err(|_| errors.add(Some(field), "Dates look like 2031-05-01"))
                    .ok()
            })
        };
        let (from, to) = (date("from", &self.from), date("to", &self.to));
        let mut price = |field, text: &str| {
            let read = (!text.is_empty()).then(|| Cents::parse_dollars(text));
            read.and_then(|price| {
                price
                    .inspect_err(|_| errors.add(Some(field), "Prices look like 20 or 19.99"))
                    .ok()
            })
        };
        Wanted {
            city: self.city.to_lowercase(),
            from,
            to,
            min_price: price("minPrice", &self.min_price),
            max_price: price("maxPrice", &self.max_price),
        }
    }
}

impl Wanted {
    fn has_price(&self, price: Cents) -> bool {
        self.min_price.is_none_or(|least| price >= least) && self.max_price.is_none_or(|most| price <= most)
    }

    fn has(&self, ticket: &Ticket, now: Timestamp) -> bool {
        self.has_price(ticket.price.0)
            && match &ticket.event {
                Some(event) => self.has_event(event, now),
                // What has no event has no place and no time either.
                None => self.city.is_empty() && self.from.is_none() && self.to.is_none(),
            }
    }

    /// What is over by its own calendar is only there for those who ask for its day.
    fn has_event(&self, event: &EventSummary, now: Timestamp) -> bool {
        let date = day(event.starts_at, &event.time_zone);
        let today = day(now, &event.time_zone);
        event.city.to_lowercase().contains(&self.city)
            && date >= self.from.unwrap_or(today)
            && self.to.is_none_or(|to| date <= to)
    }
}

/// `GET /`.
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    query: Query,
) -> Result<Response, Failure> {
    let filters = Filters::read(&query);
    let mut errors = Errors::default();
    let wanted = filters.wanted(&mut errors);
    let cursor = query.given("cursor").map(str::to_owned);
    let (found, next) = find(&app, &filters.q, cursor.clone(), &wanted).await?;
    let tiles = join_all(found.iter().map(|ticket| tile(&app, ticket, &wanted))).await;
    let is_filtered = filters.pairs().next().is_some();
    let title = match filters.q.as_str() {
        "" => "Events on sale".to_owned(),
        q => format!("{q}: tickets"),
    };
    let description = "Tickets for concerts, matches and plays, sold by people to people.";
    let mut shell = Shell::public(
        &app.site,
        &visitor,
        &title,
        &filters.href(cursor.as_deref()),
        description,
    );
    shell.query.clone_from(&filters.q);
    if !errors.is_empty() {
        shell = shell.with_errors();
    }
    let page = Home {
        shell,
        is_filtered,
        tiles,
        previous: cursor.is_some().then(|| filters.href(None)),
        next: next.map(|cursor| filters.href(Some(&cursor))),
        filters,
        errors,
    };
    Ok(public_html(StatusCode::OK, &page))
}

/// Looks through what is on sale, newest first, until a page is full: one ticket for each event, and those without one.
async fn find(
    app: &App,
    words: &str,
    mut cursor: Option<String>,
    wanted: &Wanted,
) -> Result<(Vec<Ticket>, Option<String>), Failure> {
    let mut found = Vec::new();
    let mut events: HashSet<EventId> = HashSet::new();
    let now = Timestamp::now();
    for _ in 0..MOST_LOOKS {
        let listing = Listing {
            words: words.to_owned(),
            cursor: cursor.take(),
        };
        let part = app.reads.listing(listing).await;
        let part = part.map_err(|error| Failure::reading(&error, Sought::Page))?;
        for ticket in part.items.iter().filter(|ticket| wanted.has(ticket, now)) {
            let is_new = ticket.event.as_ref().is_none_or(|event| events.insert(event.id));
            if is_new {
                found.push(ticket.clone());
            }
        }
        cursor.clone_from(&part.next);
        if cursor.is_none() || found.len() >= ENOUGH {
            break;
        }
    }
    Ok((found, cursor))
}

async fn tile(app: &App, ticket: &Ticket, wanted: &Wanted) -> Tile {
    let Some(event) = &ticket.event else {
        return Tile {
            href: format!("/tickets/{}", ticket.id),
            art: Seed::of(&ticket.id.to_string(), &ticket.title).path(),
            title: ticket.title.clone(),
            when: None,
            place: None,
            price: app.site.price(ticket.price.0),
            has_more_prices: false,
            left: None,
        };
    };
    // Without an answer the tile says what is known from the ticket alone.
    let free = app.reads.free(event.id).await.ok();
    let mut prices = free
        .iter()
        .flat_map(|free| &free.tickets)
        .map(|free| free.price.0)
        .filter(|price| wanted.has_price(*price));
    let lowest = prices.next().unwrap_or(ticket.price.0);
    let occasion = Occasion::from(event);
    Tile {
        href: format!("/events/{}", event.id),
        art: Seed::of(&event.id.to_string(), &event.title).path(),
        title: occasion.title,
        when: Some(occasion.when),
        place: Some(occasion.place),
        price: app.site.price(lowest),
        has_more_prices: prices.next_back().is_some_and(|highest| highest > lowest),
        left: free.as_deref().map(left),
    }
}

fn left(free: &Free) -> Left {
    let (class, text) = match (free.tickets.len(), free.is_all) {
        (0, _) => (" left-none", "Sold out".to_owned()),
        (count, true) if count <= FEW => (" left-few", format!("Only {count} left")),
        (count, true) => ("", format!("{count} left")),
        (count, false) => ("", format!("{count} or more left")),
    };
    Left { class, text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn ticket(price: f64, city: Option<&str>) -> Ticket {
        let id = "64b0c0ffee0000000000beef";
        let event = city.map(|city| {
            json!({"id": id, "title": "A", "venue": "B", "city": city, "startsAt": "2031-05-01T23:30:00Z", "timeZone": "Asia/Tokyo"})
        });
        serde_json::from_value(json!({
            "id": id, "title": "T", "price": price, "userId": id, "description": "", "serialNumber": "1",
            "eventId": null, "event": event, "orderId": null, "status": "available", "version": 0,
        }))
        .unwrap()
    }

    fn filters(pairs: &[(&str, &str)]) -> Filters {
        let query = pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Filters::read(&Query(query.collect()))
    }

    fn matches(pairs: &[(&str, &str)], ticket: &Ticket) -> bool {
        let mut errors = Errors::default();
        let wanted = filters(pairs).wanted(&mut errors);
        assert!(errors.is_empty(), "{errors:?}");
        wanted.has(ticket, "2031-05-01T12:00:00Z".parse().unwrap())
    }

    #[test]
    fn filters_go_by_city_day_and_price() {
        let tokyo = ticket(20.0, Some("Tokyo"));
        assert!(matches(&[("city", "tok")], &tokyo) && !matches(&[("city", "Kyoto")], &tokyo));
        // It begins on the second of May there, although it is still the first elsewhere.
        assert!(matches(&[("from", "2031-05-02")], &tokyo) && !matches(&[("to", "2031-05-01")], &tokyo));
        assert!(matches(&[("minPrice", "20"), ("maxPrice", "20.00")], &tokyo));
        assert!(!matches(&[("maxPrice", "19.99")], &tokyo) && !matches(&[("minPrice", "20.01")], &tokyo));
        let nowhere = ticket(20.0, None);
        assert!(matches(&[("maxPrice", "20")], &nowhere) && !matches(&[("city", "t")], &nowhere));
    }

    #[test]
    fn what_is_over_is_left_out_unless_its_day_is_asked_for() {
        let tokyo = ticket(20.0, Some("Tokyo"));
        let wanted = Wanted::default();
        // It is the third of May in Tokyo, and still the second elsewhere.
        assert!(!wanted.has(&tokyo, "2031-05-02T15:00:00Z".parse().unwrap()));
        assert!(wanted.has(&tokyo, "2031-05-02T14:59:00Z".parse().unwrap()));
        let asked = filters(&[("from", "2031-05-01")]).wanted(&mut Errors::default());
        assert!(asked.has(&tokyo, "2032-01-01T00:00:00Z".parse().unwrap()));
    }

    #[test]
    fn what_cannot_be_read_is_said_beside_its_field() {
        let mut errors = Errors::default();
        filters(&[("from", "soon"), ("maxPrice", "much")]).wanted(&mut errors);
        assert_eq!(errors.of("from"), ["Dates look like 2031-05-01"]);
        assert_eq!(errors.of("maxPrice"), ["Prices look like 20 or 19.99"]);
    }

    #[test]
    fn a_page_keeps_its_filters() {
        let filters = filters(&[("q", "a&b"), ("city", "x y")]);
        assert_eq!(filters.href(Some("c=1")), "/?q=a%26b&city=x+y&cursor=c%3D1");
        assert_eq!(Filters::default().href(None), "/");
    }

    #[test]
    fn few_are_few_only_when_that_is_known() {
        let free = |count, is_all| Free {
            tickets: vec![ticket(1.0, None); count],
            is_all,
        };
        assert_eq!(left(&free(3, true)).text, "Only 3 left");
        assert_eq!(left(&free(3, false)).text, "3 or more left");
        assert_eq!(left(&free(6, true)).text, "6 left");
        assert_eq!(left(&free(0, true)).text, "Sold out");
    }
}
