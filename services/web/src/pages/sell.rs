//! Listing tickets: one or many, for an event of the catalogue, for a new one, or for none.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use bigtix_client::{ClientError, NewEvent, NewTicket};
use bigtix_contracts::EventId;
use bigtix_contracts::api::tickets::Event;

use super::edit::read_price;
use super::{Occasion, Query, go};
use crate::App;
use crate::failure::{Failure, Sought};
use crate::forms::{Errors, Form, LocalPath, new_key};
use crate::session::Visitor;
use crate::shell::{Shell, html};
use crate::view::time::{LocalTimeError, moment};

const MOST_EVENTS: usize = 100;
const MOST_TICKETS: usize = 1000;

struct Choice {
    id: String,
    title: String,
}

#[derive(Template)]
#[template(path = "sell.html")]
struct SellPage<'a> {
    shell: Shell,
    errors: Errors,
    form: &'a Form,
    find: &'a str,
    is_searched: bool,
    events: Vec<Choice>,
    key: String,
}

/// `GET /tickets/new`.
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    query: Query,
) -> Result<Response, Failure> {
    let form = Form::default().with("event", query.get("event"));
    render(&app, &visitor, &form, query.get("find"), Errors::default()).await
}

async fn render(
    app: &App,
    visitor: &Visitor,
    form: &Form,
    find: &str,
    errors: Errors,
) -> Result<Response, Failure> {
    visitor.require()?;
    let is_refused = !errors.is_empty();
    let shell = Shell::private(&app.site, visitor, "Sell tickets");
    let page = SellPage {
        shell: if is_refused { shell.with_errors() } else { shell },
        errors,
        events: choices(app, visitor, find, form.get("event")).await?,
        form,
        find,
        is_searched: !find.is_empty(),
        key: new_key(),
    };
    Ok(html(
        if is_refused {
            StatusCode::UNPROCESSABLE_ENTITY
        } else {
            StatusCode::OK
        },
        &page,
    ))
}

/// The events to choose from, the chosen one among them.
async fn choices(app: &App, visitor: &Visitor, find: &str, chosen: &str) -> Result<Vec<Choice>, Failure> {
    let list = match find {
        "" => visitor.api.events(),
        words => visitor.api.search_events(words),
    };
    let found = match list.limit(MOST_EVENTS).page().await {
        Ok(part) => part.items,
        // Words without a letter or a digit find nothing.
        Err(error) if error.status() == Some(400) => Vec::new(),
        Err(error) => return Err(Failure::reading(&error, Sought::Page)),
    };
    let mut choices: Vec<Choice> = found.iter().map(choice).collect();
    if let Ok(id) = chosen.parse::<EventId>()
        && !found.iter().any(|event| event.id == id)
        && let Ok(event) = app.reads.event(id).await
    {
        choices.insert(0, choice(&event));
    }
    Ok(choices)
}

fn choice(event: &Event) -> Choice {
    let Occasion {
        id,
        title,
        when,
        place,
    } = Occasion::from(event);
    Choice {
        id,
        title: format!("{title}, {place}, {}", when.date),
    }
}

/// `POST /tickets/new`.
pub(crate) async fn send(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    form: Form,
) -> Result<Response, Failure> {
    visitor.require()?;
    let page = LocalPath::read("/tickets/new");
    let (ticket, quantity, new_event) = match read(&form) {
        Ok(draft) => draft,
        Err(errors) => return render(&app, &visitor, &form, "", errors).await,
    };
    let event = match new_event {
        Some(event) => {
            let added = visitor
                .api
                .add_event(&event)
                .idempotency_key(form.key_for(&event))
                .await;
            match added {
                Ok(event) => Some(event.id.to_string()),
                Err(error) => return refused(&app, &visitor, &error, form, event_field).await,
            }
        }
        None => Some(form.get("event").to_owned()).filter(|id| !id.is_empty()),
    };
    let ticket = match &event {
        Some(event) => ticket.event(event),
        None => ticket,
    };
    // One that was typed with a number of its own cannot be many.
    let listed = if quantity == 1 {
        visitor
            .api
            .list_ticket(&ticket)
            .idempotency_key(form.key_for(&(&ticket, quantity)))
            .await
            .map(|_| ())
    } else {
        visitor
            .api
            .list_tickets(&ticket, quantity)
            .idempotency_key(form.key_for(&(&ticket, quantity)))
            .await
            .map(|_| ())
    };
    match listed {
        Ok(()) => {
            if let Some(event) = event.and_then(|id| id.parse().ok()) {
                app.reads.forget_event(event).await;
            }
            Ok(go("/tickets/mine?done=listed"))
        }
        Err(error) if error.problem().is_some() && error.status() == Some(400) => {
            refused(&app, &visitor, &error, form, ticket_field).await
        }
        Err(error) => Err(Failure::sending(&error, &page, form)),
    }
}

