//! Every operation of the API, as its own documents list them.

use bigtix_tests::World;
use reqwest::Method;
use serde_json::Value;

/// Something that the API can be asked.
#[derive(Debug, Clone)]
pub(crate) struct Operation {
    pub(crate) method: Method,
    /// With a well-formed id in the place of each parameter.
    pub(crate) path: String,
    /// The path as it is documented.
    pub(crate) template: String,
    pub(crate) query: Vec<String>,
    /// The fields of its body.
    pub(crate) fields: Vec<String>,
}

const SERVICES: [&str; 4] = ["auth", "tickets", "orders", "payments"];
const SOME_ID: &str = "64b0c0ffee0000000000beef";

/// All of them, as the running shop describes them.
pub(crate) async fn operations(world: &World) -> Vec<Operation> {
    let mut all = Vec::new();
    for service in SERVICES {
        let document = world.get(&format!("/api/docs/{service}.json")).await.is(200).json;
        for (template, item) in document["paths"].as_object().expect("paths") {
            for (method, operation) in item.as_object().expect("operations") {
                all.push(Operation {
                    method: method.to_uppercase().parse().expect("a method"),
                    path: filled(template),
                    template: template.clone(),
                    query: query(operation),
                    fields: fields(&document, operation),
                });
            }
        }
    }
    assert!(all.len() > 40, "{} operations are documented", all.len());
    all
}

fn filled(template: &str) -> String {
    let fill = |segment: &str| match segment.starts_with('{') {
        true => SOME_ID.to_owned(),
        false => segment.to_owned(),
    };
    template.split('/').map(fill).collect::<Vec<_>>().join("/")
}

fn query(operation: &Value) -> Vec<String> {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let queries = parameters.filter(|parameter| parameter["in"] == "query");
    queries
        .filter_map(|parameter| parameter["name"].as_str().map(str::to_owned))
        .collect()
}

fn fields(document: &Value, operation: &Value) -> Vec<String> {
    let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
    let reference = schema["$ref"]
        .as_str()
        .or_else(|| schema["oneOf"][0]["$ref"].as_str());
    let Some(name) = reference.and_then(|reference| reference.rsplit('/').next()) else {
        return Vec::new();
    };
    let properties = document["components"]["schemas"][name]["properties"].as_object();
    properties
        .into_iter()
        .flatten()
        .map(|(name, _)| name.clone())
        .collect()
}
