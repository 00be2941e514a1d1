use super::*;
use bigtix_operator::next::Notice;
use bigtix_operator::next::gate::Reason;

fn shop(spec: Value) -> BigTix {
    let resource = json!({"apiVersion": "bigtix.dev/v1alpha1", "kind": "BigTix", "metadata": {"name": "shop"}, "spec": spec});
    from_value(resource).expect("a resource")
}

fn write(kind: &str, name: &str, effect: Effect) -> Foreseen {
    Foreseen::Write(ForeseenWrite {
        what: format!("apply {kind} {name}"),
        kind: kind.to_owned(),
        name: name.to_owned(),
        effect,
        digest: Some("0123".to_owned()),
    })
}

#[test]
fn generated_plan_says_what_is_created_changed_restarted_and_deleted_in_order() {
    let fields = ["spec.template.spec.containers[orders].image", "a", "b", "c", "d"].map(str::to_owned);
    let foresight = Foresight {
        events: vec![
            Foreseen::Notice(Notice {
                is_warning: false,
                reason: "RolloutBegan",
                message: "release 1.1.0 is being rolled out".to_owned(),
            }),
            write("Service", "shop-new", Effect::Creates),
            write(
                "Deployment",
                "shop-orders",
                Effect::Changes {
                    fields: fields.into(),
                    restarts: true,
                },
            ),
            write("Ingress", "shop", Effect::Deletes),
        ],
        end: End::Held(Reason {
            predicate: "WindowOpen",
            message: "the next opens at noon".to_owned(),
        }),
    };
    let (live, wanted) = (
        shop(json!({"version": "1.0.0"})),
        shop(json!({"version": "1.0.0", "reservationSeconds": 60})),
    );
    let plan = described(Some(&live), &wanted, &foresight);
    assert!(!plan.is_nothing());
    bigtix_testkit::golden::generated(
        "cli/tests/golden/cluster-plan.txt",
        &format!("{}\n", plan.text(Paint::Plain)),
    );
    let json = serde_json::to_string_pretty(&plan).expect("plain data");
    bigtix_testkit::golden::generated("cli/tests/golden/cluster-plan.json", &format!("{json}\n"));
    assert!(
        described(None, &wanted, &foresight)
            .steps
            .iter()
            .all(|step| step.digest.is_none())
    );
}

#[test]
fn nothing_is_said_to_be_nothing() {
    let foresight = Foresight {
        events: vec![],
        end: End::Done,
    };
    let live = shop(json!({"version": "1.0.0"}));
    let plan = described(Some(&live), &live, &foresight);
    assert!(plan.is_nothing());
    assert_eq!(
        plan.text(Paint::Plain),
        "No object would change.\nIn the end everything is as asked."
    );
}

#[test]
fn an_edit_is_another_generation_and_writing_a_default_down_is_none() {
    let mut live = shop(json!({"version": "1.0.0"}));
    live.metadata.generation = Some(4);
    let with = |spec: Value| edited(Some(&live), plain(&shop(spec)), "tickets").expect("valid");
    let same = with(json!({"version": "1.0.0", "reservationSeconds": 900}));
    assert_eq!(same.metadata.generation, Some(4));
    let other = with(json!({"version": "1.0.0", "reservationSeconds": 901}));
    assert_eq!(
        (other.metadata.generation, other.namespace().as_deref()),
        (Some(5), Some("tickets"))
    );
}

#[test]
fn a_file_about_another_shop_is_not_taken_for_this_one() {
    let asked = "other".to_owned();
    assert!(matches!(
        meant("name", &json!("shop"), Some(&asked)),
        Err(PlanError::Contradiction { .. })
    ));
    assert_eq!(
        meant("name", &json!("shop"), None).expect("no contradiction"),
        "shop"
    );
}
