//! Reading files and setting fields.

use crate::files::read;
use bigtix_crds::{BigTix, ParseError, parse, parse_with, validate};
use proptest::prelude::*;

fn minimal() -> String {
    read("examples/minimal.yaml")
}

fn with(path: &str, value: &str) -> Result<BigTix, ParseError> {
    parse_with(&minimal(), &[(path.to_owned(), value.to_owned())])
}

fn refusal(text: &str) -> String {
    parse(text).expect_err("refused").to_string()
}

#[test]
fn a_field_can_be_set_from_outside() {
    let set = with("spec.reservationSeconds", "3").expect("a resource");
    assert_eq!(set.spec.reservation_seconds, 3);
    let set = with("spec.services.web.env", "[{name: A, value: b}]").expect("a resource");
    assert_eq!(set.spec.services.web.env[0].name, "A");
    let set = with("spec.ingress.annotations[example.com/x]", "'1'").expect("a resource");
    assert_eq!(set.spec.ingress.annotations["example.com/x"], "1");
}

#[test]
fn a_field_that_was_set_wrongly_is_named_without_a_line() {
    for (path, value, words) in [
        (
            "spec.reservationSeconds",
            "soon",
            "spec.reservationSeconds: must be of type integer: \"string\"",
        ),
        (
            "spec.reservatonSeconds",
            "3",
            "spec.reservatonSeconds: unknown field; did you mean reservationSeconds?",
        ),
        (
            "spec.version.major",
            "3",
            "spec.version.major: cannot be set, because spec.version is a text and has no fields",
        ),
    ] {
        assert_eq!(with(path, value).expect_err("refused").to_string(), words);
    }
}

#[test]
fn what_is_no_resource_is_refused_in_one_sentence() {
    assert_eq!(refusal(""), "the file is empty");
    assert_eq!(refusal("# nothing\n"), "the file is empty");
    assert!(refusal("a: [").contains("line"), "{}", refusal("a: ["));
    assert!(
        refusal("a: 1\na: 2\n").contains("duplicate"),
        "{}",
        refusal("a: 1\na: 2\n")
    );
    assert!(refusal(&format!("{0}---\n{0}", minimal())).contains("more than one document"));
    assert_eq!(refusal("- a\n"), "must be of type object: \"array\"");
    let infinite = minimal() + "  reservationSeconds: .inf\n";
    assert_eq!(
        refusal(&infinite),
        "line 8: spec.reservationSeconds: must be a finite number"
    );
    assert_eq!(
        refusal(&(minimal() + "  1: x\n")),
        "line 6: spec: has a key that is no text; write it in quotes"
    );
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let text = "apiVersion: bigtix.io/v1\nkind: BigTix\nmetadata: {}\nspec:\n  mode: 1\n  x: {}\n";
    let lines: Vec<_> = refusal(text).lines().map(str::to_owned).collect();
    assert_eq!(lines.len(), 5, "{lines:#?}");
    assert_eq!(
        lines[0],
        "line 1: apiVersion: Unsupported value: \"bigtix.io/v1\": supported values: \"bigtix.dev/v1alpha1\""
    );
    assert_eq!(lines[1], "line 3: metadata.name: Required value");
    assert_eq!(lines[2], "line 5: spec.mode: must be of type string: \"integer\"");
    assert!(
        lines[3].starts_with("line 6: spec.x: unknown field; known are administrators, backup"),
        "{lines:?}"
    );
    assert_eq!(lines[4], "line 4: spec.version: Required value");
}

#[test]
fn anchors_and_merge_keys_are_understood() {
    let text = minimal()
        + "  services:\n    tickets: &two { replicas: 2 }\n    orders: *two\n    web: { <<: *two, image: web:1 }\n";
    let services = parse(&text).expect("a resource").spec.services;
    assert_eq!(services.orders.replicas, Some(2));
    assert_eq!(
        (services.web.replicas, services.web.image.as_deref()),
        (Some(2), Some("web:1"))
    );
}

#[test]
fn what_a_server_answers_can_be_read_back() {
    let text = minimal().replace("  name: shop\n", "  name: shop\n  namespace: tickets\n  generation: 3\n  labels: { a: b }\n  managedFields: [{ manager: kubectl, fieldsV1: { \"f:spec\": {} } }]\n")
        + "status:\n  observedGeneration: 3\n  url: http://x\n";
    let bigtix = parse(&text).expect("a resource");
    assert_eq!(
        bigtix.status.and_then(|status| status.url).as_deref(),
        Some("http://x")
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_resource_survives_being_written_and_read(
        seconds in 1_i64..=86_400,
        replicas in 0_i32..=100,
        host in "[a-z]{1,10}([.][a-z]{1,10}){0,2}",
        value in ".{0,30}",
        paused: bool,
    ) {
        let mut bigtix = parse(&minimal()).expect("a resource");
        bigtix.spec.reservation_seconds = seconds;
        bigtix.spec.services.orders.replicas = Some(replicas);
        bigtix.spec.ingress.host = host;
        bigtix.spec.ingress.annotations.insert("example.com/x".to_owned(), value);
        bigtix.spec.paused = paused;
        let text = serde_yaml_ng::to_string(&bigtix).expect("plain data");
        prop_assert_eq!(parse(&text), Ok(bigtix.clone()));
        prop_assert!(validate(&bigtix).is_ok(), "{:?}", validate(&bigtix));
    }

    #[test]
    fn any_number_is_set_or_refused_by_the_path(number in any::<i64>()) {
        let bigtix = with("spec.reservationSeconds", &number.to_string()).expect("a whole number");
        prop_assert_eq!(bigtix.spec.reservation_seconds, number);
        match validate(&bigtix) {
            Ok(platform) => prop_assert_eq!(i64::try_from(platform.reservation.as_secs()), Ok(number)),
            Err(violations) => {
                prop_assert!(!(1..=86_400).contains(&number));
                prop_assert_eq!(violations[0].path.as_str(), "spec.reservationSeconds");
            }
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in ".{0,80}", tail in "[ a-z:\\[\\]{}&*!|>'\"\n-]{0,60}") {
        let _ = parse(&text);
        let _ = parse(&(minimal() + &tail));
    }
}
