//! JSON in a form that is the same at every run, for inline snapshots.

use serde_json::Value;

/// Returns a copy of JSON with a placeholder for each value that differs between runs.
///
/// | value | placeholder |
/// |---|---|
/// | an id or a request id: 24 lower-case hexadecimal digits | `[id]` |
/// | a time in UTC with milliseconds | `[time]` |
/// | an access token: three parts, of which the first begins with `eyJ` | `[token]` |
/// | the name of an account that [`super::TestApp::new_account`] made up | `[name]` |
/// | a product code that [`super::TestApp::product`] made up, alone or in a full code | `[code]` |
/// | the address of this machine in IPv4 or IPv6 | `[loopback]` |
///
/// Any other value stays as it is, so a snapshot also checks the form of ids and times. It does not check which ids are
/// equal. Compare these with `assert_eq!`.
///
/// `make test` sets `INSTA_UPDATE=no`: a test whose snapshot differs fails and writes no file. To change a snapshot,
/// run the test with `INSTA_UPDATE=no` and `INSTA_FORCE_PASS=0` and copy the JSON that it prints, or run `cargo insta
/// test --review` if `cargo-insta` is installed.
pub fn stable(json: &Value) -> Value {
    match json {
        Value::String(text) => Value::String(placeholder(text)),
        Value::Array(values) => values.iter().map(stable).collect(),
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), stable_field(name, value))).collect(),
        other => other.clone(),
    }
}

/// Returns the copy of a field. Only fields that are named like codes can have a made-up code.
fn stable_field(name: &str, value: &Value) -> Value {
    match (name, value) {
        ("code" | "product_code", Value::String(code)) => {
            let start = code.rfind('-').map_or(0, |hyphen| hyphen + 1);
            let (parents, own) = code.split_at(start);
            let is_made_up = is_hex(&own.to_ascii_lowercase(), 10);
            Value::String(if is_made_up { format!("{parents}[code]") } else { code.clone() })
        }
        _ => stable(value),
    }
}

fn placeholder(text: &str) -> String {
    if is_hex(text, 24) {
        "[id]".to_owned()
    } else if is_time(text) {
        "[time]".to_owned()
    } else if text.starts_with("eyJ") && text.split('.').count() == 3 {
        "[token]".to_owned()
    } else if text.strip_prefix("user ").is_some_and(|rest| is_hex(rest, 12)) {
        "[name]".to_owned()
    } else if ["127.0.0.1", "::1"].contains(&text) {
        "[loopback]".to_owned()
    } else {
        text.to_owned()
    }
}

fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// Returns whether a text has the form `2025-01-31T12:00:00.000Z`.
fn is_time(text: &str) -> bool {
    let form: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    form == "0000-00-00T00:00:00.000Z"
}

/// Returns an entry of the admin group as customers see it: without the time of its last change.
pub fn public(entry: &Value) -> Value {
    let mut shown = entry.clone();
    shown.as_object_mut().expect("an object").remove("updated_at");
    shown
}
