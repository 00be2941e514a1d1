//! The API's own pages: the OpenAPI documents as they are, and one page that people can read, made of them without any
//! script.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use hyper::body::Bytes;
use serde_json::{Map, Value};

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

const STYLE: &str = "\
:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1rem}\
table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.25rem .5rem;\
border-bottom:1px solid color-mix(in srgb,currentColor 20%,transparent)}code{font-size:.9em}\
section section{margin:1.5rem 0}h3 code{font-size:1em}.old{text-decoration:line-through}";

/// The documents and the page.
#[derive(Clone)]
pub struct Docs {
    page: Bytes,
    documents: BTreeMap<String, Bytes>,
}

impl Docs {
    /// From the OpenAPI documents, each with the name of its service, in the order in which they are to be read.
    pub fn new(documents: &[(&str, Value)]) -> Self {
        Self {
            page: page(documents).into(),
            documents: documents
                .iter()
                .map(|(name, document)| ((*name).to_owned(), pretty(document)))
                .collect(),
        }
    }

    pub(super) fn page(&self) -> Bytes {
        self.page.clone()
    }

    pub(super) fn document(&self, name: &str) -> Option<Bytes> {
        self.documents.get(name).cloned()
    }
}

fn pretty(document: &Value) -> Bytes {
    format!("{document:#}\n").into()
}

fn page(documents: &[(&str, Value)]) -> String {
    let mut html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>BigTix API</title><style>{STYLE}</style></head>\
         <body><h1>BigTix API</h1><nav><ul>"
    );
    for (name, _) in documents {
        let name = escaped(name);
        put(
            &mut html,
            format_args!(
                "<li><a href=\"#{name}\">{name}</a> (<a href=\"/api/docs/{name}.json\">OpenAPI</a>)</li>"
            ),
        );
    }
    html.push_str("</ul></nav><main>");
    for (name, document) in documents {
        service(&mut html, name, document);
    }
    html.push_str("</main></body></html>\n");
    html
}

fn service(html: &mut String, name: &str, document: &Value) {
    let (name, about) = (escaped(name), escaped(text(&document["info"]["description"])));
    put(
        html,
        format_args!("<section id=\"{name}\"><h2>{name}</h2><p>{about}</p>"),
    );
    for (path, item) in entries(&document["paths"]) {
        for method in METHODS {
            if let Some(operation) = item.get(method) {
                self::operation(html, &name, method, path, operation);
            }
        }
    }
    for (schema, definition) in entries(&document["components"]["schemas"]) {
        put(
            html,
            format_args!("<section id=\"{name}-{0}\"><h3>{0}</h3>", escaped(schema)),
        );
        put(
            html,
            format_args!("<p>{}</p>", escaped(text(&definition["description"]))),
        );
        properties(html, &name, definition);
        html.push_str("</section>");
    }
    html.push_str("</section>");
}

fn operation(html: &mut String, service: &str, method: &str, path: &str, operation: &Value) {
    let is_old = operation["deprecated"].as_bool().unwrap_or(false);
    let (class, note) = if is_old {
        (" class=\"old\"", " (deprecated)")
    } else {
        ("", "")
    };
    let title = format!("{} {}", method.to_uppercase(), escaped(path));
    put(
        html,
        format_args!("<section><h3><code{class}>{title}</code>{note}</h3>"),
    );
    for words in [&operation["summary"], &operation["description"]]
        .into_iter()
        .filter_map(Value::as_str)
    {
        put(html, format_args!("<p>{}</p>", escaped(words)));
    }
    html.push_str("<table>");
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let place = text(&parameter["in"]);
        row(
            html,
            &format!("{place} <code>{}</code>", escaped(text(&parameter["name"]))),
            &[
                kind(service, &parameter["schema"]),
                escaped(text(&parameter["description"])),
            ],
        );
    }
    for (_, media) in entries(&operation["requestBody"]["content"]) {
        row(html, "body", &[kind(service, &media["schema"])]);
    }
    for (status, response) in entries(&operation["responses"]) {
        let bodies: Vec<_> = entries(&response["content"])
            .map(|(_, media)| kind(service, &media["schema"]))
            .collect();
        row(
            html,
            &escaped(status),
            &[bodies.join(", "), escaped(text(&response["description"]))],
        );
    }
    html.push_str("</table></section>");
}

