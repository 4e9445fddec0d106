//! The URLs of the images of this server with `PUBLIC_URL` and without it.

use bson::{Document, doc};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Caller, Form, Reply, TestApp, catalogue_file, id_of, some_picture};

const PUBLIC: &str = "https://api.example.com/shop";
const BRANDS: &str = "/api/admin/brands/";
const PRODUCTS: &str = "/api/admin/brands/TATA/models/NEXON/categories/BRK/products/";

/// Starts a server with a public URL, and another one without it on the same database and the same folder.
async fn start() -> [TestApp; 2] {
    let app = TestApp::start_with(&[("PUBLIC_URL", &format!("{PUBLIC}/"))]).await;
    let without = app.another_instance().await;
    [app, without]
}

/// Inserts a brand with an uploaded picture and returns the URL of the picture.
async fn brand_with_picture(staff: &Caller) -> String {
    let form = Form::default().text("brand_name", "Kia").text("brand_code", "KIA").file("image", &some_picture());
    let inserted = Reply::of(form.request(staff, Method::POST, &format!("{BRANDS}insert/"))).await.expect(201);
    inserted["brand"]["image_url"].as_str().expect("a URL").to_owned()
}

/// Returns the path of an image below `PUBLIC`.
fn path_of(url: &str) -> String {
    let path = url.strip_prefix(PUBLIC).unwrap_or_else(|| panic!("{url} is no URL of this server"));
    assert!(path.starts_with("/media/"), "{path}");
    path.to_owned()
}

async fn stored(app: &TestApp, collection: &str, filter: Document) -> Document {
    app.db.collection(collection).find_one(filter).await.expect("asked").expect("a document")
}

#[tokio::test]
async fn uploaded_pictures_are_shown_as_whole_urls_wherever_they_appear() {
    let [app, without] = start().await;
    let product = app.product(10.0, 5).await;
    let (staff, caller) = (app.staff().await, app.customer().await);
    let update = format!("{PRODUCTS}update/{}/", product["product_code"].as_str().expect("a code"));
    let form = Form::default().file("image", &some_picture());
    let updated = Reply::of(form.request(&staff, Method::PUT, &update)).await.expect(200);
    let whole = updated["product"]["image_url"].as_str().expect("a URL").to_owned();
    let path = path_of(&whole);
    app.anonymous().get(&path).await.expect(200);
    assert_eq!(
        stored(&app, "products", doc! { "_id": id_of(&product) }).await.get_str("image_url").expect("a URL"),
        path
    );
    caller.add(&product, 1).await.expect(200);
    let public = PRODUCTS.replace("/admin/", "/utils/");
    for (app, expected) in [(&app, &whole), (&without, &path)] {
        let (reader, caller) = (app.anonymous(), caller.at(&app.url));
        let code = product["code"].as_str().expect("a code");
        let shown = [
            reader.get(&public).await["products"][0].clone(),
            reader.get(&format!("/api/utils/products/{code}/")).await["product"].clone(),
            reader.get("/api/utils/search/?q=brake").await["results"][0].clone(),
            caller.get(&caller.cart()).await["cart"]["items"][0].clone(),
        ];
        assert!(shown.iter().all(|entry| entry["image_url"] == **expected), "{shown:?} {expected}");
        // The URL of a picture elsewhere is shown as it is.
        let brand = reader.get("/api/utils/brands/TATA/").await.expect(200);
        assert_eq!(brand["brand"]["image_url"], "https://images.example.com/a.webp");
    }
}

#[tokio::test]
async fn the_picture_of_an_account_is_a_whole_url_and_may_be_sent_back() {
    let [app, without] = start().await;
    let caller = app.customer().await;
    let photo = |account: &Value| account["profile"]["display"]["photo"].as_str().expect("a picture").to_owned();
    let whole = photo(&caller.send_image("/api/accounts/photo/", "image", &some_picture()).await.expect(200).json);
    let path = path_of(&whole);
    for form in [&whole, &path, &whole.replace("https://api", "HTTPS://API")] {
        let body = json!({ "display": { "photo": form } });
        let account = caller.put("/api/accounts/update/", &body).await.expect(200);
        assert_eq!(photo(&account.json), whole, "{form}");
    }
    // It still counts as uploaded, so it is not removed as if another picture had taken its place.
    app.work().await;
    app.anonymous().get(&path).await.expect(200);
    assert_eq!(photo(&caller.at(&without.url).get("/api/accounts/me/").await.expect(200).json), path);
    assert_eq!(photo(&caller.get("/api/accounts/export/").await.expect(200)["account"]), whole);
    let seen = app.admin().await.get(&format!("/api/admin/users/{}/", caller.user_id)).await.expect(200);
    assert_eq!(photo(&seen["user"]), whole);
}

#[tokio::test]
async fn inserts_changes_and_imports_take_both_forms_and_store_paths() {
    let [app, _] = start().await;
    app.product(10.0, 5).await;
    let staff = app.staff().await;
    let whole = brand_with_picture(&staff).await;
    let path = path_of(&whole);
    for (n, form) in [&whole, &path].into_iter().enumerate() {
        let code = format!("P{n}");
        let body = json!({ "product_name": "Pad", "product_code": code, "description": "A pad", "price": 1, "stock": 1,
            "image_url": form });
        let inserted = staff.post(&format!("{PRODUCTS}insert/"), &body).await.expect(201);
        assert_eq!(inserted["product"]["image_url"], whole);
        let changed = staff.put(&format!("{BRANDS}update/TATA/"), &json!({ "image_url": form })).await.expect(200);
        assert_eq!(changed["brand"]["image_url"], whole);
        let row =
            catalogue_file::line("TATA", &format!("I{n}"), "10").replace("https://images.example.com/tata.webp", form);
        let file =
            format!("{}\n{}\n", catalogue_file::HEADER, row.replace("https://images.example.com/pad.webp", form));
        assert_eq!(catalogue_file::import(&staff, "text/csv", &file).await.expect(200)["failed"], json!([]), "{form}");
        for own in [code, format!("I{n}")] {
            let product = stored(&app, "products", doc! { "own_code": own }).await;
            assert_eq!(product.get_str("image_url").expect("a URL"), path);
        }
        assert_eq!(stored(&app, "brands", doc! { "code": "TATA" }).await.get_str("image_url").expect("a URL"), path);
    }
}

#[tokio::test]
async fn the_own_picture_of_an_entry_stays_when_its_url_is_sent_back() {
    let [app, _] = start().await;
    let staff = app.staff().await;
    let whole = brand_with_picture(&staff).await;
    let change = json!({ "brand_name": "Kia Motors", "image_url": whole });
    let changed = staff.put(&format!("{BRANDS}update/KIA/"), &change).await.expect(200);
    assert_eq!(changed["brand"]["image_url"], whole);
    app.work().await;
    app.anonymous().get(&path_of(&whole)).await.expect(200);
    assert!(stored(&app, "brands", doc! { "code": "KIA" }).await.contains_key("image_key"));
}
