//! Orders.

use bigtix_contracts::OrderId;
use bigtix_contracts::api::orders::{Order, SafeDetails};
use reqwest::Method;

use crate::call::{json, nothing};
use crate::{Call, Client, List, NewOrder};

impl Client {
    fn orders_url(&self, rest: &str) -> String {
        format!("{}/api/orders{rest}", self.bases.orders)
    }

    /// The caller's orders.
    pub fn orders(&self) -> List<Order> {
        List::new(self, self.orders_url(""))
    }

    /// One of the caller's orders.
    pub fn order(&self, id: OrderId) -> Call<Order> {
        Call::new(self, Method::GET, self.orders_url(&format!("/{id}")), json)
    }

    /// What anybody who is signed in may know about an order.
    pub fn order_safe_details(&self, id: OrderId) -> Call<SafeDetails> {
        let url = self.orders_url(&format!("/get-order-safe-details/{id}"));
        Call::new(self, Method::GET, url, json)
    }

    /// Reserves tickets.
    pub fn place_order(&self, order: &NewOrder) -> Call<Order> {
        Call::new(self, Method::POST, self.orders_url(""), json).body(order)
    }

    /// Gives an order up that is not paid; its tickets are free at once.
    pub fn cancel_order(&self, id: OrderId) -> Call<()> {
        Call::new(self, Method::DELETE, self.orders_url(&format!("/{id}")), nothing)
    }
}
