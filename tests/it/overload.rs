//! An overloaded server. It refuses the calls that would wait too long and still carries out the others.

use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};
use rustix::process::{Signal, kill_process};
use serde_json::json;

use crate::support::{Caller, PASSWORD, Reply, Server, TempFolder, TestApp};

const BRANDS: &str = "/api/utils/brands/";

async fn customer_of(server: &Server) -> Caller {
    let mut caller = Caller::new(&server.url);
    let body = json!({ "username": "john", "password": PASSWORD, "phone_number": "9876543210" });
    caller.sign_in(&caller.post("/api/auth/register/", &body).await.expect(201));
    caller
}

/// Checks a server whose database hangs. All connections to the database are in use, so a call would wait for long.
#[tokio::test]
async fn calls_that_would_wait_too_long_for_the_database_are_refused_at_once() {
    let folder = TempFolder::new().expect("a folder");
    let server = Server::start(folder.path());
    let customer = customer_of(&server).await;
    let cart = customer.cart();
    Caller::new(&server.url).get(BRANDS).await.expect(200);
    kill_process(server.mongod, Signal::STOP).expect("a signal");
    let waiting: Vec<_> = (0..60)
        .map(|_| {
            let (customer, cart) = (customer.clone(), cart.clone());
            tokio::spawn(async move { customer.get(&cart).await })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let started = Instant::now();
    let refused = customer.get(&cart).await.refused(503, "too much is asked for at the moment");
    let took = started.elapsed();
    assert!(took < Duration::from_millis(300) && refused["code"] == "too_busy", "{took:?}");
    assert!(!refused.header("retry-after").is_empty());
    Caller::new(&server.url).get(BRANDS).await.expect(200);
    kill_process(server.mongod, Signal::CONT).expect("a signal");
    for call in waiting {
        let reply = call.await.expect("no panic");
        assert!([200, 503].contains(&reply.status.as_u16()), "{}", reply.text);
    }
    customer.get(&cart).await.expect(200);
}

/// Checks `/readyz` while the database hangs. The probe has its own database connection and a timeout.
#[tokio::test]
async fn a_hanging_database_is_told_within_a_second_or_so() {
    let folder = TempFolder::new().expect("a folder");
    let server = Server::start(folder.path());
    let probe = Caller::new(&server.url);
    probe.get("/readyz").await.expect(200);
    kill_process(server.mongod, Signal::STOP).expect("a signal");
    tokio::time::sleep(Duration::from_millis(300)).await;
    let started = Instant::now();
    let replies = futures_util::future::join_all((0..50).map(|_| probe.get("/readyz"))).await;
    assert!(replies.iter().all(|reply| reply.status == 503), "all probes answer 503");
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
    kill_process(server.mongod, Signal::CONT).expect("a signal");
    crate::support::eventually("it is ready again", || async { probe.get("/readyz").await.status == 200 }).await;
}

/// Checks sign-ins when one hash takes about a second. A sign-in that would wait for more than ten seconds is refused,
/// and the response says when to try again.
#[tokio::test]
async fn sign_ins_are_refused_by_the_time_they_would_wait() {
    let app = TestApp::start_with(&[("BCRYPT_COST", "14")]).await;
    let calls: Vec<_> = (0..60)
        .map(|n| {
            let caller = app.anonymous();
            let login = json!({ "phone_number": format!("98765432{n:02}"), "password": "anything" });
            tokio::spawn(async move {
                let started = Instant::now();
                let reply = Reply::of(caller.request(Method::POST, "/api/auth/login/").json(&login)).await;
                (reply.status, started.elapsed(), reply.header("retry-after").to_owned())
            })
        })
        .collect();
    let mut refused = 0;
    for call in calls {
        let (status, took, retry_after) = call.await.expect("no panic");
        if status == StatusCode::SERVICE_UNAVAILABLE {
            refused += 1;
            assert!(took < Duration::from_secs(2) && !retry_after.is_empty(), "{took:?}");
        } else {
            // The expected wait was at most ten seconds. It is longer if the machine becomes busier.
            assert!(status == StatusCode::UNAUTHORIZED && took < Duration::from_secs(40), "{status} after {took:?}");
        }
    }
    assert!((10..60).contains(&refused), "{refused} of 60 are refused");
}
