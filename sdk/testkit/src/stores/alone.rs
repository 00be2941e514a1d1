//! mongod by itself, for work on a shop's data while nothing else runs.

use super::{MONGODB_ROOT, Store, StoreError, StoresConfig, mongodb, start};

/// A running mongod. Dropping it kills it; [`Mongod::stop`] lets it finish. One that dies is not started again.
pub struct Mongod {
    store: Store,
    root: String,
}

impl Mongod {
    /// Starts it in the folder, with its users and as the stores of a shop are started there.
    ///
    /// # Errors
    /// When it cannot be started.
    pub async fn start(config: &StoresConfig) -> Result<Self, StoreError> {
        let (mut secrets, store) = start::start_mongod(config).await?;
        Ok(Self {
            store,
            root: secrets.get(MONGODB_ROOT),
        })
    }

    /// Its address for its administrator, who may use every database.
    pub fn admin_uri(&self) -> String {
        mongodb::admin_uri(self.store.port.number(), &self.root)
    }

    /// Stops it with its grace.
    pub async fn stop(self) {
        self.store.child.stop().await;
    }
}
