//! Every request that is sent is one that Stripe's own description of its API allows: stripe-mock refuses what is not
//! in it, and makes up the answers.

use bigtix_contracts::{OrderId, UserId};
use bigtix_testkit::stores::StripeMock;

use super::*;

const SOURCES: [&str; 3] = ["tok_visa", "pm_card_visa", "ctoken_1"];

async fn described() -> (StripeMock, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let mock = StripeMock::start(folder.path()).await.unwrap();
    (mock, folder)
}

fn client(mock: &StripeMock, return_url: Option<&str>) -> Stripe {
    bigtix_service::tls::use_ring();
    let config = StripeConfig {
        url: mock.url(),
        secret_key: Secret::new("sk_test_123".to_owned()),
        return_url: return_url.map(str::to_owned),
        deadline: Duration::from_secs(10),
    };
    Stripe::new(&config).unwrap()
}

fn payment(source: &str) -> Payment {
    let (id, order, buyer) = ([1; 12], [2; 12], [3; 12]);
    let (id, order, buyer) = (
        PaymentId::from_bytes(id),
        OrderId::from_bytes(order),
        UserId::from_bytes(buyer),
    );
    Payment::begin(
        id,
        order,
        buyer,
        Cents(1999),
        source.parse().unwrap(),
        Timestamp::UNIX_EPOCH,
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn every_request_is_one_that_stripe_describes() {
    let (mock, _folder) = described().await;
    for return_url in [None, Some("https://shop.test/orders/1")] {
        let stripe = client(&mock, return_url);
        for source in SOURCES {
            let created = stripe.create(&payment(source)).await;
            assert!(created.is_ok(), "create with {source}: {created:?}");
        }
    }
    let stripe = client(&mock, None);
    let (it, intent) = (payment("tok_visa"), IntentId("pi_1".into()));
    let answers = [
        ("capture", stripe.capture(&intent).await.map(drop)),
        ("cancel", stripe.cancel(&intent).await.map(drop)),
        ("retrieve", stripe.retrieve(&intent).await.map(drop)),
        ("find", stripe.find(&it).await.map(drop)),
        ("refund", stripe.refund(it.id, &intent).await.map(drop)),
        (
            "refund_without_key",
            stripe.refund_without_key(&intent).await.map(drop),
        ),
        ("read_refund", stripe.read_refund("re_1").await.map(drop)),
    ];
    for (call, answer) in answers {
        assert_eq!(answer, Ok(()), "{call}");
    }
    let after = ListQuery {
        limit: PAGE,
        starting_after: Some("pi_1"),
    };
    let page: Result<IntentList, _> = stripe
        .get("list", "/payment_intents".to_owned(), Some(after))
        .await;
    assert!(page.is_ok(), "another page: {:?}", page.err());
    stripe.accepts_key().await.unwrap();
    mock.stop().await;
}

/// The judge is worth something only if it refuses what is not described.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_stripe_does_not_describe_is_refused() {
    #[derive(Serialize)]
    struct Wrong {
        amount: &'static str,
        currency: &'static str,
        capture_methods: &'static str,
    }
    let (mock, _folder) = described().await;
    let stripe = client(&mock, None);
    for (amount, capture_methods) in [("1999", "manual"), ("much", "")] {
        let form = Wrong {
            amount,
            currency: "usd",
            capture_methods,
        };
        let answer = stripe
            .post_intent(
                "create",
                "/payment_intents".to_owned(),
                &form,
                RequestStrategy::Once,
            )
            .await;
        assert!(
            matches!(answer, Err(StripeError::Refused { status: 400, .. })),
            "{answer:?}"
        );
    }
    mock.stop().await;
}
