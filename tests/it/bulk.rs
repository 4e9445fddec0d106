//! Changes of many products with one request: what they do, and what is refused.

use bson::doc;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Form, Reply, TestApp, some_picture};

const PRODUCTS: &str = "/api/utils/products";

fn code(n: usize) -> String {
    format!("TATA-NEXON-BRK-P{n:05}")
}

fn result(matched: u64, changed: u64, unchanged: u64, failed: &Value) -> Value {
    json!({ "matched": matched, "changed": changed, "unchanged": unchanged, "failed": failed })
}

#[tokio::test]
async fn each_change_reaches_the_chosen_products_and_the_audits() {
    let app = TestApp::start().await;
    app.many_products(6, 99.99).await;
    let (staff, anyone) = (app.staff().await, app.anonymous());
    let shown = |n: usize| {
        let anyone = anyone.clone();
        async move { anyone.get(&format!("{PRODUCTS}/{}/", code(n))).await }
    };
    let offer = json!({ "discount": 50, "validity": { "from": 1, "to": 9_999_999_999_u64 }, "description": "Sale" });
    let some = json!({ "codes": [code(0), code(1).to_lowercase(), code(1), "TATA-NEXON-BRK-NONE"] });
    let all = json!({ "filter": { "brand": "tata", "is_active": "true", "stock_max": 5 } });
    let missing = json!([{ "code": "TATA-NEXON-BRK-NONE", "error": "product not found" }]);
    assert_eq!(shown(0).await["product"]["unit_price"], 99.99);
    for (n, (chosen, change, expected, price)) in [
        (&all, json!({ "price_percent": "+10.5" }), result(6, 6, 0, &json!([])), json!(110.49)),
        (&some, json!({ "offers": offer }), result(2, 2, 0, &missing), json!(55.25)),
        (
            &json!({ "filter": { "has_offer": true } }),
            json!({ "offers": {} }),
            result(2, 2, 0, &json!([])),
            json!(110.49),
        ),
        (&all, json!({ "is_active": true }), result(6, 0, 6, &json!([])), json!(110.49)),
        (&some, json!({ "is_active": "false" }), result(2, 2, 0, &missing), json!(null)),
        (&all, json!({ "price_percent": -100 }), result(4, 4, 0, &json!([])), json!(null)),
    ]
    .into_iter()
    .enumerate()
    {
        let mut body = chosen.clone();
        body["change"] = change;
        let before = app.count("audits", doc! { "operation": "update" }).await;
        let reply = staff.bulk(&format!("change-{n}"), &body).await.expect(200);
        assert_eq!((&reply.json, reply.header("idempotency-replayed")), (&expected, ""), "{body}");
        let entries = app.count("audits", doc! { "operation": "update" }).await - before;
        assert_eq!((json!(entries), &shown(0).await["product"]["unit_price"]), (expected["changed"].clone(), &price));
    }
    assert_eq!((shown(5).await["product"]["unit_price"].clone(), shown(1).await.status.as_u16()), (json!(0), 404));
    let audits = staff.get(&format!("/api/admin/audits/?code={}", code(0))).await.expect(200);
    assert_eq!(audits["logs"][0]["update_description"]["updatedFields"], json!({ "is_active": false }));
    assert_eq!(audits["logs"][0]["actor"]["user_id"], staff.user_id.as_str());
}

#[tokio::test]
async fn deletion_takes_pictures_and_lines_of_carts_along() {
    let app = TestApp::start().await;
    app.many_products(3, 10.0).await;
    let (staff, customer) = (app.staff().await, app.customer().await);
    let path = "/api/admin/brands/TATA/models/NEXON/categories/BRK/products/update";
    let form = Form::default().file("image", &some_picture());
    let pictured = Reply::of(form.request(&staff, Method::PUT, &format!("{path}/P00001/"))).await.expect(200);
    let image = json!({ "image_url": pictured["product"]["image_url"] });
    staff.put(&format!("{path}/P00000/"), &image).await.expect(200);
    for n in [1, 2] {
        let product = app.anonymous().get(&format!("{PRODUCTS}/{}/", code(n))).await.expect(200);
        customer.add(&product["product"], 1).await.expect(200);
    }
    let body = json!({ "codes": [code(1)], "change": { "delete": true } });
    assert_eq!(staff.bulk("delete-one", &body).await.expect(200).json, result(1, 1, 0, &json!([])));
    app.anonymous().get(&format!("{PRODUCTS}/{}/", code(1))).await.refused(404, "product not found");
    assert_eq!(app.count("audits", doc! { "operation": "delete", "code": code(1) }).await, 1);
    app.work().await;
    let picture = image["image_url"].as_str().expect("a URL");
    app.anonymous().get(picture).await.expect(200);
    let cart = customer.get(&customer.cart()).await.expect(200);
    assert_eq!(cart["cart"]["items"].as_array().map(Vec::len), Some(1));
    let rest = json!({ "filter": { "category": "BRK" }, "change": { "delete": "true" } });
    assert_eq!(staff.bulk("delete-rest", &rest).await.expect(200).json, result(2, 2, 0, &json!([])));
    app.work().await;
    app.anonymous().get(picture).await.expect(404);
    assert_eq!(staff.bulk("delete-again", &rest).await.expect(200).json, result(0, 0, 0, &json!([])));
}

