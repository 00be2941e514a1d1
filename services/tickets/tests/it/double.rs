//! The claims of the orders service, kept in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use bigtix_contracts::events::{TicketState, Versioned};
use bigtix_contracts::internal::{Claim, ClaimOutcome, ReleaseClaim, paths};
use bigtix_contracts::{OrderId, TicketId};
use futures::future::BoxFuture;
use serde_json::{Value, json};

/// Runs once, after a claim was granted and before the answer leaves.
pub(crate) type AfterClaim = Box<dyn FnOnce(Claim) -> BoxFuture<'static, ()> + Send>;

#[derive(Default)]
struct Book {
    holders: BTreeMap<TicketId, OrderId>,
    released: BTreeSet<OrderId>,
    copies: BTreeMap<TicketId, Versioned<TicketState>>,
    refuses_claims: bool,
    refuses_releases: bool,
    after_claim: Option<AfterClaim>,
}

/// Who holds what.
#[derive(Clone, Default)]
pub(crate) struct Claims {
    book: Arc<Mutex<Book>>,
}

impl Claims {
    /// Serves the calls; returns the address.
    pub(crate) async fn serve(&self) -> String {
        let routes = Router::new()
            .route(paths::CLAIM, post(claim))
            .route(paths::RELEASE, post(release))
            .with_state(self.clone());
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, routes).await });
        format!("http://{address}")
    }

    /// An order takes the ticket.
    pub(crate) fn reserve(&self, ticket: TicketId) -> bool {
        let mut book = self.book.lock().unwrap();
        let is_free = !book.holders.contains_key(&ticket);
        book.holders
            .entry(ticket)
            .or_insert(OrderId::from_bytes([0xff; 12]));
        is_free
    }

    pub(crate) fn is_held(&self, ticket: TicketId) -> bool {
        self.book.lock().unwrap().holders.contains_key(&ticket)
    }

    /// What orders knows of the ticket by now.
    pub(crate) fn copy(&self, ticket: TicketId) -> Option<Versioned<TicketState>> {
        self.book.lock().unwrap().copies.get(&ticket).cloned()
    }

    pub(crate) fn refuse_claims(&self, refuse: bool) {
        self.book.lock().unwrap().refuses_claims = refuse;
    }

    pub(crate) fn refuse_releases(&self, refuse: bool) {
        self.book.lock().unwrap().refuses_releases = refuse;
    }

    pub(crate) fn after_next_claim(&self, act: AfterClaim) {
        self.book.lock().unwrap().after_claim = Some(act);
    }

    /// As if it had been released before.
    pub(crate) fn let_go(&self, claim: &Claim) {
        let mut book = self.book.lock().unwrap();
        book.holders.remove(&claim.ticket_id);
        book.released.insert(claim.claim_id);
    }

    fn take(&self, claim: &Claim) -> Result<(ClaimOutcome, Option<AfterClaim>), StatusCode> {
        let mut book = self.book.lock().unwrap();
        if book.refuses_claims {
            return Err(StatusCode::INTERNAL_SERVER_ERROR);
        }
        if book.released.contains(&claim.claim_id) {
            return Ok((ClaimOutcome::Released, None));
        }
        if *book.holders.entry(claim.ticket_id).or_insert(claim.claim_id) != claim.claim_id {
            return Ok((ClaimOutcome::Taken, None));
        }
        Ok((ClaimOutcome::Claimed, book.after_claim.take()))
    }
}

async fn claim(
    State(claims): State<Claims>,
    Json(claim): Json<Claim>,
) -> Result<Json<ClaimOutcome>, StatusCode> {
    let (outcome, act) = claims.take(&claim)?;
    if let Some(act) = act {
        act(claim).await;
    }
    Ok(Json(outcome))
}

async fn release(
    State(claims): State<Claims>,
    Json(release): Json<ReleaseClaim>,
) -> Result<Json<Value>, StatusCode> {
    let mut book = claims.book.lock().unwrap();
    if book.refuses_releases {
        return Err(StatusCode::INTERNAL_SERVER_ERROR);
    }
    let ReleaseClaim { claim_id, ticket } = release;
    let (id, withdrawn) = (ticket.state.id, ticket.state.withdrawn);
    if book
        .copies
        .get(&id)
        .is_none_or(|copy| copy.version < ticket.version)
    {
        book.copies.insert(id, ticket);
    }
    if book.holders.get(&id) == Some(&claim_id) && !withdrawn {
        book.holders.remove(&id);
    }
    book.released.insert(claim_id);
    Ok(Json(json!({})))
}
