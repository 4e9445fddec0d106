//! Features for operators: metrics, traces, pages that can be switched off, security headers, and full disks.

use reqwest::Method;
use serde_json::json;

use crate::support::{
    FakeCollector, Line, PASSWORD, Reply, TempFolder, TestApp, eventually, myspares, shared_mongod_uri, some_picture,
};

const BRANDS: &str = "/api/utils/brands/";

async fn metrics(app: &TestApp) -> String {
    app.anonymous().get("/metrics").await.expect(200).text
}

/// Returns the value of a metric. `sample` is its name with its labels.
fn number(metrics: &str, sample: &str) -> f64 {
    let line = metrics.lines().find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {sample} in {metrics}")).parse().expect("a number")
}

#[tokio::test]
async fn calls_are_counted_by_the_pattern_of_their_path() {
    let app = TestApp::start().await;
    let product = app.product(10.0, 5).await;
    let path = format!("/api/utils/products/{}/", product["code"].as_str().expect("a code"));
    for path in [path.as_str(), "/api/utils/products/NO-NO-NO-NO/", "/no/such/page", "/neither/this/one"] {
        app.anonymous().get(path).await;
    }
    let text = metrics(&app).await;
    let count = |labels: &str| number(&text, &format!("myspares_http_request_duration_seconds_count{{{labels}}}"));
    assert_eq!(count("method=\"GET\",route=\"/api/utils/products/:param0\",status=\"200\""), 1.0);
    assert_eq!(count("method=\"GET\",route=\"/api/utils/products/:param0\",status=\"404\""), 1.0);
    assert_eq!(count("method=\"GET\",route=\"none\",status=\"404\""), 2.0);
    assert!(!text.contains("neither"), "metrics contain no paths of requests");
}

#[tokio::test]
async fn the_state_of_the_server_is_told_in_the_format_that_is_asked_for() {
    let app = TestApp::start_with(&[("MAX_REQUESTS_ADDRESS", "1"), ("LIMIT_SEARCH", "1/1h")]).await;
    let mut line = Line::open(&app.url).await;
    line.say(&crate::support::head_of("/api/auth/login/", 100)).await;
    eventually("the place is taken", || async { app.anonymous().get(BRANDS).await.status == 503 }).await;
    drop(line);
    eventually("it is free again", || async { app.anonymous().get(BRANDS).await.status == 200 }).await;
    let text = metrics(&app).await;
    assert!(text.contains("# TYPE myspares_refused_total counter\n") && !text.contains("# EOF"), "{text}");
    assert!(number(&text, "myspares_refused_total{bound=\"requests\"}") >= 1.0);
    assert_eq!(number(&text, "myspares_requests_in_flight"), 1.0, "the call that asks");
    for name in ["myspares_connections_open", "process_resident_memory_bytes", "process_open_fds"] {
        assert!(number(&text, name) > 0.0, "{name}");
    }
    assert_eq!(number(&text, &format!("myspares_build_info{{version=\"{}\"}}", env!("CARGO_PKG_VERSION"))), 1.0);
    let asked = app.anonymous().request(Method::GET, "/metrics").header("accept", "application/openmetrics-text");
    let reply = Reply::of(asked).await.expect(200);
    assert!(reply.header("content-type").starts_with("application/openmetrics-text; version=1.0.0"));
    assert!(reply.text.contains("# TYPE myspares_refused counter\n") && reply.text.ends_with("# EOF\n"));
}

#[tokio::test]
async fn metrics_and_documentation_can_be_switched_off_or_put_elsewhere() {
    let off = TestApp::start_with(&[("METRICS_ADDR", "off"), ("DOCS", "off")]).await;
    for path in ["/metrics", "/docs", "/docs/reference", "/docs/redoc.js", "/openapi.json", "/openapi.yaml"] {
        off.anonymous().get(path).await.expect(404).is_envelope();
    }
    let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a free port");
    let own = TestApp::start_with(&[("METRICS_ADDR", &free.to_string())]).await;
    own.anonymous().get("/metrics").await.expect(404);
    let there = own.anonymous().at(&format!("http://{free}"));
    eventually("it listens there", || async { there.request(Method::GET, "/metrics").send().await.is_ok() }).await;
    assert!(there.get("/metrics").await.expect(200).text.contains("myspares_build_info"));
    there.get(BRANDS).await.expect(404);
}

#[tokio::test]
async fn every_answer_tells_browsers_to_run_and_frame_nothing() {
    let app = TestApp::start().await;
    for path in [BRANDS, "/nowhere", "/api/accounts/me/", "/healthz"] {
        let reply = app.anonymous().get(path).await;
        assert_eq!(reply.header("content-security-policy"), "default-src 'none'; frame-ancestors 'none'", "{path}");
        assert_eq!(reply.header("referrer-policy"), "no-referrer", "{path}");
        assert_eq!(reply.header("strict-transport-security"), "", "not in development");
    }
    assert!(app.anonymous().get("/docs").await.header("content-security-policy").contains("script-src"));
}

