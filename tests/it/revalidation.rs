//! Entity tags of the catalogue. Only a caller whose tag is current gets status 304.

use bson::doc;
use reqwest::{Method, header::HeaderMap};
use serde_json::{Value, json};

use crate::support::{Caller, Reply, TestApp};

const BRANDS: &str = "/api/utils/brands/";

/// Returns the path of every read of the catalogue. The last four paths show products.
fn paths(product: &Value) -> Vec<String> {
    let (model, category) = (format!("{BRANDS}TATA/models/"), format!("{BRANDS}TATA/models/NEXON/categories/"));
    let products = format!("{category}BRK/products/");
    let own = product["product_code"].as_str().expect("a code");
    let branches = [(BRANDS, "TATA"), (&model, "NEXON"), (&category, "BRK")];
    let branches = branches.iter().flat_map(|(list, code)| {
        [(*list).to_owned(), format!("{list}{code}/"), format!("{list}search/?q={code}"), format!("{list}?limit=1")]
    });
    let full = format!("/api/utils/products/{}/", product["code"].as_str().expect("a code"));
    branches.chain([products.clone(), format!("{products}search/?q=pad"), format!("{products}{own}/"), full]).collect()
}

async fn get_if_changed(caller: &Caller, path: &str, tags: &str) -> Reply {
    Reply::of(caller.request(Method::GET, path).header("if-none-match", tags)).await
}

fn vary(headers: &HeaderMap) -> Vec<&str> {
    let mut values: Vec<&str> = headers.get_all("vary").iter().map(|value| value.to_str().expect("text")).collect();
    values.sort_unstable();
    values
}

#[tokio::test]
async fn every_read_has_a_tag_and_answers_304_to_those_who_know_it() {
    let app = TestApp::start().await;
    let product = app.product(10.0, 1).await;
    let anyone = app.anonymous();
    for path in paths(&product) {
        let whole = anyone.get(&path).await.expect(200);
        let tag = whole.header("etag").to_owned();
        assert!(tag.starts_with('"') && tag.ends_with('"') && tag.len() > 10, "{path}: {tag}");
        for tags in [tag.clone(), format!("\"other\", {tag}"), "*".to_owned()] {
            let known = get_if_changed(&anyone, &path, &tags).await.expect(304);
            assert_eq!((known.text.as_str(), known.header("etag")), ("", tag.as_str()), "{path}");
            assert_eq!(known.header("cache-control"), "public, no-cache");
            assert_eq!(vary(&known.headers), vary(&whole.headers), "{path}");
        }
        let weak = get_if_changed(&anyone, &path, &format!("W/{tag}")).await.expect(304);
        assert_eq!(weak.header("etag"), format!("W/{tag}"));
        let again = get_if_changed(&anyone, &path, "\"other\"").await.expect(200);
        assert_eq!((&again.text, again.header("etag")), (&whole.text, tag.as_str()));
    }
}

#[tokio::test]
async fn answers_say_what_they_depend_on() {
    let app = TestApp::start().await;
    let product = app.product(10.0, 1).await;
    let paths = paths(&product);
    let (branches, products) = paths.split_at(paths.len() - 4);
    for path in branches {
        let reply = app.anonymous().get(path).await.expect(200);
        assert_eq!(vary(&reply.headers), ["Accept-Encoding", "Origin"], "{path}");
    }
    for caller in [app.anonymous(), app.customer().await, app.staff().await] {
        for path in products {
            let reply = caller.get(path).await.expect(200);
            assert_eq!(vary(&reply.headers), ["Accept-Encoding", "Authorization", "Origin"], "{path}");
        }
    }
}

#[tokio::test]
async fn head_tells_the_tag_and_the_length() {
    let app = TestApp::start().await;
    let product = app.product(10.0, 1).await;
    for path in paths(&product) {
        let get = app.anonymous().get(&path).await.expect(200);
        let head = Reply::of(app.anonymous().request(Method::HEAD, &path)).await.expect(200);
        assert_eq!(head.text, "");
        for name in ["etag", "content-length", "content-type", "cache-control"] {
            assert_eq!(head.header(name), get.header(name), "{path} {name}");
        }
    }
}

#[tokio::test]
async fn a_change_makes_another_tag_and_taking_it_back_the_old_one() {
    let app = TestApp::start().await;
    let product = app.product(10.0, 1).await;
    let shows_product = paths(&product).split_off(12);
    let mut tags = Vec::new();
    for stock in [1_i64, 2, 1] {
        app.change_product(&product, doc! { "$set": { "stock": stock } }).await;
        let mut now = Vec::new();
        for path in &shows_product {
            now.push(app.anonymous().get(path).await.expect(200).header("etag").to_owned());
        }
        tags.push(now);
    }
    assert!(tags[0].iter().zip(&tags[1]).all(|(before, after)| before != after), "{tags:?}");
    assert_eq!(tags[0], tags[2]);
    let staff = app.staff().await;
    let one = &shows_product[2];
    assert_eq!(staff.get(one).await.header("etag"), tags[2][2]);
}

#[tokio::test]
async fn compressed_answers_have_the_weak_form_of_the_tag() {
    let app = TestApp::start().await;
    let product = app.product(10.0, 1).await;
    app.change_product(&product, doc! { "$set": { "description": "brake pads ".repeat(200) } }).await;
    let path = paths(&product).pop().expect("a path");
    let strong = app.anonymous().get(&path).await.expect(200).header("etag").to_owned();
    let packed = app.anonymous().request(Method::GET, &path).header("accept-encoding", "gzip").send().await;
    let packed = packed.expect("an answer");
    assert_eq!(packed.headers()["content-encoding"], "gzip");
    assert_eq!(packed.headers()["etag"], format!("W/{strong}"));
    assert_eq!(vary(packed.headers()), ["Accept-Encoding", "Authorization", "Origin"]);
    let plain = app.anonymous().get(&path).await.expect(200).text;
    for caller in [app.anonymous(), app.anonymous(), app.staff().await] {
        let packed = caller.request(Method::GET, &path).header("accept-encoding", "gzip").send().await;
        let (mut text, bytes) = (String::new(), packed.expect("an answer").bytes().await.expect("a body"));
        std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&bytes[..]), &mut text).expect("gzip");
        assert_eq!(text, plain);
    }
    get_if_changed(&app.anonymous(), &path, &format!("W/{strong}")).await.expect(304);
}

#[tokio::test]
async fn refusals_have_no_tag_and_are_not_kept() {
    let app = TestApp::start().await;
    let reply = get_if_changed(&app.anonymous(), "/api/utils/brands/NONE/", "*").await;
    let reply = reply.refused(404, "brand not found");
    assert_eq!((reply.header("etag"), reply.header("cache-control")), ("", "no-store"));
    let staff = app.staff().await;
    let brand = json!({ "brand_name": "None", "brand_code": "NONE", "image_url": "https://images.example.com/a.png" });
    staff.post("/api/admin/brands/insert/", &brand).await.expect(201);
    app.anonymous().get("/api/utils/brands/NONE/").await.expect(200);
}
