//! Who may call: everybody, everybody but with a token that shows more, or only people with a token.

use serde_yaml::{Mapping, Value};

use crate::api::access::NOBODY;

/// Writes `[]` for calls that take no credentials, and `{}` among the requirements where [`NOBODY`] stands.
///
/// Without `[]`, programs that make clients guess whether a call needs a token.
pub(super) fn name_everybody(spec: &mut Value) {
    for operation in super::operations(spec) {
        if operation["security"].is_null() {
            operation["security"] = Value::Sequence(Vec::new());
        }
        for requirement in operation["security"].as_sequence_mut().into_iter().flatten() {
            if requirement[NOBODY].is_sequence() {
                *requirement = Mapping::new().into();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::value, *};

    #[test]
    fn public_and_optional_calls_are_told_apart() {
        let mut spec = value(&json!({ "paths": {
            "/a/": { "get": {} },
            "/b/": { "get": { "security": [{ NOBODY: [] }, { "AccessToken": [] }] } },
            "/c/": { "get": { "security": [{ "AccessToken": [] }] } },
        } }));
        name_everybody(&mut spec);
        assert_eq!(spec["paths"]["/a/"]["get"]["security"], value(&json!([])));
        assert_eq!(spec["paths"]["/b/"]["get"]["security"], value(&json!([{}, { "AccessToken": [] }])));
        assert_eq!(spec["paths"]["/c/"]["get"]["security"], value(&json!([{ "AccessToken": [] }])));
    }
}
