//! The prices of cart lines when offers begin and end and when prices change.

use std::time::Duration;

use bson::doc;
use insta::assert_json_snapshot;
use serde_json::{Value, json};

use crate::support::{Caller, TestApp, stable};

async fn only_line(caller: &Caller) -> Value {
    caller.get(&caller.cart()).await.expect(200)["cart"]["items"][0].clone()
}

#[tokio::test]
async fn an_offer_counts_at_reading_and_a_changed_price_is_told() {
    let app = TestApp::start().await;
    let product = app.product(99.99, 10).await;
    let caller = app.customer().await;
    caller.add(&product, 3).await.expect(200);
    let now = app.now_seconds();
    let offer = doc! { "discount": 1250_i32, "from": now - 5, "to": now + 60, "description": "Diwali" };
    app.change_product(&product, doc! { "$set": { "offer": offer } }).await;
    let line = caller.get(&caller.cart()).await.expect(200)["cart"]["items"][0].clone();
    assert_json_snapshot!(stable(&line), @r#"
    {
      "added_at": "[time]",
      "code": "TATA-NEXON-BRK-[code]",
      "discount": 12.5,
      "image_url": "https://images.example.com/a.webp",
      "in_stock": true,
      "line_total": 262.47,
      "previous_unit_price": 99.99,
      "price": 99.99,
      "price_changed": true,
      "product_id": "[id]",
      "product_name": "Front brake pad",
      "quantity": 3,
      "unit_price": 87.49
    }
    "#);
    app.advance(std::time::Duration::from_secs(70));
    let line = caller.get(&caller.cart()).await.expect(200)["cart"]["items"][0].clone();
    assert_eq!(
        (&line["discount"], &line["price_changed"], &line["previous_unit_price"]),
        (&json!(0), &json!(false), &Value::Null)
    );
}

#[tokio::test]
async fn an_offer_counts_from_its_first_to_its_last_second_without_any_write() {
    let app = TestApp::start_with_stopped_clock().await;
    let product = app.product(200.0, 10).await;
    let caller = app.customer().await;
    caller.add(&product, 2).await.expect(200);
    let now = app.now_seconds();
    let offer = doc! { "discount": 2500_i32, "from": now + 60, "to": now + 120, "description": "One minute" };
    app.change_product(&product, doc! { "$set": { "offer": offer } }).await;
    // The times are the last millisecond before the offer, its first millisecond, its last two milliseconds, and the
    // first millisecond after it.
    for (ahead, total) in [(59_999, "400"), (1, "300"), (60_998, "300"), (1, "300"), (1, "400")] {
        app.advance(Duration::from_millis(ahead));
        let line = only_line(&caller).await;
        assert_eq!(line["line_total"].to_string(), total, "{ahead} ms later");
        let (changed, previous) = (total == "300", if total == "300" { json!(200) } else { Value::Null });
        assert_eq!((&line["price_changed"], &line["previous_unit_price"]), (&json!(changed), &previous));
    }
}

#[tokio::test]
async fn a_line_begun_during_an_offer_remembers_its_price() {
    let app = TestApp::start_with_stopped_clock().await;
    let product = app.product(200.0, 10).await;
    let caller = app.customer().await;
    let now = app.now_seconds();
    let offer = doc! { "discount": 2500_i32, "from": now, "to": now, "description": "One second" };
    app.change_product(&product, doc! { "$set": { "offer": offer } }).await;
    let line = caller.set(&product, 1).await.expect(200)["cart"]["items"][0].clone();
    assert_eq!((&line["unit_price"], &line["price_changed"]), (&json!(150), &json!(false)));
    app.advance(Duration::from_secs(1));
    let line = only_line(&caller).await;
    assert_eq!((&line["unit_price"], &line["previous_unit_price"]), (&json!(200), &json!(150)));
}

#[tokio::test]
async fn a_line_remembers_the_price_at_which_it_was_begun() {
    let app = TestApp::start().await;
    let product = app.product(100.0, 10).await;
    let caller = app.customer().await;
    caller.add(&product, 1).await.expect(200);
    let begun = only_line(&caller).await["added_at"].clone();
    app.advance(Duration::from_secs(5));
    app.change_product(&product, doc! { "$set": { "price": 12_000_i64 } }).await;
    for reply in [caller.add(&product, 3).await, caller.set(&product, 2).await, caller.remove(&product, 1).await] {
        let line = reply.expect(200)["cart"]["items"][0].clone();
        assert_eq!((&line["unit_price"], &line["previous_unit_price"]), (&json!(120), &json!(100)));
        assert_eq!((&line["price_changed"], &line["added_at"]), (&json!(true), &begun));
    }
    // A line that is removed and added again remembers the current price.
    for forget in [0, 1] {
        if forget == 0 { caller.set(&product, 0).await } else { caller.delete(&caller.cart()).await }.expect(200);
        let line = caller.set(&product, 2).await.expect(200)["cart"]["items"][0].clone();
        assert_eq!((&line["price_changed"], &line["previous_unit_price"]), (&json!(false), &Value::Null));
        assert_ne!(line["added_at"], begun);
    }
}

#[tokio::test]
async fn a_tenth_and_two_tenths_are_three_tenths() {
    let app = TestApp::start().await;
    let (tenth, fifth) = (app.product(0.1, 10).await, app.product(0.2, 10).await);
    let caller = app.customer().await;
    caller.add(&tenth, 1).await.expect(200);
    let sum = caller.add(&fifth, 1).await.expect(200);
    assert!(sum.text.contains("\"subtotal\":0.3,"), "{}", sum.text);
    caller.set(&tenth, 3).await.expect(200);
    let sum = caller.set(&fifth, 7).await.expect(200);
    let totals: Vec<String> = (0..2).map(|n| sum["cart"]["items"][n]["line_total"].to_string()).collect();
    assert_eq!(
        (totals, sum["cart"]["subtotal"].to_string()),
        (vec!["0.3".to_owned(), "1.4".to_owned()], "1.7".to_owned())
    );
}
