//! The order of the tags, in which readers meet the groups of calls.

use serde_yaml::Value;

/// Puts the tags into the order in which their calls stand in the description, which is the order of `groups!` in
/// `api/mod.rs`. poem-openapi sorts them by name.
pub(super) fn put_in_reading_order(spec: &mut Value) {
    let order: Vec<String> =
        super::operations(spec).filter_map(|operation| operation["tags"][0].as_str().map(str::to_owned)).collect();
    let position = |tag: &Value| order.iter().position(|name| tag["name"].as_str() == Some(name));
    if let Some(tags) = spec["tags"].as_sequence_mut() {
        tags.sort_by_key(position);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::value, *};

    #[test]
    fn the_first_call_of_a_tag_decides() {
        let mut spec = value(&json!({
            "tags": [{ "name": "A" }, { "name": "B" }],
            "paths": { "/y/": { "get": { "tags": ["B"] } }, "/z/": { "get": { "tags": ["A"] }, "put": { "tags": ["B"] } } },
        }));
        put_in_reading_order(&mut spec);
        assert_eq!(spec["tags"], value(&json!([{ "name": "B" }, { "name": "A" }])));
    }
}
