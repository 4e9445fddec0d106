//! Codes by text message: for a new account, for a forgotten password and for a new number.

use std::time::Duration;

use bson::{Document, doc};
use insta::assert_json_snapshot;
use serde_json::{Value, json};

use crate::support::{Caller, PASSWORD, Reply, TestApp, stable};

const SEND: &str = "/api/auth/register/send-otp/";
const VERIFY: &str = "/api/auth/register/verify-otp/";
const LOGIN: &str = "/api/auth/login/";
const FORGOT: &str = "/api/auth/forgot-password";
const NUMBER: &str = "+919876543210";

fn account(username: &str, password: &str) -> Value {
    json!({ "username": username, "password": password, "phone_number": NUMBER })
}

/// Asks for a code. The returned caller keeps the challenge cookie, as a browser does.
async fn ask(app: &TestApp, body: &Value) -> Caller {
    let mut caller = app.anonymous();
    let reply = caller.post(SEND, body).await.expect(200);
    assert_eq!(reply["message"], "OTP sent successfully");
    assert_eq!(reply["expires_in"], 600);
    caller.challenge = reply.challenge_cookie();
    assert!(caller.challenge.is_some());
    caller
}

async fn verify(caller: &Caller, code: &str) -> Reply {
    caller.post(VERIFY, &json!({ "phone_number": "09876543210", "otp": code })).await
}

async fn sign_in(app: &TestApp, password: &str) -> Reply {
    app.anonymous().post(LOGIN, &json!({ "phone_number": NUMBER, "password": password })).await
}

/// Returns a different code of six digits.
fn wrong(code: &str) -> String {
    format!("{:06}", (code.parse::<u32>().expect("digits") + 1) % 1_000_000)
}

