//! Changes of many products that are sent again, are cut off, or meet each other.

use std::time::Duration;

use bson::{Document, doc};
use serde_json::{Value, json};

use crate::support::{Caller, Reply, TestApp};

const KEY: &str = "raise-prices-1";

fn raise(percent: i32) -> Value {
    json!({ "filter": { "brand": "TATA" }, "change": { "price_percent": percent } })
}

/// Returns how many products have a price.
async fn priced(app: &TestApp, minor: i64) -> u64 {
    app.count("products", doc! { "price": minor }).await
}

/// Makes the database refuse plans that don't match a filter.
async fn accept_plans(app: &TestApp, filter: Document) {
    app.db.run_command(doc! { "collMod": "bulk_plans", "validator": filter }).await.expect("a rule");
}

async fn refreshed(mut caller: Caller) -> Caller {
    let reply = caller.refresh().await.expect(200);
    caller.take_tokens(&reply);
    caller
}

async fn set_price(staff: &Caller, own_code: &str, price: f64) {
    let path = format!("/api/admin/brands/TATA/models/NEXON/categories/BRK/products/update/{own_code}/");
    staff.put(&path, &json!({ "price": price })).await.expect(200);
}

#[tokio::test]
async fn a_key_that_twenty_send_at_once_changes_each_product_once() {
    let app = TestApp::start().await;
    app.many_products(1_200, 10.0).await;
    let (staff, other) = (app.staff().await, app.another_instance().await);
    let callers = [staff.clone(), staff.at(&other.url)];
    let calls: Vec<_> = (0..20)
        .map(|n| {
            let caller = callers[n % 2].clone();
            tokio::spawn(async move { caller.bulk(KEY, &raise(10)).await })
        })
        .collect();
    let mut done = 0;
    for call in calls {
        let reply = call.await.expect("a reply");
        if reply.status == 200 {
            done += 1;
            continue;
        }
        assert_eq!(reply.header("retry-after"), "1");
        let reply = reply.refused(409, "the first request with this key is still running");
        assert_eq!(reply["code"], "in_progress");
    }
    assert!(done > 0);
    let replies: [Reply; 2] = [callers[0].bulk(KEY, &raise(10)).await, callers[1].bulk(KEY, &raise(10)).await];
    for reply in replies {
        assert_eq!(reply.header("idempotency-replayed"), "true");
        assert_eq!(reply.json, json!({ "matched": 1_200, "changed": 1_200, "unchanged": 0, "failed": [] }));
    }
    let entries = app.count("audits", doc! { "operation": "update" }).await;
    assert_eq!((app.prices().await, entries), (vec![1_100], 1_200));
}

#[tokio::test]
async fn two_changes_of_the_same_products_both_apply() {
    let app = TestApp::start().await;
    app.many_products(600, 200.0).await;
    let (staff, other) = (app.staff().await, app.another_instance().await);
    let elsewhere = staff.at(&other.url);
    let (up, down) = (raise(10), raise(-50));
    let (first, second) =
        tokio::join!(staff.bulk_until_done("up-10-percent", &up), elsewhere.bulk_until_done("down-50-percent", &down));
    for reply in [first, second] {
        assert_eq!((&reply["changed"], &reply["failed"]), (&json!(600), &json!([])));
    }
    let entries = app.count("audits", doc! { "operation": "update" }).await;
    assert_eq!((app.prices().await, entries), (vec![11_000], 1_200));
}

