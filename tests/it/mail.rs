//! Mails, which a worker sends in the background, and mail servers that fail.

use std::time::{Duration, Instant};

use bson::doc;
use serde_json::{Value, json};

use crate::support::{Caller, MailServer, PASSWORD, TestApp, eventually};

const ADDRESS: &str = "asha@example.com";
const NEW: &str = "N3w-gasket!";

async fn change_password(owner: &Caller) {
    let body = json!({ "current_password": PASSWORD, "new_password": NEW });
    owner.post("/api/accounts/password/", &body).await.expect(200);
}

async fn with_mail_server(server: &MailServer) -> TestApp {
    TestApp::start_with(&[("SMTP_URL", &server.url), ("MAIL_FROM", "myspares <shop@example.com>")]).await
}

async fn waiting(app: &TestApp) -> u64 {
    app.outbox().count_documents(doc! {}).await.expect("a count")
}

#[tokio::test]
async fn an_owner_is_told_of_a_changed_password() {
    let server = MailServer::start().await;
    let app = with_mail_server(&server).await;
    let owner = app.customer_at(ADDRESS).await;
    change_password(&owner).await;
    app.work().await;
    let letters = server.letters();
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].header("From"), "myspares <shop@example.com>");
    assert_eq!(letters[0].header("To"), ADDRESS);
    assert_eq!(letters[0].header("Subject"), "Your password was changed");
    assert_eq!(letters[0].header("Auto-Submitted"), "auto-generated");
    assert!(letters[0].text.contains("text/plain") && letters[0].text.contains("text/html"));
    app.work().await;
    assert_eq!((server.letters().len(), waiting(&app).await), (1, 0));
}

#[tokio::test]
async fn old_and_new_address_are_told_of_a_change() {
    let app = TestApp::start().await;
    let caller = app.customer_at(ADDRESS).await;
    caller.patch("/api/accounts/update/", &json!({ "email": "new@example.com" })).await.expect(200);
    app.work().await;
    let letters = app.letters();
    let mut told: Vec<_> = letters.iter().map(|letter| (letter.header("To"), letter.header("Subject"))).collect();
    told.sort_unstable();
    let expected =
        [(ADDRESS, "Your e-mail address was changed"), ("new@example.com", "This address was set for an account")];
    assert_eq!(told, expected);
}

#[tokio::test]
async fn an_address_beyond_ascii_is_given_up_where_the_server_takes_none() {
    let server = MailServer::start().await;
    let app = with_mail_server(&server).await;
    for (email, taken) in [("ren\u{e9}@example.com", 0), ("rene@b\u{fc}cher.example", 1)] {
        let owner = app.customer_at(email).await;
        change_password(&owner).await;
        app.work().await;
        assert_eq!((server.letters().len(), waiting(&app).await), (taken, 0), "{email}");
    }
    assert_eq!(server.letters()[0].header("To"), "rene@xn--bcher-kva.example");
}

#[tokio::test]
async fn what_waits_in_the_outbox_is_no_text() {
    let app = TestApp::start().await;
    change_password(&app.customer_at(ADDRESS).await).await;
    let mail = app.outbox().find_one(doc! {}).await.expect("found").expect("a mail");
    let fields: Vec<&str> = mail.keys().map(String::as_str).collect();
    assert_eq!(fields, ["_id", "user", "kind", "to", "due_at", "attempts", "created_at", "expires_at"]);
}

#[tokio::test]
async fn without_a_mail_server_mails_are_files_that_only_their_owner_reads() {
    let app = TestApp::start().await;
    change_password(&app.customer_at(ADDRESS).await).await;
    assert!(app.letters().is_empty());
    app.work().await;
    let letters = app.letters();
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].header("To"), ADDRESS);
    assert_eq!(app.permissions_in("mail"), [0o600]);
}

#[tokio::test]
async fn a_mail_arrives_once_the_server_is_back() {
    let server = MailServer::start().await;
    let app = with_mail_server(&server).await;
    server.refuse();
    change_password(&app.customer_at(ADDRESS).await).await;
    for attempts in 1..=5 {
        app.work().await;
        app.work().await;
        assert_eq!(server.calls(), attempts, "a pause between attempts");
        app.advance(Duration::from_secs(5 << (attempts - 1)));
    }
    assert_eq!((server.letters().len(), waiting(&app).await), (0, 1));
    server.take();
    app.work().await;
    app.advance(Duration::from_secs(3600));
    app.work().await;
    assert_eq!((server.letters().len(), waiting(&app).await), (1, 0));
}

#[tokio::test]
async fn a_mail_is_given_up_after_a_day() {
    let server = MailServer::start().await;
    let app = with_mail_server(&server).await;
    server.refuse();
    change_password(&app.customer_at(ADDRESS).await).await;
    for _ in 0..10 {
        app.work().await;
        app.advance(Duration::from_secs(1800));
    }
    assert_eq!(waiting(&app).await, 1);
    app.advance(Duration::from_secs(18 * 3600 + 1860));
    app.work().await;
    assert_eq!(waiting(&app).await, 0);
}

#[tokio::test]
async fn a_hanging_mail_server_holds_nobody_up() {
    let server = MailServer::start().await;
    let app = with_mail_server(&server).await;
    server.hang();
    let workers = app.start_workers();
    let owner = app.customer_at(ADDRESS).await;
    let started = Instant::now();
    change_password(&owner).await;
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    eventually("the mail server is called", || async { server.calls() == 1 }).await;
    // The worker is stopped while it sends the mail. The next worker sends the mail when the claim has expired.
    workers.stop().await;
    server.take();
    app.advance(Duration::from_secs(61));
    app.work().await;
    assert_eq!(server.letters().len(), 1);
}

#[tokio::test]
async fn of_two_instances_one_works_and_the_other_takes_over() {
    let server = MailServer::start().await;
    let app = with_mail_server(&server).await;
    let other = app.another_instance_with(&[("SMTP_URL", &server.url)]).await;
    let (first, second) = (app.start_workers(), other.start_workers());
    let owner = app.customer_at(ADDRESS).await;
    change_password(&owner).await;
    eventually("the mail is sent", || async { server.letters().len() == 1 }).await;
    let leases = app.db.collection::<bson::Document>("workers");
    let lease = async || leases.find_one(doc! { "_id": "mail" }).await.expect("found").expect("a lease");
    let holder = lease().await.get_object_id("holder").expect("a holder");
    first.stop().await;
    second.stop().await;
    let third = app.start_workers();
    let body: Value = json!({ "current_password": NEW, "new_password": PASSWORD });
    owner.post("/api/accounts/password/", &body).await.expect(200);
    eventually("the next mail is sent", || async { server.letters().len() == 2 }).await;
    let next = lease().await;
    assert_ne!(next.get_object_id("holder").expect("a holder"), holder);
    assert!(next.get_i64("epoch").expect("an epoch") >= 2);
    third.stop().await;
}
