//! Uploaded pictures whose colours are not those of sRGB.

use std::io::Cursor;

use image::{
    DynamicImage, ImageDecoder, ImageEncoder, Rgb, RgbImage, Rgba, RgbaImage,
    codecs::{jpeg::JpegEncoder, png::PngEncoder, webp::WebPEncoder},
};
use moxcms::ColorProfile;
use reqwest::Method;

use crate::support::{Caller, Form, Reply, TestApp};

/// Writes a picture of one colour with a profile.
fn file(profile: &[u8], pixel: [u8; 3], make: impl FnOnce(&mut Vec<u8>, DynamicImage, Vec<u8>)) -> Vec<u8> {
    let mut bytes = Vec::new();
    make(&mut bytes, DynamicImage::from(RgbImage::from_pixel(64, 32, Rgb(pixel))), profile.to_vec());
    bytes
}

fn png(bytes: &mut Vec<u8>, image: DynamicImage, profile: Vec<u8>) {
    let mut encoder = PngEncoder::new(bytes);
    encoder.set_icc_profile(profile).expect("a profile");
    image.write_with_encoder(encoder).expect("a file");
}

fn jpeg(bytes: &mut Vec<u8>, image: DynamicImage, profile: Vec<u8>) {
    let mut encoder = JpegEncoder::new_with_quality(bytes, 100);
    encoder.set_icc_profile(profile).expect("a profile");
    image.write_with_encoder(encoder).expect("a file");
}

fn webp(bytes: &mut Vec<u8>, image: DynamicImage, profile: Vec<u8>) {
    let mut encoder = WebPEncoder::new_lossless(bytes);
    encoder.set_icc_profile(profile).expect("a profile");
    image.write_with_encoder(encoder).expect("a file");
}

/// Inserts a brand with an image and returns what callers then see: a decoder for its file.
async fn uploaded(app: &TestApp, staff: &Caller, image: &[u8]) -> Vec<u8> {
    let code =
        format!("B{}", app.db.collection::<bson::Document>("brands").count_documents(bson::doc! {}).await.unwrap_or(0));
    let form = Form::default().text("brand_name", "Colourful").text("brand_code", &code).file("image", image);
    let reply = Reply::of(form.request(staff, Method::POST, "/api/admin/brands/insert/")).await.expect(201);
    let url = format!("{}{}", app.url, reply["brand"]["image_url"].as_str().expect("a URL"));
    let shown = reqwest::Client::builder().tls_certs_only([]).build().expect("a client").get(url).send().await;
    shown.expect("an answer").bytes().await.expect("a picture").to_vec()
}

fn colour(bytes: &[u8]) -> [u8; 4] {
    let mut decoder = image::ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .expect("a file")
        .into_decoder()
        .expect("a picture");
    assert_eq!(decoder.icc_profile().expect("metadata"), None, "the picture is in sRGB and says nothing else");
    DynamicImage::from_decoder(decoder).expect("pixels").into_rgba8().get_pixel(20, 20).0
}

#[track_caller]
fn assert_near(seen: [u8; 4], wanted: [u8; 4]) {
    assert!(seen.iter().zip(wanted).all(|(a, b)| a.abs_diff(b) <= 5), "{seen:?} is not {wanted:?}");
}

#[tokio::test]
async fn pictures_with_a_profile_are_shown_in_srgb() {
    let app = TestApp::start().await;
    let staff = app.staff().await;
    let encoded = |profile: ColorProfile| profile.encode().expect("a profile");
    let (p3, adobe) = (encoded(ColorProfile::new_display_p3()), encoded(ColorProfile::new_adobe_rgb()));
    // The expected colours are computed with the matrices of CSS Color 4.
    let cases = [
        (file(&p3, [200, 100, 50], png), [215, 93, 31, 255]),
        (file(&p3, [30, 60, 200], jpeg), [17, 61, 208, 255]),
        (file(&adobe, [200, 100, 50], webp), [227, 100, 42, 255]),
        (file(&adobe, [60, 160, 90], jpeg), [0, 161, 85, 255]),
        (file(b"no profile at all", [60, 160, 90], png), [60, 160, 90, 255]),
        (file(&p3[..90], [60, 160, 90], jpeg), [60, 160, 90, 255]),
        (file(&vec![7; 2 * 1024 * 1024], [60, 160, 90], png), [60, 160, 90, 255]),
    ];
    for (bytes, wanted) in cases {
        assert_near(colour(&uploaded(&app, &staff, &bytes).await), wanted);
    }
}

#[tokio::test]
async fn transparency_and_numbers_for_colours_survive() {
    let app = TestApp::start().await;
    let staff = app.staff().await;
    let mut see_through = Vec::new();
    let image = DynamicImage::from(RgbaImage::from_pixel(64, 32, Rgba([200, 100, 50, 128])));
    png(&mut see_through, image, ColorProfile::new_display_p3().encode().expect("a profile"));
    assert_near(colour(&uploaded(&app, &staff, &see_through).await), [215, 93, 31, 128]);
    // A chunk `cICP` with Display P3, right after the header, and its checksum.
    let mut plain = Vec::new();
    let pixels = RgbImage::from_pixel(64, 32, Rgb([200, 100, 50]));
    PngEncoder::new(&mut plain).write_image(&pixels, 64, 32, image::ExtendedColorType::Rgb8).expect("a file");
    let chunk = b"cICP\x0c\x0d\x00\x01";
    let mut crc = flate2::Crc::new();
    crc.update(chunk);
    let coded = [&plain[..33], &4_u32.to_be_bytes(), chunk, &crc.sum().to_be_bytes(), &plain[33..]].concat();
    assert_near(colour(&uploaded(&app, &staff, &coded).await), [215, 93, 31, 255]);
}
