//! The cache of the catalogue: which reads it answers, which changes remove an entry, and what it does when it does not
//! hear of changes.

use std::time::{Duration, Instant};

use bson::doc;
use serde_json::{Value, json};

use crate::support::{TempFolder, TestApp, eventually};

const BRANDS: &str = "/api/utils/brands/";
const PRODUCTS: &str = "/api/utils/brands/TATA/models/NEXON/categories/BRK/products/";

fn path_of(product: &Value) -> String {
    format!("/api/utils/products/{}/", product["code"].as_str().expect("a code"))
}

#[tokio::test]
async fn the_second_read_comes_from_memory_and_so_does_the_second_cart() {
    let app = TestApp::start().await;
    let product = app.product(10.0, 5).await;
    let caller = app.customer().await;
    caller.add(&product, 1).await.expect(200);
    app.cache_is_in_use().await;
    for path in [BRANDS.to_owned(), format!("{PRODUCTS}search/?q=pad"), path_of(&product), caller.cart()] {
        let first = caller.get(&path).await.expect(200);
        let [hits, ..] = app.cache_reads().await;
        assert_eq!(caller.get(&path).await.expect(200).text, first.text);
        eventually("a repeated read is a hit", || async {
            caller.get(&path).await.expect(200);
            app.cache_reads().await[0] > hits
        })
        .await;
    }
    let [_, misses, _] = app.cache_reads().await;
    assert!(misses >= 4);
}

#[tokio::test]
async fn a_cart_in_memory_asks_the_database_for_its_owner_alone() {
    let app = TestApp::start().await;
    let product = app.product(10.0, 5).await;
    let caller = app.customer().await;
    caller.add(&product, 1).await.expect(200);
    app.cache_is_in_use().await;
    let profile = app.db.collection::<bson::Document>("system.profile");
    eventually("a cart is read without its products", || async {
        caller.get(&caller.cart()).await.expect(200);
        app.db.run_command(doc! { "profile": 2 }).await.expect("a profile");
        caller.get(&caller.cart()).await.expect(200);
        app.db.run_command(doc! { "profile": 0 }).await.expect("no profile");
        let of = |name| profile.count_documents(doc! { "op": "query", "command.find": name });
        let counts = (of("users").await.expect("a count"), of("products").await.expect("a count"));
        profile.drop().await.expect("an empty profile");
        counts == (1, 0)
    })
    .await;
}

#[tokio::test]
async fn what_this_server_inserts_is_there_at_once() {
    let app = TestApp::start().await;
    app.product(10.0, 5).await;
    let staff = app.staff().await;
    app.cache_is_in_use().await;
    for n in 0..20 {
        app.anonymous().get(&format!("{PRODUCTS}?limit=100")).await.expect(200);
        let body = json!({ "product_name": "Pad", "product_code": format!("N{n}"), "description": "x", "price": 1,
            "stock": 1, "image_url": "https://images.example.com/a.png" });
        staff.post(&format!("{}insert/", PRODUCTS.replace("utils", "admin")), &body).await.expect(201);
        let listed = app.anonymous().get(&format!("{PRODUCTS}?limit=100")).await.expect(200);
        assert_eq!(listed["products"].as_array().map(Vec::len), Some(n + 2));
        app.anonymous().get(&format!("{PRODUCTS}N{n}/")).await.expect(200);
    }
}

#[tokio::test]
async fn one_instance_hears_of_what_another_inserts() {
    let app = TestApp::start().await;
    let other = app.another_instance().await;
    other.cache_is_in_use().await;
    assert_eq!(other.anonymous().get(BRANDS).await.expect(200)["brands"], json!([]));
    let product = app.product(10.0, 5).await;
    for path in [format!("{BRANDS}TATA/"), path_of(&product)] {
        eventually("the other instance shows it", || async { other.anonymous().get(&path).await.status == 200 }).await;
    }
    eventually("the other instance lists it", || async {
        other.anonymous().get(BRANDS).await.expect(200)["brands"].as_array().is_some_and(|brands| brands.len() == 1)
    })
    .await;
}

