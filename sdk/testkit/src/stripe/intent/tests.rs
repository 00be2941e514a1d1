use proptest::prelude::*;

use super::*;

const APPROVE: Step = Step::Confirm {
    challenge: false,
    verdict: Verdict::Approved,
    refuse_challenge: false,
};
const CHALLENGE: Step = Step::Confirm {
    challenge: true,
    verdict: Verdict::Approved,
    refuse_challenge: false,
};

fn after(capture_method: CaptureMethod, steps: &[Step]) -> Intent {
    steps
        .iter()
        .fold(Intent::new(2_000, capture_method), |intent, step| {
            intent.step(*step).expect("a legal step").0
        })
}

fn authorised() -> Intent {
    after(CaptureMethod::Manual, &[Step::Attach, APPROVE])
}

#[test]
fn a_manual_intent_waits_for_its_capture() {
    let intent = authorised();
    assert_eq!(
        (intent.status, intent.capturable(), intent.captured),
        (Status::RequiresCapture, 2_000, 0)
    );
    let (intent, facts) = intent.step(Step::Capture(None)).expect("legal");
    assert_eq!(
        (intent.status, intent.captured, intent.captures),
        (Status::Succeeded, 2_000, 1)
    );
    assert_eq!(
        facts,
        [Fact::Captured {
            amount: 2_000,
            released: 0
        }]
    );
}

#[test]
fn an_automatic_intent_takes_the_money_at_once() {
    for method in [CaptureMethod::Automatic, CaptureMethod::AutomaticAsync] {
        let intent = after(method, &[Step::Attach, APPROVE]);
        assert_eq!(
            (intent.status, intent.captured, intent.capturable()),
            (Status::Succeeded, 2_000, 0)
        );
    }
}

#[test]
fn a_partial_capture_releases_the_rest() {
    let (intent, facts) = authorised().step(Step::Capture(Some(1_500))).expect("legal");
    assert_eq!(
        (intent.captured, intent.released, intent.refundable()),
        (1_500, 500, 1_500)
    );
    assert_eq!(
        facts,
        [Fact::Captured {
            amount: 1_500,
            released: 500
        }]
    );
}

#[test]
fn nothing_is_captured_beyond_the_hold_or_twice() {
    let over = authorised().step(Step::Capture(Some(2_001)));
    assert_eq!(over, Err(Refusal::MoreThanAuthorised { capturable: 2_000 }));
    assert_eq!(
        authorised().step(Step::Capture(Some(0))),
        Err(Refusal::NotPositive)
    );
    let captured = after(
        CaptureMethod::Manual,
        &[Step::Attach, APPROVE, Step::Capture(None)],
    );
    assert_eq!(
        captured.step(Step::Capture(None)),
        Err(Refusal::State(Status::Succeeded))
    );
}

#[test]
fn a_canceled_intent_gives_the_hold_back_and_stays_canceled() {
    let (intent, facts) = authorised()
        .step(Step::Cancel(Some(CancellationReason::Abandoned)))
        .expect("legal");
    assert_eq!(
        (intent.status, intent.released, intent.capturable()),
        (Status::Canceled, 2_000, 0)
    );
    assert_eq!(facts, [Fact::Canceled { released: 2_000 }]);
    for step in [
        APPROVE,
        Step::Attach,
        Step::Capture(None),
        Step::Cancel(None),
        Step::Amend(1),
        Step::Refund(None),
    ] {
        assert_eq!(
            intent.step(step),
            Err(Refusal::State(Status::Canceled)),
            "{step:?}"
        );
    }
}

#[test]
fn a_hold_lapses_only_while_there_is_one() {
    let (lapsed, _) = authorised().step(Step::Lapse).expect("legal");
    assert_eq!(lapsed.cancellation, Some(CancellationReason::Expired));
    let fresh = Intent::new(2_000, CaptureMethod::Manual);
    assert_eq!(
        fresh.step(Step::Lapse),
        Err(Refusal::State(Status::RequiresPaymentMethod))
    );
}

#[test]
fn a_declined_intent_can_be_paid_with_another_card() {
    let decline = Step::Confirm {
        challenge: false,
        verdict: Verdict::Declined(Decline::InsufficientFunds),
        refuse_challenge: false,
    };
    let declined = after(CaptureMethod::Manual, &[Step::Attach, decline]);
    assert_eq!(
        (declined.status, declined.has_method),
        (Status::RequiresPaymentMethod, false)
    );
    assert_eq!(declined.step(APPROVE), Err(Refusal::NoMethod));
    let paid = after(
        CaptureMethod::Manual,
        &[Step::Attach, decline, Step::Attach, APPROVE],
    );
    assert_eq!((paid.status, paid.authorisations), (Status::RequiresCapture, 1));
}

#[test]
fn three_d_secure_decides_before_the_bank_does() {
    let waiting = after(CaptureMethod::Manual, &[Step::Attach, CHALLENGE]);
    assert_eq!((waiting.status, waiting.authorised), (Status::RequiresAction, 0));
    let passed = waiting
        .step(Step::Authenticate {
            passed: true,
            verdict: Verdict::Approved,
        })
        .expect("legal");
    assert_eq!(
        (passed.0.status, passed.0.authorised),
        (Status::RequiresCapture, 2_000)
    );
    let failed = waiting
        .step(Step::Authenticate {
            passed: false,
            verdict: Verdict::Approved,
        })
        .expect("legal");
    assert_eq!(
        (failed.0.status, failed.1),
        (Status::RequiresPaymentMethod, vec![Fact::AuthenticationFailed])
    );
    assert_eq!(
        authorised().step(Step::Authenticate {
            passed: true,
            verdict: Verdict::Approved
        }),
        Err(Refusal::State(Status::RequiresCapture))
    );
}