#[tokio::test]
async fn a_code_makes_an_account_whose_number_is_proven() {
    let app = TestApp::start().await;
    let mut caller = ask(&app, &account("Asha Rao", PASSWORD)).await;
    assert_eq!(app.users().count_documents(doc! {}).await.expect("a count"), 0);
    let code = app.code_for(NUMBER);
    verify(&caller, &wrong(&code)).await.refused(400, "invalid or expired OTP");
    let reply = verify(&caller, &code).await.expect(201);
    assert_json_snapshot!(stable(&reply.json), @r#"
    {
      "access": "[token]",
      "expires_in": 900,
      "message": "user verified and registered successfully",
      "user": {
        "_id": "[id]",
        "created_at": "[time]",
        "email": null,
        "phone_number": "+919876543210",
        "role": "customer",
        "username": "Asha Rao"
      }
    }
    "#);
    caller.sign_in(&reply);
    let me = caller.get("/api/accounts/me/").await.expect(200);
    assert_eq!((&me["is_verified"], &me["verification"]["phone"]["value"]), (&json!(true), &json!(NUMBER)));
    verify(&caller, &code).await.refused(400, "no pending registration for this number");
    app.anonymous().post(SEND, &account("other", PASSWORD)).await.refused(409, "phone number already registered");
}

#[tokio::test]
async fn codes_expire_and_what_is_missing_is_told() {
    let app = TestApp::start().await;
    let caller = ask(&app, &account("Asha Rao", PASSWORD)).await;
    let code = app.code_for(NUMBER);
    let nothing = "phone_number and otp are required";
    caller.post(VERIFY, &json!({ "phone_number": NUMBER })).await.refused(400, nothing);
    caller.post(VERIFY, &json!({ "otp": code })).await.refused(400, nothing);
    for junk in ["12", "abcdef", "１２３４５６"] {
        verify(&caller, junk).await.refused(400, "invalid or expired OTP");
    }
    let other = json!({ "phone_number": "9876500000", "otp": code });
    caller.post(VERIFY, &other).await.refused(400, "no pending registration for this number");
    app.advance(Duration::from_secs(601));
    verify(&caller, &code).await.refused(400, "no pending registration for this number");
    let abroad = json!({ "username": "abroad", "password": PASSWORD, "phone_number": "+14155552671" });
    app.anonymous().post(SEND, &abroad).await.refused(400, "invalid phone number: no SMS is sent to this country");
}

#[tokio::test]
async fn of_a_hundred_wrong_codes_five_are_compared() {
    let app = TestApp::start().await;
    let caller = ask(&app, &account("Asha Rao", PASSWORD)).await;
    let code = app.code_for(NUMBER);
    let wrong = wrong(&code);
    let calls: Vec<_> = (0..100)
        .map(|_| {
            let (caller, wrong) = (caller.clone(), wrong.clone());
            tokio::spawn(async move { verify(&caller, &wrong).await.status.as_u16() })
        })
        .collect();
    let statuses = futures_util::future::join_all(calls).await;
    let count = |status: u16| statuses.iter().filter(|s| *s.as_ref().expect("a reply") == status).count();
    assert_eq!((count(400), count(429)), (5, 95));
    verify(&caller, &code).await.refused(429, "too many wrong OTPs, ask for a new one");
}

#[tokio::test]
async fn whoever_holds_the_phone_gets_the_account_of_their_own_challenge() {
    let app = TestApp::start().await;
    let thief = ask(&app, &account("thief", "Gasket-h3ad!")).await;
    let owner = ask(&app, &account("owner", PASSWORD)).await;
    let code = app.code_for(NUMBER);
    verify(&app.anonymous(), &code).await.refused(400, "invalid or expired OTP");
    verify(&thief, &code).await.refused(400, "invalid or expired OTP");
    let reply = verify(&owner, &code).await.expect(201);
    assert_eq!(reply["user"]["username"], "owner");
    sign_in(&app, "Gasket-h3ad!").await.expect(401);
    sign_in(&app, PASSWORD).await.expect(200);
}

#[tokio::test]
async fn without_a_cookie_it_works_while_all_pendings_ask_for_the_same() {
    let app = TestApp::start().await;
    ask(&app, &account("Asha Rao", PASSWORD)).await;
    let first = app.code_for(NUMBER);
    ask(&app, &account("Asha Rao", PASSWORD)).await;
    verify(&app.anonymous(), &first).await.expect(201);
}

#[tokio::test]
async fn a_proof_takes_the_number_from_a_mere_claim() {
    let app = TestApp::start().await;
    let mut claimer = app.anonymous();
    let reply = claimer.post("/api/auth/register/", &account("claimer", "Radi4tor-cap!")).await.expect(201);
    claimer.sign_in(&reply);
    let owner = ask(&app, &account("owner", PASSWORD)).await;
    verify(&owner, &app.code_for(NUMBER)).await.expect(201);
    let me = claimer.get("/api/accounts/me/").await.expect(200);
    assert_eq!((&me["phone_number"], &me["profile"]["phone"]), (&Value::Null, &Value::Null));
    sign_in(&app, "Radi4tor-cap!").await.expect(401);
    assert_eq!(sign_in(&app, PASSWORD).await.expect(200)["user"]["username"], "owner");
}

#[tokio::test]
async fn of_two_who_prove_one_number_at_once_one_gets_it() {
    let app = TestApp::start().await;
    for round in 0..10 {
        app.users().delete_many(doc! {}).await.expect("a clean table");
        let first = ask(&app, &account(&format!("first {round}"), PASSWORD)).await;
        let first_code = app.code_for(NUMBER);
        let second = ask(&app, &account(&format!("second {round}"), PASSWORD)).await;
        let second_code = app.code_for(NUMBER);
        let replies = tokio::join!(verify(&first, &first_code), verify(&second, &second_code));
        let mut statuses = [replies.0.status.as_u16(), replies.1.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409]);
    }
}

#[tokio::test]
async fn thirty_calls_send_one_sms_and_an_hour_sends_five() {
    let app = TestApp::start_with(&[("RATE_LIMIT_SCALE", "1"), ("LIMIT_OTP_ADDRESS", "100/1h")]).await;
    let body = account("Asha Rao", PASSWORD);
    let calls = (0..30).map(|_| {
        let (caller, body) = (app.anonymous(), body.clone());
        tokio::spawn(async move { caller.post(SEND, &body).await.status.as_u16() })
    });
    let statuses = futures_util::future::join_all(calls.collect::<Vec<_>>()).await;
    let sent = statuses.iter().filter(|s| *s.as_ref().expect("a reply") == 200).count();
    assert_eq!((sent, app.sms_count()), (1, 1));
    assert_eq!(app.permissions_in("sms"), [0o600]);
    for _ in 0..4 {
        app.advance(Duration::from_secs(31));
        app.anonymous().post(SEND, &body).await.expect(200);
    }
    app.advance(Duration::from_secs(31));
    app.anonymous().post(SEND, &body).await.refused(429, "too many OTPs for this number, try again later");
    assert_eq!(app.sms_count(), 5);
}

