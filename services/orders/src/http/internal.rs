//! What other services ask of this one.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use bigtix_contracts::OrderId;
use bigtix_contracts::events::{OrderState, Versioned};
use bigtix_contracts::internal::{
    Claim, ClaimOutcome, ConfirmOrder, ConfirmOutcome, ReadOrder, RefundOrder, ReleaseClaim, SettleOrder,
    paths,
};
use bigtix_service::http::ApiError;
use bigtix_service::internal::Call;
use serde_json::{Value, json};

use crate::app::App;
use crate::domain::order::{Applied, Command};

pub(super) fn router(app: Arc<App>) -> Router {
    Router::new()
        .route(paths::CLAIM, post(claim))
        .route(paths::RELEASE, post(release))
        .route(paths::READ_ORDER, post(read_order))
        .route(paths::CONFIRM, post(confirm))
        .route(paths::COMPLETE, post(complete))
        .route(paths::FAIL, post(fail))
        .route(paths::REFUND, post(refund))
        .with_state(app)
}

async fn claim(
    State(app): State<Arc<App>>,
    Call(claim): Call<Claim>,
) -> Result<Json<ClaimOutcome>, ApiError> {
    Ok(Json(app.claim_ticket(claim).await?))
}

async fn release(
    State(app): State<Arc<App>>,
    Call(release): Call<ReleaseClaim>,
) -> Result<Json<Value>, ApiError> {
    app.release_claim(release).await?;
    Ok(Json(json!({})))
}

async fn read_order(
    State(app): State<Arc<App>>,
    Call(read): Call<ReadOrder>,
) -> Result<Json<Versioned<OrderState>>, ApiError> {
    app.find_order(read.order_id)
        .await?
        .map(Json)
        .ok_or_else(not_found)
}

async fn confirm(
    State(app): State<Arc<App>>,
    Call(call): Call<ConfirmOrder>,
) -> Result<Json<ConfirmOutcome>, ApiError> {
    apply(&app, call.order_id, Command::Confirm(call.payment_id)).await
}

async fn complete(
    State(app): State<Arc<App>>,
    Call(call): Call<SettleOrder>,
) -> Result<Json<ConfirmOutcome>, ApiError> {
    apply(&app, call.order_id, Command::Complete(call.payment_id)).await
}

async fn fail(
    State(app): State<Arc<App>>,
    Call(call): Call<SettleOrder>,
) -> Result<Json<ConfirmOutcome>, ApiError> {
    apply(&app, call.order_id, Command::Fail(call.payment_id)).await
}

async fn refund(
    State(app): State<Arc<App>>,
    Call(call): Call<RefundOrder>,
) -> Result<Json<ConfirmOutcome>, ApiError> {
    let RefundOrder {
        order_id,
        payment_id,
        relist,
    } = call;
    apply(
        &app,
        order_id,
        Command::Refund {
            payment: payment_id,
            relist,
        },
    )
    .await
}

async fn apply(app: &App, id: OrderId, command: Command) -> Result<Json<ConfirmOutcome>, ApiError> {
    Ok(Json(
        match app.settle_order(id, command).await?.ok_or_else(not_found)? {
            Applied::Done(order) => ConfirmOutcome::Done { order },
            Applied::Refused(order) => ConfirmOutcome::Closed { order },
        },
    ))
}

fn not_found() -> ApiError {
    ApiError::not_found("Order not found")
}
