//! Reading what a seller sends.

use bigtix_contracts::{Cents, Dollars, EventId, TicketId};
use bigtix_service::http::{ApiError, Fields};
use utoipa::ToSchema;

use crate::domain::change::Change;
use crate::domain::event::{EventDraft, LONGEST_IMAGE, LONGEST_NAME, parse_time, time_zone_name};
use crate::domain::price::{self, Rules};
use crate::domain::ticket::{
    Draft, EventChoice, LONGEST_DESCRIPTION, LONGEST_EVENT_ID, LONGEST_SERIAL_NUMBER, LONGEST_TITLE,
    MOST_AT_ONCE,
};

/// What alias paths ask of a title at least.
const ALIAS_SHORTEST_TITLE: usize = 6;
const LONGEST_TM_EVENT_ID: usize = 64;

/// A ticket to list.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "describes the body; fields are read one by one to give the contract's messages"
)]
pub(super) struct NewTicket {
    #[schema(min_length = 1, max_length = 125)]
    title: String,
    /// 0.50 to 99,999.99.
    price: Dollars,
    #[schema(max_length = 2000)]
    description: Option<String>,
    /// Made up when it is absent.
    #[schema(max_length = 128)]
    serial_number: Option<String>,
    /// An event of the catalogue.
    event_id: Option<EventId>,
    /// How many tickets; the answer is an array then, and no serial number may be given.
    #[schema(minimum = 1, maximum = 1000)]
    quantity: Option<i64>,
}

/// A ticket to list, by the rules of the alias paths.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "describes the body; fields are read one by one to give the contract's messages"
)]
pub(super) struct AliasTicket {
    #[schema(min_length = 6, max_length = 125)]
    title: String,
    /// 10 to 99,999.99.
    price: Dollars,
    #[schema(min_length = 1, max_length = 2000)]
    description: String,
    #[schema(min_length = 1, max_length = 128)]
    serial_number: String,
    /// Any text.
    #[schema(min_length = 1, max_length = 64)]
    event_id: String,
}

/// Several tickets to list, all or none.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "describes the body; fields are read one by one to give the contract's messages"
)]
pub(super) struct AliasTickets {
    #[schema(min_items = 1, max_items = 1000)]
    tickets: Vec<AliasTicket>,
}

/// A ticket's new words and price. An absent description stays as it was.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "describes the body; fields are read one by one to give the contract's messages"
)]
pub(super) struct TicketEdit {
    #[schema(min_length = 1, max_length = 125)]
    title: String,
    /// 0.50 to 99,999.99.
    price: Dollars,
    #[schema(max_length = 2000)]
    description: Option<String>,
    /// The version that the change is based on; if the ticket has another one by now, it stays as it is.
    #[schema(minimum = 0)]
    version: Option<i64>,
}

/// A ticket's new words and price, and which ticket.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "describes the body; fields are read one by one to give the contract's messages"
)]
pub(super) struct NamedTicketEdit {
    id: TicketId,
    #[schema(min_length = 1, max_length = 125)]
    title: String,
    /// 0.50 to 99,999.99.
    price: Dollars,
    #[schema(max_length = 2000)]
    description: Option<String>,
    /// The version that the change is based on; if the ticket has another one by now, it stays as it is.
    #[schema(minimum = 0)]
    version: Option<i64>,
}

/// What is to change about a ticket; what is absent stays as it was.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "describes the body; fields are read one by one to give the contract's messages"
)]
pub(super) struct TicketPatch {
    #[schema(min_length = 1, max_length = 125)]
    title: Option<String>,
    /// 0.50 to 99,999.99.
    price: Option<Dollars>,
    #[schema(max_length = 2000)]
    description: Option<String>,
    /// The version that the change is based on; if the ticket has another one by now, it stays as it is.
    #[schema(minimum = 0)]
    version: Option<i64>,
}

/// An event to add to the catalogue.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "describes the body; fields are read one by one to give the contract's messages"
)]
pub(super) struct NewEvent {
    #[schema(min_length = 1, max_length = 125)]
    title: String,
    #[schema(min_length = 1, max_length = 125)]
    venue: String,
    #[schema(min_length = 1, max_length = 125)]
    city: String,
    #[schema(value_type = String, format = DateTime)]
    starts_at: String,
    /// IANA name, such as `Europe/Berlin`.
    time_zone: String,
    /// Address of a picture, http or https.
    #[schema(max_length = 2000)]
    image: Option<String>,
    #[schema(max_length = 2000)]
    description: Option<String>,
}

