//! The mark of a database into which a backup is being restored. Whoever restores sets it before anything is changed and
//! removes it once everything is there; no service uses a database that has it.

use bson::{Document, doc};
use mongodb::error::Error;
use mongodb::{Collection, Database};

/// Where the mark is. A restore leaves this collection alone.
pub const COLLECTION: &str = "restoring";
const MARK: &str = "mark";

fn marks(database: &Database) -> Collection<Document> {
    database.collection(COLLECTION)
}

/// What is being restored into the database, if anything is.
///
/// # Errors
/// The driver's.
pub async fn from(database: &Database) -> Result<Option<String>, Error> {
    let mark = marks(database).find_one(doc! {"_id": MARK}).await?;
    Ok(mark.map(|mark| mark.get_str("archive").unwrap_or("an archive").to_owned()))
}

/// Sets the mark. `archive` is where the archive is, without credentials.
///
/// # Errors
/// The driver's.
pub async fn begin(database: &Database, archive: &str) -> Result<(), Error> {
    let mark = doc! {"_id": MARK, "archive": archive};
    marks(database)
        .replace_one(doc! {"_id": MARK}, mark)
        .upsert(true)
        .await
        .map(drop)
}

/// Removes the mark with its collection.
///
/// # Errors
/// The driver's.
pub async fn end(database: &Database) -> Result<(), Error> {
    marks(database).drop().await
}
