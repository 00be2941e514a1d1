//! Changes that were left behind by an instance that died, or that could not reach orders.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use tokio_util::sync::CancellationToken;

use super::App;
use crate::adapters::intents::Intent;

/// How often is looked.
const PERIOD: Duration = Duration::from_secs(1);
/// A change that takes longer than this has been left behind.
const AGE: Duration = Duration::from_secs(10);
const AT_ONCE: usize = 8;

/// Settles changes until told to stop. Several instances may do it at once.
pub(crate) async fn settle_changes(app: Arc<App>, stop: CancellationToken) {
    while stop
        .run_until_cancelled(tokio::time::sleep(PERIOD))
        .await
        .is_some()
    {
        match app.intents.left_behind(AGE, app.clock.now()).await {
            Ok(intents) => {
                let app = app.clone();
                let settled = futures::stream::iter(intents).for_each_concurrent(AT_ONCE, move |intent| {
                    let app = app.clone();
                    async move { app.settle(intent).await }
                });
                if stop.run_until_cancelled(settled).await.is_none() {
                    return;
                }
            }
            Err(error) => tracing::warn!(%error, "changes that were left behind could not be looked for"),
        }
    }
}

impl App {
    async fn settle(&self, intent: Intent) {
        match self.try_settle(intent).await {
            Ok(()) => {
                metrics::counter!("bigtix_changes_settled_total").increment(1);
                tracing::info!(ticket = %intent.ticket_id, "settled a change that was left behind");
            }
            Err(error) => tracing::warn!(ticket = %intent.ticket_id, error, "a change cannot be settled yet"),
        }
    }

    /// Raises the version, so that whoever began the change can write no more, and releases the claim with what the
    /// ticket is then. A withdrawn ticket changes no more, so there is nobody to shut out.
    async fn try_settle(&self, intent: Intent) -> Result<(), String> {
        let reason = |error: mongodb::error::Error| error.to_string();
        while let Some(ticket) = self.tickets.find(intent.ticket_id).await.map_err(reason)? {
            let fenced = if ticket.state.withdrawn {
                Some(ticket)
            } else {
                self.tickets
                    .fence(intent.ticket_id, ticket.version, self.clock.now())
                    .await
                    .map_err(reason)?
            };
            if let Some(ticket) = fenced {
                self.release(intent, &ticket)
                    .await
                    .map_err(|error| error.to_string())?;
                break;
            }
        }
        self.intents.end(intent).await.map_err(reason)
    }
}
