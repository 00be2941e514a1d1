//! Payments.

use bigtix_contracts::OrderId;
use bigtix_contracts::api::payments::Payment;
use reqwest::Method;
use serde::Serialize;

use crate::call::json;
use crate::{Call, Client};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NewPayment<'a> {
    order_id: OrderId,
    token: &'a str,
}

#[derive(Serialize)]
struct Refund {
    relist: bool,
}

impl Client {
    fn payments_url(&self, rest: &str) -> String {
        format!("{}/api/payments{rest}", self.bases.payments)
    }

    /// Pays for an order with what the buyer's browser got from Stripe: a payment method (`pm_`), a token (`tok_`) or
    /// a confirmation token (`ctoken_`). With `requires_action` the buyer's bank has to be asked first.
    pub fn pay(&self, order: OrderId, token: &str) -> Call<Payment> {
        let body = NewPayment {
            order_id: order,
            token,
        };
        Call::new(self, Method::POST, self.payments_url(""), json).body(&body)
    }

    /// Goes on with a payment after the buyer's bank has answered.
    pub fn continue_payment(&self, order: OrderId) -> Call<Payment> {
        let url = self.payments_url(&format!("/{order}/continue"));
        Call::new(self, Method::POST, url, json)
    }

    /// The latest payment for an order.
    pub fn payment(&self, order: OrderId) -> Call<Payment> {
        Call::new(self, Method::GET, self.payments_url(&format!("/{order}")), json)
    }

    /// Gives the money of a complete order back; with `relist` its tickets go on sale again.
    pub fn refund(&self, order: OrderId, relist: bool) -> Call<Payment> {
        let url = self.payments_url(&format!("/{order}/refund"));
        Call::new(self, Method::POST, url, json).body(&Refund { relist })
    }
}
