use super::*;

const CAPTURE_LATE: RequestFault = RequestFault {
    operation: Operation::Capture,
    kind: RequestTrouble::TimeoutAfter,
    times: 2,
    ms: None,
};

#[test]
fn a_card_name_carries_a_plan() {
    assert_eq!(
        carried_by("tok_visa_fault_capture_timeout_after_2"),
        ("tok_visa", Some(CAPTURE_LATE))
    );
    let (card, fault) = carried_by("pm_card_visa_fault_create_slow_250");
    assert_eq!(
        (card, fault.and_then(|fault| fault.ms)),
        ("pm_card_visa", Some(250))
    );
    let stored = carried_by("tok_visa_fault_refund_error_before_stored")
        .1
        .expect("a plan");
    assert_eq!(stored.kind, RequestTrouble::ErrorBeforeStored);
    for other in [
        "tok_visa",
        "tok_visa_fault_fly_slow",
        "tok_visa_fault_create_slowly",
        "tok_visa_fault_create_slow_x",
    ] {
        assert_eq!(carried_by(other), (other, None));
    }
}

#[test]
fn a_fault_strikes_as_often_as_planned() {
    let mut plan = Plan::default();
    plan.add(Fault::Request(CAPTURE_LATE));
    assert_eq!(plan.strike(Operation::Create, false, None), None);
    assert!(plan.strike(Operation::Capture, false, None).is_some());
    assert!(plan.strike(Operation::Capture, true, None).is_some());
    assert_eq!(plan.strike(Operation::Capture, false, None), None);
    assert!(plan.waiting().is_empty());
}

#[test]
fn an_error_does_not_meet_a_stored_answer() {
    let mut plan = Plan::default();
    plan.add(Fault::request(Operation::Create, RequestTrouble::ErrorAfter));
    assert_eq!(plan.strike(Operation::Create, true, None), None);
    assert!(plan.strike(Operation::Create, false, None).is_some());
}

#[test]
fn a_carried_fault_strikes_each_scope_anew() {
    let mut plan = Plan::default();
    for scope in ["pi_1", "pi_2"] {
        let mut strike = || {
            plan.strike(Operation::Capture, false, Some((CAPTURE_LATE, scope.to_owned())))
                .is_some()
        };
        assert_eq!([strike(), strike(), strike()], [true, true, false]);
    }
}

#[test]
fn plans_are_read_from_json() {
    let read = |text| serde_json::from_str::<Fault>(text);
    assert_eq!(
        read(r#"{"request": {"operation": "capture", "kind": "timeout_after", "times": 2}}"#)
            .expect("a fault"),
        Fault::Request(CAPTURE_LATE)
    );
    assert_eq!(
        read(r#"{"delivery": {"webhook": "lost", "event": "charge.refunded"}}"#).expect("a fault"),
        Fault::webhook_of("charge.refunded", WebhookTrouble::Lost)
    );
    assert!(read(r#"{"request": {"operation": "capture", "kind": "timeout_after", "time": 2}}"#).is_err());
}

#[test]
fn a_webhook_fault_meets_its_type_of_event() {
    let mut plan = Plan::default();
    plan.add(Fault::webhook_of("charge.refunded", WebhookTrouble::Lost));
    assert_eq!(plan.strike_webhook("charge.succeeded"), None);
    assert!(plan.strike_webhook("charge.refunded").is_some());
    assert_eq!(plan.strike_webhook("charge.refunded"), None);
}
