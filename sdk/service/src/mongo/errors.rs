//! What an error of the store means for the caller.

use mongodb::error::{Error, ErrorKind, IndexedWriteError, WriteFailure};

const DUPLICATE_KEY: i32 = 11000;

/// Codes of a server that stopped, stepped down or ran out of time while it worked: the write may have happened.
const INTERRUPTED: [i32; 12] = [6, 7, 50, 64, 89, 91, 189, 262, 9001, 11600, 11601, 11602];

/// Why the store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MongoError {
    /// The connection string cannot be read. What is wrong with it is not said, as it holds a password.
    #[error("the URI is not a MongoDB connection string")]
    Uri,
    /// A stand-alone server keeps no oplog: it has no majority, no change streams and no transactions.
    #[error(
        "the MongoDB server is not a member of a replica set; start mongod with --replSet and initiate it"
    )]
    NotAReplicaSet,
    /// Somebody began to restore a backup into the database, and has not finished.
    #[error(
        "the database {database} is half restored: a restore of {archive} was begun and did not end. Restore again \
         before anything uses the shop; on one machine with `bigtix restore`"
    )]
    HalfRestored {
        /// The database.
        database: String,
        /// What was being restored.
        archive: String,
    },
    /// The server has no such index, or another one under its name.
    #[error("collection {collection} lacks the index {index} as it was asked for")]
    Index {
        /// The collection.
        collection: String,
        /// The index.
        index: String,
    },
    /// Anything that the driver reports.
    #[error(transparent)]
    Driver(#[from] Error),
}

/// A unique index refused a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DuplicateKey {
    /// The name of the index; `_id_` for the id.
    pub index: String,
}

/// Which unique index refused the write, if that is what happened. Of several refused inserts the first one counts.
pub fn duplicate_key(error: &Error) -> Option<DuplicateKey> {
    let message = match error.kind.as_ref() {
        ErrorKind::Write(WriteFailure::WriteError(write)) if write.code == DUPLICATE_KEY => &write.message,
        ErrorKind::Command(command) if command.code == DUPLICATE_KEY => &command.message,
        ErrorKind::InsertMany(many) => {
            &many
                .write_errors
                .as_ref()?
                .iter()
                .find(|write| write.code == DUPLICATE_KEY)?
                .message
        }
        _ => return None,
    };
    duplicate_key_in(DUPLICATE_KEY, message)
}

/// Whether of several inserts all were made but those that a unique index refused, and a majority has them.
pub fn only_duplicate_keys(error: &Error) -> bool {
    match error.kind.as_ref() {
        ErrorKind::InsertMany(many) => {
            let all = |refused: &Vec<IndexedWriteError>| refused.iter().all(|one| one.code == DUPLICATE_KEY);
            many.write_concern_error.is_none() && many.write_errors.as_ref().is_some_and(all)
        }
        _ => false,
    }
}

/// Which unique index refused one statement of several, from the statement's error code and message.
pub(super) fn duplicate_key_in(code: i32, message: &str) -> Option<DuplicateKey> {
    if code != DUPLICATE_KEY {
        return None;
    }
    let index = message.split_once(" index: ")?.1.split_whitespace().next()?;
    Some(DuplicateKey {
        index: index.to_owned(),
    })
}

/// Whether the write may have happened although it failed: the connection broke, the time ran out, or the write stands
/// on the primary but not yet on a majority. Only a read or an idempotent retry can tell.
pub fn outcome_unknown(error: &Error) -> bool {
    if error.contains_label(mongodb::error::NO_WRITES_PERFORMED) {
        return false;
    }
    match error.kind.as_ref() {
        ErrorKind::Io(_) | ErrorKind::ConnectionPoolCleared { .. } | ErrorKind::InvalidResponse { .. } => {
            true
        }
        ErrorKind::Write(WriteFailure::WriteConcernError(_)) => true,
        ErrorKind::InsertMany(many) => many.write_concern_error.is_some(),
        ErrorKind::Command(command) => INTERRUPTED.contains(&command.code),
        _ => false,
    }
}

/// Whether the same command may succeed when it is sent again at once: the connection broke or the primary changed.
pub(super) fn is_worth_repeating(error: &Error) -> bool {
    const NOT_PRIMARY: [i32; 3] = [10058, 10107, 13435];
    match error.kind.as_ref() {
        ErrorKind::Io(_) | ErrorKind::ConnectionPoolCleared { .. } => true,
        ErrorKind::Command(command) => {
            NOT_PRIMARY.contains(&command.code) || INTERRUPTED.contains(&command.code)
        }
        ErrorKind::Write(WriteFailure::WriteConcernError(concern)) => INTERRUPTED.contains(&concern.code),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duplicate_key_message_names_its_index() {
        let message = r#"E11000 duplicate key error collection: orders.orders index: claimed_tickets dup key: { ticketIds: "x" }"#;
        assert_eq!(
            duplicate_key_in(11000, message),
            Some(DuplicateKey {
                index: "claimed_tickets".to_owned()
            })
        );
        assert_eq!(duplicate_key_in(121, message), None);
    }

    #[test]
    fn a_broken_connection_leaves_the_outcome_unknown() {
        let broken = Error::from(std::io::Error::from(std::io::ErrorKind::ConnectionReset));
        assert!(outcome_unknown(&broken));
        assert!(is_worth_repeating(&broken));
        assert_eq!(duplicate_key(&broken), None);
    }
}
