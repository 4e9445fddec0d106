//! References to schemas.

use serde_yaml::{Mapping, Value};

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
}