#[tokio::test]
async fn what_was_cut_off_goes_on_where_it_stopped() {
    let app = TestApp::start_with_stopped_clock().await;
    app.many_products(1_010, 10.0).await;
    let (staff, other) = (app.staff().await, app.another_instance().await);
    // The database refuses to store that the third batch is done.
    accept_plans(&app, doc! { "next": { "$lte": 1_000 } }).await;
    staff.bulk(KEY, &raise(10)).await.expect(500).is_envelope();
    assert_eq!((priced(&app, 1_100).await, priced(&app, 1_000).await), (1_000, 10));
    // What people do meanwhile stays, and what is still to come begins with it.
    set_price(&staff, "P00000", 5.0).await;
    set_price(&staff, "P01000", 5.0).await;
    app.products().delete_one(doc! { "own_code": "P01001" }).await.expect("deleted");
    accept_plans(&app, doc! {}).await;
    // The process that has the turn is killed, and the repeat goes to another instance.
    let keys = app.db.collection::<Document>("idempotency_keys");
    let hung = doc! { "$set": { "running_until": bson::DateTime::from_millis(i64::MAX / 2) } };
    let expires = keys.find_one(doc! {}).await.expect("found").expect("a key");
    keys.update_one(doc! {}, hung).await.expect("hung");
    let elsewhere = staff.at(&other.url);
    elsewhere.bulk(KEY, &raise(10)).await.expect(409);
    let turn = expires.get_datetime("running_until").expect("a time").timestamp_millis() + 60_000;
    let turn = doc! { "$set": { "running_until": bson::DateTime::from_millis(turn) } };
    keys.update_one(doc! {}, turn).await.expect("a minute");
    elsewhere.bulk(KEY, &raise(10)).await.expect(409);
    app.advance(Duration::from_secs(60));
    let gone = json!([{ "code": "TATA-NEXON-BRK-P01001", "error": "product not found" }]);
    let expected = json!({ "matched": 1_010, "changed": 1_009, "unchanged": 0, "failed": gone });
    let reply = elsewhere.bulk(KEY, &raise(10)).await.expect(200);
    assert_eq!((&reply.json, reply.header("idempotency-replayed")), (&expected, ""));
    assert_eq!((priced(&app, 500).await, priced(&app, 550).await, priced(&app, 1_100).await), (1, 1, 1_007));
    // The process is killed after the last batch and before the answer.
    keys.update_one(doc! {}, doc! { "$set": { "is_done": false } }).await.expect("not done");
    app.advance(Duration::from_secs(60));
    assert_eq!(staff.bulk(KEY, &raise(10)).await.expect(200).json, expected);
    assert_eq!(staff.bulk(KEY, &raise(10)).await.expect(200).header("idempotency-replayed"), "true");
    assert_eq!(priced(&app, 1_100).await, 1_007);
}

#[tokio::test]
async fn damaged_products_stay_as_they_are_and_all_others_are_changed() {
    let app = TestApp::start().await;
    app.many_products(1_100, 10.0).await;
    let staff = app.staff().await;
    // One can't be read, and the rules of the collection refuse to store the other one again.
    let unreadable = doc! { "q": { "own_code": "P00007" }, "u": { "$unset": { "description": "" } } };
    let unwritable = doc! { "q": { "own_code": "P00801" }, "u": { "$set": { "price": 1_000_i32 } } };
    let damage = doc! { "update": "products", "updates": [unreadable, unwritable], "bypassDocumentValidation": true };
    app.db.run_command(damage).await.expect("damage");
    let failed = |own_code: &str| {
        let error = "the stored product is damaged and can't be changed";
        json!({ "code": format!("TATA-NEXON-BRK-{own_code}"), "error": error })
    };
    let mut body = json!({ "filter": { "brand": "TATA" }, "change": { "is_active": false }, "dry_run": true });
    let rehearsed = staff.bulk(KEY, &body).await.expect(200);
    assert_eq!((&rehearsed["failed"], &rehearsed["changed"]), (&json!([failed("P00007")]), &json!(1_099)));
    body["dry_run"] = json!(false);
    let all_failed = json!([failed("P00007"), failed("P00801")]);
    let expected = json!({ "matched": 1_100, "changed": 1_098, "unchanged": 0, "failed": all_failed });
    assert_eq!(staff.bulk(KEY, &body).await.expect(200).json, expected);
    assert_eq!(app.count("products", doc! { "is_active": false }).await, 1_098);
    assert_eq!(staff.bulk(KEY, &body).await.expect(200).header("idempotency-replayed"), "true");
}

