//! The audit entries that changes of accounts and invitations leave.

use bson::{Document, doc};
use futures_util::future::join_all;
use insta::assert_json_snapshot;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Caller, PASSWORD, Reply, TestApp, stable};

const AUDITS: &str = "/api/admin/audits/";
const INVITES: &str = "/api/admin/staff/invites/";

async fn newest(caller: &Caller) -> Value {
    caller.get(&format!("{AUDITS}?limit=1")).await.expect(200)["logs"][0].clone()
}

async fn count(app: &TestApp) -> u64 {
    app.db.collection::<Document>("audits").count_documents(doc! {}).await.expect("a count")
}

/// Checks the common fields of the newest audit entry and returns the entry.
async fn told(admin: &Caller, reply: &Reply, collection: &str, operation: &str, id: &Value) -> Value {
    let entry = newest(admin).await;
    assert_eq!((&entry["collection"], &entry["operation"]), (&json!(collection), &json!(operation)));
    assert_eq!((&entry["document_key"]["_id"], &entry["actor"]["user_id"]), (id, &json!(admin.user_id)));
    assert_eq!(entry["request_id"], reply.header("x-request-id"));
    assert!(!entry.to_string().contains("hash"), "{entry}");
    entry
}

#[tokio::test]
async fn each_change_of_an_account_is_told_of_once() {
    let app = TestApp::start().await;
    let (admin, user) = (app.admin().await, app.customer().await);
    let (path, id) = (format!("/api/admin/users/{}/", user.user_id), json!(user.user_id));
    let reply = admin.patch(&path, &json!({ "role": "staff" })).await.expect(200);
    let entry = told(&admin, &reply, "users", "update", &id).await;
    assert_json_snapshot!(stable(&entry), @r#"
    {
      "_id": "[id]",
      "actor": {
        "user_id": "[id]",
        "username": "[name]"
      },
      "code": null,
      "collection": "users",
      "document_key": {
        "_id": "[id]"
      },
      "full_document": {
        "is_active": true,
        "role": "staff"
      },
      "operation": "update",
      "request_id": "[id]",
      "timestamp": "[time]",
      "update_description": {
        "before": {
          "role": "customer"
        },
        "removedFields": [],
        "updatedFields": {
          "role": "staff"
        }
      }
    }
    "#);
    let reply = admin.post_empty(&format!("{path}logout/")).await.expect(200);
    let entry = told(&admin, &reply, "users", "logout", &id).await;
    let changes = json!({ "updatedFields": { "sessions": 0 }, "removedFields": [], "before": { "sessions": 1 } });
    assert_eq!(entry["update_description"], changes);
    let reply = admin.post_empty(&format!("{path}unlock/")).await.expect(200);
    let entry = told(&admin, &reply, "users", "unlock", &id).await;
    assert_eq!(entry["update_description"]["updatedFields"], json!({}), "it was not locked");
    let reply = admin.patch(&path, &json!({ "role": "staff" })).await.expect(200);
    let entry = told(&admin, &reply, "users", "update", &id).await;
    assert_eq!(entry["update_description"]["updatedFields"], json!({}), "it was staff already");
    assert_eq!(count(&app).await, 4);
}

#[tokio::test]
async fn unlocking_tells_that_an_account_was_locked() {
    let app = TestApp::start_with(&[("RATE_LIMIT_SCALE", "1"), ("LIMIT_SIGN_IN", "1/15m")]).await;
    let (admin, account) = (app.admin().await, app.new_account());
    let user = app.anonymous().post("/api/auth/register/", &account).await.expect(201);
    let wrong = json!({ "phone_number": account["phone_number"], "password": "Wr0ng!pass" });
    app.anonymous().post("/api/auth/login/", &wrong).await.expect(401);
    let path = format!("/api/admin/users/{}/unlock/", user["user"]["_id"].as_str().expect("an id"));
    let reply = admin.post_empty(&path).await.expect(200);
    let entry = told(&admin, &reply, "users", "unlock", &user["user"]["_id"]).await;
    let changes = json!({ "updatedFields": { "locked": false }, "removedFields": [], "before": { "locked": true } });
    assert_eq!(entry["update_description"], changes);
}

#[tokio::test]
async fn refused_changes_of_accounts_leave_nothing() {
    let app = TestApp::start().await;
    let (admin, staff) = (app.admin().await, app.staff().await);
    let own = format!("/api/admin/users/{}/", admin.user_id);
    admin.patch(&own, &json!({ "role": "staff" })).await.expect(409);
    admin.patch(&own, &json!({})).await.expect(400);
    staff.patch(&own, &json!({ "role": "staff" })).await.expect(403);
    let nobody = "/api/admin/users/65f0c0ffee65f0c0ffee65f0/";
    admin.patch(nobody, &json!({ "role": "staff" })).await.expect(404);
    admin.post_empty(&format!("{nobody}logout/")).await.expect(404);
    admin.post_empty(&format!("{nobody}unlock/")).await.expect(404);
    admin.delete(&format!("{INVITES}65f0c0ffee65f0c0ffee65f0/")).await.expect(404);
    assert_eq!(count(&app).await, 0);
}

#[tokio::test]
async fn invitations_made_and_withdrawn_are_told_of_without_the_address_to_staff() {
    let app = TestApp::start().await;
    let (admin, staff) = (app.admin().await, app.staff().await);
    let made = admin.post(INVITES, &json!({ "email": "asha@example.com" })).await.expect(201);
    let invitation = &made["invitation"];
    let entry = told(&admin, &made, "invitations", "insert", &invitation["_id"]).await;
    for field in ["email", "invited_by", "created_at", "expires_at"] {
        assert_eq!(entry["full_document"][field], invitation[field], "{field}");
    }
    assert_eq!(newest(&staff).await["full_document"]["email"], "a***@example.com");
    let path = format!("{INVITES}{}/", invitation["_id"].as_str().expect("an id"));
    let withdrawn = admin.delete(&path).await.expect(200);
    let entry = told(&admin, &withdrawn, "invitations", "delete", &invitation["_id"]).await;
    assert_eq!(entry["full_document"]["email"], "asha@example.com");
    assert_eq!(count(&app).await, 2);
}

#[tokio::test]
async fn of_invitations_made_at_once_to_one_address_one_is_open() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let body = json!({ "email": "asha@example.com" });
    let made = join_all((0..5).map(|_| admin.post(INVITES, &body))).await;
    assert!(made.iter().all(|reply| reply.status == 201), "{made:?}");
    assert_eq!(admin.get(INVITES).await.expect(200)["total"], 1);
    assert_eq!(count(&app).await, 5);
}

#[tokio::test]
async fn of_staff_who_left_the_audits_keep_the_id_alone() {
    let app = TestApp::start().await;
    let (admin, staff) = (app.admin().await, app.staff().await);
    let name = staff.get("/api/accounts/me/").await.expect(200)["username"].as_str().expect("a name").to_owned();
    for code in ["AAA", "BBB"] {
        let brand = json!({ "brand_name": "Brand", "brand_code": code, "image_url": "https://example.com/a.png" });
        staff.post("/api/admin/brands/insert/", &brand).await.expect(201);
    }
    let found = async |text: &str| admin.get(&format!("{AUDITS}search/?q={text}")).await.expect(200);
    assert_eq!(found(&name).await["total"], 2);
    let body = json!({ "current_password": PASSWORD });
    Reply::of(staff.request(Method::DELETE, "/api/accounts/me/").json(&body)).await.expect(200);
    assert_eq!(found(&name).await["total"], 0);
    let left = found(&staff.user_id).await;
    assert_eq!(left["total"], 2);
    assert_eq!(left["logs"][0]["actor"], json!({ "user_id": staff.user_id, "username": "" }));
    assert_eq!(found("BBB").await["total"], 1);
}
