//! Setting the quantity of a cart line, and emptying the cart.

use std::time::Duration;

use bson::doc;
use serde_json::{Value, json};

use crate::support::{Caller, Reply, TestApp};

fn path(caller: &Caller, product: &Value) -> String {
    format!("{}items/{}/", caller.cart(), product["_id"].as_str().expect("an id"))
}

/// Returns the quantity of each line.
fn quantities(reply: &Reply) -> Vec<u64> {
    let lines = reply["cart"]["items"].as_array().expect("lines").iter();
    lines.map(|line| line["quantity"].as_u64().expect("a quantity")).collect()
}

#[tokio::test]
async fn a_line_is_set_whatever_it_held_before() {
    let app = TestApp::start().await;
    let (first, second) = (app.product(19.99, 10).await, app.product(5.0, 10).await);
    let caller = app.customer().await;
    caller.add(&first, 2).await.expect(200);
    assert_eq!(quantities(&caller.set(&second, 4).await.expect(200)), [2, 4]);
    for n in [10, 1, 1] {
        let set = caller.set(&first, n).await.expect(200);
        assert_eq!(quantities(&set), [u64::from(n), 4]);
        assert_eq!(caller.get(&caller.cart()).await.expect(200).json, set.json);
    }
    let typed = caller.put(&path(&caller, &first), &json!({ "quantity": " 3 ", "unknown": 1 })).await.expect(200);
    assert_eq!((quantities(&typed), typed["cart"]["subtotal"].to_string()), (vec![3, 4], "79.97".to_owned()));
    assert_eq!(quantities(&caller.set(&first, 0).await.expect(200)), [4]);
}

#[tokio::test]
async fn more_than_the_stock_is_refused_and_changes_nothing() {
    let app = TestApp::start().await;
    let product = app.product(10.0, 5).await;
    let caller = app.customer().await;
    caller.set(&product, 6).await.refused(409, "only 5 items available in stock");
    caller.set(&product, 5).await.expect(200);
    app.change_product(&product, doc! { "$set": { "stock": 3_i64 } }).await;
    // Four pieces are fewer than the line holds, but still more than the stock.
    let refusal = caller.set(&product, 4).await.refused(409, "only 3 items available in stock");
    assert_eq!(refusal["code"], "not_enough_stock");
    let line = caller.get(&caller.cart()).await.expect(200)["cart"]["items"][0].clone();
    assert_eq!((&line["quantity"], &line["in_stock"]), (&json!(5), &json!(false)));
    assert_eq!(quantities(&caller.set(&product, 3).await.expect(200)), [3]);
    app.change_product(&product, doc! { "$set": { "stock": 0_i64 } }).await;
    caller.set(&product, 1).await.refused(409, "product is out of stock");
    assert_eq!(quantities(&caller.set(&product, 0).await.expect(200)), [0; 0]);
}

#[tokio::test]
async fn a_product_that_is_hidden_or_unknown_can_only_be_taken_out() {
    let app = TestApp::start().await;
    let product = app.product(10.0, 5).await;
    let caller = app.customer().await;
    caller.set(&product, 2).await.expect(200);
    app.change_product(&product, doc! { "$set": { "is_active": false } }).await;
    caller.set(&product, 1).await.refused(404, "product not found");
    caller.set(&product, 0).await.expect(200);
    app.change_product(&product, doc! { "$set": { "is_active": true } }).await;
    assert_eq!(quantities(&caller.get(&caller.cart()).await.expect(200)), [0; 0]);
    for id in ["65f0c0ffee65f0c0ffee65f0", "nonsense", "%24ne"] {
        let product = json!({ "_id": id });
        caller.set(&product, 1).await.refused(404, "product not found");
        assert_eq!(quantities(&caller.set(&product, 0).await.expect(200)), [0; 0]);
    }
}

#[tokio::test]
async fn a_quantity_must_be_given_and_be_one() {
    let app = TestApp::start().await;
    let product = app.product(10.0, 100_000).await;
    let caller = app.customer().await;
    let path = path(&caller, &product);
    for missing in [json!({}), json!({ "quantity": null })] {
        let refusal = caller.put(&path, &missing).await.refused(400, "quantity is required");
        assert_eq!(refusal["fields"]["quantity"], "quantity is required");
    }
    for bad in [json!(-1), json!(1000), json!(1.5), json!("many"), json!(true)] {
        let refusal = caller.put(&path, &json!({ "quantity": bad })).await;
        refusal.refused(400, "quantity must be an integer between 0 and 999");
    }
    caller.put(&path, &json!([])).await.refused(400, "the body must be a JSON object");
    caller.set(&product, 999).await.expect(200);
}

#[tokio::test]
async fn a_full_cart_takes_no_new_line_but_changes_those_it_has() {
    let app = TestApp::start().await;
    let (product, other) = (app.product(10.0, 100).await, app.product(10.0, 100).await);
    let caller = app.customer().await;
    app.fill_cart(&caller, &app.products_like(&product, 99, true).await).await;
    caller.set(&product, 1).await.expect(200);
    caller.set(&other, 1).await.refused(409, "cart is full");
    assert_eq!(quantities(&caller.set(&product, 100).await.expect(200))[99], 100);
}

#[tokio::test]
async fn emptying_leaves_the_cart_itself() {
    let app = TestApp::start().await;
    let product = app.product(10.0, 5).await;
    let caller = app.customer().await;
    let before = caller.add(&product, 2).await.expect(200);
    app.advance(Duration::from_secs(5));
    let cleared = caller.delete(&caller.cart()).await.expect(200);
    assert_eq!((&cleared["cart"]["items"], &cleared["cart"]["subtotal"]), (&json!([]), &json!(0)));
    for field in ["_id", "user_id", "created_at", "currency"] {
        assert_eq!(cleared["cart"][field], before["cart"][field], "{field}");
    }
    assert_ne!(cleared["cart"]["updated_at"], before["cart"]["updated_at"]);
    assert_eq!(caller.get(&caller.cart()).await.expect(200).json, cleared.json);
    caller.delete(&caller.cart()).await.expect(200);
}

#[tokio::test]
async fn only_the_owner_sets_and_empties_and_a_signed_out_one_hears_that_first() {
    let app = TestApp::start().await;
    let product = app.product(10.0, 5).await;
    let (owner, other) = (app.customer().await, app.customer().await);
    owner.add(&product, 2).await.expect(200);
    let body = json!({ "quantity": 1 });
    other.put(&path(&owner, &product), &body).await.refused(403, "forbidden: user mismatch");
    other.delete(&owner.cart()).await.refused(403, "forbidden: user mismatch");
    app.anonymous().delete(&owner.cart()).await.refused(401, "authorization header missing");
    assert_eq!(quantities(&owner.get(&owner.cart()).await.expect(200)), [2]);
    owner.post_empty("/api/auth/logout/").await.expect(200);
    for body in [body, json!({ "quantity": 0 }), json!({ "quantity": 9 }), json!({ "quantity": "x" }), json!({})] {
        let reply = owner.put(&path(&owner, &product), &body).await;
        reply.refused(401, "invalid or expired access token");
    }
    owner.set(&json!({ "_id": "nonsense" }), 1).await.refused(401, "invalid or expired access token");
    owner.delete(&owner.cart()).await.refused(401, "invalid or expired access token");
}
