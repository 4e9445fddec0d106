//! Rate limits count the right caller.
//!
//! A caller can't use up the limit of somebody else, and a caller can't avoid a limit by looking like several callers.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Caller, FakeTwilio, Mood, PASSWORD, Reply, TestApp};

const LOGIN: &str = "/api/auth/login/";
const PASSWORD_CHANGE: &str = "/api/accounts/password/";

async fn limited(vars: &[(&str, &str)]) -> TestApp {
    let common = [("RATE_LIMIT_SCALE", "1"), ("TRUSTED_PROXIES", "127.0.0.1,::1")];
    TestApp::start_with(&common.iter().chain(vars).copied().collect::<Vec<_>>()).await
}

async fn post_from(caller: &Caller, path: &str, address: &str, body: &Value) -> Reply {
    Reply::of(caller.request(Method::POST, path).header("x-forwarded-for", address).json(body)).await
}

/// Signs in to an account that does not exist and returns the status.
async fn fails_from(app: &TestApp, address: &str, n: u32) -> u16 {
    let body = json!({ "phone_number": format!("90000{n:05}"), "password": "Wr0ng!pass" });
    post_from(&app.anonymous(), LOGIN, address, &body).await.status.as_u16()
}

#[tokio::test]
async fn a_stolen_session_guesses_ten_times_however_many_networks_it_uses() {
    let app = limited(&[]).await;
    let account = app.new_account();
    let mut thief = app.anonymous();
    thief.sign_in(&thief.post("/api/auth/register/", &account).await.expect(201));
    let mut owner = app.anonymous();
    let login = json!({ "phone_number": account["phone_number"], "password": PASSWORD });
    owner.sign_in(&owner.post(LOGIN, &login).await.expect(200));
    let change = |password: &str| json!({ "current_password": password, "new_password": "N3w-gasket!" });
    for n in 0..10 {
        let reply = post_from(&thief, PASSWORD_CHANGE, &format!("198.51.{n}.7"), &change("Wr0ng!pass")).await;
        reply.refused(400, "current password is incorrect");
    }
    let reply = post_from(&thief, PASSWORD_CHANGE, "198.51.99.7", &change(PASSWORD)).await;
    reply.refused(429, "too many wrong passwords, try again later");
    post_from(&owner, PASSWORD_CHANGE, "198.51.0.7", &change(PASSWORD)).await.expect(200);
}

#[tokio::test]
async fn ipv6_networks_are_counted_each_wider_than_the_one_inside_it() {
    let app = limited(&[("LIMIT_SIGN_IN_ADDRESS", "2/15m")]).await;
    let mut n = 0;
    let mut fails = async |address: String| {
        n += 1;
        fails_from(&app, &address, n).await
    };
    for host in 1..3 {
        assert_eq!(fails(format!("2001:db8:1:0::{host}")).await, 401);
    }
    assert_eq!(fails("2001:db8:1:0::9".to_owned()).await, 429, "a /64 has two tries");
    for net in 1..4 {
        for host in 1..3 {
            assert_eq!(fails(format!("2001:db8:1:{net:x}::{host}")).await, 401);
        }
    }
    assert_eq!(fails("2001:db8:1:4::1".to_owned()).await, 429, "a /56 has four times as many");
    assert_eq!(fails("2001:db8:1:100::1".to_owned()).await, 401, "the next /56 has its own");
    assert_eq!(fails("2001:db8:2::1".to_owned()).await, 401);
}

#[tokio::test]
async fn one_caller_is_one_however_the_proxy_writes_the_address() {
    let app = limited(&[("LIMIT_SIGN_IN_ADDRESS", "2/15m")]).await;
    for (spellings, n) in [
        (["203.0.113.5:51234", "\"203.0.113.5\"", "203.0.113.5"], 100),
        (["[2001:db8::7]:443", "\"[2001:db8::7]\"", "2001:db8::7"], 200),
    ] {
        let mut statuses = Vec::new();
        for (at, spelling) in (0..).zip(spellings) {
            statuses.push(fails_from(&app, spelling, n + at).await);
        }
        assert_eq!(statuses, [401, 401, 429], "{spellings:?}");
    }
}

