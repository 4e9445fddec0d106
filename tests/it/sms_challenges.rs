//! Challenges, which tie a code to the caller who asked for it.
//!
//! Attempts and sends of other callers do not use up what this caller may do.

use std::time::Duration;

use bson::{Document, doc};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{CODE, Caller, FakeTwilio, Mood, PASSWORD, Reply, TestApp, eventually};

const SEND: &str = "/api/auth/register/send-otp/";
const VERIFY: &str = "/api/auth/register/verify-otp/";
const FORGOT_SEND: &str = "/api/auth/forgot-password/send/";
const FORGOT_VERIFY: &str = "/api/auth/forgot-password/verify/";
const NUMBER: &str = "+919876543210";
const WRONG: &str = "invalid or expired OTP";
const SPENT: &str = "too many wrong OTPs, ask for a new one";

fn account(username: &str) -> Value {
    json!({ "username": username, "password": PASSWORD, "phone_number": NUMBER })
}

fn proof(code: &str) -> Value {
    json!({ "phone_number": NUMBER, "otp": code })
}

/// Returns a different code of six digits for each `n`.
fn other(code: &str, n: u32) -> String {
    format!("{:06}", (code.parse::<u32>().expect("digits") + 1 + n) % 1_000_000)
}

async fn asks(app: &TestApp, path: &str, body: &Value) -> Caller {
    let mut caller = app.anonymous();
    caller.challenge = caller.post(path, body).await.expect(200).challenge_cookie();
    caller
}

#[tokio::test]
async fn five_wrong_codes_from_elsewhere_leave_the_owner_s_own_untouched() {
    let app = TestApp::start().await;
    let owner = asks(&app, SEND, &account("Asha Rao")).await;
    let code = app.code_for(NUMBER);
    let stranger = asks(&app, SEND, &account("Asha Rao")).await;
    for caller in [&stranger, &app.anonymous()] {
        for n in 0..5 {
            caller.post(VERIFY, &proof(&other(&code, n))).await.refused(400, WRONG);
        }
        caller.post(VERIFY, &proof(&other(&code, 9))).await.refused(429, SPENT);
    }
    owner.post(VERIFY, &proof(&code)).await.expect(201);
}

#[tokio::test]
async fn the_sixth_wrong_code_is_the_same_for_numbers_that_nobody_has() {
    let app = TestApp::start().await;
    app.claims("Asha Rao", Some(NUMBER), None).await;
    for number in [NUMBER, "+919876500009"] {
        let ask = json!({ "phone_number": number });
        let mut with_challenge = app.anonymous();
        app.asks_for_reset_code(&mut with_challenge, number, number == NUMBER).await;
        let wrong = json!({ "phone_number": number, "otp": "12345678" });
        for caller in [&with_challenge, &app.anonymous()] {
            for _ in 0..5 {
                caller.post(FORGOT_VERIFY, &wrong).await.refused(400, WRONG);
            }
            caller.post(FORGOT_VERIFY, &wrong).await.refused(429, SPENT);
        }
        let again = asks(&app, FORGOT_SEND, &ask).await;
        again.post(FORGOT_VERIFY, &wrong).await.refused(400, WRONG);
    }
}

#[tokio::test]
async fn answers_to_known_and_unknown_numbers_have_the_same_form() {
    let app = TestApp::start().await;
    app.claims("Asha Rao", Some(NUMBER), None).await;
    let mut answers = Vec::new();
    for number in [NUMBER, "+919876500009"] {
        let mut reply = app.anonymous().post(FORGOT_SEND, &json!({ "phone_number": number })).await.expect(200);
        assert!(reply.challenge_cookie().is_some());
        reply.json["challenge"] = json!(reply["challenge"].as_str().expect("a challenge").len());
        let names: Vec<String> = reply.headers.keys().map(ToString::to_string).collect();
        answers.push((reply.json, names));
    }
    assert_eq!(answers[0], answers[1]);
}

#[tokio::test]
async fn apps_without_a_cookie_jar_send_the_challenge_in_the_body() {
    let app = TestApp::start().await;
    let anyone = app.anonymous();
    let sent = anyone.post(SEND, &account("Asha Rao")).await.expect(200);
    let code = app.code_for(NUMBER);
    asks(&app, SEND, &account("the thief")).await;
    let with = |challenge: &Value, code: &str| {
        let mut body = proof(code);
        body["challenge"] = challenge.clone();
        body
    };
    anyone.post(VERIFY, &with(&json!("junk"), &code)).await.refused(400, WRONG);
    let reply = anyone.post(VERIFY, &with(&sent["challenge"], &code)).await.expect(201);
    assert_eq!(reply["user"]["username"], "Asha Rao");
    let mut forgetful = app.anonymous();
    app.asks_for_reset_code(&mut forgetful, NUMBER, true).await;
    let challenge = json!(forgetful.challenge.expect("a challenge"));
    let allowed = anyone.post(FORGOT_VERIFY, &with(&challenge, &app.code_for(NUMBER))).await.expect(200);
    assert!(allowed["reset_token"].is_string());
}

