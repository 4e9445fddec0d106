//! Codes that Twilio sends and compares, and a Twilio that fails.

use std::time::{Duration, Instant};

use bson::{Document, doc};
use serde_json::json;

use crate::support::{CODE, FakeTwilio, Mood, PASSWORD, TestApp, eventually};

const SEND: &str = "/api/auth/register/send-otp/";
const VERIFY: &str = "/api/auth/register/verify-otp/";

fn account() -> serde_json::Value {
    json!({ "username": "Asha Rao", "password": PASSWORD, "phone_number": "9876543210" })
}

#[tokio::test]
async fn twilio_sends_and_compares_the_codes() {
    let twilio = FakeTwilio::start().await;
    let app = TestApp::start_with(&twilio.settings()).await;
    let mut caller = app.anonymous();
    let reply = caller.post(SEND, &account()).await.expect(200);
    caller.challenge = reply.challenge_cookie();
    assert_eq!(twilio.sent_to(), ["+919876543210"]);
    let proof = |code: &str| json!({ "phone_number": "9876543210", "otp": code });
    caller.post(VERIFY, &proof("000000")).await.refused(400, "invalid or expired OTP");
    caller.post(VERIFY, &proof(CODE)).await.expect(201);
    assert_eq!(app.sms_count(), 0);
}

#[tokio::test]
async fn two_challenges_with_the_same_code_stay_apart() {
    let twilio = FakeTwilio::start().await;
    let app = TestApp::start_with(&twilio.settings()).await;
    let (mut thief, mut owner) = (app.anonymous(), app.anonymous());
    let claim = json!({ "username": "thief", "password": "Gasket-h3ad!", "phone_number": "9876543210" });
    thief.challenge = thief.post(SEND, &claim).await.expect(200).challenge_cookie();
    owner.challenge = owner.post(SEND, &account()).await.expect(200).challenge_cookie();
    let proof = json!({ "phone_number": "9876543210", "otp": CODE });
    app.anonymous().post(VERIFY, &proof).await.refused(400, "invalid or expired OTP");
    let reply = owner.post(VERIFY, &proof).await.expect(201);
    assert_eq!(reply["user"]["username"], "Asha Rao");
}

#[tokio::test]
async fn the_service_is_asked_once_about_a_code_however_many_were_sent() {
    let twilio = FakeTwilio::start().await;
    let app = TestApp::start_with(&twilio.settings()).await;
    let account = app.new_account();
    app.anonymous().post("/api/auth/register/", &account).await.expect(201);
    let ask = json!({ "phone_number": account["phone_number"] });
    for sent in 1..=3 {
        app.anonymous().post("/api/auth/forgot-password/send/", &ask).await.expect(200);
        eventually("the code is sent", || async { twilio.sent_to().len() == sent }).await;
    }
    let proof = |code: &str| json!({ "phone_number": account["phone_number"], "otp": code });
    let verify = "/api/auth/forgot-password/verify/";
    app.anonymous().post(verify, &proof("000000")).await.refused(400, "invalid or expired OTP");
    assert_eq!(twilio.checks(), 1);
    app.anonymous().post(verify, &proof(CODE)).await.expect(200);
    assert_eq!(twilio.checks(), 2);
}

#[tokio::test]
async fn a_service_in_trouble_is_502_or_429_and_leaves_nothing_behind() {
    let twilio = FakeTwilio::start().await;
    let settings: Vec<_> = twilio.settings().into_iter().chain([("RATE_LIMIT_SCALE", "1")]).collect();
    let app = TestApp::start_with(&settings).await;
    for (mood, status, code) in [
        (Mood::Status(500), 502, "sms_unavailable"),
        (Mood::Rubbish, 502, "sms_unavailable"),
        (Mood::Status(429), 429, "too_many_requests"),
        (Mood::Slow, 502, "sms_unavailable"),
    ] {
        twilio.becomes(mood);
        let started = Instant::now();
        let reply = app.anonymous().post(SEND, &account()).await.expect(status);
        assert_eq!(reply["code"], code, "{mood:?}");
        assert!(started.elapsed() < Duration::from_secs(6), "{mood:?} took {:?}", started.elapsed());
        for collection in ["pending_registrations", "otp_codes"] {
            let left = app.db.collection::<Document>(collection).count_documents(doc! {}).await.expect("a count");
            assert_eq!(left, 0, "{mood:?} left {collection}");
        }
    }
    twilio.becomes(Mood::Good);
    app.anonymous().post(SEND, &account()).await.expect(200);
}

#[tokio::test]
async fn a_code_that_could_not_be_compared_can_be_tried_again() {
    let twilio = FakeTwilio::start().await;
    let app = TestApp::start_with(&twilio.settings()).await;
    let mut caller = app.anonymous();
    caller.challenge = caller.post(SEND, &account()).await.expect(200).challenge_cookie();
    let proof = json!({ "phone_number": "9876543210", "otp": CODE });
    twilio.becomes(Mood::Status(503));
    for _ in 0..8 {
        assert_eq!(caller.post(VERIFY, &proof).await.expect(502)["code"], "sms_unavailable");
    }
    twilio.becomes(Mood::Good);
    caller.post(VERIFY, &proof).await.expect(201);
}

#[tokio::test]
async fn a_service_that_is_gone_is_502() {
    let gone = [
        ("TWILIO_ACCOUNT_SID", "AC1"),
        ("TWILIO_AUTH_TOKEN", "secret"),
        ("TWILIO_VERIFY_SID", "VA1"),
        ("TWILIO_BASE_URL", "http://127.0.0.1:9"),
    ];
    let app = TestApp::start_with(&gone).await;
    let reply = app.anonymous().post(SEND, &account()).await.expect(502);
    assert_eq!(reply["code"], "sms_unavailable");
    assert!(!reply.text.contains("AC1"));
}
