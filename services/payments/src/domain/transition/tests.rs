//! What holds whatever is learnt in whatever order.

mod world;

use std::collections::{HashSet, VecDeque};

use bigtix_contracts::{Cents, OrderId, UserId};
use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use world::{Card, World};

pub(super) const AMOUNT: Cents = Cents(1999);

pub(super) fn begun() -> Payment {
    let (id, order, user) = ([1; 12], [2; 12], [3; 12]);
    let source = "tok_visa".parse().unwrap();
    let (id, order, user) = (
        PaymentId::from_bytes(id),
        OrderId::from_bytes(order),
        UserId::from_bytes(user),
    );
    Payment::begin(id, order, user, AMOUNT, source, Timestamp::UNIX_EPOCH)
}

pub(super) fn intent(status: IntentStatus) -> Intent {
    Intent {
        id: IntentId("pi_1".into()),
        status,
        amount: AMOUNT,
        client_secret: Some("pi_1_secret".into()),
        last_error: Some("Your card was declined.".into()),
        payment_id: Some(PaymentId::from_bytes([1; 12])),
        refunded: Cents(0),
        disputed: false,
    }
}

fn after(payment: &Payment, inputs: &[Input]) -> Payment {
    inputs
        .iter()
        .fold(payment.clone(), |payment, input| match next(&payment, input) {
            Decision::Stay => payment,
            Decision::Become(after) => *after,
        })
}

fn seen(status: IntentStatus) -> Input {
    Input::Seen(intent(status))
}

#[test]
fn a_payment_is_authorised_confirmed_captured_and_completed_in_this_order() {
    let steps = [
        seen(IntentStatus::RequiresCapture),
        Input::Confirmed,
        seen(IntentStatus::Succeeded),
        Input::Completed,
    ];
    let phases = [
        Phase::Authorised,
        Phase::Capturing,
        Phase::Captured,
        Phase::Succeeded,
    ];
    for (count, phase) in phases.into_iter().enumerate() {
        assert_eq!(after(&begun(), &steps[..=count]).phase, phase);
    }
    let reversed: Vec<Input> = steps.iter().skip(1).rev().cloned().collect();
    assert_eq!(after(&begun(), &reversed[..1]).phase, Phase::Creating);
}

#[test]
fn a_failed_authentication_cancels_the_intent_before_the_payment_has_failed() {
    let asked = after(&begun(), &[seen(IntentStatus::RequiresAction)]);
    assert_eq!(asked.client_secret.as_deref(), Some("pi_1_secret"));
    let refused = after(&asked, &[seen(IntentStatus::RequiresPaymentMethod)]);
    assert_eq!(
        refused.due(Timestamp::UNIX_EPOCH),
        Some(crate::domain::Call::Cancel)
    );
    assert_eq!(refused.client_secret, None);
    let ended = after(&refused, &[seen(IntentStatus::Canceled)]);
    assert_eq!(
        ended.phase,
        Phase::Failed(Failure::Declined("Your card was declined.".into()))
    );
    assert!(!ended.live);
}

#[test]
fn that_a_bank_was_asked_is_kept_whoever_wrote_the_row_that_waits() {
    let waits = Payment {
        bank_asked: false,
        ..after(&begun(), &[seen(IntentStatus::RequiresAction)])
    };
    for left in [IntentStatus::RequiresPaymentMethod, IntentStatus::RequiresCapture] {
        assert!(after(&waits, &[seen(left)]).bank_asked);
    }
    assert!(!after(&begun(), &[seen(IntentStatus::RequiresCapture)]).bank_asked);
}

#[test]
fn a_hold_over_another_amount_is_voided() {
    let other = Intent {
        amount: Cents(1),
        ..intent(IntentStatus::RequiresCapture)
    };
    let voided = after(&begun(), &[Input::Seen(other)]);
    assert_eq!(voided.phase, Phase::Voiding(End::Failed(Failure::Provider)));
}

#[test]
fn a_charge_that_turns_up_after_the_end_goes_back() {
    let ended = after(&begun(), &[Input::NoIntent]);
    assert_eq!(ended.phase, Phase::Failed(Failure::Provider));
    let voiding = after(&ended, &[seen(IntentStatus::RequiresCapture)]);
    assert!(matches!(voiding.phase, Phase::Voiding(_)) && !voiding.live);
    let refunding = after(&ended, &[seen(IntentStatus::Succeeded)]);
    assert!(matches!(
        refunding.phase,
        Phase::Refunding(Refund {
            cause: Cause::SafetyNet(_),
            ..
        })
    ));
}

#[test]
fn a_hold_that_is_lost_fails_the_order_that_may_have_been_confirmed_for_it() {
    for steps in [vec![], vec![Input::Confirmed]] {
        let held = after(&after(&begun(), &[seen(IntentStatus::RequiresCapture)]), &steps);
        let lapsed = after(&held, &[seen(IntentStatus::Canceled)]);
        assert_eq!(lapsed.due(Timestamp::UNIX_EPOCH), Some(crate::domain::Call::Fail));
        assert_eq!(
            after(&lapsed, &[Input::OrderFailed]).phase,
            Phase::Failed(Failure::Lapsed)
        );
    }
}

#[test]
fn a_hold_that_was_captured_instead_of_voided_goes_back() {
    let voiding = Payment {
        phase: Phase::Voiding(End::Cancelled(Closure::Expired)),
        ..begun()
    };
    let refunding = after(&voiding, &[seen(IntentStatus::Succeeded)]);
    let expected = Refund {
        relist: false,
        cause: Cause::SafetyNet(Closure::Expired),
    };
    assert_eq!(refunding.phase, Phase::Refunding(expected));
}

