//! The names of media types.

use serde_yaml::Value;

/// Removes the parameters of media types, such as `; charset=utf-8`. They stay in the headers of the answers.
///
/// Programs that make clients compare the whole name with `application/json`.
pub(super) fn leave_out_charsets(spec: &mut Value) {
    super::for_each_object(&mut spec["paths"], &mut |object| {
        let Some(content) = object.get_mut("content").and_then(Value::as_mapping_mut) else { return };
        *content = std::mem::take(content).into_iter().map(|(name, media)| (without_parameters(name), media)).collect();
    });
}

fn without_parameters(media_type: Value) -> Value {
    match media_type.as_str().and_then(|name| name.split_once(';')) {
        Some((name, _)) => name.trim().into(),
        None => media_type,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::value, *};

    #[test]
    fn the_type_itself_stays() {
        let mut spec = value(&json!({ "paths": { "/a/": { "get": { "responses": { "200": {
            "content": { "application/json; charset=utf-8": { "schema": {} }, "text/csv": {} } } } } } } }));
        leave_out_charsets(&mut spec);
        let content = &spec["paths"]["/a/"]["get"]["responses"]["200"]["content"];
        assert_eq!(*content, value(&json!({ "application/json": { "schema": {} }, "text/csv": {} })));
    }
}
