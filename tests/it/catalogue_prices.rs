//! The price of the moment in the answers of the catalogue, and the copies of these answers when offers begin and end.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bson::doc;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Caller, Reply, TestApp};

const LIST: &str = "/api/utils/brands/TATA/models/NEXON/categories/BRK/products/";

/// Returns the path of every call that shows the product.
fn paths(product: &Value) -> Vec<String> {
    let (own, full) = (product["product_code"].as_str().expect("a code"), product["code"].as_str().expect("a code"));
    let of_one = [format!("{LIST}{own}/"), format!("/api/utils/products/{full}/")];
    let lists = ["?limit=5", "search/?q=brake"].map(|rest| format!("{LIST}{rest}"));
    let searches = ["q=brake", "q=front&sort=price"].map(|query| format!("/api/utils/search/?{query}"));
    of_one.into_iter().chain(lists).chain(searches).collect()
}

/// Returns what an answer says about the price of its first product: the price now, the discount, and until when.
fn price(reply: &Reply) -> [Value; 3] {
    let lists = [&reply["product"], &reply["products"][0], &reply["results"][0]];
    let product = lists.into_iter().find(|product| product.is_object()).expect("a product");
    ["unit_price", "discount", "price_until"].map(|field| product[field].clone())
}

/// Returns an instant as the API writes it.
fn instant(seconds: i64) -> Value {
    let at = bson::DateTime::from_millis(seconds * 1000).try_to_rfc3339_string().expect("a time");
    json!(at.replace('Z', ".000Z"))
}

async fn get_if_changed(caller: &Caller, path: &str, tag: &str) -> Reply {
    Reply::of(caller.request(Method::GET, path).header("if-none-match", tag)).await
}

/// Gives a product an offer of 25 %.
async fn offer(app: &TestApp, product: &Value, from: i64, to: i64) {
    let offer = doc! { "discount": 2500_i32, "from": from, "to": to, "description": "One minute" };
    app.change_product(product, doc! { "$set": { "offer": offer } }).await;
}

#[tokio::test]
async fn every_answer_shows_the_price_of_the_moment_and_until_when() {
    let app = TestApp::start_with_stopped_clock().await;
    let product = app.product(99.99, 10).await;
    app.cache_is_in_use().await;
    let (staff, now) = (app.staff().await, app.now_seconds());
    offer(&app, &product, now + 60, now + 120).await;
    let (before, during) = (json!([99.99, 0, instant(now + 60)]), json!([74.99, 25, instant(now + 121)]));
    let after = json!([99.99, 0, null]);
    let mut known = vec![String::new(); paths(&product).len()];
    // The times are long before the offer, the last millisecond before it, its first one, its last one, and the first
    // millisecond after it.
    for (ahead, expected, is_new) in
        [(0, &before, true), (59_999, &before, false), (1, &during, true), (60_999, &during, false), (1, &after, true)]
    {
        app.advance(Duration::from_millis(ahead));
        for (path, known) in paths(&product).iter().zip(&mut known) {
            let first = get_if_changed(&app.anonymous(), path, known).await.expect(if is_new { 200 } else { 304 });
            *known = first.header("etag").to_owned();
            for caller in [&app.anonymous(), &staff] {
                assert_eq!(json!(price(&caller.get(path).await.expect(200))), *expected, "{path} {ahead} ms later");
            }
            get_if_changed(&app.anonymous(), path, known).await.expect(304);
        }
    }
}

