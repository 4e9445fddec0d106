//! Pictures that were sent: each is drawn anew, upright, of a bounded size and without what its file told beside it.

use std::io::Cursor;

use image::{
    DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits,
    codecs::{jpeg::JpegEncoder, webp::WebPEncoder},
};

/// What cameras call a megapixel is often a little more than a million.
const MEGAPIXEL: u64 = 1024 * 1024;
/// Bytes of a pixel while it is decoded: four channels of two bytes.
const PIXEL_BYTES: u64 = 8;
/// Above this JPEG files grow and pictures hardly get better.
const QUALITY: u8 = 85;

/// What a picture is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A brand, model, category or product.
    Catalogue,
    /// An account.
    Photo,
}

impl Kind {
    /// How large a picture may be that is sent.
    const fn megapixels(self) -> u64 {
        match self {
            Self::Catalogue => 50,
            Self::Photo => 12,
        }
    }

    /// Width and height of a picture that is kept, at most.
    const fn side(self) -> u32 {
        match self {
            Self::Catalogue => 2048,
            Self::Photo => 512,
        }
    }
}

/// A picture that is fit to be shown.
pub struct Picture {
    /// The file.
    pub bytes: Vec<u8>,
    /// How its name ends.
    pub extension: &'static str,
}

/// Why something can't be drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPicture {
    /// The bytes are no PNG, JPEG or WebP picture, or not a whole one.
    #[error("invalid image")]
    Unreadable,
    /// It has too many pixels.
    #[error("the image is larger than {} megapixels", .0.megapixels())]
    TooLarge(Kind),
}

impl Picture {
    /// Draws a picture anew: upright, scaled down to what its kind is shown with, nothing but its first frame. Takes a
    /// while.
    pub fn draw(bytes: &[u8], kind: Kind) -> Result<Self, InvalidPicture> {
        let decoded = decode(bytes, kind)?;
        let mut file = Cursor::new(Vec::new());
        let (written, extension) = if decoded.color().has_alpha() {
            (decoded.to_rgba8().write_with_encoder(WebPEncoder::new_lossless(&mut file)), "webp")
        } else {
            (decoded.to_rgb8().write_with_encoder(JpegEncoder::new_with_quality(&mut file, QUALITY)), "jpg")
        };
        written.map_err(|_| InvalidPicture::Unreadable)?;
        Ok(Self { bytes: file.into_inner(), extension })
    }
}

/// What the file calls itself doesn't count, and its size is known before any pixel is read.
fn decode(bytes: &[u8], kind: Kind) -> Result<DynamicImage, InvalidPicture> {
    let mut reader =
        ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|_| InvalidPicture::Unreadable)?;
    if !matches!(reader.format(), Some(ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::WebP)) {
        return Err(InvalidPicture::Unreadable);
    }
    let mut limits = Limits::default();
    limits.max_alloc = Some(kind.megapixels() * MEGAPIXEL * PIXEL_BYTES);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(|_| InvalidPicture::Unreadable)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > kind.megapixels() * MEGAPIXEL {
        return Err(InvalidPicture::TooLarge(kind));
    }
    let orientation = decoder.orientation().map_err(|_| InvalidPicture::Unreadable)?;
    let mut decoded = DynamicImage::from_decoder(decoder).map_err(|_| InvalidPicture::Unreadable)?;
    if width.max(height) > kind.side() {
        decoded = decoded.thumbnail(kind.side(), kind.side());
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
        let picture = Picture::draw(bytes, Kind::Photo).expect("a picture");
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
        let picture = Picture::draw(&turned, Kind::Photo).expect("a picture");
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
            assert!(Picture::draw(bad, Kind::Photo).is_err(), "{} bytes", bad.len());
        }
    }
}
