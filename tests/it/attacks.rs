//! Whole attacks of somebody without an account on a server of its own: it must stay small, and quick for everybody else.
#![allow(clippy::print_stderr, reason = "a drill tells what it measured")]

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
/// MiB that the server may take, and how long the 99th of 100 health checks may.
const MEMORY: u64 = 300;
const P99: Duration = Duration::from_millis(250);
/// How long an attacker holds what they have before they begin anew.
const HELD: Duration = Duration::from_secs(5);
/// How long each attack goes on.
const LENGTH: Duration = Duration::from_secs(15);

/// What an attack did to a server and to those who ask for its health meanwhile.
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

/// Calls over so many connections, 99 on each, whose answers may send so many bytes before they wait. Bodies of so many bytes
/// don't end; with 0 there are none. All are held while what this returns is.
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
        // Where images are taken, and where anybody may write.
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
