//! Types, limits and examples of parameters.

use serde_yaml::Value;

/// Adds what `parameters.yaml` says about parameters, by the operation and name or by their place and name.
///
/// Handlers read parameters as texts, so that they can tell all faults at once and in the words of the shop.
/// poem-openapi therefore takes them all for texts.
pub(super) fn describe(spec: &mut Value) {
    let mut known: Value = serde_yaml::from_str(include_str!("parameters.yaml")).expect("YAML");
    known.apply_merge().expect("references to fields of the same file");
    for operation in super::operations(spec) {
        let own = known["operations"].get(&operation["operationId"]).cloned().unwrap_or_default();
        for parameter in super::children_list(operation, "parameters") {
            let (place, name) = (&parameter["in"], &parameter["name"]);
            let everywhere = known.get(place).and_then(|names| names.get(name));
            if let Some(more) = own.get(name).or(everywhere) {
                complete(parameter, more);
            }
        }
    }
}

fn complete(parameter: &mut Value, more: &Value) {
    let Some(fields) = parameter.as_mapping_mut() else { return };
    if !fields.contains_key("description") {
        fields.insert("description".into(), more["description"].clone());
    }
    if more["required"] == true {
        fields.insert("required".into(), true.into());
    }
    fields.insert("schema".into(), more["schema"].clone());
    fields.insert("example".into(), more["example"].clone());
}

/// Returns whether a parameter says what it means, which values it takes, and what one looks like.
#[cfg(test)]
fn is_whole(parameter: &serde_yaml::Mapping) -> bool {
    ["description", "schema", "example"].iter().all(|field| parameter.get(*field).is_some_and(|value| !value.is_null()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::value, *};

    #[test]
    fn every_known_parameter_is_described_whole() {
        let known: Value = serde_yaml::from_str(include_str!("parameters.yaml")).expect("YAML");
        let parameters: Vec<_> = ["path", "query", "header"]
            .into_iter()
            .flat_map(|place| known[place].as_mapping().expect("names").keys().map(move |name| (place, name.clone())))
            .map(|(place, name)| json!({ "in": place, "name": name, "description": "What it means.", "schema": {} }))
            .collect();
        let mut spec = value(&json!({ "paths": { "/a/": { "get": { "parameters": parameters } } } }));
        describe(&mut spec);
        let described = spec["paths"]["/a/"]["get"]["parameters"].as_sequence().expect("parameters");
        assert!(described.len() > 20 && described.iter().filter_map(Value::as_mapping).all(is_whole), "{described:?}");
        let limit = described.iter().find(|parameter| parameter["name"] == "limit").expect("the limit");
        assert_eq!((&limit["schema"]["type"], &limit["schema"]["default"]), (&"integer".into(), &20.into()));
    }

    #[test]
    fn others_and_words_of_handlers_stay() {
        let other = json!({ "in": "query", "name": "cursor", "schema": { "type": "string" } });
        let worded = json!({ "in": "path", "name": "code", "description": "A full code.", "schema": {} });
        let mut spec = value(&json!({ "paths": { "/a/": { "get": { "parameters": [other, worded] } } } }));
        describe(&mut spec);
        let described = &spec["paths"]["/a/"]["get"]["parameters"];
        assert_eq!((&described[0], &described[1]["description"]), (&value(&other), &"A full code.".into()));
    }
}