#[tokio::test]
async fn a_key_stands_for_one_request_of_one_account_for_a_day() {
    let app = TestApp::start_with_stopped_clock().await;
    app.many_products(2, 10.0).await;
    let staff = app.staff().await;
    let body = raise(10);
    let path = "/api/admin/products/bulk/";
    staff.post(path, &body).await.refused(400, "Idempotency-Key is required");
    for bad in ["short", "with a space", &"k".repeat(65), ""] {
        let reply = staff.bulk(bad, &body).await.expect(400);
        assert!(reply["error"].as_str().expect("a text").starts_with("Idempotency-Key "), "{}", reply.text);
        assert!(reply["fields"]["Idempotency-Key"].is_string());
    }
    let both = staff.bulk("short", &json!({ "filter": { "brand": "TATA" }, "change": 5 })).await.expect(400);
    let named: Vec<&String> = both["fields"].as_object().expect("fields").keys().collect();
    assert_eq!(named, ["Idempotency-Key", "change"]);
    staff.bulk(KEY, &json!({ "filter": {}, "change": { "delete": true } })).await.refused(400, "filter is required");
    staff.bulk(KEY, &body).await.expect(200);
    let reused = "idempotency key was used for another request";
    assert_eq!(staff.bulk(KEY, &raise(11)).await.refused(409, reused)["code"], "idempotency_key_reused");
    let reordered = format!("{{ \"change\": {}, \"filter\": {} }}", body["change"], body["filter"]);
    let request = staff.request(reqwest::Method::POST, path).header("idempotency-key", KEY);
    let request = request.header("content-type", "application/json").body(reordered);
    assert_eq!(Reply::of(request).await.expect(200).header("idempotency-replayed"), "true");
    assert_eq!(priced(&app, 1_100).await, 2);
    app.staff().await.bulk(KEY, &body).await.expect(200);
    assert_eq!(priced(&app, 1_210).await, 2);
    app.advance(Duration::from_secs(24 * 60 * 60 - 1));
    let staff = refreshed(staff).await;
    assert_eq!(staff.bulk(KEY, &body).await.expect(200).header("idempotency-replayed"), "true");
    app.advance(Duration::from_secs(1));
    assert_eq!(staff.bulk(KEY, &body).await.expect(200).header("idempotency-replayed"), "");
    assert_eq!(priced(&app, 1_331).await, 2);
}

#[tokio::test]
async fn an_account_has_at_most_200_keys_and_takes_them_along() {
    let app = TestApp::start().await;
    app.many_products(1, 10.0).await;
    let staff = app.staff().await;
    let keys = app.db.collection::<Document>("idempotency_keys");
    staff.bulk(KEY, &raise(1)).await.expect(200);
    let key = keys.find_one(doc! {}).await.expect("found").expect("a key");
    let shown = key.to_string();
    assert!(!shown.contains("price_percent") && !shown.contains("TATA"), "{shown}");
    let created = key.get_datetime("created_at").expect("a time").timestamp_millis();
    let older = |n: i64| {
        let mut older = key.clone();
        older.insert("_id", format!("{}:older-key-{n}", staff.user_id));
        older.insert("created_at", bson::DateTime::from_millis(created - 1_000 * n));
        older
    };
    keys.insert_many((1..=205).map(older)).await.expect("older keys");
    let oldest = doc! { "_id": format!("{}:older-key-205", staff.user_id) };
    let running = doc! { "is_done": false, "running_until": bson::DateTime::from_millis(i64::MAX / 2) };
    keys.update_one(oldest.clone(), doc! { "$set": running }).await.expect("a running turn");
    staff.bulk("the-newest-key", &raise(1)).await.expect(200);
    assert_eq!(keys.delete_one(oldest).await.expect("deleted").deleted_count, 1, "its turn had not ended");
    let newest = doc! { "created_at": { "$gte": bson::DateTime::from_millis(created - 198_000) } };
    assert_eq!(
        (keys.count_documents(doc! {}).await.expect("a count"), app.count("idempotency_keys", newest).await),
        (200, 200)
    );
    let body = json!({ "current_password": crate::support::PASSWORD });
    Reply::of(staff.request(reqwest::Method::DELETE, "/api/accounts/me/").json(&body)).await.expect(200);
    assert_eq!(keys.count_documents(doc! {}).await.expect("a count"), 0);
}
