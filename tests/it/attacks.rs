//! Whole attacks of somebody without an account on a server of its own: it must stay small, and quick for everybody else.
#![allow(clippy::print_stderr, reason = "a drill tells what it measured")]

use std::time::{Duration, Instant};

use bytes::Bytes;
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

#[tokio::test]
#[ignore = "an attack of 15 seconds"]
async fn bodies_over_http2_that_never_end() {
    under_attack(|url| async move {
        loop {
            let mut held = Vec::new();
            for _ in 0..3 {
                let (mut calls, _ends) = connect(&url, 65_535).await;
                for _ in 0..99 {
                    let (again, answer, mut body) = call(calls, Method::POST, LOGIN, true).await;
                    calls = again;
                    let _it_may_be_refused = body.send_data(Bytes::from(vec![b' '; 1_000_000]), false);
                    held.push((answer, body));
                }
            }
            tokio::time::sleep(Duration::from_secs(5)).await;
        }
    })
    .await;
}

#[tokio::test]
#[ignore = "an attack of 15 seconds"]
async fn answers_over_http2_that_nobody_takes() {
    under_attack(|url| async move {
        loop {
            let mut held = Vec::new();
            for _ in 0..20 {
                let (mut calls, _ends) = connect(&url, 1_000).await;
                for _ in 0..99 {
                    let (again, answer, _) = call(calls, Method::GET, "/openapi.json", false).await;
                    calls = again;
                    held.push(answer);
                }
            }
            tokio::time::sleep(Duration::from_secs(5)).await;
        }
    })
    .await;
}

#[tokio::test]
#[ignore = "an attack of 15 seconds"]
async fn three_hundred_unfinished_forms() {
    under_attack(|url| async move {
        loop {
            let mut held = JoinSet::new();
            for n in 0..300 {
                // Where images are taken, and where anybody may write.
                let path = if n % 2 == 0 { "/api/accounts/photo/" } else { LOGIN };
                let head = head_of(path, 1_000_000).replace("application/json", "multipart/form-data; boundary=b");
                let head = if n % 2 == 0 { head } else { head_of(path, 1_000_000) };
                let url = url.clone();
                held.spawn(async move {
                    let mut line = Line::open(&url).await;
                    line.say(&head).await;
                    line.say(&" ".repeat(999_000)).await;
                    tokio::time::sleep(Duration::from_secs(5)).await;
                });
            }
            held.join_all().await;
        }
    })
    .await;
}
