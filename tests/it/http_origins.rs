//! Calls from pages of other sites, requests that no browser makes, and public calls with an old token.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{PASSWORD, Reply, TestApp};

/// Returns method and path of all operations that change something and work without a bearer token.
async fn unprotected(app: &TestApp) -> Vec<(Method, String)> {
    let spec = app.anonymous().get("/openapi.json").await.expect(200).json;
    let mut found = Vec::new();
    for (path, methods) in spec["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("methods") {
            let id = operation["operationId"].as_str().expect("an id");
            let public = operation["security"].as_array().is_none_or(Vec::is_empty);
            let optional = ["refresh", "refreshToken", "logout", "activateStaff"].contains(&id);
            if method != "get" && (public || optional) {
                let method = Method::from_bytes(method.to_uppercase().as_bytes()).expect("a method");
                found.push((method, path.replace(['{', '}'], "")));
            }
        }
    }
    assert!(found.len() >= 14, "{found:?}");
    found
}

async fn status(app: &TestApp, method: &Method, path: &str, headers: &[(&str, &str)]) -> (u16, Value) {
    let mut request = app.anonymous().request(method.clone(), path).json(&json!({}));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let reply = Reply::of(request).await;
    (reply.status.as_u16(), reply["code"].clone())
}

#[tokio::test]
async fn no_page_of_another_site_makes_a_call_that_no_bearer_protects() {
    let app = TestApp::start().await;
    let own = app.url.clone();
    for (method, path) in unprotected(&app).await {
        for foreign in [
            &[("origin", "https://evil.example")][..],
            &[("origin", "null")],
            &[("origin", "http://localhost:1")],
            &[("sec-fetch-site", "cross-site")],
            &[("origin", "https://evil.example"), ("sec-fetch-site", "same-origin")],
        ] {
            let refused = (403, json!("origin_not_allowed"));
            assert_eq!(status(&app, &method, &path, foreign).await, refused, "{path} {foreign:?}");
        }
        for allowed in [
            &[][..],
            &[("origin", "http://localhost:3000"), ("sec-fetch-site", "cross-site")],
            &[("origin", own.as_str())],
            &[("sec-fetch-site", "same-origin")],
            &[("sec-fetch-site", "none")],
        ] {
            let (_, code) = status(&app, &method, &path, allowed).await;
            assert_ne!(code, "origin_not_allowed", "{path} {allowed:?}");
        }
    }
}

#[tokio::test]
async fn a_request_has_exactly_one_host_unless_it_is_of_http_1_0() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let app = TestApp::start().await;
    let address = app.url.trim_start_matches("http://").replace("localhost", "127.0.0.1");
    for (head, expected) in [
        ("GET /healthz HTTP/1.1\r\nhost: x\r\n", "HTTP/1.1 200"),
        ("GET /healthz HTTP/1.1\r\n", "HTTP/1.1 400"),
        ("GET /healthz HTTP/1.1\r\nhost: x\r\nhost: y\r\n", "HTTP/1.1 400"),
        ("GET /healthz HTTP/1.1\r\nhost: x\r\nhost: x\r\n", "HTTP/1.1 400"),
        ("GET /healthz HTTP/1.0\r\n", "HTTP/1.0 200"),
    ] {
        let mut stream = tokio::net::TcpStream::connect(&address).await.expect("a connection");
        stream.write_all(format!("{head}connection: close\r\n\r\n").as_bytes()).await.expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("an answer");
        assert!(answer.starts_with(expected), "{head:?}: {answer}");
        if expected.ends_with("400") {
            assert!(answer.contains("an HTTP/1.1 request needs exactly one Host header"), "{answer}");
        }
    }
}

#[tokio::test]
async fn sign_ins_and_sign_ups_work_with_an_old_token_in_hand() {
    let app = TestApp::start().await;
    let mut old = app.customer().await;
    old.post_empty("/api/auth/logout/").await.expect(200);
    old.refresh = None;
    let account = app.new_account();
    old.post("/api/auth/register/", &account).await.expect(201).tells_of_bad_bearer();
    let login = json!({ "phone_number": account["phone_number"], "password": PASSWORD });
    old.post("/api/auth/login/", &login).await.expect(200).tells_of_bad_bearer();
    let wrong = json!({ "phone_number": account["phone_number"], "password": "Wr0ng!pass" });
    old.post("/api/auth/login/", &wrong).await.refused(401, "invalid credentials").tells_of_bad_bearer();
    let cross = old.request(Method::POST, "/api/auth/login/").header("origin", "http://localhost:3000").json(&login);
    let exposed = Reply::of(cross).await.expect(200);
    assert!(exposed.header("access-control-expose-headers").contains("WWW-Authenticate"));
    let good = app.customer().await;
    assert_eq!(good.post("/api/auth/login/", &login).await.expect(200).header("www-authenticate"), "");
}

#[tokio::test]
async fn numbers_are_read_in_the_same_spellings_wherever_they_are_typed() {
    let app = TestApp::start().await;
    app.claims("Asha Rao", Some("+919876543210"), Some("asha@bücher.example")).await;
    for typed in [
        "9876543210",
        "098765 43210",
        "+91 98765-43210",
        "(98765) 43210",
        "\u{202a}+91\u{a0}98765\u{2011}43210\u{202c}",
        "0091 98765 43210",
    ] {
        let login = json!({ "phone_number": typed, "password": PASSWORD });
        app.anonymous().post("/api/auth/login/", &login).await.expect(200);
        let token = json!({ "username": typed, "password": PASSWORD });
        app.anonymous().post("/api/auth/token/", &token).await.expect(200);
        app.anonymous().post("/api/request/forgot/check/", &json!({ "phone_number": typed })).await.expect(200);
    }
    for typed in ["asha@bücher.example", "ASHA@xn--bcher-kva.example", "asha@BÜCHER.example"] {
        let token = json!({ "username": typed, "password": PASSWORD });
        app.anonymous().post("/api/auth/token/", &token).await.expect(200);
    }
}
