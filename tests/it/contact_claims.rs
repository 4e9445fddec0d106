//! Phone numbers and addresses that are claimed or proven.
//!
//! A proof has priority over a claim. The tests try to take over accounts with the contacts of other people, and they
//! check what happens when a contact moves to another account.

use std::time::Duration;

use bson::{Document, doc};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{Caller, NEW_PASSWORD, PASSWORD, TestApp};

const ME: &str = "/api/accounts/me/";
const MINE: &str = "+919876500001";
const YOURS: &str = "+919876500002";
const DAY: Duration = Duration::from_secs(24 * 3600);

async fn me(caller: &Caller) -> Value {
    caller.get(ME).await.expect(200).json
}

async fn signs_in(app: &TestApp, name: &str, password: &str) -> Caller {
    let mut caller = app.anonymous();
    let login = json!({ "username": name, "password": password });
    caller.sign_in(&caller.post("/api/auth/token/", &login).await.expect(200));
    caller
}

#[tokio::test]
async fn who_claims_a_number_and_proves_a_mailbox_is_not_let_into_what_the_number_s_owner_uses() {
    let app = TestApp::start().await;
    let thief = app.claims("the thief", Some(YOURS), Some("thief@example.com")).await;
    app.proves_email(&thief).await;
    app.resets_by_number(YOURS, false).await;
    let owner = app.proves_number("the owner", YOURS, None).await;
    assert!(app.has_told("thief@example.com", "Your phone number was confirmed by another account").await);
    assert_eq!(me(&thief).await["phone_number"], Value::Null);
    app.resets_by_email("thief@example.com", true).await;
    assert_eq!(me(&owner).await["username"], "the owner");
}

#[tokio::test]
async fn who_claims_a_mailbox_loses_the_account_to_its_owner_for_good() {
    let app = TestApp::start().await;
    let thief = app.claims("the thief", Some(MINE), Some("owner@example.com")).await;
    let link = app.activation(&thief, None).await;
    app.anonymous().post_empty(&link).await.expect(200);
    thief.get(ME).await.expect(401);
    app.resets_by_email("owner@example.com", true).await;
    let owner = signs_in(&app, "owner@example.com", NEW_PASSWORD).await;
    assert_eq!(me(&owner).await["phone_number"], Value::Null);
    app.resets_by_number(MINE, false).await;
}

#[tokio::test]
async fn a_number_that_was_proven_with_somebody_else_s_password_goes_with_the_next_reset() {
    let app = TestApp::start().await;
    let thief = app.claims("the thief", Some(MINE), Some("owner@example.com")).await;
    let link = app.activation(&thief, None).await;
    app.anonymous().post_empty(&link).await.expect(200);
    let thief = signs_in(&app, "the thief", PASSWORD).await;
    thief.post("/api/request/verify-number/send/", &json!({ "phone_number": MINE })).await.expect(200);
    let proof = json!({ "phone_number": MINE, "otp": app.code_for(MINE) });
    thief.post("/api/request/verify-number/verify/", &proof).await.expect(200);
    app.resets_by_email("owner@example.com", true).await;
    app.resets_by_number(MINE, false).await;
    thief.get(ME).await.expect(401);
}

#[tokio::test]
async fn a_link_of_an_account_with_a_proven_number_needs_that_account() {
    let app = TestApp::start().await;
    let thief = app.proves_number("the thief", MINE, Some("owner@example.com")).await;
    let path = app.activation(&thief, None).await;
    let mail = app.letters().pop().expect("a mail");
    assert!(mail.text.contains("The account \"the thief\" at myspares"), "{}", mail.text);
    let text = "sign in to the account that asked for this link";
    app.anonymous().post_empty(&path).await.refused(403, text);
    app.customer().await.post_empty(&path).await.refused(403, text);
    let mut junk = app.anonymous();
    junk.access = Some("junk".to_owned());
    junk.post_empty(&path).await.refused(401, "invalid or expired access token");
    app.resets_by_email("owner@example.com", false).await;
    let owner = app.claims("the owner", None, Some("owner@example.com")).await;
    app.proves_email(&owner).await;
    assert_eq!(me(&thief).await["email"], Value::Null);
    thief.post_empty(&path).await.refused(404, "this link is not valid or was used already");
}

