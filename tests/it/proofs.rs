//! Proving an address by a link in a mail.

use std::time::Duration;

use bson::{doc, oid::ObjectId};
use insta::assert_json_snapshot;
use serde_json::{Value, json};

use crate::support::{Caller, PASSWORD, TestApp, stable};

const REQUEST: &str = "/api/request/request-staff/";
const ME: &str = "/api/accounts/me/";
const DEAD: &str = "this link is not valid or was used already";

fn activate(link: &str) -> String {
    format!("/api/request/activate-staff/{link}")
}

async fn me(caller: &Caller) -> Value {
    caller.get(ME).await.expect(200).json
}

#[tokio::test]
async fn a_link_proves_the_account_s_address_and_makes_nobody_staff() {
    let app = TestApp::start().await;
    let owner = app.claims("Asha Rao", Some("9876543210"), Some("asha@example.com")).await;
    let reply = owner.post_empty(REQUEST).await.expect(200);
    assert_json_snapshot!(reply.json, @r#"
    {
      "email": "a***@example.com",
      "message": "a verification link was sent"
    }
    "#);
    let path = activate(&app.link("activate-staff").await);
    for _ in 0..2 {
        let seen = app.anonymous().get(&path).await.expect(200);
        assert_eq!((&seen["valid"], &seen["email"]), (&json!(true), &json!("a***@example.com")));
    }
    let reply = owner.post_empty(&path).await.expect(200);
    assert_json_snapshot!(stable(&reply.json), @r#"
    {
      "message": "email verified successfully",
      "user": {
        "_id": "[id]",
        "created_at": "[time]",
        "email": "asha@example.com",
        "phone_number": "+919876543210",
        "role": "customer",
        "username": "Asha Rao"
      }
    }
    "#);
    assert_eq!(me(&owner).await["verification"]["email"]["value"], "asha@example.com");
    owner.post_empty(&path).await.refused(404, DEAD);
    app.anonymous().get(&path).await.refused(404, DEAD);
    let text = "this email is verified already and no invitation is open for it";
    owner.post_empty(REQUEST).await.refused(409, text);
}

#[tokio::test]
async fn a_proof_takes_the_address_from_an_account_that_only_claimed_it() {
    let app = TestApp::start().await;
    let claimer = app.customer_at("asha@example.com").await;
    app.anonymous()
        .post("/api/request/forgot/confirm/", &json!({ "identifier": "asha@example.com" }))
        .await
        .expect(200);
    let reset = app.link("reset").await;
    let prover = app.customer().await;
    prover.post(REQUEST, &json!({ "email": "Asha@example.com" })).await.expect(200);
    prover.post_empty(&activate(&app.link("activate-staff").await)).await.expect(200);
    assert_eq!(me(&claimer).await["email"], Value::Null);
    assert_eq!(me(&prover).await["email"], "asha@example.com");
    app.anonymous().get(&format!("/api/request/reset/check/{reset}")).await.refused(404, DEAD);

    let late = app.customer().await;
    late.post(REQUEST, &json!({ "email": "asha@example.com" })).await.expect(200);
    let path = activate(&app.link("activate-staff").await);
    late.post_empty(&path).await.refused(409, "email already registered");
    assert_eq!(me(&prover).await["email"], "asha@example.com");
}

#[tokio::test]
async fn a_link_dies_with_a_change_of_the_address_and_after_an_hour() {
    let app = TestApp::start().await;
    let owner = app.customer_at("asha@example.com").await;
    owner.post_empty(REQUEST).await.expect(200);
    let path = activate(&app.link("activate-staff").await);
    let id = ObjectId::parse_str(&owner.user_id).expect("an id");
    let set = async |email: &str| {
        let update = doc! { "$set": { "email": email } };
        app.users().update_one(doc! { "_id": id }, update).await.expect("an update");
    };
    set("other@example.com").await;
    app.anonymous().post_empty(&path).await.refused(404, DEAD);
    set("asha@example.com").await;
    app.advance(Duration::from_secs(3600));
    let reply = app.anonymous().post_empty(&path).await.refused(410, "this link has expired");
    assert_json_snapshot!(stable(&reply.json), @r#"
    {
      "code": "link_expired",
      "detail": "this link has expired",
      "error": "this link has expired",
      "request_id": "[id]",
      "valid": false
    }
    "#);
}

#[tokio::test]
async fn another_address_needs_the_password_or_a_fresh_sign_in() {
    let app = TestApp::start().await;
    let owner = app.customer_at("asha@example.com").await;
    app.advance(Duration::from_secs(11 * 60));
    let other = |password: Value| json!({ "email": "other@example.com", "current_password": password });
    let text = "confirm with current_password or sign in again";
    for nothing in [Value::Null, json!("")] {
        let refused = owner.post(REQUEST, &other(nothing)).await.refused(403, text);
        assert_eq!(refused["code"], "reauthentication_required");
    }
    owner.post(REQUEST, &other(json!("Wr0ng!pass"))).await.refused(400, "current password is incorrect");
    owner.post(REQUEST, &other(json!(PASSWORD))).await.expect(200);
    owner.post_empty(&activate(&app.link("activate-staff").await)).await.expect(200);
    app.work().await;
    let told = app.letters().pop().expect("a mail");
    assert_eq!((told.header("To"), told.header("Subject")), ("asha@example.com", "Your e-mail address was changed"));
}

#[tokio::test]
async fn asking_for_a_link_needs_an_address_and_a_good_bearer_is_all_that_a_link_takes() {
    let app = TestApp::start().await;
    let owner = app.customer().await;
    owner.post_empty(REQUEST).await.refused(400, "email is required");
    let text = "invalid email: must be an address like name@example.com";
    owner.post(REQUEST, &json!({ "email": "nobody" })).await.refused(400, text);
    let mut junk = app.anonymous();
    junk.access = Some("junk".to_owned());
    junk.post_empty(&activate("uid/token/")).await.refused(401, "invalid or expired access token");
    app.anonymous().post_empty(&activate("uid/token/")).await.refused(404, DEAD);
}

#[tokio::test]
async fn proving_another_address_voids_codes_and_resets() {
    let app = TestApp::start().await;
    let caller = app.customer().await;
    let number = "9876500001";
    let ask = json!({ "phone_number": number, "current_password": "" });
    caller.post("/api/request/verify-number/send/", &ask).await.expect(200);
    let reset = doc! { "reset": { "token_hash": "x", "number": "+919876500001", "expires_at": bson::DateTime::MAX } };
    app.users().update_many(doc! {}, doc! { "$set": reset }).await.expect("an open reset");
    let other = json!({ "email": "another@example.com" });
    caller.post("/api/request/request-staff/", &other).await.expect(200);
    app.work().await;
    let link = app.link("activate-staff").await;
    caller.post_empty(&activate(&link)).await.expect(200);
    let proof = json!({ "phone_number": number, "otp": app.code_for("+919876500001") });
    caller.post("/api/request/verify-number/verify/", &proof).await.refused(400, "invalid or expired OTP");
    let user = app.users().find_one(doc! {}).await.expect("found").expect("a user");
    assert!(!user.contains_key("reset"));
}
