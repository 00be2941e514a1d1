//! What must hold, by name.

use bigtix_contracts::events::OrderStatus;
use bigtix_payments::domain::{IntentStatus, Phase};
use stateright::Property;

use super::saga::{Bounds, Saga};
use super::world::World;

pub(crate) fn all(bounds: &Bounds) -> Vec<Property<Saga>> {
    let mut all = safety();
    all.extend(at_rest());
    all.extend(reached());
    if bounds.payments.iter().filter(|order| **order == 0).count() > 1 {
        all.push(Property::sometimes(
            "a second payment completes the order",
            |_, world: &World| world.phase(1) == Some(&Phase::Succeeded) && world.phase(0).is_some(),
        ));
    }
    if bounds.orders > 1 {
        all.push(Property::sometimes(
            "the ticket of an order that ended is reserved again",
            |_, world: &World| {
                let is =
                    |order: usize, status| world.current(order).is_some_and(|it| it.state.status == status);
                is(0, OrderStatus::Cancelled) && is(1, OrderStatus::Created)
            },
        ));
        all.push(Property::sometimes(
            "the ticket of a refunded order is reserved again",
            |_, world: &World| {
                let is =
                    |order: usize, status| world.current(order).is_some_and(|it| it.state.status == status);
                is(0, OrderStatus::Refunded) && is(1, OrderStatus::Created)
            },
        ));
    }
    all
}

/// What holds in every state.
fn safety() -> Vec<Property<Saga>> {
    vec![
        Property::always("a ticket is sold once", |_, world: &World| {
            let held = world.orders.iter().filter_map(|order| order.last());
            held.filter(|order| order.state.holds_tickets()).count() <= 1
        }),
        Property::always(
            "captured money belongs to an order that awaits it or is complete",
            |_, world: &World| {
                (0..world.payments.len()).all(|place| world.kept(place) == 0 || is_wanted(world, place))
            },
        ),
        Property::always("a payment is captured at most once", |_, world: &World| {
            let captures = |place: usize| {
                let intents = world.books[place].intents.iter();
                intents.map(|record| record.captures).sum::<u8>()
            };
            (0..world.payments.len()).all(|place| captures(place) <= 1)
        }),
        Property::always("an order's buyer is charged at most once", |_, world: &World| {
            (0..world.orders.len()).all(|order| kept_for(world, order) <= 1)
        }),
        Property::always("money goes back at most once", |_, world: &World| {
            let mut records = world.books.iter().flat_map(|books| &books.intents);
            records.all(|record| record.refunds <= record.captures.min(1))
        }),
        Property::always("a complete order is paid for", |_, world: &World| {
            world.orders.iter().filter_map(|order| order.last()).all(|order| {
                let paid_by = order.state.payment_id.map(World::place_of_payment);
                order.state.status != OrderStatus::Complete
                    || paid_by.is_some_and(|place| {
                        world.books[place]
                            .intents
                            .iter()
                            .any(|record| record.captures > 0)
                    })
            })
        }),
        Property::always(
            "a payment that succeeded has completed its order",
            |_, world: &World| {
                (0..world.payments.len()).all(|place| {
                    world.phase(place) != Some(&Phase::Succeeded)
                        || order_of(world, place).is_some_and(|status| {
                            matches!(status, OrderStatus::Complete | OrderStatus::Refunded)
                        })
                })
            },
        ),
        Property::always("versions never go back", |_, world: &World| !world.went_back),
        Property::always("no order is confirmed after its time", |_, world: &World| {
            !world.was_late
        }),
    ]
}

/// What holds once nothing goes wrong any more.
fn at_rest() -> Vec<Property<Saga>> {
    vec![
        Property::always("every run ends", |saga: &Saga, world| saga.comes_to_rest(world)),
        Property::always("at rest every order has ended", |saga: &Saga, world| {
            !is_at_rest(saga, world)
                || world.orders.iter().filter_map(|order| order.last()).all(|order| {
                    !matches!(
                        order.state.status,
                        OrderStatus::Created | OrderStatus::AwaitingPayment
                    )
                })
        }),
        Property::always("at rest every payment is settled", |saga: &Saga, world| {
            !is_at_rest(saga, world)
                || world
                    .payments
                    .iter()
                    .flatten()
                    .all(|it| it.is_settled() && it.phase != Phase::RequiresAction)
        }),
        Property::always(
            "at rest money is kept if and only if its order is complete",
            |saga: &Saga, world| {
                !is_at_rest(saga, world)
                    || (0..world.orders.len()).all(|order| {
                        let complete = world
                            .current(order)
                            .is_some_and(|it| it.state.status == OrderStatus::Complete);
                        (kept_for(world, order) == 1) == complete
                    })
            },
        ),
        Property::always("at rest nothing is on hold", |saga: &Saga, world| {
            !is_at_rest(saga, world)
                || world
                    .books
                    .iter()
                    .flat_map(|books| &books.intents)
                    .all(|record| record.status != IntentStatus::RequiresCapture)
        }),
    ]
}

/// What the bounds are wide enough for: a property that nothing can break proves nothing.
fn reached() -> Vec<Property<Saga>> {
    vec![
        Property::sometimes("an order is complete", |_, world: &World| {
            world
                .orders
                .iter()
                .filter_map(|order| order.last())
                .any(|order| order.state.status == OrderStatus::Complete)
        }),
        Property::sometimes("a hold that came too late is given back", |_, world: &World| {
            (0..world.payments.len()).any(|place| {
                matches!(world.phase(place), Some(Phase::Cancelled(_)))
                    && world.books[place]
                        .intents
                        .iter()
                        .any(|record| record.status == IntentStatus::Canceled)
            })
        }),
        Property::sometimes("a hold that lapsed fails its order", |_, world: &World| {
            world
                .orders
                .iter()
                .filter_map(|order| order.last())
                .any(|order| order.state.reason == Some(bigtix_contracts::events::CancelReason::Failed))
        }),
        Property::sometimes(
            "a refund in Stripe's dashboard reaches the order",
            |_, world: &World| {
                (0..world.payments.len()).any(|place| match world.phase(place) {
                    Some(Phase::Refunded(refund)) => refund.cause == bigtix_payments::domain::Cause::Stripe,
                    _ => false,
                })
            },
        ),
    ]
}

fn is_at_rest(saga: &Saga, world: &World) -> bool {
    world.requests.is_empty() && world.answers.is_empty() && saga.calm_step(world).is_none()
}

fn order_of(world: &World, place: usize) -> Option<OrderStatus> {
    let payment = world.payments[place].as_ref()?;
    let order = world.current(World::place_of_order(payment.order_id))?;
    Some(order.state.status)
}

fn is_wanted(world: &World, place: usize) -> bool {
    let Some(payment) = world.payments[place].as_ref() else {
        return false;
    };
    let order = world.current(World::place_of_order(payment.order_id));
    order.is_some_and(|order| {
        matches!(
            order.state.status,
            OrderStatus::AwaitingPayment | OrderStatus::Complete
        ) && order.state.payment_id == Some(payment.id)
    })
}

fn kept_for(world: &World, order: usize) -> usize {
    let is_of = |place: &usize| {
        world.payments[*place]
            .as_ref()
            .is_some_and(|payment| World::place_of_order(payment.order_id) == order)
    };
    (0..world.payments.len())
        .filter(is_of)
        .map(|place| world.kept(place))
        .sum()
}