#[tokio::test]
async fn a_challenge_proves_nothing_for_another_number_or_purpose() {
    let app = TestApp::start().await;
    app.claims("somebody", Some("+919876500001"), None).await;
    let owner = asks(&app, SEND, &account("Asha Rao")).await;
    let code = app.code_for(NUMBER);
    owner.post(FORGOT_VERIFY, &proof(&code)).await.refused(400, WRONG);
    let other = json!({ "phone_number": "9876500001", "otp": code });
    owner.post(VERIFY, &other).await.refused(400, "no pending registration for this number");
    owner.post(VERIFY, &proof(&code)).await.expect(201);
}

/// Asks for a code from `address`. The test acts as the proxy and names this address in `X-Forwarded-For`.
async fn asks_from(app: &TestApp, address: &str) -> Reply {
    let request = app.anonymous().request(Method::POST, SEND).header("x-forwarded-for", address);
    Reply::of(request.json(&account("Asha Rao"))).await
}

#[tokio::test]
async fn five_sends_from_elsewhere_leave_the_owner_s_own_and_the_number_has_a_wider_cap() {
    let settings =
        [("RATE_LIMIT_SCALE", "1"), ("TRUSTED_PROXIES", "127.0.0.1,::1"), ("LIMIT_OTP_NUMBER_TOTAL", "8/1h")];
    let app = TestApp::start_with(&settings).await;
    for _ in 0..5 {
        asks_from(&app, "198.51.100.1").await.expect(200);
        app.advance(Duration::from_secs(31));
    }
    let too_many = "too many OTPs for this number, try again later";
    asks_from(&app, "198.51.100.1").await.refused(429, too_many);
    asks_from(&app, "198.51.100.2").await.expect(200);
    asks_from(&app, "198.51.100.2").await.refused(429, "an OTP was sent a moment ago, wait before asking for another");
    for n in 3..5 {
        asks_from(&app, &format!("198.51.100.{n}")).await.expect(200);
    }
    asks_from(&app, "198.51.100.9").await.refused(429, too_many);
}

#[tokio::test]
async fn the_hourly_cap_counts_what_is_sent_and_not_what_is_asked_for() {
    let app =
        TestApp::start_with(&[("RATE_LIMIT_SCALE", "1"), ("SMS_HOURLY_CAP", "2"), ("LIMIT_OTP_ADDRESS", "99/1h")])
            .await;
    for n in 0..8 {
        let nobody = json!({ "phone_number": format!("987650010{n}") });
        app.anonymous().post(FORGOT_SEND, &nobody).await.expect(200);
    }
    let twice =
        [account("Asha Rao"), json!({ "username": "second one", "password": PASSWORD, "phone_number": "9876500002" })];
    for body in &twice {
        app.anonymous().post(SEND, body).await.expect(200);
    }
    let third = json!({ "username": "third one", "password": PASSWORD, "phone_number": "9876500003" });
    let refused = app.anonymous().post(SEND, &third).await;
    refused.refused(429, "no OTP can be sent at the moment, try again later");
    assert_eq!(app.sms_count(), 2);
}

#[tokio::test]
async fn a_wrong_code_is_asked_of_the_service_once_whoever_tries_it() {
    let twilio = FakeTwilio::start().await;
    let app = TestApp::start_with(&twilio.settings()).await;
    for _ in 0..4 {
        let stranger = asks(&app, SEND, &account("Asha Rao")).await;
        stranger.post(VERIFY, &proof("000000")).await.refused(400, WRONG);
    }
    assert_eq!(twilio.checks(), 1);
    let owner = asks(&app, SEND, &account("Asha Rao")).await;
    owner.post(VERIFY, &proof(CODE)).await.expect(201);
}