#[tokio::test]
async fn control_characters_in_queries_are_refused_anywhere() {
    let app = TestApp::start().await;
    for path in
        ["/api/utils/search/?q=a%00b", "/api/utils/brands/?x=%0a", "/api/utils/brands/?cursor=%C2%85", "/healthz?%1f"]
    {
        let reply = app.anonymous().get(path).await.refused(400, "the query must not contain control characters");
        assert_eq!(reply["code"], "invalid_input", "{path}");
    }
    app.anonymous().get("/api/utils/brands/?x=%C3%BC%20%25").await.expect(200);
}

#[tokio::test]
async fn images_stop_before_the_disk_is_full() {
    let app = TestApp::start_with(&[("DISK_RESERVE_MB", "1000000000")]).await;
    let caller = app.customer().await;
    let reply = caller.send_image("/api/accounts/photo/", "image", &some_picture()).await;
    let reply = reply.refused(507, "there is no room for more files at the moment");
    assert_eq!(reply["code"], "storage_full");
    let body = json!({ "username": "jane", "password": PASSWORD, "phone_number": "9876543210" });
    app.anonymous().post("/api/auth/register/", &body).await.expect(201);
}

#[test]
fn a_data_folder_that_cannot_be_written_is_told_at_the_start() {
    let folder = TempFolder::new().expect("a folder");
    let file = folder.path().join("no-folder");
    std::fs::write(&file, "").expect("a file");
    let vars = [
        ("DATA_DIR", file.to_str().expect("a plain path")),
        ("MONGO_URI", shared_mongod_uri()),
        ("JWT_SECRET", "0123456789abcdef0123456789abcdef"),
    ];
    let output = myspares(folder.path(), &vars, &["serve"]);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && told.contains("DATA_DIR: nothing can be written to"), "{told}");
}

/// Returns the names of the metrics in a text, without the endings that the samples of a histogram have.
fn names_in(text: &str) -> std::collections::BTreeSet<&str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let names = words.filter(|word| word.starts_with("myspares_") || word.starts_with("process_"));
    names
        .map(|name| ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name))
        .collect()
}

#[tokio::test]
async fn the_dashboard_and_the_alerts_ask_for_nothing_that_is_not_there() {
    let app = TestApp::start_with(&[("LIMIT_SEARCH", "1/1h"), ("RATE_LIMIT_SCALE", "1")]).await;
    for n in 0..2 {
        app.anonymous().get(&format!("/api/utils/search/?q=pad{n}")).await;
    }
    let workers = app.start_workers();
    eventually("all workers have worked", || async {
        let text = metrics(&app).await;
        ["mail", "images", "purge", "stock"].iter().all(|worker| text.contains(&format!("worker=\"{worker}\"")))
    })
    .await;
    let text = metrics(&app).await;
    workers.stop().await;
    let served = names_in(&text);
    for (file, asked) in [
        ("dashboard.json", include_str!("../../docs/monitoring/dashboard.json")),
        ("alerts.yaml", include_str!("../../docs/monitoring/alerts.yaml")),
    ] {
        let missing: Vec<_> = names_in(asked).into_iter().filter(|name| !served.contains(name)).collect();
        assert!(missing.is_empty() && names_in(asked).len() > 5, "{file}: {missing:?}");
    }
}

#[tokio::test]
async fn calls_are_traced_by_their_route_for_whoever_asked() {
    let collector = FakeCollector::start().await;
    let app = TestApp::start_with(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url)]).await;
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let asked = app.anonymous().request(Method::GET, "/api/utils/products/SECRET-CODE-OF-MINE/");
    let asked = asked.header("traceparent", format!("00-{trace}-00f067aa0ba902b7-01"));
    Reply::of(asked).await.expect(404);
    eventually("the collector has the span", || async { collector.has(b"GET /api/utils/products/:param0") }).await;
    let id: Vec<u8> = (0..16).map(|n| u8::from_str_radix(&trace[2 * n..2 * n + 2], 16).expect("hexadecimal")).collect();
    assert!(collector.has(&id), "it is part of the caller's trace");
    assert!(!collector.has(b"SECRET-CODE"), "traces contain no paths of requests");
}

#[tokio::test]
async fn a_collector_that_is_gone_holds_up_nobody() {
    let app = TestApp::start_with(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")]).await;
    for _ in 0..50 {
        app.anonymous().get(BRANDS).await.expect(200);
    }
}
