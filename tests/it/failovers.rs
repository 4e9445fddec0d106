//! A replica set of three mongods. No acknowledged write may be lost when the primary is killed, stopped or steps down.
#![allow(clippy::print_stderr, reason = "the tests print what they measured")]

use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::json;

use crate::support::{Caller, PASSWORD, ReplicaSet, TempFolder, TestApp, Wire};

/// The longest time for which writes may fail until a new primary is elected. The election timeout of MongoDB is 10 s.
const LONGEST_GAP: Duration = Duration::from_secs(30);

/// Sign-ups one after the other, with the names of the acknowledged accounts.
struct Writes {
    acknowledged: Vec<String>,
    longest_gap: Duration,
}

impl Writes {
    async fn go_on(&mut self, app: &TestApp, span: Duration) {
        let (caller, started, mut last) = (app.anonymous(), Instant::now(), Instant::now());
        while started.elapsed() < span {
            let name = format!("user {}", self.acknowledged.len() + 1_000);
            if sign_up(&caller, &name).await {
                self.longest_gap = self.longest_gap.max(last.elapsed());
                last = Instant::now();
                self.acknowledged.push(name);
            }
        }
        self.longest_gap = self.longest_gap.max(last.elapsed());
    }
}

/// Signs up an account and returns whether the server acknowledged it.
///
/// The first attempt may have stored the account although its response was lost. Then the next attempt gets status 409,
/// which counts as acknowledged.
async fn sign_up(caller: &Caller, name: &str) -> bool {
    let digits = name.trim_start_matches("user ");
    let body = json!({ "username": name, "password": PASSWORD, "phone_number": format!("98765{digits:0>5}") });
    let reply = caller.post("/api/auth/register/", &body).await;
    assert!([201, 409, 503].contains(&reply.status.as_u16()), "{}", reply.text);
    reply.status != 503
}

#[tokio::test]
#[ignore = "three elections"]
async fn no_acknowledged_write_is_lost_when_the_primary_goes() {
    let folder = TempFolder::new().expect("a folder");
    let mut set = ReplicaSet::start(folder.path()).await;
    let app = TestApp::start_at(set.uri()).await;
    let mut writes = Writes { acknowledged: Vec::new(), longest_gap: Duration::ZERO };
    writes.go_on(&app, Duration::from_secs(3)).await;
    for fault in ["kill", "stop", "step down"] {
        match fault {
            "kill" => set.end_primary(Signal::KILL).await,
            "stop" => set.end_primary(Signal::TERM).await,
            _ => set.step_down().await,
        }
        writes.go_on(&app, Duration::from_secs(20)).await;
        set.restart_missing().await;
        eprintln!("{fault}: {} acknowledged, longest gap {:?}", writes.acknowledged.len(), writes.longest_gap);
    }
    let mut lost = Vec::new();
    for name in &writes.acknowledged {
        let found = app.users().count_documents(bson::doc! { "username": name }).await.expect("a count");
        if found != 1 {
            lost.push(name);
        }
    }
    assert!(lost.is_empty() && writes.acknowledged.len() > 50, "{lost:?} of {}", writes.acknowledged.len());
    assert!(writes.longest_gap < LONGEST_GAP, "{:?}", writes.longest_gap);
}

/// Checks an instance whose network connection to the database is cut without an error.
///
/// The instance has to detect this itself and has to report it soon.
#[tokio::test]
#[ignore = "a replica set"]
async fn an_instance_that_is_cut_off_says_so_and_the_other_goes_on() {
    let folder = TempFolder::new().expect("a folder");
    let set = ReplicaSet::start(folder.path()).await;
    let wire = Wire::to(set.primary_host().await).await;
    let whole = TestApp::start_at(set.uri()).await;
    let cut_off = whole.another_instance_at(&format!("mongodb://{}/?directConnection=true", wire.address)).await;
    let names: Vec<String> = (2_000..2_020).map(|n| format!("user {n}")).collect();
    for name in &names {
        assert!(sign_up(&cut_off.anonymous(), name).await);
    }
    wire.cut();
    let started = Instant::now();
    cut_off.anonymous().get("/readyz").await.expect(503);
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    let waits = cut_off.anonymous();
    let waits = tokio::spawn(async move { sign_up(&waits, "user 3000").await });
    assert!(sign_up(&whole.anonymous(), "user 4000").await, "the other one goes on");
    assert!(!waits.await.expect("an answer"), "nothing is acknowledged that is not stored");
    eprintln!("a call of the instance that is cut off ends after {:?}", started.elapsed());
    assert!(started.elapsed() < LONGEST_GAP);
    let stored = bson::doc! { "username": { "$in": &names } };
    assert_eq!(whole.users().count_documents(stored).await.expect("a count"), 20);
}
