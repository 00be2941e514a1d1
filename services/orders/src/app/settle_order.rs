//! Reading orders, and what becomes of them after they were placed.

use bigtix_contracts::events::{OrderState, Versioned};
use bigtix_contracts::{OrderId, UserId};
use bigtix_service::http::Page;
use mongodb::error::Error;

use super::App;
use crate::domain::order::{Applied, Command};

impl App {
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

    /// Applies a command; `None` when there is no such order.
    pub(crate) async fn settle_order(&self, id: OrderId, command: Command) -> Result<Option<Applied>, Error> {
        self.orders.apply(id, command).await
    }

    /// Expires one order, if its time is over by the store's clock.
    pub(crate) async fn expire_order(&self, id: OrderId) -> Result<(), Error> {
        self.orders.apply(id, Command::Expire).await.map(|_| ())
    }
}
