//! What the databases of a service bring to its one relay.
//!
//! The first database has the lease and the progress as well, so without it there is nothing to go on with. Another one that
//! is away holds up nobody but its own documents.

use std::sync::Arc;
use std::time::Duration;

use mongodb::error::Error;
use tokio::sync::mpsc::{self, Receiver};
use tokio_util::task::AbortOnDropHandle;

use super::Source;
use super::feed::{Feed, Item};
use super::progress::Positions;
use crate::mongo::Mongo;
use crate::nats::backoff::Backoff;

const FEED_AHEAD: usize = 256;

/// Feeds side by side; dropping them ends them.
pub(crate) struct Feeds {
    items: Receiver<(usize, Item)>,
    first: AbortOnDropHandle<Result<(), Error>>,
    _further: Vec<AbortOnDropHandle<()>>,
}

impl Feeds {
    /// Begins where `positions` say, by the databases' numbers.
    pub(crate) fn begin(databases: &[Mongo], source: &Arc<Source>, positions: &Positions) -> Self {
        let (sender, items) = mpsc::channel(FEED_AHEAD);
        let feed = |database: usize| {
            Feed::new(
                databases[database].clone(),
                Arc::clone(source),
                positions[database].clone(),
                sender.clone(),
                database,
            )
        };
        let mut first = feed(0);
        let further = (1..databases.len()).map(|database| tokio::spawn(persist(feed(database), database)));
        Self {
            items,
            _further: further.map(AbortOnDropHandle::new).collect(),
            first: AbortOnDropHandle::new(tokio::spawn(async move { first.run().await })),
        }
    }

    /// The next item and the number of its database.
    ///
    /// # Errors
    /// Those of the first database, when all that was brought before has been taken.
    pub(crate) async fn next(&mut self) -> Result<(usize, Item), Error> {
        let ended = tokio::select! {
            biased;
            Some(item) = self.items.recv() => return Ok(item),
            ended = &mut self.first => ended,
        };
        Err(match ended {
            Ok(Err(error)) => error,
            Ok(Ok(())) => Error::custom("the feed ended by itself"),
            Err(error) => Error::custom(error),
        })
    }
}

async fn persist(mut feed: Feed, database: usize) {
    let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(5));
    while let Err(error) = feed.run().await {
        tracing::warn!(database, %error, "what changes in a database cannot be read now");
        tokio::time::sleep(backoff.next()).await;
    }
}