#[tokio::test]
async fn a_page_is_read_from_memory_until_the_first_of_its_offers_begins_or_ends() {
    let app = TestApp::start_with_stopped_clock().await;
    let products = [app.product(10.0, 1).await, app.product(20.0, 1).await, app.product(40.0, 1).await];
    app.cache_is_in_use().await;
    let now = app.now_seconds();
    offer(&app, &products[0], now, now + 29).await;
    offer(&app, &products[2], now + 10, now + 10).await;
    let prices = async || {
        let page = app.anonymous().get(LIST).await.expect(200);
        let [hits, misses, _] = app.cache_reads().await;
        let prices = page["products"].as_array().expect("products").iter();
        (prices.map(|product| product["unit_price"].to_string()).collect::<Vec<_>>().join(" "), hits, misses)
    };
    for (ahead, expected) in [(0, "7.5 20 40"), (10, "7.5 20 30"), (1, "7.5 20 40"), (19, "10 20 40")] {
        app.advance(Duration::from_secs(ahead));
        let (first, _, misses) = prices().await;
        assert_eq!(first, expected);
        let (second, hits, _) = prices().await;
        let (third, hits_later, misses_later) = prices().await;
        assert_eq!((second.as_str(), third.as_str()), (expected, expected));
        assert_eq!((hits_later, misses_later), (hits + 1, misses), "{ahead} s later");
    }
}

#[tokio::test]
async fn nobody_is_told_an_old_price_while_many_read_at_the_moment_of_the_change() {
    let app = Arc::new(TestApp::start_with_stopped_clock().await);
    let product = app.product(200.0, 10).await;
    app.cache_is_in_use().await;
    let now = app.now_seconds();
    offer(&app, &product, now + 1, now + 4).await;
    let seconds_passed = Arc::new(AtomicUsize::new(0));
    let readers = (0..8).map(|n| {
        let (app, passed) = (Arc::clone(&app), Arc::clone(&seconds_passed));
        let path = paths(&product)[n % 4].clone();
        tokio::spawn(async move {
            let (reader, mut tag, mut shown) = (app.anonymous(), String::new(), String::new());
            while passed.load(Ordering::SeqCst) < 6 {
                let earliest = passed.load(Ordering::SeqCst);
                let reply = get_if_changed(&reader, &path, &tag).await;
                let latest = passed.load(Ordering::SeqCst) + 1;
                if reply.status == 200 {
                    (tag, shown) = (reply.header("etag").to_owned(), price(&reply)[0].to_string());
                }
                let possible = (earliest..=latest).map(|second| if (1..=4).contains(&second) { "150" } else { "200" });
                assert!(possible.into_iter().any(|price| price == shown), "{shown} at {earliest} to {latest} s");
            }
        })
    });
    let readers: Vec<_> = readers.collect();
    for _ in 0..6 {
        tokio::time::sleep(Duration::from_millis(60)).await;
        app.advance(Duration::from_secs(1));
        seconds_passed.fetch_add(1, Ordering::SeqCst);
    }
    for reader in readers {
        reader.await.expect("no old price");
    }
}

#[tokio::test]
async fn staff_see_the_price_of_what_they_write_and_an_offer_that_ends_is_no_change() {
    let app = TestApp::start_with_stopped_clock().await;
    let inserted = app.product(10.0, 5).await;
    assert_eq!((&inserted["unit_price"], &inserted["price_until"]), (&json!(10), &Value::Null));
    let (staff, now) = (app.staff().await, app.now_seconds());
    let path = format!("{LIST}{}/", inserted["product_code"].as_str().expect("a code"));
    let update = path.replace("/utils/", "/admin/").replace("/products/", "/products/update/");
    let validity = json!({ "from": now - 5, "to": now + 9 });
    let offers = json!({ "discount": 50, "validity": validity, "description": "Half" });
    let updated = staff.put(&update, &json!({ "offers": offers })).await.expect(200);
    assert_eq!(json!(price(&updated)), json!([5, 50, instant(now + 10)]));
    let tag = staff.get(&path).await.header("etag").to_owned();
    let if_match = async |tag: &str| {
        let body = json!({ "description": format!("Read with {tag}") });
        Reply::of(staff.request(Method::PUT, &update).header("if-match", tag).json(&body)).await
    };
    app.advance(Duration::from_secs(10));
    assert_eq!(json!(price(&if_match(&tag).await.expect(200))), json!([10, 0, null]));
    if_match(&tag).await.expect(412);
    let tag = staff.get(&path).await.header("etag").to_owned();
    if_match(&tag).await.expect(200);
}
