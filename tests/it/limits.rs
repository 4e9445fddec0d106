//! Rate limits, which count over all instances.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Caller, PASSWORD, Reply, TestApp};

const LOGIN: &str = "/api/auth/login/";
const WRONG: &str = "Wr0ng!pass";

async fn limited(vars: &[(&str, &str)]) -> TestApp {
    let vars: Vec<_> = [("RATE_LIMIT_SCALE", "1")].iter().chain(vars).copied().collect();
    TestApp::start_with(&vars).await
}

fn login(number: &Value, password: &str) -> Value {
    json!({ "phone_number": number, "password": password })
}

/// Signs in from `address`. The test acts as the proxy and names this address in `X-Forwarded-For`.
async fn login_from(caller: &Caller, address: &str, body: &Value) -> Reply {
    Reply::of(caller.request(Method::POST, LOGIN).header("x-forwarded-for", address).json(body)).await
}

#[tokio::test]
async fn ten_wrong_passwords_close_an_account_to_an_address_until_time_has_passed() {
    let app = limited(&[]).await;
    let account = app.new_account();
    app.anonymous().post("/api/auth/register/", &account).await.expect(201);
    let (number, anyone) = (&account["phone_number"], app.anonymous());
    let elsewhere = app.another_instance_with(&[("RATE_LIMIT_SCALE", "1")]).await;
    for n in 0..10 {
        let caller = if n % 2 == 0 { anyone.clone() } else { anyone.at(&elsewhere.url) };
        caller.post(LOGIN, &login(number, WRONG)).await.expect(401);
    }
    for caller in [anyone.clone(), anyone.at(&elsewhere.url)] {
        let reply = caller.post(LOGIN, &login(number, PASSWORD)).await;
        let reply = reply.refused(429, "too many failed sign-ins, try again later");
        let seconds: u64 = reply.header("retry-after").parse().expect("seconds");
        assert!((800..=900).contains(&seconds), "{seconds}");
    }
    app.advance(Duration::from_secs(901));
    anyone.post(LOGIN, &login(number, PASSWORD)).await.expect(200);
}

#[tokio::test]
async fn right_passwords_do_not_count_and_unknown_accounts_do() {
    let app = limited(&[]).await;
    let account = app.new_account();
    app.anonymous().post("/api/auth/register/", &account).await.expect(201);
    for _ in 0..15 {
        app.anonymous().post(LOGIN, &login(&account["phone_number"], PASSWORD)).await.expect(200);
    }
    let unknown = json!("9000000000");
    for _ in 0..10 {
        app.anonymous().post(LOGIN, &login(&unknown, WRONG)).await.expect(401);
    }
    app.anonymous().post(LOGIN, &login(&unknown, WRONG)).await.expect(429);
}

#[tokio::test]
async fn of_many_wrong_passwords_at_once_ten_are_compared() {
    let app = limited(&[]).await;
    let body = login(&json!("9000000000"), WRONG);
    let attempt = || {
        let (caller, body) = (app.anonymous(), body.clone());
        tokio::spawn(async move { caller.post(LOGIN, &body).await.status.as_u16() })
    };
    let calls: Vec<_> = (0..60).map(|_| attempt()).collect();
    let statuses = futures_util::future::join_all(calls).await;
    let count = |status: u16| statuses.iter().filter(|s| *s.as_ref().expect("a reply") == status).count();
    assert_eq!((count(401), count(429)), (10, 50));
}