#[tokio::test]
async fn a_number_that_the_service_closes_is_told_to_everybody_and_its_pendings_stay() {
    let twilio = FakeTwilio::start().await;
    let app = TestApp::start_with(&twilio.settings()).await;
    let (stranger, owner) = (asks(&app, SEND, &account("thief")).await, asks(&app, SEND, &account("Asha Rao")).await);
    for n in 0..5 {
        stranger.post(VERIFY, &proof(&other("000000", n))).await.refused(400, WRONG);
    }
    let closed = owner.post(VERIFY, &proof(CODE)).await;
    let closed = closed.refused(429, "too many OTPs for this number, try again later");
    assert_eq!(closed.header("retry-after"), "600");
    twilio.becomes(Mood::Good);
    let pendings = app.db.collection::<Document>("pending_registrations").count_documents(doc! {}).await;
    assert_eq!(pendings.expect("a count"), 2);
}

#[tokio::test]
async fn where_our_codes_are_taken_the_service_compares_none() {
    let twilio = FakeTwilio::start().await;
    twilio.takes_custom_codes();
    let app = TestApp::start_with(&twilio.settings()).await;
    let stranger = asks(&app, SEND, &account("thief")).await;
    let owner = asks(&app, SEND, &account("Asha Rao")).await;
    let codes = twilio.custom_codes();
    for n in 0..5 {
        stranger.post(VERIFY, &proof(&other(&codes[0], n))).await.refused(400, WRONG);
    }
    owner.post(VERIFY, &proof(&codes[1])).await.expect(201);
    assert_eq!((twilio.checks(), codes.len()), (0, 2));
    eventually("the service hears that the code was right", || async { twilio.approved() == [NUMBER] }).await;
}

#[tokio::test]
async fn numbers_that_the_service_refuses_are_the_caller_s_fault() {
    let twilio = FakeTwilio::start().await;
    let app = TestApp::start_with(&twilio.settings()).await;
    for code in [60_200, 60_205, 60_410, 60_605, 21_211, 21_614] {
        twilio.becomes(Mood::Problem(code));
        let reply = app.anonymous().post(SEND, &account("Asha Rao")).await;
        let reply = reply.refused(400, "invalid phone number: no SMS can be sent to it");
        assert!(reply["fields"]["phone_number"].is_string(), "{code}");
    }
    twilio.becomes(Mood::Problem(20_003));
    assert_eq!(app.anonymous().post(SEND, &account("Asha Rao")).await.expect(502)["code"], "sms_unavailable");
}

#[tokio::test]
async fn nothing_is_sent_to_a_landline() {
    let twilio = FakeTwilio::start().await;
    let app = TestApp::start_with(&twilio.settings()).await;
    for landline in ["022 2278 1234", "1800 123 4567"] {
        let body = json!({ "username": "Asha Rao", "password": PASSWORD, "phone_number": landline });
        let text = "invalid phone number: no SMS can be sent to a landline";
        app.anonymous().post(SEND, &body).await.refused(400, text);
        app.anonymous().post(FORGOT_SEND, &body).await.refused(400, text);
    }
    assert!(twilio.sent_to().is_empty());
}

#[tokio::test]
async fn a_code_that_somebody_else_asked_for_confirms_nobody_who_was_refused_one() {
    let app = TestApp::start_with(&[("RATE_LIMIT_SCALE", "1")]).await;
    asks(&app, SEND, &account("the thief")).await;
    let owner = json!({ "username": "the owner", "password": "Radi4tor-cap!", "phone_number": NUMBER });
    app.anonymous().post(SEND, &owner).await.expect(429);
    let code = app.code_for(NUMBER);
    app.anonymous().post(VERIFY, &proof(&code)).await.refused(400, WRONG);
    app.advance(Duration::from_secs(31));
    let caller = asks(&app, SEND, &owner).await;
    let reply = caller.post(VERIFY, &proof(&app.code_for(NUMBER))).await.expect(201);
    assert_eq!(reply["user"]["username"], "the owner");
}

#[tokio::test]
async fn a_service_that_compares_tells_no_known_number_from_an_unknown_one() {
    let twilio = FakeTwilio::start().await;
    let app = TestApp::start_with(&twilio.settings()).await;
    app.claims("Asha Rao", Some(NUMBER), None).await;
    let mut answers = Vec::new();
    for number in [NUMBER, "+919876500009"] {
        let mut statuses = Vec::new();
        for round in 0..2 {
            let mut caller = app.anonymous();
            app.asks_for_reset_code(&mut caller, number, number == NUMBER).await;
            for n in 0..3 {
                let wrong = json!({ "phone_number": number, "otp": other("000000", round * 3 + n) });
                statuses.push(caller.post(FORGOT_VERIFY, &wrong).await.status.as_u16());
            }
        }
        answers.push(statuses);
    }
    assert_eq!(answers, [[400, 400, 400, 400, 400, 429]; 2]);
    assert_eq!(twilio.checks(), 5);
}
