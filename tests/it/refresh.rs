//! Refresh tokens: rotation, the grace window, theft, and races between tabs.

use std::time::Duration;

use bson::{Document, doc};
use proptest::{prelude::*, test_runner::TestRunner};
use serde_json::json;

use crate::support::{Caller, TestApp};

const ME: &str = "/api/accounts/me/";
const GRACE: Duration = Duration::from_secs(31);

#[tokio::test]
async fn a_refresh_rotates_the_cookie_and_gives_a_new_access_token() {
    let app = TestApp::start().await;
    let mut caller = app.customer().await;
    let before = caller.refresh.clone();
    let reply = caller.refresh().await.expect(200);
    assert_ne!(reply.refresh_cookie(), before);
    assert_eq!(reply["refresh"], serde_json::Value::Null);
    caller.take_tokens(&reply);
    caller.get(ME).await.expect(200);
}

#[tokio::test]
async fn five_tabs_at_the_same_moment_get_the_same_new_token() {
    let app = TestApp::start().await;
    for _ in 0..10 {
        let caller = app.customer().await;
        let tabs: Vec<_> = (0..5)
            .map(|_| {
                tokio::spawn({
                    let tab = caller.clone();
                    async move { tab.refresh().await }
                })
            })
            .collect();
        let mut tokens = Vec::new();
        for tab in tabs {
            tokens.push(tab.await.expect("a reply").expect(200).refresh_cookie().expect("a cookie"));
        }
        assert!(tokens.iter().all(|token| *token == tokens[0]), "{tokens:?}");
        assert_ne!(Some(&tokens[0]), caller.refresh.as_ref());
    }
}

#[tokio::test]
async fn inside_the_window_old_and_new_token_both_get_the_new_one() {
    let app = TestApp::start().await;
    let old = app.customer().await;
    let mut new = old.clone();
    new.take_tokens(&old.refresh().await.expect(200));
    app.advance(Duration::from_secs(20));
    assert_eq!(old.refresh().await.expect(200).refresh_cookie(), new.refresh);
    assert_eq!(new.refresh().await.expect(200).refresh_cookie(), new.refresh);
    new.get(ME).await.expect(200);
}

#[tokio::test]
async fn an_older_token_ends_the_session_for_thief_and_owner() {
    let app = TestApp::start().await;
    let thief = app.customer().await;
    let mut owner = thief.clone();
    owner.take_tokens(&thief.refresh().await.expect(200));
    app.advance(GRACE);
    thief.refresh().await.refused(401, "refresh token has been revoked");
    owner.get(ME).await.refused(401, "invalid or expired access token");
    owner.refresh().await.refused(401, "refresh token has been revoked");
}

#[tokio::test]
async fn a_token_two_rotations_old_is_theft_inside_the_window_too() {
    let app = TestApp::start().await;
    let oldest = app.customer().await;
    let mut owner = oldest.clone();
    owner.take_tokens(&owner.refresh().await.expect(200));
    app.advance(GRACE);
    owner.take_tokens(&owner.refresh().await.expect(200));
    oldest.refresh().await.refused(401, "refresh token has been revoked");
    owner.get(ME).await.expect(401);
}

#[tokio::test]
async fn junk_and_forged_cookies_touch_nothing() {
    let app = TestApp::start().await;
    let owner = app.customer().await;
    let genuine = owner.refresh.clone().expect("a token");
    let flipped = |at: usize| {
        let other = if &genuine[at..=at] == "A" { "B" } else { "A" };
        format!("{}{other}{}", &genuine[..at], &genuine[at + 1..])
    };
    let mut forged: Vec<String> = [0, 20, 35, 50, 79].map(flipped).to_vec();
    forged.extend([
        "junk".to_owned(),
        "A".repeat(80),
        format!("{genuine}A"),
        genuine[..79].to_owned(),
        "=".repeat(5_000),
    ]);
    for token in forged {
        let mut caller = app.anonymous();
        caller.refresh = Some(token);
        caller.refresh().await.refused(401, "invalid or expired refresh token");
    }
    app.anonymous().post_empty("/api/auth/refresh/").await.refused(401, "refresh token required");
    owner.get(ME).await.expect(200);
    assert_ne!(owner.refresh().await.expect(200).refresh_cookie(), Some(genuine));
}

