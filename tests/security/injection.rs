//! The store's own words where a text is expected: in every field of every body, in every query, in every path.

use bigtix_tests::suite::Scenario;
use bigtix_tests::{World, scenarios};
use serde_json::{Map, Value, json};

use crate::documents::{Operation, operations};

pub(crate) const ALL: &[(&str, Scenario)] = scenarios![
    operators_in_bodies_are_no_values,
    operators_in_queries_are_texts,
    operators_in_paths_are_texts,
];

fn operators() -> [Value; 7] {
    [
        json!({"$gt": ""}),
        json!({"$ne": null}),
        json!({"$regex": ".*"}),
        json!({"$where": "sleep(10000)"}),
        json!({"$function": {"body": "while(1){}", "args": [], "lang": "js"}}),
        json!([{"$gt": ""}]),
        json!({"$in": [null, ""]}),
    ]
}

/// A value that the field may have, so that the operator is the only thing wrong.
fn good(field: &str) -> Value {
    match field {
        "email" => json!("somebody@people.test"),
        "password" => json!(bigtix_tests::world::PASSWORD),
        "price" => json!(20),
        "amount" => json!(20),
        "quantity" => json!(1),
        "version" => json!(0),
        "relist" => json!(false),
        "startsAt" => json!("2031-05-01T19:30:00Z"),
        "timeZone" => json!("America/Chicago"),
        "status" => json!("cancelled"),
        "token" | "confirmationTokenId" => json!("tok_visa"),
        "tickets" => json!([{"id": "64b0c0ffee0000000000beef"}]),
        "id" | "ticketId" | "orderId" | "eventId" => json!("64b0c0ffee0000000000beef"),
        _ => json!("Row F, seat 12"),
    }
}

fn body(operation: &Operation, wrong: &str, value: &Value) -> Value {
    let fields = operation.fields.iter();
    let filled = fields.map(|field| {
        let value = if field == wrong {
            value.clone()
        } else {
            good(field)
        };
        (field.clone(), value)
    });
    Value::Object(filled.collect::<Map<_, _>>())
}

async fn operators_in_bodies_are_no_values(world: World) {
    let person = world.person().await;
    let mut tried = 0;
    for operation in operations(&world).await {
        for field in &operation.fields {
            for operator in operators() {
                let ask = world.ask(operation.method.clone(), &operation.path);
                let answer = ask.by(&person).json(body(&operation, field, &operator)).await;
                assert!(
                    matches!(answer.status, 400 | 401 | 404),
                    "{field} = {operator}: {answer}"
                );
                tried += 1;
            }
        }
    }
    assert!(tried > 200, "{tried} bodies");
}

async fn operators_in_queries_are_texts(world: World) {
    let person = world.person().await;
    let mut tried = 0;
    for operation in operations(&world).await {
        for name in &operation.query {
            for query in [
                format!("{name}[$gt]="),
                format!("{name}[$ne]=x"),
                format!("{name}=%7B%22%24gt%22%3A%22%22%7D"),
                format!("{name}=%24where"),
                format!("{name}=.%2A%28a%2B%29%2B%24"),
                format!("{name}=%00"),
            ] {
                let path = format!("{}?{query}", operation.path);
                let answer = world.ask(operation.method.clone(), &path).by(&person).await;
                assert!(answer.status < 500, "{query}: {answer}");
                tried += 1;
            }
        }
    }
    assert!(tried > 80, "{tried} queries");
    // A search for an operator finds what has those letters in it: nothing.
    let found = world
        .get("/api/tickets?status=all&q=%7B%22%24gt%22%3A%22%22%7D")
        .await
        .is(200);
    assert_eq!(found.json, json!([]));
}

async fn operators_in_paths_are_texts(world: World) {
    let person = world.person().await;
    let mut tried = 0;
    for operation in operations(&world)
        .await
        .iter()
        .filter(|it| it.template.contains('{'))
    {
        for text in ["%7B%22%24gt%22%3A%22%22%7D", "%24ne", "[$ne]=1", "%27%20or%201=1"] {
            let path = operation.path.replace("64b0c0ffee0000000000beef", text);
            let ask = world.ask(operation.method.clone(), &path).by(&person);
            let answer = ask.json(json!({})).await;
            // A list of what is for something unknown is empty.
            let is_empty = answer.json == json!([]);
            let is_refused = matches!(answer.status, 400 | 401 | 404 | 503);
            assert!(is_refused || is_empty, "{answer}");
            tried += 1;
        }
    }
    assert!(tried > 60, "{tried} paths");
}
