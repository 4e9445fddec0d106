//! Three mongods as a replica set, and what is left of acknowledged writes when the primary is killed, stopped, or steps
//! down.
#![allow(clippy::print_stderr, reason = "a drill tells what it measured")]

use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::json;

use crate::support::{Caller, PASSWORD, ReplicaSet, TempFolder, TestApp};

/// How long writes may fail until the others have elected a new primary: the election's own time-out is 10 s.
const LONGEST_GAP: Duration = Duration::from_secs(30);

/// Signs up one account after the other; the names of those that were acknowledged.
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

/// A name that a lost answer has taken counts as acknowledged once its owner is told so.
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
