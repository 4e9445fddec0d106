//! Pictures that were uploaded. Each is drawn anew: upright, in the colours of sRGB, of a limited size, and without the
//! metadata of its file.

mod colours;
mod jpeg;
mod kind;
mod read;
mod webp;

use std::{borrow::Cow, io::Cursor};

use image::{
    DynamicImage,
    codecs::{jpeg::JpegEncoder, webp::WebPEncoder},
};

use self::read::Pixels;
use super::variants;

/// Quality of JPEG files. Higher values make larger files that hardly look better.
const QUALITY: u8 = 85;

/// The use of a picture, which decides how large it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PictureKind {
    /// A picture of a brand, model, category or product.
    Catalogue,
    /// The picture of an account.
    Photo,
}

impl PictureKind {
    /// Returns the most megapixels that an uploaded picture may have.
    const fn megapixels(self) -> u64 {
        match self {
            Self::Catalogue => 50,
            Self::Photo => 12,
        }
    }

    /// Returns the largest width and height, in pixels, of a picture that is kept.
    const fn side(self) -> u32 {
        match self {
            Self::Catalogue => 2048,
            Self::Photo => 512,
        }
    }
}

/// A picture that was drawn anew and can be shown.
pub struct Picture {
    /// Contents of the file.
    pub bytes: Vec<u8>,
    /// Extension of the file's name: `jpg`, or `webp` for pictures with transparency.
    pub extension: &'static str,
    /// Width in pixels, if narrower variants are made of such pictures.
    pub width: Option<u32>,
    /// The narrower variants, each with its width.
    pub variants: Vec<(u32, Vec<u8>)>,
}

/// Why a file can't be drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPicture {
    /// The file is a picture of a kind that isn't taken, or a document. Holds the name of the kind.
    #[error("invalid image: {0} isn't taken: png, jpeg, webp")]
    NotTaken(&'static str),
    /// The file is not of a kind that is known.
    #[error("invalid image: it must be a png, jpeg or webp")]
    Unknown,
    /// The file is cut off or broken.
    #[error("invalid image: the file is broken or cut off")]
    Unreadable,
    /// The picture has too many pixels.
    #[error("the image is larger than {} megapixels", .0.megapixels())]
    TooLarge(PictureKind),
    /// The picture has few enough pixels, but this kind of file takes too much memory for each pixel.
    #[error("the image takes too much memory to read: send it smaller, or as a plain JPEG or PNG")]
    TooHeavy,
}

impl Picture {
    /// Draws a picture anew: upright, scaled down to the largest size of its kind, and only the first frame of an
    /// animation. This may block the thread for seconds and take hundreds of megabytes, so it is done on a thread of
    /// its own; see [`Drawing`](crate::images::drawing::Drawing).
    pub fn draw(bytes: Vec<u8>, kind: PictureKind) -> Result<Self, InvalidPicture> {
        let Pixels { mut image, orientation, has_alpha, colours } = Pixels::read(bytes, kind)?;
        // The picture is scaled down first, which frees the full-size pixels. Turning it and converting its colours
        // make copies, and take time for each pixel.
        if image.width().max(image.height()) > kind.side() {
            image = image.thumbnail(kind.side(), kind.side());
        }
        image.apply_orientation(orientation);
        let image = if has_alpha {
            let mut pixels = image.into_rgba8();
            colours.convert_with_alpha(&mut pixels);
            DynamicImage::from(pixels)
        } else {
            let mut pixels = image.into_rgb8();
            colours.convert(&mut pixels);
            DynamicImage::from(pixels)
        };
        Self::encode(&image, kind)
    }

    /// Writes the files of a picture: its own, and those of its narrower variants. Each variant is made of the next
    /// wider one, which takes less time than to begin with the picture each time.
    pub fn encode(image: &DynamicImage, kind: PictureKind) -> Result<Self, InvalidPicture> {
        let width = (kind == PictureKind::Catalogue).then(|| image.width());
        let mut widths: Vec<u32> = variants::widths_below(width.unwrap_or_default()).collect();
        widths.reverse();
        let mut variants = Vec::new();
        let mut wider = Cow::Borrowed(image);
        for width in widths {
            let height = u64::from(wider.height()) * u64::from(width) / u64::from(wider.width());
            wider = Cow::Owned(wider.thumbnail_exact(width, u32::try_from(height).unwrap_or_default().max(1)));
            variants.push((width, file_of(&wider)?));
        }
        let extension = if image.color().has_alpha() { "webp" } else { "jpg" };
        Ok(Self { bytes: file_of(image)?, extension, width, variants })
    }

