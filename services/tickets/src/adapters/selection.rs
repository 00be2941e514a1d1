//! Lists as queries.

use bigtix_service::http::Page;
use bigtix_service::mongo::to_object_id;
use bson::{Document, doc};

use super::documents::status_word;
use crate::domain::selection::Selection;

/// The tickets that are selected.
pub(crate) fn filter(selection: &Selection) -> Document {
    let Selection {
        status,
        listed,
        seller,
        event_id,
        words,
    } = selection;
    let mut filter = words_filter(words);
    if let Some(status) = status {
        filter.insert("status", status_word(*status));
    }
    if *listed {
        filter.insert("withdrawn", false);
    }
    if let Some(seller) = seller {
        filter.insert("userId", to_object_id(seller.bytes()));
    }
    if let Some(event_id) = event_id {
        filter.insert("eventId", event_id);
    }
    filter
}

/// Each word begins one of the document's. Words are letters and digits only, so none means anything else to a regular
/// expression, and a case-sensitive prefix is a range of the index.
pub(crate) fn words_filter(words: &[String]) -> Document {
    let prefixes: Vec<Document> = words
        .iter()
        .map(|word| doc! {"words": {"$regex": format!("^{word}")}})
        .collect();
    if prefixes.is_empty() {
        Document::new()
    } else {
        doc! {"$and": prefixes}
    }
}

/// What comes after the page's cursor, newest first.
pub(crate) fn after(filter: Document, page: Page) -> Document {
    let Some(cursor) = page.after else { return filter };
    let (time, id) = (
        bson::DateTime::from_millis(cursor.millis),
        to_object_id(cursor.id),
    );
    let later = doc! {"$or": [{"createdAt": {"$lt": time}}, {"createdAt": time, "_id": {"$lt": id}}]};
    doc! {"$and": [filter, later]}
}

/// Newest first.
pub(crate) fn newest_first() -> Document {
    doc! {"createdAt": -1, "_id": -1}
}

/// One row more than the page shows tells whether there is a next page.
pub(crate) fn rows(page: Page) -> i64 {
    i64::try_from(page.limit).unwrap_or(i64::MAX).saturating_add(1)
}