#[tokio::test]
async fn a_session_slides_for_seven_days_and_ends_after_thirty() {
    let app = TestApp::start().await;
    let (mut used, unused) = (app.customer().await, app.customer().await);
    for _ in 0..4 {
        app.advance(Duration::from_secs(6 * 24 * 3600));
        used.take_tokens(&used.refresh().await.expect(200));
    }
    unused.refresh().await.refused(401, "invalid or expired refresh token");
    app.advance(Duration::from_secs(5 * 24 * 3600 + 23 * 3600));
    used.take_tokens(&used.refresh().await.expect(200));
    app.advance(Duration::from_secs(2 * 3600));
    used.refresh().await.refused(401, "invalid or expired refresh token");
}

#[tokio::test]
async fn no_access_token_outlives_its_session() {
    let app = TestApp::start_with(&[("SESSION_TTL", "1h"), ("REFRESH_TTL", "2h")]).await;
    let mut caller = app.customer().await;
    app.advance(Duration::from_secs(55 * 60));
    caller.take_tokens(&caller.refresh().await.expect(200));
    caller.get(ME).await.expect(200);
    app.advance(Duration::from_secs(5 * 60));
    caller.get(ME).await.expect(401);
}

#[tokio::test]
async fn a_session_is_one_on_all_instances() {
    let app = TestApp::start().await;
    let other = app.another_instance().await;
    let caller = app.customer().await;
    let elsewhere = caller.at(&other.url);
    elsewhere.get(ME).await.expect(200);
    let here = caller.refresh().await.expect(200).refresh_cookie();
    assert_eq!(elsewhere.refresh().await.expect(200).refresh_cookie(), here);
    elsewhere.post_empty("/api/auth/logout/").await.expect(200);
    caller.get(ME).await.expect(401);
}

#[tokio::test]
async fn bodies_carry_the_token_only_where_that_is_switched_on() {
    let app = TestApp::start_with(&[("BODY_REFRESH", "true")]).await;
    let account = app.new_account();
    let registered = app.anonymous().post("/api/auth/register/", &account).await.expect(201);
    assert_eq!(registered["refresh"].as_str().map(str::to_owned), registered.refresh_cookie());
    let login = json!({ "username": account["phone_number"], "password": account["password"] });
    let signed_in = app.anonymous().post("/api/auth/token/", &login).await.expect(200);
    let body = json!({ "refresh": signed_in["refresh"] });
    let refreshed = app.anonymous().post("/api/auth/token/refresh/", &body).await.expect(200);
    assert!(refreshed["refresh"].is_string() && refreshed["refresh"] != signed_in["refresh"]);
    let mut jar = app.anonymous();
    jar.refresh = refreshed.refresh_cookie();
    jar.post("/api/auth/token/refresh/", &json!({ "refresh": "" })).await.expect(200);

    let strict = TestApp::start().await;
    let caller = strict.customer().await;
    let body = json!({ "refresh": caller.refresh });
    strict.anonymous().post("/api/auth/token/refresh/", &body).await.refused(401, "refresh token required");
    assert!(caller.post("/api/auth/token/refresh/", &json!({})).await.expect(200)["refresh"].is_null());
}

/// What a client and the network do to a session.
#[derive(Debug, Clone)]
enum Step {
    /// Some tabs refresh at the same moment with the newest cookie; some answers are lost.
    Tabs { tabs: usize, lost: usize },
    /// The request before the last refresh arrives once more, at once.
    Replay,
    /// Time passes.
    Wait(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        (1_usize..5, 0_usize..3).prop_map(|(tabs, lost)| Step::Tabs { tabs, lost }),
        Just(Step::Replay),
        prop_oneof![0_u64..25, 31_u64..600].prop_map(Step::Wait),
    ];
    proptest::collection::vec(step, 1..12)
}

