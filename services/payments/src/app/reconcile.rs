//! The reconciler: whatever was left behind by a crash, a timeout or a lost message is found here and carried on.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::App;
use super::drive::Reach;

const ROUND: Duration = Duration::from_secs(1);
const BATCH: i64 = 64;

impl App {
    /// Looks every second until told to stop, and then finishes what it began.
    pub(crate) async fn reconcile(self: Arc<Self>, stop: CancellationToken) {
        let work = TaskTracker::new();
        while stop
            .run_until_cancelled(self.reconcile_once(&work))
            .await
            .is_some()
        {
            if stop
                .run_until_cancelled(tokio::time::sleep(ROUND))
                .await
                .is_none()
            {
                break;
            }
        }
        work.close();
        work.wait().await;
    }

    async fn reconcile_once(&self, work: &TaskTracker) {
        let due = match self.rows.due(BATCH).await {
            Ok(due) => due,
            Err(error) => {
                tracing::warn!(%error, "payments that are due cannot be read");
                return;
            }
        };
        for id in due {
            let Ok(permit) = self.workers.clone().acquire_owned().await else {
                return;
            };
            let app = self.clone();
            work.spawn(async move {
                if let Err(error) = app.take_and_drive(id, Reach::Look).await {
                    tracing::warn!(payment = %id, %error, "a payment could not be carried on");
                }
                drop(permit);
            });
        }
    }
}
