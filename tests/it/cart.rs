//! Reading a cart, adding to it and removing from it.

use bson::doc;
use insta::assert_json_snapshot;
use serde_json::{Value, json};

use crate::support::{Caller, TestApp, stable};

async fn remove(caller: &Caller, product: &Value, query: &str) -> crate::support::Reply {
    caller.delete(&format!("{}remove/{}/{query}", caller.cart(), product["_id"].as_str().expect("an id"))).await
}

#[tokio::test]
async fn a_new_cart_is_empty() {
    let app = TestApp::start().await;
    let caller = app.customer().await;
    let reply = caller.get(&caller.cart()).await.expect(200);
    assert_json_snapshot!(stable(&reply.json), @r#"
    {
      "cart": {
        "_id": "[id]",
        "created_at": "[time]",
        "currency": "INR",
        "items": [],
        "subtotal": 0,
        "unavailable": [],
        "updated_at": "[time]",
        "user_id": "[id]"
      }
    }
    "#);
    assert_eq!(reply["cart"]["user_id"], caller.user_id);
}

#[tokio::test]
async fn adding_and_reading_price_every_line() {
    let app = TestApp::start().await;
    let product = app.product(19.99, 10).await;
    let caller = app.customer().await;
    let added = caller.add(&product, 2).await.expect(200);
    let again = caller
        .post(&format!("{}add/{}/", caller.cart(), product["_id"].as_str().expect("an id")), &json!({}))
        .await
        .expect(200);
    assert_eq!(added["cart"]["items"][0]["quantity"], 2);
    let read = caller.get(&caller.cart()).await.expect(200);
    assert_eq!(read.json, again.json);
    let line = &read["cart"]["items"][0];
    assert_eq!(line["product_id"], product["_id"]);
    for (field, value) in
        [("product_name", &product["product_name"]), ("code", &product["code"]), ("image_url", &product["image_url"])]
    {
        assert_eq!(&line[field], value);
    }
    assert_json_snapshot!(stable(&read.json), @r#"
    {
      "cart": {
        "_id": "[id]",
        "created_at": "[time]",
        "currency": "INR",
        "items": [
          {
            "added_at": "[time]",
            "code": "TATA-NEXON-BRK-[code]",
            "discount": 0,
            "image_url": "https://images.example.com/a.webp",
            "in_stock": true,
            "line_total": 59.97,
            "previous_unit_price": null,
            "price": 19.99,
            "price_changed": false,
            "product_id": "[id]",
            "product_name": "Front brake pad",
            "quantity": 3,
            "unit_price": 19.99
          }
        ],
        "subtotal": 59.97,
        "unavailable": [],
        "updated_at": "[time]",
        "user_id": "[id]"
      }
    }
    "#);
}

#[tokio::test]
async fn refusals_of_an_add_have_their_texts() {
    let app = TestApp::start().await;
    let product = app.product(10.0, 5).await;
    let caller = app.customer().await;
    caller.add(&product, 3).await.expect(200);
    caller.add(&product, 3).await.refused(409, "only 5 items available in stock");
    app.change_product(&product, doc! { "$set": { "stock": 0_i64 } }).await;
    caller.add(&product, 1).await.refused(409, "product is out of stock");
    app.change_product(&product, doc! { "$set": { "is_active": false, "stock": 5_i64 } }).await;
    caller.add(&product, 1).await.refused(404, "product not found");
    for id in ["65f0c0ffee65f0c0ffee65f0", "nonsense", "%24ne"] {
        caller.post(&format!("{}add/{id}/", caller.cart()), &json!({})).await.refused(404, "product not found");
    }
    let path = format!("{}add/{}/", caller.cart(), product["_id"].as_str().expect("an id"));
    for quantity in [json!(0), json!(-1), json!(1000), json!(1.5), json!("many"), json!([])] {
        let reply = caller.post(&path, &json!({ "quantity": quantity })).await;
        reply.refused(400, "quantity must be an integer between 1 and 999");
    }
    app.change_product(&product, doc! { "$set": { "is_active": true } }).await;
    caller.post(&path, &json!({ "quantity": "2" })).await.expect(200);
}

#[tokio::test]
async fn a_line_holds_at_most_999_and_a_cart_at_most_100_lines() {
    let app = TestApp::start().await;
    let product = app.product(10.0, 100_000).await;
    let caller = app.customer().await;
    caller.add(&product, 999).await.expect(200);
    caller.add(&product, 1).await.refused(409, "cart is full");
    app.fill_cart(&caller, &app.products_like(&product, 100, true).await).await;
    caller.add(&product, 1).await.refused(409, "cart is full");
}

#[tokio::test]
async fn removing_takes_pieces_and_the_line_with_the_last() {
    let app = TestApp::start().await;
    let product = app.product(10.0, 50).await;
    let caller = app.customer().await;
    caller.add(&product, 5).await.expect(200);
    assert_eq!(remove(&caller, &product, "").await.expect(200)["cart"]["items"][0]["quantity"], 4);
    assert_eq!(remove(&caller, &product, "?quantity=3").await.expect(200)["cart"]["items"][0]["quantity"], 1);
    let reply = remove(&caller, &product, "?quantity=x").await;
    reply.refused(400, "quantity must be an integer between 1 and 999");
    assert_eq!(remove(&caller, &product, "?quantity=999").await.expect(200)["cart"]["items"], json!([]));
    remove(&caller, &product, "").await.refused(404, "cart or item not found");
    remove(&caller, &json!({ "_id": "nonsense" }), "").await.refused(404, "cart or item not found");
    assert_eq!(caller.get(&caller.cart()).await.expect(200)["cart"]["items"], json!([]));
}

#[tokio::test]
async fn a_cart_is_its_owner_s_alone() {
    let app = TestApp::start().await;
    let (owner, other, admin) = (app.customer().await, app.customer().await, app.admin().await);
    for stranger in [&other, &admin] {
        stranger.get(&owner.cart()).await.refused(403, "forbidden: user mismatch");
    }
    owner.get("/api/client/nonsense/cart/").await.refused(403, "forbidden: user mismatch");
    app.anonymous().get(&owner.cart()).await.refused(401, "authorization header missing");
    owner.post_empty("/api/auth/logout/").await.expect(200);
    owner.get(&owner.cart()).await.refused(401, "invalid or expired access token");
    let product = app.product(10.0, 5).await;
    owner.add(&product, 1).await.refused(401, "invalid or expired access token");
    let missing = json!({ "_id": "65f0c0ffee65f0c0ffee65f0" });
    owner.add(&missing, 1).await.refused(401, "invalid or expired access token");
    owner.add(&json!({ "_id": "nonsense" }), 0).await.refused(401, "invalid or expired access token");
    remove(&owner, &json!({ "_id": "nonsense" }), "?quantity=x").await.refused(401, "invalid or expired access token");
    remove(&owner, &product, "").await.refused(401, "invalid or expired access token");
}
