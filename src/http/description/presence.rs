//! Which fields of an answer are always there, and which may be null.

use std::collections::BTreeSet;

use serde_yaml::{Mapping, Value};

/// Fields of answers that are left out when there is nothing to say, by schema. All other fields of answers are always
/// there. The tests compare every answer with the description, so a field that is missing here fails them.
const LEFT_OUT: [(&str, &[&str]); 6] = [
    ("ApiError", &["fields", "valid"]),
    ("Imported", &["failed_rows", "failed_rows_is_cut"]),
    ("Offer", &["discount", "validity", "description"]),
    ("Refreshed", &["refresh"]),
    ("Registered", &["refresh"]),
    ("SignedIn", &["refresh"]),
];

/// Declares every field of an answer as required. A field without a value is null, so it is declared as nullable.
///
/// poem-openapi knows only whether a field may be without a value. In a body of a request, such a field may be left out
/// or null.
pub(super) fn declare(spec: &mut Value) {
    let in_answers = schemas_in(spec, &["responses"]);
    let in_bodies = schemas_in(spec, &["requestBody"]);
    for (name, schema) in spec["components"]["schemas"].as_mapping_mut().into_iter().flatten() {
        let Some(name) = name.as_str() else { continue };
        if in_bodies.contains(name) && !in_answers.contains(name) {
            leave_out_nulls(schema.get_mut("example"));
        }
        if in_answers.contains(name) && !in_bodies.contains(name) {
            let left_out = LEFT_OUT.iter().find(|(schema, _)| *schema == name).map_or(&[][..], |(_, fields)| fields);
            declare_fields(schema, left_out);
        }
    }
}

/// Removes the fields of a body's example that nobody needs to send. poem-openapi shows them as null.
fn leave_out_nulls(example: Option<&mut Value>) {
    match example {
        Some(Value::Mapping(fields)) => {
            fields.retain(|_, value| !value.is_null());
            fields.values_mut().for_each(|value| leave_out_nulls(Some(value)));
        }
        Some(Value::Sequence(items)) => items.iter_mut().for_each(|item| leave_out_nulls(Some(item))),
        _ => {}
    }
}

fn declare_fields(schema: &mut Value, left_out: &[&str]) {
    let required = schema["required"].as_sequence().cloned().unwrap_or_default();
    let Some(fields) = schema.get_mut("properties").and_then(Value::as_mapping_mut) else { return };
    let mut always_there = Vec::new();
    for (name, field) in fields {
        if name.as_str().is_some_and(|name| left_out.contains(&name)) {
            continue;
        }
        always_there.push(name.clone());
        if !required.contains(name) {
            make_nullable(field);
        }
    }
    schema["required"] = Value::Sequence(always_there);
}

/// Declares that a field may be null. A reference can't say so itself (OpenAPI 3.0 ignores what stands beside `$ref`), so
/// [`super::references::write_out`] writes the schema in its place.
fn make_nullable(field: &mut Value) {
    if field["$ref"].is_string() {
        *field = Mapping::from_iter([("allOf".into(), Value::Sequence(vec![field.clone()]))]).into();
    }
    field["nullable"] = true.into();
}

/// Returns the names of all schemas to which the `parts` of any operation refer, also over other schemas.
pub(super) fn schemas_in(spec: &mut Value, parts: &[&str]) -> BTreeSet<String> {
    let mut open: Vec<String> = Vec::new();
    for operation in super::operations(spec) {
        parts.iter().for_each(|part| collect_references(&operation[*part], &mut open));
    }
    let mut found = BTreeSet::new();
    while let Some(name) = open.pop() {
        if !found.contains(&name) {
            collect_references(&spec["components"]["schemas"][name.as_str()], &mut open);
            found.insert(name);
        }
    }
    found
}

fn collect_references(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::Sequence(items) => items.iter().for_each(|item| collect_references(item, into)),
        Value::Mapping(object) => {
            let reference = object.get("$ref").and_then(Value::as_str);
            into.extend(reference.and_then(|text| text.rsplit('/').next()).map(str::to_owned));
            object.values().for_each(|item| collect_references(item, into));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::value, *};

    #[test]
    fn fields_of_answers_are_there_or_null_and_those_of_bodies_stay() {
        let reference = |name: &str| json!({ "$ref": format!("#/components/schemas/{name}") });
        let call = json!({ "requestBody": reference("In"), "responses": { "200": reference("Page") } });
        let item = json!({ "properties": { "id": { "type": "string" } }, "required": ["id"] });
        let page = json!({ "properties": { "next": { "type": "string" }, "first": reference("Item") } });
        let body = json!({ "properties": { "a": { "type": "string" } } });
        let schemas = json!({ "Page": page, "Item": item, "In": body });
        let mut spec = value(&json!({ "paths": { "/a/": { "get": call } }, "components": { "schemas": schemas } }));
        declare(&mut spec);
        let schemas = &spec["components"]["schemas"];
        assert_eq!(schemas["Page"]["required"], value(&json!(["first", "next"])));
        assert_eq!(schemas["Page"]["properties"]["next"], value(&json!({ "type": "string", "nullable": true })));
        let nullable = json!({ "allOf": [reference("Item")], "nullable": true });
        assert_eq!(schemas["Page"]["properties"]["first"], value(&nullable));
        assert_eq!((&schemas["Item"], &schemas["In"]), (&value(&item), &value(&body)));
    }
}