/// An event of the provider.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "describes the body; fields are read one by one to give the contract's messages"
)]
pub(super) struct ImportEvent {
    #[schema(min_length = 1, max_length = 64)]
    tm_event_id: String,
}

/// What was read, once no rule is broken.
fn complete<T>(fields: Fields, value: Option<T>) -> Result<T, ApiError> {
    fields.finish()?;
    value.ok_or_else(|| ApiError::internal("a field without a value broke no rule"))
}

/// What the canonical path lists: tickets that differ in nothing but what is made up, and whether a quantity was given.
pub(super) fn read_listing(mut fields: Fields) -> Result<(Vec<Draft>, bool), ApiError> {
    let draft = read_canonical(&mut fields);
    let most = i64::try_from(MOST_AT_ONCE).unwrap_or(i64::MAX);
    let quantity = fields.whole("quantity", "Quantity", 1..=most);
    if fields.has("quantity") && fields.has("serialNumber") {
        fields.refuse("serialNumber", "Serial number cannot be given with a quantity");
    }
    let draft = complete(fields, draft)?;
    let count = quantity.map_or(1, |quantity| usize::try_from(quantity).unwrap_or(1));
    Ok((vec![draft; count], quantity.is_some()))
}

fn read_canonical(fields: &mut Fields) -> Option<Draft> {
    let title = fields.required_text("title", "Title", 1, LONGEST_TITLE);
    let price = read_price(fields, Rules::Canonical);
    let description = fields.optional_text("description", "Description", LONGEST_DESCRIPTION);
    let serial_number = fields.optional_text("serialNumber", "Serial number", LONGEST_SERIAL_NUMBER);
    let event = fields.id("eventId", "ID").map(EventChoice::Catalogue);
    Some(Draft {
        title: title?,
        price: price?,
        description: description.unwrap_or_default(),
        serial_number: serial_number.filter(|number| !number.is_empty()),
        event,
    })
}

/// What an alias path lists.
pub(super) fn read_alias_listing(mut fields: Fields) -> Result<Draft, ApiError> {
    let draft = read_alias(&mut fields);
    complete(fields, draft)
}

fn read_alias(fields: &mut Fields) -> Option<Draft> {
    let title = fields.required_text("title", "Title", ALIAS_SHORTEST_TITLE, LONGEST_TITLE);
    let price = read_price(fields, Rules::Alias);
    let description = fields.required_text("description", "Description", 1, LONGEST_DESCRIPTION);
    let serial_number = fields.required_text("serialNumber", "Serial number", 1, LONGEST_SERIAL_NUMBER);
    let event_id = fields.required_text("eventId", "Event id", 1, LONGEST_EVENT_ID);
    Some(Draft {
        title: title?,
        price: price?,
        description: description?,
        serial_number: Some(serial_number?),
        event: Some(EventChoice::Named(event_id?)),
    })
}

/// Several of what an alias path lists.
pub(super) fn read_alias_listings(mut fields: Fields) -> Result<Vec<Draft>, ApiError> {
    if !fields.has("tickets") {
        fields.refuse("tickets", "Tickets are required");
    }
    let mut drafts = Vec::new();
    if let Some(objects) = fields.objects("tickets", "Tickets") {
        if !(1..=MOST_AT_ONCE).contains(&objects.len()) {
            fields.refuse("tickets", format!("Tickets must be 1 to {MOST_AT_ONCE}"));
        }
        for mut object in objects {
            drafts.extend(read_alias(&mut object));
            fields.absorb(object);
        }
    }
    complete(fields, Some(drafts))
}

fn read_price(fields: &mut Fields, rules: Rules) -> Option<Cents> {
    if !fields.has("price") {
        fields.refuse("price", "Price must be a number");
    }
    checked_price(fields, rules)
}