#[tokio::test]
async fn an_owner_s_browser_is_not_locked_out_by_others() {
    let app = limited(&[("TRUSTED_PROXIES", "127.0.0.1,::1"), ("LIMIT_SIGN_IN_ACCOUNT", "12/15m")]).await;
    let account = app.new_account();
    let mut owner = app.anonymous();
    let reply = owner.post("/api/auth/register/", &account).await.expect(201);
    owner.sign_in(&reply);
    owner.post_empty("/api/auth/logout/").await.expect(200);
    owner.access = None;
    let number = &account["phone_number"];
    for n in 0..12 {
        login_from(&app.anonymous(), &format!("198.51.100.{n}"), &login(number, WRONG)).await.expect(401);
    }
    let stranger = login_from(&app.anonymous(), "198.51.100.99", &login(number, PASSWORD)).await;
    stranger.refused(429, "too many failed sign-ins to this account, try again later");
    let reply = login_from(&owner, "198.51.100.98", &login(number, PASSWORD)).await.expect(200);
    owner.sign_in(&reply);
    let body = json!({ "current_password": PASSWORD, "new_password": "N3w-gasket!" });
    owner.post("/api/accounts/password/", &body).await.expect(200);
}

#[tokio::test]
async fn what_can_t_be_a_number_is_not_counted_as_one_account() {
    let app = limited(&[("TRUSTED_PROXIES", "127.0.0.1,::1"), ("LIMIT_SIGN_IN_ACCOUNT", "3/15m")]).await;
    for n in 0..5 {
        let body = login(&json!(format!("no number {n}")), WRONG);
        login_from(&app.anonymous(), &format!("198.51.100.{n}"), &body).await.refused(401, "invalid credentials");
    }
}

#[tokio::test]
async fn whoever_changes_the_address_again_and_again_mails_to_no_more_than_one_a_minute() {
    let app = limited(&[]).await;
    let (owner, _other) = (app.customer_at("asha@example.com").await, app.customer_at("taken@example.com").await);
    let change = async |email: &str| owner.patch("/api/accounts/update/", &json!({ "email": email })).await;
    change("taken@example.com").await.refused(409, "email already registered");
    change("one@example.com").await.expect(200);
    change("two@example.com").await.refused(429, "a mail was sent a moment ago, wait a minute");
    assert_eq!(owner.get("/api/accounts/me/").await.expect(200)["email"], "one@example.com");
    app.advance(Duration::from_secs(61));
    change("two@example.com").await.expect(200);
}

#[tokio::test]
async fn an_address_is_counted_whatever_account_it_tries_and_only_proxies_are_believed() {
    let app = limited(&[("LIMIT_SIGN_IN_ADDRESS", "3/15m")]).await;
    for n in 0..3 {
        let body = login(&json!(format!("900000000{n}")), WRONG);
        login_from(&app.anonymous(), &format!("198.51.100.{n}"), &body).await.expect(401);
    }
    let body = login(&json!("9000000009"), WRONG);
    let reply = login_from(&app.anonymous(), "198.51.100.9", &body).await;
    reply.refused(429, "too many failed sign-ins from here, try again later");
}

#[tokio::test]
async fn one_address_makes_so_many_accounts_an_hour() {
    let app = limited(&[("LIMIT_REGISTER", "3/1h")]).await;
    for _ in 0..3 {
        app.anonymous().post("/api/auth/register/", &app.new_account()).await.expect(201);
    }
    let reply = app.anonymous().post("/api/auth/register/", &app.new_account()).await;
    reply.refused(429, "too many sign-ups from here, try again later");
    app.advance(Duration::from_secs(3601));
    app.anonymous().post("/api/auth/register/", &app.new_account()).await.expect(201);
}

#[tokio::test]
async fn what_is_stored_of_a_limit_names_nobody() {
    let app = limited(&[]).await;
    app.anonymous().post(LOGIN, &login(&json!("9876543210"), WRONG)).await.expect(401);
    let mut found = app.db.collection::<bson::Document>("rate_limits").find(bson::doc! {}).await.expect("documents");
    let mut count = 0;
    while found.advance().await.expect("a document") {
        let text = format!("{:?}", found.current());
        assert!(!text.contains("9876543210") && !text.contains("127.0.0.1"), "{text}");
        count += 1;
    }
    assert_eq!(count, 3);
}
