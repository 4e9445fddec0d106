//! Attacks by somebody without an account. Each attack has a server of its own.
//!
//! During the attack the server must use little memory and answer other callers quickly.
#![allow(clippy::print_stderr, reason = "the tests print what they measured")]

use std::time::{Duration, Instant};

use bytes::Bytes;
use h2::{SendStream, client::ResponseFuture};
use poem::http::Method;
use tokio::task::JoinSet;

use crate::support::{
    Line, Server, TempFolder, head_of,
    http2::{call, connect},
};

const LOGIN: &str = "/api/auth/login/";
/// The memory that the server may use, in MiB.
const MEMORY: u64 = 300;
/// The limit for the 99th percentile of the response times of health checks.
const P99: Duration = Duration::from_millis(250);
/// The time for which an attacker keeps the connections open before the next round.
const HELD: Duration = Duration::from_secs(5);
/// The duration of each attack.
const LENGTH: Duration = Duration::from_secs(15);

/// Runs an attack on a new server, and checks the memory of the server and the response times of health checks.
async fn under_attack<A: Future<Output = ()> + Send + 'static>(attack: impl FnOnce(String) -> A) {
    let folder = TempFolder::new().expect("a folder");
    let server = Server::start(folder.path());
    let attack = tokio::spawn(attack(server.url.clone()));
    let (started, mut times) = (Instant::now(), Vec::new());
    while started.elapsed() < LENGTH {
        let asked = Instant::now();
        let mut line = Line::open_from(&server.url, "[::1]").await;
        line.say("GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await;
        assert!(line.hear().await.starts_with("HTTP/1.1 200"));
        times.push(asked.elapsed());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    attack.abort();
    times.sort();
    let (p99, memory) = (times[times.len() * 99 / 100], server.peak_mebibytes());
    assert!(memory < MEMORY && p99 < P99, "{memory} MiB, p99 {p99:?}");
    eprintln!("{memory} MiB at most, p99 of /healthz {p99:?} of {} checks", times.len());
}

/// Makes 99 calls on each of `connections` HTTP/2 connections and does not read the responses.
///
/// Each response may send `window` bytes before it has to wait. If `body` is above 0, each call sends that many bytes
/// of a body that never ends. The calls stay open until the returned vector is dropped.
async fn calls_over_http2(
    url: &str,
    (connections, window): (usize, u32),
    (method, path): (Method, &str),
    body: usize,
) -> Vec<(ResponseFuture, SendStream<Bytes>)> {
    let mut held = Vec::new();
    for _ in 0..connections {
        let (mut calls, _ends) = connect(url, window).await;
        for _ in 0..99 {
            let (again, answer, mut stream) = call(calls, method.clone(), path, body > 0).await;
            calls = again;
            if body > 0 {
                let _it_may_be_refused = stream.send_data(Bytes::from(vec![b' '; body]), false);
            }
            held.push((answer, stream));
        }
    }
    held
}

#[tokio::test]
#[ignore = "an attack of 15 seconds"]
async fn bodies_over_http2_that_never_end() {
    under_attack(|url| async move {
        loop {
            let _held = calls_over_http2(&url, (3, 65_535), (Method::POST, LOGIN), 1_000_000).await;
            tokio::time::sleep(HELD).await;
        }
    })
    .await;
}

#[tokio::test]
#[ignore = "an attack of 15 seconds"]
async fn answers_over_http2_that_nobody_takes() {
    under_attack(|url| async move {
        loop {
            let _held = calls_over_http2(&url, (20, 1_000), (Method::GET, "/openapi.json"), 0).await;
            tokio::time::sleep(HELD).await;
        }
    })
    .await;
}

#[tokio::test]
#[ignore = "an attack of 15 seconds"]
async fn three_hundred_unfinished_forms() {
    under_attack(|url| async move {
        // One path accepts images, and the other accepts a body from everybody.
        let form = head_of("/api/accounts/photo/", 1_000_000);
        let form = form.replace("application/json", "multipart/form-data; boundary=b");
        let heads = [form, head_of(LOGIN, 1_000_000)];
        loop {
            let mut held = JoinSet::new();
            for n in 0..300 {
                let (url, head) = (url.clone(), heads[n % 2].clone());
                held.spawn(async move {
                    let mut line = Line::open(&url).await;
                    line.say(&head).await;
                    line.say(&" ".repeat(999_000)).await;
                    tokio::time::sleep(HELD).await;
                });
            }
            held.join_all().await;
        }
    })
    .await;
}
