//! Setting a new password by a link in a mail.

use std::time::Duration;

use bson::{doc, oid::ObjectId};
use serde_json::{Value, json};

use crate::support::{Caller, PASSWORD, Reply, TestApp};

const CHECK: &str = "/api/request/forgot/check/";
const CONFIRM: &str = "/api/request/forgot/confirm/";
const RESET: &str = "/api/request/reset/";
const ME: &str = "/api/accounts/me/";
const NEW: &str = "N3w-gasket!";
const DEAD: &str = "this link is not valid or was used already";

async fn ask(app: &TestApp, identifier: &str) -> Reply {
    app.anonymous().post(CONFIRM, &json!({ "identifier": identifier })).await
}

fn body(link: &str, password: &str) -> Value {
    let (uid, token) = link.trim_end_matches('/').split_once('/').expect("two parts");
    json!({ "uid": uid, "token": token, "new_password": password })
}

async fn check(app: &TestApp, link: &str) -> Reply {
    app.anonymous().get(&format!("/api/request/reset/check/{link}")).await
}

async fn name_of(caller: &Caller) -> String {
    caller.get(ME).await.expect(200)["username"].as_str().expect("a name").to_owned()
}

#[tokio::test]
async fn a_link_sets_a_new_password_once_and_ends_every_session() {
    let app = TestApp::start().await;
    let owner = app.customer_at("asha@example.com").await;
    let name = name_of(&owner).await;
    let reply = ask(&app, "Asha@Example.com").await.expect(200);
    assert_eq!(reply["email"], "a***@example.com");
    let link = app.link("reset").await;
    assert_eq!(check(&app, &link).await.expect(200)["valid"], true);
    app.anonymous().post(RESET, &body(&link, NEW)).await.expect(200);
    owner.get(ME).await.expect(401);
    owner.refresh().await.refused(401, "refresh token has been revoked");
    let again = app.anonymous().post(RESET, &body(&link, PASSWORD)).await.refused(404, DEAD);
    assert_eq!(again["valid"], false);
    for (password, status) in [(PASSWORD, 401), (NEW, 200)] {
        let login = json!({ "username": name, "password": password });
        app.anonymous().post("/api/auth/token/", &login).await.expect(status);
    }
    app.work().await;
    assert_eq!(app.letters().pop().expect("a notice").header("Subject"), "Your password was changed");
    let found = app.anonymous().post(CHECK, &json!({ "identifier": name })).await.expect(200);
    assert!(found["last_reset"].is_string());
}

#[tokio::test]
async fn looking_for_an_account_tells_its_masked_address() {
    let app = TestApp::start().await;
    let owner = app.customer_at("asha@example.com").await;
    let name = name_of(&owner).await;
    for identifier in [name.to_uppercase(), "asha@example.com".to_owned()] {
        let found = app.anonymous().post(CHECK, &json!({ "identifier": identifier })).await.expect(200);
        assert_eq!(found.json, json!({ "username": name, "email": "a***@example.com", "last_reset": null }));
    }
    for path in [CHECK, CONFIRM] {
        app.anonymous().post(path, &json!({})).await.refused(400, "identifier is required");
        let reply = app.anonymous().post(path, &json!({ "identifier": "nobody" })).await;
        assert_eq!(reply.refused(404, "user not found")["code"], "user_not_found");
    }
}

#[tokio::test]
async fn of_ten_resets_at_once_one_succeeds() {
    let app = TestApp::start().await;
    let owner = app.customer_at("asha@example.com").await;
    let name = name_of(&owner).await;
    ask(&app, &name).await.expect(200);
    let link = app.link("reset").await;
    let calls = (0..10).map(|n| {
        let (caller, body) = (app.anonymous(), body(&link, &format!("{NEW}{n}")));
        async move { (n, caller.post(RESET, &body).await) }
    });
    let replies = futures_util::future::join_all(calls).await;
    let done: Vec<i32> = replies.iter().filter(|(_, reply)| reply.status == 200).map(|(n, _)| *n).collect();
    assert!(replies.iter().all(|(_, reply)| [200, 404].contains(&reply.status.as_u16())));
    assert_eq!(done.len(), 1);
    let login = json!({ "username": name, "password": format!("{NEW}{}", done[0]) });
    app.anonymous().post("/api/auth/token/", &login).await.expect(200);
}

