//! References to schemas.

use serde_yaml::{Mapping, Value};

use super::presence;

/// Replaces a list of one reference and a description by the reference alone.
///
/// poem-openapi writes `allOf: [{$ref}, {description}]` for a field whose type has a schema of its own, and generators
/// of clients make a new type for it. The description of the type stays.
pub(super) fn make_plain(spec: &mut Value) {
    super::for_each_object(spec, &mut |object| {
        if let Some(reference) = only_reference(object) {
            *object = Mapping::from_iter([("$ref".into(), reference)]);
        }
    });
}

/// Writes the schema itself in place of a list of one reference that adds something to it, such as that the value may be
/// null or a default. In a list, the schema of the reference would still forbid null.
pub(super) fn write_out(spec: &mut Value) {
    let schemas = spec["components"]["schemas"].clone();
    super::for_each_object(spec, &mut |object| {
        let Some(name) = name_in(object) else { return };
        let Some(schema) = schemas.get(&name).and_then(Value::as_mapping) else { return };
        let added: Vec<_> =
            object.iter().filter(|(key, _)| *key != "allOf").map(|(k, v)| (k.clone(), v.clone())).collect();
        // A title would become the name of a second type in generated clients.
        let own = schema.iter().filter(|(key, _)| *key != "title" && *key != "example");
        *object = own.map(|(key, value)| (key.clone(), value.clone())).chain(added).collect();
    });
    drop_unused(spec);
}

/// Removes schemas that nothing refers to any more.
fn drop_unused(spec: &mut Value) {
    let used = presence::schemas_in(spec, &["requestBody", "responses", "parameters"]);
    if let Some(schemas) = spec["components"]["schemas"].as_mapping_mut() {
        schemas.retain(|name, _| name.as_str().is_some_and(|name| used.contains(name)));
    }
}

/// Returns the name of the one schema in a list that adds a null or a default to it.
fn name_in(schema: &Mapping) -> Option<String> {
    let adds = ["nullable", "default"].iter().any(|key| schema.contains_key(key));
    let reference = schema.get("allOf")?.as_sequence()?.first()?.get("$ref")?.as_str()?;
    adds.then(|| reference.rsplit('/').next().unwrap_or_default().to_owned())
}

/// Returns the reference of a schema that adds nothing but words to it.
fn only_reference(schema: &Mapping) -> Option<Value> {
    let is_word = |key: &Value| ["allOf", "description", "title"].iter().any(|word| key.as_str() == Some(word));
    let parts = schema.get("allOf")?.as_sequence()?;
    let reference = parts.first()?.get("$ref")?;
    let is_plain = schema.keys().all(is_word)
        && parts[1..].iter().filter_map(Value::as_mapping).all(|part| part.keys().all(is_word));
    is_plain.then(|| reference.clone())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::value, *};

    #[test]
    fn what_a_list_adds_besides_words_is_kept() {
        let reference = json!({ "$ref": "#/components/schemas/A" });
        let described = json!({ "allOf": [reference, { "description": "An a." }], "description": "An a." });
        let nullable = json!({ "allOf": [reference], "nullable": true });
        let mut spec = value(&json!({ "a": described, "b": [nullable] }));
        make_plain(&mut spec);
        assert_eq!(spec, value(&json!({ "a": reference, "b": [nullable] })));
    }

    #[test]
    fn what_adds_null_or_a_default_is_written_out() {
        let nullable = json!({ "allOf": [{ "$ref": "#/components/schemas/A" }], "nullable": true });
        let a = json!({ "type": "object", "title": "A", "example": { "x": 1 } });
        let plain = json!({ "$ref": "#/components/schemas/B" });
        let paths = json!({ "/a/": { "get": { "responses": { "200": nullable, "201": plain } } } });
        let mut spec =
            value(&json!({ "paths": paths, "components": { "schemas": { "A": a, "B": { "type": "string" } } } }));
        write_out(&mut spec);
        let written_out = &spec["paths"]["/a/"]["get"]["responses"]["200"];
        assert_eq!(*written_out, value(&json!({ "type": "object", "nullable": true })));
        assert_eq!(spec["components"]["schemas"], value(&json!({ "B": { "type": "string" } })));
    }
}
