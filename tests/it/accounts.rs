//! The account of the signed-in user.

use std::collections::BTreeSet;

use insta::assert_json_snapshot;
use reqwest::Method;
use serde_json::json;

use crate::support::{PASSWORD, Reply, TestApp, stable};

#[tokio::test]
async fn me_is_the_account_itself_and_holds_no_secret() {
    let app = TestApp::start().await;
    let body =
        json!({ "username": "john", "password": PASSWORD, "phone_number": "9876543210", "email": "j@example.com" });
    let mut caller = app.anonymous();
    let reply = caller.post("/api/auth/register/", &body).await.expect(201);
    caller.sign_in(&reply);
    let me = caller.get("/api/accounts/me/").await.expect(200);
    for field in ["_id", "username", "phone_number", "email", "role", "created_at"] {
        assert_eq!(me[field], reply["user"][field], "{field}");
    }
    assert_json_snapshot!(stable(&me.json), @r#"
    {
      "_id": "[id]",
      "created_at": "[time]",
      "email": "j@example.com",
      "is_active": true,
      "is_staff": false,
      "is_verified": false,
      "phone_number": "+919876543210",
      "profile": {
        "address": {
          "_id": "[id]",
          "address_line1": "",
          "address_line2": "",
          "city": "",
          "country": "",
          "name": "john",
          "phone_number": "+919876543210",
          "pincode": "",
          "postal_code": "",
          "state": "",
          "updated_at": "[time]",
          "user_id": "[id]"
        },
        "display": null,
        "phone": {
          "created_at": "[time]",
          "number": "+919876543210"
        },
        "preference": null
      },
      "role": "customer",
      "username": "john",
      "verification": {
        "email": null,
        "phone": null
      }
    }
    "#);
    for hidden in ["password", "hash", "session", "cart"] {
        assert!(!me.text.contains(hidden), "{}", me.text);
    }
}

#[tokio::test]
async fn times_have_milliseconds_and_a_z() {
    let app = TestApp::start().await;
    let me = app.customer().await.get("/api/accounts/me/").await.expect(200);
    let created_at = me["created_at"].as_str().expect("a time");
    assert_eq!((created_at.len(), &created_at[19..20], &created_at[23..]), (24, ".", "Z"), "{created_at}");
}

#[tokio::test]
async fn the_role_is_read_from_the_account_and_not_from_the_token() {
    let app = TestApp::start().await;
    let staff = app.staff().await;
    let me = staff.get("/api/accounts/me/").await.expect(200);
    assert_eq!((&me["role"], &me["is_staff"]), (&json!("staff"), &json!(true)));
}

#[tokio::test]
async fn the_export_holds_account_sessions_and_cart_and_no_secret() {
    let app = TestApp::start().await;
    let caller = app.customer().await;
    let product = app.product(99.5, 10).await;
    caller.add(&product, 3).await.expect(200);
    let export = caller.get("/api/accounts/export/").await.expect(200);
    assert_eq!(export.header("content-disposition"), "attachment; filename=\"myspares-account.json\"");
    assert_eq!(export["account"], caller.get("/api/accounts/me/").await.expect(200).json);
    assert_eq!(export["sessions"], caller.get("/api/auth/sessions/").await.expect(200)["sessions"]);
    assert_eq!(export["cart"]["items"][0]["product_id"], product["_id"]);
    assert_json_snapshot!(stable(&export["cart"]), @r#"
    {
      "_id": "[id]",
      "created_at": "[time]",
      "items": [
        {
          "added_at": "[time]",
          "product_id": "[id]",
          "quantity": 3,
          "unit_price_at_add": 99.5
        }
      ],
      "updated_at": "[time]"
    }
    "#);
    for hidden in ["password", "hash", "counter", "token", "rev"] {
        assert!(!export.text.contains(hidden), "{hidden}: {}", export.text);
    }
}

/// Checks that only the audits name an account after its deletion. A subject that keeps documents about accounts must
/// delete them with the account, see `src/privacy/`.
#[tokio::test]
async fn nothing_but_the_audits_names_a_deleted_account() {
    let app = TestApp::start().await;
    let caller = app.customer_at("asha@example.com").await;
    let product = app.product(100.0, 5).await;
    let add = format!("/api/client/{}/cart/add/{}/", caller.user_id, product["_id"].as_str().expect("an id"));
    caller.post(&add, &json!({})).await.expect(200);
    caller.post("/api/request/request-staff/", &json!({})).await.expect(200);
    app.work().await;
    let number = json!({ "phone_number": "9811122233" });
    caller.post("/api/request/verify-number/send/", &number).await.expect(200);
    let before = app.collections_naming(&caller.user_id).await;
    assert!(["users", "verification_requests", "otp_codes"].iter().all(|name| before.contains(*name)), "{before:?}");
    let confirmed = json!({ "current_password": PASSWORD });
    Reply::of(caller.request(Method::DELETE, "/api/accounts/me/").json(&confirmed)).await.expect(200);
    app.work().await;
    let mut after = app.collections_naming(&caller.user_id).await;
    after.remove("audits");
    assert_eq!(after, BTreeSet::new());
}
