//! Refresh tokens in request and response bodies.
//!
//! The old accounts frontend needs them. It has no cookie jar, and it keeps its first refresh token for ever.

use std::time::Duration;

use bson::{doc, oid::ObjectId};
use serde_json::{Value, json};

use crate::support::{Caller, PASSWORD, TestApp};

const ME: &str = "/api/accounts/me/";
const REFRESH: &str = "/api/auth/token/refresh/";

async fn with_mode(mode: &str) -> TestApp {
    TestApp::start_with(&[("BODY_REFRESH", mode)]).await
}

fn token_of(reply: &crate::support::Reply) -> Value {
    json!({ "refresh": reply["refresh"] })
}

#[tokio::test]
async fn bodies_carry_the_token_only_where_that_is_switched_on() {
    for mode in ["rotating", "true"] {
        let app = with_mode(mode).await;
        let account = app.new_account();
        let registered = app.anonymous().post("/api/auth/register/", &account).await.expect(201);
        assert_eq!(registered["refresh"].as_str().map(str::to_owned), registered.refresh_cookie());
        let login = json!({ "username": account["phone_number"], "password": account["password"] });
        let signed_in = app.anonymous().post("/api/auth/token/", &login).await.expect(200);
        let refreshed = app.anonymous().post(REFRESH, &token_of(&signed_in)).await.expect(200);
        assert!(refreshed["refresh"].is_string() && refreshed["refresh"] != signed_in["refresh"]);
        assert_eq!(refreshed["expires_in"], 900);
        let mut jar = app.anonymous();
        jar.refresh = refreshed.refresh_cookie();
        jar.post(REFRESH, &json!({ "refresh": "" })).await.expect(200);
        let by_number = json!({ "phone_number": account["phone_number"], "password": account["password"] });
        assert!(app.anonymous().post("/api/auth/login/", &by_number).await.expect(200)["refresh"].is_null());
    }
    let strict = with_mode("off").await;
    let caller = strict.customer().await;
    let body = json!({ "refresh": caller.refresh });
    strict.anonymous().post(REFRESH, &body).await.refused(401, "refresh token required");
    assert!(caller.post(REFRESH, &json!({})).await.expect(200)["refresh"].is_null());
}

#[tokio::test]
async fn a_static_token_is_good_by_body_and_cookie_until_it_expires() {
    let app = with_mode("static").await;
    let registered = app.anonymous().post("/api/auth/register/", &app.new_account()).await.expect(201);
    assert_eq!(registered["refresh"].as_str().map(str::to_owned), registered.refresh_cookie());
    let mut by_cookie = app.anonymous();
    by_cookie.refresh = registered.refresh_cookie();
    for _ in 0..6 {
        app.advance(Duration::from_secs(24 * 3600));
        let refreshed = app.anonymous().post(REFRESH, &token_of(&registered)).await.expect(200);
        assert_eq!((&refreshed["refresh"], &refreshed["expires_in"]), (&Value::Null, &json!(900)));
        let again = by_cookie.post_empty("/api/auth/refresh/").await.expect(200);
        assert_eq!(again.refresh_cookie(), by_cookie.refresh);
        by_cookie.access = Some(again["access"].as_str().expect("a token").to_owned());
        by_cookie.get(ME).await.expect(200);
    }
    app.advance(Duration::from_secs(24 * 3600));
    let expired = "invalid or expired refresh token";
    app.anonymous().post(REFRESH, &token_of(&registered)).await.refused(401, expired);
}

#[tokio::test]
async fn a_static_session_ends_with_its_logout_and_its_use_is_noted_once_an_hour() {
    let app = with_mode("static").await;
    let registered = app.anonymous().post("/api/auth/register/", &app.new_account()).await.expect(201);
    let noted = async || {
        let user = app.users().find_one(doc! {}).await.expect("found").expect("a user");
        let session = user.get_array("sessions").expect("sessions")[0].as_document().expect("a session").clone();
        *session.get_datetime("last_used_at").expect("a time")
    };
    let first = noted().await;
    for (minutes, is_noted) in [(30, false), (29, false), (2, true)] {
        let before = noted().await;
        app.advance(Duration::from_secs(minutes * 60));
        app.anonymous().post(REFRESH, &token_of(&registered)).await.expect(200);
        assert_eq!(noted().await != before, is_noted, "{minutes}");
    }
    assert!(noted().await > first);
    let mut caller = app.anonymous();
    caller.sign_in(&registered);
    caller.post_empty("/api/auth/logout/").await.expect(200);
    app.anonymous().post(REFRESH, &token_of(&registered)).await.refused(401, "refresh token has been revoked");
}

#[tokio::test]
async fn a_static_session_ends_where_it_may_not_be() {
    for way in ["promoted", "rotating", "off"] {
        let app = with_mode("static").await;
        let registered = app.anonymous().post("/api/auth/register/", &app.new_account()).await.expect(201);
        let mut caller = app.anonymous();
        caller.sign_in(&registered);
        let revoked = "refresh token has been revoked";
        if way == "promoted" {
            let id = ObjectId::parse_str(&caller.user_id).expect("an id");
            let staff = doc! { "$set": { "role": "staff" } };
            app.users().update_one(doc! { "_id": id }, staff).await.expect("a role");
            app.anonymous().post(REFRESH, &token_of(&registered)).await.refused(401, revoked);
        } else {
            let other = app.another_instance_with(&[("BODY_REFRESH", way)]).await;
            match way {
                "off" => other.anonymous().post(REFRESH, &token_of(&registered)).await.refused(401, revoked),
                _ => caller.at(&other.url).refresh().await.refused(401, revoked),
            };
        }
        caller.get(ME).await.refused(401, "invalid or expired access token");
    }
}

