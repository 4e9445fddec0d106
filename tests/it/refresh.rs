//! Refresh tokens: rotation, the grace period, theft, and races between browser tabs.

use std::time::Duration;

use bson::{Document, doc};
use proptest::{prelude::*, test_runner::TestRunner};

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
async fn a_token_whose_successor_is_in_use_ends_the_session_for_thief_and_owner() {
    let app = TestApp::start().await;
    let thief = app.customer().await;
    let mut owner = thief.clone();
    owner.take_tokens(&thief.refresh().await.expect(200));
    app.advance(GRACE);
    owner.take_tokens(&owner.refresh().await.expect(200));
    app.advance(GRACE);
    thief.refresh().await.refused(401, "refresh token has been revoked");
    owner.get(ME).await.refused(401, "invalid or expired access token");
    owner.refresh().await.refused(401, "refresh token has been revoked");
}

#[tokio::test]
async fn a_stolen_token_is_good_until_the_owner_s_next_refresh() {
    let app = TestApp::start().await;
    let owner = app.customer().await;
    let mut thief = owner.clone();
    app.advance(GRACE);
    for _ in 0..2 {
        thief.take_tokens(&thief.refresh().await.expect(200));
        app.advance(GRACE);
    }
    owner.refresh().await.refused(401, "refresh token has been revoked");
    thief.get(ME).await.refused(401, "invalid or expired access token");
    thief.refresh().await.refused(401, "refresh token has been revoked");
}

#[tokio::test]
async fn an_answer_that_was_lost_long_ago_signs_nobody_out() {
    let app = TestApp::start().await;
    let mut owner = app.customer().await;
    for pause in [31, 600, 6 * 24 * 3600] {
        let lost = owner.refresh().await.expect(200).refresh_cookie();
        app.advance(Duration::from_secs(pause));
        let rescued = owner.refresh().await.expect(200);
        assert_ne!(rescued.refresh_cookie(), lost);
        // A second tab that still has the token of the lost response gets the same new token.
        let mut tab = owner.clone();
        tab.refresh = lost;
        assert_eq!(tab.refresh().await.expect(200).refresh_cookie(), rescued.refresh_cookie());
        owner.take_tokens(&rescued);
        app.advance(GRACE);
        owner.take_tokens(&owner.refresh().await.expect(200));
        owner.get(ME).await.expect(200);
    }
}

#[tokio::test]
async fn the_token_of_a_lost_answer_is_dead_once_the_owner_has_another_one() {
    let app = TestApp::start().await;
    let mut owner = app.customer().await;
    let mut thief = owner.clone();
    thief.take_tokens(&owner.refresh().await.expect(200));
    app.advance(GRACE);
    owner.take_tokens(&owner.refresh().await.expect(200));
    app.advance(GRACE);
    thief.refresh().await.refused(401, "refresh token has been revoked");
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

/// One event in the life of a session, caused by the owner, the network or a thief who has copied a token.
#[derive(Debug, Clone)]
enum Step {
    /// Several tabs refresh at the same time with the newest cookie. The first `lost` responses are lost.
    Tabs { tabs: usize, lost: usize },
    /// A thief copies the cookie.
    Steal,
    /// The thief refreshes with the copied cookie.
    Thief,
    /// Some seconds pass.
    Wait(u64),
}

fn steps(with_thief: bool) -> impl Strategy<Value = Vec<Step>> {
    let owner = prop_oneof![
        (1_usize..5, 0_usize..6).prop_map(|(tabs, lost)| Step::Tabs { tabs, lost }),
        prop_oneof![0_u64..25, 31_u64..600].prop_map(Step::Wait),
    ];
    let thief = prop_oneof![Just(Step::Steal), Just(Step::Thief)];
    let step = prop_oneof![4 => owner, u32::from(with_thief) => thief];
    proptest::collection::vec(step, 1..14)
}

/// A session whose cookie a thief may have copied.
struct Session<'a> {
    app: &'a TestApp,
    owner: Caller,
    thief: Option<Caller>,
    is_over: bool,
}

impl Session<'_> {
    async fn live(&mut self, steps: &[Step]) {
        for step in steps {
            match step {
                Step::Wait(seconds) => self.app.advance(Duration::from_secs(*seconds)),
                Step::Steal => self.thief = Some(self.owner.clone()),
                Step::Thief => drop(self.thief_refreshes().await),
                Step::Tabs { tabs, lost } => self.tabs(*tabs, *lost).await,
            }
        }
    }

    async fn tabs(&mut self, tabs: usize, lost: usize) {
        let calls: Vec<_> = (0..tabs)
            .map(|_| {
                let tab = self.owner.clone();
                tokio::spawn(async move { tab.refresh().await })
            })
            .collect();
        for (n, call) in calls.into_iter().enumerate() {
            let reply = call.await.expect("a reply");
            self.is_over |= reply.status == 401;
            if reply.status == 200 && n >= lost {
                self.owner.take_tokens(&reply);
            }
        }
    }

    /// Refreshes as the thief and returns whether the thief received tokens.
    async fn thief_refreshes(&mut self) -> bool {
        let Some(thief) = &mut self.thief else { return false };
        let reply = thief.refresh().await;
        if reply.status == 200 {
            thief.take_tokens(&reply);
        }
        reply.status == 200
    }
}

fn property(with_thief: bool, check: impl AsyncFn(&mut Session<'_>)) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let app = runtime.block_on(TestApp::start());
    let config = ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() };
    let outcome = TestRunner::new(config).run(&steps(with_thief), |steps| {
        runtime.block_on(async {
            let owner = app.customer().await;
            let mut session = Session { app: &app, owner, thief: None, is_over: false };
            session.live(&steps).await;
            check(&mut session).await;
        });
        Ok(())
    });
    outcome.expect("the property holds");
}

#[test]
fn no_lost_answer_ends_a_session() {
    property(false, async |session| {
        assert!(!session.is_over);
        session.owner.refresh().await.expect(200);
    });
}

#[test]
fn who_uses_a_stolen_token_has_nothing_after_the_owner_s_next_refresh() {
    property(true, async |session| {
        session.thief.get_or_insert_with(|| session.owner.clone());
        session.app.advance(GRACE);
        session.thief_refreshes().await;
        session.app.advance(GRACE);
        session.tabs(1, 0).await;
        session.app.advance(GRACE);
        assert!(!session.thief_refreshes().await);
        session.thief.as_ref().expect("a thief").get(ME).await.expect(401);
    });
}

#[tokio::test]
async fn a_session_ended_as_stolen_is_gone_from_the_account_and_audited_once() {
    let app = TestApp::start().await;
    let thief = app.customer().await;
    let mut owner = thief.clone();
    owner.take_tokens(&thief.refresh().await.expect(200));
    app.advance(GRACE);
    owner.refresh().await.expect(200);
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
    assert!(!audits.advance().await.expect("the end"), "one theft has exactly one audit entry");
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
