//! The stores for images (Cloudinary, S3 and the local folder) when they work and when they fail. The tests use the
//! pictures of accounts.

use std::{
    io::{Cursor, Write},
    time::Duration,
};

use bson::{Document, doc};
use futures_util::future::join_all;
use image::{DynamicImage, ImageFormat};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    Caller, FakeCloudinary, FakeS3, Form, Mood, PASSWORD, Reply, Server, TempFolder, TestApp, myspares, some_picture,
};

const PHOTO: &str = "/api/accounts/photo/";

async fn send(caller: &Caller) -> Reply {
    caller.send_image(PHOTO, "image", &some_picture()).await
}

fn photo(account: &Reply) -> String {
    account["profile"]["display"]["photo"].as_str().expect("a picture").to_owned()
}

async fn trash(app: &TestApp) -> u64 {
    app.db.collection::<Document>("image_trash").count_documents(doc! {}).await.expect("a count")
}

/// Checks that the account shows no picture. Then runs the workers an hour later, which remove unused images.
async fn left_nothing(app: &TestApp, caller: &Caller) {
    assert_eq!(caller.get("/api/accounts/me/").await["profile"]["display"], Value::Null);
    app.advance(Duration::from_secs(60 * 60));
    app.work().await;
}

#[tokio::test]
async fn cloudinary_keeps_images_and_loses_those_that_nobody_shows() {
    let cloudinary = FakeCloudinary::start().await;
    let app = TestApp::start_with(&cloudinary.settings()).await;
    let caller = app.customer().await;
    for flat in [false, true] {
        if flat {
            cloudinary.flatten();
        }
        let url = photo(&send(&caller).await.expect(200));
        app.work().await;
        let kept = cloudinary.kept();
        let (name, bytes) = kept.first_key_value().expect("one image");
        assert_eq!((kept.len(), name.starts_with("myspares/")), (1, !flat));
        assert_eq!(url, format!("https://res.example.com/shop/image/upload/v17/{name}.jpg"));
        assert!(image::load_from_memory(bytes).is_ok());
    }
    caller.delete(PHOTO).await.expect(200);
    app.work().await;
    assert_eq!((cloudinary.kept().len(), trash(&app).await), (0, 0));
}

#[tokio::test]
async fn an_object_store_keeps_images_and_loses_those_that_nobody_shows() {
    let s3 = FakeS3::start().await;
    let app = TestApp::start_with(&s3.settings()).await;
    let caller = app.customer().await;
    for _ in 0..2 {
        let url = photo(&send(&caller).await.expect(200));
        app.work().await;
        let objects = s3.objects();
        let (path, object) = objects.first_key_value().expect("one image");
        let name = path.strip_prefix("/bucket/of/images/").expect("in the folder");
        assert_eq!((objects.len(), url), (1, format!("https://images.example.com/shop/{name}")));
        assert_eq!(object.content_type, "image/jpeg");
        assert_eq!(object.cache_control, "public, max-age=31536000, immutable");
        assert!(image::load_from_memory(&object.bytes).is_ok());
    }
    caller.delete(PHOTO).await.expect(200);
    app.work().await;
    assert_eq!((s3.objects().len(), trash(&app).await), (0, 0));
}

#[tokio::test]
async fn a_store_in_trouble_is_502_and_nothing_is_orphaned() {
    let cloudinary = FakeCloudinary::start().await;
    let app = TestApp::start_with(&cloudinary.settings()).await;
    for mood in [Mood::Status(500), Mood::Status(401), Mood::Rubbish] {
        let caller = app.customer().await;
        cloudinary.becomes(mood);
        let reply = send(&caller).await.refused(502, "the image store is unavailable, try again soon");
        assert_eq!(reply["code"], "image_store_unavailable", "{mood:?}");
        cloudinary.becomes(Mood::Good);
        left_nothing(&app, &caller).await;
        assert_eq!((cloudinary.kept().len(), trash(&app).await), (0, 0), "{mood:?}");
    }
    let s3 = FakeS3::start().await;
    let app = TestApp::start_with(&s3.settings()).await;
    for status in [500, 403, 503] {
        let caller = app.customer().await;
        s3.refuse(Some(status));
        assert_eq!(send(&caller).await.expect(502)["code"], "image_store_unavailable", "{status}");
        s3.refuse(None);
        left_nothing(&app, &caller).await;
        assert_eq!((s3.objects().len(), trash(&app).await), (0, 0), "{status}");
    }
}

