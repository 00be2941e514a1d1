//! Reading everything as it was at one moment, while it goes on changing.

use bson::{Document, RawDocumentBuf, Timestamp, doc};
use mongodb::error::{Error, ErrorKind};
use mongodb::{Client, Cursor, Database};

/// The store has no such view of a collection that was made or changed a moment ago.
const SNAPSHOT_UNAVAILABLE: i32 = 246;
/// The store has forgotten that moment.
const SNAPSHOT_TOO_OLD: i32 = 239;

/// A moment of the store's history.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Snapshot {
    time: Timestamp,
}

impl Snapshot {
    /// Now: everything that was acknowledged before this call is in it.
    pub(crate) async fn take(client: &Client) -> Result<Self, Error> {
        let mut session = client.start_session().causal_consistency(true).await?;
        client
            .database("admin")
            .run_command(doc! {"ping": 1})
            .session(&mut session)
            .await?;
        let time = session
            .operation_time()
            .ok_or_else(|| Error::custom("the server tells no operation time"))?;
        Ok(Self { time })
    }

    /// Seconds since 1970, and a number within the second.
    pub(crate) fn time(self) -> (u32, u32) {
        (self.time.time, self.time.increment)
    }

    /// The collection's documents in the order of their ids, as the store keeps them.
    pub(crate) async fn read(
        self,
        database: &Database,
        collection: &str,
    ) -> Result<Cursor<RawDocumentBuf>, Error> {
        let find = self.find(collection);
        Ok(database.run_cursor_command(find).await?.with_type())
    }

    /// Whether the collection can be read as it was at that moment.
    pub(crate) async fn shows(self, database: &Database, collection: &str) -> Result<bool, Error> {
        let mut look = self.find(collection);
        look.extend(doc! {"limit": 1, "singleBatch": true});
        match database.run_command(look).await {
            Ok(_) => Ok(true),
            Err(error) if code(&error) == Some(SNAPSHOT_UNAVAILABLE) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn find(self, collection: &str) -> Document {
        doc! {
            "find": collection,
            "sort": {"_id": 1},
            // Without it a store could choose to sort everything in memory.
            "hint": {"_id": 1},
            "batchSize": 1000,
            "readConcern": {"level": "snapshot", "atClusterTime": self.time},
        }
    }
}

/// Whether reading took longer than the store remembers.
pub(crate) fn is_too_old(error: &Error) -> bool {
    code(error) == Some(SNAPSHOT_TOO_OLD)
}

fn code(error: &Error) -> Option<i32> {
    match error.kind.as_ref() {
        ErrorKind::Command(command) => Some(command.code),
        _ => None,
    }
}