#[tokio::test]
async fn callers_whose_proxy_hides_them_don_t_lock_each_other_out() {
    let app = limited(&[("LIMIT_SIGN_IN_ADDRESS", "2/15m")]).await;
    for n in 0..5 {
        assert_eq!(fails_from(&app, "unknown", n).await, 401);
    }
    for n in 0..3 {
        fails_from(&app, "198.51.100.1", 50 + n).await;
    }
    assert_eq!(fails_from(&app, "198.51.100.1", 60).await, 429);
}

#[tokio::test]
async fn a_megabyte_where_a_name_belongs_is_refused_before_it_is_normalised() {
    let app = TestApp::start().await;
    let staff = app.staff().await;
    let huge = "\u{fdfa}".repeat(340_000);
    let good = json!({ "username": "Asha Rao", "password": PASSWORD, "phone_number": "9876543210", "otp": "123456",
        "brand_name": "Tata", "brand_code": "TATA", "image_url": "https://images.example.com/a.png" });
    for (path, fields) in [
        ("/api/auth/register/", &["username", "password", "phone_number", "email"][..]),
        ("/api/auth/register/send-otp/", &["username", "password", "phone_number", "email"]),
        ("/api/auth/register/verify-otp/", &["phone_number", "otp", "challenge"]),
        (LOGIN, &["phone_number", "password"]),
        ("/api/auth/token/", &["username", "password"]),
        ("/api/auth/token/refresh/", &["refresh"]),
        ("/api/auth/forgot-password/send/", &["phone_number"]),
        ("/api/auth/forgot-password/verify/", &["phone_number", "otp", "challenge"]),
        ("/api/auth/forgot-password/reset/", &["reset_token", "new_password"]),
        ("/api/request/forgot/check/", &["identifier"]),
        ("/api/request/forgot/confirm/", &["identifier"]),
        ("/api/request/reset/", &["uid", "token", "new_password"]),
        ("/api/admin/brands/insert/", &["brand_name", "brand_code", "image_url"]),
        ("/api/admin/staff/invites/", &["email"]),
    ] {
        for field in fields {
            let mut body = good.clone();
            body[*field] = json!(huge);
            let caller = if path.starts_with("/api/admin/") { &staff } else { &app.anonymous() };
            let reply = caller.post(path, &body).await;
            assert!([400, 401, 403, 404].contains(&reply.status.as_u16()), "{path} {field}: {}", reply.status);
            assert!(reply.text.len() < 1_000, "{path} {field} repeats it");
        }
    }
}

#[tokio::test]
async fn sends_that_are_refused_count_for_whoever_asked() {
    let twilio = FakeTwilio::start().await;
    let settings: Vec<_> = twilio.settings().into_iter().chain([("LIMIT_OTP_ADDRESS", "4/1h")]).collect();
    let app = limited(&settings).await;
    twilio.becomes(Mood::Problem(60_410));
    for (n, (password, status)) in
        [(PASSWORD, 400), ("Password1!", 400), (PASSWORD, 400), (PASSWORD, 400), (PASSWORD, 429)]
            .into_iter()
            .enumerate()
    {
        let body = json!({ "username": "Asha Rao", "password": password, "phone_number": format!("987650000{n}") });
        app.anonymous().post("/api/auth/register/send-otp/", &body).await.expect(status);
    }
}

#[tokio::test]
async fn strangers_who_ask_for_links_don_t_use_up_what_the_owner_may_ask_for() {
    let app = limited(&[]).await;
    let owner = app.customer_at("asha@example.com").await;
    let ask = json!({ "email": "asha@example.com" });
    for n in 0..6 {
        post_from(&app.anonymous(), "/api/request/forgot/confirm/", &format!("198.51.100.{n}"), &ask).await.expect(200);
    }
    let again = post_from(&app.anonymous(), "/api/request/forgot/confirm/", "198.51.100.0", &ask).await;
    again.refused(429, "a mail was sent a moment ago, wait a minute");
    owner.post_empty("/api/request/request-staff/").await.expect(200);
    for n in 6..20 {
        post_from(&app.anonymous(), "/api/request/forgot/confirm/", &format!("198.51.100.{n}"), &ask).await.expect(200);
    }
    let many = post_from(&app.anonymous(), "/api/request/forgot/confirm/", "198.51.100.99", &ask).await;
    many.refused(429, "too many mails, try again later");
}