/// Gets a reset token for the account with [`NUMBER`].
async fn reset_token(app: &TestApp) -> String {
    let codes = app.db.collection::<Document>("otp_codes");
    codes.delete_many(doc! {}).await.expect("no other code");
    app.anonymous().post(&format!("{FORGOT}/send/"), &json!({ "phone_number": NUMBER })).await.expect(200);
    // The server sends the text message after the response.
    while codes.count_documents(doc! { "is_sent": true }).await.expect("a count") == 0 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let body = json!({ "phone_number": NUMBER, "otp": app.code_for(NUMBER) });
    let reply = app.anonymous().post(&format!("{FORGOT}/verify/"), &body).await.expect(200);
    assert_eq!(reply["expires_in"], 900);
    reply["reset_token"].as_str().expect("a token").to_owned()
}

async fn reset(app: &TestApp, token: &str, password: &str) -> Reply {
    let body = json!({ "reset_token": token, "new_password": password });
    app.anonymous().post(&format!("{FORGOT}/reset/"), &body).await
}

#[tokio::test]
async fn a_forgotten_password_is_replaced_and_every_session_ends() {
    let app = TestApp::start().await;
    let mut caller = app.anonymous();
    let mut body = account("Asha Rao", PASSWORD);
    body["email"] = json!("claimed@example.com");
    let reply = caller.post("/api/auth/register/", &body).await.expect(201);
    caller.sign_in(&reply);
    let token = reset_token(&app).await;
    reset(&app, &token, "weak").await.refused(400, "invalid password: password too long/short");
    assert_eq!(reset(&app, &token, "N3w-gasket!").await.expect(200)["message"], "password has been reset successfully");
    caller.get("/api/accounts/me/").await.expect(401);
    caller.refresh().await.expect(401);
    sign_in(&app, PASSWORD).await.expect(401);
    let reply = sign_in(&app, "N3w-gasket!").await.expect(200);
    assert_eq!(reply["user"]["email"], Value::Null, "an address that was never proven is dropped");
    caller.sign_in(&reply);
    assert_eq!(caller.get("/api/accounts/me/").await.expect(200)["is_verified"], true);
    reset(&app, &token, "An0ther!pass").await.refused(400, "invalid or expired reset token");
}

#[tokio::test]
async fn whether_there_is_an_account_is_not_told() {
    let app = TestApp::start().await;
    let text = "if an account with the number exists, an OTP was sent.";
    let reply = app.anonymous().post(&format!("{FORGOT}/send/"), &json!({ "phone_number": NUMBER })).await.expect(200);
    assert_eq!((&reply["message"], app.sms_count()), (&json!(text), 0));
    let body = json!({ "phone_number": NUMBER, "otp": "123456" });
    app.anonymous().post(&format!("{FORGOT}/verify/"), &body).await.refused(400, "invalid or expired OTP");
    let nothing = "reset_token and new_password are required";
    app.anonymous().post(&format!("{FORGOT}/reset/"), &json!({})).await.refused(400, nothing);
    for junk in ["", "junk", &"A".repeat(59)] {
        let expected = if junk.is_empty() { nothing } else { "invalid or expired reset token" };
        reset(&app, junk, "N3w-gasket!").await.refused(400, expected);
    }
}

#[tokio::test]
async fn of_ten_resets_with_one_token_one_succeeds_and_an_expired_one_stays_dead() {
    let app = TestApp::start().await;
    app.anonymous().post("/api/auth/register/", &account("Asha Rao", PASSWORD)).await.expect(201);
    let token = reset_token(&app).await;
    let calls = (0..10).map(|n| {
        let (url, token) = (app.url.clone(), token.clone());
        tokio::spawn(async move {
            let body = json!({ "refresh_token": token, "new_password": format!("N3w-gasket!{n}") });
            Caller::new(&url).post(&format!("{FORGOT}/reset/"), &body).await.status.as_u16()
        })
    });
    let statuses = futures_util::future::join_all(calls.collect::<Vec<_>>()).await;
    assert_eq!(statuses.iter().filter(|s| *s.as_ref().expect("a reply") == 200).count(), 1);
    let old = reset_token(&app).await;
    app.advance(Duration::from_secs(901));
    reset(&app, &old, "N3w-gasket!").await.refused(400, "invalid or expired reset token");
    let new = reset_token(&app).await;
    reset(&app, &old, "N3w-gasket!").await.refused(400, "invalid or expired reset token");
    reset(&app, &new, "N3w-gasket!").await.expect(200);
}