#[tokio::test]
async fn an_expired_link_stays_dead_whatever_is_sent_later() {
    let app = TestApp::start().await;
    app.customer_at("asha@example.com").await;
    ask(&app, "asha@example.com").await.expect(200);
    app.advance(Duration::from_secs(3600));
    let late = app.link("reset").await;
    assert_eq!(check(&app, &late).await.expect(200)["valid"], true, "a link is valid from the time when it is sent");
    app.advance(Duration::from_secs(15 * 60));
    let gone = check(&app, &late).await.refused(410, "this link has expired");
    assert_eq!(gone["valid"], false);
    ask(&app, "asha@example.com").await.expect(200);
    let fresh = app.link("reset").await;
    app.anonymous().post(RESET, &body(&late, NEW)).await.refused(410, "this link has expired");
    app.anonymous().post(RESET, &body(&fresh, NEW)).await.expect(200);
}

#[tokio::test]
async fn a_reset_voids_the_other_links_and_those_on_their_way() {
    let app = TestApp::start().await;
    let owner = app.customer_at("asha@example.com").await;
    ask(&app, "asha@example.com").await.expect(200);
    let first = app.link("reset").await;
    ask(&app, "asha@example.com").await.expect(200);
    let second = app.link("reset").await;
    owner.post_empty("/api/request/request-staff/").await.expect(200);
    app.anonymous().post(RESET, &body(&second, NEW)).await.expect(200);
    check(&app, &first).await.refused(404, DEAD);
    app.work().await;
    let subjects: Vec<String> = app.letters().iter().map(|mail| mail.header("Subject").to_owned()).collect();
    assert_eq!(subjects, ["Set a new password", "Set a new password", "Your password was changed"]);
}

#[tokio::test]
async fn links_are_refused_that_are_changed_or_somebody_else_s() {
    let app = TestApp::start().await;
    app.customer_at("asha@example.com").await;
    app.customer_at("john@example.com").await;
    ask(&app, "asha@example.com").await.expect(200);
    let link = app.link("reset").await;
    ask(&app, "john@example.com").await.expect(200);
    let other = app.link("reset").await;
    let (uid, token) = link.split_once('/').expect("two parts");
    let mixed = format!("{}/{token}", other.split_once('/').expect("two parts").0);
    let first = if token.starts_with('A') { 'B' } else { 'A' };
    let changed = format!("{uid}/{first}{}", &token[1..]);
    for bad in [mixed.as_str(), changed.as_str(), "junk/junk/", &format!("{uid}/{uid}/")] {
        check(&app, bad).await.refused(404, DEAD);
        app.anonymous().post(RESET, &body(bad, NEW)).await.refused(404, DEAD);
    }
    app.anonymous().post(RESET, &json!({})).await.refused(400, "uid is required");
    let weak = "invalid password: password too long/short";
    app.anonymous().post(RESET, &body(&link, "x")).await.refused(400, weak);
    check(&app, &link).await.expect(200);
}

#[tokio::test]
async fn once_a_number_is_proven_a_claimed_address_gets_no_link() {
    let app = TestApp::start().await;
    let owner = app.customer_at("asha@example.com").await;
    ask(&app, "asha@example.com").await.expect(200);
    let early = app.link("reset").await;
    let id = ObjectId::parse_str(&owner.user_id).expect("an id");
    let number = owner.get(ME).await.expect(200)["phone_number"].as_str().expect("a number").to_owned();
    let proven = doc! { "value": number, "verified_at": bson::DateTime::now() };
    let update = doc! { "$set": { "verification.phone": proven } };
    app.users().update_one(doc! { "_id": id }, update).await.expect("an update");
    check(&app, &early).await.refused(404, DEAD);
    let reply = ask(&app, "asha@example.com").await.expect(200);
    assert_eq!(reply["email"], "a***@example.com", "the response does not say that no mail is sent");
    app.work().await;
    assert_eq!(app.letters().len(), 1);
}

