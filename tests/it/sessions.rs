//! Listing and ending the sessions of the signed-in user.

use insta::assert_json_snapshot;
use serde_json::json;

use crate::support::{Caller, PASSWORD, TestApp, stable};

const ME: &str = "/api/accounts/me/";
const SESSIONS: &str = "/api/auth/sessions/";

/// Creates an account and signs in to it three times.
async fn signed_in_thrice(app: &TestApp) -> [Caller; 3] {
    let account = app.new_account();
    let mut first = app.anonymous();
    let reply = first.post("/api/auth/register/", &account).await.expect(201);
    first.sign_in(&reply);
    let login = json!({ "phone_number": account["phone_number"], "password": PASSWORD });
    let (mut second, mut third) = (app.anonymous(), app.anonymous());
    for caller in [&mut second, &mut third] {
        let reply = caller.post("/api/auth/login/", &login).await.expect(200);
        caller.sign_in(&reply);
    }
    [first, second, third]
}

#[tokio::test]
async fn sessions_are_listed_and_the_current_one_is_marked() {
    let app = TestApp::start().await;
    let [_first, second, _third] = signed_in_thrice(&app).await;
    let reply = second.get(SESSIONS).await.expect(200);
    assert_json_snapshot!(stable(&reply.json), @r#"
    {
      "sessions": [
        {
          "_id": "[id]",
          "created_at": "[time]",
          "current": false,
          "device": "tests/1",
          "expires_at": "[time]",
          "ip": "[loopback]",
          "last_used_at": "[time]"
        },
        {
          "_id": "[id]",
          "created_at": "[time]",
          "current": true,
          "device": "tests/1",
          "expires_at": "[time]",
          "ip": "[loopback]",
          "last_used_at": "[time]"
        },
        {
          "_id": "[id]",
          "created_at": "[time]",
          "current": false,
          "device": "tests/1",
          "expires_at": "[time]",
          "ip": "[loopback]",
          "last_used_at": "[time]"
        }
      ]
    }
    "#);
    assert!(!reply.text.contains("counter"));
}

#[tokio::test]
async fn one_session_is_ended_and_only_one_s_own() {
    let app = TestApp::start().await;
    let [first, second, third] = signed_in_thrice(&app).await;
    let stranger = app.customer().await;
    let listed = first.get(SESSIONS).await.expect(200);
    let path = format!("{SESSIONS}{}/", listed["sessions"][1]["_id"].as_str().expect("an id"));
    stranger.delete(&path).await.refused(404, "session not found");
    second.get(ME).await.expect(200);
    first.delete(&path).await.expect(200);
    second.get(ME).await.refused(401, "invalid or expired access token");
    second.refresh().await.refused(401, "refresh token has been revoked");
    first.delete(&path).await.refused(404, "session not found");
    first.delete(&format!("{SESSIONS}nonsense/")).await.refused(404, "session not found");
    third.get(ME).await.expect(200);
}

#[tokio::test]
async fn all_sessions_end_together_and_nobody_else_s() {
    let app = TestApp::start().await;
    let all = signed_in_thrice(&app).await;
    let stranger = app.customer().await;
    let reply = all[1].post_empty("/api/auth/logout-all/").await.expect(200);
    assert_eq!(reply.set_cookie().map(|cookie| cookie.value().to_owned()), Some(String::new()));
    for caller in &all {
        caller.get(ME).await.expect(401);
        caller.refresh().await.expect(401);
    }
    stranger.get(ME).await.expect(200);
}

#[tokio::test]
async fn a_new_password_ends_all_other_sessions_and_the_old_one_is_no_good() {
    let app = TestApp::start().await;
    let [first, second, third] = signed_in_thrice(&app).await;
    let change = |current: &str, new: &str| json!({ "current_password": current, "new_password": new });
    let path = "/api/accounts/password/";
    first.post(path, &json!({ "new_password": "N3w-gasket!" })).await.refused(400, "current_password is required");
    first.post(path, &json!({ "current_password": PASSWORD })).await.refused(400, "new_password is required");
    let weak = "invalid password: must include uppercase, lowercase, number, and special character";
    first.post(path, &change(PASSWORD, "weakweak")).await.refused(400, weak);
    first.post(path, &change("Wr0ng!pass", "N3w-gasket!")).await.refused(400, "current password is incorrect");
    first.post(path, &change(PASSWORD, "N3w-gasket!")).await.expect(200);
    first.get(ME).await.expect(200);
    second.get(ME).await.expect(401);
    third.refresh().await.expect(401);
    let number = first.get(ME).await["phone_number"].clone();
    let login = |password: &str| json!({ "phone_number": number, "password": password });
    app.anonymous().post("/api/auth/login/", &login(PASSWORD)).await.expect(401);
    app.anonymous().post("/api/auth/login/", &login("N3w-gasket!")).await.expect(200);
}

#[tokio::test]
async fn guesses_of_the_current_password_are_limited_like_sign_ins() {
    let app = TestApp::start_with(&[("RATE_LIMIT_SCALE", "1")]).await;
    let caller = app.customer().await;
    let guess = json!({ "current_password": "Wr0ng!pass", "new_password": "N3w-gasket!" });
    for _ in 0..10 {
        caller.post("/api/accounts/password/", &guess).await.expect(400);
    }
    caller.post("/api/accounts/password/", &guess).await.expect(429);
}

#[tokio::test]
async fn who_leaves_is_gone_and_their_name_is_free_again() {
    let app = TestApp::start().await;
    let account = app.new_account();
    let mut caller = app.anonymous();
    let reply = caller.post("/api/auth/register/", &account).await.expect(201);
    caller.sign_in(&reply);
    let leave = |caller: &Caller, password: &str| {
        let body = json!({ "current_password": password });
        crate::support::Reply::of(caller.request(reqwest::Method::DELETE, ME).json(&body))
    };
    leave(&caller, "Wr0ng!pass").await.refused(400, "current password is incorrect");
    leave(&caller, "").await.refused(400, "current_password is required");
    leave(&caller, PASSWORD).await.expect(200);
    caller.get(ME).await.expect(401);
    caller.refresh().await.expect(401);
    app.anonymous().post("/api/auth/register/", &account).await.expect(201);
    let admin = app.admin().await;
    let refused = leave(&admin, PASSWORD).await.expect(409);
    assert_eq!(refused["code"], "admin_account");
}
