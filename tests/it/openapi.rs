//! The OpenAPI document: the committed file is up to date, and every operation is described completely.

use serde_json::Value;

use crate::support::{TempFolder, TestApp, myspares};

fn operations(spec: &Value) -> Vec<(String, Value)> {
    let paths = spec["paths"].as_object().expect("paths");
    let all = paths.iter().flat_map(|(path, methods)| {
        methods
            .as_object()
            .expect("methods")
            .iter()
            .map(move |(method, operation)| (format!("{method} {path}"), operation.clone()))
    });
    all.collect()
}

fn committed() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi/openapi.json");
    serde_json::from_str(&std::fs::read_to_string(path).expect("openapi/openapi.json")).expect("JSON")
}

#[tokio::test]
async fn the_committed_spec_is_what_the_server_and_the_command_give() {
    let app = TestApp::start().await;
    let served = app.anonymous().get("/openapi.json").await.expect(200);
    assert!(served.json == committed(), "openapi/openapi.json is stale: run `make openapi`");
    let folder = TempFolder::new().expect("a folder");
    let printed = myspares(folder.path(), &[], &["openapi"]);
    let is_same = String::from_utf8(printed.stdout).expect("text").trim() == served.text.trim();
    assert!(is_same, "the command prints another description than the server serves");
}

#[test]
fn every_operation_is_described_whole() {
    let spec = committed();
    for (name, operation) in operations(&spec) {
        assert!(name.ends_with('/'), "{name}: no final slash");
        for field in ["operationId", "summary"] {
            assert!(operation[field].as_str().is_some_and(|text| !text.is_empty()), "{name}: no {field}");
        }
        assert_eq!(operation["tags"].as_array().map(Vec::len), Some(1), "{name}: no tag");
        let responses = operation["responses"].as_object().expect("responses");
        let (good, bad): (Vec<_>, Vec<_>) = responses.iter().partition(|(status, _)| status.starts_with('2'));
        assert!(good.len() == 1 && bad.len() >= 2, "{name}: {responses:?}");
        for (status, response) in bad.into_iter().filter(|(status, _)| *status != "304") {
            let schema = &response["content"]["application/json"]["schema"]["$ref"];
            assert_eq!(schema, "#/components/schemas/ApiError", "{name} {status}");
        }
    }
}

#[test]
fn every_operation_has_an_example_of_what_it_takes_and_gives() {
    let spec = committed();
    let has_example = |content: &Value| {
        // A CSV file has its example in the response itself, and JSON has it in the schema of its type.
        if let Some(file) = content["text/csv"].as_object() {
            return file["schema"]["example"].is_string();
        }
        let reference = content["application/json"]["schema"]["$ref"].as_str().unwrap_or_default();
        let name = reference.trim_start_matches("#/components/schemas/");
        !spec["components"]["schemas"][name]["example"].is_null()
    };
    for (name, operation) in operations(&spec) {
        let responses = operation["responses"].as_object().expect("responses");
        let good = responses.iter().find(|(status, _)| status.starts_with('2')).expect("a success").1;
        assert!(has_example(&good["content"]), "{name}: the answer has no example");
        let body = &operation["requestBody"];
        assert!(
            body.is_null() || body["content"]["multipart/form-data"].is_object() || has_example(&body["content"]),
            "{name}: the body has no example"
        );
    }
}

/// Checks that no operation reads or writes XML. The exceptions for `quick-xml` in `deny.toml` depend on this.
#[test]
fn no_call_takes_or_gives_xml() {
    assert!(!committed().to_string().to_lowercase().contains("xml"));
}
