//! Carts when a stock falls or a product is removed.

use std::time::{Duration, Instant};

use bson::{Bson, Document, doc, oid::ObjectId};
use futures_util::{TryStreamExt, future::join_all};
use serde_json::json;

use crate::support::{TestApp, chain_of, eventually, id_of, quantity};

#[tokio::test]
async fn a_stock_that_does_not_suffice_is_shared_out_by_the_rule() {
    let app = TestApp::start().await;
    let workers = app.start_workers();
    let cases = [
        (15, [5, 4, 3, 2, 1], 4_i64),
        (9, [3, 2, 2, 1, 1], 4),
        (4, [1, 1, 1, 1, 0], 5),
        (2, [1, 1, 0, 0, 0], 5),
        (0, [0; 5], 5),
    ];
    for (stock, shares, changed) in cases {
        let product = app.product(10.0, 20).await;
        let customers = app.carts_with(&product, &[7, 5, 4, 3, 1]).await;
        app.set_stock(&product, stock).await;
        app.until_held(&customers, &product, &shares).await;
        let told = app.redistributions().await.pop().expect("an entry");
        assert_eq!(told.get_str("code").expect("a code"), product["code"]);
        let changes = doc! { "stock": stock, "asked": 20_i64, "lines": changed };
        for (field, value) in [("document_key", doc! { "_id": id_of(&product) }), ("update_description", changes)] {
            assert_eq!(told.get_document(field).expect(field), &value);
        }
        assert_eq!((told.get("actor"), told.get("request_id")), (Some(&Bson::Null), Some(&Bson::Null)));
    }
    assert_eq!(app.redistributions().await.len(), cases.len());
    workers.stop().await;
}

#[tokio::test]
async fn what_is_replaced_sold_out_or_deleted_leaves_carts_and_what_is_hidden_stays() {
    let app = TestApp::start().await;
    let workers = app.start_workers();
    let mut products = Vec::new();
    for _ in 0..5 {
        products.push(app.product(10.0, 10).await);
    }
    let [replaced, sold_out, oversold, deleted, hidden] = &products[..] else { panic!("five products") };
    let customers = app.carts_with(&products[0], &[6, 4]).await;
    for (customer, product) in customers.iter().flat_map(|customer| products[1..].iter().map(move |p| (customer, p))) {
        customer.add(product, 3).await.expect(200);
    }
    let stored = app.products().find_one(doc! { "_id": id_of(replaced) }).await.expect("found").expect("a product");
    let mut other = stored.clone();
    other.insert("stock", 5_i64);
    app.products().replace_one(doc! { "_id": id_of(replaced) }, other).await.expect("replaced");
    app.set_stock(sold_out, 0).await;
    app.set_stock(oversold, -7).await;
    app.products().delete_one(doc! { "_id": id_of(deleted) }).await.expect("deleted");
    app.change_product(hidden, doc! { "$set": { "is_active": false } }).await;
    app.until_held(&customers, replaced, &[3, 2]).await;
    for product in [sold_out, oversold, deleted] {
        app.until_held(&customers, product, &[0, 0]).await;
        eventually("the line is gone", || async { app.lines(product).await.is_empty() }).await;
    }
    assert_eq!((app.held(hidden).await, customers[0].pieces(hidden).await), (6, 0));
    app.change_product(hidden, doc! { "$set": { "is_active": true } }).await;
    assert_eq!(customers[0].pieces(hidden).await, 3);
    let told = app.redistributions().await;
    let code = |entry: &Document| entry.get_str("code").map(str::to_owned).ok();
    assert_eq!(told.iter().filter(|entry| code(entry).is_none()).count(), 1, "a deleted product has no code");
    workers.stop().await;
}

#[tokio::test]
async fn a_stock_that_suffices_changes_nothing_and_a_raise_gives_nothing_back() {
    let app = TestApp::start().await;
    let product = app.product(10.0, 20).await;
    let customers = app.carts_with(&product, &[7, 5]).await;
    let before = app.lines(&product).await;
    app.set_stock(&product, 12).await;
    app.work().await;
    assert_eq!(app.lines(&product).await, before);
    assert!(app.redistributions().await.is_empty());
    app.set_stock(&product, 6).await;
    app.work().await;
    app.set_stock(&product, 100).await;
    app.work().await;
    app.until_held(&customers, &product, &[4, 2]).await;
    assert_eq!(app.redistributions().await.len(), 1);
}

