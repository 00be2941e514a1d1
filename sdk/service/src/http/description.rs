//! The part of an API's description that is the same for every operation of every service.

use bigtix_contracts::{ErrorCode, ErrorItem, Problem};
use utoipa::PartialSchema;
use utoipa::openapi::path::{HttpMethod, Operation, Parameter, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, Required, ResponseBuilder};

/// Adds what every operation may answer, how to sign in, and the service's version; what an operation says of itself
/// stays as it is.
pub fn complete(mut document: OpenApi, version: String) -> OpenApi {
    document.info.version = version;
    let components = document.components.get_or_insert_default();
    for (name, schema) in [
        ("Problem", Problem::schema()),
        ("ErrorItem", ErrorItem::schema()),
        ("ErrorCode", ErrorCode::schema()),
    ] {
        components.schemas.entry(name.to_owned()).or_insert(schema);
    }
    let cookie = ApiKey::Cookie(ApiKeyValue::new("session"));
    components.add_security_scheme("session", SecurityScheme::ApiKey(cookie));
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT")
        .build();
    components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    for item in document.paths.paths.values_mut() {
        for (method, operation) in operations(item) {
            complete_operation(&method, operation);
        }
    }
    document
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (HttpMethod, &mut Operation)> {
    let by_method = [
        (HttpMethod::Get, &mut item.get),
        (HttpMethod::Post, &mut item.post),
        (HttpMethod::Put, &mut item.put),
        (HttpMethod::Patch, &mut item.patch),
        (HttpMethod::Delete, &mut item.delete),
    ];
    by_method
        .into_iter()
        .filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

fn complete_operation(method: &HttpMethod, operation: &mut Operation) {
    let signed_in = operation.security.is_some();
    let mut answers = vec![
        ("500", "A fault of ours"),
        ("503", "Something that is needed is away; try again"),
    ];
    if signed_in {
        answers.push(("401", "Not signed in, or not the owner"));
    }
    if signed_in && *method != HttpMethod::Get {
        answers.push((
            "429",
            "Too many changes of late; `retry-after` says how long to wait",
        ));
    }
    if *method != HttpMethod::Get {
        answers.push(("403", "The request comes from a page of another origin"));
    }
    if operation.request_body.is_some() {
        answers.push(("400", "The body broke a rule"));
        answers.push(("413", "The body is larger than 1 MiB"));
        answers.push(("415", "The body is not JSON"));
    }
    if signed_in && *method == HttpMethod::Post {
        answers.push(("413", "The body is larger than 1 MiB"));
        answers.push(("422", "The idempotency key was used with another body"));
        operation
            .parameters
            .get_or_insert_default()
            .push(idempotency_key().into());
    }
    for (status, meaning) in answers {
        operation
            .responses
            .responses
            .entry(status.to_owned())
            .or_insert_with(|| problem(meaning).into());
    }
}

fn idempotency_key() -> Parameter {
    ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(
            "1 to 255 printable characters; the same key and body have their effect once",
        ))
        .schema(Some(String::schema()))
        .build()
}

fn problem(meaning: &str) -> utoipa::openapi::Response {
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name("Problem")))
        .build();
    ResponseBuilder::new()
        .description(meaning)
        .content("application/json", content)
        .build()
}