#[tokio::test]
async fn a_login_that_races_with_a_reset_leaves_no_session_of_the_old_password() {
    race_resets_with_logins(40).await;
}

#[tokio::test]
#[ignore = "slow: five times as many rounds"]
async fn many_logins_that_race_with_resets_leave_no_session_of_the_old_password() {
    race_resets_with_logins(200).await;
}

async fn race_resets_with_logins(rounds: usize) {
    let app = TestApp::start().await;
    app.anonymous().post("/api/auth/register/", &account("Asha Rao", "P0ssword!0")).await.expect(201);
    for round in 0..rounds {
        let (old, new) = (format!("P0ssword!{round}"), format!("P0ssword!{}", round + 1));
        let token = reset_token(&app).await;
        let (login, reset) = tokio::join!(sign_in(&app, &old), reset(&app, &token, &new));
        reset.expect(200);
        if login.status == 200 {
            let mut caller = app.anonymous();
            caller.sign_in(&login);
            caller.get("/api/accounts/me/").await.expect(401);
        }
        let user = app.users().find_one(doc! {}).await.expect("found").expect("a user");
        assert_eq!(user.get_array("sessions").expect("sessions").len(), 0, "round {round}");
    }
}

#[tokio::test]
async fn a_number_is_changed_by_its_proof_and_not_by_a_stolen_token() {
    let app = TestApp::start().await;
    let (caller, other) = (app.customer().await, app.customer().await);
    let (send, verify) = ("/api/request/verify-number/send/", "/api/request/verify-number/verify/");
    let ask = json!({ "phone_number": NUMBER });
    caller.post(send, &ask).await.expect(200);
    let code = app.code_for(NUMBER);
    let proof = json!({ "phone_number": NUMBER, "otp": code });
    other.post(verify, &proof).await.refused(400, "invalid or expired OTP");
    let reply = caller.post(verify, &proof).await.expect(200);
    assert_json_snapshot!(stable(&reply.json), @r#"
    {
      "message": "phone number verified successfully",
      "user": {
        "_id": "[id]",
        "created_at": "[time]",
        "email": null,
        "phone_number": "+919876543210",
        "role": "customer",
        "username": "[name]"
      }
    }
    "#);
    assert_eq!(caller.get("/api/accounts/me/").await.expect(200)["verification"]["phone"]["value"], NUMBER);
    other.post(send, &ask).await.refused(409, "phone number already registered");
    app.advance(Duration::from_secs(601));
    let another = json!({ "phone_number": "9876500001" });
    caller.post(send, &another).await.refused(403, "confirm with current_password or sign in again");
    let guessed = json!({ "phone_number": "9876500001", "current_password": "Wr0ng!pass" });
    caller.post(send, &guessed).await.refused(400, "current password is incorrect");
    let confirmed = json!({ "phone_number": "9876500001", "current_password": PASSWORD });
    caller.post(send, &confirmed).await.expect(200);
}

#[tokio::test]
async fn a_changed_password_voids_open_codes_and_resets() {
    let app = TestApp::start().await;
    let mut caller = app.anonymous();
    let reply = caller.post("/api/auth/register/", &account("Asha Rao", PASSWORD)).await.expect(201);
    caller.sign_in(&reply);
    let token = reset_token(&app).await;
    caller.post("/api/request/verify-number/send/", &json!({ "phone_number": "9876500001" })).await.expect(200);
    let change = json!({ "current_password": PASSWORD, "new_password": "N3w-gasket!" });
    caller.post("/api/accounts/password/", &change).await.expect(200);
    reset(&app, &token, "An0ther!pass").await.refused(400, "invalid or expired reset token");
    let proof = json!({ "phone_number": "9876500001", "otp": app.code_for("+919876500001") });
    caller.post("/api/request/verify-number/verify/", &proof).await.refused(400, "invalid or expired OTP");
}
