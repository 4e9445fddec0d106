//! A fall of the stock of a product that is in a thousand carts.
//!
//! The benchmark measures how long the redistribution takes and how much slower reads are meanwhile.

use std::{
    thread,
    time::{Duration, Instant},
};

use bson::{Document, doc, oid::ObjectId};
use serde_json::{Value, json};

use super::{
    Bench,
    load::Ask,
    report::median,
    servers::Served,
    shop::{Shop, product_path},
};

/// The quantity in each cart before the fall.
const HELD: i64 = 3;
/// The stock after the fall.
const LEFT: i64 = 1_500;
/// The number of seconds for which reads are measured.
const SECONDS: u32 = 2;

/// Measures falls of the stock while readers read another product from the cache.
pub async fn measure(bench: &Bench, server: &Served, shop: &Shop) -> Value {
    let reads = vec![Ask::get(product_path(&shop.codes[1]))];
    let (mut ratios, mut spans) = (Vec::new(), Vec::new());
    for _ in 0..bench.long_rounds() {
        let product = hold(bench, &shop.codes[0]).await;
        let quiet = bench.run_for(server, &reads, 8, SECONDS).load.p99;
        let (busy, span) = thread::scope(|scope| {
            let readers = scope.spawn(|| bench.run_for(server, &reads, 8, SECONDS).load.p99);
            let handle = tokio::runtime::Handle::current();
            let span = tokio::task::block_in_place(|| handle.block_on(fall(bench, product)));
            (readers.join().expect("the reads"), span)
        });
        ratios.push(busy / quiet);
        spans.push(span.as_secs_f64());
    }
    let (ratio, span) = (median(ratios), median(spans));
    let verdict = |good: bool| if good { "ok" } else { "ABOVE" };
    println!("\nstock fall under 1,000 carts: shared out in {span:.2} s (goal: under 5) {}", verdict(span < 5.0));
    println!("p99 of cached reads meanwhile: {ratio:.1} times the quiet one (goal: under 2) {}", verdict(ratio < 2.0));
    json!({ "seconds": span, "goal_seconds": 5.0, "p99_ratio": ratio, "goal_p99_ratio": 2.0 })
}

/// Puts the product into every cart and gives it a large stock. Returns its id.
async fn hold(bench: &Bench, code: &str) -> ObjectId {
    let products = bench.database.collection::<Document>("products");
    let plenty = doc! { "$set": { "stock": 1_000_000_i64 } };
    let product = products.find_one_and_update(doc! { "code": code }, plenty).await.expect("an update");
    let product = product.expect("a product").get_object_id("_id").expect("an id");
    let line = doc! { "product_id": product, "quantity": HELD, "added_at": bson::DateTime::now(), "unit_price_at_add": 1_i64,
    "rev": ObjectId::new() };
    let users = bench.database.collection::<Document>("users");
    users.update_many(doc! {}, doc! { "$set": { "cart.items": [line] } }).await.expect("an update");
    // The worker hears of this change too. The pause lets it finish before the stock falls.
    tokio::time::sleep(Duration::from_secs(1)).await;
    product
}

/// Lets the stock fall and waits until the redistribution has ended. Returns how long that took.
///
/// The redistribution has ended when its plan has been stored and removed again.
async fn fall(bench: &Bench, product: ObjectId) -> Duration {
    tokio::time::sleep(Duration::from_millis(200)).await;
    let products = bench.database.collection::<Document>("products");
    let started = Instant::now();
    let fallen = doc! { "$set": { "stock": LEFT } };
    products.update_one(doc! { "_id": product }, fallen).await.expect("an update");
    for under_way in [true, false] {
        while is_planned(bench, product).await != under_way {
            assert!(started.elapsed() < Duration::from_secs(60), "the stock is not shared out");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    let span = started.elapsed();
    assert_eq!(held(bench, product).await, LEFT);
    span
}

/// Returns whether a plan for the product exists.
///
/// This query is cheap. Adding up the carts instead would slow down the readers that are measured.
async fn is_planned(bench: &Bench, product: ObjectId) -> bool {
    let plans = bench.database.collection::<Document>("plans");
    plans.find_one(doc! { "product_id": product }).projection(doc! { "_id": 1 }).await.expect("an answer").is_some()
}

async fn held(bench: &Bench, product: ObjectId) -> i64 {
    let sum = doc! { "$group": { "_id": null, "held": { "$sum": "$cart.items.quantity" } } };
    let lines = doc! { "$match": { "cart.items.product_id": product } };
    let pipeline = [lines.clone(), doc! { "$unwind": "$cart.items" }, lines, sum];
    let users = bench.database.collection::<Document>("users");
    let mut found = users.aggregate(pipeline).await.expect("a sum");
    if !found.advance().await.expect("a sum") {
        return 0;
    }
    found.deserialize_current().expect("a document").get_i64("held").expect("a number")
}
