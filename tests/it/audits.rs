//! The audit entries that changes by staff and admins leave.

use std::time::Duration;

use bson::{Document, doc, oid::ObjectId};
use insta::assert_json_snapshot;
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, TestRunner},
};
use serde_json::{Value, json};

use crate::support::{Caller, Reply, TestApp, public, stable};

const AUDITS: &str = "/api/admin/audits/";
const BRANDS: &str = "/api/admin/brands";

async fn logs(caller: &Caller, query: &str) -> Vec<Value> {
    let reply = caller.get(&format!("{AUDITS}{query}")).await.expect(200);
    let logs = reply["logs"].as_array().expect("logs").clone();
    assert_eq!(reply["count"], logs.len());
    logs
}

async fn username(app: &TestApp, caller: &Caller) -> String {
    let id = ObjectId::parse_str(&caller.user_id).expect("an id");
    let user = app.users().find_one(doc! { "_id": id }).await.expect("a query").expect("an account");
    user.get_str("username").expect("a name").to_owned()
}

fn brand(code: &str) -> Value {
    json!({ "brand_name": "Tata Motors", "brand_code": code, "image_url": "https://images.example.com/a.png" })
}

#[tokio::test]
async fn each_write_leaves_who_what_and_when() {
    let app = TestApp::start().await;
    let staff = app.staff().await;
    let inserted = staff.post(&format!("{BRANDS}/insert/"), &brand("TATA")).await.expect(201);
    let request_id = inserted.header("x-request-id").to_owned();
    staff.put(&format!("{BRANDS}/update/TATA/"), &json!({ "brand_name": "Tata" })).await.expect(200);
    staff.delete(&format!("{BRANDS}/delete/TATA/")).await.expect(200);
    let [delete, update, insert] = logs(&staff, "").await.try_into().expect("three entries");
    for (entry, operation) in [(&insert, "insert"), (&update, "update"), (&delete, "delete")] {
        assert_eq!((&entry["operation"], &entry["collection"]), (&json!(operation), &json!("brands")));
        assert_eq!(entry["document_key"]["_id"], inserted["brand"]["_id"]);
        assert_eq!(entry["actor"]["user_id"], staff.user_id);
        assert_eq!(entry["actor"]["username"], username(&app, &staff).await);
        assert_eq!(entry["code"], "TATA");
    }
    assert_eq!(insert["request_id"], request_id);
    let mut stored = public(&inserted["brand"]);
    stored.as_object_mut().expect("a brand").remove("image_variants");
    assert_eq!(insert["full_document"], stored);
    assert_json_snapshot!(stable(&update), @r#"
    {
      "_id": "[id]",
      "actor": {
        "user_id": "[id]",
        "username": "[name]"
      },
      "code": "TATA",
      "collection": "brands",
      "document_key": {
        "_id": "[id]"
      },
      "full_document": {
        "_id": "[id]",
        "brand_code": "TATA",
        "brand_name": "Tata",
        "created_at": "[time]",
        "image_url": "https://images.example.com/a.png"
      },
      "operation": "update",
      "request_id": "[id]",
      "timestamp": "[time]",
      "update_description": {
        "before": {
          "brand_name": "Tata Motors"
        },
        "removedFields": [],
        "updatedFields": {
          "brand_name": "Tata"
        }
      }
    }
    "#);
    assert_eq!(delete["full_document"]["brand_name"], "Tata");
}

#[tokio::test]
async fn refused_writes_leave_nothing() {
    let app = TestApp::start().await;
    let staff = app.staff().await;
    staff.post(&format!("{BRANDS}/insert/"), &brand("TATA")).await.expect(201);
    staff.post(&format!("{BRANDS}/insert/"), &brand("TATA")).await.expect(409);
    staff.post(&format!("{BRANDS}/insert/"), &brand("t")).await.expect(400);
    staff.put(&format!("{BRANDS}/update/NONE/"), &json!({ "brand_name": "Name" })).await.expect(404);
    staff.delete(&format!("{BRANDS}/NONE/models/delete/X/")).await.expect(404);
    app.customer().await.post(&format!("{BRANDS}/insert/"), &brand("XX")).await.expect(403);
    assert_eq!(logs(&staff, "").await.len(), 1);
}

#[tokio::test]
async fn entries_are_filtered_by_time_actor_and_code() {
    let app = TestApp::start().await;
    let product = app.product(10.0, 1).await;
    let other = app.staff().await;
    app.advance(Duration::from_secs(600));
    let later = app.now_seconds() - 60;
    other.post(&format!("{BRANDS}/insert/"), &brand("OTHER")).await.expect(201);
    let count = async |query: &str| logs(&other, query).await.len();
    assert_eq!(count("").await, 5);
    assert_eq!(count(&format!("?from={later}")).await, 1);
    assert_eq!(count(&format!("?to={later}")).await, 4);
    assert_eq!(count(&format!("?actor={}", other.user_id)).await, 1);
    let name = username(&app, &other).await.replace(' ', "%20");
    assert_eq!(count(&format!("?actor={name}&code=OTHER")).await, 1);
    assert_eq!(count("?code=TATA").await, 4, "a code also finds the entries of what is below it");
    assert_eq!(count(&format!("?code={}", product["code"].as_str().expect("a code"))).await, 1);
    assert_eq!(count("?code=TAT").await, 0);
    for bad in ["from=yesterday", "to=1.5", "limit=0", "limit=-3", "limit=abc", "limit=100000000000000000000"] {
        other.get(&format!("{AUDITS}?{bad}")).await.expect(400).is_envelope();
    }
}

#[tokio::test]
async fn searches_take_plain_text() {
    let app = TestApp::start().await;
    app.product(10.0, 1).await;
    let staff = app.staff().await;
    let path = format!("{BRANDS}/TATA/models/update/NEXON/");
    staff.put(&path, &json!({ "model_name": "Nexon EV" })).await.expect(200);
    let found = async |q: &str| logs(&staff, &format!("search/?q={q}")).await.len();
    assert_eq!(found("model_name").await, 1);
    assert_eq!(found("UPDATE").await, 1);
    assert_eq!(found("tata-nexon").await, 4);
    assert_eq!(found("products").await, 1);
    assert_eq!(found(&username(&app, &staff).await.replace(' ', "%20")).await, 1);
    for nothing in [".*", "%5B", "(", "%5C", "$where", "-insert"] {
        assert_eq!(found(nothing).await, 0, "{nothing}");
    }
    let oldest = &logs(&staff, "search/?q=t&sort=timestamp&limit=1").await[0];
    assert_eq!(oldest["collection"], "brands");
    for q in ["", "?q=", "?q=%20"] {
        staff.get(&format!("{AUDITS}search/{q}")).await.refused(400, "missing required query parameter: q");
    }
    staff.get(&format!("{AUDITS}search/?q=a&sort=price")).await.refused(400, "sort must be timestamp or -timestamp");
}

#[tokio::test]
async fn paging_goes_through_all_entries_once() {
    let app = TestApp::start().await;
    let staff = app.staff().await;
    for n in 10..33 {
        staff.post(&format!("{BRANDS}/insert/"), &brand(&format!("B{n}"))).await.expect(201);
    }
    for (path, newest_first) in [("?limit=5", true), ("search/?q=insert&sort=timestamp&limit=5", false)] {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = staff.get(&format!("{AUDITS}{path}{cursor}")).await.expect(200);
            assert_eq!(page["total"], 23);
            seen.extend(
                page["logs"]
                    .as_array()
                    .expect("logs")
                    .iter()
                    .map(|log| log["code"].as_str().expect("a code").to_owned()),
            );
            let Some(next) = page["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        let mut expected: Vec<String> = (10..33).map(|n| format!("B{n}")).collect();
        if newest_first {
            expected.reverse();
        }
        assert_eq!(seen, expected, "{path}");
    }
}

#[tokio::test]
async fn staff_read_no_personal_data_of_accounts() {
    let app = TestApp::start().await;
    let (staff, admin) = (app.staff().await, app.admin().await);
    let entry = doc! { "_id": ObjectId::new(), "collection": "users", "operation": "update", "search": "users",
    "document_key": { "_id": ObjectId::new() }, "code": null, "actor": null, "request_id": null,
    "full_document": { "email": "asha@example.com", "role": "staff" },
    "update_description": { "before": { "phone_number": "+919876540010" } },
    "timestamp": bson::DateTime::now(), "expires_at": bson::DateTime::MAX };
    app.db.collection::<Document>("audits").insert_one(entry).await.expect("an entry");
    assert_json_snapshot!(stable(&logs(&staff, "").await[0]), @r#"
    {
      "_id": "[id]",
      "actor": null,
      "code": null,
      "collection": "users",
      "document_key": {
        "_id": "[id]"
      },
      "full_document": {
        "email": "a***@example.com",
        "role": "staff"
      },
      "operation": "update",
      "request_id": null,
      "timestamp": "[time]",
      "update_description": {
        "before": {
          "phone_number": "+91******0010"
        }
      }
    }
    "#);
    assert_eq!(logs(&admin, "").await[0]["full_document"]["email"], "asha@example.com");
}

/// One write by staff or an admin, which may be valid or invalid.
#[derive(Debug, Clone)]
enum Write {
    Insert(u8),
    Below(u8, u8),
    Rename(u8, bool),
    Delete(u8),
}

fn write() -> impl Strategy<Value = Write> {
    prop_oneof![
        (0..4_u8).prop_map(Write::Insert),
        (0..4_u8, 0..3_u8).prop_map(|(brand, model)| Write::Below(brand, model)),
        (0..4_u8, any::<bool>()).prop_map(|(brand, good)| Write::Rename(brand, good)),
        (0..4_u8).prop_map(Write::Delete),
    ]
}

async fn carry_out(caller: &Caller, write: &Write) -> Reply {
    match write {
        Write::Insert(b) => caller.post(&format!("{BRANDS}/insert/"), &brand(&format!("B{b}"))).await,
        Write::Below(b, m) => {
            let model = json!({ "model_name": "Model", "model_code": format!("M{m}"), "image_url": "https://images.example.com/a.png" });
            caller.post(&format!("{BRANDS}/B{b}/models/insert/"), &model).await
        }
        Write::Rename(b, good) => {
            let name = if *good { "Another name" } else { "<bad>" };
            caller.put(&format!("{BRANDS}/update/B{b}/"), &json!({ "brand_name": name })).await
        }
        Write::Delete(b) => caller.delete(&format!("{BRANDS}/delete/B{b}/")).await,
    }
}

/// Lets several callers write at once, each with a random sequence of writes.
///
/// Each acknowledged write must have exactly one audit entry, and a refused write must have none.
#[tokio::test]
async fn one_entry_for_each_acknowledged_write_and_none_for_a_refused_one() {
    let app = TestApp::start().await;
    let admins = [app.staff().await, app.admin().await, app.staff().await];
    let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::default() });
    for _ in 0..6 {
        let tasks = admins.iter().map(|admin| {
            let sequence = prop::collection::vec(write(), 15).new_tree(&mut runner).expect("a sequence").current();
            let admin = admin.clone();
            tokio::spawn(async move {
                let mut acknowledged = Vec::new();
                for write in sequence {
                    let reply = carry_out(&admin, &write).await;
                    assert!(reply.status.as_u16() < 500, "{}", reply.text);
                    if reply.status.is_success() {
                        acknowledged.push(reply.header("x-request-id").to_owned());
                    }
                }
                acknowledged
            })
        });
        let mut acknowledged = Vec::new();
        for task in tasks.collect::<Vec<_>>() {
            acknowledged.extend(task.await.expect("a sequence"));
        }
        let audits = app.db.collection::<Document>("audits");
        let mut found: Vec<String> = Vec::new();
        let mut entries = audits.find(doc! {}).await.expect("entries");
        while entries.advance().await.expect("an entry") {
            let entry = entries.deserialize_current().expect("a document");
            found.push(entry.get_str("request_id").expect("an id").to_owned());
        }
        acknowledged.sort();
        found.sort();
        assert_eq!(found, acknowledged);
        audits.delete_many(doc! {}).await.expect("a deletion");
    }
}