#[tokio::test]
async fn deletes_replacements_and_moves_in_the_database_are_heard_of() {
    let app = TestApp::start().await;
    let product = app.product(10.0, 5).await;
    app.cache_is_in_use().await;
    let anyone = app.anonymous();
    let read = || async { (anyone.get(&path_of(&product)).await, anyone.get(PRODUCTS).await.expect(200)) };
    let mut stored = app.products().find_one(doc! {}).await.expect("a query").expect("a product");
    read().await;
    stored.insert("name", "Another pad");
    app.products().replace_one(doc! {}, &stored).await.expect("a replacement");
    eventually("the replacement is shown", || async {
        let (one, list) = read().await;
        one["product"]["product_name"] == "Another pad" && list["products"][0] == one["product"]
    })
    .await;
    app.products().delete_many(doc! {}).await.expect("a deletion");
    eventually("the product is gone", || async {
        let (one, list) = read().await;
        one.status == 404 && list["products"] == json!([])
    })
    .await;
    app.products().insert_one(&stored).await.expect("an insertion");
    eventually("the product is back", || async { read().await.0.status == 200 }).await;
    app.db.collection::<bson::Document>("brands").drop().await.expect("no brands");
    eventually("there are no brands", || async { anyone.get(&format!("{BRANDS}TATA/")).await.status == 404 }).await;
}

#[tokio::test]
async fn lists_below_a_parent_go_with_it() {
    let app = TestApp::start().await;
    let staff = app.staff().await;
    let brand =
        json!({ "brand_name": "Empty", "brand_code": "EMPTY", "image_url": "https://images.example.com/a.png" });
    staff.post("/api/admin/brands/insert/", &brand).await.expect(201);
    app.cache_is_in_use().await;
    let models = format!("{BRANDS}EMPTY/models/");
    assert_eq!(app.anonymous().get(&models).await.expect(200)["models"], json!([]));
    app.db.collection::<bson::Document>("brands").delete_many(doc! {}).await.expect("a deletion");
    eventually("the list is gone", || async { app.anonymous().get(&models).await.status == 404 }).await;
}

#[tokio::test]
async fn switched_off_it_keeps_nothing_and_everything_works() {
    let app = TestApp::start_with(&[("CATALOG_CACHE_MB", "0")]).await;
    let product = app.product(10.0, 5).await;
    let caller = app.customer().await;
    caller.add(&product, 1).await.expect(200);
    let id = bson::oid::ObjectId::parse_str(product["_id"].as_str().expect("an id")).expect("an id");
    for stock in 10..20_i64 {
        app.products().update_one(doc! { "_id": id }, doc! { "$set": { "stock": stock } }).await.expect("an update");
        assert_eq!(caller.get(&path_of(&product)).await.expect(200)["product"]["stock"], stock);
        caller.get(&caller.cart()).await.expect(200);
    }
    let [hits, misses, bypassed] = app.cache_reads().await;
    assert_eq!((hits, misses), (0, 0));
    assert!(bypassed >= 20);
}

#[tokio::test]
async fn while_the_database_is_gone_customers_see_old_copies_and_staff_none() {
    let folder = TempFolder::new().expect("a folder");
    let (app, mongod) = TestApp::start_with_own_mongod_and(folder.path(), &[("STALE_IF_ERROR", "8s")]).await;
    let product = app.product(10.0, 5).await;
    let (customer, mut staff, path) = (app.customer().await, app.staff().await, path_of(&product));
    // The access token contains the new role only after the next refresh.
    staff.take_tokens(&staff.refresh().await.expect(200));
    app.cache_is_in_use().await;
    let shown = app.anonymous().get(&path).await.expect(200);
    mongod.stop().await;
    eventually("copies say how old they are", || async { !app.anonymous().get(&path).await.header("age").is_empty() })
        .await;
    let started = Instant::now();
    for caller in [app.anonymous(), customer.clone()] {
        let copy = caller.get(&path).await.expect(200);
        assert_eq!((copy.json.clone(), copy.header("etag")), (shown.json.clone(), shown.header("etag")));
        caller.get(BRANDS).await.expect(200);
    }
    assert!(started.elapsed() < Duration::from_millis(500), "cached reads had to wait: {:?}", started.elapsed());
    for path in [&path, BRANDS] {
        staff.get(path).await.expect(503);
    }
    customer.get(&customer.cart()).await.expect(503);
    eventually("old copies expire", || async { app.anonymous().get(&path).await.status == 503 }).await;
}

