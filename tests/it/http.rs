//! The behaviour that all calls share: the error envelope, methods, final slashes, CORS, compression and limits.
//! The pages beside the API are tested here too.

use std::time::{Duration, Instant};

use bson::{Document, doc, oid::ObjectId};
use insta::assert_json_snapshot;
use reqwest::Method;
use serde_json::json;

use crate::support::{Line, Reply, TempFolder, TestApp, eventually};

const LOGIN: &str = "/api/auth/login/";
const BRANDS: &str = "/api/utils/brands/";

#[tokio::test]
async fn bad_input_is_always_a_clear_refusal_in_the_envelope() {
    let app = TestApp::start().await;
    let caller = app.customer().await;
    let post =
        |body: &'static str| caller.request(Method::POST, LOGIN).header("content-type", "application/json").body(body);
    let deep: &'static str = Box::leak(format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000)).into_boxed_str());
    for (body, error) in [
        ("{", "the body is not valid JSON"),
        ("{\"phone_number\": }", "the body is not valid JSON"),
        (deep, "the body is not valid JSON"),
        ("[1, 2]", "the body must be a JSON object"),
        ("\"text\"", "the body must be a JSON object"),
        ("null", "the body must be a JSON object"),
        ("", "phone_number is required"),
        ("{}", "phone_number is required"),
        ("{\"phone_number\": [], \"password\": \"x\"}", "phone_number must be a string"),
        ("{\"phone_number\": \"1\", \"password\": 12345678}", "password must be a string"),
    ] {
        let reply = Reply::of(post(body)).await.refused(400, error);
        assert!(!reply.text.contains("12345678"), "{}", reply.text);
    }
    let text = caller.request(Method::POST, LOGIN).header("content-type", "text/plain").body("phone_number=1");
    Reply::of(text).await.refused(415, "the body must be application/json");
    let json = |request: reqwest::RequestBuilder| request.header("content-type", "application/json");
    let broken_utf8 = json(caller.request(Method::POST, LOGIN)).body(vec![b'{', 0xff, b'}']);
    Reply::of(broken_utf8).await.refused(400, "the body is not valid JSON");
    let untyped = caller.request(Method::POST, LOGIN).body("{}");
    Reply::of(untyped).await.refused(415, "a body needs a Content-Type");
    let packed = json(caller.request(Method::POST, LOGIN)).header("content-encoding", "gzip").body(vec![0x1f, 0x8b]);
    Reply::of(packed).await.refused(415, "compressed bodies are not taken");
}

#[tokio::test]
async fn large_bodies_are_refused_declared_or_not() {
    let app = TestApp::start().await;
    let caller = app.anonymous();
    let two_mebibytes = json!({ "phone_number": "x".repeat(2 * 1024 * 1024) });
    caller.post(LOGIN, &two_mebibytes).await.refused(413, "the body is too large: at most 1 MiB");
    let half = json!({ "phone_number": "x".repeat(1024 * 1024 - 100), "password": "x" });
    caller.post(LOGIN, &half).await.refused(401, "invalid credentials");
    let patient =
        format!("POST {LOGIN} HTTP/1.1\r\nhost: x\r\ncontent-length: 2097152\r\n\r\n{}", " ".repeat(2 * 1024 * 1024));
    let patient = raw(&app, &patient).await;
    assert!(patient.starts_with("HTTP/1.1 413"), "a client that writes everything first: {patient}");
    let declared = raw(&app, "POST /api/auth/login/ HTTP/1.1\r\nhost: x\r\ncontent-length: 41943040\r\n\r\n{").await;
    assert!(declared.starts_with("HTTP/1.1 413"), "{declared}");
    let mut chunked = "POST /api/auth/login/ HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n".to_owned();
    chunked.push_str("transfer-encoding: chunked\r\n\r\n");
    (0..40).for_each(|_| chunked.push_str(&format!("{:x}\r\n{}\r\n", 32 * 1024, " ".repeat(32 * 1024))));
    let chunked = raw(&app, &chunked).await;
    assert!(chunked.starts_with("HTTP/1.1 413"), "{chunked}");
}

/// Sends a request and returns the beginning of the response.
async fn raw(app: &TestApp, request: &str) -> String {
    let mut line = Line::open(&app.url).await;
    let _the_server_may_have_answered_already = line.say(request).await;
    line.hear().await
}

