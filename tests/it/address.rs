//! The postal address of a customer.

use std::time::Duration;

use bson::{doc, oid::ObjectId};
use insta::assert_json_snapshot;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Caller, PASSWORD, Reply, TestApp, stable};

fn path(caller: &Caller) -> String {
    format!("/api/client/{}/address/", caller.user_id)
}

async fn read(caller: &Caller) -> Value {
    caller.get(&path(caller)).await.expect(200)["address"].clone()
}

async fn update(caller: &Caller, body: &Value) -> Reply {
    caller.put(&format!("{}update/", path(caller)), body).await
}

#[tokio::test]
async fn a_new_account_has_an_address_with_its_name_and_number() {
    let app = TestApp::start().await;
    let caller = app.claims("Asha Rao", Some("9876543210"), None).await;
    let me = caller.get("/api/accounts/me/").await.expect(200);
    let address = read(&caller).await;
    assert_json_snapshot!(stable(&address), @r#"
    {
      "_id": "[id]",
      "address_line1": "",
      "address_line2": "",
      "city": "",
      "country": "",
      "name": "Asha Rao",
      "phone_number": "+919876543210",
      "pincode": "",
      "postal_code": "",
      "state": "",
      "updated_at": "[time]",
      "user_id": "[id]"
    }
    "#);
    assert_eq!((&address["name"], &address["phone_number"]), (&me["username"], &me["phone_number"]));
    assert_eq!((&address["user_id"], &address["updated_at"]), (&me["_id"], &me["created_at"]));
    assert_eq!(me["profile"]["address"], address);
    let mut mail_only = app.anonymous();
    let account = json!({ "username": "mail only", "password": PASSWORD, "email": "m@example.com" });
    let reply = mail_only.post("/api/auth/register/", &account).await.expect(201);
    mail_only.sign_in(&reply);
    let address = read(&mail_only).await;
    assert_eq!((&address["name"], &address["phone_number"]), (&json!("mail only"), &json!("")));
}

#[tokio::test]
async fn what_is_named_is_changed_and_the_rest_stays() {
    let app = TestApp::start().await;
    let caller = app.customer().await;
    let before = read(&caller).await;
    app.advance(Duration::from_secs(5));
    let lines = json!({ "name": "  Asha Rao ", "phone_number": "09876543210", "address_line1": "$password_hash",
        "city": "Pune", "country": "India", "pincode": 411_001, "unknown": { "a": 1 }, "_id": "x", "user_id": "y" });
    let first = update(&caller, &lines).await.expect(200)["address"].clone();
    assert_eq!((&first["_id"], &first["user_id"]), (&before["_id"], &before["user_id"]));
    assert_ne!(first["updated_at"], before["updated_at"]);
    assert_json_snapshot!(stable(&first), @r#"
    {
      "_id": "[id]",
      "address_line1": "$password_hash",
      "address_line2": "",
      "city": "Pune",
      "country": "India",
      "name": "Asha Rao",
      "phone_number": "+919876543210",
      "pincode": "411001",
      "postal_code": "411001",
      "state": "",
      "updated_at": "[time]",
      "user_id": "[id]"
    }
    "#);
    let second =
        update(&caller, &json!({ "city": "Mumbai", "address_line1": "" })).await.expect(200)["address"].clone();
    assert_eq!((&second["city"], &second["address_line1"]), (&json!("Mumbai"), &json!("")));
    for kept in ["_id", "name", "phone_number", "country", "pincode"] {
        assert_eq!(second[kept], first[kept], "{kept}");
    }
    assert_eq!(read(&caller).await, second);
    assert_eq!(caller.get("/api/accounts/me/").await.expect(200)["profile"]["address"], second);
}

#[tokio::test]
async fn name_and_number_follow_the_account_until_others_are_given() {
    let app = TestApp::start().await;
    let caller = app.customer().await;
    let own = read(&caller).await;
    update(&caller, &json!({ "city": "Pune" })).await.expect(200);
    let rename = json!({ "username": "Asha Rao" });
    Reply::of(caller.request(Method::PATCH, "/api/accounts/update/").json(&rename)).await.expect(200);
    assert_eq!(read(&caller).await["name"], "Asha Rao");
    let given = json!({ "name": "Ravi Rao", "phone_number": "9123456780" });
    let given = update(&caller, &given).await.expect(200)["address"].clone();
    assert_eq!((&given["name"], &given["phone_number"]), (&json!("Ravi Rao"), &json!("+919123456780")));
    let cleared = update(&caller, &json!({ "name": "", "phone_number": "" })).await.expect(200)["address"].clone();
    assert_eq!((&cleared["name"], &cleared["phone_number"]), (&json!("Asha Rao"), &own["phone_number"]));
}

#[tokio::test]
async fn an_address_that_was_stored_with_an_id_of_its_own_keeps_it() {
    let app = TestApp::start().await;
    let caller = app.customer().await;
    let stored = ObjectId::new();
    let address = doc! { "_id": stored, "city": "Pune", "updated_at": bson::DateTime::now() };
    app.users().update_one(doc! {}, doc! { "$set": { "profile.address": address } }).await.expect("an address");
    assert_eq!(read(&caller).await["_id"], stored.to_hex());
    let changed = update(&caller, &json!({ "state": "Maharashtra" })).await.expect(200)["address"].clone();
    assert_eq!((&changed["_id"], &changed["city"]), (&json!(stored.to_hex()), &json!("Pune")));
}

#[tokio::test]
async fn the_postal_code_has_two_names() {
    let app = TestApp::start().await;
    let caller = app.customer().await;
    let mut sent = json!({ "postal_code": "411001" });
    // The test does what a frontend does: it sends the whole address back and has edited only one of the two names.
    for (edited, code) in [("postal_code", "411001"), ("postal_code", "411002"), ("pincode", "411003"), ("pincode", "")]
    {
        sent[edited] = json!(code);
        let address = update(&caller, &sent).await.expect(200)["address"].clone();
        assert_eq!([&address["pincode"], &address["postal_code"]], [code; 2], "{edited} {code}");
        sent = address;
    }
    let both = json!({ "pincode": "1", "postal_code": "2" });
    assert_eq!(update(&caller, &both).await.expect(200)["address"]["pincode"], "1");
}

#[tokio::test]
async fn what_breaks_a_rule_changes_nothing_and_names_its_field() {
    let app = TestApp::start().await;
    let caller = app.customer().await;
    let before = read(&caller).await;
    let long = "a".repeat(201);
    let cases = [
        (json!({ "city": long }), "city", "invalid city: too long"),
        (json!({ "city": true }), "city", "city must be a string"),
        (json!({ "state": "a\u{0}" }), "state", "state must not contain control characters"),
        (json!({ "phone_number": "12" }), "phone_number", "invalid phone number: must be 10-15 digits"),
        (json!({ "pincode": 1.5 }), "pincode", "pincode must be a string"),
    ];
    for (mut body, field, error) in cases {
        body["country"] = json!("India");
        assert_eq!(update(&caller, &body).await.refused(400, error)["fields"][field], error);
    }
    for nothing in [json!({}), json!({ "unknown": 1 }), json!({ "city": null })] {
        update(&caller, &nothing).await.refused(400, "no valid fields provided for update");
    }
    assert_eq!(read(&caller).await, before);
}

#[tokio::test]
async fn an_address_is_its_owner_s_alone() {
    let app = TestApp::start().await;
    let (owner, other, admin) = (app.customer().await, app.customer().await, app.admin().await);
    for stranger in [other, admin] {
        stranger.get(&path(&owner)).await.refused(403, "forbidden: user mismatch");
        let change = stranger.put(&format!("{}update/", path(&owner)), &json!({ "city": "Pune" })).await;
        change.refused(403, "forbidden: user mismatch");
    }
    app.anonymous().get(&path(&owner)).await.refused(401, "authorization header missing");
    owner.post_empty("/api/auth/logout/").await.expect(200);
    owner.get(&path(&owner)).await.refused(401, "invalid or expired access token");
    for body in [json!({ "city": "Pune" }), json!({ "city": 5 }), json!({})] {
        update(&owner, &body).await.refused(401, "invalid or expired access token");
    }
}