#[tokio::test]
async fn an_address_that_was_never_proven_beside_a_proven_contact_reserves_nothing() {
    let app = TestApp::start().await;
    let claimer = |n: u32| (format!("claimer {n}"), format!("+91987650010{n}"), format!("owner{n}@example.com"));
    for way in 0..3 {
        let (name, number, email) = claimer(way);
        let loser = app.proves_number(&name, &number, Some(&email)).await;
        let winner = match way {
            0 => app.claims("by register", None, Some(&email)).await,
            1 => app.proves_number("by a code", "+919876500200", Some(&email)).await,
            _ => {
                let winner = app.customer().await;
                winner.patch("/api/accounts/update/", &json!({ "email": email })).await.expect(200);
                winner
            }
        };
        assert_eq!((&me(&winner).await["email"], &me(&loser).await["email"]), (&json!(email), &Value::Null), "{way}");
    }
}

#[tokio::test]
async fn what_is_proven_and_what_is_all_that_an_account_has_stays_taken() {
    let app = TestApp::start().await;
    let proven = app.claims("the owner", None, Some("proven@example.com")).await;
    app.proves_email(&proven).await;
    app.claims("a claimer", Some(MINE), Some("claimed@example.com")).await;
    for email in ["proven@example.com", "claimed@example.com"] {
        let mut body = app.new_account();
        body["email"] = json!(email);
        let taken = "email already registered";
        app.anonymous().post("/api/auth/register/", &body).await.refused(409, taken);
        app.anonymous().post("/api/auth/register/send-otp/", &body).await.refused(409, taken);
        let change = json!({ "email": email });
        app.customer().await.patch("/api/accounts/update/", &change).await.refused(409, taken);
    }
    app.anonymous()
        .post("/api/auth/register/", &json!({ "username": "late", "password": PASSWORD, "phone_number": MINE }))
        .await
        .refused(409, "phone number already registered");
}

#[tokio::test]
async fn of_many_who_take_a_free_address_at_once_one_has_it() {
    let app = TestApp::start().await;
    for round in 0..5 {
        let email = format!("owner{round}@example.com");
        app.proves_number(&format!("claimer {round}"), &format!("+91987650030{round}"), Some(&email)).await;
        let calls = (0..10).map(|_| {
            let (caller, mut body) = (app.anonymous(), app.new_account());
            body["email"] = json!(email);
            async move { caller.post("/api/auth/register/", &body).await.status.as_u16() }
        });
        let statuses = join_all(calls).await;
        assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
        assert!(statuses.iter().all(|status| [201, 409].contains(status)), "{statuses:?}");
        assert_eq!(app.users().count_documents(doc! { "email": &email }).await.expect("a count"), 1);
    }
}

#[tokio::test]
async fn who_loses_a_contact_loses_links_codes_and_resets_and_is_told_at_what_is_left() {
    let app = TestApp::start().await;
    let loser = app.claims("the loser", Some(YOURS), Some("loser@example.com")).await;
    app.proves_email(&loser).await;
    loser.post("/api/request/verify-number/send/", &json!({ "phone_number": MINE })).await.expect(200);
    let code = app.code_for(MINE);
    let ask = json!({ "identifier": "the loser" });
    app.anonymous().post("/api/request/forgot/confirm/", &ask).await.expect(200);
    let link = app.link("reset").await;
    app.proves_number("the owner", YOURS, None).await;
    let proof = json!({ "phone_number": MINE, "otp": code });
    loser.post("/api/request/verify-number/verify/", &proof).await.refused(400, "invalid or expired OTP");
    app.anonymous().get(&format!("/api/request/reset/check/{link}")).await.expect(404);
    for kept in ["otp_codes", "verification_requests"] {
        let user = bson::oid::ObjectId::parse_str(&loser.user_id).expect("an id");
        let left = app.db.collection::<Document>(kept).count_documents(doc! { "user": user }).await.expect("a count");
        assert_eq!(left, 0, "{kept}");
    }
    assert!(app.has_told("loser@example.com", "Your phone number was confirmed by another account").await);
}

