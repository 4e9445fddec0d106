//! The filters of the audits, which combine, on both of their calls.

use bson::{Bson, DateTime, Document, doc, oid::ObjectId};
use serde_json::{Value, json};

use crate::support::{Caller, TestApp};

const AUDITS: &str = "/api/admin/audits/";
/// 2024-02-29T00:00:00Z.
const LEAP_DAY: i64 = 1_709_164_800_000;
const HOUR: i64 = 3_600_000;
const OPERATIONS: &str = "operation must be one of insert, update, delete, logout, unlock, password_set, \
    invitation_used, session_stolen, stock_redistribution";

/// Returns an entry as versions without the field `codes` have stored it.
fn older_entry(hour: i64, about: (&str, &str), code: Option<&str>, actor: (ObjectId, &str)) -> Document {
    let ((collection, operation), (user, name)) = (about, actor);
    let code = code.map_or(Bson::Null, Bson::from);
    let search = format!("{collection}\n{operation}\n{code}\n{name}").to_lowercase();
    doc! { "_id": ObjectId::new(), "collection": collection, "operation": operation, "search": search,
    "document_key": { "_id": ObjectId::new() }, "code": code, "actor": { "user_id": user, "username": name },
    "request_id": null, "full_document": null, "update_description": null,
    "timestamp": DateTime::from_millis(LEAP_DAY + hour * HOUR), "expires_at": DateTime::MAX }
}

/// Starts a server on a database in which an older version has left six entries. Returns it with an admin, and the
/// account that the entries name.
async fn with_entries() -> (TestApp, Caller, ObjectId) {
    let old = TestApp::start().await;
    let asha = ObjectId::new();
    let (asha_then, ben) = ((asha, "Asha Rao"), (ObjectId::new(), "cafe0cafe0cafe0cafe0cafe"));
    let entries = [
        older_entry(-1, ("brands", "insert"), Some("TATA"), asha_then),
        older_entry(0, ("models", "insert"), Some("TATA-NEXON"), ben),
        older_entry(1, ("products", "insert"), Some("TATA-NEXON-BRK-04465-0K090"), asha_then),
        older_entry(23, ("products", "update"), Some("TATA-NEXON-BRK-04465"), ben),
        older_entry(24, ("brands", "insert"), Some("TATA2"), asha_then),
        older_entry(25, ("users", "update"), None, ben),
    ];
    old.db.collection::<Document>("audits").insert_many(entries).await.expect("entries");
    let app = old.another_instance().await;
    let admin = app.admin().await;
    (app, admin, asha)
}

async fn hours(caller: &Caller, query: &str) -> Vec<i64> {
    let reply = caller.get(&format!("{AUDITS}{query}")).await.expect(200);
    let logs = reply["logs"].as_array().expect("logs");
    assert_eq!((&reply["total"], &reply["total_is_capped"]), (&json!(logs.len()), &json!(false)), "{query}");
    let hour = |log: &Value| {
        let at = DateTime::parse_rfc3339_str(log["timestamp"].as_str().expect("a time")).expect("a time");
        (at.timestamp_millis() - LEAP_DAY) / HOUR
    };
    logs.iter().map(hour).collect()
}

#[tokio::test]
async fn each_filter_and_all_together_are_met_on_both_calls() {
    let (app, admin, asha) = with_entries().await;
    let entries = app.db.collection::<Document>("audits");
    let product = entries.find_one(doc! { "operation": "update", "collection": "products" }).await.expect("found");
    let product = product.expect("an entry").get_document("document_key").expect("a key").get_object_id("_id");
    let table = [
        ("from=2024-02-29".to_owned(), vec![25, 24, 23, 1, 0]),
        ("to=2024-02-29".to_owned(), vec![23, 1, 0, -1]),
        ("from=2024-02-29&to=2024-02-29".to_owned(), vec![23, 1, 0]),
        ("from=2024-02-29T02:00:00%2B01:00&to=1709251200".to_owned(), vec![24, 23, 1]),
        ("from=2024-02-29T02:00:00+01:00".to_owned(), vec![25, 24, 23, 1]),
        ("code=tata-Nexon".to_owned(), vec![23, 1, 0]),
        ("code=TATA&sort=timestamp".to_owned(), vec![-1, 0, 1, 23]),
        ("code=tata-nexon-brk-04465".to_owned(), vec![23]),
        ("code=TATA-NEXON-BRK".to_owned(), vec![23, 1]),
        ("code=TAT".to_owned(), vec![]),
        (format!("actor={asha}"), vec![24, 1, -1]),
        ("actor=Asha%20Rao&to=2024-02-28".to_owned(), vec![-1]),
        ("actor=cafe0cafe0cafe0cafe0cafe".to_owned(), vec![]),
        ("collection=Products".to_owned(), vec![23, 1]),
        ("operation=INSERT&collection=brands".to_owned(), vec![24, -1]),
        (format!("document={}", product.expect("an id")), vec![23]),
        ("from=&to=&actor=&code=&collection=brands&q=&sort=".to_owned(), vec![24, -1]),
        (format!("q=SERT&code=tata&actor={asha}&collection=products&operation=insert&from=2024-02-29"), vec![1]),
    ];
    for (query, expected) in &table {
        assert_eq!(&hours(&admin, &format!("?{query}")).await, expected, "{query}");
        let search = if query.contains("q=") { query.replace("q=&", "q=rands&") } else { format!("q=e&{query}") };
        assert_eq!(&hours(&admin, &format!("search/?{search}")).await, expected, "{search}");
    }
}

