//! Examples of answers.

use serde_yaml::{Mapping, Value};

/// Moves the examples of an answer from its schema to a place beside it.
///
/// The API gives each error of a call an example of its own: an object of names and examples in a list of one reference
/// (`api/error/samples.rs`). In a schema such an object would be an example of the answer itself.
pub(super) fn move_beside_schemas(spec: &mut Value) {
    for operation in super::operations(spec) {
        for media in super::children(operation, "responses")
            .flat_map(|response| super::children(response, "content"))
            .filter_map(Value::as_mapping_mut)
        {
            move_beside_schema(media);
        }
    }
}

fn move_beside_schema(media: &mut Mapping) {
    let schema = &media["schema"];
    let (Some(reference), Some(named)) = (schema["allOf"].get(0), schema["example"].as_mapping()) else { return };
    let reference = reference.clone();
    let beside = |example: &Value| Value::from(Mapping::from_iter([("value".into(), example.clone())]));
    let examples: Mapping = named.iter().map(|(name, example)| (name.clone(), beside(example))).collect();
    media.insert("examples".into(), examples.into());
    media.insert("schema".into(), reference);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::value, *};

    #[test]
    fn named_examples_stand_beside_the_schema() {
        let (reference, plain) =
            (json!({ "$ref": "#/components/schemas/A" }), json!({ "type": "string", "example": "x" }));
        let responses = json!({
            "400": { "content": { "application/json": { "schema": { "allOf": [reference], "example": { "a": 1 } } } } },
            "200": { "content": { "text/csv": { "schema": plain } } },
        });
        let mut spec = value(&json!({ "paths": { "/a/": { "get": { "responses": responses } } } }));
        move_beside_schemas(&mut spec);
        let after = &spec["paths"]["/a/"]["get"]["responses"];
        let expected = json!({ "schema": reference, "examples": { "a": { "value": 1 } } });
        assert_eq!(after["400"]["content"]["application/json"], value(&expected));
        assert_eq!(after["200"]["content"]["text/csv"]["schema"], value(&plain));
    }
}
