//! The limits of `bounds.rs` over HTTP/2, where one connection carries many calls and each response has its own flow
//! control.

use std::time::{Duration, Instant};

use bytes::Bytes;
use h2::{RecvStream, client::Builder};
use poem::http::{Method, StatusCode};

use crate::{
    bounds::{LATE, QUICK},
    support::{
        Line, TestApp,
        http2::{call, connect},
    },
};

const BRANDS: &str = "/api/utils/brands/";
const LOGIN: &str = "/api/auth/login/";

async fn whole(mut body: RecvStream) -> usize {
    let mut total = 0;
    while let Some(Ok(bytes)) = body.data().await {
        total += bytes.len();
        let _the_connection_may_end = body.flow_control().release_capacity(bytes.len());
    }
    total
}

#[tokio::test]
async fn one_connection_has_a_hundred_calls_at_once() {
    let app = TestApp::start().await;
    let (calls, _ends) = connect(&app.url, 65_535).await;
    let (calls, answer, _) = call(calls, Method::GET, "/openapi.json", false).await;
    let answer = answer.await.expect("an answer");
    assert_eq!((answer.status(), calls.current_max_send_streams()), (StatusCode::OK, 100));
    let length = answer.headers()["content-length"].to_str().expect("a text").parse();
    assert_eq!(Ok(whole(answer.into_body()).await), length, "all pieces of the body arrive");
}

#[tokio::test]
async fn answers_that_nobody_takes_end_the_connection() {
    let app = TestApp::start_with(&QUICK).await;
    for window in [0, 1000] {
        let (mut calls, ends) = connect(&app.url, window).await;
        let mut answers = Vec::new();
        for _ in 0..20 {
            let (again, answer, _) = call(calls, Method::GET, "/openapi.json", false).await;
            calls = again;
            answers.push(answer.await.expect("a head"));
        }
        let started = Instant::now();
        tokio::time::timeout(Duration::from_secs(10), ends).await.expect("an end").expect("no panic");
        assert!(started.elapsed() < Duration::from_millis(600) + LATE, "{window}: {:?}", started.elapsed());
    }
}

#[tokio::test]
async fn a_connection_without_calls_ends_whatever_it_says_meanwhile() {
    let app = TestApp::start_with(&QUICK).await;
    let stream = Line::open(&app.url).await.into_inner();
    let (_calls, mut connection) = Builder::new().handshake::<_, Bytes>(stream).await.expect("HTTP/2");
    let mut pings = connection.ping_pong().expect("pings");
    let ends = tokio::spawn(connection);
    let started = Instant::now();
    while !ends.is_finished() {
        assert!(started.elapsed() < Duration::from_millis(1500) + LATE, "pings keep it open");
        let _it_may_have_ended = pings.ping(h2::Ping::opaque()).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(started.elapsed() > Duration::from_secs(1), "{:?}", started.elapsed());
}

#[tokio::test]
async fn bodies_that_stall_are_408_and_the_other_calls_go_on() {
    let app = TestApp::start_with(&QUICK).await;
    let (calls, _ends) = connect(&app.url, 65_535).await;
    let (calls, stalled, mut body) = call(calls, Method::POST, LOGIN, true).await;
    body.send_data(Bytes::from_static(b"{"), false).expect("a beginning");
    let (calls, other, _) = call(calls, Method::GET, BRANDS, false).await;
    assert_eq!(other.await.expect("an answer").status(), StatusCode::OK);
    assert_eq!(stalled.await.expect("an answer").status(), StatusCode::REQUEST_TIMEOUT);
    let (_, after, _) = call(calls, Method::GET, BRANDS, false).await;
    assert_eq!(after.await.expect("an answer").status(), StatusCode::OK);
}