#[tokio::test]
async fn prices_that_would_leave_the_limits_are_told() {
    let app = TestApp::start().await;
    app.many_products(3, 1_000_000.0).await;
    let staff = app.staff().await;
    app.products().update_one(doc! { "own_code": "P00001" }, doc! { "$set": { "price": 99_i64 } }).await.expect("set");
    let body = json!({ "filter": { "q": "tata-nexon" }, "change": { "price_percent": 950 } });
    let failed = |n| json!({ "code": code(n), "error": "the price would exceed 10000000.00" });
    let expected = result(3, 1, 0, &json!([failed(0), failed(2)]));
    for dry_run in [true, false] {
        let mut body = body.clone();
        body["dry_run"] = json!(dry_run);
        assert_eq!(staff.bulk("too-dear-now", &body).await.expect(200).json, expected);
    }
    assert_eq!(app.prices().await, [1_040, 100_000_000]);
}

#[tokio::test]
async fn a_dry_run_tells_the_same_and_changes_nothing() {
    let app = TestApp::start().await;
    app.many_products(5, 10.0).await;
    let staff = app.staff().await;
    let collections = ["products", "audits", "idempotency_keys", "bulk_plans", "image_trash"];
    let stored = async || {
        let mut stored = Vec::new();
        for name in collections {
            stored.push(app.count(name, doc! {}).await);
        }
        (stored, app.prices().await)
    };
    let before = stored().await;
    for change in [
        json!({ "price_percent": 7 }),
        json!({ "price_percent": 0 }),
        json!({ "is_active": false }),
        json!({ "is_active": true }),
        json!({ "delete": true }),
    ] {
        let body = |dry_run: bool| json!({ "filter": { "in_stock": true }, "change": change, "dry_run": dry_run });
        let told = staff.bulk("the-same-key", &body(true)).await.expect(200);
        assert_eq!(stored().await, before);
        if change == json!({ "is_active": true }) || change["price_percent"] == 0 {
            assert_eq!(told.json, result(5, 0, 5, &json!([])));
        } else {
            assert_eq!(told.json, result(5, 5, 0, &json!([])));
        }
    }
    let real = json!({ "filter": { "in_stock": true }, "change": { "delete": true } });
    assert_eq!(staff.bulk("the-same-key", &real).await.expect(200).json, result(5, 5, 0, &json!([])));
}