fn checked_price(fields: &mut Fields, rules: Rules) -> Option<Cents> {
    let price = fields.dollars("price", "Price")?;
    match price::refusal(price, rules) {
        None => Some(price),
        Some(message) => {
            fields.refuse("price", message);
            None
        }
    }
}

/// What a ticket becomes, and the version that this is based on.
pub(super) fn read_edit(mut fields: Fields) -> Result<(Change, Option<i64>), ApiError> {
    let edit = read_full_edit(&mut fields);
    complete(fields, Some(edit))
}

/// The same, with the ticket's id in the body.
pub(super) fn read_named_edit(mut fields: Fields) -> Result<(TicketId, Change, Option<i64>), ApiError> {
    if !fields.has("id") {
        fields.refuse("id", "ID is required");
    }
    let id = fields.id("id", "ID");
    let (change, version) = read_full_edit(&mut fields);
    complete(fields, id.map(|id| (id, change, version)))
}

fn read_full_edit(fields: &mut Fields) -> (Change, Option<i64>) {
    let title = fields.required_text("title", "Title", 1, LONGEST_TITLE);
    let price = read_price(fields, Rules::Canonical);
    let description = fields.optional_text("description", "Description", LONGEST_DESCRIPTION);
    (
        Change::Edit {
            title,
            price,
            description,
        },
        read_version(fields),
    )
}

/// What is to change about a ticket, and the version that this is based on.
pub(super) fn read_patch(mut fields: Fields) -> Result<(Change, Option<i64>), ApiError> {
    let title = if fields.has("title") {
        fields.required_text("title", "Title", 1, LONGEST_TITLE)
    } else {
        None
    };
    let price = checked_price(&mut fields, Rules::Canonical);
    let description = fields.optional_text("description", "Description", LONGEST_DESCRIPTION);
    let version = read_version(&mut fields);
    complete(
        fields,
        Some((
            Change::Edit {
                title,
                price,
                description,
            },
            version,
        )),
    )
}

fn read_version(fields: &mut Fields) -> Option<i64> {
    fields.whole("version", "Version", 0..=i64::MAX)
}

/// What the catalogue is to have.
pub(super) fn read_event(mut fields: Fields) -> Result<EventDraft, ApiError> {
    let title = fields.required_text("title", "Title", 1, LONGEST_NAME);
    let venue = fields.required_text("venue", "Venue", 1, LONGEST_NAME);
    let city = fields.required_text("city", "City", 1, LONGEST_NAME);
    let starts_at = fields.required_text("startsAt", "Start", 1, LONGEST_NAME);
    let starts_at = checked(
        &mut fields,
        "startsAt",
        starts_at,
        "Start must be an RFC 3339 time",
        parse_time,
    );
    let time_zone = fields.required_text("timeZone", "Time zone", 1, LONGEST_NAME);
    let message = "Time zone must be an IANA name such as Europe/Berlin";
    let time_zone = checked(&mut fields, "timeZone", time_zone, message, time_zone_name);
    let image = fields
        .optional_text("image", "Image", LONGEST_IMAGE)
        .filter(|image| !image.is_empty());
    let image = checked(
        &mut fields,
        "image",
        image,
        "Image must be an http or https address",
        web_address,
    );
    let description = fields
        .optional_text("description", "Description", LONGEST_DESCRIPTION)
        .unwrap_or_default();
    let draft = || {
        Some(EventDraft {
            title: title?,
            venue: venue?,
            city: city?,
            starts_at: starts_at?,
            time_zone: time_zone?,
            image,
            description,
        })
    };
    complete(fields, draft())
}

fn checked<T>(
    fields: &mut Fields,
    field: &str,
    text: Option<String>,
    message: &str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Option<T> {
    let value = parse(text.as_deref()?);
    if value.is_none() {
        fields.refuse(field, message);
    }
    value
}

fn web_address(text: &str) -> Option<String> {
    let url = reqwest::Url::parse(text).ok()?;
    (matches!(url.scheme(), "http" | "https") && url.has_host()).then(|| url.to_string())
}

/// Which of the provider's events is to be imported.
pub(super) fn read_import(mut fields: Fields) -> Result<String, ApiError> {
    let id = fields.required_text("tmEventId", "ID", 1, LONGEST_TM_EVENT_ID);
    complete(fields, id)
}
