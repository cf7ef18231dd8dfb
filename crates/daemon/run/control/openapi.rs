//! The description of what can be asked of a running service (OpenAPI 3.1), made of what answers.

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::problem::Said;
use super::routes::{self, Gives};

/// Returns the description.
pub(crate) fn description() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
    });
    let mut generator = settings.into_generator();
    let problem = generator.subschema_for::<Said>();
    let mut paths = Map::new();
    for route in routes::all() {
        let content = match route.gives {
            Gives::Json(schema) => {
                json!({ "application/json": { "schema": schema(&mut generator) } })
            }
            Gives::Other(name) => json!({ (name): {} }),
        };
        let mut operation = json!({
            "summary": route.what,
            "responses": {
                "200": { "description": "It is so, or was done.", "content": content },
                "default": {
                    "description": "It was not done; the body says why.",
                    "content": { "application/json": { "schema": problem } },
                },
            },
        });
        if route.path.contains("{name}") {
            operation["parameters"] = json!([{
                "name": "name", "in": "path", "required": true, "schema": { "type": "string" },
            }]);
        }
        if let Some(schema) = route.takes {
            let schema = schema(&mut generator);
            operation["requestBody"] = json!({ "required": true, "content": { "application/json": { "schema": schema } } });
        }
        paths.insert(route.path.to_owned(), json!({ (route.method): operation }));
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Control of a running Standin",
            "version": env!("CARGO_PKG_VERSION"),
        },
        "security": [{ "token": [] }],
        "paths": paths,
        "components": {
            "schemas": generator.take_definitions(true),
            "securitySchemes": {
                "token": {
                    "type": "http", "scheme": "bearer",
                    "description": "By TCP, but for /healthz and /readyz; the Unix socket wants none.",
                },
            },
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reference_leads_somewhere() {
        fn references(value: &Value, found: &mut Vec<String>) {
            match value {
                Value::Object(fields) => {
                    if let Some(Value::String(target)) = fields.get("$ref") {
                        found.push(target.clone());
                    }
                    fields.values().for_each(|value| references(value, found));
                }
                Value::Array(values) => values.iter().for_each(|value| references(value, found)),
                _ => {}
            }
        }
        let description = description();
        let mut found = Vec::new();
        references(&description, &mut found);
        assert!(
            found.iter().any(|target| target.ends_with("/Status")),
            "{found:?}"
        );
        for target in found {
            let pointer = target.trim_start_matches('#');
            assert!(description.pointer(pointer).is_some(), "{target}");
        }
    }
}