#[tokio::test]
async fn every_fault_of_the_body_is_named() {
    let app = TestApp::start().await;
    app.many_products(1, 10.0).await;
    let staff = app.staff().await;
    let hide = json!({ "is_active": false });
    let many: Vec<String> = (0..501).map(code).collect();
    let one_change = "change must be exactly one of is_active, price_percent, offers, delete";
    let percent = "price_percent must be a number from -100 to 1000 with at most two decimals";
    let codes = "codes must be a list of 1 to 500 codes";
    for (body, fields) in [
        (json!({}), json!({ "filter": "filter is required", "change": "change is required" })),
        (json!({ "filter": {}, "change": hide }), json!({ "filter": "filter is required" })),
        (json!({ "filter": null, "change": hide }), json!({ "filter": "filter is required" })),
        (
            json!({ "filter": [], "change": 5 }),
            json!({ "filter": "filter must be an object", "change": "change must be an object" }),
        ),
        (json!({ "codes": [], "change": hide }), json!({ "codes": codes })),
        (json!({ "codes": many, "change": hide }), json!({ "codes": codes })),
        (json!({ "codes": [code(0), 5], "change": hide }), json!({ "codes": "codes[1] must be a string" })),
        (
            json!({ "codes": ["TATA"], "change": hide }),
            json!({ "codes[0]": "codes[0] must be the full code of a product, such as TATA-NEXON-BRK-PADF" }),
        ),
        (
            json!({ "codes": [code(0), "x y", code(0), ""], "change": hide }),
            json!({ "codes[1]": "codes[1] must be the full code of a product, such as TATA-NEXON-BRK-PADF",
                "codes[3]": "codes[3] must be the full code of a product, such as TATA-NEXON-BRK-PADF" }),
        ),
        (json!({ "codes": "TATA", "change": hide }), json!({ "codes": "codes must be a list" })),
        (json!({ "codes": { "0": code(0) }, "change": hide }), json!({ "codes": "codes must be a list" })),
        (json!({ "codes": null, "change": hide }), json!({ "codes": "codes must be a list" })),
        (
            json!({ "filter": { "q": " ", "brand": "" }, "change": hide }),
            json!({ "filter.q": "filter.q must not be empty", "filter.brand": "filter.brand must not be empty" }),
        ),
        (
            json!({ "codes": [code(0)], "filter": { "q": "a" }, "change": hide }),
            json!({ "filter": "codes and filter exclude each other" }),
        ),
        (json!({ "codes": [code(0)], "change": {} }), json!({ "change": one_change })),
        (
            json!({ "codes": [code(0)], "change": { "delete": true, "is_active": true } }),
            json!({ "change": one_change }),
        ),
        (
            json!({ "codes": [code(0)], "change": { "delete": false } }),
            json!({ "change.delete": "delete must be true" }),
        ),
        (
            json!({ "codes": [code(0)], "change": { "is_active": null } }),
            json!({ "change.is_active": "change.is_active must be true or false" }),
        ),
        (
            json!({ "codes": [code(0)], "change": { "price_percent": 1000.01 } }),
            json!({ "change.price_percent": percent }),
        ),
        (
            json!({ "codes": [code(0)], "change": { "offers": { "discount": 5 } } }),
            json!({ "change.offers": "missing offer field: validity" }),
        ),
        (
            json!({ "filter": { "brand": "?", "stock_max": "many", "is_active": 5, "colour": "red" }, "change": hide, "dryrun": true }),
            json!({ "filter.is_active": "filter.is_active must be true or false",
                "filter.brand": "brand must be a code of 2 to 10 letters and digits",
                "filter.stock_max": "stock_max must be a whole number from 0 to 1000000",
                "filter.colour": "unknown field: filter.colour", "dryrun": "unknown field: dryrun" }),
        ),
        (
            json!({ "codes": [code(0)], "change": { "offers": "{\"discount\":5,\"validity\":{\"from\":1,\"to\":2,\"until\":3},\"description\":\"x\"}" } }),
            json!({ "change.offers.validity.until": "unknown field: change.offers.validity.until" }),
        ),
    ] {
        let reply = staff.bulk("faulty-body", &body).await.expect(400);
        reply.is_envelope();
        assert_eq!(reply["fields"], fields, "{body}");
    }
    assert_eq!((app.count("idempotency_keys", doc! {}).await, app.prices().await), (0, vec![1_000]));
    let body = json!({ "codes": [code(0)], "change": hide });
    app.customer().await.bulk("customer-key", &body).await.refused(403, "staff only");
}

#[tokio::test]
async fn more_than_ten_thousand_products_are_too_many() {
    let app = TestApp::start().await;
    app.many_products(10_001, 10.0).await;
    let body = json!({ "filter": { "brand": "TATA" }, "change": { "price_percent": 5 } });
    let too_many = "too many products match, narrow the filter";
    let refused = app.staff().await.bulk("too-many-products", &body).await.refused(400, too_many);
    assert_eq!((&refused["fields"]["filter"], app.prices().await), (&json!(too_many), vec![1_000]));
    assert_eq!(app.count("idempotency_keys", doc! {}).await, 0);
}

#[tokio::test]
#[ignore = "changes 10,000 products in a slow build"]
async fn ten_thousand_products_are_changed() {
    let app = TestApp::start().await;
    app.many_products(10_000, 10.0).await;
    let staff = app.staff().await;
    let body = json!({ "filter": { "brand": "TATA" }, "change": { "price_percent": 5 } });
    let reply = staff.bulk("ten-thousand", &body).await.expect(200);
    assert_eq!(reply.json, result(10_000, 10_000, 0, &json!([])));
    assert_eq!((app.prices().await, app.count("audits", doc! { "operation": "update" }).await), (vec![1_050], 10_000));
}