#[test]
fn a_shop_that_rules_three_d_secure_out_is_declined() {
    let step = Step::Confirm {
        challenge: true,
        verdict: Verdict::Approved,
        refuse_challenge: true,
    };
    let (_, facts) = after(CaptureMethod::Manual, &[Step::Attach])
        .step(step)
        .expect("legal");
    assert_eq!(facts, [Fact::Declined(Decline::AuthenticationRequired)]);
}

#[test]
fn a_processing_intent_can_be_neither_confirmed_nor_canceled_until_it_is_settled() {
    let pend = Step::Confirm {
        challenge: false,
        verdict: Verdict::Pending,
        refuse_challenge: false,
    };
    let waiting = after(CaptureMethod::Manual, &[Step::Attach, pend]);
    for step in [APPROVE, Step::Cancel(None), Step::Capture(None)] {
        assert_eq!(
            waiting.step(step),
            Err(Refusal::State(Status::Processing)),
            "{step:?}"
        );
    }
    assert_eq!(
        waiting
            .step(Step::Settle { approved: true })
            .expect("legal")
            .0
            .status,
        Status::RequiresCapture
    );
    let failed = waiting.step(Step::Settle { approved: false }).expect("legal").0;
    assert_eq!(failed.status, Status::RequiresPaymentMethod);
}

#[test]
fn refunds_never_exceed_what_was_captured() {
    let captured = after(
        CaptureMethod::Manual,
        &[Step::Attach, APPROVE, Step::Capture(Some(1_500))],
    );
    assert_eq!(
        captured.step(Step::Refund(Some(1_501))),
        Err(Refusal::MoreThanRefundable { refundable: 1_500 })
    );
    let (partly, _) = captured.step(Step::Refund(Some(1_000))).expect("legal");
    let (wholly, facts) = partly.step(Step::Refund(None)).expect("legal");
    assert_eq!(facts, [Fact::Refunded { amount: 500 }]);
    assert_eq!(wholly.step(Step::Refund(None)), Err(Refusal::AlreadyRefunded));
    assert_eq!(wholly.step(Step::UndoRefund(500)).expect("legal").0, partly);
    assert_eq!(
        authorised().step(Step::Refund(None)),
        Err(Refusal::State(Status::RequiresCapture))
    );
}

#[test]
fn a_disputed_charge_is_not_refunded() {
    let (disputed, _) = after(CaptureMethod::Automatic, &[Step::Attach, APPROVE])
        .step(Step::Dispute)
        .expect("legal");
    assert_eq!(disputed.step(Step::Refund(None)), Err(Refusal::Disputed));
    assert_eq!(
        disputed.step(Step::Dispute),
        Err(Refusal::State(Status::Succeeded))
    );
}

fn verdicts() -> impl Strategy<Value = Verdict> {
    prop_oneof![
        Just(Verdict::Approved),
        Just(Verdict::Declined(Decline::Generic)),
        Just(Verdict::Pending)
    ]
}

fn steps() -> impl Strategy<Value = Step> {
    let amount = -10i64..3_000;
    prop_oneof![
        amount.clone().prop_map(Step::Amend),
        Just(Step::Attach),
        (any::<bool>(), verdicts(), any::<bool>()).prop_map(|(challenge, verdict, refuse_challenge)| {
            Step::Confirm {
                challenge,
                verdict,
                refuse_challenge,
            }
        }),
        (any::<bool>(), verdicts()).prop_map(|(passed, verdict)| Step::Authenticate { passed, verdict }),
        any::<bool>().prop_map(|approved| Step::Settle { approved }),
        proptest::option::of(amount.clone()).prop_map(Step::Capture),
        Just(Step::Cancel(None)),
        Just(Step::Lapse),
        proptest::option::of(amount.clone()).prop_map(Step::Refund),
        amount.prop_map(Step::UndoRefund),
        Just(Step::Dispute),
    ]
}

fn check(before: &Intent, now: &Intent, facts: &[Fact]) {
    assert!(now.captured >= 0 && now.released >= 0 && now.refunded >= 0);
    assert!(
        now.captured + now.released <= now.authorised,
        "more taken and released than held: {now:?}"
    );
    assert!(
        now.refunded <= now.captured,
        "more refunded than captured: {now:?}"
    );
    assert!(
        now.captures <= 1 && now.authorisations <= 1,
        "charged twice: {now:?}"
    );
    assert_eq!(now.captures == 1, now.captured > 0);
    assert_eq!(now.status == Status::Succeeded, now.captured > 0);
    assert_eq!(now.capturable() > 0, now.status == Status::RequiresCapture);
    if now.status == Status::Canceled {
        assert_eq!((now.captured, now.released), (0, now.authorised));
    }
    if before.status.is_terminal() {
        assert_eq!(before.status, now.status, "left a terminal state");
        assert_eq!((before.captured, before.released), (now.captured, now.released));
    }
    let taken: i64 = facts
        .iter()
        .map(|fact| {
            if let Fact::Captured { amount, .. } = fact {
                *amount
            } else {
                0
            }
        })
        .sum();
    assert_eq!(
        taken,
        now.captured - before.captured,
        "the facts tell what was taken"
    );
}

proptest! {
    #[test]
    fn no_sequence_of_steps_breaks_the_books(
        manual in any::<bool>(),
        steps in proptest::collection::vec(steps(), 0..40),
    ) {
        let capture_method = if manual { CaptureMethod::Manual } else { CaptureMethod::Automatic };
        let mut intent = Intent::new(2_000, capture_method);
        for step in steps {
            if let Ok((next, facts)) = intent.step(step) {
                check(&intent, &next, &facts);
                intent = next;
            }
        }
    }
}
