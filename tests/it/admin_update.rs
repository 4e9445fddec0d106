//! Updating brands, models, categories and products.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Caller, Reply, TestApp, public};

const BRANDS: &str = "/api/admin/brands";

fn code(product: &Value) -> &str {
    product["product_code"].as_str().expect("a code")
}

fn update_path(product: &Value) -> String {
    format!("{BRANDS}/TATA/models/NEXON/categories/BRK/products/update/{}/", code(product))
}

fn public_path(product: &Value) -> String {
    format!("/api/utils/brands/TATA/models/NEXON/categories/BRK/products/{}/", code(product))
}

async fn update(staff: &Caller, product: &Value, change: Value) -> Reply {
    staff.put(&update_path(product), &change).await
}

async fn update_if(staff: &Caller, path: &str, tag: &str, change: &Value) -> Reply {
    Reply::of(staff.request(Method::PUT, path).header("if-match", tag).json(change)).await
}

#[tokio::test]
async fn each_level_is_changed_and_an_unchanged_value_is_fine() {
    let app = TestApp::start().await;
    app.product(10.0, 1).await;
    let staff = app.staff().await;
    let levels = [
        ("brand", format!("{BRANDS}/update/TATA/")),
        ("model", format!("{BRANDS}/TATA/models/update/NEXON/")),
        ("category", format!("{BRANDS}/TATA/models/NEXON/categories/update/BRK/")),
    ];
    for (level, path) in levels {
        let change =
            json!({ format!("{level}_name"): " New name ", "image_url": "https://images.example.com/new.webp" });
        for _ in 0..2 {
            let reply = staff.put(&path, &change).await.expect(200);
            assert_eq!(reply["message"], format!("{level} updated successfully"));
            assert_eq!(reply[level][format!("{level}_name")], "New name");
            assert_eq!(reply[level]["image_url"], "https://images.example.com/new.webp");
        }
    }
    let shown = app.anonymous().get("/api/utils/brands/TATA/").await.expect(200);
    assert_eq!(shown["brand"]["brand_name"], "New name");
}

#[tokio::test]
async fn every_field_of_a_product_changes_alone() {
    let app = TestApp::start().await;
    let product = app.product(10.0, 1).await;
    let staff = app.staff().await;
    let offers = json!({ "discount": 12.5, "validity": { "from": 1, "to": 2 }, "description": "Sale" });
    for (field, value) in [
        ("product_name", json!("Rear brake pad")),
        ("description", json!("Two\nlines")),
        ("price", json!(19.99)),
        ("stock", json!(7)),
        ("offers", offers),
        ("is_active", json!(false)),
        ("image_url", json!("https://images.example.com/a.png")),
    ] {
        let before = update(&staff, &product, json!({ "stock_delta": 0 })).await.expect(200)["product"].clone();
        let after = update(&staff, &product, json!({ field: value })).await.expect(200)["product"].clone();
        let mut expected = before;
        if field == "price" {
            expected["unit_price"] = value.clone();
        }
        expected[field] = value;
        // The first image follows from `image_url`, and its words from the name.
        for name in ["images", "image_variants"] {
            expected[name] = after[name].clone();
        }
        assert_eq!(after["images"][0]["url"], expected["image_url"]);
        assert_eq!(after["images"][0]["alt"], expected["product_name"]);
        assert_eq!(public(&after), public(&expected), "{field}");
    }
    let without = update(&staff, &product, json!({ "offers": {}, "is_active": "true" })).await.expect(200);
    assert_eq!((&without["product"]["offers"], &without["product"]["is_active"]), (&json!({}), &json!(true)));
    assert_eq!(app.anonymous().get(&public_path(&product)).await.expect(200)["product"], public(&without["product"]));
}

#[tokio::test]
async fn each_fault_has_its_text() {
    let app = TestApp::start().await;
    let product = app.product(10.0, 5).await;
    let staff = app.staff().await;
    staff.put(&format!("{BRANDS}/update/TATA/"), &json!({})).await.refused(400, "no fields provided for update");
    let brand = |change: Value| {
        let staff = staff.clone();
        async move { staff.put(&format!("{BRANDS}/update/TATA/"), &change).await }
    };
    brand(json!({ "brand_code": "NEW" })).await.refused(400, "no valid fields to update");
    brand(json!({ "brand_name": "" })).await.refused(400, "invalid brand_name: brand_name too long/short");
    brand(json!({ "brand_name": "a<b>" })).await.refused(400, "invalid brand_name: invalid characters");
    brand(json!({ "image_url": "javascript:x" })).await.refused(400, "invalid image_url");
    for (change, error) in [
        (json!({ "product_name": "x" }), "invalid product_name: product_name too long/short"),
        (json!({ "description": "" }), "invalid description"),
        (json!({ "price": -1 }), "invalid price"),
        (json!({ "price": 1.005 }), "invalid price"),
        (json!({ "price": "NaN" }), "invalid price"),
        (json!({ "stock": 1.5 }), "invalid stock"),
        (json!({ "is_active": "maybe" }), "is_active must be true or false"),
        (json!({ "offers": "{" }), "offers must be valid JSON"),
        (json!({ "offers": { "discount": 5 } }), "missing offer field: validity"),
    ] {
        update(&staff, &product, change).await.refused(400, error);
    }
    update(&staff, &product, json!({ "stock_delta": -6 })).await.refused(409, "only 5 items available in stock");
    let shown = app.anonymous().get(&public_path(&product)).await.expect(200);
    assert_eq!(shown["product"], public(&product), "a refused change leaves no trace");
}