#[tokio::test]
async fn a_store_that_is_gone_is_502_and_removing_is_tried_again() {
    let gone = [("CLOUDINARY_URL", "cloudinary://key:secret@shop"), ("CLOUDINARY_BASE_URL", "http://127.0.0.1:9")];
    let app = TestApp::start_with(&gone).await;
    assert_eq!(send(&app.customer().await).await.expect(502)["code"], "image_store_unavailable");
    let s3 = FakeS3::start().await;
    let app = TestApp::start_with(&s3.settings()).await;
    let caller = app.customer().await;
    send(&caller).await.expect(200);
    s3.refuse(Some(503));
    caller.delete(PHOTO).await.expect(200);
    app.work().await;
    s3.refuse(None);
    app.work().await;
    assert_eq!((s3.objects().len(), trash(&app).await), (1, 1), "the next attempt is not due yet");
    app.advance(Duration::from_secs(60));
    app.work().await;
    assert_eq!((s3.objects().len(), trash(&app).await), (0, 0));
}

#[tokio::test]
async fn images_of_the_folder_are_served_and_removed_after_a_move_to_another_place() {
    let before = TestApp::start().await;
    let caller = before.customer().await;
    let url = photo(&send(&caller).await.expect(200));
    let s3 = FakeS3::start().await;
    let after = before.another_instance_with(&s3.settings()).await;
    let caller = caller.at(&after.url);
    after.anonymous().get(&url).await.expect(200);
    send(&caller).await.expect(200);
    after.work().await;
    after.anonymous().get(&url).await.expect(404);
    assert_eq!((s3.objects().len(), trash(&after).await), (1, 0));
}

#[tokio::test]
async fn pictures_that_older_versions_kept_are_removed_too() {
    let app = TestApp::start().await;
    let caller = app.customer().await;
    let url = photo(&send(&caller).await.expect(200));
    let old = doc! { "$set": { "profile.display.uploaded": true }, "$unset": { "profile.display.image_key": "" } };
    app.users().update_one(doc! { "profile.display.photo": &url }, old).await.expect("an update");
    // A URL that the owner types in never counts as an uploaded picture, even if it replaces one.
    let typed = json!({ "display": { "photo": "https://images.example.com/a.png" } });
    Reply::of(caller.request(Method::PUT, "/api/accounts/update/").json(&typed)).await.expect(200);
    app.work().await;
    app.anonymous().get(&url).await.expect(404);
    let stored = app.users().find_one(doc! {}).await.expect("a query").expect("the account");
    let display = stored.get_document("profile").expect("a profile").get_document("display").expect("a display");
    assert_eq!(display.keys().collect::<Vec<_>>(), ["photo", "created_at"]);
}

/// Returns a PNG with a single colour.
fn png(width: u32, height: u32, color: png::ColorType, depth: png::BitDepth) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(color);
    encoder.set_depth(depth);
    encoder.set_filter(png::Filter::NoFilter);
    encoder.set_compression(png::Compression::Balanced);
    let row = vec![0x5a; row_bytes(width, color, depth)];
    let mut writer = encoder.write_header().expect("a header");
    let mut rows = writer.stream_writer().expect("a writer");
    (0..height).for_each(|_| rows.write_all(&row).expect("a row"));
    rows.finish().expect("an end");
    writer.finish().expect("an end");
    bytes
}

fn row_bytes(width: u32, color: png::ColorType, depth: png::BitDepth) -> usize {
    (width as usize * color.samples() * depth as usize).div_ceil(8)
}

