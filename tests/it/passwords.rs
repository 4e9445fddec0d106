//! Passwords: which ones are accepted, in which form they are hashed, and what happens when a password or its hash is
//! changed twice at the same time.

use bson::{doc, oid::ObjectId};
use futures_util::future::join_all;
use serde_json::json;

use crate::support::{Caller, PASSWORD, TestApp};

const TOKEN: &str = "/api/auth/token/";
const CHANGE: &str = "/api/accounts/password/";
const EASY: &str = "invalid password: too easy to guess";

async fn signed_in(app: &TestApp, name: &str, password: &str) -> Caller {
    let mut caller = app.anonymous();
    let login = json!({ "username": name, "password": password });
    caller.sign_in(&caller.post(TOKEN, &login).await.expect(200));
    caller
}

async fn set_hash(app: &TestApp, caller: &Caller, password: &str) {
    let hash = bcrypt::hash(password, 4).expect("a hash");
    let id = ObjectId::parse_str(&caller.user_id).expect("an id");
    app.users().update_one(doc! { "_id": id }, doc! { "$set": { "password_hash": hash } }).await.expect("an update");
}

#[tokio::test]
async fn what_is_easy_to_guess_is_refused_wherever_a_password_is_set() {
    let app = TestApp::start().await;
    for easy in ["Password1!", "Admin@123", "Asha@1990", "Qwerty@123", "Welcome@2024"] {
        let body = json!({ "username": "Asha Rao", "password": easy, "phone_number": "9876543210" });
        for path in ["/api/auth/register/", "/api/auth/register/send-otp/"] {
            let reply = app.anonymous().post(path, &body).await.refused(400, EASY);
            assert_eq!(reply["fields"]["password"], EASY, "{easy}");
        }
    }
    assert_eq!(app.sms_count(), 0);
    let owner = app.claims("Asha Rao", Some("+919876543210"), Some("asha@example.com")).await;
    let change = json!({ "current_password": PASSWORD, "new_password": "Asha@1990" });
    assert_eq!(owner.post(CHANGE, &change).await.refused(400, EASY)["fields"]["new_password"], EASY);
    app.anonymous().post("/api/request/forgot/confirm/", &json!({ "email": "asha@example.com" })).await.expect(200);
    let link = app.link("reset").await;
    let (uid, token) = link.trim_end_matches('/').split_once('/').expect("two parts");
    let reset = |password: &str| json!({ "uid": uid, "token": token, "password": password });
    app.anonymous().post("/api/request/reset/", &reset("Admin@123")).await.refused(400, EASY);
    app.anonymous().post("/api/request/reset/", &reset("Four wheels 1n winter rain!")).await.expect(200);
}

#[tokio::test]
async fn an_old_password_that_is_easy_to_guess_still_signs_in() {
    let app = TestApp::start().await;
    let owner = app.claims("Asha Rao", Some("+919876543210"), None).await;
    set_hash(&app, &owner, "Password1!").await;
    signed_in(&app, "Asha Rao", "Password1!").await;
}

#[tokio::test]
async fn a_hash_of_the_typed_form_is_accepted_once_and_renewed() {
    let app = TestApp::start().await;
    let owner = app.claims("Asha Rao", Some("+919876543210"), None).await;
    let (composed, decomposed) = ("Gr\u{fc}n-kr4ut!", "Gru\u{308}n-kr4ut!");
    set_hash(&app, &owner, decomposed).await;
    let login = json!({ "username": "Asha Rao", "password": composed });
    app.anonymous().post(TOKEN, &login).await.expect(401);
    signed_in(&app, "Asha Rao", decomposed).await;
    for form in [composed, decomposed] {
        signed_in(&app, "Asha Rao", form).await;
    }
}

#[tokio::test]
async fn sign_ins_that_renew_the_hash_don_t_refuse_each_other() {
    let app = TestApp::start().await;
    app.claims("Asha Rao", Some("+919876543210"), None).await;
    let other = app.another_instance_with(&[("BCRYPT_COST", "5")]).await;
    let login = json!({ "username": "Asha Rao", "password": PASSWORD });
    let calls = (0..12).map(|_| {
        let (caller, login) = (other.anonymous(), &login);
        async move { caller.post(TOKEN, login).await.status.as_u16() }
    });
    assert_eq!(join_all(calls).await, [200; 12]);
    let stored = app.users().find_one(doc! {}).await.expect("found").expect("a user");
    assert!(stored.get_str("password_hash").expect("a hash").starts_with("$2b$05$"));
}

#[tokio::test]
async fn losers_of_two_changes_at_once_hear_that_their_password_is_wrong() {
    let app = TestApp::start().await;
    let account = app.new_account();
    app.anonymous().post("/api/auth/register/", &account).await.expect(201);
    let name = account["username"].as_str().expect("a name");
    let mut current = PASSWORD.to_owned();
    for round in 0..5 {
        let sessions = join_all((0..4).map(|_| signed_in(&app, name, &current))).await;
        let calls = sessions.iter().zip(0..).map(|(session, n)| {
            let change = json!({ "current_password": current, "new_password": format!("N3w-gasket-{round}{n}!") });
            async move { (n, session.post(CHANGE, &change).await) }
        });
        let replies = join_all(calls).await;
        let winners: Vec<i32> = replies.iter().filter(|(_, reply)| reply.status == 200).map(|(n, _)| *n).collect();
        assert_eq!(winners.len(), 1, "round {round}");
        for (n, reply) in replies {
            if n != winners[0] {
                reply.refused(400, "current password is incorrect");
            }
        }
        current = format!("N3w-gasket-{round}{}!", winners[0]);
    }
}

#[tokio::test]
async fn the_session_that_was_not_used_for_longest_goes_when_there_are_too_many() {
    let app = TestApp::start().await;
    let mut first = app.claims("Asha Rao", Some("+919876543210"), None).await;
    let mut others = Vec::new();
    for _ in 0..9 {
        app.advance(std::time::Duration::from_secs(60));
        others.push(signed_in(&app, "Asha Rao", PASSWORD).await);
    }
    app.advance(std::time::Duration::from_secs(60));
    first.take_tokens(&first.refresh().await.expect(200));
    signed_in(&app, "Asha Rao", PASSWORD).await;
    first.get("/api/accounts/me/").await.expect(200);
    others[0].get("/api/accounts/me/").await.expect(401);
    others[1].get("/api/accounts/me/").await.expect(200);
}