#[tokio::test]
async fn unknown_paths_and_methods_are_told_in_the_envelope() {
    let app = TestApp::start().await;
    for path in ["/nowhere", "/api/", "/api/utils/", "/api/auth/nothing/", "/docs/x", "/api/utils/brands/%ff/models/"] {
        let reply = app.anonymous().get(path).await;
        assert_eq!(reply.status, 404, "{path}: {}", reply.text);
        reply.is_envelope();
    }
    for (method, path, allow) in [
        (Method::GET, LOGIN, "POST, OPTIONS"),
        (Method::DELETE, LOGIN, "POST, OPTIONS"),
        (Method::HEAD, LOGIN, "POST, OPTIONS"),
        (Method::POST, BRANDS, "GET, HEAD, OPTIONS"),
        (Method::PUT, "/docs", "GET, HEAD, OPTIONS"),
        (Method::TRACE, BRANDS, "GET, HEAD, OPTIONS"),
    ] {
        let reply = Reply::of(app.anonymous().request(method.clone(), path)).await.expect(405);
        assert_eq!(reply.header("allow"), allow, "{method} {path}");
    }
    let unknown = Method::from_bytes(b"BREW").expect("a method");
    Reply::of(app.anonymous().request(unknown, BRANDS)).await.expect(501).is_envelope();
    let options = Reply::of(app.anonymous().request(Method::OPTIONS, BRANDS)).await.expect(204);
    assert_eq!(options.header("allow"), "GET, HEAD, OPTIONS");
}

#[tokio::test]
async fn paths_work_with_and_without_their_final_slash() {
    let app = TestApp::start().await;
    for path in [
        "/api/utils/brands",
        "/api/utils/brands/",
        "/api/utils/brands/?limit=5",
        "/api/utils/brands?limit=5",
        "/docs/",
        "/healthz/",
    ] {
        app.anonymous().get(path).await.expect(200);
    }
    app.anonymous().post("/api/auth/login", &json!({})).await.refused(400, "phone_number is required");
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let app = TestApp::start().await;
    for path in [BRANDS, "/healthz", "/openapi.json"] {
        let get = app.anonymous().get(path).await.expect(200);
        let head = Reply::of(app.anonymous().request(Method::HEAD, path)).await.expect(200);
        assert_eq!(head.header("content-length"), get.header("content-length"), "{path}");
        assert_eq!(head.text, "");
    }
}

#[tokio::test]
async fn request_ids_are_taken_over_when_sane() {
    let app = TestApp::start().await;
    let with =
        |id: &str| Reply::of(app.anonymous().request(Method::GET, "/nowhere").header("x-request-id", id.to_owned()));
    let reply = with("checkout-42.a_B").await;
    assert_eq!(reply.header("x-request-id"), "checkout-42.a_B");
    assert_json_snapshot!(reply.json, @r#"
    {
      "code": "not_found",
      "detail": "there is nothing at this path",
      "error": "there is nothing at this path",
      "request_id": "checkout-42.a_B"
    }
    "#);
    let long = "x".repeat(65);
    for strange in ["", "a b", "<script>", long.as_str()] {
        let made = with(strange).await.header("x-request-id").to_owned();
        assert!(made.len() == 24 && made != strange, "{made}");
    }
}

#[tokio::test]
async fn allowed_origins_may_read_and_others_get_the_answer_without_the_headers() {
    let app = TestApp::start().await;
    let from = |origin: &'static str, method: Method| app.anonymous().request(method, BRANDS).header("origin", origin);
    let good = Reply::of(from("http://localhost:3000", Method::GET)).await.expect(200);
    assert_eq!(good.header("access-control-allow-origin"), "http://localhost:3000");
    assert_eq!(good.header("access-control-allow-credentials"), "true");
    assert!(good.header("access-control-expose-headers").contains("X-Request-Id"));
    let foreign = Reply::of(from("https://evil.example", Method::GET)).await.expect(200);
    assert_eq!(foreign.header("access-control-allow-origin"), "");
    for reply in [&good, &foreign, &app.anonymous().get("/nowhere").await] {
        assert!(reply.headers.get_all("vary").iter().any(|value| value == "Origin"));
    }
    let asks = |origin| from(origin, Method::OPTIONS).header("access-control-request-method", "DELETE");
    let preflight = Reply::of(asks("http://localhost:5173")).await.expect(204);
    assert!(preflight.header("access-control-allow-methods").contains("DELETE"));
    assert!(preflight.header("access-control-allow-headers").contains("if-none-match"));
    assert_eq!(preflight.header("access-control-max-age"), "86400");
    let refused = Reply::of(asks("https://evil.example")).await.expect(204);
    assert_eq!(refused.header("access-control-allow-methods"), "");
}

#[tokio::test]
async fn long_answers_are_compressed_for_those_who_ask() {
    let app = TestApp::start().await;
    let get = |path: &'static str, encoding: &'static str| {
        Reply::of(app.anonymous().request(Method::GET, path).header("accept-encoding", encoding))
    };
    let packed = app
        .anonymous()
        .request(Method::GET, "/openapi.json")
        .header("accept-encoding", "gzip")
        .send()
        .await
        .expect("an answer");
    assert_eq!(packed.headers()["content-encoding"], "gzip");
    let bytes = packed.bytes().await.expect("a body");
    let mut text = String::new();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&bytes[..]), &mut text).expect("gzip");
    assert_eq!(text, get("/openapi.json", "identity").await.text);
    assert!(bytes.len() * 4 < text.len());
    let short = get(BRANDS, "gzip").await.expect(200);
    assert_eq!(short.header("content-encoding"), "");
    assert!(short.headers.get_all("vary").iter().any(|value| value == "Accept-Encoding"));
}