#[tokio::test]
async fn what_is_not_there_names_the_first_missing_level() {
    let app = TestApp::start().await;
    app.product(10.0, 1).await;
    let staff = app.staff().await;
    let name = |level: &str| json!({ format!("{level}_name"): "Name" });
    for (path, level, error) in [
        ("update/NONE/", "brand", "brand not found"),
        ("NONE/models/update/NEXON/", "model", "brand not found"),
        ("TATA/models/update/NONE/", "model", "model not found"),
        ("TATA/models/NONE/categories/update/BRK/", "category", "model not found"),
        ("TATA/models/NEXON/categories/NONE/products/update/P/", "product", "category not found"),
        ("TATA/models/NEXON/categories/BRK/products/update/NONE/", "product", "product not found"),
    ] {
        staff.put(&format!("{BRANDS}/{path}"), &name(level)).await.refused(404, error);
        if level == "brand" || level == "product" {
            let path = path.replace("update", "delete");
            staff.delete(&format!("{BRANDS}/{path}")).await.refused(404, error);
        }
    }
}

#[tokio::test]
async fn bookings_of_many_at_once_all_count() {
    let app = TestApp::start().await;
    let product = app.product(10.0, 100).await;
    let (staff, other) = (app.staff().await, app.another_instance().await);
    let calls: Vec<_> = (0..20)
        .map(|n| {
            let (staff, product) = (staff.at(if n % 3 == 0 { &other.url } else { &app.url }), product.clone());
            let delta = if n % 2 == 0 { -7 } else { 3 };
            tokio::spawn(async move { update(&staff, &product, json!({ "stock_delta": delta })).await.expect(200) })
        })
        .collect();
    for call in calls {
        call.await.expect("a reply");
    }
    let shown = app.anonymous().get(&public_path(&product)).await.expect(200);
    assert_eq!(shown["product"]["stock"], 60);
}

#[tokio::test]
async fn a_state_that_has_changed_is_left_alone() {
    let app = TestApp::start().await;
    let product = app.product(10.0, 1).await;
    let staff = app.staff().await;
    let read = app.anonymous().get(&public_path(&product)).await.expect(200);
    let tag = read.header("etag").to_owned();
    assert!(tag.starts_with('"'), "{tag}");
    let path = update_path(&product);
    update_if(&staff, &path, &tag, &json!({ "price": 11 })).await.expect(200);
    update_if(&staff, &path, &tag, &json!({ "price": 12 })).await.refused(412, "the product has changed meanwhile");
    update_if(&staff, &path, "*", &json!({ "price": 13 })).await.expect(200);
    let read = app.anonymous().get("/api/utils/brands/TATA/").await.expect(200);
    let (path, tag) = (format!("{BRANDS}/update/TATA/"), read.header("etag").to_owned());
    let calls = (0..5).map(|n| {
        let (staff, path, tag) = (staff.clone(), path.clone(), tag.clone());
        tokio::spawn(async move { update_if(&staff, &path, &tag, &json!({ "brand_name": format!("Name {n}") })).await })
    });
    let mut statuses = Vec::new();
    for call in calls.collect::<Vec<_>>() {
        statuses.push(call.await.expect("a reply").status.as_u16());
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412, 412, 412, 412]);
}

#[tokio::test]
async fn the_answer_to_a_change_carries_the_tag_for_the_next_one() {
    let app = TestApp::start().await;
    let product = app.product(10.0, 1).await;
    let staff = app.staff().await;
    let offers = json!({ "discount": 50, "validity": { "from": 1, "to": 9_999_999_999_u64 }, "description": "Sale" });
    for (level, path, shown) in [
        ("brand", format!("{BRANDS}/update/TATA/"), "/api/utils/brands/TATA/".to_owned()),
        ("model", format!("{BRANDS}/TATA/models/update/NEXON/"), "/api/utils/brands/TATA/models/NEXON/".to_owned()),
        (
            "category",
            format!("{BRANDS}/TATA/models/NEXON/categories/update/BRK/"),
            "/api/utils/brands/TATA/models/NEXON/categories/BRK/".to_owned(),
        ),
        ("product", update_path(&product), public_path(&product)),
    ] {
        let change = |n: u32| json!({ format!("{level}_name"): format!("Name {n}"), "offers": offers });
        let first = staff.put(&path, &change(1)).await.expect(200).header("etag").to_owned();
        for reader in [&app.anonymous(), &staff] {
            assert_eq!(reader.get(&shown).await.expect(200).header("etag"), first, "{level}");
        }
        let second = update_if(&staff, &path, &first, &change(2)).await.expect(200).header("etag").to_owned();
        update_if(&staff, &path, &first, &change(3)).await.expect(412);
        let third = update_if(&staff, &path, &second, &change(2)).await.expect(200);
        assert_eq!((third.header("etag"), first != second), (second.as_str(), true), "nothing has changed");
    }
}
