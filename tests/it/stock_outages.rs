//! The stock worker when a process is killed and when the change stream breaks.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use bson::{Document, Timestamp, doc, oid::ObjectId};
use futures_util::TryStreamExt;
use rustix::process::Signal;
use serde_json::Value;

use crate::support::{TempFolder, TestApp, WorkProcess, chain_of, eventually, id_of, quantity, shared_mongod_uri};

/// The longest time until another process has the lease after its holder was killed. A lease lasts 10 s, and other
/// processes ask for it every 4 s.
const TAKE_OVER_LIMIT: Duration = Duration::from_secs(15);

/// Starts two worker processes. The first one has the lease.
async fn two_workers(app: &TestApp, folder: &Path) -> [WorkProcess; 2] {
    let vars =
        [("MONGO_URI", shared_mongod_uri()), ("MONGO_DB_NAME", app.db.name()), ("RUST_LOG", "debug,mongodb=info")];
    let first = WorkProcess::start(folder, &vars);
    let has_begun = || async { app.worker("stock").await.get_document("position").is_ok() };
    eventually("the first has the lease", has_begun).await;
    [first, WorkProcess::start(folder, &vars)]
}

/// Waits until another process has the lease, and checks that this does not take too long.
async fn until_taken_over(app: &TestApp, old: &Document, killed_at: Instant) {
    let taken = || async { app.worker("stock").await.get_i64("epoch").ok() != old.get_i64("epoch").ok() };
    eventually("another process takes over", taken).await;
    assert!(killed_at.elapsed() < TAKE_OVER_LIMIT, "{:?}", killed_at.elapsed());
}