#[tokio::test]
async fn an_actor_is_found_by_every_name() {
    let (app, admin, _) = with_entries().await;
    let staff = app.claims("cafe0cafe0cafe0cafe0cafe", Some("9876540010"), None).await;
    assert_eq!(hours(&admin, "?actor=cafe0cafe0cafe0cafe0cafe").await, [25, 23, 0], "a name that looks like an id");
    let at = DateTime::from_millis(LEAP_DAY + 48 * HOUR);
    let own = doc! { "$set": { "actor": { "user_id": ObjectId::parse_str(&staff.user_id).expect("an id"),
    "username": "Former name" }, "timestamp": at } };
    app.db.collection::<Document>("audits").update_one(doc! { "collection": "users" }, own).await.expect("an update");
    assert_eq!(hours(&admin, "?actor=CAFE0CAFE0CAFE0CAFE0CAFE").await, [48], "the name now, in any case");
    assert_eq!(hours(&admin, "?actor=Former%20name").await, [48]);
    assert_eq!(hours(&admin, "?actor=former%20name").await, [0; 0]);
}

#[tokio::test]
async fn all_faults_are_told_at_once() {
    let app = TestApp::start().await;
    let staff = app.staff().await;
    let long_name = "a".repeat(255);
    let faults = [
        ("limit", "0", "limit must be an integer between 1 and 100"),
        ("from", "2023-02-29", "from must be RFC 3339, YYYY-MM-DD or Unix seconds"),
        ("to", "1.5", "to must be RFC 3339, YYYY-MM-DD or Unix seconds"),
        ("actor", &long_name, "actor must be an id or a username"),
        ("code", "TATA%2F*", "code must be a full code such as TATA-NEXON-BRK-PADF"),
        ("operation", "a%20b", OPERATIONS),
        ("document", "12", "document must be an id of 24 hex digits"),
        ("sort", "price", "sort must be timestamp or -timestamp"),
        ("cursor", "x", "invalid cursor"),
        ("collection", "carts", "collection must be one of users, invitations, brands, models, categories, products"),
    ];
    let query: Vec<String> = faults.iter().map(|(name, value, _)| format!("{name}={value}")).collect();
    for path in ["?", "search/?q=a&"] {
        let reply = staff.get(&format!("{AUDITS}{path}{}", query.join("&"))).await.refused(400, faults[0].2);
        let told = reply["fields"].as_object().expect("fields");
        for (name, _, text) in faults {
            assert!(told[name].as_str().is_some_and(|told| told == text || name == "cursor"), "{name}: {}", told[name]);
        }
        assert_eq!(told.len(), faults.len());
    }
    staff.get(&format!("{AUDITS}?operation=inserted")).await.refused(400, OPERATIONS);
    for range in ["from=2024-03-01&to=2024-02-29", "to=1709164799&from=1709164800"] {
        staff.get(&format!("{AUDITS}?{range}")).await.refused(400, "from must not be after to");
    }
    assert_eq!(hours(&staff, "?from=2024-02-29&to=2024-02-29").await, [0; 0]);
    let long = "a".repeat(101);
    staff.get(&format!("{AUDITS}?q={long}")).await.refused(400, "q must be at most 100 characters");
    staff.get(&format!("{AUDITS}search/?q={long}")).await.refused(400, "q must be 1 to 100 characters");
    staff.get(&format!("{AUDITS}search/?actor=x")).await.refused(400, "missing required query parameter: q");
    staff.get(&format!("{AUDITS}?colection=brands")).await.refused(400, "unknown query parameter: colection");
}

#[tokio::test]
async fn pages_of_a_filter_go_through_its_entries_once() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let actor = (ObjectId::new(), "Asha Rao");
    // Several entries have the same time.
    let entry = |n: i64| older_entry(n / 4, ("brands", if n % 3 == 0 { "insert" } else { "update" }), None, actor);
    let entries: Vec<Document> = (0..40).map(entry).collect();
    app.db.collection::<Document>("audits").insert_many(entries).await.expect("entries");
    for (sort, first) in [("timestamp", 0), ("-timestamp", 9)] {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!("{AUDITS}?operation=insert&actor={}&sort={sort}&limit=3{cursor}", actor.0);
            let page = admin.get(&path).await.expect(200);
            assert_eq!(page["total"], 14);
            seen.extend(page["logs"].as_array().expect("logs").iter().map(|log| log["_id"].to_string()));
            let Some(next) = page["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(hours(&admin, &format!("?operation=insert&sort={sort}&limit=100")).await[0], first);
        assert_eq!((seen.len(), seen.iter().collect::<std::collections::BTreeSet<_>>().len()), (14, 14));
    }
}
