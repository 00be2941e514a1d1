//! How far the relay got: one document of the collection `relay`, whose id is the stream's name. It is in the first of the
//! databases that fill the stream, with the lease.

use bson::{Document, doc};
use mongodb::Collection;
use mongodb::error::Error;
use mongodb::options::ReturnDocument;

use super::feed::Position;
use crate::mongo::Mongo;

/// Where the relay keeps its progress.
pub const COLLECTION: &str = "relay";
/// The position in the changes of the database that the progress is kept in.
const TOKEN: &str = "token";
/// Those in the changes of further databases, by their numbers.
const FURTHER_TOKENS: &str = "tokens";

/// How far everything has arrived, by database; what has no position is scanned.
pub(crate) type Positions = Vec<Option<Position>>;

/// The document of a relay that has to make its stream anew and publish everything: what comes of `progress` when its
/// database is put back to an earlier moment, where the stream holds later versions, or none, or is another one.
pub fn without_its_stream(mut progress: Document) -> Document {
    let epoch = progress.get_i64("epoch").unwrap_or_default();
    for gone in ["created", "sequence", "messages", TOKEN, FURTHER_TOKENS] {
        progress.remove(gone);
    }
    // Above 0 it says that the stream was given up, and what still stands under its name goes.
    progress.insert("epoch", epoch + 1);
    progress
}

/// What the relay knows of its stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Known {
    /// When the server made the stream, in nanoseconds of Unix time; `None` when it must be made.
    pub(crate) created: Option<i64>,
    /// The highest sequence that was acknowledged.
    pub(crate) sequence: u64,
    /// How many messages it held when it was last looked at.
    pub(crate) messages: u64,
    /// How often it was lost.
    pub(crate) epoch: i64,
}

/// The stored progress could not be read or written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProgressError {
    #[error(transparent)]
    Driver(#[from] Error),
    #[error("another instance has taken over")]
    Superseded,
}

/// The document, as the instance that took it over sees it. Each taking over raises `term`; an instance whose term has
/// passed can write no more, so that it never moves the progress back.
#[derive(Debug)]
pub(crate) struct Progress {
    relays: Collection<Document>,
    stream: String,
    term: i64,
    pub(crate) known: Known,
    pub(crate) positions: Positions,
}

impl Progress {
    /// Takes over from whoever had it. The stream is filled from so many databases.
    pub(crate) async fn take_over(
        mongo: &Mongo,
        stream: &str,
        databases: usize,
    ) -> Result<Self, ProgressError> {
        let relays = mongo.collection(COLLECTION);
        let document = relays
            .find_one_and_update(doc! {"_id": stream}, doc! {"$inc": {"term": 1_i64}})
            .upsert(true)
            .return_document(ReturnDocument::After)
            .await?
            .unwrap_or_default();
        let number = |name: &str| document.get_i64(name).unwrap_or_default();
        let known = Known {
            created: document.get_i64("created").ok(),
            sequence: u64::try_from(number("sequence")).unwrap_or_default(),
            messages: u64::try_from(number("messages")).unwrap_or_default(),
            epoch: number("epoch"),
        };
        let positions = (0..databases)
            .map(|database| stored_token(&document, database).map(Position))
            .collect();
        Ok(Self {
            relays,
            stream: stream.to_owned(),
            term: number("term"),
            known,
            positions,
        })
    }

    /// Stores what is known, and the positions that there are.
    pub(crate) async fn save(&self) -> Result<(), ProgressError> {
        let mut set = doc! {
            "created": self.known.created,
            "sequence": stored(self.known.sequence),
            "messages": stored(self.known.messages),
        };
        for (database, position) in self.positions.iter().enumerate() {
            if let Some(Position(token)) = position {
                set.insert(token_field(database), token.clone());
            }
        }
        self.update(doc! {}, doc! {"$set": set}).await
    }

    /// Notes that the stream is lost: it has to be made anew, and everything has to be published again. If we stop
    /// right after this, the next one reads exactly that.
    pub(crate) async fn raise_epoch(&mut self) -> Result<(), ProgressError> {
        let epoch = self.known.epoch;
        let update = doc! {
            "$set": {"epoch": epoch + 1, "created": null, "sequence": 0_i64, "messages": 0_i64},
            "$unset": {TOKEN: "", FURTHER_TOKENS: ""},
        };
        // The field is absent as long as it is 0.
        let unraised = if epoch == 0 {
            doc! {"epoch": {"$in": [0_i64, null]}}
        } else {
            doc! {"epoch": epoch}
        };
        self.update(unraised, update).await?;
        self.known = Known {
            epoch: epoch + 1,
            ..Known::default()
        };
        self.positions.fill(None);
        Ok(())
    }

    async fn update(&self, mut filter: Document, update: Document) -> Result<(), ProgressError> {
        filter.extend(doc! {"_id": &self.stream, "term": self.term});
        let outcome = self.relays.update_one(filter, update).await?;
        if outcome.matched_count == 1 {
            Ok(())
        } else {
            Err(ProgressError::Superseded)
        }
    }
}

fn token_field(database: usize) -> String {
    match database {
        0 => TOKEN.to_owned(),
        further => format!("{FURTHER_TOKENS}.{further}"),
    }
}

fn stored_token(progress: &Document, database: usize) -> Option<Document> {
    let token = match database {
        0 => progress.get_document(TOKEN),
        further => progress
            .get_document(FURTHER_TOKENS)
            .and_then(|tokens| tokens.get_document(further.to_string())),
    };
    token.ok().cloned()
}

fn stored(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_known_of_a_stream_that_is_given_up_but_how_often_that_happened() {
        let known = doc! {"_id": "orders", "term": 3_i64, "created": 7_i64, "sequence": 9_i64, "messages": 2_i64, "token": {"_data": "8265"}, "tokens": {"1": {"_data": "8266"}}};
        assert_eq!(
            without_its_stream(known),
            doc! {"_id": "orders", "term": 3_i64, "epoch": 1_i64}
        );
        assert_eq!(
            without_its_stream(doc! {"_id": "orders", "epoch": 4_i64}),
            doc! {"_id": "orders", "epoch": 5_i64}
        );
    }
}
