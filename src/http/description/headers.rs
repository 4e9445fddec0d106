//! Headers that answers have whatever the call is.

use serde_json::{Value as Json, json};
use serde_yaml::{Mapping, Value};

/// Describes the headers that the layers of `http/` add: the id of the request on every answer, and on refusals what a
/// client has to do next.
pub(super) fn describe(spec: &mut Value) {
    for operation in super::operations(spec) {
        for (status, response) in operation.get_mut("responses").and_then(Value::as_mapping_mut).into_iter().flatten() {
            let Some(response) = response.as_mapping_mut() else { continue };
            let headers = response.entry("headers".into()).or_insert_with(|| Mapping::new().into());
            for (name, header) in headers_of(status.as_str().unwrap_or_default()) {
                headers[name] = super::value(&header);
            }
        }
    }
}

fn headers_of(status: &str) -> Vec<(&'static str, Json)> {
    let text = |description: &str, example: &str| json!({ "description": description, "schema": { "type": "string" }, "example": example });
    let id = text("Id of the request. The logs contain the same id.", "6b0a1284b0889798d4d1e023");
    let mut headers = vec![("X-Request-Id", id)];
    match status {
        "401" => {
            let description = "How to sign in: with a bearer token (RFC 6750).";
            headers.push(("WWW-Authenticate", text(description, "Bearer")));
        }
        "429" | "503" => {
            let description = "Seconds after which the call may be repeated.";
            let seconds = json!({ "type": "integer", "minimum": 0 });
            headers.push(("Retry-After", json!({ "description": description, "schema": seconds, "example": 2 })));
        }
        _ => {}
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_say_what_to_do_next_and_own_headers_stay() {
        let own = json!({ "headers": { "ETag": { "schema": { "type": "string" } } } });
        let mut spec = super::super::value(&json!({ "paths": { "/a/": { "get": { "responses": {
            "200": own, "401": {}, "429": {} } } } } }));
        describe(&mut spec);
        let responses = &spec["paths"]["/a/"]["get"]["responses"];
        let names = |status: &str| -> Vec<&str> {
            responses[status]["headers"].as_mapping().expect("headers").keys().filter_map(Value::as_str).collect()
        };
        assert_eq!(names("200"), ["ETag", "X-Request-Id"]);
        assert_eq!(names("401"), ["X-Request-Id", "WWW-Authenticate"]);
        assert_eq!(names("429"), ["X-Request-Id", "Retry-After"]);
    }
}