#[test]
fn a_refund_at_stripe_by_hand_reaches_the_order() {
    let paid = Payment {
        phase: Phase::Succeeded,
        ..begun()
    };
    let returned = Intent {
        refunded: AMOUNT,
        ..intent(IntentStatus::Succeeded)
    };
    let told = after(&paid, &[Input::Seen(returned)]);
    assert_eq!(
        told.phase,
        Phase::Returned(Refund {
            relist: false,
            cause: Cause::Stripe
        })
    );
    assert!(matches!(
        after(&told, &[Input::OrderRefunded]).phase,
        Phase::Refunded(_)
    ));
}

/// Every state of the small world that can be reached, whatever is lost, late, repeated or interrupted.
#[test]
fn money_is_never_kept_for_a_closed_order_and_everything_settles() {
    for card in [Card::Good, Card::Challenged, Card::Declined] {
        let (mut known, mut open) = (HashSet::new(), VecDeque::from([World::new(card)]));
        while let Some(world) = open.pop_front() {
            if !known.insert(world.clone()) {
                continue;
            }
            world.check();
            world.clone().settle().check_settled();
            open.extend(world.successors());
        }
        assert!(known.len() > 50, "{card:?}: {} states", known.len());
        assert!(known.iter().any(World::is_paid) == (card != Card::Declined));
    }
}

fn arbitrary_intent() -> impl Strategy<Value = Intent> {
    let status = prop_oneof![
        Just(IntentStatus::RequiresPaymentMethod),
        Just(IntentStatus::RequiresConfirmation),
        Just(IntentStatus::RequiresAction),
        Just(IntentStatus::Processing),
        Just(IntentStatus::RequiresCapture),
        Just(IntentStatus::Succeeded),
        Just(IntentStatus::Canceled),
    ];
    (
        status,
        prop_oneof![Just("pi_1"), Just("pi_2")],
        prop_oneof![Just(0), Just(1), Just(AMOUNT.0)],
    )
        .prop_map(|(status, id, refunded)| Intent {
            id: IntentId(id.into()),
            refunded: Cents(refunded),
            ..intent(status)
        })
}

fn arbitrary_input() -> impl Strategy<Value = Input> {
    let refund = prop_oneof![
        Just(RefundStatus::Pending),
        Just(RefundStatus::Succeeded),
        Just(RefundStatus::Failed)
    ];
    let closure = prop_oneof![
        Just(Closure::Expired),
        Just(Closure::Cancelled),
        Just(Closure::Complete)
    ];
    prop_oneof![
        6 => arbitrary_intent().prop_map(Input::Seen),
        1 => Just(Input::NoIntent),
        1 => Just(Input::Declined { message: "No.".into(), intent: Some(IntentId("pi_1".into())) }),
        1 => Just(Input::SourceRefused),
        1 => Just(Input::ProviderRefused),
        2 => Just(Input::Confirmed),
        1 => closure.prop_map(Input::OrderClosed),
        2 => Just(Input::Completed),
        1 => Just(Input::OrderFailed),
        1 => Just(Input::OrderAwaits),
        1 => Just(Input::Superseded),
        1 => any::<bool>().prop_map(|relist| Input::RefundAsked { relist, request: PaymentId::from_bytes([9; 12]) }),
        2 => refund.prop_map(|status| Input::RefundSeen { id: "re_1".into(), status }),
        1 => Just(Input::RefundRefused),
        1 => Just(Input::OrderRefunded),
        1 => Just(Input::Disputed),
    ]
}

proptest! {
    #[test]
    fn whatever_is_learnt_a_payment_only_goes_forward(inputs in prop::collection::vec(arbitrary_input(), 1..40)) {
        let mut before = begun();
        for input in &inputs {
            let Decision::Become(after) = next(&before, input) else { continue };
            prop_assert_ne!(&*after, &before, "a change changes something");
            prop_assert!(before.live || !after.live, "an ended payment does not come back to life");
            prop_assert!(before.intent.is_none() || before.intent == after.intent, "the intent stays the same");
            prop_assert_eq!(after.version, before.version, "the version is the store's");
            prop_assert!(after.client_secret.is_none() || after.phase == Phase::RequiresAction);
            if matches!(before.phase, Phase::Refunded(_)) {
                prop_assert_eq!(&after.phase, &before.phase, "what is refunded stays so");
            }
            if before.phase == Phase::Succeeded && after.phase != Phase::Succeeded {
                prop_assert!(matches!(after.phase, Phase::Refunding(_) | Phase::Returned(_)));
            }
            if after.phase == Phase::Capturing && before.phase != Phase::Capturing {
                prop_assert_eq!(input, &Input::Confirmed, "nothing is captured before the order is confirmed");
            }
            before = *after;
        }
    }

    #[test]
    fn the_same_news_twice_changes_nothing_more(inputs in prop::collection::vec(arbitrary_input(), 0..20), news in arbitrary_input()) {
        let before = after(&begun(), &inputs);
        let once = after(&before, std::slice::from_ref(&news));
        let is_a_look_at_money = matches!(news, Input::Seen(_));
        let twice = after(&once, std::slice::from_ref(&news));
        // A stale look may be followed by another step of the same look, never by more than that.
        let settled = after(&twice, std::slice::from_ref(&news));
        prop_assert!(once == twice || (is_a_look_at_money && settled == twice));
    }
}