#[tokio::test]
async fn a_removed_address_still_resets_for_seven_days() {
    let app = TestApp::start().await;
    let owner = app.claims("the owner", Some(MINE), Some("owner@example.com")).await;
    app.proves_email(&owner).await;
    owner.patch("/api/accounts/update/", &json!({ "email": null })).await.expect(200);
    assert!(app.has_told("owner@example.com", "Your e-mail address was removed").await);
    owner.patch("/api/accounts/update/", &json!({ "email": "thief@example.com" })).await.expect(200);
    app.resets_by_number(MINE, false).await;
    app.advance(6 * DAY);
    app.resets_by_email("the owner", true).await;
    let owner = signs_in(&app, "the owner", NEW_PASSWORD).await;
    assert_eq!(
        (&me(&owner).await["email"], &me(&owner).await["phone_number"]),
        (&json!("owner@example.com"), &Value::Null)
    );
}

#[tokio::test]
async fn a_removed_address_is_forgotten_after_seven_days_and_counts_again_when_it_is_set_in_time() {
    let app = TestApp::start().await;
    for (waited, is_proven) in [(6 * DAY, true), (8 * DAY, false)] {
        let name = format!("owner {is_proven}");
        let email = format!("owner.{is_proven}@example.com");
        let owner = app.claims(&name, Some(if is_proven { MINE } else { YOURS }), Some(&email)).await;
        app.proves_email(&owner).await;
        owner.patch("/api/accounts/update/", &json!({ "email": null })).await.expect(200);
        app.advance(waited);
        if !is_proven {
            app.resets_by_email(&name, false).await;
        }
        let owner = signs_in(&app, &name, PASSWORD).await;
        owner.patch("/api/accounts/update/", &json!({ "email": email })).await.expect(200);
        assert_eq!(me(&owner).await["is_verified"], json!(is_proven), "{waited:?}");
    }
}

#[tokio::test]
async fn an_admin_hears_that_a_new_member_of_staff_could_not_get_back_in() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    for (is_proven, name) in [(false, "a claimer"), (true, "an owner")] {
        let member = match is_proven {
            true => app.proves_number(name, YOURS, None).await,
            false => app.claims(name, Some(MINE), None).await,
        };
        let path = format!("/api/admin/users/{}/", member.user_id);
        let reply = admin.patch(&path, &json!({ "role": "staff" })).await.expect(200);
        assert_eq!(reply["warning"].is_null(), is_proven, "{name}: {}", reply.text);
    }
}

#[tokio::test]
async fn a_proven_address_stays_its_owner_s_while_another_one_only_is_set() {
    let app = TestApp::start().await;
    let account = app.claims("the owner", Some(MINE), Some("owner@example.com")).await;
    app.proves_email(&account).await;
    account.patch("/api/accounts/update/", &json!({ "email": "thief@example.com" })).await.expect(200);
    let mut body = app.new_account();
    body["email"] = json!("owner@example.com");
    app.anonymous().post("/api/auth/register/", &body).await.refused(409, "email already registered");
    app.anonymous().post("/api/request/forgot/confirm/", &json!({ "email": "thief@example.com" })).await.expect(200);
    assert!(!app.has_told("thief@example.com", "Set a new password").await);
    app.resets_by_email("owner@example.com", true).await;
    let owner = signs_in(&app, "owner@example.com", NEW_PASSWORD).await;
    assert_eq!(me(&owner).await["username"], "the owner");
}

