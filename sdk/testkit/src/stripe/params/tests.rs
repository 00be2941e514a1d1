use super::*;
use crate::stripe::intent::CaptureMethod;

fn params(form: &str) -> Params {
    Params::parse(form.as_bytes()).expect("well-formed")
}

fn code(refused: Checked<impl std::fmt::Debug>) -> String {
    refused.expect_err("refused").body()["error"]["code"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

const INTENT: &str = "amount=2000&currency=USD";

fn intent(more: &str) -> Checked<NewIntent> {
    NewIntent::parse(&params(&format!("{INTENT}&{more}")))
}

#[test]
fn an_amount_lies_between_half_a_dollar_and_a_million() {
    let amount = |amount: &str| NewIntent::parse(&params(&format!("amount={amount}&currency=usd")));
    assert_eq!(amount("50").expect("accepted").amount, LEAST);
    assert_eq!(amount("99999999").expect("accepted").amount, MOST);
    assert_eq!(code(amount("49")), "amount_too_small");
    assert_eq!(code(amount("100000000")), "amount_too_large");
    assert_eq!(code(amount("0")), "parameter_invalid_integer");
    assert_eq!(code(amount("19.99")), "parameter_invalid_integer");
    assert_eq!(code(amount("")), "parameter_missing");
}

#[test]
fn stripe_captures_by_itself_unless_told_otherwise() {
    assert_eq!(
        intent("").expect("accepted").capture_method,
        CaptureMethod::AutomaticAsync
    );
    assert_eq!(
        intent("capture_method=manual").expect("accepted").capture_method,
        CaptureMethod::Manual
    );
    assert!(intent("capture_method=later").is_err());
}

#[test]
fn one_card_comes_along_and_not_two() {
    let data = "payment_method_data[type]=card&payment_method_data[card][token]=tok_visa";
    let token = Some(MethodSource::Card(CardSource::Token("tok_visa".into())));
    assert_eq!(intent(data).expect("accepted").method, token);
    assert_eq!(
        code(intent(&format!("{data}&payment_method=pm_card_visa"))),
        "parameters_exclusive"
    );
}

#[test]
fn what_belongs_to_a_confirmation_is_refused_without_one() {
    for name in [
        "return_url=http://a",
        "off_session=true",
        "error_on_requires_action=true",
        "confirmation_token=ctoken_1",
    ] {
        assert!(intent(name).is_err(), "{name}");
        assert!(intent(&format!("{name}&confirm=true")).is_ok(), "{name}");
    }
}

#[test]
fn redirects_are_possible_unless_they_are_ruled_out() {
    assert!(intent("").expect("accepted").redirects);
    assert!(!intent("payment_method_types[]=card").expect("accepted").redirects);
    let never = "automatic_payment_methods[enabled]=true&automatic_payment_methods[allow_redirects]=never";
    assert!(!intent(never).expect("accepted").redirects);
    assert_eq!(
        code(intent(&format!("{never}&payment_method_types[]=card"))),
        "parameters_exclusive"
    );
}

#[test]
fn metadata_has_limits() {
    let long = "x".repeat(41);
    assert!(intent(&format!("metadata[{long}]=1")).is_err());
    assert!(intent(&format!("metadata[a]={}", "x".repeat(501))).is_err());
    let many: Vec<String> = (0..51).map(|key| format!("metadata[k{key}]=1")).collect();
    assert!(intent(&many.join("&")).is_err());
    assert_eq!(
        intent("metadata[42]=1").expect("accepted").metadata,
        [("42".to_owned(), "1".to_owned())]
    );
}

#[test]
fn a_page_has_bounds() {
    let page = Page::parse(
        &params("created[gte]=5&created[lt]=9&limit=100&type=a"),
        &["type"],
    )
    .expect("accepted");
    assert_eq!((page.created, page.limit), ((5, 8), 100));
    assert_eq!(page.filter("type").collect::<Vec<_>>(), ["a"]);
    assert_eq!(
        Page::parse(&params("created=7"), &[]).expect("accepted").created,
        (7, 7)
    );
    for limit in ["0", "101", "x"] {
        assert!(
            Page::parse(&params(&format!("limit={limit}")), &[]).is_err(),
            "{limit}"
        );
    }
}

#[test]
fn a_refund_names_what_it_refunds() {
    assert_eq!(code(NewRefund::parse(&params("amount=5"))), "parameter_missing");
    let refund = NewRefund::parse(&params("payment_intent=pi_1&reason=duplicate")).expect("accepted");
    assert_eq!((refund.amount, refund.reason), (None, Some("duplicate")));
}
