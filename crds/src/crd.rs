//! The definitions of the resources that an API server gets, and the schema inside the shop's.

use crate::BigTix;
use crate::v1alpha1::{BigTixBackup, BigTixRestore};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSONSchemaProps,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::{CustomResourceExt, Resource};
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};
use std::sync::OnceLock;

/// The definition to install. Use it and not the derived `BigTix::crd()`: here no field is nullable, so that an API server
/// drops an explicit null and fills in the default, as it does for a field that is left out.
#[must_use]
pub fn definition() -> CustomResourceDefinition {
    tidied(BigTix::crd())
}

/// All definitions to install, that of the shop first.
#[must_use]
pub fn definitions() -> [CustomResourceDefinition; 3] {
    [
        definition(),
        tidied(BigTixBackup::crd()),
        tidied(BigTixRestore::crd()),
    ]
}

fn tidied(mut definition: CustomResourceDefinition) -> CustomResourceDefinition {
    for version in &mut definition.spec.versions {
        if let Some(schema) = version
            .schema
            .as_mut()
            .and_then(|schema| schema.open_api_v3_schema.as_mut())
        {
            visit(schema, &mut tidy);
        }
    }
    definition
}

/// A definition as the YAML that is committed and put into the chart.
#[must_use]
pub fn yaml(definition: &CustomResourceDefinition) -> String {
    let mut definition = serde_json::to_value(definition).expect("the definition is plain data");
    write_whole_numbers_without_fraction(&mut definition);
    let body = serde_yaml_ng::to_string(&definition).expect("JSON is YAML");
    format!(
        "# Generated from the types in crds/src; BIGTIX_BLESS=1 cargo test -p bigtix-crds rewrites it.\n{body}"
    )
}

/// The schema that a resource is checked against on this side: the definition's, and what every object has besides.
pub(crate) fn schema() -> &'static Value {
    static SCHEMA: OnceLock<Value> = OnceLock::new();
    SCHEMA.get_or_init(|| {
        let definition = serde_json::to_value(definition()).expect("the definition is plain data");
        let mut schema = definition
            .pointer("/spec/versions/0/schema/openAPIV3Schema")
            .cloned()
            .expect("the definition has one version with a schema");
        schema["properties"]["apiVersion"] = json!({"type": "string", "enum": [BigTix::api_version(&())]});
        schema["properties"]["kind"] = json!({"type": "string", "enum": [BigTix::kind(&())]});
        schema["properties"]["metadata"] = metadata();
        schema["required"] = json!(["apiVersion", "kind", "metadata", "spec"]);
        schema
    })
}

fn metadata() -> Value {
    let generator = SchemaSettings::openapi3()
        .with(|settings| {
            settings.inline_subschemas = true;
            settings.meta_schema = None;
        })
        .into_generator();
    let mut metadata = generator.into_root_schema_for::<ObjectMeta>().to_value();
    metadata["required"] = json!(["name"]);
    metadata
}

/// Nulls are refused rather than kept, and a description is one paragraph however its source is wrapped.
fn tidy(schema: &mut JSONSchemaProps) {
    schema.nullable = None;
    schema.title = None;
    if let Some(description) = &mut schema.description {
        *description = description.replace('\n', " ");
    }
}

fn visit(schema: &mut JSONSchemaProps, change: &mut impl FnMut(&mut JSONSchemaProps)) {
    use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1 as api;
    change(schema);
    for child in schema
        .properties
        .iter_mut()
        .flat_map(|fields| fields.values_mut())
    {
        visit(child, change);
    }
    if let Some(api::JSONSchemaPropsOrArray::Schema(items)) = &mut schema.items {
        visit(items, change);
    }
    if let Some(api::JSONSchemaPropsOrBool::Schema(values)) = &mut schema.additional_properties {
        visit(values, change);
    }
}

/// Bounds are floating-point numbers in the definition's type; `100` reads better than `100.0`.
fn write_whole_numbers_without_fraction(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(write_whole_numbers_without_fraction),
        Value::Object(fields) => fields.values_mut().for_each(write_whole_numbers_without_fraction),
        Value::Number(number) => {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "only taken when nothing is cut off"
            )]
            if let Some(float) = number
                .as_f64()
                .filter(|float| number.is_f64() && float.fract() == 0.0)
            {
                *number = (float as i64).into();
            }
        }
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}