#[tokio::test]
async fn the_holder_is_killed_in_the_middle_of_a_hundred_falls() {
    let (app, folder) = (TestApp::start().await, TempFolder::new().expect("a folder"));
    let product = app.product(10.0, 500).await;
    app.carts_with(&product, &[200, 120, 80, 60, 40]).await;
    let [mut first, _second] = two_workers(&app, folder.path()).await;
    let mut killed = None;
    for step in 1..=100 {
        app.set_stock(&product, 500 - step).await;
        if step == 40 {
            let lease = app.worker("stock").await;
            first.end(Signal::KILL);
            killed = Some((lease, Instant::now()));
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let (lease, killed_at) = killed.expect("killed");
    until_taken_over(&app, &lease, killed_at).await;
    eventually("all falls are shared out", || async { app.held(&product).await == 400 }).await;
    app.until_no_plan().await;
    let chain = chain_of(&app.redistributions().await);
    assert_eq!((chain.first(), chain.last()), (Some(&500), Some(&400)), "{chain:?}");
}

/// Checks that a new holder ends the open transaction of a killed one. The database itself would wait a minute for the
/// lost client.
#[tokio::test]
async fn a_transaction_of_a_killed_holder_holds_nobody_up() {
    let app = TestApp::start().await;
    let product = app.product(10.0, 20).await;
    let customers = app.carts_with(&product, &[7, 5, 4, 3, 1]).await;
    let mut left_open = app.db.client().start_session().await.expect("a session");
    left_open.start_transaction().await.expect("a transaction");
    let id = doc! { "redistribution": ObjectId::new(), "part": 0 };
    let plan = doc! { "_id": id, "product_id": id_of(&product), "stock": 9_i64, "lines": [] };
    app.db.collection("plans").insert_one(plan).session(&mut left_open).await.expect("a plan");
    let killed = doc! { "_id": "stock", "epoch": 1_i64, "session": left_open.id() };
    app.db.collection("workers").insert_one(killed).await.expect("a lease");
    app.set_stock(&product, 15).await;
    let workers = app.start_workers();
    app.until_held(&customers, &product, &[5, 4, 3, 2, 1]).await;
    assert_eq!(chain_of(&app.redistributions().await), [20, 15]);
    workers.stop().await;
    left_open.commit_transaction().await.expect_err("it was ended");
}

#[tokio::test]
#[ignore = "slow"]
async fn the_holder_is_killed_in_the_middle_of_carrying_a_plan_out() {
    let (app, folder) = (TestApp::start().await, TempFolder::new().expect("a folder"));
    let plans = app.db.collection::<Document>("plans");
    let mut cut_off = 0;
    while cut_off < 3 {
        let product = app.product(10.0, 100_000).await;
        app.many_carts(&product, 4_000, 5).await;
        let [mut first, second] = two_workers(&app, folder.path()).await;
        app.set_stock(&product, 9_001).await;
        let plan = loop {
            if let Some(plan) = plans.find_one(doc! { "product_id": id_of(&product) }).await.expect("asked") {
                break plan;
            }
        };
        let touched = || async { app.lines(&product).await.iter().filter(|line| quantity(line) != 5).count() };
        eventually("some lines are done", || async { touched().await > 0 }).await;
        let lease = app.worker("stock").await;
        first.end(Signal::KILL);
        let killed_at = Instant::now();
        // The kill may come too late, when the plan is already carried out.
        cut_off += i32::from(plans.find_one(doc! { "_id": plan.get("_id") }).await.expect("asked").is_some());
        until_taken_over(&app, &lease, killed_at).await;
        app.until_no_plan().await;
        is_as_planned(&app, &product, &plan).await;
        drop(second);
        app.db.collection::<Document>("workers").delete_many(doc! {}).await.expect("no leases");
    }
    let stocks = app.redistributions().await;
    assert!(
        stocks.iter().all(|entry| entry
            .get_document("update_description")
            .is_ok_and(|d| d.get_i64("asked").ok() == Some(20_000)))
    );
}

async fn is_as_planned(app: &TestApp, product: &Value, plan: &Document) {
    let planned = plan.get_array("lines").expect("lines").iter().map(|line| line.as_document().expect("a line"));
    let lines = app.lines(product).await;
    let by_user: std::collections::HashMap<_, _> =
        lines.iter().map(|line| (line.get_object_id("user").expect("a user"), quantity(line))).collect();
    for line in planned {
        let user = line.get_object_id("user").expect("a user");
        assert_eq!(by_user.get(&user).copied().unwrap_or(0), line.get_i64("share").expect("a share"));
    }
    assert_eq!(app.held(product).await, 9_001);
}

#[tokio::test]
async fn a_killed_cursor_and_a_dropped_collection_are_got_over() {
    let app = TestApp::start().await;
    let workers = app.start_workers();
    let product = app.product(10.0, 20).await;
    let customers = app.carts_with(&product, &[7, 5, 4, 3, 1]).await;
    for (stock, shares) in [(15, [5, 4, 3, 2, 1]), (9, [3, 2, 2, 1, 1])] {
        eventually("there is a cursor to kill", || async { kill_cursors(&app).await > 0 }).await;
        app.set_stock(&product, stock).await;
        app.until_held(&customers, &product, &shares).await;
    }
    app.products().drop().await.expect("dropped");
    app.until_held(&customers, &product, &[0; 5]).await;
    let product = app.product(10.0, 20).await;
    customers[0].add(&product, 7).await.expect(200);
    app.set_stock(&product, 2).await;
    app.until_held(&customers[..1], &product, &[2]).await;
    workers.stop().await;
}

/// Kills the cursors of the change streams on the products of this test. Returns how many there were.
async fn kill_cursors(app: &TestApp) -> usize {
    let admin = app.db.client().database("admin");
    let all = doc! { "$currentOp": { "allUsers": true, "idleCursors": true } };
    let ours =
        doc! { "$match": { "ns": format!("{}.products", app.db.name()), "cursor.cursorId": { "$exists": true } } };
    let found: Vec<Document> = admin.aggregate([all, ours]).await.expect("asked").try_collect().await.expect("cursors");
    let ids: Vec<i64> = found
        .iter()
        .map(|op| op.get_document("cursor").expect("a cursor").get_i64("cursorId").expect("an id"))
        .collect();
    if !ids.is_empty() {
        app.db.run_command(doc! { "killCursors": "products", "cursors": ids.clone() }).await.expect("killed");
    }
    ids.len()
}

#[tokio::test]
async fn a_primary_that_steps_down_is_got_over() {
    let folder = TempFolder::new().expect("a folder");
    let (app, mongod) = TestApp::start_with_own_mongod(folder.path()).await;
    let workers = app.start_workers();
    let product = app.product(10.0, 20).await;
    let customers = app.carts_with(&product, &[7, 5, 4, 3, 1]).await;
    app.set_stock(&product, 15).await;
    app.until_held(&customers, &product, &[5, 4, 3, 2, 1]).await;
    let admin = app.db.client().database("admin");
    // The database closes its connections when it steps down. This may happen before it sends the response.
    let _answer = admin.run_command(doc! { "replSetStepDown": 1, "force": true }).await;
    let lower = doc! { "$set": { "stock": 9_i64 } };
    let lowered = || async { app.products().update_one(doc! { "_id": id_of(&product) }, lower.clone()).await.is_ok() };
    eventually("there is a primary again", lowered).await;
    let settled = || async { app.held(&product).await == 9 };
    eventually("the worker goes on", settled).await;
    app.until_held(&customers, &product, &[3, 2, 2, 1, 1]).await;
    assert_eq!(chain_of(&app.redistributions().await), [20, 15, 9]);
    workers.stop().await;
    mongod.stop().await;
}

#[tokio::test]
async fn changes_that_the_server_has_forgotten_are_found_by_the_sweep() {
    let folder = TempFolder::new().expect("a folder");
    let script = mongod_with_small_oplog(folder.path());
    let (app, mongod) = TestApp::start_with_mongod(&folder.path().join("db"), &script).await;
    let (fallen, deleted) = (app.product(10.0, 20).await, app.product(10.0, 20).await);
    let customers = app.carts_with(&fallen, &[7, 5, 4, 3, 1]).await;
    for customer in &customers {
        customer.add(&deleted, 2).await.expect(200);
    }
    let vars = [("MONGO_URI", mongod.uri()), ("MONGO_DB_NAME", app.db.name())];
    let mut first = WorkProcess::start(folder.path(), &vars);
    let has_begun = || async { app.worker("stock").await.get_document("position").is_ok() };
    eventually("the worker follows the stream", has_begun).await;
    first.end(Signal::TERM);
    app.set_stock(&fallen, 15).await;
    app.products().delete_one(doc! { "_id": id_of(&deleted) }).await.expect("deleted");
    roll_oplog(&app).await;
    let mut second = WorkProcess::start(folder.path(), &vars);
    app.until_held(&customers, &fallen, &[5, 4, 3, 2, 1]).await;
    app.until_held(&customers, &deleted, &[0; 5]).await;
    eventually("the line is gone", || async { app.lines(&deleted).await.is_empty() }).await;
    app.set_stock(&fallen, 9).await;
    app.until_held(&customers, &fallen, &[3, 2, 2, 1, 1]).await;
    second.end(Signal::TERM);
    let log = second.log();
    assert!(log.contains("changes of products were missed") && log.contains("code 286"), "{log}");
    mongod.stop().await;
}

/// Writes a script that starts mongod with an oplog of one megabyte. Returns the path of the script.
///
/// mongod removes an oplog entry only after the change is in the data files, so the script makes it write them every
/// second. The script looks for the binary in the same places as the server.
fn mongod_with_small_oplog(folder: &Path) -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join(".mongodb/bin");
    let script = folder.join("mongod-with-small-oplog");
    let text = format!(
        "#!/bin/sh\n\
        for arg; do shift; [ \"$arg\" = 256 ] && arg=1; set -- \"$@\" \"$arg\"; done\n\
        PATH=$PATH:'{}'\n\
        exec \"${{MONGOD_BIN:-mongod}}\" \"$@\" --syncdelay 1\n",
        own.display()
    );
    fs::write(&script, text).expect("a script");
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("executable");
    script
}

/// Writes to the database until all changes before this call have left the oplog.
async fn roll_oplog(app: &TestApp) {
    let oplog = app.db.client().database("local").collection::<Document>("oplog.rs");
    let at_end = async |direction: i32| -> Timestamp {
        let entry = oplog.find_one(doc! {}).sort(doc! { "$natural": direction }).await.expect("asked");
        entry.expect("an entry").get_timestamp("ts").expect("a time")
    };
    let now = at_end(-1).await;
    let noise = app.db.collection::<Document>("noise");
    let forgotten = || async {
        let text = "x".repeat(200_000);
        for _ in 0..5 {
            noise.insert_one(doc! { "text": &text }).await.expect("noise");
        }
        at_end(1).await > now
    };
    eventually("the oplog has rolled", forgotten).await;
}