fn properties(html: &mut String, service: &str, schema: &Value) {
    let required: Vec<&str> = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    if schema["properties"].is_null() {
        put(html, format_args!("<p>{}</p>", kind(service, schema)));
        return;
    }
    html.push_str("<table>");
    for (name, property) in entries(&schema["properties"]) {
        let optional = if required.contains(&name.as_str()) {
            ""
        } else {
            " (optional)"
        };
        row(
            html,
            &format!("<code>{}</code>{optional}", escaped(name)),
            &[kind(service, property), escaped(text(&property["description"]))],
        );
    }
    html.push_str("</table>");
}

fn row(html: &mut String, head: &str, cells: &[String]) {
    let cells: String = cells.iter().map(|cell| format!("<td>{cell}</td>")).collect();
    put(
        html,
        format_args!("<tr><th scope=\"row\">{head}</th>{cells}</tr>"),
    );
}

/// A schema in a few words, with links to the schemas that it refers to.
fn kind(service: &str, schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        let name = escaped(name);
        return format!("<a href=\"#{service}-{name}\">{name}</a>");
    }
    for union in ["oneOf", "anyOf", "allOf"] {
        if let Some(parts) = schema[union].as_array() {
            let parts: Vec<_> = parts.iter().map(|part| kind(service, part)).collect();
            return parts.join(if union == "allOf" { " and " } else { " or " });
        }
    }
    if let Some(words) = schema["enum"].as_array() {
        let words: Vec<_> = words
            .iter()
            .map(|word| format!("<code>{}</code>", escaped(&plain(word))))
            .collect();
        return words.join(", ");
    }
    match &schema["type"] {
        Value::String(name) if name == "array" => format!("list of {}", kind(service, &schema["items"])),
        Value::Array(names) => escaped(&names.iter().map(plain).collect::<Vec<_>>().join(" or ")),
        name => escaped(&plain(name)),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => "anything".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn entries(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            other => safe.push(other),
        }
    }
    safe
}

fn put(html: &mut String, text: std::fmt::Arguments<'_>) {
    html.write_fmt(text).expect("writing into a string cannot fail");
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_page_names_every_operation_and_links_its_schemas() {
        let document = json!({
            "info": {"description": "Orders & <claims>"},
            "paths": {"/api/orders/{id}": {"get": {
                "summary": "One order", "deprecated": true,
                "parameters": [{"in": "path", "name": "id", "schema": {"type": "string"}}],
                "responses": {"200": {"description": "the order", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Order"}}}}},
            }}},
            "components": {"schemas": {"Order": {"type": "object", "required": ["id"], "properties": {
                "id": {"type": "string"}, "reason": {"enum": ["user", "expired"]}, "tickets": {"type": "array", "items": {"type": "string"}},
            }}}},
        });
        let docs = Docs::new(&[("orders", document.clone())]);
        let page = String::from_utf8(docs.page().to_vec()).unwrap();
        for part in [
            "GET /api/orders/{id}",
            "(deprecated)",
            "One order",
            "Orders &amp; &lt;claims&gt;",
            "href=\"#orders-Order\"",
            "id=\"orders-Order\"",
            "list of string",
            "<code>expired</code>",
            "/api/docs/orders.json",
        ] {
            assert!(page.contains(part), "{part} is missing in {page}");
        }
        assert!(!page.contains("<script"));
        let served: Value = serde_json::from_slice(&docs.document("orders").unwrap()).unwrap();
        assert_eq!(served, document);
        assert!(docs.document("web").is_none());
    }
}
