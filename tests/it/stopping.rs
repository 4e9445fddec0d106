//! A server that is told to stop and a server that runs out of file descriptors, as callers and load balancers see
//! them.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::json;

use crate::support::{Caller, Line, Server, TempFolder, TestApp, eventually, head_of};

const BRANDS: &str = "/api/utils/brands/";
const GET: &str = "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";

#[tokio::test]
async fn while_balancers_look_elsewhere_everything_is_still_served() {
    let app = TestApp::start_with(&[("DRAIN_TIME", "1500ms")]).await;
    let mut kept = Line::open(&app.url).await;
    kept.say(GET).await;
    assert!(!kept.hear().await.contains("connection: close"));
    app.tell_to_stop();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let reply = app.anonymous().get("/readyz").await.refused(503, "the server is stopping");
    assert_eq!(reply["code"], "stopping");
    app.anonymous().get(BRANDS).await.expect(200);
    kept.say(GET).await;
    let last = kept.hear().await;
    assert!(last.starts_with("HTTP/1.1 200") && last.contains("connection: close"), "{last}");
    assert_eq!(kept.hear().await, "", "the connection ends after the response with `connection: close`");
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(app.anonymous().request(reqwest::Method::GET, "/healthz").send().await.is_err(), "nothing new is taken");
}

#[tokio::test]
async fn what_waits_for_its_hash_at_the_end_is_told_so() {
    let app = TestApp::start_with(&[("BCRYPT_COST", "14")]).await;
    let calls = (0..12).map(|n| {
        let caller = app.anonymous();
        let login = json!({ "phone_number": format!("98765432{n:02}"), "password": "anything" });
        tokio::spawn(async move { caller.post("/api/auth/login/", &login).await })
    });
    let calls: Vec<_> = calls.collect();
    // A call whose connection is closed before the server has read it gets no answer.
    eventually("the server has read every call", || async {
        let read = app.requests_in_flight().await + calls.iter().filter(|call| call.is_finished()).count();
        read >= calls.len()
    })
    .await;
    app.tell_to_stop();
    let mut statuses = Vec::new();
    for call in calls {
        statuses.push(call.await.expect("a response").status.as_u16());
    }
    assert!(statuses.iter().all(|status| [401, 503].contains(status)), "{statuses:?}");
    assert!(statuses.contains(&401), "{statuses:?}");
}

/// Checks that 300 unfinished requests from one address do not lock out other callers when file descriptors are scarce.
#[tokio::test]
async fn half_requests_do_not_lock_out_others() {
    let folder = TempFolder::new().expect("a folder");
    let server = Server::start_with_files(folder.path(), 384);
    let mut half = Vec::new();
    for _ in 0..450 {
        let mut line = Line::open(&server.url).await;
        line.say("GET / HTTP/1.1\r\nhost: x\r\n").await;
        half.push(line);
    }
    let started = Instant::now();
    let mut other = Line::open_from(&server.url, "[::1]").await;
    other.say("GET /readyz HTTP/1.1\r\nhost: x\r\n\r\n").await;
    let answer = other.hear().await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    // The unfinished requests end after 10 s and not only after the 75 s of an idle connection.
    tokio::time::sleep(Duration::from_secs(13)).await;
    let mut line = Line::open(&server.url).await;
    line.say(GET).await;
    assert!(line.hear().await.starts_with("HTTP/1.1 200"), "half requests have ended");
}

/// Restarts instances one after the other behind a load balancer.
///
/// The balancer asks `/readyz` twice a second and sends each call to an instance that answered 200.
#[tokio::test]
#[ignore = "ten seconds of restarts"]
async fn a_rolling_restart_loses_no_call() {
    let first = TestApp::start_with(&[("DRAIN_TIME", "2s")]).await;
    let ready = Arc::new(Mutex::new(vec![first.url.clone()]));
    let (done, calls, lost) =
        (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let callers: Vec<_> = (0..8)
        .map(|n| {
            tokio::spawn(call_until(Arc::clone(&done), Arc::clone(&ready), Arc::clone(&calls), Arc::clone(&lost), n))
        })
        .collect();
    let mut running = first;
    for _ in 0..3 {
        let next = running.another_instance_with(&[("DRAIN_TIME", "2s")]).await;
        ready.lock().expect("no panic").push(next.url.clone());
        running.tell_to_stop();
        let probe = running.anonymous();
        while probe.request(reqwest::Method::GET, "/readyz").send().await.is_ok_and(|reply| reply.status() == 200) {
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        ready.lock().expect("no panic").retain(|url| *url != running.url);
        tokio::time::sleep(Duration::from_secs(3)).await;
        running = next;
    }
    done.store(true, Ordering::Relaxed);
    for caller in callers {
        caller.await.expect("no panic");
    }
    let (calls, lost) = (calls.load(Ordering::Relaxed), lost.load(Ordering::Relaxed));
    assert!(lost == 0 && calls > 500, "{lost} of {calls} calls are lost");
}

async fn call_until(
    done: Arc<AtomicBool>,
    ready: Arc<Mutex<Vec<String>>>,
    calls: Arc<AtomicUsize>,
    lost: Arc<AtomicUsize>,
    n: usize,
) {
    let caller = Caller::new("");
    while !done.load(Ordering::Relaxed) {
        let url = {
            let ready = ready.lock().expect("no panic");
            ready[(n + calls.load(Ordering::Relaxed)) % ready.len()].clone()
        };
        let answer = caller.at(&url).request(reqwest::Method::GET, BRANDS).send().await;
        calls.fetch_add(1, Ordering::Relaxed);
        if !answer.is_ok_and(|answer| answer.status() == 200) {
            lost.fetch_add(1, Ordering::Relaxed);
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Checks that a stopping server does not wait for a call whose body has not arrived.
#[tokio::test]
async fn half_a_body_does_not_hold_up_the_end() {
    let app = TestApp::start_with(&[("STALL_TIME", "500ms")]).await;
    let mut line = Line::open(&app.url).await;
    line.say(&head_of("/api/auth/login/", 100)).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    app.tell_to_stop();
    let (_, took) = line.hear_out().await;
    assert!(took < Duration::from_secs(3), "{took:?}");
}