/// Runs the steps; a client that always uses the newest cookie it got must never be signed out.
async fn live(app: &TestApp, steps: &[Step]) {
    let mut caller = app.customer().await;
    let mut previous: Option<(Caller, u64)> = None;
    let mut age = 0;
    for step in steps {
        match step {
            Step::Wait(seconds) => {
                app.advance(Duration::from_secs(*seconds));
                age += seconds;
            }
            Step::Replay => {
                // Inside the window the network may repeat what the client sent before; later, that is theft.
                if let Some((older, rotated)) = &previous
                    && age - rotated < 25
                {
                    older.refresh().await.expect(200);
                }
            }
            Step::Tabs { tabs, lost } => {
                let calls: Vec<_> = (0..*tabs)
                    .map(|_| {
                        tokio::spawn({
                            let tab = caller.clone();
                            async move { tab.refresh().await }
                        })
                    })
                    .collect();
                let before = caller.clone();
                for (n, call) in calls.into_iter().enumerate() {
                    let reply = call.await.expect("a reply").expect(200);
                    if n >= *lost || n + 1 == *tabs {
                        caller.take_tokens(&reply);
                    }
                }
                if caller.refresh != before.refresh {
                    previous = Some((before, age));
                }
            }
        }
    }
    caller.take_tokens(&caller.refresh().await.expect(200));
    theft_ends(app, &caller).await;
}

/// Whatever came before: a genuine token from before the window ends the session, for its owner too.
async fn theft_ends(app: &TestApp, thief: &Caller) {
    let mut owner = thief.clone();
    app.advance(GRACE);
    owner.take_tokens(&owner.refresh().await.expect(200));
    app.advance(GRACE);
    thief.refresh().await.refused(401, "refresh token has been revoked");
    owner.get(ME).await.expect(401);
    owner.refresh().await.refused(401, "refresh token has been revoked");
}

#[test]
fn whoever_uses_the_newest_cookie_is_never_signed_out_and_an_old_one_ends_the_session() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let app = runtime.block_on(TestApp::start());
    let mut runner =
        TestRunner::new(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() });
    let outcome = runner.run(&steps(), |steps| {
        runtime.block_on(live(&app, &steps));
        Ok(())
    });
    outcome.expect("no client was signed out");
}

#[tokio::test]
async fn a_session_ended_as_stolen_is_gone_from_the_account_and_audited_once() {
    let app = TestApp::start().await;
    let thief = app.customer().await;
    thief.refresh().await.expect(200);
    app.advance(GRACE);
    thief.refresh().await.expect(401);
    let user = app.users().find_one(doc! {}).await.expect("found").expect("a user");
    assert_eq!(user.get_array("sessions").expect("sessions").len(), 0);
    thief.refresh().await.expect(401);
    let mut audits = app.db.collection::<Document>("audits").find(doc! {}).await.expect("audits");
    assert!(audits.advance().await.expect("an entry"));
    let entry = audits.deserialize_current().expect("a document");
    assert_eq!(entry.get_str("operation").expect("a word"), "session_stolen");
    assert_eq!(entry.get_document("document_key").expect("a key").get("_id"), user.get("_id"));
    assert!(!audits.advance().await.expect("the end"), "one entry for one theft");
}

#[tokio::test]
async fn a_browser_that_also_sends_an_old_cookie_is_no_thief() {
    let app = TestApp::start().await;
    let old = app.customer().await;
    let mut new = old.clone();
    new.take_tokens(&old.refresh().await.expect(200));
    app.advance(GRACE);
    let (old, current) = (old.refresh.expect("a token"), new.refresh.clone().expect("a token"));
    for jar in [[&old, &current], [&current, &old]] {
        let mut both = new.clone();
        both.refresh = Some(format!("{}; refresh_token={}", jar[0], jar[1]));
        both.refresh().await.expect(200);
    }
    new.get(ME).await.expect(200);
}