#[tokio::test]
async fn a_strange_byte_in_a_header_merges_nobody() {
    let app = limited(&[("LIMIT_SIGN_IN_ADDRESS", "1/15m")]).await;
    for n in 1..4_u32 {
        let hops = [&[0xe9][..], format!(", 203.0.113.{n}").as_bytes()].concat();
        let hops = reqwest::header::HeaderValue::from_bytes(&hops).expect("a header");
        let body = json!({ "phone_number": format!("90000{n:05}"), "password": "Wr0ng!pass" });
        let request = app.anonymous().request(Method::POST, LOGIN).header("x-forwarded-for", hops).json(&body);
        Reply::of(request).await.expect(401);
    }
}

#[tokio::test]
async fn who_asks_whether_names_numbers_and_addresses_are_known_is_counted() {
    let app = limited(&[("LIMIT_OTP_ADDRESS", "3/1h"), ("LIMIT_TAKEN", "2/1h")]).await;
    app.customer_at("asha@example.com").await;
    for (n, status) in [409, 409, 409, 429].into_iter().enumerate() {
        let body = json!({ "username": "Asha Rao", "password": PASSWORD, "phone_number": format!("987650000{n}"),
            "email": "asha@example.com" });
        app.anonymous().post("/api/auth/register/send-otp/", &body).await.expect(status);
    }
    let curious = app.customer().await;
    for status in [409, 409, 429] {
        curious.patch("/api/accounts/update/", &json!({ "email": "asha@example.com" })).await.expect(status);
    }
}

#[tokio::test]
async fn an_address_that_was_never_proven_gets_a_few_notices_and_a_proven_one_all() {
    let app = limited(&[("LIMIT_MAIL_NOTICE", "2/1h")]).await;
    let owner = app.customer_at("asha@example.com").await;
    let passwords = [PASSWORD, "N3w-gasket!"];
    let change = async |n: usize| {
        let body = json!({ "current_password": passwords[n % 2], "new_password": passwords[(n + 1) % 2] });
        owner.post("/api/accounts/password/", &body).await.expect(200);
        app.advance(std::time::Duration::from_millis(2));
    };
    for n in 0..4 {
        change(n).await;
    }
    app.work().await;
    assert_eq!(app.letters_about("Your password was changed"), 2);
    app.proves_email(&owner).await;
    for n in 4..8 {
        change(n).await;
    }
    app.work().await;
    assert_eq!(app.letters_about("Your password was changed"), 6);
}

#[tokio::test]
async fn a_browser_is_known_after_it_has_signed_out_too() {
    let app = limited(&[("LIMIT_SIGN_IN_ACCOUNT", "3/15m")]).await;
    let account = app.new_account();
    let registered = app.anonymous().post("/api/auth/register/", &account).await.expect(201);
    let lines = registered.headers.get_all("set-cookie").iter().map(|line| line.to_str().expect("text"));
    let known = lines.into_iter().find(|line| line.starts_with("known_browser=")).expect("a cookie");
    assert!(known.contains("HttpOnly") && known.contains("Path=/api/auth/"), "{known}");
    let known = known.split(';').next().expect("a pair").to_owned();
    let body = |password: &str| json!({ "phone_number": account["phone_number"], "password": password });
    for n in 0..3 {
        post_from(&app.anonymous(), LOGIN, &format!("198.51.100.{n}"), &body("Wr0ng!pass")).await.expect(401);
    }
    post_from(&app.anonymous(), LOGIN, "198.51.100.9", &body(PASSWORD)).await.expect(429);
    let request = app.anonymous().request(Method::POST, LOGIN).header("cookie", known).json(&body(PASSWORD));
    Reply::of(request).await.expect(200);
}
