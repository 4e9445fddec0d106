//! Images of catalogue entries that are sent in forms.

use std::io::Cursor;

use bson::{Document, doc};
use image::{DynamicImage, ImageFormat};
use reqwest::Method;
use serde_json::json;

use crate::support::{Caller, Form, Reply, TempFolder, TestApp};

const BRANDS: &str = "/api/admin/brands";
const MIB: usize = 1024 * 1024;

async fn start() -> (TestApp, TempFolder) {
    let folder = TempFolder::new().expect("a folder");
    let path = folder.path().to_str().expect("a path").to_owned();
    (TestApp::start_with(&[("DATA_DIR", &path)]).await, folder)
}

fn jpeg() -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    DynamicImage::new_rgb8(80, 40).write_to(&mut file, ImageFormat::Jpeg).expect("a picture");
    file.into_inner()
}

/// Returns a small picture as a file of `bytes` bytes, padded with comments (ITU-T T.81, section B.2.4.5).
fn jpeg_of(bytes: usize) -> Vec<u8> {
    let plain = jpeg();
    let mut file = plain[..2].to_vec();
    while file.len() + plain.len() < bytes {
        let length = u16::try_from((bytes - file.len() - plain.len() + 4).clamp(8, 60_000)).expect("a length");
        file.extend([0xff, 0xfe]);
        file.extend(length.to_be_bytes());
        file.extend(std::iter::repeat_n(b'x', usize::from(length) - 2));
    }
    file.extend(&plain[2..]);
    file
}

fn brand(code: &str, image: &[u8]) -> Form {
    Form::default().text("brand_name", "Tata Motors").text("brand_code", code).file("image", image)
}

async fn insert_brand(staff: &Caller, form: Form) -> Reply {
    Reply::of(form.request(staff, Method::POST, &format!("{BRANDS}/insert/"))).await
}

/// Removes the images that no entry shows any more and returns how many images are left.
async fn kept(app: &TestApp, folder: &TempFolder) -> usize {
    app.work().await;
    std::fs::read_dir(folder.path().join("media")).map_or(0, Iterator::count)
}

#[tokio::test]
async fn an_entry_is_inserted_with_its_image_and_takes_it_along_when_it_goes() {
    let (app, folder) = start().await;
    let staff = app.staff().await;
    let inserted = insert_brand(&staff, brand("TATA", &jpeg())).await.expect(201);
    let url = inserted["brand"]["image_url"].as_str().expect("a URL").to_owned();
    assert_eq!(app.anonymous().get(&url).await.expect(200).header("content-type"), "image/jpeg");
    let path = format!("{BRANDS}/update/TATA/");
    let same = json!({ "brand_name": "Tata", "image_url": url });
    assert_eq!(staff.put(&path, &same).await.expect(200)["brand"]["image_url"], url);
    assert_eq!(kept(&app, &folder).await, 1, "an update with the same URL keeps the image");
    let form = Form::default().file("image", &jpeg());
    let updated = Reply::of(form.request(&staff, Method::PUT, &path)).await.expect(200);
    assert_ne!(updated["brand"]["image_url"], url.as_str());
    assert_eq!(kept(&app, &folder).await, 1);
    app.anonymous().get(&url).await.expect(404);
    staff.delete(&format!("{BRANDS}/delete/TATA/")).await.expect(200);
    assert_eq!(kept(&app, &folder).await, 0);
}

#[tokio::test]
async fn a_product_is_a_form_too_and_a_deleted_brand_takes_all_images_along() {
    let (app, folder) = start().await;
    app.product(10.0, 1).await;
    let staff = app.staff().await;
    let form = Form::default().text("product_name", "Pad").text("product_code", "PAD").text("price", "19.99");
    let form = form.text("stock", "3").text("description", "Two\r\nlines").file("image", &jpeg());
    let path = format!("{BRANDS}/TATA/models/NEXON/categories/BRK/products");
    let reply = Reply::of(form.request(&staff, Method::POST, &format!("{path}/insert/"))).await.expect(201);
    assert_eq!((reply["product"]["price"].to_string(), &reply["product"]["stock"]), ("19.99".to_owned(), &json!(3)));
    assert_eq!(reply["product"]["description"], "Two\nlines");
    let offers = r#"{"discount": "5", "validity": {"from": 1, "to": 2}, "description": "Sale"}"#;
    let form = Form::default().text("offers", offers).text("is_active", "false").text("stock_delta", "-2");
    let reply = Reply::of(form.request(&staff, Method::PUT, &format!("{path}/update/PAD/"))).await.expect(200);
    assert_eq!((&reply["product"]["offers"]["discount"], &reply["product"]["stock"]), (&json!(5), &json!(1)));
    assert_eq!(kept(&app, &folder).await, 1);
    staff.delete(&format!("{BRANDS}/delete/TATA/")).await.expect(200);
    assert_eq!(kept(&app, &folder).await, 0);
}

#[tokio::test]
async fn what_is_refused_leaves_no_image() {
    let (app, folder) = start().await;
    let staff = app.staff().await;
    let unknown = "invalid image: it must be a png, jpeg or webp";
    insert_brand(&staff, brand("TATA", b"just a text")).await.refused(400, unknown);
    insert_brand(&staff, brand("TA_TA", &jpeg())).await.refused(400, "invalid brand_code: invalid characters");
    insert_brand(&staff, brand("TATA", b"")).await.refused(400, "image is required");
    assert_eq!(app.db.collection::<Document>("brands").count_documents(doc! {}).await.expect("a count"), 0);
    insert_brand(&staff, brand("TATA", &jpeg())).await.expect(201);
    insert_brand(&staff, brand("TATA", &jpeg())).await.refused(409, "brand_code already exists");
    let below_nothing = Form::default().text("model_name", "Nexon").text("model_code", "NEXON").file("image", &jpeg());
    let path = format!("{BRANDS}/NONE/models/insert/");
    Reply::of(below_nothing.request(&staff, Method::POST, &path)).await.refused(404, "brand not found");
    let empty = Form::default().request(&staff, Method::PUT, &format!("{BRANDS}/update/TATA/"));
    Reply::of(empty).await.refused(400, "no fields provided for update");
    assert_eq!(kept(&app, &folder).await, 1);
}

#[tokio::test]
async fn an_image_may_have_five_mebibytes() {
    let (app, _folder) = start().await;
    let staff = app.staff().await;
    let (fits, too_large) = (jpeg_of(49 * MIB / 10), jpeg_of(51 * MIB / 10));
    assert!((49 * MIB / 10..5 * MIB).contains(&fits.len()) && too_large.len() > 5 * MIB);
    insert_brand(&staff, brand("FITS", &fits)).await.expect(201);
    insert_brand(&staff, brand("LARGE", &too_large)).await.expect(413).is_envelope();
    app.anonymous().get("/api/utils/brands/LARGE/").await.refused(404, "brand not found");
}
