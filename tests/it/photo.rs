//! Profile pictures of accounts.

use image::ImageFormat;
use serde_json::{Value, json};

use crate::support::{Caller, PASSWORD, Reply, TempFolder, TestApp, picture};

const PHOTO: &str = "/api/accounts/photo/";
const LARGE_BODY: &str = "the body is too large: an image may have at most 5 MiB";
const UNKNOWN: &str = "invalid image: it must be a png, jpeg or webp";

/// Starts a server with its own data folder and without rate limits.
async fn start() -> (TestApp, TempFolder) {
    start_with("0").await
}

async fn start_with(scale: &str) -> (TestApp, TempFolder) {
    let folder = TempFolder::new().expect("a folder");
    let path = folder.path().to_str().expect("a path").to_owned();
    (TestApp::start_with(&[("DATA_DIR", &path), ("RATE_LIMIT_SCALE", scale)]).await, folder)
}

async fn send(caller: &Caller, field: &str, bytes: &[u8]) -> Reply {
    caller.send_image(PHOTO, field, bytes).await
}

/// Removes the pictures that no account shows any more and returns how many pictures are left.
async fn files(app: &TestApp, folder: &TempFolder) -> usize {
    app.work().await;
    std::fs::read_dir(folder.path().join("media")).map_or(0, Iterator::count)
}

fn photo(account: &Reply) -> String {
    account["profile"]["display"]["photo"].as_str().expect("a picture").to_owned()
}

#[tokio::test]
async fn a_picture_is_served_for_ever_and_goes_with_the_next_one() {
    let (app, folder) = start().await;
    let caller = app.customer().await;
    let mut urls = Vec::new();
    for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP] {
        let account = send(&caller, "image", &picture(format)).await.expect(200);
        let served = app.anonymous().get(&photo(&account)).await.expect(200);
        assert_eq!(served.header("content-type"), "image/jpeg");
        assert_eq!(served.header("cache-control"), "public, max-age=31536000, immutable");
        assert_eq!(served.header("x-content-type-options"), "nosniff");
        let again = app.anonymous().request(reqwest::Method::GET, &photo(&account));
        let again = Reply::of(again.header("if-none-match", served.header("etag"))).await.expect(304);
        assert_eq!((again.text.len(), again.header("etag")), (0, served.header("etag")));
        urls.push(photo(&account));
    }
    assert_eq!(files(&app, &folder).await, 1);
    app.anonymous().get(&urls[0]).await.refused(404, "there is nothing at this path");
    assert_eq!(caller.delete(PHOTO).await.expect(200)["profile"]["display"], Value::Null);
    assert_eq!(files(&app, &folder).await, 0);
    caller.delete(PHOTO).await.expect(200);
    app.anonymous().get("/media/..%2Fjwt_secret").await.expect(404);
}

#[tokio::test]
async fn what_is_refused_leaves_nothing() {
    let (app, folder) = start().await;
    let caller = app.customer().await;
    caller.post_empty(PHOTO).await.refused(400, "image is required");
    caller.post(PHOTO, &json!({})).await.refused(415, "the body must be multipart/form-data");
    send(&caller, "photo", &picture(ImageFormat::Png)).await.refused(400, "image is required");
    send(&caller, "image", b"").await.refused(400, "image is required");
    let kinds = [
        (&b"<svg xmlns='http://www.w3.org/2000/svg'/>"[..], "SVG isn't taken: png, jpeg, webp"),
        (b"GIF89a", "GIF isn't taken: png, jpeg, webp"),
        (b"\0\0\0\x24ftypheic\0\0\0\0mif1heic", "HEIC isn't taken: png, jpeg, webp"),
        (b"just a text", "it must be a png, jpeg or webp"),
        (&picture(ImageFormat::Png)[..90], "the file is broken or cut off"),
    ];
    for (bad, why) in kinds {
        let error = format!("invalid image: {why}");
        assert_eq!(send(&caller, "image", bad).await.refused(400, &error)["fields"]["image"], error.as_str());
    }
    // An image slightly above 5 MiB is read and refused. A larger body is refused before it is read.
    send(&caller, "image", &vec![0; 5 * 1024 * 1024 + 1]).await.refused(413, "the image is larger than 5 MiB");
    send(&caller, "image", &vec![0; 6 * 1024 * 1024]).await.refused(413, LARGE_BODY);
    send(&caller, "image", &vec![0; 5 * 1024 * 1024]).await.refused(400, UNKNOWN);
    send(&app.anonymous(), "image", &picture(ImageFormat::Png)).await.expect(401);
    assert_eq!(files(&app, &folder).await, 0);
    assert_eq!(caller.get("/api/accounts/me/").await["profile"]["display"], Value::Null);
}

#[tokio::test]
async fn only_one_s_own_file_goes_and_it_goes_with_the_account() {
    let (app, folder) = start().await;
    let (owner, thief) = (app.customer().await, app.customer().await);
    let url = photo(&send(&owner, "image", &picture(ImageFormat::Jpeg)).await.expect(200));
    let display = |photo: &str| json!({ "display": { "photo": photo } });
    let update = async |caller: &Caller, photo: &str| {
        Reply::of(caller.request(reqwest::Method::PUT, "/api/accounts/update/").json(&display(photo))).await.expect(200)
    };
    update(&thief, &url).await;
    update(&thief, "https://images.example.com/a.png").await;
    update(&owner, &url).await;
    app.anonymous().get(&url).await.expect(200);
    update(&owner, "https://images.example.com/a.png").await;
    assert_eq!(files(&app, &folder).await, 0);
    send(&owner, "image", &picture(ImageFormat::Jpeg)).await.expect(200);
    let leave = json!({ "current_password": PASSWORD });
    Reply::of(owner.request(reqwest::Method::DELETE, "/api/accounts/me/").json(&leave)).await.expect(200);
    assert_eq!(files(&app, &folder).await, 0);
}

#[tokio::test]
async fn pictures_are_limited() {
    let (app, _folder) = start_with("0.1").await;
    let caller = app.customer().await;
    for _ in 0..2 {
        send(&caller, "image", b"x").await.expect(400);
    }
    send(&caller, "image", b"x").await.expect(429);
}