/// Checks a plan that a crash interrupted.
///
/// The plan has three lines. The first is carried out, the second is not, and the owner of the third has changed it
/// since. The stock has been raised meanwhile.
#[tokio::test]
async fn a_plan_that_was_cut_off_is_carried_out_as_planned() {
    let app = TestApp::start().await;
    let product = app.product(10.0, 20).await;
    let customers = app.carts_with(&product, &[8, 6, 6]).await;
    let lines: Vec<Bson> = app
        .lines(&product)
        .await
        .iter()
        .map(|line| doc! { "user": line.get("user"), "rev": line.get("rev"), "asked": quantity(line), "share": quantity(line) / 2 })
        .map(Bson::from)
        .collect();
    let id = doc! { "redistribution": ObjectId::new(), "part": 0 };
    let plan = doc! { "_id": id, "product_id": id_of(&product), "stock": 10_i64, "lines": lines.clone() };
    app.db.collection::<Document>("plans").insert_one(plan).await.expect("a plan");
    let done = lines[0].as_document().expect("a line");
    let line = doc! { "_id": done.get("user"), "cart.items.rev": done.get("rev") };
    let carried_out = doc! { "$set": { "cart.items.$.quantity": 4_i64, "cart.items.$.rev": ObjectId::new() } };
    app.users().update_one(line, carried_out).await.expect("carried out");
    customers[2].add(&product, 1).await.expect(200);
    let workers = app.start_workers();
    app.until_held(&customers, &product, &[4, 3, 7]).await;
    app.until_no_plan().await;
    // The audit entry is written together with the plan. Carrying out the plan writes no other entry.
    assert!(app.redistributions().await.is_empty());
    workers.stop().await;
}

#[tokio::test]
async fn four_at_once_that_believe_to_have_the_lease_do_nothing_twice() {
    let app = TestApp::start().await;
    let product = app.product(10.0, 500).await;
    app.carts_with(&product, &[200, 100, 100, 60, 40]).await;
    for step in 1..=20 {
        app.set_stock(&product, 500 - 20 * step).await;
        join_all([app.work(), app.work(), app.work(), app.work()]).await;
        assert_eq!(app.held(&product).await, 500 - 20 * step);
    }
    let chain = chain_of(&app.redistributions().await);
    assert_eq!(chain, (0..=20).map(|step| 500 - 20 * step).collect::<Vec<i64>>());
}

#[tokio::test]
async fn all_carts_are_swept_every_ten_minutes() {
    let app = TestApp::start().await;
    let workers = app.start_workers();
    let product = app.product(10.0, 20).await;
    let customers = app.carts_with(&product, &[7, 5]).await;
    let follows = || async { app.worker("stock").await.get_document("position").is_ok() };
    eventually("the worker follows the stream", follows).await;
    // The cart now holds more than the stock, but no product has changed, so the change stream does not report it.
    let line = doc! { "cart.items.product_id": id_of(&product), "cart.items.quantity": 7 };
    app.users().update_one(line, doc! { "$set": { "cart.items.0.quantity": 21_i64 } }).await.expect("changed");
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(app.held(&product).await, 26);
    app.advance(Duration::from_secs(601));
    app.until_held(&customers, &product, &[16, 4]).await;
    workers.stop().await;
}

#[tokio::test]
async fn carts_are_found_by_an_index() {
    let app = TestApp::start().await;
    let product = app.product(10.0, 20).await;
    app.carts_with(&product, &[7, 5]).await;
    let uses = || async {
        let stages = [doc! { "$indexStats": {} }, doc! { "$match": { "name": "cart_product" } }];
        let found: Vec<Document> =
            app.users().aggregate(stages).await.expect("asked").try_collect().await.expect("stats");
        found[0].get_document("accesses").expect("accesses").get_i64("ops").expect("a number")
    };
    let before = uses().await;
    app.work().await;
    let swept = uses().await;
    assert!(swept > before, "the sweep");
    app.set_stock(&product, 3).await;
    app.work().await;
    assert!(uses().await > swept + 1, "sweep and plan");
}

#[tokio::test]
#[ignore = "slow"]
async fn a_thousand_carts_are_settled_within_seconds_and_ten_thousand_in_parts() {
    let app = TestApp::start().await;
    let workers = app.start_workers();
    for (carts, limit) in [(1_000_u32, 5), (12_000, 30)] {
        let product = app.product(10.0, 100_000).await;
        app.many_carts(&product, carts, 5).await;
        let started = Instant::now();
        app.set_stock(&product, 3 * i64::from(carts)).await;
        let settled = || async { app.held(&product).await == 3 * i64::from(carts) };
        eventually("all is shared out", settled).await;
        assert!(started.elapsed() < Duration::from_secs(limit), "{:?}", started.elapsed());
        let lines = app.lines(&product).await;
        assert!(lines.len() == carts as usize && lines.iter().all(|line| quantity(line) == 3));
    }
    assert_eq!(app.redistributions().await.len(), 2, "{}", json!(app.redistributions().await));
    workers.stop().await;
}
