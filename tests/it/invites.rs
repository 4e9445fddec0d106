//! Invitations, by which a customer becomes a member of staff.

use std::time::Duration;

use insta::assert_json_snapshot;
use serde_json::{Value, json};

use crate::support::{Caller, TestApp, stable};

const INVITES: &str = "/api/admin/staff/invites/";
const REQUEST: &str = "/api/request/request-staff/";
const EMAIL: &str = "asha@example.com";

async fn invite(admin: &Caller) -> Value {
    admin.post(INVITES, &json!({ "email": EMAIL })).await.expect(201)["invitation"].clone()
}

async fn activation(app: &TestApp, caller: &Caller) -> String {
    caller.post(REQUEST, &json!({ "email": EMAIL })).await.expect(200);
    format!("/api/request/activate-staff/{}", app.link("activate-staff").await)
}

#[tokio::test]
async fn the_invited_become_staff_by_proving_their_address_while_signed_in() {
    let app = TestApp::start().await;
    let (admin, invitee) = (app.admin().await, app.customer_at(EMAIL).await);
    invite(&admin).await;
    app.work().await;
    let mail = app.letters().pop().expect("a mail");
    assert_eq!((mail.header("To"), mail.header("Subject")), (EMAIL, "You are invited to the staff of myspares"));
    let path = activation(&app, &invitee).await;
    let reply = invitee.post_empty(&path).await.expect(200);
    assert_eq!(reply["user"]["role"], "staff");
    assert_eq!(admin.get(INVITES).await.expect(200)["total"], 0);
    let told = admin.get("/api/admin/audits/search/?q=invitation_used").await.expect(200);
    assert_eq!(told["logs"][0]["document_key"]["_id"], invitee.user_id);
    assert_json_snapshot!(stable(&told.json), @r#"
    {
      "count": 1,
      "logs": [
        {
          "_id": "[id]",
          "actor": null,
          "code": null,
          "collection": "users",
          "document_key": {
            "_id": "[id]"
          },
          "full_document": {
            "role": "staff"
          },
          "operation": "invitation_used",
          "request_id": null,
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
      ],
      "next_cursor": null,
      "total": 1,
      "total_is_capped": false
    }
    "#);
}

#[tokio::test]
async fn whoever_only_names_an_invited_address_stays_a_customer() {
    let app = TestApp::start().await;
    let (admin, stranger, invitee) = (app.admin().await, app.customer().await, app.customer().await);
    invite(&admin).await;
    let path = activation(&app, &stranger).await;
    assert_eq!(app.anonymous().get(&path).await.expect(200)["account_required"], true);
    for nobody in [app.anonymous(), invitee] {
        let text = "sign in to the account that asked for this link";
        assert_eq!(nobody.post_empty(&path).await.refused(403, text)["code"], "account_required");
    }
    assert_eq!(stranger.get("/api/accounts/me/").await.expect(200)["role"], "customer");
    assert_eq!(admin.get(INVITES).await.expect(200)["total"], 1);
}

#[tokio::test]
async fn a_proven_address_needs_an_invitation_to_get_another_link() {
    let app = TestApp::start().await;
    let (admin, owner) = (app.admin().await, app.customer_at(EMAIL).await);
    let path = activation(&app, &owner).await;
    owner.post_empty(&path).await.expect(200);
    owner.post_empty(REQUEST).await.expect(409);
    invite(&admin).await;
    let path = activation(&app, &owner).await;
    assert_eq!(owner.post_empty(&path).await.expect(200)["user"]["role"], "staff");
}

#[tokio::test]
async fn invitations_are_listed_replaced_withdrawn_and_end_after_a_week() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let first = invite(&admin).await;
    let second = invite(&admin).await;
    let listed = admin.get(INVITES).await.expect(200);
    assert_json_snapshot!(stable(&listed.json), @r#"
    {
      "invitations": [
        {
          "_id": "[id]",
          "created_at": "[time]",
          "email": "asha@example.com",
          "expires_at": "[time]",
          "invited_by": "[id]"
        }
      ],
      "next_cursor": null,
      "total": 1
    }
    "#);
    assert_eq!(listed["invitations"][0], second);
    let path = |invitation: &Value| format!("{INVITES}{}/", invitation["_id"].as_str().expect("an id"));
    admin.delete(&path(&first)).await.refused(404, "invitation not found");
    admin.delete(&path(&second)).await.expect(200);
    app.work().await;
    assert!(app.letters().is_empty(), "nobody is told of an invitation that is gone");
    invite(&admin).await;
    app.advance(Duration::from_secs(7 * 24 * 3600));
    let late = app.customer().await;
    let path = activation(&app, &late).await;
    assert_eq!(late.post_empty(&path).await.expect(200)["user"]["role"], "customer");
}

#[tokio::test]
async fn an_invitation_names_an_address() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    admin.post(INVITES, &json!({})).await.refused(400, "email is required");
    let text = "invalid email: must be an address like name@example.com";
    admin.post(INVITES, &json!({ "email": "nobody" })).await.refused(400, text);
    admin.get("/api/admin/staff/invites/?limit=0").await.refused(400, "limit must be an integer between 1 and 100");
}
