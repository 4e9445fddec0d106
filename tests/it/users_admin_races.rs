//! Admins who change each other at the same time. At least one admin must always be left.

use bson::{Document, doc};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Caller, PASSWORD, Reply, TestApp};

async fn admins_left(app: &TestApp) -> u64 {
    app.users().count_documents(doc! { "role": "admin", "is_active": true }).await.expect("a count")
}

async fn change(admin: Caller, user: String, change: Value) -> Reply {
    admin.patch(&format!("/api/admin/users/{user}/"), &change).await
}

/// Creates `count` admins, each of whom changes the next one at the same time. Returns how many calls succeeded.
///
/// There are no other admins, and the calls go to two instances.
async fn round(app: &TestApp, elsewhere: &TestApp, count: usize, change_to: &Value) -> u64 {
    app.users().update_many(doc! {}, doc! { "$set": { "role": "customer" } }).await.expect("no admins");
    let admins = join_all((0..count).map(|_| app.admin())).await;
    let calls = (0..count).map(|n| {
        let admin = if n % 2 == 0 { admins[n].clone() } else { admins[n].at(&elsewhere.url) };
        tokio::spawn(change(admin, admins[(n + 1) % count].user_id.clone(), change_to.clone()))
    });
    let mut done = 0;
    for call in calls.collect::<Vec<_>>() {
        let reply = call.await.expect("a reply");
        assert!([200, 401, 403, 409].contains(&reply.status.as_u16()), "{}", reply.text);
        done += u64::from(reply.status == 200);
    }
    done
}

#[tokio::test]
async fn admins_who_demote_each_other_leave_one() {
    let app = TestApp::start().await;
    let elsewhere = app.another_instance().await;
    let mut done = 0;
    for n in 0..20 {
        let change_to = if n % 2 == 0 { json!({ "role": "customer" }) } else { json!({ "is_active": false }) };
        let of_two = round(&app, &elsewhere, 2, &change_to).await;
        assert_eq!((of_two, admins_left(&app).await), (1, 1), "round {n}");
        let of_three = round(&app, &elsewhere, 3, &change_to).await;
        assert!((1..=2).contains(&of_three), "round {n}");
        assert_eq!(admins_left(&app).await, 3 - of_three, "round {n}");
        done += of_two + of_three;
    }
    let audits = app.db.collection::<Document>("audits");
    assert_eq!(audits.count_documents(doc! { "operation": "update" }).await.expect("a count"), done);
}

#[tokio::test]
async fn whoever_leaves_while_being_made_an_admin_does_not_take_the_last_one_along() {
    let app = TestApp::start().await;
    for n in 0..10 {
        app.users().update_many(doc! {}, doc! { "$set": { "role": "customer" } }).await.expect("no admins");
        let (admin, heir) = (app.admin().await, app.customer().await);
        let leaving = heir.clone();
        let leaves = tokio::spawn(async move {
            let body = json!({ "current_password": PASSWORD });
            Reply::of(leaving.request(Method::DELETE, "/api/accounts/me/").json(&body)).await.status.as_u16()
        });
        change(admin.clone(), heir.user_id.clone(), json!({ "role": "admin" })).await;
        let id = admin.user_id.clone();
        let stepped_down = change(admin, id, json!({ "role": "customer" })).await.status.as_u16();
        let outcome = (stepped_down, leaves.await.expect("a status"));
        assert!(matches!(outcome, (200, 409) | (409, 200)), "round {n}: {outcome:?}");
        assert_eq!(admins_left(&app).await, 1, "round {n}");
    }
}
