//! Reading the pixels of PNG, JPEG and WebP files. The memory that this takes is computed from the file's header before
//! any pixel is read.

use std::io::Cursor;

use image::{
    DynamicImage, GrayAlphaImage, GrayImage, ImageDecoder, RgbImage, RgbaImage,
    codecs::{jpeg::JpegDecoder, webp::WebPDecoder},
    metadata::Orientation,
};

use super::{
    InvalidPicture, PictureKind,
    colours::{Colours, MAX_PROFILE},
    jpeg::Frame,
    kind::FileKind,
    webp,
};

/// Number of pixels that count as a megapixel. A camera sold as one of 12 megapixels often has a little more than 12
/// million pixels.
const MEGAPIXEL: u64 = 1024 * 1024;
/// The most bytes that reading a picture may take: six for each of 50 megapixels, which is enough for the usual kinds
/// of file.
const MAX_MEMORY: u64 = 300 * 1024 * 1024;
/// The most bytes for the metadata of a PNG file: a colour profile, packed and unpacked, and the other metadata.
const MAX_METADATA: usize = 2 * MAX_PROFILE + 1024 * 1024;

/// A picture as its file contains it.
pub(super) struct Pixels {
    /// The pixels, not turned yet.
    pub image: DynamicImage,
    /// How the picture must be turned to be upright.
    pub orientation: Orientation,
    /// Whether the picture may have transparent pixels.
    pub has_alpha: bool,
    /// The colours that the numbers of the pixels stand for.
    pub colours: Colours,
}

impl Pixels {
    /// Reads a file. Its kind is recognised by its first bytes, not by its name or the content type that was sent.
    pub(super) fn read(bytes: Vec<u8>, kind: PictureKind) -> Result<Self, InvalidPicture> {
        match FileKind::of(&bytes) {
            FileKind::Png => read_png(&bytes, kind),
            FileKind::Jpeg => read_jpeg(&bytes, kind),
            FileKind::WebP => read_webp(bytes, kind),
            FileKind::Other(name) => Err(InvalidPicture::NotTaken(name)),
            FileKind::Unknown => Err(InvalidPicture::Unknown),
        }
    }

    fn from_decoder(mut decoder: impl ImageDecoder, is_opaque: bool) -> Result<Self, InvalidPicture> {
        let orientation = decoder.orientation()?;
        let has_alpha = decoder.color_type().has_alpha() && !is_opaque;
        let colours = Colours::of_profile(decoder.icc_profile().ok().flatten().as_deref());
        Ok(Self { image: DynamicImage::from_decoder(decoder)?, orientation, has_alpha, colours })
    }
}

/// Refuses a picture that has too many pixels, or that would take too much memory. `quarter_bytes` is the memory for
/// each pixel, in quarters of a byte.
fn check_size(width: u32, height: u32, quarter_bytes: u64, kind: PictureKind) -> Result<(), InvalidPicture> {
    let pixels = u64::from(width) * u64::from(height);
    if pixels > kind.megapixels() * MEGAPIXEL {
        return Err(InvalidPicture::TooLarge(kind));
    }
    if pixels * quarter_bytes / 4 > MAX_MEMORY {
        return Err(InvalidPicture::TooHeavy);
    }
    Ok(())
}

/// Reads a PNG file. Colours of 16 bits are reduced to 8 while they are read, which halves the memory.
fn read_png(bytes: &[u8], kind: PictureKind) -> Result<Pixels, InvalidPicture> {
    let mut reader = match open_png(bytes, kind, true) {
        // The profile may be what is too large or broken.
        Err(InvalidPicture::Unreadable) => open_png(bytes, kind, false),
        opened => opened,
    }?;
    let colours = png_colours(reader.info());
    let (width, height) = reader.info().size();
    let mut pixels = vec![0; reader.output_buffer_size().ok_or(InvalidPicture::Unreadable)?];
    reader.next_frame(&mut pixels)?;
    let exif = reader.info().exif_metadata.as_ref();
    let orientation = exif.and_then(|exif| Orientation::from_exif_chunk(exif)).unwrap_or(Orientation::NoTransforms);
    let (color, _) = reader.output_color_type();
    let converted = match color {
        png::ColorType::Grayscale => GrayImage::from_raw(width, height, pixels).map(DynamicImage::from),
        png::ColorType::GrayscaleAlpha => GrayAlphaImage::from_raw(width, height, pixels).map(DynamicImage::from),
        png::ColorType::Rgb => RgbImage::from_raw(width, height, pixels).map(DynamicImage::from),
        png::ColorType::Rgba => RgbaImage::from_raw(width, height, pixels).map(DynamicImage::from),
        png::ColorType::Indexed => None,
    };
    let image = converted.ok_or(InvalidPicture::Unreadable)?;
    Ok(Pixels { has_alpha: image.color().has_alpha(), image, orientation, colours })
}

/// Reads what stands before the pixels of a PNG file, and checks the size before memory for the pixels is allocated.
fn open_png(bytes: &[u8], kind: PictureKind, with_profile: bool) -> Result<png::Reader<Cursor<&[u8]>>, InvalidPicture> {
    let mut decoder = png::Decoder::new_with_limits(Cursor::new(bytes), png::Limits { bytes: MAX_METADATA });
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(!with_profile);
    let header = decoder.read_header_info()?;
    check_size(header.width, header.height, 4 * 4, kind)?;
    Ok(decoder.read_info()?)
}

/// Returns the colours of a PNG file. The chunk `cICP` comes before a profile (PNG, third edition, section 11.3.2.6).
/// `gAMA` and `cHRM` don't count: programs that write neither of the others often write wrong ones.
fn png_colours(info: &png::Info<'_>) -> Colours {
    let coded = info.coding_independent_code_points.as_ref().and_then(Colours::of_code_points);
    coded.unwrap_or_else(|| Colours::of_profile(info.icc_profile.as_deref()))
}

fn read_jpeg(bytes: &[u8], kind: PictureKind) -> Result<Pixels, InvalidPicture> {
    let frame = Frame::find(bytes).ok_or(InvalidPicture::Unreadable)?;
    check_size(frame.width, frame.height, frame.quarter_bytes, kind)?;
    Pixels::from_decoder(JpegDecoder::new(Cursor::new(bytes))?, false)
}

fn read_webp(mut bytes: Vec<u8>, kind: PictureKind) -> Result<Pixels, InvalidPicture> {
    let layout = webp::WebpLayout::find(&bytes).ok_or(InvalidPicture::Unreadable)?;
    let is_opaque = layout.mark_as_transparent(&mut bytes);
    let decoder = WebPDecoder::new(Cursor::new(bytes))?;
    let (width, height) = decoder.dimensions();
    check_size(width, height, layout.quarter_bytes(), kind)?;
    Pixels::from_decoder(decoder, is_opaque)
}

impl From<image::ImageError> for InvalidPicture {
    fn from(_: image::ImageError) -> Self {
        Self::Unreadable
    }
}

impl From<png::DecodingError> for InvalidPicture {
    fn from(_: png::DecodingError) -> Self {
        Self::Unreadable
    }
}
