//! Reading orders.

use bigtix_contracts::events::{OrderState, Versioned};
use bigtix_contracts::{OrderId, UserId};
use bigtix_service::http::Page;
use mongodb::error::Error;

use super::Partition;

impl Partition {
    /// The order as it is now, at the prices that count; one whose time is over is expired first.
    pub(crate) async fn find_order(&self, id: OrderId) -> Result<Option<Versioned<OrderState>>, Error> {
        let found = self.orders.find(id).await?;
        let mut looked = self.second_look.read(found.into_iter().collect()).await?;
        Ok(looked.pop())
    }

    /// A page of a buyer's orders, newest first, and one more where there are more.
    pub(crate) async fn find_orders_of(
        &self,
        buyer: UserId,
        page: &Page,
    ) -> Result<Vec<Versioned<OrderState>>, Error> {
        self.second_look
            .read(self.orders.find_of(buyer, page).await?)
            .await
    }
}