type Draft = (NewTicket, usize, Option<NewEvent>);

/// What the form says, or everything that is wrong with it; the API has the last word on lengths and bounds.
fn read(form: &Form) -> Result<Draft, Errors> {
    let mut errors = Errors::default();
    if form.get("title").is_empty() {
        errors.add(Some("title"), "Title is required");
    }
    let price = read_price(form.get("price"));
    if let Err(wrong) = &price {
        errors.extend(wrong);
    }
    let quantity = form
        .get("quantity")
        .parse()
        .ok()
        .filter(|count| (1..=MOST_TICKETS).contains(count));
    if quantity.is_none() {
        errors.add(
            Some("quantity"),
            format!("Choose from 1 to {MOST_TICKETS} tickets"),
        );
    }
    let serial = form.get("serialNumber");
    if !serial.is_empty() && quantity.is_some_and(|count| count > 1) {
        errors.add(
            Some("serialNumber"),
            "Several tickets cannot have the same number",
        );
    }
    let event = read_event(form, &mut errors);
    match (price, quantity) {
        (Ok(price), Some(quantity)) if errors.is_empty() => {
            let mut ticket = NewTicket::new(form.get("title"), price);
            if !form.get("description").is_empty() {
                ticket = ticket.description(form.get("description"));
            }
            if !serial.is_empty() {
                ticket = ticket.serial_number(serial);
            }
            Ok((ticket, quantity, event))
        }
        _ => Err(errors),
    }
}

fn read_event(form: &Form, errors: &mut Errors) -> Option<NewEvent> {
    let fields = [
        "eventTitle",
        "venue",
        "eventCity",
        "startsAt",
        "timeZone",
        "eventDescription",
    ];
    if fields.iter().all(|field| form.get(field).is_empty()) {
        return None;
    }
    if !form.get("event").is_empty() {
        errors.add(Some("event"), "Choose an event or add a new one, not both");
        return None;
    }
    for (field, words) in [
        ("eventTitle", "Name of the event is required"),
        ("venue", "Venue is required"),
        ("eventCity", "City is required"),
    ] {
        if form.get(field).is_empty() {
            errors.add(Some(field), words);
        }
    }
    let starts_at = match moment(form.get("startsAt"), form.get("timeZone")) {
        Ok(time) => Some(time),
        Err(LocalTimeError::NoTime) => {
            errors.add(Some("startsAt"), "Date and time look like 2031-05-01T19:30");
            None
        }
        Err(LocalTimeError::NoZone) => {
            errors.add(
                Some("timeZone"),
                "Time zone must be an IANA name such as Europe/Berlin",
            );
            None
        }
    };
    Some(NewEvent {
        title: form.get("eventTitle").to_owned(),
        venue: form.get("venue").to_owned(),
        city: form.get("eventCity").to_owned(),
        starts_at: starts_at?,
        time_zone: form.get("timeZone").to_owned(),
        image: None,
        description: Some(form.get("eventDescription").to_owned()).filter(|text| !text.is_empty()),
    })
}

fn event_field(field: &str) -> Option<&'static str> {
    match field {
        "title" => Some("eventTitle"),
        "venue" => Some("venue"),
        "city" => Some("eventCity"),
        "startsAt" => Some("startsAt"),
        "timeZone" => Some("timeZone"),
        "description" => Some("eventDescription"),
        _ => None,
    }
}

fn ticket_field(field: &str) -> Option<&'static str> {
    match field {
        "title" => Some("title"),
        "price" => Some("price"),
        "description" => Some("description"),
        "serialNumber" => Some("serialNumber"),
        "quantity" => Some("quantity"),
        "eventId" => Some("event"),
        _ => None,
    }
}

async fn refused(
    app: &App,
    visitor: &Visitor,
    error: &ClientError,
    form: Form,
    field: fn(&str) -> Option<&'static str>,
) -> Result<Response, Failure> {
    match (error.status(), error.problem()) {
        (Some(400), Some(problem)) => {
            let errors = Errors::from_problem(problem, field);
            render(app, visitor, &form, "", errors).await
        }
        _ => Err(Failure::sending(error, &LocalPath::read("/tickets/new"), form)),
    }
}
