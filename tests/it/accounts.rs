//! The account of the signed-in user.

use serde_json::{Value, json};

use crate::support::{PASSWORD, TestApp};

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
    assert_eq!((&me["is_active"], &me["is_staff"], &me["is_verified"]), (&json!(true), &json!(false), &json!(false)));
    assert_eq!(me["profile"]["phone"]["number"], "+919876543210");
    for part in ["display", "preference"] {
        assert_eq!(me["profile"].get(part), Some(&Value::Null), "{part}");
    }
    let address = &me["profile"]["address"];
    assert_eq!((&address["name"], &address["phone_number"]), (&json!("john"), &json!("+919876543210")));
    assert_eq!(me["verification"], json!({ "email": null, "phone": null }));
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
    let line = &export["cart"]["items"][0];
    assert_eq!((&line["product_id"], &line["quantity"]), (&product["_id"], &json!(3)));
    assert_eq!((&line["unit_price_at_add"], line["added_at"].is_string()), (&json!(99.5), true));
    for hidden in ["password", "hash", "counter", "token", "rev"] {
        assert!(!export.text.contains(hidden), "{hidden}: {}", export.text);
    }
}