/// Creates an administrator with the command line and signs in to the server.
async fn staff(server: &Server, folder: &std::path::Path) -> Caller {
    let admin = ["create-admin", "--username", "boss", "--phone", "9876500000", "--password", PASSWORD];
    assert!(myspares(folder, &[], &admin).status.success());
    let mut boss = Caller::new(&server.url);
    let login = json!({ "phone_number": "9876500000", "password": PASSWORD });
    let reply = boss.post("/api/auth/login/", &login).await.expect(200);
    boss.sign_in(&reply);
    boss
}

#[tokio::test]
async fn bombs_are_refused_without_a_spike_of_memory() {
    let folder = TempFolder::new().expect("a folder");
    let server = Server::start_with(folder.path(), &[("RATE_LIMIT_SCALE", "0")]);
    let boss = staff(&server, folder.path()).await;
    boss.send_image(PHOTO, "image", &some_picture()).await.expect(200);
    let before = server.peak_mebibytes();
    // The file of about 300 KiB has 2,500 million pixels of one bit. They take 298 MiB with eight pixels in a byte and
    // 2.3 GiB with one byte for each pixel.
    let bomb = png(50_000, 50_000, png::ColorType::Grayscale, png::BitDepth::One);
    assert!(bomb.len() < 1024 * 1024, "{} bytes", bomb.len());
    for _ in 0..5 {
        boss.send_image(PHOTO, "image", &bomb).await.refused(400, "the image is larger than 12 megapixels");
    }
    let spike = server.peak_mebibytes() - before;
    assert!(spike < 40, "{spike} MiB");
}

const WIDTH: u32 = 8_000;
const HEIGHT: u32 = 6_250;

/// Returns two PNG files of 50 megapixels: one with transparency and one with 16 bits a channel.
fn large_pngs() -> Vec<Vec<u8>> {
    let kinds = [(png::ColorType::Rgba, png::BitDepth::Eight), (png::ColorType::Rgb, png::BitDepth::Sixteen)];
    kinds.map(|(color, depth)| png(WIDTH, HEIGHT, color, depth)).into()
}

/// Returns the files of [`large_pngs`] and also a JPEG file and a WebP file of the same size.
fn large_images() -> Vec<Vec<u8>> {
    let plain = DynamicImage::new_rgb8(WIDTH, HEIGHT);
    let file = |format| {
        let mut file = Cursor::new(Vec::new());
        plain.write_to(&mut file, format).expect("a picture");
        file.into_inner()
    };
    let mut images = large_pngs();
    images.extend([ImageFormat::Jpeg, ImageFormat::WebP].map(file));
    images
}

/// Starts a server process and inserts `count` brands with these images at once.
async fn insert_at_once(count: usize, images: fn() -> Vec<Vec<u8>>) {
    let folder = TempFolder::new().expect("a folder");
    let server = Server::start(folder.path());
    let boss = staff(&server, folder.path()).await;
    let images = tokio::task::spawn_blocking(images).await.expect("images");
    assert!(images.iter().all(|image| image.len() < 5 * 1024 * 1024));
    let insert = |n: usize| {
        let form = Form::default().text("brand_name", "Tata Motors").text("brand_code", &format!("B{n}"));
        let form = form.file("image", &images[n % images.len()]);
        Reply::of(form.request(&boss, Method::POST, "/api/admin/brands/insert/"))
    };
    for reply in join_all((0..count).map(insert)).await {
        reply.expect(201);
    }
    let peak = server.peak_mebibytes();
    assert!(peak < 400, "{peak} MiB");
}

#[tokio::test]
async fn images_of_fifty_megapixels_at_once_wait_for_each_other() {
    insert_at_once(3, large_pngs).await;
}

#[tokio::test]
#[ignore = "slow"]
async fn ten_images_of_fifty_megapixels_at_once_stay_under_400_mebibytes() {
    insert_at_once(10, large_images).await;
}
