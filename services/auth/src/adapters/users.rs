//! The collection `users`: one document per person, unique by email, and its own outbox.

use bigtix_contracts::UserId;
use bigtix_contracts::events::{Envelope, UserState};
use bigtix_service::clock::wall;
use bigtix_service::mongo::{
    Mongo, MongoError, duplicate_key, from_bson_time, new_id, to_bson_time, to_object_id,
};
use bigtix_service::outbox::ReadError;
use bson::{Document, doc};
use mongodb::error::Error;
use mongodb::options::IndexOptions;
use mongodb::{Collection, IndexModel};

use super::passwords::PasswordHash;
use crate::domain::credentials::Email;

/// The name of the collection.
pub(crate) const USERS: &str = "users";

/// Somebody who signed up.
#[derive(Debug, Clone)]
pub(crate) struct User {
    pub(crate) id: UserId,
    pub(crate) password_hash: PasswordHash,
}

/// What became of a sign-up.
pub(crate) enum Inserted {
    /// The address is this user's now.
    User(UserId),
    /// It is somebody's already.
    EmailInUse,
}

/// Everybody who signed up.
#[derive(Clone)]
pub(crate) struct Users {
    users: Collection<Document>,
}

impl Users {
    /// Makes sure that an address can be taken once only.
    pub(crate) async fn prepare(mongo: &Mongo) -> Result<Self, MongoError> {
        let unique = IndexOptions::builder()
            .unique(true)
            .name("one_user_per_email".to_owned())
            .build();
        let index = IndexModel::builder()
            .keys(doc! {"email": 1})
            .options(unique)
            .build();
        mongo.ensure_indexes(USERS, &[index]).await?;
        Ok(Self {
            users: mongo.collection(USERS),
        })
    }

    /// The user with this address.
    pub(crate) async fn find(&self, email: &Email) -> Result<Option<User>, Error> {
        let document = self.users.find_one(doc! {"email": email.as_str()}).await?;
        document
            .map(|document| read(&document).map_err(Error::custom))
            .transpose()
    }

    /// Signs somebody up; the index decides who was first.
    pub(crate) async fn insert(
        &self,
        email: &Email,
        hash: &PasswordHash,
        traceparent: Option<String>,
    ) -> Result<Inserted, Error> {
        let id = UserId::from_bytes(new_id());
        let document = doc! {
            "_id": to_object_id(id.bytes()),
            "email": email.as_str(),
            "passwordHash": hash.as_str(),
            "createdAt": to_bson_time(wall()),
            "version": 0_i64,
            "traceparent": traceparent,
        };
        match self.users.insert_one(document).await {
            Ok(_) => Ok(Inserted::User(id)),
            Err(error) if duplicate_key(&error).is_some() => Ok(Inserted::EmailInUse),
            Err(error) => Err(error),
        }
    }

    /// Keeps `new` in place of `old`, if `old` is still what is kept. That is no change that others learn of, so the
    /// version stays.
    pub(crate) async fn replace_hash(&self, user: &User, new: &PasswordHash) -> Result<(), Error> {
        let old = doc! {"_id": to_object_id(user.id.bytes()), "passwordHash": user.password_hash.as_str()};
        self.users
            .update_one(old, doc! {"$set": {"passwordHash": new.as_str()}})
            .await?;
        Ok(())
    }
}

fn read(document: &Document) -> Result<User, ReadError> {
    let state = read_state(document)?;
    let hash = document
        .get_str("passwordHash")
        .map_err(|error| ReadError(error.to_string()))?;
    Ok(User {
        id: state.id,
        password_hash: PasswordHash::new(hash),
    })
}

fn read_state(document: &Document) -> Result<UserState, ReadError> {
    let missing = |error: bson::error::Error| ReadError(error.to_string());
    let created_at = document.get_datetime("createdAt").map_err(missing)?;
    Ok(UserState {
        id: UserId::from_bytes(document.get_object_id("_id").map_err(missing)?.bytes()),
        email: document.get_str("email").map_err(missing)?.to_owned(),
        created_at: from_bson_time(*created_at),
    })
}

/// The event that a user's document stands for.
pub(crate) fn read_event(document: &Document) -> Result<Envelope<UserState>, ReadError> {
    let state = read_state(document)?;
    let version = document
        .get_i64("version")
        .map_err(|error| ReadError(error.to_string()))?;
    let traceparent = document.get_str("traceparent").ok().map(str::to_owned);
    let created_at = state.created_at;
    Ok(Envelope::new(state, version, created_at, traceparent))
}