#[tokio::test]
async fn what_a_caller_began_who_hangs_up_is_done_to_its_end() {
    let app = TestApp::start().await;
    let product = app.product(10.0, 1).await;
    let stored = app.products().find_one(doc! {}).await.expect("an answer").expect("a product");
    let sibling = |n: usize| {
        let code = format!("TATA-NEXON-BRK-N{n}");
        let mut sibling = stored.clone();
        sibling.extend(doc! { "_id": ObjectId::new(), "own_code": &code[15..], "code": code });
        sibling
    };
    app.products().insert_many((0..5_000).map(sibling)).await.expect("products");
    let staff = app.staff().await;
    // The server deletes the brand in one transaction and then the products in batches. Each step takes longer than
    // this timeout.
    let deletion = staff.request(Method::DELETE, "/api/admin/brands/delete/TATA/").timeout(Duration::from_millis(40));
    assert!(deletion.send().await.is_err_and(|error| error.is_timeout()));
    eventually("everything below the brand is gone, and the job with it", || async {
        let left = app.products().count_documents(doc! {}).await.expect("a count");
        left == 0 && app.db.collection::<Document>("purges").count_documents(doc! {}).await.expect("a count") == 0
    })
    .await;
    let path = format!("/api/utils/products/{}/", product["code"].as_str().expect("a code"));
    app.anonymous().get(&path).await.refused(404, "product not found");
}

#[tokio::test]
async fn the_pages_beside_the_api_are_there() {
    let app = TestApp::start().await;
    let anyone = app.anonymous();
    assert_eq!(anyone.get("/healthz").await.expect(200)["status"], "ok");
    assert_eq!(anyone.get("/readyz").await.expect(200)["status"], "ready");
    assert!(anyone.get("/openapi.yaml").await.expect(200).text.starts_with("openapi:"));
    assert_eq!(anyone.get(BRANDS).await.header("x-content-type-options"), "nosniff");
}

#[tokio::test]
async fn an_unreachable_database_is_503_with_retry_after_and_not_401() {
    let folder = TempFolder::new().expect("a folder");
    let (app, mongod) = TestApp::start_with_own_mongod(folder.path()).await;
    let caller = app.customer().await;
    mongod.stop().await;
    let cart = caller.cart();
    let paths = ["/api/accounts/me/", "/readyz", BRANDS, &cart];
    let started = Instant::now();
    let replies = futures_util::future::join_all(paths.map(|path| caller.get(path))).await;
    assert!(started.elapsed() < Duration::from_secs(3), "an answer comes soon: {:?}", started.elapsed());
    for reply in replies {
        let reply = reply.expect(503);
        reply.is_envelope();
        assert_eq!(reply["code"], "database_unavailable");
        assert!(!reply.text.contains("sock"), "{}", reply.text);
        assert!(!reply.header("retry-after").is_empty());
    }
    caller.get("/healthz").await.expect(200);
}