#[tokio::test]
async fn staff_and_other_sessions_rotate_under_static_and_get_nothing_in_bodies() {
    let app = with_mode("static").await;
    let account = app.new_account();
    app.anonymous().post("/api/auth/register/", &account).await.expect(201);
    app.users().update_one(doc! {}, doc! { "$set": { "role": "staff" } }).await.expect("a role");
    let login = json!({ "username": account["username"], "password": PASSWORD });
    let signed_in = app.anonymous().post("/api/auth/token/", &login).await.expect(200);
    assert!(signed_in["refresh"].is_null());
    let mut staff = app.anonymous();
    staff.sign_in(&signed_in);
    let body = json!({ "refresh": staff.refresh });
    app.anonymous().post(REFRESH, &body).await.refused(401, "refresh token required");
    let rotated = staff.refresh().await.expect(200);
    assert!(rotated["refresh"].is_null() && rotated.refresh_cookie() != staff.refresh);
}

#[tokio::test]
async fn a_dead_cookie_is_cleared_and_junk_hides_no_real_one() {
    let app = TestApp::start().await;
    let caller = app.customer().await;
    let mut jar = caller.clone();
    let junk = "refresh_token=junk; ".repeat(6);
    jar.refresh = Some(format!("junk; {junk}refresh_token={}", caller.refresh.clone().expect("a token")));
    jar.refresh().await.expect(200);
    jar.refresh = Some("junk".to_owned());
    let refused = jar.refresh().await.expect(401);
    assert_eq!(refused.set_cookie().expect("a cookie").max_age(), Some(cookie::time::Duration::ZERO));
    assert!(app.anonymous().post_empty("/api/auth/refresh/").await.expect(401).set_cookie().is_none());
}

#[tokio::test]
async fn a_partitioned_cookie_says_so() {
    let settings = [("COOKIE_SAMESITE", "none"), ("COOKIE_SECURE", "true"), ("COOKIE_PARTITIONED", "true")];
    let app = TestApp::start_with(&settings).await;
    let reply = app.anonymous().post("/api/auth/register/", &app.new_account()).await.expect(201);
    assert!(reply.header("set-cookie").contains("Partitioned"), "{}", reply.header("set-cookie"));
}

/// Makes the calls of the old accounts frontend with its field names. It keeps tokens only in local storage.
#[tokio::test]
async fn the_old_accounts_frontend_works_without_a_cookie_jar() {
    let app = with_mode("static").await;
    let anyone = app.anonymous();
    let sign_up = json!({ "username": "asha.rao", "email": "Asha@Example.com", "password": PASSWORD });
    anyone.post("/api/auth/register/", &sign_up).await.expect(201);
    let login = json!({ "username": "asha@example.com", "password": PASSWORD });
    let tokens = anyone.post("/api/auth/token/", &login).await.expect(200);
    let mut browser = Caller::new(&app.url);
    browser.access = Some(tokens["access"].as_str().expect("a token").to_owned());
    assert_eq!(claims(&tokens["access"])["username"], "asha.rao");

    let me = browser.get(ME).await.expect(200).json;
    let mut edited = me.clone();
    edited["profile"]["display"] = json!({ "photo": "https://images.example.com/asha.webp" });
    edited["profile"]["preference"] = json!({ "language": "hi-IN" });
    edited["profile"]["address"]["city"] = json!("Pune");
    edited["profile"]["address"]["postal_code"] = json!("411001");
    let updated = browser.put("/api/accounts/update/", &edited).await.expect(200);
    assert_eq!(updated["profile"]["preference"]["language"], "hi-IN");
    assert_eq!(updated["profile"]["address"]["pincode"], "411001");
    let mut cleared = updated.json.clone();
    cleared["profile"]["display"] = json!({ "photo": null });
    assert!(browser.put("/api/accounts/update/", &cleared).await.expect(200)["profile"]["display"].is_null());

    for name in ["identifier", "email", "username"] {
        let value = if name == "username" { "asha.rao" } else { "asha@example.com" };
        let found = anyone.post("/api/request/forgot/check/", &json!({ name: value })).await.expect(200);
        assert_eq!(found["username"], "asha.rao");
    }
    anyone.post("/api/request/forgot/confirm/", &json!({ "email": "asha@example.com" })).await.expect(200);
    let link = app.link("reset").await;
    let (uid, token) = link.trim_end_matches('/').split_once('/').expect("two parts");
    anyone.get(&format!("/api/request/reset/check/{uid}/{token}/")).await.expect(200);
    let reset = json!({ "uid": uid, "token": token, "password": "N3w-gasket!" });
    anyone.post("/api/request/reset/", &reset).await.expect(200);
    anyone.post(REFRESH, &token_of(&tokens)).await.refused(401, "refresh token has been revoked");
}

/// Decodes the claims of a token without checking its signature, as a frontend does.
fn claims(token: &Value) -> Value {
    use base64::Engine;
    let text = token.as_str().expect("a token").split('.').nth(1).expect("claims");
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).expect("base64");
    serde_json::from_slice(&bytes).expect("JSON")
}