    /// Returns the files of the picture with their names: the variants first, so that nobody sees the picture before
    /// they are there.
    pub fn into_files(self, name: &str) -> Vec<(String, Vec<u8>)> {
        let variants = self.variants.into_iter().map(|(width, bytes)| (variants::name_of(name, width), bytes));
        variants.chain([(name.to_owned(), self.bytes)]).collect()
    }
}

/// Writes a picture as lossless WebP if it may have transparent pixels, otherwise as JPEG.
fn file_of(image: &DynamicImage) -> Result<Vec<u8>, InvalidPicture> {
    let mut file = Cursor::new(Vec::new());
    if image.color().has_alpha() {
        image.write_with_encoder(WebPEncoder::new_lossless(&mut file))?;
    } else {
        image.write_with_encoder(JpegEncoder::new_with_quality(&mut file, QUALITY))?;
    }
    Ok(file.into_inner())
}

#[cfg(test)]
mod tests {
    use image::{ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};

    use super::*;

    const FORMATS: [ImageFormat; 3] = [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP];

    fn file(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
        let mut file = Cursor::new(Vec::new());
        image.write_to(&mut file, format).expect("a file");
        file.into_inner()
    }

    fn drawn(bytes: &[u8], kind: PictureKind) -> (DynamicImage, &'static str) {
        let picture = Picture::draw(bytes.to_vec(), kind).expect("a picture");
        (image::load_from_memory(&picture.bytes).expect("a picture"), picture.extension)
    }

    fn refused(bytes: &[u8], kind: PictureKind) -> Option<InvalidPicture> {
        Picture::draw(bytes.to_vec(), kind).err()
    }

    #[test]
    fn large_pictures_are_scaled_down_and_small_ones_stay() {
        let wide = file(&DynamicImage::new_rgb8(4096, 1024), ImageFormat::Jpeg);
        for (kind, width, height) in [(PictureKind::Photo, 512, 128), (PictureKind::Catalogue, 2048, 512)] {
            let (large, extension) = drawn(&wide, kind);
            assert_eq!((large.width(), large.height(), extension), (width, height, "jpg"));
        }
        let (small, extension) = drawn(&file(&DynamicImage::new_rgba8(30, 40), ImageFormat::Png), PictureKind::Photo);
        assert_eq!((small.width(), small.height(), extension), (30, 40, "webp"));
    }

    #[test]
    fn variants_are_narrower_and_never_larger_than_the_picture() {
        let cases = [(1600, 900, vec![(800, 450), (320, 180)]), (500, 2000, vec![(320, 1280)]), (320, 10, vec![])];
        for (width, height, wanted) in cases {
            for image in [DynamicImage::new_rgb8(width, height), DynamicImage::new_rgba8(width, height)] {
                let picture = Picture::draw(file(&image, ImageFormat::Png), PictureKind::Catalogue).expect("a picture");
                let sizes = picture.variants.iter().map(|(width, bytes)| {
                    let variant = image::load_from_memory(bytes).expect("a picture");
                    assert_eq!((variant.width(), variant.color()), (*width, image.color()));
                    (variant.width(), variant.height())
                });
                assert_eq!((sizes.collect::<Vec<_>>(), picture.width), (wanted.clone(), Some(width)));
            }
        }
        let photo = file(&DynamicImage::new_rgb8(1600, 900), ImageFormat::Png);
        let photo = Picture::draw(photo, PictureKind::Photo).expect("a picture");
        assert_eq!((photo.variants.len(), photo.width), (0, None));
    }

