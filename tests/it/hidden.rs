//! Hidden products, which only staff can see.

use bson::doc;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Caller, Reply, TestApp};

const LIST: &str = "/api/utils/brands/TATA/models/NEXON/categories/BRK/products/";

/// Returns the path of every call that shows the product.
fn paths(product: &Value) -> [String; 4] {
    let (own, full) = (product["product_code"].as_str().expect("a code"), product["code"].as_str().expect("a code"));
    [LIST.to_owned(), format!("{LIST}search/?q=brake"), format!("{LIST}{own}/"), format!("/api/utils/products/{full}/")]
}

async fn hidden_product(app: &TestApp) -> Value {
    let product = app.product(10.0, 1).await;
    // The product is read first, so that it is in the cache when it is hidden.
    for path in paths(&product) {
        app.anonymous().get(&path).await.expect(200);
    }
    app.change_product(&product, doc! { "$set": { "is_active": false } }).await;
    product
}

async fn sees_nothing(caller: &Caller, product: &Value) {
    let [list, search, one, by_code] = paths(product);
    assert_eq!(caller.get(&list).await.expect(200)["products"], json!([]));
    assert_eq!(caller.get(&search).await.expect(200)["results"], json!([]));
    for path in [one, by_code] {
        caller.get(&path).await.refused(404, "product not found");
    }
}

#[tokio::test]
async fn customers_and_strangers_see_nothing_of_a_hidden_product() {
    let app = TestApp::start().await;
    let product = hidden_product(&app).await;
    for caller in [app.anonymous(), app.customer().await] {
        sees_nothing(&caller, &product).await;
    }
}

#[tokio::test]
async fn staff_see_hidden_products_and_nobody_gets_their_answers_from_a_cache() {
    let app = TestApp::start().await;
    let product = hidden_product(&app).await;
    for staff in [app.staff().await, app.admin().await] {
        let [list, search, one, by_code] = paths(&product);
        let shown = staff.get(&one).await.expect(200);
        assert_eq!((&shown["product"]["is_active"], &shown["product"]["_id"]), (&json!(false), &product["_id"]));
        assert_eq!(staff.get(&by_code).await.expect(200).text, shown.text);
        assert_eq!(staff.get(&list).await.expect(200)["products"], json!([shown["product"]]));
        assert_eq!(staff.get(&search).await.expect(200)["results"], json!([shown["product"]]));
        for path in paths(&product) {
            assert_eq!(staff.get(&path).await.header("cache-control"), "private, no-store");
        }
    }
    sees_nothing(&app.anonymous(), &product).await;
}

#[tokio::test]
async fn staff_see_what_is_stored_at_this_moment() {
    let app = TestApp::start().await;
    let product = app.product(10.0, 1).await;
    let staff = app.staff().await;
    let id = bson::oid::ObjectId::parse_str(product["_id"].as_str().expect("an id")).expect("an id");
    for stock in 2..30_i64 {
        app.products().update_one(doc! { "_id": id }, doc! { "$set": { "stock": stock } }).await.expect("an update");
        for path in paths(&product) {
            assert!(staff.get(&path).await.text.contains(&format!("\"stock\":{stock}")), "{path} {stock}");
        }
    }
}

#[tokio::test]
async fn a_bad_bearer_is_nobody_s_and_the_answer_says_so() {
    let app = TestApp::start().await;
    let product = app.product(10.0, 1).await;
    let gone = app.staff().await;
    gone.post_empty("/api/auth/logout/").await.expect(200);
    let all = ["/api/utils/brands/", "/api/utils/brands/TATA/", "/api/utils/brands/TATA/models/search/?q=xx"];
    for path in paths(&product).into_iter().chain(all.map(str::to_owned)) {
        let public = app.anonymous().get(&path).await.expect(200);
        assert_eq!(public.header("www-authenticate"), "");
        let junk = app.anonymous().request(Method::GET, &path).header("authorization", "Bearer junk");
        for reply in [gone.get(&path).await, Reply::of(junk).await] {
            assert_eq!(reply.expect(200).tells_of_bad_bearer().text, public.text, "{path}");
        }
        assert_eq!(app.customer().await.get(&path).await.expect(200).header("www-authenticate"), "");
    }
}

#[tokio::test]
async fn a_full_code_names_a_product_or_nothing() {
    let app = TestApp::start().await;
    let product = app.product(10.0, 1).await;
    let [.., one, by_code] = paths(&product);
    assert_eq!(app.anonymous().get(&by_code).await.expect(200).text, app.anonymous().get(&one).await.expect(200).text);
    for code in ["TATA", "TATA-NEXON-BRK", "NONE-NEXON-BRK-X", "TATA-NEXON-BRK-X-Y", "tata-nexon-brk-x", "%00", "$ne"] {
        let path = format!("/api/utils/products/{code}/");
        app.anonymous().get(&path).await.refused(404, "product not found");
    }
}
