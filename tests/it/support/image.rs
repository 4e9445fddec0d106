//! Images and the requests that send them.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat};
use reqwest::Method;

use super::{Caller, Form, Reply};

/// Returns an image of 800 by 400 pixels.
pub fn picture(format: ImageFormat) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    DynamicImage::new_rgb8(800, 400).write_to(&mut file, format).expect("a picture");
    file.into_inner()
}

/// Returns an image for tests that need no special one.
pub fn some_picture() -> Vec<u8> {
    picture(ImageFormat::Png)
}

impl Caller {
    /// Sends a POST request whose form has one file.
    pub async fn send_image(&self, path: &str, field: &str, bytes: &[u8]) -> Reply {
        Reply::of(Form::default().file(field, bytes).request(self, Method::POST, path)).await
    }
}
