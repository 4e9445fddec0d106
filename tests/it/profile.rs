//! Changing the profile of the signed-in user.

use std::time::Duration;

use bson::{doc, oid::ObjectId};
use insta::assert_json_snapshot;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Caller, PASSWORD, Reply, TestApp, stable};

const ME: &str = "/api/accounts/me/";
const UPDATE: &str = "/api/accounts/update/";
const REAUTHENTICATE: &str = "confirm with current_password or sign in again";

async fn patch(caller: &Caller, body: &Value) -> Reply {
    Reply::of(caller.request(Method::PATCH, UPDATE).json(body)).await
}

/// Sets fields of a caller's account directly in the database, because no call can set them.
async fn set(app: &TestApp, caller: &Caller, fields: bson::Document) {
    let id = ObjectId::parse_str(&caller.user_id).expect("an id");
    let changed = app.users().update_one(doc! { "_id": id }, doc! { "$set": fields }).await.expect("an update");
    assert_eq!(changed.matched_count, 1);
}

async fn stored(app: &TestApp, caller: &Caller) -> bson::Document {
    let id = ObjectId::parse_str(&caller.user_id).expect("an id");
    app.users().find_one(doc! { "_id": id }).await.expect("an answer").expect("an account")
}

#[tokio::test]
async fn what_is_named_is_changed_and_the_rest_stays() {
    let app = TestApp::start().await;
    let caller = app.claims("john", Some("9876543210"), None).await;
    let before = caller.get(ME).await.expect(200);
    let body = json!({
        "username": "  Asha R. ",
        "email": "New@Example.com",
        "display": { "photo": "https://images.example.com/a.webp" },
        "preference": { "language": "en-IN" },
    });
    let put = Reply::of(caller.request(Method::PUT, UPDATE).json(&body)).await.expect(200);
    assert_eq!((&put["username"], &put["email"]), (&json!("Asha R."), &json!("new@example.com")));
    assert_json_snapshot!(stable(&put["profile"]), @r#"
    {
      "address": {
        "_id": "[id]",
        "address_line1": "",
        "address_line2": "",
        "city": "",
        "country": "",
        "name": "Asha R.",
        "phone_number": "+919876543210",
        "pincode": "",
        "postal_code": "",
        "state": "",
        "updated_at": "[time]",
        "user_id": "[id]"
      },
      "display": {
        "created_at": "[time]",
        "photo": "https://images.example.com/a.webp"
      },
      "phone": {
        "created_at": "[time]",
        "number": "+919876543210"
      },
      "preference": {
        "created_at": "[time]",
        "language": "en-IN"
      }
    }
    "#);
    assert_eq!((&put["phone_number"], &put["_id"]), (&before["phone_number"], &before["_id"]));
    assert_eq!(put["profile"]["phone"], before["profile"]["phone"]);
    let patched = patch(&caller, &json!({ "preference": { "language": "hi" } })).await.expect(200);
    assert_eq!(patched["profile"]["preference"]["language"], "hi");
    assert_eq!(patched["profile"]["display"], put["profile"]["display"]);
    assert_eq!(caller.get(ME).await.expect(200).json, patched.json);
}

#[tokio::test]
async fn an_address_keeps_its_id_and_what_was_not_named() {
    let app = TestApp::start().await;
    let caller = app.customer().await;
    let full = json!({ "name": "Asha", "phone_number": 9_876_543_210_u64, "address_line1": "$password_hash",
        "city": "Pune", "postal_code": "411001" });
    let first = patch(&caller, &json!({ "address": full })).await.expect(200)["profile"]["address"].clone();
    assert_eq!((&first["phone_number"], &first["pincode"]), (&json!("+919876543210"), &json!("411001")));
    assert_eq!((&first["address_line1"], &first["state"]), (&json!("$password_hash"), &json!("")));
    app.advance(Duration::from_secs(5));
    let body = json!({ "address": { "address_line1": "", "city": "Mumbai" } });
    let second = patch(&caller, &body).await.expect(200)["profile"]["address"].clone();
    assert_eq!((&second["_id"], &second["name"]), (&first["_id"], &first["name"]));
    assert_eq!((&second["address_line1"], &second["city"]), (&json!(""), &json!("Mumbai")));
    assert_ne!(second["updated_at"], first["updated_at"]);
    // The caller sends the whole address back and has edited only one of the two names of the postal code.
    let mut whole = second.clone();
    whole["postal_code"] = json!("400001");
    let third = patch(&caller, &json!({ "address": whole })).await.expect(200)["profile"]["address"].clone();
    assert_eq!((&third["pincode"], &third["postal_code"]), (&json!("400001"), &json!("400001")));
}

#[tokio::test]
async fn what_breaks_a_rule_changes_nothing_and_names_its_field() {
    let app = TestApp::start().await;
    let caller = app.customer().await;
    let long = "a".repeat(201);
    let cases = [
        (json!({ "username": "jo" }), "username", "invalid username: username too long/short"),
        (json!({ "email": "nobody" }), "email", "invalid email: must be an address like name@example.com"),
        (json!({ "email": 5 }), "email", "email must be a string"),
        (json!({ "display": { "photo": "javascript:alert(1)" } }), "display.photo", "invalid photo"),
        (json!({ "preference": { "language": "en_IN" } }), "preference.language", "invalid language"),
        (json!({ "preference": "en" }), "preference", "preference must be an object"),
        (json!({ "address": { "city": long } }), "address.city", "invalid city: too long"),
        (json!({ "address": { "city": true } }), "address.city", "address.city must be a string"),
        (
            json!({ "address": { "phone_number": "12" } }),
            "address.phone_number",
            "invalid phone number: must be 10-15 digits",
        ),
    ];
    let before = caller.get(ME).await.expect(200).json;
    for (mut body, field, error) in cases {
        body["unknown"] = json!("ignored");
        assert_eq!(patch(&caller, &body).await.refused(400, error)["fields"][field], error);
    }
    for empty in [json!({}), json!({ "current_password": PASSWORD }), json!({ "address": {}, "display": null })] {
        patch(&caller, &empty).await.refused(400, "no valid fields provided for update");
    }
    assert_eq!(caller.get(ME).await.expect(200).json, before);
}

#[tokio::test]
async fn names_and_addresses_of_others_are_taken_and_one_s_own_are_not() {
    let app = TestApp::start().await;
    let (caller, other) = (app.customer().await, app.customer().await);
    patch(&other, &json!({ "username": "John Doe", "email": "j@example.com" })).await.expect(200);
    let taken = patch(&caller, &json!({ "username": "JOHN DOE" })).await.refused(409, "username already taken");
    assert_eq!(taken["code"], "username_taken");
    let taken = patch(&caller, &json!({ "email": "J@example.com" })).await.refused(409, "email already registered");
    assert_eq!(taken["code"], "email_taken");
    let own = patch(&other, &json!({ "username": "john doe", "email": "J@EXAMPLE.com" })).await.expect(200);
    assert_eq!((&own["username"], &own["email"]), (&json!("john doe"), &json!("j@example.com")));
    assert_eq!(caller.get(ME).await.expect(200)["email"], Value::Null);
}

#[tokio::test]
async fn another_address_needs_the_password_or_a_recent_sign_in() {
    let app = TestApp::start().await;
    let mut caller = app.customer().await;
    patch(&caller, &json!({ "email": "first@example.com" })).await.expect(200);
    app.advance(Duration::from_secs(10 * 60));
    // A refresh does not count as a sign-in.
    let reply = caller.refresh().await.expect(200);
    caller.take_tokens(&reply);
    let second = json!({ "email": "second@example.com", "username": "new name" });
    let refused = patch(&caller, &second).await.refused(403, REAUTHENTICATE);
    assert_eq!(refused["code"], "reauthentication_required");
    patch(&caller, &json!({ "email": null })).await.refused(403, REAUTHENTICATE);
    patch(&caller, &json!({ "email": "First@example.com", "username": "same mail" })).await.expect(200);
    let with = |password: &str| json!({ "email": "second@example.com", "current_password": password });
    patch(&caller, &with("Wr0ng!pass")).await.refused(400, "current password is incorrect");
    assert_eq!(caller.get(ME).await.expect(200)["email"], "first@example.com");
    assert_eq!(patch(&caller, &with(PASSWORD)).await.expect(200)["email"], "second@example.com");
}

#[tokio::test]
async fn guesses_at_the_password_are_limited() {
    let app = TestApp::start_with(&[("RATE_LIMIT_SCALE", "1")]).await;
    let caller = app.customer().await;
    let guess = json!({ "email": "new@example.com", "current_password": "Wr0ng!pass" });
    for _ in 0..10 {
        patch(&caller, &guess).await.expect(400);
    }
    patch(&caller, &guess).await.expect(429);
}

#[tokio::test]
async fn a_changed_address_is_unproven_and_voids_a_reset() {
    let app = TestApp::start().await;
    let caller = app.customer().await;
    patch(&caller, &json!({ "email": "old@example.com" })).await.expect(200);
    let proven = doc! { "value": "old@example.com", "verified_at": bson::DateTime::now() };
    let reset = doc! { "token_hash": "x", "expires_at": bson::DateTime::now() };
    set(&app, &caller, doc! { "verification.email": proven, "reset": reset }).await;
    let same = patch(&caller, &json!({ "email": "old@example.com" })).await.expect(200);
    assert_eq!(same["is_verified"], true);
    assert!(stored(&app, &caller).await.contains_key("reset"));
    let changed = patch(&caller, &json!({ "email": "new@example.com" })).await.expect(200);
    assert_eq!((&changed["is_verified"], &changed["email"]), (&json!(false), &json!("new@example.com")));
    assert_eq!(changed["verification"]["email"]["value"], "old@example.com");
    assert!(!stored(&app, &caller).await.contains_key("reset"));
    let removed = patch(&caller, &json!({ "email": null })).await.expect(200);
    assert_eq!((&removed["email"], &removed["is_verified"]), (&Value::Null, &json!(false)));
    assert_eq!(removed["verification"]["email"]["value"], "old@example.com", "for seven days");
    patch(&app.customer().await, &json!({ "email": "new@example.com" })).await.expect(200);
}

#[tokio::test]
async fn the_last_way_to_reach_an_owner_stays() {
    let app = TestApp::start().await;
    let mut caller = app.anonymous();
    let account = json!({ "username": "mail only", "password": PASSWORD, "email": "m@example.com" });
    let reply = caller.post("/api/auth/register/", &account).await.expect(201);
    caller.sign_in(&reply);
    patch(&caller, &json!({ "email": null })).await.refused(400, "phone_number or email is required");
    assert_eq!(caller.get(ME).await.expect(200)["email"], "m@example.com");
    // The account has no address, so null removes nothing. A frontend may send an account back as it received it.
    assert_eq!(patch(&app.customer().await, &json!({ "email": null })).await.expect(200)["email"], Value::Null);
}
