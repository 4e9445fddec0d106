//! The numbers on the first page of the dashboard.

use bson::doc;
use insta::assert_json_snapshot;
use serde_json::{Value, json};

use crate::support::{TestApp, stable};

const STATS: &str = "/api/admin/stats/";

#[tokio::test]
async fn everything_is_counted() {
    let app = TestApp::start().await;
    let staff = app.staff().await;
    let without_users = async || {
        let mut stats = staff.get(STATS).await.expect(200).json;
        stats.as_object_mut().expect("an object").remove("newest_users");
        stable(&stats)
    };
    assert_json_snapshot!(without_users().await, @r#"
    {
      "counts": {
        "brands": 0,
        "carts": 0,
        "categories": 0,
        "models": 0,
        "products": 0,
        "users": 1
      },
      "low_stock": {
        "products": [],
        "threshold": 5,
        "total": 0
      }
    }
    "#);
    let (product, buyer, idle) = (app.product(10.0, 50).await, app.customer().await, app.customer().await);
    let other = app.product(10.0, 50).await;
    buyer.add(&product, 2).await.expect(200);
    buyer.add(&other, 1).await.expect(200);
    idle.add(&product, 1).await.expect(200);
    let remove = format!("{}remove/{}/", idle.cart(), product["_id"].as_str().expect("an id"));
    idle.delete(&remove).await.expect(200);
    assert_json_snapshot!(without_users().await, @r#"
    {
      "counts": {
        "brands": 1,
        "carts": 1,
        "categories": 1,
        "models": 1,
        "products": 2,
        "users": 5
      },
      "low_stock": {
        "products": [],
        "threshold": 5,
        "total": 0
      }
    }
    "#);
}

#[tokio::test]
async fn products_at_or_under_the_threshold_are_listed_hidden_ones_too() {
    let app = TestApp::start().await;
    let staff = app.staff().await;
    let mut codes = Vec::new();
    for stock in [5, 6, 0, 3] {
        codes.push(app.product(10.0, stock).await["code"].clone());
    }
    let hidden = app.product(10.0, 7).await;
    app.change_product(&hidden, doc! { "$set": { "is_active": false } }).await;
    let listed = async |query: &str| {
        let low = staff.get(&format!("{STATS}{query}")).await.expect(200)["low_stock"].clone();
        let products: Vec<Value> =
            low["products"].as_array().expect("products").iter().map(|product| product["code"].clone()).collect();
        assert_eq!(low["total"], products.len());
        products
    };
    assert_eq!(listed("").await, [&codes[2], &codes[3], &codes[0]].map(Clone::clone));
    assert_eq!(listed("?low_stock=0").await, [codes[2].clone()]);
    assert_eq!(listed("?low_stock=7").await.last(), Some(&hidden["code"]));
    assert_eq!(listed("?low_stock=1000000").await.len(), 5);
    let low = staff.get(STATS).await.expect(200)["low_stock"]["products"][1].clone();
    assert_json_snapshot!(stable(&low), @r#"
    {
      "_id": "[id]",
      "code": "TATA-NEXON-BRK-[code]",
      "is_active": true,
      "product_name": "Front brake pad",
      "stock": 3
    }
    "#);
    assert_eq!(low["code"], codes[3]);
    for bad in ["-1", "1000001", "x", "1.5", "99999999999999999999"] {
        let reply = staff.get(&format!("{STATS}?low_stock={bad}")).await;
        reply.refused(400, "low_stock must be an integer between 0 and 1000000");
    }
}

#[tokio::test]
async fn of_many_products_those_with_the_least_stock_are_listed() {
    let app = TestApp::start().await;
    let staff = app.staff().await;
    let model = app.product(10.0, 9).await;
    let like = app.products().find_one(doc! { "code": model["code"].as_str().expect("a code") }).await;
    let like = like.expect("a query").expect("a product");
    let many = (0..30_i64).map(|n| {
        let mut product = like.clone();
        product.extend(
            doc! { "_id": bson::oid::ObjectId::new(), "stock": 30 - n, "code": format!("TATA-NEXON-BRK-N{n}") },
        );
        product
    });
    app.products().insert_many(many).await.expect("products");
    let low = staff.get(&format!("{STATS}?low_stock=25")).await.expect(200)["low_stock"].clone();
    let stocks: Vec<i64> =
        low["products"].as_array().expect("products").iter().filter_map(|p| p["stock"].as_i64()).collect();
    let expected: Vec<i64> = (1..=9).chain(9..=19).collect();
    assert_eq!((&low["total"], stocks), (&json!(26), expected));
}

#[tokio::test]
async fn the_newest_accounts_are_shown_and_masked_for_staff() {
    let app = TestApp::start().await;
    let (staff, admin) = (app.staff().await, app.admin().await);
    for _ in 0..9 {
        app.customer().await;
    }
    let newest = app.claims("Asha Rao", Some("9876540010"), Some("asha@example.com")).await;
    let mut shown = Vec::new();
    for caller in [&staff, &admin] {
        let reply = caller.get(STATS).await.expect(200);
        let users = reply["newest_users"].as_array().expect("users");
        assert_eq!((users.len(), &users[0]["_id"]), (10, &json!(newest.user_id)));
        shown.push(stable(&users[0]));
    }
    assert_json_snapshot!(shown, @r#"
    [
      {
        "_id": "[id]",
        "created_at": "[time]",
        "email": "a***@example.com",
        "is_active": true,
        "last_sign_in_at": "[time]",
        "phone_number": "+91******0010",
        "role": "customer",
        "username": "Asha Rao"
      },
      {
        "_id": "[id]",
        "created_at": "[time]",
        "email": "asha@example.com",
        "is_active": true,
        "last_sign_in_at": "[time]",
        "phone_number": "+919876540010",
        "role": "customer",
        "username": "Asha Rao"
      }
    ]
    "#);
}
