use super::*;
use serde_json::json;

fn asked(spec: Value) -> Asked {
    Asked {
        resource: json!({"apiVersion": "bigtix.dev/v1alpha1", "kind": "BigTix", "metadata": {"name": "shop"}, "spec": spec}),
        separate: false,
        port: 8080,
    }
}

fn planned(old: &Asked, new: &Asked, is_running: bool) -> MachinePlan {
    plan(Some(old), new, is_running, vec!["bigtix up".to_owned()]).expect("both are valid")
}

#[test]
fn what_is_equal_changes_nothing_however_it_is_written() {
    let old = asked(json!({"version": "1.0.0"}));
    let same = asked(json!({"version": "1.0.0", "reservationSeconds": 900, "services": {}}));
    let plan = planned(&old, &same, true);
    assert!(plan.is_nothing());
    assert_eq!(plan.text(Paint::Plain), "Nothing would change.");
}

#[test]
fn what_means_nothing_on_one_machine_changes_nothing() {
    let old = asked(json!({"version": "1.0.0", "ingress": {"host": "old.example"}}));
    let new = asked(
        json!({"version": "1.0.0", "ingress": {"host": "new.example"}, "services": {"orders": {"replicas": 3}}}),
    );
    let plan = planned(&old, &new, true);
    assert!(plan.is_nothing(), "{plan:?}");
    assert_eq!(
        plan.ignored,
        ["spec.ingress.host", "spec.services.orders.replicas"]
    );
}

#[test]
fn generated_plan_of_a_change_names_the_fields_the_settings_and_every_step() {
    let old = asked(json!({"version": "1.0.0"}));
    let env = json!([{"name": "LOG", "value": "debug"}]);
    let new = asked(json!({"version": "1.0.0", "reservationSeconds": 3, "services": {"web": {"env": env}}}));
    let said = planned(&old, &new, true).text(Paint::Plain);
    bigtix_testkit::golden::generated("cli/tests/golden/machine-plan.txt", &format!("{said}\n"));
}

#[test]
fn what_has_never_run_is_only_started() {
    let new = asked(json!({"version": "1.0.0"}));
    let plan = plan(None, &new, false, vec![]).expect("it is valid");
    assert!(plan.steps.iter().all(|step| step.action == Action::Start) && !plan.is_nothing());
}

#[test]
fn processes_are_counted_and_stop_together() {
    let old = Asked {
        separate: true,
        ..asked(json!({"version": "1.0.0"}))
    };
    let new = Asked {
        separate: true,
        port: 0,
        ..asked(json!({"version": "1.0.0", "services": {"orders": {"replicas": 2}}}))
    };
    let plan = planned(&old, &new, true);
    assert_eq!(plan.run, ["port 8080 -> a free one"]);
    let orders = plan
        .services
        .iter()
        .find(|change| change.service == "orders")
        .expect("it changes");
    assert_eq!((orders.instances_before, orders.instances_after), (1, 2));
    // Whoever calls orders is told of both.
    let payments = plan
        .services
        .iter()
        .find(|change| change.service == "payments")
        .expect("it changes");
    assert_eq!(payments.settings, ["ORDERS_URL"]);
    assert!(!plan.steps[1].in_order && plan.steps[1].parts.contains(&"orders-1".to_owned()));
    assert!(
        plan.steps[4].parts.contains(&"orders-2".to_owned()),
        "{:?}",
        plan.steps[4]
    );
}

#[test]
fn a_shop_with_a_stripe_account_has_no_double() {
    let new = asked(json!({"version": "1.0.0", "payments": {"secretName": "stripe"}}));
    let old = asked(json!({"version": "1.0.0"}));
    let plan = planned(&old, &new, true);
    assert!(plan.steps[2].parts.contains(&"stripe".to_owned()));
    assert!(!plan.steps[3].parts.contains(&"stripe".to_owned()));
}