#[tokio::test]
async fn a_reset_forgives_failed_sign_ins() {
    let app = TestApp::start_with(&[("RATE_LIMIT_SCALE", "1")]).await;
    let owner = app.customer_at("asha@example.com").await;
    let name = name_of(&owner).await;
    let login = |password: &str| json!({ "username": name, "password": password });
    for _ in 0..10 {
        app.anonymous().post("/api/auth/token/", &login("Wr0ng!pass")).await.expect(401);
    }
    app.anonymous().post("/api/auth/token/", &login(PASSWORD)).await.expect(429);
    ask(&app, &name).await.expect(200);
    let link = app.link("reset").await;
    app.anonymous().post(RESET, &body(&link, NEW)).await.expect(200);
    app.anonymous().post("/api/auth/token/", &login(NEW)).await.expect(200);
}

#[tokio::test]
async fn links_and_looks_are_limited() {
    let app = TestApp::start_with(&[("RATE_LIMIT_SCALE", "1")]).await;
    app.customer_at("asha@example.com").await;
    ask(&app, "asha@example.com").await.expect(200);
    let reply = ask(&app, "asha@example.com").await.refused(429, "a mail was sent a moment ago, wait a minute");
    assert!(!reply.header("retry-after").is_empty());
    for _ in 0..5 {
        app.anonymous().post(CHECK, &json!({ "identifier": "nobody" })).await.expect(404);
    }
    app.anonymous().post(CHECK, &json!({ "identifier": "nobody" })).await.expect(429);
    app.work().await;
    assert_eq!(app.letters().len(), 1);
}

#[tokio::test]
async fn no_token_of_a_link_is_stored() {
    let app = TestApp::start().await;
    app.customer_at("asha@example.com").await;
    ask(&app, "asha@example.com").await.expect(200);
    let link = app.link("reset").await;
    let stored = app.db.collection::<bson::Document>("verification_requests").find_one(doc! {}).await;
    let stored = stored.expect("found").expect("a link").to_string();
    let token = link.trim_end_matches('/').split_once('/').expect("two parts").1;
    assert!(!stored.contains(token), "{stored}");
}

#[tokio::test]
async fn a_changed_password_voids_links_too() {
    let app = TestApp::start().await;
    let owner = app.customer_at("asha@example.com").await;
    ask(&app, "asha@example.com").await.expect(200);
    let link = app.link("reset").await;
    let change = json!({ "current_password": PASSWORD, "new_password": NEW });
    owner.post("/api/accounts/password/", &change).await.expect(200);
    check(&app, &link).await.refused(404, DEAD);
}

#[tokio::test]
async fn no_sign_in_with_the_old_password_outlives_a_reset() {
    let app = TestApp::start().await;
    let owner = app.customer_at("asha@example.com").await;
    let (name, id) = (name_of(&owner).await, ObjectId::parse_str(&owner.user_id).expect("an id"));
    for round in 0..20 {
        ask(&app, &name).await.expect(200);
        let link = app.link("reset").await;
        let old = if round == 0 { PASSWORD.to_owned() } else { format!("{NEW}{}", round - 1) };
        let login = json!({ "username": name, "password": old });
        let (anyone, new) = (app.anonymous(), body(&link, &format!("{NEW}{round}")));
        let sign_ins = (0..4).map(|_| anyone.post("/api/auth/token/", &login));
        let (reset, _) = tokio::join!(anyone.post(RESET, &new), futures_util::future::join_all(sign_ins));
        reset.expect(200);
        let user = app.users().find_one(doc! { "_id": id }).await.expect("found").expect("a user");
        assert!(user.get_array("sessions").expect("sessions").is_empty(), "round {round}");
        // This sends the notice of the new password, so that the next mail is the next link.
        app.work().await;
        app.advance(Duration::from_millis(2));
    }
}
