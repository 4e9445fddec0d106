//! Checks with the profiler of MongoDB that every query of every call uses an index.

mod accounts;
mod catalogue;
mod filled;
mod tour;

use bson::{Bson, Document, doc};
use futures_util::TryStreamExt;
use mongodb::Database;

use self::tour::Tour;
use crate::support::TestApp;

/// The number of keys or documents that a query may read for each document that it returns or changes.
const FOR_EACH: i64 = 10;
/// The number of keys or documents that every query may read in addition.
const IN_ANY_CASE: i64 = 100;

/// A query that is allowed to read many documents.
#[derive(Debug)]
struct Exception {
    collection: &'static str,
    part_of_command: &'static str,
    #[allow(dead_code, reason = "a message shows it when the exception is no longer needed")]
    reason: &'static str,
}

const EXCEPTIONS: [Exception; 6] = [
    Exception {
        collection: "audits",
        part_of_command: r#""search": { "$regex":"#,
        reason: "no index finds the middle of a text; given up after two seconds",
    },
    Exception {
        collection: "users",
        part_of_command: r#""username_key": { "$regex":"#,
        reason: "no index finds the middle of a name; given up after two seconds",
    },
    Exception {
        collection: "products",
        part_of_command: r#"{ "$text":"#,
        reason: "an index finds the words, and what has them must be sorted; given up after two seconds",
    },
    Exception {
        collection: "products",
        part_of_command: r#""words": { "$regex":"#,
        reason: "what begins with the text is read and sorted if it is at most 2,000 products",
    },
    Exception {
        collection: "products",
        part_of_command: r#""hint": "stock""#,
        reason: "what has the stock is read and sorted if it is at most 2,000 products",
    },
    Exception {
        collection: "users",
        part_of_command: r#""held": { "$sum":"#,
        reason: "adds up all carts, at the start of a worker's turn and every ten minutes",
    },
];

impl Exception {
    fn excuses(&self, summary: &str) -> bool {
        summary.contains(&format!(".{} ", self.collection)) && summary.contains(self.part_of_command)
    }
}

#[tokio::test]
async fn no_call_looks_at_more_than_it_needs() {
    let app = TestApp::start_with(&[("RATE_LIMIT_SCALE", "100")]).await;
    filled::fill(&app).await;
    let tour = Tour::of(&app).await;
    begin_profile(&app.db).await;
    call_everything(&app, &tour).await;
    assert!(tour.missed().is_empty(), "the tour calls every operation, but not {:?}", tour.missed());
    let entries = end_profile(&app.db).await;
    let wasteful: Vec<String> = entries.iter().filter(|entry| is_wasteful(entry)).map(summary).collect();
    let is_excused = |summary: &str| EXCEPTIONS.iter().any(|exception| exception.excuses(summary));
    let bad: Vec<&String> = wasteful.iter().filter(|summary| !is_excused(summary)).collect();
    assert!(bad.is_empty(), "{} of {} queries read too much: {bad:#?}", bad.len(), entries.len());
    let whole: Vec<String> = entries.iter().filter(|entry| reads_whole_accounts(entry)).map(summary).collect();
    assert!(whole.is_empty(), "these queries read whole accounts, with their sessions and carts: {whole:#?}");
    for exception in EXCEPTIONS {
        assert!(wasteful.iter().any(|summary| exception.excuses(summary)), "no longer needed: {exception:?}");
    }
}

async fn call_everything(app: &TestApp, tour: &Tour) {
    let product = app.product(100.0, 20).await;
    accounts::sessions(app, tour).await;
    accounts::password(app, tour).await;
    accounts::codes(app, tour).await;
    accounts::mails(app, tour).await;
    accounts::profile(app, tour).await;
    accounts::cart(app, tour, &product).await;
    catalogue::reading(app, tour).await;
    catalogue::searching(app, tour).await;
    catalogue::listing(app, tour).await;
    catalogue::writing(app, tour).await;
    catalogue::bulk(app, tour).await;
    catalogue::files(app, tour).await;
    catalogue::administration(app, tour).await;
    catalogue::audits(app, tour).await;
    app.work().await;
}

