//! The answers to bodies with several faults, which name all of them at once.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Caller, Form, Reply, TestApp, public};

const BRANDS: &str = "/api/admin/brands";
const PRODUCTS: &str = "/api/admin/brands/TATA/models/NEXON/categories/BRK/products";

/// Checks that a refusal has this sentence and names exactly these fields.
#[track_caller]
fn names(reply: Reply, error: &str, fields: &[(&str, &str)]) {
    let reply = reply.refused(400, error);
    let expected: Value = fields.iter().map(|(field, text)| ((*field).to_owned(), json!(text))).collect();
    assert_eq!((&reply["code"], &reply["fields"]), (&json!("invalid_input"), &expected));
}

async fn insert(staff: &Caller, body: Value) -> Reply {
    staff.post(&format!("{PRODUCTS}/insert/"), &body).await
}

#[tokio::test]
async fn an_insert_names_missing_fields_first_and_then_the_others_in_order() {
    let app = TestApp::start().await;
    app.product(10.0, 1).await;
    let staff = app.staff().await;
    let required = ["product_name", "product_code", "description", "price", "stock", "image"];
    let texts = required.map(|field| (field, format!("{field} is required")));
    let texts = texts.each_ref().map(|(field, text)| (*field, text.as_str()));
    names(insert(&staff, json!({})).await, "product_name is required", &texts);
    let body = json!({ "product_name": 5, "product_code": "a--b", "description": "a\u{7}b", "price": null,
        "stock": [1], "image_url": "ftp://x", "unknown": {} });
    let faults = [
        ("product_name", "product_name must be a string"),
        ("product_code", "invalid product_code"),
        ("description", "description must not contain control characters other than newline and tab"),
        ("price", "price is required"),
        ("stock", "stock must be a number"),
        ("image_url", "invalid image_url"),
    ];
    names(insert(&staff, body).await, "price is required", &faults);
    let body = json!({ "brand_name": "a<b", "brand_code": "?", "image_url": " " });
    let faults = [
        ("brand_name", "invalid brand_name: invalid characters"),
        ("brand_code", "invalid brand_code: brand_code too long/short"),
        ("image_url", "invalid image_url"),
    ];
    names(staff.post(&format!("{BRANDS}/insert/"), &body).await, faults[0].1, &faults);
    assert_eq!(app.products().count_documents(bson::doc! {}).await.expect("a count"), 1);
}

#[tokio::test]
async fn a_change_names_all_faults_and_null_is_one() {
    let app = TestApp::start().await;
    let product = app.product(10.0, 1).await;
    let staff = app.staff().await;
    let path = format!("{PRODUCTS}/update/{}/", product["product_code"].as_str().expect("a code"));
    let body = json!({ "product_name": null, "description": "", "price": "ten", "stock": 1, "stock_delta": 1,
        "offers": null, "is_active": "perhaps", "image_url": "" });
    let offers = "offers must be an object with discount, validity, description";
    let faults = [
        ("product_name", "product_name must be a string"),
        ("description", "invalid description"),
        ("price", "invalid price"),
        ("image_url", "invalid image_url"),
        ("offers", offers),
        ("is_active", "is_active must be true or false"),
        ("stock_delta", "stock and stock_delta exclude each other"),
    ];
    names(staff.put(&path, &body).await, faults[0].1, &faults);
    let no_image = "invalid image: it must be a png, jpeg or webp";
    let form = Form::default().text("offers", "[1]").text("price", "1.005").text("price", "2").text("stock", "1.5");
    let form = form.file("image", b"no picture").text("unknown", "\u{1}");
    let reply = Reply::of(form.request(&staff, Method::PUT, &path)).await;
    let faults = [
        ("price", "price is given more than once"),
        ("stock", "invalid stock"),
        ("image", no_image),
        ("offers", offers),
    ];
    names(reply, faults[0].1, &faults);
    let form = Form::default().text("offers", "{}").file("image", b"no picture").text("is_active", "no");
    let reply = Reply::of(form.request(&staff, Method::PUT, &path)).await;
    names(reply, no_image, &[("image", no_image), ("is_active", "is_active must be true or false")]);
    let shown = app.anonymous().get(&path.replace("admin", "utils").replace("update/", "")).await.expect(200);
    assert_eq!(shown["product"], public(&product));
}

#[tokio::test]
async fn accounts_and_invitations_name_all_faults_too() {
    let app = TestApp::start().await;
    let (admin, customer) = (app.admin().await, app.customer().await);
    let path = format!("/api/admin/users/{}/", customer.user_id);
    let role = "invalid role: must be customer, staff or admin";
    for (body, error, fields) in [
        (json!({ "role": "boss", "is_active": 1 }), role, [role, "is_active must be true or false"]),
        (
            json!({ "role": null, "is_active": null }),
            "role must be a string",
            ["role must be a string", "is_active must be true or false"],
        ),
    ] {
        names(admin.patch(&path, &body).await, error, &[("role", fields[0]), ("is_active", fields[1])]);
    }
    admin.patch(&path, &json!({ "other": 1 })).await.refused(400, "no fields provided for update");
    for (body, error) in [
        (json!({}), "email is required"),
        (json!({ "email": ["a@example.com"] }), "email must be a string"),
        (json!({ "email": "nobody" }), "invalid email: must be an address like name@example.com"),
    ] {
        names(admin.post("/api/admin/staff/invites/", &body).await, error, &[("email", error)]);
    }
    assert!(customer.get("/api/accounts/me/").await.expect(200)["is_active"].as_bool().expect("a state"));
}
