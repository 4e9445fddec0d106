//! Signing up, signing in and signing out.

use std::time::Duration;

use bson::doc;
use insta::assert_json_snapshot;
use serde_json::{Value, json};

use crate::support::{PASSWORD, TestApp, stable};

const REGISTER: &str = "/api/auth/register/";
const LOGIN: &str = "/api/auth/login/";
const TOKEN: &str = "/api/auth/token/";
const LOGOUT: &str = "/api/auth/logout/";
const ME: &str = "/api/accounts/me/";

#[tokio::test]
async fn registering_answers_with_the_user_an_access_token_and_a_safe_cookie() {
    let app = TestApp::start().await;
    let body = json!({ "username": "Asha Rao", "password": PASSWORD, "phone_number": 9_876_543_210_u64, "email": "Asha@Example.com" });
    let reply = app.anonymous().post(REGISTER, &body).await.expect(201);
    assert_json_snapshot!(stable(&reply.json), @r#"
    {
      "access": "[token]",
      "expires_in": 900,
      "message": "user registered successfully",
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
    let cookie = reply.set_cookie().expect("a cookie");
    assert_eq!((cookie.path(), cookie.http_only()), (Some("/api/auth/"), Some(true)));
    assert_eq!(cookie.same_site(), Some(cookie::SameSite::Strict));
    assert_eq!(cookie.max_age().map(|age| age.whole_days()), Some(7));
    assert_eq!(cookie.value().len(), 80);
}

#[tokio::test]
async fn registering_says_what_is_wrong_in_the_words_that_frontends_know() {
    let app = TestApp::start().await;
    let good = json!({ "username": "john", "password": PASSWORD, "phone_number": "9876543210" });
    let cases = [
        ("username", json!(""), "username is required"),
        ("username", json!(null), "username is required"),
        ("password", json!(null), "password is required"),
        ("phone_number", json!("  "), "phone_number is required"),
        ("username", json!("abc"), "invalid username: username too long/short"),
        ("username", json!("a".repeat(25)), "invalid username: username too long/short"),
        ("username", json!("jo<hn>"), "invalid username: invalid characters"),
        ("phone_number", json!("12345"), "invalid phone number: must be 10-15 digits"),
        ("phone_number", json!("९८७६५४३२१०"), "invalid phone number: must be 10-15 digits"),
        ("phone_number", json!("9876543210\n"), "phone_number must not contain control characters"),
        ("phone_number", json!(true), "phone_number must be a string"),
        ("email", json!("nobody"), "invalid email: must be an address like name@example.com"),
        ("password", json!("Ab1!"), "invalid password: password too long/short"),
        ("password", json!(format!("Aa1!{}", "a".repeat(69))), "invalid password: password too long/short"),
        (
            "password",
            json!("alllowercase1!"),
            "invalid password: must include uppercase, lowercase, number, and special character",
        ),
    ];
    for (field, value, error) in cases {
        let mut body = good.clone();
        body[field] = value;
        let reply = app.anonymous().post(REGISTER, &body).await.refused(400, error);
        assert_eq!(reply["fields"][field], error);
    }
    assert_eq!(app.users().count_documents(doc! {}).await.expect("a count"), 0);
}

#[tokio::test]
async fn names_numbers_and_addresses_belong_to_one_account() {
    let app = TestApp::start().await;
    let first =
        json!({ "username": "John Doe", "password": PASSWORD, "phone_number": "9876543210", "email": "j@example.com" });
    app.anonymous().post(REGISTER, &first).await.expect(201);
    let cases = [
        (json!({ "username": "other", "phone_number": "09876543210" }), "phone number already registered"),
        (json!({ "username": "JOHN DOE", "phone_number": "9876543211" }), "username already taken"),
        (
            json!({ "username": "other", "phone_number": "9876543211", "email": "J@EXAMPLE.com" }),
            "email already registered",
        ),
    ];
    for (mut body, error) in cases {
        body["password"] = json!(PASSWORD);
        app.anonymous().post(REGISTER, &body).await.refused(409, error);
    }
    let by_mail_only = json!({ "username": "mail only", "password": PASSWORD, "email": "other@example.com" });
    let reply = app.anonymous().post(REGISTER, &by_mail_only).await.expect(201);
    assert_eq!(reply["user"]["phone_number"], Value::Null);
}

#[tokio::test]
async fn of_many_registrations_at_once_one_gets_the_number() {
    let app = TestApp::start().await;
    let calls = (0..20).map(|n| {
        let caller = app.anonymous();
        let body = json!({ "username": format!("racer {n}"), "password": PASSWORD, "phone_number": "9876543210" });
        tokio::spawn(async move { caller.post(REGISTER, &body).await })
    });
    let mut made = 0;
    for call in calls.collect::<Vec<_>>() {
        let reply = call.await.expect("a reply");
        match reply.status.as_u16() {
            201 => made += 1,
            _ => drop(reply.refused(409, "phone number already registered")),
        }
    }
    assert_eq!(made, 1);
    assert_eq!(app.users().count_documents(doc! {}).await.expect("a count"), 1);
}

#[tokio::test]
async fn any_spelling_of_the_number_signs_in() {
    let app = TestApp::start().await;
    let body = json!({ "username": "john", "password": PASSWORD, "phone_number": "9876543210" });
    app.anonymous().post(REGISTER, &body).await.expect(201);
    for number in [
        json!("9876543210"),
        json!("09876543210"),
        json!("919876543210"),
        json!("+91 98765-43210"),
        json!(9_876_543_210_u64),
    ] {
        let mut caller = app.anonymous();
        let reply = caller.post(LOGIN, &json!({ "phone_number": number, "password": PASSWORD })).await.expect(200);
        assert_eq!(reply["user"]["username"], "john");
        caller.sign_in(&reply);
        caller.get(ME).await.expect(200);
    }
}

#[tokio::test]
async fn name_address_and_number_all_sign_in_at_token() {
    let app = TestApp::start().await;
    let body =
        json!({ "username": "Jöhn 2", "password": PASSWORD, "phone_number": "9876543210", "email": "j@example.com" });
    app.anonymous().post(REGISTER, &body).await.expect(201);
    for name in
        [json!("jÖHN 2"), json!("J@example.com"), json!("9876543210"), json!("+919876543210"), json!(9_876_543_210_u64)]
    {
        let reply = app.anonymous().post(TOKEN, &json!({ "username": name, "password": PASSWORD })).await.expect(200);
        assert!(reply["access"].is_string() && reply.refresh_cookie().is_some() && reply["refresh"].is_null());
    }
    app.anonymous().post(TOKEN, &json!({ "password": PASSWORD })).await.refused(400, "username is required");
    app.anonymous().post(TOKEN, &json!({ "username": "john" })).await.refused(400, "password is required");
    let unknown = json!({ "username": "nobody", "password": PASSWORD });
    app.anonymous().post(TOKEN, &unknown).await.refused(401, "invalid credentials");
}

#[tokio::test]
async fn a_failed_sign_in_does_not_tell_why() {
    let app = TestApp::start().await;
    let body = app.new_account();
    app.anonymous().post(REGISTER, &body).await.expect(201);
    let number = &body["phone_number"];
    for wrong in [
        json!({ "phone_number": number, "password": "Wr0ng!pass" }),
        json!({ "phone_number": number, "password": format!("{PASSWORD}{}", "x".repeat(80)) }),
        json!({ "phone_number": "9000000000", "password": PASSWORD }),
        json!({ "phone_number": "not a number", "password": PASSWORD }),
    ] {
        app.anonymous().post(LOGIN, &wrong).await.refused(401, "invalid credentials");
    }
    app.anonymous().post(LOGIN, &json!({ "password": PASSWORD })).await.refused(400, "phone_number is required");
    app.anonymous().post(LOGIN, &json!({ "phone_number": number })).await.refused(400, "password is required");
}

#[tokio::test]
async fn a_disabled_account_is_told_so_only_with_the_right_password_and_is_out_at_once() {
    let app = TestApp::start().await;
    let body = app.new_account();
    let mut caller = app.anonymous();
    let reply = caller.post(REGISTER, &body).await.expect(201);
    caller.sign_in(&reply);
    app.users().update_many(doc! {}, doc! { "$set": { "is_active": false } }).await.expect("an update");
    caller.get(ME).await.refused(401, "invalid or expired access token");
    caller.refresh().await.refused(401, "refresh token has been revoked");
    let login = |password: &str| json!({ "phone_number": body["phone_number"], "password": password });
    app.anonymous().post(LOGIN, &login(PASSWORD)).await.refused(403, "account disabled");
    app.anonymous().post(LOGIN, &login("Wr0ng!pass")).await.refused(401, "invalid credentials");
}

#[tokio::test]
async fn an_eleventh_session_pushes_the_oldest_out() {
    let app = TestApp::start().await;
    let body = app.new_account();
    let mut first = app.anonymous();
    let reply = first.post(REGISTER, &body).await.expect(201);
    first.sign_in(&reply);
    let login = json!({ "phone_number": body["phone_number"], "password": PASSWORD });
    for _ in 0..10 {
        first.get(ME).await.expect(200);
        app.advance(Duration::from_millis(5));
        app.anonymous().post(LOGIN, &login).await.expect(200);
    }
    first.get(ME).await.refused(401, "invalid or expired access token");
    let user = app.users().find_one(doc! {}).await.expect("found").expect("a user");
    assert_eq!(user.get_array("sessions").expect("sessions").len(), 10);
}

#[tokio::test]
async fn access_tokens_expire_on_the_shop_s_own_clock() {
    let app = TestApp::start().await;
    let caller = app.customer().await;
    app.advance(Duration::from_secs(14 * 60 + 55));
    caller.get(ME).await.expect(200);
    app.advance(Duration::from_secs(10));
    caller.get(ME).await.refused(401, "invalid or expired access token");
}

#[tokio::test]
async fn bearers_that_are_no_tokens_of_ours_are_refused() {
    let app = TestApp::start().await;
    let good = app.customer().await;
    let access = good.access.clone().expect("a token");
    let changed = format!("{}{}", &access[..access.len() - 1], if access.ends_with('A') { 'B' } else { 'A' });
    for bad in ["", "junk", "a.b.c", changed.as_str()] {
        let mut caller = app.anonymous();
        caller.access = Some(bad.to_owned());
        let reply = caller.get(ME).await.refused(401, "invalid or expired access token");
        assert_eq!(reply.header("www-authenticate"), "Bearer");
    }
    let reply = app.anonymous().get(ME).await.refused(401, "authorization header missing");
    assert_eq!(reply.header("www-authenticate"), "Bearer");
}

#[tokio::test]
async fn a_logout_ends_the_session_at_once_and_clears_the_cookie_whatever_comes() {
    let app = TestApp::start().await;
    let caller = app.customer().await;
    let reply = caller.post_empty(LOGOUT).await.expect(200);
    assert_eq!(reply["message"], "logged out successfully");
    assert_eq!(reply.set_cookie().and_then(|cookie| cookie.max_age()).map(|age| age.whole_seconds()), Some(0));
    caller.get(ME).await.refused(401, "invalid or expired access token");
    caller.refresh().await.refused(401, "refresh token has been revoked");

    let nothing = app.anonymous().post_empty(LOGOUT).await.refused(400, "refresh and access tokens required");
    let mut junk = app.anonymous();
    junk.access = Some("junk".to_owned());
    let bad = junk.post_empty(LOGOUT).await.refused(401, "invalid or expired access token");
    for reply in [nothing, bad] {
        assert_eq!(reply.set_cookie().map(|cookie| cookie.value().to_owned()), Some(String::new()));
    }
}

#[tokio::test]
async fn a_logout_ends_what_bearer_and_cookie_prove_and_nothing_else() {
    let app = TestApp::start().await;
    let (mut mixed, other) = (app.customer().await, app.customer().await);
    mixed.refresh.clone_from(&other.refresh);
    mixed.post_empty(LOGOUT).await.expect(200);
    mixed.get(ME).await.expect(401);
    other.get(ME).await.expect(200);
    other.refresh().await.expect(200);

    let mut with_junk_cookie = app.customer().await;
    with_junk_cookie.refresh = Some("A".repeat(80));
    with_junk_cookie.post_empty(LOGOUT).await.expect(200);
    with_junk_cookie.get(ME).await.expect(401);

    let mut by_cookie = app.customer().await;
    let access = by_cookie.access.take();
    by_cookie.post_empty(LOGOUT).await.expect(200);
    by_cookie.post_empty(LOGOUT).await.expect(200);
    by_cookie.access = access;
    by_cookie.get(ME).await.expect(401);

    let mut only_junk_cookie = app.anonymous();
    only_junk_cookie.refresh = Some("junk".to_owned());
    only_junk_cookie.post_empty(LOGOUT).await.refused(401, "invalid or expired access token");
}

#[tokio::test]
async fn foreign_pages_may_not_use_the_cookie() {
    let app = TestApp::start().await;
    let caller = app.customer().await;
    let own = app.url.clone();
    for (origin, status) in [
        ("https://evil.example", 403),
        ("null", 403),
        ("http://localhost:3001", 403),
        ("http://localhost:3000", 200),
        (own.as_str(), 200),
    ] {
        let request = caller.request(reqwest::Method::POST, "/api/auth/refresh/").header("origin", origin);
        let reply = crate::support::Reply::of(request).await.expect(status);
        if status == 403 {
            assert_eq!(reply["code"], "origin_not_allowed");
        }
    }
    for path in [REGISTER, LOGIN, TOKEN, LOGOUT, "/api/auth/token/refresh/"] {
        let request = caller.request(reqwest::Method::POST, path).header("origin", "https://evil.example");
        let reply = crate::support::Reply::of(request.json(&json!({}))).await.expect(403);
        assert_eq!(reply["code"], "origin_not_allowed", "{path}");
    }
}

#[tokio::test]
async fn no_secret_is_stored_as_it_is() {
    let app = TestApp::start().await;
    let caller = app.customer().await;
    caller.refresh().await.expect(200);
    let user = app.users().find_one(doc! {}).await.expect("found").expect("a user").to_string();
    for secret in [PASSWORD, caller.refresh.as_deref().expect("a token"), caller.access.as_deref().expect("a token")] {
        assert!(!user.contains(secret), "{user}");
    }
    assert!(user.contains("$2b$04$"));
}

#[tokio::test]
async fn a_sign_in_brings_the_hash_to_the_cost_that_is_set_now() {
    let app = TestApp::start().await;
    let account = app.new_account();
    app.anonymous().post(REGISTER, &account).await.expect(201);
    let costlier = app.another_instance_with(&[("BCRYPT_COST", "5")]).await;
    let login = json!({ "phone_number": account["phone_number"], "password": PASSWORD });
    for _ in 0..2 {
        app.anonymous().at(&costlier.url).post(LOGIN, &login).await.expect(200);
    }
    let user = app.users().find_one(doc! {}).await.expect("found").expect("a user");
    assert!(user.get_str("password_hash").expect("a hash").starts_with("$2b$05$"));
}

#[tokio::test]
async fn other_cookies_of_any_kind_do_not_take_ours_along() {
    let app = TestApp::start().await;
    let caller = app.customer().await;
    let jar =
        format!("name=caf\u{e9}; broken; =x; refresh_token={}; last=\u{ff}", caller.refresh.clone().expect("a token"));
    let latin_1: Vec<u8> = jar.chars().map(|c| u8::try_from(u32::from(c)).expect("Latin-1")).collect();
    let value = reqwest::header::HeaderValue::from_bytes(&latin_1).expect("a header");
    let request = app.anonymous().request(reqwest::Method::POST, "/api/auth/refresh/").header("cookie", value);
    crate::support::Reply::of(request).await.expect(200);
}

#[tokio::test]
async fn known_and_unknown_accounts_cost_the_same_bcrypt_jobs() {
    let app = TestApp::start().await;
    let account = app.new_account();
    app.anonymous().post(REGISTER, &account).await.expect(201);
    let jobs = || async {
        let text = app.anonymous().get("/metrics").await.expect(200).text;
        let line =
            text.lines().find(|line| line.starts_with("myspares_bcrypt_jobs_total")).expect("a counter").to_owned();
        line.split(' ').nth(1).expect("a number").parse::<u64>().expect("a number")
    };
    let mut costs = Vec::new();
    for number in [account["phone_number"].clone(), json!("9000000000"), json!("no number at all")] {
        let before = jobs().await;
        app.anonymous().post(LOGIN, &json!({ "phone_number": number, "password": "Wr0ng!pass" })).await.expect(401);
        costs.push(jobs().await - before);
    }
    assert_eq!(costs, [1, 1, 1]);
}

#[tokio::test]
async fn a_long_user_agent_makes_no_long_cookie_or_session() {
    let app = TestApp::start().await;
    let request = app.anonymous().request(reqwest::Method::POST, REGISTER).header("user-agent", "x".repeat(4_000));
    let reply = crate::support::Reply::of(request.json(&app.new_account())).await.expect(201);
    assert!(reply.header("set-cookie").len() < 200, "{}", reply.header("set-cookie"));
    let user = app.users().find_one(doc! {}).await.expect("found").expect("a user").to_string();
    assert!(!user.contains(&"x".repeat(201)));
}