/// Switches the profiler on for all operations, with room for all entries.
async fn begin_profile(db: &Database) {
    db.create_collection("system.profile").capped(true).size(64 << 20).await.expect("a profile");
    db.run_command(doc! { "profile": 2 }).await.expect("a profile");
}

/// Switches the profiler off and returns the operations of the server under test.
///
/// Change streams are left out, because they read the log of the database.
async fn end_profile(db: &Database) -> Vec<Document> {
    db.run_command(doc! { "profile": 0 }).await.expect("an end of the profile");
    let profile = db.collection::<Document>("system.profile");
    let found = profile.find(doc! { "appName": "myspares" }).await.expect("found");
    let entries: Vec<Document> = found.try_collect().await.expect("entries");
    let is_stream = |entry: &Document| {
        let begun = entry.get_document("originatingCommand").and_then(|command| command.get_array("pipeline"));
        let first = begun.ok().and_then(|stages| stages.first()?.as_document());
        first.is_some_and(|stage| stage.contains_key("$changeStream"))
    };
    entries.into_iter().filter(|entry| !is_stream(entry)).collect()
}

fn number(entry: &Document, name: &str) -> i64 {
    match entry.get(name) {
        Some(Bson::Int32(number)) => i64::from(*number),
        Some(Bson::Int64(number)) => *number,
        _ => 0,
    }
}

fn is_wasteful(entry: &Document) -> bool {
    let found = ["nreturned", "nMatched", "nModified", "ndeleted"].iter().map(|name| number(entry, name)).max();
    let allowed = FOR_EACH * found.unwrap_or(0) + IN_ANY_CASE;
    let scans = entry.get_str("planSummary").is_ok_and(|plan| plan.contains("COLLSCAN"));
    // A count returns one document but has to read all keys that it counts.
    let counts = entry.get_str("planSummary").is_ok_and(|plan| plan.starts_with("COUNT_SCAN"));
    let keys = if counts || is_count(entry) { 0 } else { number(entry, "keysExamined") };
    scans || keys.max(number(entry, "docsExamined")) > allowed
}

/// Returns whether a pipeline counts keys: all of them, or up to a limit below each of several branches.
fn is_count(entry: &Document) -> bool {
    let pipeline = entry.get_document("command").and_then(|command| command.get_array("pipeline"));
    let stages: Vec<&Document> = pipeline.into_iter().flatten().filter_map(Bson::as_document).collect();
    let count = doc! { "$group": { "_id": 1, "n": { "$sum": 1 } } };
    let counts = |group: &Document| group.get_document("count").is_ok_and(|count| *count == doc! { "$sum": 1_i64 });
    let is_limited = stages
        .windows(2)
        .any(|pair| pair[0].contains_key("$limit") && pair[1].get_document("$group").is_ok_and(counts));
    is_limited || stages.last() == Some(&&count)
}

/// Returns whether a query reads accounts without naming the fields that it needs.
fn reads_whole_accounts(entry: &Document) -> bool {
    let is_of_users = entry.get_str("ns").is_ok_and(|namespace| namespace.ends_with(".users"));
    let command = entry.get_document("command").cloned().unwrap_or_default();
    let reads = |name: &str, fields: &str| command.contains_key(name) && !command.contains_key(fields);
    is_of_users && (reads("find", "projection") || reads("findAndModify", "fields"))
}

/// Returns a profiler entry as one line of text.
fn summary(entry: &Document) -> String {
    let text = |name| entry.get_str(name).unwrap_or_default();
    let counts = ["keysExamined", "docsExamined", "nreturned", "nMatched", "ndeleted"];
    let counts = counts.map(|name| format!("{name}={}", number(entry, name))).join(" ");
    let command = entry.get_document("command").map(Document::to_string).unwrap_or_default();
    format!("{} {} {} {counts} {command}", text("op"), text("ns"), text("planSummary"))
}