#[tokio::test]
async fn whoever_proves_an_address_that_another_account_proved_earlier_tells_that_address() {
    let app = TestApp::start().await;
    let account = app.claims("the owner", Some(MINE), Some("owner@example.com")).await;
    app.proves_email(&account).await;
    account.patch("/api/accounts/update/", &json!({ "email": "other@example.com" })).await.expect(200);
    let second = app.customer().await;
    second.post_empty(&app.activation(&second, Some("owner@example.com")).await).await.expect(200);
    assert!(
        app.has_told("owner@example.com", "An e-mail address of your account was confirmed by somebody else").await
    );
    assert_eq!(me(&account).await["verification"]["email"], Value::Null);
}

#[tokio::test]
async fn a_code_of_a_session_that_has_ended_takes_the_number_from_nobody() {
    let app = TestApp::start().await;
    let claimer = app.claims("a claimer", Some(MINE), None).await;
    let caller = app.customer().await;
    caller.post("/api/request/verify-number/send/", &json!({ "phone_number": MINE })).await.expect(200);
    let proof = json!({ "phone_number": MINE, "otp": app.code_for(MINE) });
    let (verified, _) =
        tokio::join!(caller.post("/api/request/verify-number/verify/", &proof), caller.post_empty("/api/auth/logout/"));
    let is_taken = me(&claimer).await["phone_number"].is_null();
    assert_eq!(is_taken, verified.status == 200, "{}", verified.text);
}

#[tokio::test]
async fn of_two_resets_by_two_claimed_contacts_at_once_one_keeps_the_account() {
    let app = TestApp::start().await;
    for round in 0..10 {
        let (number, email) = (format!("+91987650040{round}"), format!("owner{round}@example.com"));
        app.claims(&format!("account {round}"), Some(&number), Some(&email)).await;
        let mut by_number = app.anonymous();
        app.asks_for_reset_code(&mut by_number, &number, true).await;
        let proof = json!({ "phone_number": number, "otp": app.code_for(&number) });
        let allowed = by_number.post("/api/auth/forgot-password/verify/", &proof).await.expect(200);
        app.anonymous().post("/api/request/forgot/confirm/", &json!({ "email": email })).await.expect(200);
        let link = app.link("reset").await;
        let (uid, token) = link.trim_end_matches('/').split_once('/').expect("two parts");
        let first = json!({ "reset_token": allowed["reset_token"], "new_password": NEW_PASSWORD });
        let second = json!({ "uid": uid, "token": token, "new_password": "Radi4tor-cap!" });
        let (by_code, by_link) = tokio::join!(
            by_number.post("/api/auth/forgot-password/reset/", &first),
            by_number.post("/api/request/reset/", &second)
        );
        let statuses = (by_code.status.as_u16(), by_link.status.as_u16());
        assert!([(200, 404), (400, 200)].contains(&statuses), "{statuses:?}");
        let user = app.users().find_one(doc! { "username": format!("account {round}") }).await;
        let user = user.expect("found").expect("a user");
        assert_eq!(
            (user.contains_key("phone_number"), user.contains_key("email")),
            match statuses.0 {
                200 => (true, false),
                _ => (false, true),
            }
        );
        app.advance(Duration::from_millis(2));
    }
}

#[tokio::test]
async fn of_many_who_prove_one_number_or_one_address_at_once_one_has_it() {
    let app = TestApp::start().await;
    let mut paths = Vec::new();
    for _ in 0..4 {
        let caller = app.customer().await;
        let path = app.activation(&caller, Some("owner@example.com")).await;
        paths.push((caller, path));
        app.advance(Duration::from_millis(2));
    }
    let replies = join_all(paths.iter().map(|(caller, path)| caller.post_empty(path))).await;
    let statuses: Vec<u16> = replies.iter().map(|reply| reply.status.as_u16()).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    let holders =
        doc! { "$or": [{ "email": "owner@example.com" }, { "verification.email.value": "owner@example.com" }] };
    assert_eq!(app.users().count_documents(holders).await.expect("a count"), 1);
}