#[tokio::test]
async fn without_a_time_for_old_copies_there_are_none() {
    let folder = TempFolder::new().expect("a folder");
    let (app, mongod) = TestApp::start_with_own_mongod_and(folder.path(), &[("STALE_IF_ERROR", "0s")]).await;
    let path = path_of(&app.product(10.0, 5).await);
    app.cache_is_in_use().await;
    app.anonymous().get(&path).await.expect(200);
    mongod.stop().await;
    eventually("nothing is shown that may have changed", || async { app.anonymous().get(&path).await.status == 503 })
        .await;
    assert!(app.cache_reads().await[2] > 0);
}

#[tokio::test]
async fn paging_shows_none_twice_and_skips_none_that_was_there_all_along() {
    let app = TestApp::start().await;
    let codes: Vec<String> = (0..40).map(|n| format!("S{n:02}")).collect();
    let mixed: Vec<(&str, &str, &str)> = codes.iter().map(|code| (code.as_str(), "Pad", "x")).collect();
    let staff = app.products_named(&mixed).await;
    app.cache_is_in_use().await;
    let churn = async {
        for n in 0..40 {
            let body = json!({ "product_name": "New", "product_code": format!("N{n}"), "description": "x", "price": 1,
                "stock": 1, "image_url": "https://images.example.com/a.png" });
            staff.post(&format!("{}insert/", PRODUCTS.replace("utils", "admin")), &body).await.expect(201);
            // Half of the products that existed before are deleted: those with an even number.
            let gone = doc! { "own_code": format!("S{:02}", n / 2 * 2) };
            app.products().delete_one(gone).await.expect("a deletion");
        }
    };
    let reading = async {
        for limit in [1, 3, 7, 20] {
            let (mut seen, mut cursor) = (Vec::new(), String::new());
            loop {
                let page = app.anonymous().get(&format!("{PRODUCTS}?limit={limit}&cursor={cursor}")).await.expect(200);
                let page_codes = page["products"].as_array().expect("products").iter();
                seen.extend(page_codes.map(|product| product["product_code"].as_str().expect("a code").to_owned()));
                let Some(next) = page["next_cursor"].as_str() else { break };
                cursor = next.to_owned();
            }
            let mut once = seen.clone();
            once.sort();
            once.dedup();
            assert_eq!(once.len(), seen.len(), "some twice: {seen:?}");
            let stayed = codes.iter().skip(1).step_by(2);
            let skipped: Vec<&String> = stayed.filter(|code| !seen.contains(code)).collect();
            assert!(skipped.is_empty(), "skipped {skipped:?} in {seen:?}");
        }
    };
    tokio::join!(churn, reading);
}

#[tokio::test]
async fn every_list_refuses_limits_that_make_no_sense() {
    let app = TestApp::start().await;
    app.product(10.0, 1).await;
    let models = format!("{BRANDS}TATA/models/");
    let categories = format!("{models}NEXON/categories/");
    for list in [BRANDS, &models, &categories, PRODUCTS] {
        for limit in ["0", "-3", "abc", "100000000000000000000"] {
            let reply = app.anonymous().get(&format!("{list}?limit={limit}")).await;
            reply.refused(400, "limit must be an integer between 1 and 100");
        }
    }
}