    #[test]
    fn colours_and_transparency_survive_whatever_the_file_is() {
        let see_through = DynamicImage::from(RgbaImage::from_pixel(8, 8, Rgba([200, 40, 10, 128])));
        for format in [ImageFormat::Png, ImageFormat::WebP] {
            let (drawn, _) = drawn(&file(&see_through, format), PictureKind::Catalogue);
            assert_eq!(drawn.into_rgba8().get_pixel(3, 3).0, [200, 40, 10, 128], "{format:?}");
        }
        let deep = DynamicImage::from(see_through.to_rgb16());
        let opaque = DynamicImage::from(see_through.to_rgb8());
        let files = FORMATS.map(|format| file(&opaque, format));
        for bytes in files.iter().chain([&file(&deep, ImageFormat::Png)]) {
            let (drawn, extension) = drawn(bytes, PictureKind::Catalogue);
            let near = drawn.into_rgb8().get_pixel(3, 3).0.iter().zip([200, 40, 10]).all(|(a, b)| a.abs_diff(b) < 12);
            assert!(near && extension == "jpg");
        }
    }

    #[test]
    fn an_orientation_is_applied_and_the_metadata_is_gone() {
        let plain = file(&DynamicImage::new_rgb8(40, 20), ImageFormat::Jpeg);
        // An APP1 segment whose only entry is orientation 6: turned by 90 degrees (Exif 2.32, section 4.6.4).
        let exif = b"\xff\xe1\x00\x22Exif\0\0MM\x00\x2a\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00\x00\x00\x00\x00";
        let turned = [&plain[..2], exif, &plain[2..]].concat();
        let picture = Picture::draw(turned, PictureKind::Photo).expect("a picture");
        let upright = image::load_from_memory(&picture.bytes).expect("a picture");
        assert_eq!((upright.width(), upright.height()), (20, 40));
        assert!(!picture.bytes.windows(4).any(|part| part == b"Exif"));
    }

    #[test]
    fn what_hides_behind_a_picture_is_gone() {
        for format in FORMATS {
            let bytes =
                [&file(&DynamicImage::new_rgb8(9, 9), format)[..], b"PK\x03\x04<script>alert(1)</script>"].concat();
            let picture = Picture::draw(bytes, PictureKind::Catalogue).expect("a picture");
            assert!(!picture.bytes.windows(8).any(|part| part == b"<script>"), "{format:?}");
        }
    }

    #[test]
    fn what_is_no_picture_or_not_a_whole_one_is_refused() {
        for bad in [&b"\x89PNG\r\n\x1a\n"[..], b"RIFF\0\0\0\0WEBP", b"\xff\xd8\xff\xe0"] {
            assert_eq!(refused(bad, PictureKind::Catalogue), Some(InvalidPicture::Unreadable), "{} bytes", bad.len());
        }
        assert_eq!(refused(b"plain text", PictureKind::Catalogue), Some(InvalidPicture::Unknown));
        assert_eq!(refused(b"GIF89a/*<script>*/", PictureKind::Photo), Some(InvalidPicture::NotTaken("GIF")));
        let shades = RgbImage::from_fn(64, 64, |x, y| Rgb([(x * y) as u8, (x + 7 * y) as u8, (x ^ y) as u8]));
        for format in FORMATS {
            let whole = file(&DynamicImage::from(shades.clone()), format);
            for part in [whole.len() / 2, whole.len() / 4 * 3] {
                assert!(refused(&whole[..part], PictureKind::Photo).is_some(), "{part} bytes of {format:?}");
            }
        }
    }

    #[test]
    fn sizes_are_judged_by_the_header_alone() {
        let mut vast = file(&DynamicImage::new_luma8(1, 1), ImageFormat::Png);
        // Width and height in the header are changed, so its checksum is wrong too. Either error must be found before
        // any pixel is read.
        vast[16..24].copy_from_slice(&[0, 0, 0xc3, 0x50, 0, 0, 0xc3, 0x50]);
        assert!(refused(&vast, PictureKind::Catalogue).is_some());
        let many = file(&DynamicImage::new_luma8(4096, 3073), ImageFormat::Png);
        assert_eq!(refused(&many, PictureKind::Photo), Some(InvalidPicture::TooLarge(PictureKind::Photo)));
        assert_eq!(refused(&many, PictureKind::Catalogue), None);
    }
}
