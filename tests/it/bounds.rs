//! Limits on what callers without an account can make the server hold: idle connections, unfinished requests, bodies
//! that never end, and responses that the caller does not read.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::{Line, Reply, TestApp, eventually, head_of};

const LOGIN: &str = "/api/auth/login/";
const BRANDS: &str = "/api/utils/brands/";
const GET: &str = "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";
/// Short timeouts, because the default ones would make the tests slow.
pub const QUICK: [(&str, &str); 3] = [("HEADER_TIME", "400ms"), ("IDLE_TIME", "1500ms"), ("STALL_TIME", "600ms")];
/// The delay that the tests tolerate after a timeout, because the machine may be busy.
pub const LATE: Duration = Duration::from_secs(2);

async fn quick() -> TestApp {
    TestApp::start_with(&QUICK).await
}

#[tokio::test]
async fn silence_and_half_heads_end() {
    let app = quick().await;
    let header_time = Duration::from_millis(400);
    for start in ["", "G", "GET / HTTP/1.1\r\nhost: x\r\n", "PRI * HTTP/2"] {
        let mut line = Line::open(&app.url).await;
        line.say(start).await;
        let (bytes, took) = line.hear_out().await;
        assert!(bytes < 100 && took >= header_time / 2 && took < header_time + LATE, "{start:?}: {took:?}");
    }
    // Sending another header line from time to time does not extend the timeout.
    let (mut line, started) = (Line::open(&app.url).await, Instant::now());
    line.say("GET / HTTP/1.1\r\nhost: x\r\n").await;
    while line.say("x: y\r\n").await {
        assert!(started.elapsed() < header_time + LATE, "the connection is still open after the timeout");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn between_two_requests_there_is_more_time_but_no_endless_one() {
    let app = quick().await;
    let mut line = Line::open(&app.url).await;
    for _ in 0..2 {
        line.say(GET).await;
        assert!(line.hear().await.starts_with("HTTP/1.1 200"));
        // This pause is longer than the time that a head may take.
        tokio::time::sleep(Duration::from_millis(900)).await;
    }
    let (bytes, took) = line.hear_out().await;
    assert!(bytes == 0 && took < Duration::from_millis(600) + LATE, "{took:?}");
    let mut half = Line::open(&app.url).await;
    half.say(&format!("{GET}GET / HT")).await;
    assert!(half.hear().await.starts_with("HTTP/1.1 200"));
    half.hear_out().await;
}

#[tokio::test]
async fn a_body_that_stalls_or_drips_is_408() {
    let app = quick().await;
    let mut line = Line::open(&app.url).await;
    line.say(&format!("{}{{", head_of(LOGIN, 100))).await;
    let answer = line.hear().await;
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("\"code\":\"request_timeout\""), "{answer}");
    let (mut line, started) = (Line::open(&app.url).await, Instant::now());
    line.say(&head_of(LOGIN, 100)).await;
    while line.say(" ").await && started.elapsed() < Duration::from_millis(900) {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(line.hear().await.starts_with("HTTP/1.1 408"), "a byte now and then is too slow");
    let mut steady = Line::open(&app.url).await;
    steady.say(&head_of(LOGIN, 4000)).await;
    for _ in 0..8 {
        steady.say(&" ".repeat(500)).await;
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert!(steady.hear().await.starts_with("HTTP/1.1 400"), "a slow line that keeps the rate is served");
}

#[tokio::test]
async fn an_answer_that_nobody_takes_ends() {
    let app = quick().await;
    let whole = app.anonymous().get("/openapi.json").await.expect(200).text.len();
    let mut line = Line::open(&app.url).await;
    let times = 40_000_000 / whole;
    line.say(&"GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n".repeat(times)).await;
    tokio::time::sleep(Duration::from_millis(600) + LATE).await;
    let (bytes, _) = line.hear_out().await;
    assert!(bytes < times * whole, "the server sent all {bytes} bytes");
    app.anonymous().get("/healthz").await.expect(200);
}

#[tokio::test]
async fn one_address_has_so_many_connections_and_leaves_room_to_others() {
    let app = TestApp::start_with(&[("MAX_CONNECTIONS", "6"), ("MAX_CONNECTIONS_ADDRESS", "5")]).await;
    let mut lines = Vec::new();
    for _ in 0..3 {
        let mut line = Line::open(&app.url).await;
        line.say(GET).await;
        assert!(line.hear().await.starts_with("HTTP/1.1 200"));
        lines.push(line);
    }
    let mut one_more = Line::open(&app.url).await;
    one_more.say(GET).await;
    assert_eq!(one_more.hear().await, "", "one address gets no more than half of all connections");
    let mut other = Line::open_from(&app.url, "[::1]").await;
    other.say(GET).await;
    assert!(other.hear().await.starts_with("HTTP/1.1 200"), "another address");
    drop(lines);
    eventually("there is room again", || async {
        let mut line = Line::open(&app.url).await;
        line.say(GET).await;
        line.hear().await.starts_with("HTTP/1.1 200")
    })
    .await;
}

#[tokio::test]
async fn one_address_has_so_many_requests_under_way() {
    let app = TestApp::start_with(&[("MAX_REQUESTS_ADDRESS", "3")]).await;
    let mut half = Vec::new();
    for _ in 0..3 {
        let mut line = Line::open(&app.url).await;
        line.say(&format!("{}{{", head_of(LOGIN, 100))).await;
        half.push(line);
    }
    eventually("all three are under way", || async { app.anonymous().get(BRANDS).await.status == 503 }).await;
    let reply = app.anonymous().get(BRANDS).await.refused(503, "too much is asked for at the moment");
    assert_eq!((reply["code"].as_str(), reply.header("retry-after")), (Some("too_busy"), "2"));
    app.anonymous().get("/healthz").await.expect(200);
    app.anonymous().get("/readyz").await.expect(200);
    half[0].say(&" ".repeat(99)).await;
    assert!(half[0].hear().await.starts_with("HTTP/1.1 400"));
    app.anonymous().get(BRANDS).await.expect(200);
}

#[tokio::test]
async fn strangers_leave_a_share_to_those_who_are_signed_in() {
    let app = TestApp::start_with(&[("MAX_REQUESTS", "8"), ("TRUSTED_PROXIES", "127.0.0.1,::1")]).await;
    let customer = app.customer().await;
    let mut half = Vec::new();
    for n in 0..6 {
        let mut line = Line::open(&app.url).await;
        let head = head_of(LOGIN, 100).replacen("host: x", &format!("host: x\r\nx-forwarded-for: 192.0.2.{n}"), 1);
        line.say(&head).await;
        half.push(line);
    }
    eventually("strangers are refused", || async { app.anonymous().get(BRANDS).await.status == 503 }).await;
    customer.get("/api/accounts/me/").await.expect(200);
    let forged = app.anonymous().request(reqwest::Method::GET, BRANDS).bearer_auth("e30.e30.e30");
    Reply::of(forged).await.expect(503);
}

#[tokio::test]
async fn bodies_of_all_together_have_a_bound() {
    let app = TestApp::start_with(&[("MAX_BODIES_MB", "1")]).await;
    let large = json!({ "phone_number": "x".repeat(600 * 1024), "password": "x" });
    let reply = app.anonymous().post(LOGIN, &large).await.refused(503, "too much is asked for at the moment");
    assert_eq!(reply["code"], "too_busy");
    let small = json!({ "phone_number": "x".repeat(400 * 1024), "password": "x" });
    for _ in 0..5 {
        app.anonymous().post(LOGIN, &small).await.refused(401, "invalid credentials");
    }
}

#[tokio::test]
async fn who_is_not_let_in_is_told_before_the_body_comes() {
    let app = TestApp::start().await;
    let staff_only = "/api/admin/brands/insert/";
    for (path, status) in [(staff_only, "401"), ("/nowhere", "404"), ("/api/accounts/photo/", "401")] {
        let mut line = Line::open(&app.url).await;
        line.say(&head_of(path, 500_000)).await;
        assert!(line.hear().await.starts_with(&format!("HTTP/1.1 {status}")), "{path}");
        // The server reads and discards the rest of the body, and the connection stays usable.
        line.say(&" ".repeat(500_000)).await;
        line.say(GET).await;
        assert!(line.hear().await.starts_with("HTTP/1.1 200"), "{path}");
    }
    let mut line = Line::open(&app.url).await;
    line.say(&head_of(LOGIN, 500_000).replace("application/json", "text/plain")).await;
    assert!(line.hear().await.starts_with("HTTP/1.1 415"), "the wrong type");
    let mut line = Line::open(&app.url).await;
    line.say(&head_of(LOGIN, 50_000_000)).await;
    assert!(line.hear().await.starts_with("HTTP/1.1 413"), "too long");
}

#[tokio::test]
async fn calls_whose_caller_has_left_keep_their_places_to_their_end() {
    let app = TestApp::start_with(&[("MAX_REQUESTS_ADDRESS", "3"), ("BCRYPT_COST", "15")]).await;
    let body = json!({ "phone_number": "9876543210", "password": "anything" }).to_string();
    let mut lines = Vec::new();
    for _ in 0..2 {
        let mut line = Line::open(&app.url).await;
        line.say(&format!("{}{body}", head_of(LOGIN, body.len()))).await;
        lines.push(line);
    }
    // The server finishes a hash that it has begun, which takes one or two seconds.
    let begun = "myspares_bcrypt_jobs_total 2\n";
    eventually("both hash", || async { app.anonymous().get("/metrics").await.text.contains(begun) }).await;
    drop(lines);
    let mut third = Line::open(&app.url).await;
    third.say(&format!("{}{{", head_of(LOGIN, 100))).await;
    eventually("the third has its place", || async { app.anonymous().get(BRANDS).await.status == 503 }).await;
    eventually("the others have ended", || async { app.anonymous().get(BRANDS).await.status == 200 }).await;
}
