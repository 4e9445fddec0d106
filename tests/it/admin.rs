//! Inserting brands, models, categories and products.

use bson::doc;
use insta::assert_json_snapshot;
use serde_json::{Value, json};

use crate::support::{TestApp, stable};

const BRAND: &str = "/api/admin/brands/insert/";
const PRODUCT: &str = "/api/admin/brands/TATA/models/NEXON/categories/BRK/products/insert/";

fn brand(change: Value) -> Value {
    let mut body =
        json!({ "brand_name": "Tata Motors", "brand_code": "TATA", "image_url": "https://images.example.com/a.png" });
    body.as_object_mut().expect("an object").extend(change.as_object().expect("an object").clone());
    body
}

#[tokio::test]
async fn inserts_answer_with_what_was_inserted() {
    let app = TestApp::start().await;
    let staff = app.staff().await;
    let reply = staff.post(BRAND, &brand(json!({ "brand_code": " TATA " }))).await.expect(201);
    assert_json_snapshot!(stable(&reply.json), @r#"
    {
      "brand": {
        "_id": "[id]",
        "brand_code": "TATA",
        "brand_name": "Tata Motors",
        "created_at": "[time]",
        "image_url": "https://images.example.com/a.png",
        "image_variants": {
          "w320": "https://images.example.com/a.png",
          "w800": "https://images.example.com/a.png"
        },
        "updated_at": "[time]"
      },
      "message": "brand inserted successfully"
    }
    "#);
    let brand_id = reply["brand"]["_id"].clone();
    let model =
        json!({ "model_name": "Nexon", "model_code": "NEXON", "image_url": "https://images.example.com/n.png" });
    let reply = staff.post("/api/admin/brands/TATA/models/insert/", &model).await.expect(201);
    assert_json_snapshot!(stable(&reply.json), @r#"
    {
      "message": "model inserted successfully",
      "model": {
        "_id": "[id]",
        "brand_id": "[id]",
        "created_at": "[time]",
        "image_url": "https://images.example.com/n.png",
        "image_variants": {
          "w320": "https://images.example.com/n.png",
          "w800": "https://images.example.com/n.png"
        },
        "model_code": "NEXON",
        "model_name": "Nexon",
        "updated_at": "[time]"
      }
    }
    "#);
    assert_eq!(reply["model"]["brand_id"], brand_id);
}

#[tokio::test]
async fn each_fault_has_its_text() {
    let app = TestApp::start().await;
    let staff = app.staff().await;
    let cases = [
        (json!({ "brand_name": " " }), "brand_name is required"),
        (json!({ "brand_code": null }), "brand_code is required"),
        (json!({ "image_url": null }), "image is required"),
        (json!({ "brand_name": "A" }), "invalid brand_name: brand_name too long/short"),
        (json!({ "brand_name": "a<b>" }), "invalid brand_name: invalid characters"),
        (json!({ "brand_code": "TOOLONGCODE" }), "invalid brand_code: brand_code too long/short"),
        (json!({ "brand_code": "ta-ta" }), "invalid brand_code: invalid characters"),
        (json!({ "image_url": "javascript:alert(1)" }), "invalid image_url"),
        (json!({ "brand_name": 5 }), "brand_name must be a string"),
        (json!({ "brand_name": "a\u{0}b" }), "brand_name must not contain control characters"),
    ];
    for (change, error) in cases {
        staff.post(BRAND, &brand(change)).await.refused(400, error);
    }
    assert_eq!(app.db.collection::<bson::Document>("brands").count_documents(doc! {}).await.expect("a count"), 0);
}

#[tokio::test]
async fn a_code_is_taken_only_below_the_same_parent() {
    let app = TestApp::start().await;
    let product = app.product(10.0, 1).await;
    let staff = app.staff().await;
    staff.post(BRAND, &brand(json!({}))).await.refused(409, "brand_code already exists");
    let image = "https://images.example.com/a.png";
    let model = json!({ "model_name": "Nexon", "model_code": "NEXON", "image_url": image });
    staff
        .post("/api/admin/brands/TATA/models/insert/", &model)
        .await
        .refused(409, "model_code already exists for this brand");
    let category = json!({ "category_name": "Brakes", "category_code": "BRK", "image_url": image });
    let path = "/api/admin/brands/TATA/models/NEXON/categories/insert/";
    staff.post(path, &category).await.refused(409, "category_code already exists for this model");
    let body = json!({ "product_name": "Pad", "product_code": product["product_code"], "description": "x", "price": 1, "stock": 1, "image_url": image });
    staff.post(PRODUCT, &body).await.refused(409, "product_code already exists for this category");
    staff.post(BRAND, &brand(json!({ "brand_code": "OTHER" }))).await.expect(201);
    staff.post("/api/admin/brands/OTHER/models/insert/", &model).await.expect(201);
}

#[tokio::test]
async fn nothing_is_inserted_below_a_missing_parent() {
    let app = TestApp::start().await;
    let staff = app.staff().await;
    let body = json!({ "product_name": "Pad", "product_code": "P", "description": "x", "price": 1, "stock": 1, "image_url": "https://images.example.com/a.png" });
    staff.post(PRODUCT, &body).await.refused(404, "brand not found");
    staff.post(BRAND, &brand(json!({}))).await.expect(201);
    staff.post(PRODUCT, &body).await.refused(404, "model not found");
    let model =
        json!({ "model_name": "Nexon", "model_code": "NEXON", "image_url": "https://images.example.com/a.png" });
    staff.post("/api/admin/brands/TATA/models/insert/", &model).await.expect(201);
    staff.post(PRODUCT, &body).await.refused(404, "category not found");
    assert_eq!(app.products().count_documents(doc! {}).await.expect("a count"), 0);
}

#[tokio::test]
async fn of_many_inserts_of_one_code_at_once_one_succeeds() {
    let app = TestApp::start().await;
    app.product(10.0, 1).await;
    let staff = app.staff().await;
    let body = json!({ "product_name": "Pad", "product_code": "SAME", "description": "x", "price": 1, "stock": 1, "image_url": "https://images.example.com/a.png" });
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let (staff, body) = (staff.clone(), body.clone());
            tokio::spawn(async move { staff.post(PRODUCT, &body).await })
        })
        .collect();
    let mut inserted = 0;
    for call in calls {
        let reply = call.await.expect("a reply");
        match reply.status.as_u16() {
            201 => inserted += 1,
            _ => drop(reply.refused(409, "product_code already exists for this category")),
        }
    }
    assert_eq!(inserted, 1);
}

#[tokio::test]
async fn products_refuse_amounts_that_make_no_sense() {
    let app = TestApp::start().await;
    app.product(10.0, 1).await;
    let staff = app.staff().await;
    let good = json!({ "product_name": "Pad", "product_code": "P", "description": "x", "price": 1, "stock": 1, "image_url": "https://images.example.com/a.png" });
    for (field, value) in [
        ("price", json!(-1)),
        ("price", json!("NaN")),
        ("price", json!(1.005)),
        ("price", json!(10_000_000.01)),
        ("stock", json!(-1)),
        ("stock", json!(1.5)),
        ("stock", json!(1_000_001)),
        ("product_code", json!("x y")),
    ] {
        let mut body = good.clone();
        body[field] = value;
        staff.post(PRODUCT, &body).await.refused(400, &format!("invalid {field}"));
    }
}
