//! The tickets service's internal calls, answered from memory.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use bigtix_contracts::events::{TicketState, Versioned};
use bigtix_contracts::internal::{ReadEventTickets, ReadTickets, TicketList, paths};
use bigtix_contracts::{Cents, TicketId, UserId};
use bigtix_service::mongo::new_id;
use jiff::Timestamp;

type Shelf = Arc<Mutex<BTreeMap<TicketId, Versioned<TicketState>>>>;

/// What the catalogue holds.
#[derive(Clone, Default)]
pub(crate) struct Catalogue {
    shelf: Shelf,
}

impl Catalogue {
    /// Serves the catalogue; returns its address.
    pub(crate) async fn serve(&self) -> String {
        let routes = Router::new()
            .route(paths::READ_TICKETS, post(read_tickets))
            .route(paths::READ_EVENT_TICKETS, post(read_event))
            .with_state(self.shelf.clone());
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, routes).await });
        format!("http://{address}")
    }

    /// Lists a ticket.
    pub(crate) fn list(&self, price: i64, event_id: Option<&str>) -> Versioned<TicketState> {
        let ticket = self.unlisted(price, event_id);
        self.put(ticket.clone());
        ticket
    }

    /// Puts a ticket on the shelf.
    pub(crate) fn put(&self, ticket: Versioned<TicketState>) {
        self.shelf.lock().unwrap().insert(ticket.state.id, ticket);
    }

    /// A ticket that nobody can find yet.
    pub(crate) fn unlisted(&self, price: i64, event_id: Option<&str>) -> Versioned<TicketState> {
        let id = TicketId::from_bytes(new_id());
        let state = TicketState {
            id,
            user_id: UserId::from_bytes(new_id()),
            title: format!("Seat {id}"),
            price: Cents(price),
            description: String::new(),
            serial_number: id.to_string(),
            event_id: event_id.map(str::to_owned),
            event: None,
            withdrawn: false,
            created_at: Timestamp::now(),
        };
        Versioned { version: 0, state }
    }
}

async fn read_tickets(State(shelf): State<Shelf>, Json(read): Json<ReadTickets>) -> Json<TicketList> {
    let shelf = shelf.lock().unwrap();
    let tickets = read.ids.iter().filter_map(|id| shelf.get(id).cloned()).collect();
    Json(TicketList {
        tickets,
        versions: Vec::new(),
        event_exists: true,
    })
}

async fn read_event(State(shelf): State<Shelf>, Json(read): Json<ReadEventTickets>) -> Json<TicketList> {
    let shelf = shelf.lock().unwrap();
    let of_event = |ticket: &&Versioned<TicketState>| ticket.state.event_id.as_ref() == Some(&read.event_id);
    let tickets: Vec<_> = shelf.values().filter(of_event).cloned().collect();
    let event_exists = !tickets.is_empty();
    let (tickets, versions) = if read.versions_only {
        let version = |ticket: &Versioned<TicketState>| (ticket.state.id, ticket.version);
        (Vec::new(), tickets.iter().map(version).collect())
    } else {
        (tickets, Vec::new())
    };
    Json(TicketList {
        tickets,
        versions,
        event_exists,
    })
}
