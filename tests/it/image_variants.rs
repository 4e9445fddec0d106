//! Narrower variants of uploaded pictures, at each home.

use image::{DynamicImage, ImageFormat};
use reqwest::Method;
use serde_json::Value;

use crate::support::{Caller, FakeCloudinary, FakeS3, Form, Reply, TempFolder, TestApp};

const BRANDS: &str = "/api/admin/brands";

fn picture(width: u32, height: u32) -> Vec<u8> {
    let mut file = std::io::Cursor::new(Vec::new());
    DynamicImage::new_rgb8(width, height).write_to(&mut file, ImageFormat::Jpeg).expect("a picture");
    file.into_inner()
}

async fn uploaded(staff: &Caller, code: &str, image: &[u8]) -> Value {
    let form = Form::default().text("brand_name", "Tata Motors").text("brand_code", code).file("image", image);
    Reply::of(form.request(staff, Method::POST, &format!("{BRANDS}/insert/"))).await.expect(201)["brand"].clone()
}

/// Returns the width of the picture at a URL of this server.
async fn width_of(app: &TestApp, path: &str) -> u32 {
    let client = reqwest::Client::builder().tls_certs_only([]).build().expect("a client");
    let response = client.get(format!("{}{path}", app.url)).send().await.expect("an answer");
    assert_eq!(response.status().as_u16(), 200, "{path}");
    let bytes = response.bytes().await.expect("a picture");
    image::load_from_memory(&bytes).expect("a picture").width()
}

#[tokio::test]
async fn pictures_of_this_server_are_served_in_the_width_that_a_place_needs() {
    let folder = TempFolder::new().expect("a folder");
    let path = folder.path().to_str().expect("a path").to_owned();
    let app = TestApp::start_with(&[("DATA_DIR", &path)]).await;
    let staff = app.staff().await;
    let brand = uploaded(&staff, "WIDE", &picture(1600, 400)).await;
    let url = brand["image_url"].as_str().expect("a URL");
    for (query, width) in
        [("", 1600), ("?w=1", 320), ("?w=320", 320), ("?v=2&w=321", 800), ("?w=801", 1600), ("?w=x", 1600)]
    {
        assert_eq!(width_of(&app, &format!("{url}{query}")).await, width, "{query}");
    }
    for (name, width) in [("w320", 320), ("w800", 800)] {
        assert_eq!(width_of(&app, brand["image_variants"][name].as_str().expect("a URL")).await, width);
    }
    let tags = ["", "?w=320", "?w=800"].map(|query| format!("{url}{query}"));
    let [whole, narrow, middle] = [&tags[0], &tags[1], &tags[2]];
    let tag = async |path: &str| app.anonymous().get(path).await.expect(200).header("etag").to_owned();
    assert!(tag(whole).await != tag(narrow).await && tag(narrow).await != tag(middle).await);
    let files = || std::fs::read_dir(folder.path().join("media")).map_or(0, Iterator::count);
    assert_eq!(files(), 3);
    // A variant that was lost, as by a backup without it, is replaced by the picture.
    let lost = url.replace("/media/", "").replace(".jpg", ".w320.jpg");
    std::fs::remove_file(folder.path().join("media").join(&lost)).expect("a file");
    assert_eq!(width_of(&app, narrow).await, 1600);
    staff.delete(&format!("{BRANDS}/delete/WIDE/")).await.expect(200);
    app.work().await;
    assert_eq!(files(), 0, "variants go with their picture");
}

#[tokio::test]
async fn small_pictures_are_never_enlarged_and_a_variant_belongs_to_its_picture() {
    let app = TestApp::start().await;
    let staff = app.staff().await;
    let small = uploaded(&staff, "SMALL", &picture(200, 100)).await;
    let url = &small["image_url"];
    assert_eq!((&small["image_variants"]["w320"], &small["image_variants"]["w800"]), (url, url));
    assert_eq!(width_of(&app, &format!("{}?w=320", url.as_str().expect("a URL"))).await, 200);
    let middle = uploaded(&staff, "MIDDLE", &picture(500, 100)).await;
    let narrow = middle["image_variants"]["w320"].as_str().expect("a URL");
    assert_eq!(middle["image_variants"]["w800"], middle["image_url"]);
    // Somebody copies the URL of the variant into another entry, and the entry with the picture goes.
    let copy = serde_json::json!({ "brand_name": "Copied", "brand_code": "COPY", "image_url": narrow });
    staff.post(&format!("{BRANDS}/insert/"), &copy).await.expect(201);
    staff.delete(&format!("{BRANDS}/delete/MIDDLE/")).await.expect(200);
    app.work().await;
    assert_eq!(width_of(&app, narrow).await, 320);
    staff.delete(&format!("{BRANDS}/delete/COPY/")).await.expect(200);
    app.work().await;
    app.anonymous().get(narrow).await.expect(404);
}

#[tokio::test]
async fn pictures_elsewhere_have_variants_beside_them() {
    let s3 = FakeS3::start().await;
    let app = TestApp::start_with(&s3.settings()).await;
    let staff = app.staff().await;
    let brand = uploaded(&staff, "WIDE", &picture(1600, 400)).await;
    let shown = [&brand["image_url"], &brand["image_variants"]["w320"], &brand["image_variants"]["w800"]];
    for (url, width) in shown.into_iter().zip([1600, 320, 800]) {
        let name = url.as_str().expect("a URL").replace("https://images.example.com/shop/", "/bucket/of/images/");
        let objects = s3.objects();
        let object = objects.get(&name).unwrap_or_else(|| panic!("{name} of {:?}", objects.keys()));
        assert_eq!(image::load_from_memory(&object.bytes).expect("a picture").width(), width);
        assert_eq!(object.content_type, "image/jpeg");
    }
    staff.delete(&format!("{BRANDS}/delete/WIDE/")).await.expect(200);
    app.work().await;
    assert_eq!(s3.objects().len(), 0);
    s3.refuse(Some(503));
    let form =
        Form::default().text("brand_name", "Tata Motors").text("brand_code", "NEW").file("image", &picture(1600, 4));
    Reply::of(form.request(&staff, Method::POST, &format!("{BRANDS}/insert/"))).await.expect(502);
    let cloudinary = FakeCloudinary::start().await;
    let app = TestApp::start_with(&cloudinary.settings()).await;
    let brand = uploaded(&app.staff().await, "WIDE", &picture(1600, 400)).await;
    let url = brand["image_url"].as_str().expect("a URL");
    let narrow = url.replace("/image/upload/", "/image/upload/c_limit,w_320/");
    assert_eq!((brand["image_variants"]["w320"].as_str(), cloudinary.kept().len()), (Some(narrow.as_str()), 1));
}
