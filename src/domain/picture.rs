//! Pictures of accounts: whatever was sent is drawn anew, small and without what its file told beside the picture.

use std::io::Cursor;

use image::{
    DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits,
    codecs::{jpeg::JpegEncoder, webp::WebPEncoder},
};

/// Pixels of a picture that is sent. What phones call 12 megapixels is a little more than 12 million.
const MAX_PIXELS: u64 = 12 * 1024 * 1024;
/// Memory of a decoder: the largest picture with four channels of two bytes, and a little more.
const MAX_MEMORY: u64 = 128 * 1024 * 1024;
/// Width and height of a picture that is kept.
const SIDE: u32 = 512;
/// Above this JPEG files grow and pictures hardly get better.
const QUALITY: u8 = 85;

/// A picture that is fit to be shown.
pub struct Picture {
    /// The file.
    pub bytes: Vec<u8>,
    /// How its name ends.
    pub extension: &'static str,
}

/// The bytes are no PNG, JPEG or WebP picture, or one with too many pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("invalid image")]
pub struct InvalidPicture;

impl Picture {
    /// Draws a picture anew: upright, at most 512 pixels wide and high, nothing but its first frame. Takes a while.
    pub fn draw(bytes: &[u8]) -> Result<Self, InvalidPicture> {
        let decoded = decode(bytes)?;
        let mut file = Cursor::new(Vec::new());
        let (written, extension) = if decoded.color().has_alpha() {
            (decoded.to_rgba8().write_with_encoder(WebPEncoder::new_lossless(&mut file)), "webp")
        } else {
            (decoded.to_rgb8().write_with_encoder(JpegEncoder::new_with_quality(&mut file, QUALITY)), "jpg")
        };
        written.map_err(|_| InvalidPicture)?;
        Ok(Self { bytes: file.into_inner(), extension })
    }
}

/// What the file calls itself doesn't count, and its size is known before any pixel is read.
fn decode(bytes: &[u8]) -> Result<DynamicImage, InvalidPicture> {
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|_| InvalidPicture)?;
    if !matches!(reader.format(), Some(ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::WebP)) {
        return Err(InvalidPicture);
    }
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_MEMORY);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(|_| InvalidPicture)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(InvalidPicture);
    }
    let orientation = decoder.orientation().map_err(|_| InvalidPicture)?;
    let mut decoded = DynamicImage::from_decoder(decoder).map_err(|_| InvalidPicture)?;
    if width.max(height) > SIDE {
        decoded = decoded.thumbnail(SIDE, SIDE);
    }
    decoded.apply_orientation(orientation);
    Ok(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
        let mut file = Cursor::new(Vec::new());
        image.write_to(&mut file, format).expect("a file");
        file.into_inner()
    }

    fn drawn(bytes: &[u8]) -> (DynamicImage, &'static str) {
        let picture = Picture::draw(bytes).expect("a picture");
        (image::load_from_memory(&picture.bytes).expect("a picture"), picture.extension)
    }

    #[test]
    fn large_pictures_are_scaled_down_and_small_ones_stay() {
        let (large, extension) = drawn(&file(&DynamicImage::new_rgb8(1024, 256), ImageFormat::Jpeg));
        assert_eq!((large.width(), large.height(), extension), (512, 128, "jpg"));
        let (small, extension) = drawn(&file(&DynamicImage::new_rgba8(30, 40), ImageFormat::Png));
        assert_eq!((small.width(), small.height(), extension), (30, 40, "webp"));
    }

    #[test]
    fn an_orientation_is_applied_and_the_metadata_is_gone() {
        let plain = file(&DynamicImage::new_rgb8(40, 20), ImageFormat::Jpeg);
        // An APP1 segment whose only entry is orientation 6: turned by 90 degrees (Exif 2.32, section 4.6.4).
        let exif = b"\xff\xe1\x00\x22Exif\0\0MM\x00\x2a\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00\x00\x00\x00\x00";
        let turned = [&plain[..2], exif, &plain[2..]].concat();
        let picture = Picture::draw(&turned).expect("a picture");
        let upright = image::load_from_memory(&picture.bytes).expect("a picture");
        assert_eq!((upright.width(), upright.height()), (20, 40));
        assert!(!picture.bytes.windows(4).any(|part| part == b"Exif"));
    }

    #[test]
    fn what_is_no_picture_or_too_large_is_refused() {
        let mut vast = file(&DynamicImage::new_luma8(1, 1), ImageFormat::Png);
        // Width and height of the header, whose checksum no longer fits: neither way a pixel is read.
        vast[16..24].copy_from_slice(&[0, 0, 0xff, 0xff, 0, 0, 0xff, 0xff]);
        let png = file(&DynamicImage::new_rgb8(64, 64), ImageFormat::Png);
        let many = file(&DynamicImage::new_luma8(4096, 3073), ImageFormat::Png);
        for bad in [&b""[..], b"GIF89a", b"<svg xmlns='http://www.w3.org/2000/svg'/>", &png[..60], &vast, &many] {
            assert!(Picture::draw(bad).is_err(), "{} bytes", bad.len());
        }
    }
}
