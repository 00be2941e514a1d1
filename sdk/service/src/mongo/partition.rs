//! What a database knows of being one of several among which a service spreads its documents. A service that has all of them
//! in one database leaves no mark.

use bson::oid::ObjectId;
use bson::{Document, doc};
use mongodb::Database;
use mongodb::error::Error;

use super::duplicate_key;

const COLLECTION: &str = "partition";
const MARK: &str = "mark";

/// Which part of what a database is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Membership {
    /// The whole, so that the parts of two never mix.
    pub whole: ObjectId,
    /// Which part, counted from 0.
    pub number: usize,
    /// How many there are.
    pub of: usize,
}

impl Membership {
    fn from_document(document: &Document) -> Result<Self, Error> {
        let count = |name: &str| {
            let count = document.get_i64(name).map_err(Error::custom)?;
            usize::try_from(count).map_err(Error::custom)
        };
        Ok(Self {
            whole: document.get_object_id("whole").map_err(Error::custom)?,
            number: count("number")?,
            of: count("of")?,
        })
    }

    fn to_document(self) -> Document {
        let Self { whole, number, of } = self;
        let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        doc! {"_id": MARK, "whole": whole, "number": count(number), "of": count(of)}
    }
}

/// The mark of the database, if it has one.
///
/// # Errors
/// The driver's; or that the mark cannot be read.
pub async fn read(database: &Database) -> Result<Option<Membership>, Error> {
    let mark = database
        .collection::<Document>(COLLECTION)
        .find_one(doc! {"_id": MARK})
        .await?;
    mark.as_ref().map(Membership::from_document).transpose()
}

/// Marks the database, unless somebody was faster; the mark that it has then.
///
/// # Errors
/// As [`read`].
pub async fn enter(database: &Database, membership: Membership) -> Result<Membership, Error> {
    let marks = database.collection(COLLECTION);
    match marks.insert_one(membership.to_document()).await {
        Ok(_) => Ok(membership),
        Err(error) if duplicate_key(&error).is_some() => {
            let there = read(database).await?;
            there.ok_or_else(|| Error::custom("a mark was removed while it was read"))
        }
        Err(error) => Err(error),
    }
}
