//! The colours of a file, converted to sRGB. Browsers take a picture without a profile for one in sRGB, and the
//! pictures of the shop have none.

use image::{RgbImage, RgbaImage};
use moxcms::{
    CicpColorPrimaries as Primaries, CicpProfile, ColorProfile, DataColorSpace, Layout, MatrixCoefficients,
    ParsingOptions, TransferCharacteristics as Transfer, Transform8BitExecutor, TransformOptions,
};
use png::CodingIndependentCodePoints;

/// The most bytes of a colour profile. Profiles of cameras and screens have 0.5 to 60 KiB, and large tables for
/// printers about 500 KiB.
pub(super) const MAX_PROFILE: usize = 1024 * 1024;

/// The colours in which a file gives its pixels.
#[derive(Default)]
pub(super) struct Colours(Option<Box<ColorProfile>>);

impl Colours {
    /// Reads an ICC profile. A profile that is broken, larger than [`MAX_PROFILE`], or about other colours than RGB and
    /// grey counts as none, as it does in browsers.
    pub(super) fn of_profile(icc: Option<&[u8]>) -> Self {
        let limits = ParsingOptions {
            max_profile_size: MAX_PROFILE,
            max_allowed_clut_size: MAX_PROFILE,
            max_allowed_trc_size: 40_000,
        };
        let profile = icc.and_then(|icc| ColorProfile::new_from_slice_with_options(icc, limits).ok());
        let is_known =
            |profile: &ColorProfile| [DataColorSpace::Rgb, DataColorSpace::Gray].contains(&profile.color_space);
        Self(profile.filter(is_known).map(Box::new))
    }

    /// Reads the chunk `cICP` of a PNG file, which names its colours by numbers (ITU-T H.273). Returns `None` for
    /// colours of high dynamic range and for numbers that name nothing.
    pub(super) fn of_code_points(points: &CodingIndependentCodePoints) -> Option<Self> {
        let color_primaries = Primaries::try_from(points.color_primaries).ok()?;
        let transfer_characteristics = Transfer::try_from(points.transfer_function).ok()?;
        let has_primaries = !matches!(color_primaries, Primaries::Reserved | Primaries::Unspecified);
        let has_curve = matches!(
            transfer_characteristics,
            Transfer::Srgb
                | Transfer::Bt709
                | Transfer::Bt601
                | Transfer::Bt202010bit
                | Transfer::Bt202012bit
                | Transfer::Bt470M
                | Transfer::Bt470Bg
                | Transfer::Linear
        );
        let code = CicpProfile {
            color_primaries,
            transfer_characteristics,
            matrix_coefficients: MatrixCoefficients::Identity,
            full_range: points.is_video_full_range_image,
        };
        let is_usable = has_primaries && has_curve && points.is_video_full_range_image;
        is_usable.then(|| Self(Some(Box::new(ColorProfile::new_from_cicp(code)))))
    }

    /// Converts a picture to sRGB. Does nothing if the file names no colours, or if they can't be converted. A profile of
    /// grey says nothing about a picture that has colours.
    pub(super) fn convert(&self, picture: &mut RgbImage) {
        self.convert_rows(Layout::Rgb, 3 * picture.width() as usize, picture);
    }

    /// Converts a picture with transparency to sRGB, see [`Colours::convert`].
    pub(super) fn convert_with_alpha(&self, picture: &mut RgbaImage) {
        self.convert_rows(Layout::Rgba, 4 * picture.width() as usize, picture);
    }

    fn convert_rows(&self, layout: Layout, row_bytes: usize, pixels: &mut [u8]) {
        let Some((transform, is_grey)) = self.transform(layout) else { return };
        let channels = layout.channels();
        if is_grey && pixels.chunks_exact(channels).any(|pixel| pixel[0] != pixel[1] || pixel[1] != pixel[2]) {
            return;
        }
        let mut source = Vec::with_capacity(row_bytes);
        for row in pixels.chunks_exact_mut(row_bytes) {
            source.clear();
            if is_grey {
                // The red, green and blue of a grey picture are the same.
                row.chunks_exact(channels).for_each(|pixel| source.extend(pixel.iter().step_by(3)));
            } else {
                source.extend_from_slice(row);
            }
            if transform.transform(&source, row).is_err() {
                return;
            }
        }
    }

    /// Returns the conversion of pixels in red, green and blue, and whether it wants a single channel of grey.
    fn transform(&self, layout: Layout) -> Option<(std::sync::Arc<Transform8BitExecutor>, bool)> {
        let profile = self.0.as_deref()?;
        let is_grey = profile.color_space == DataColorSpace::Gray;
        let source = match (is_grey, layout) {
            (true, Layout::Rgba) => Layout::GrayAlpha,
            (true, _) => Layout::Gray,
            (false, _) => layout,
        };
        let target = ColorProfile::new_srgb();
        let transform = profile.create_transform_8bit(source, &target, layout, TransformOptions::default());
        Some((transform.ok()?, is_grey))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(profile: &ColorProfile) -> Colours {
        Colours::of_profile(Some(&profile.encode().expect("a profile")))
    }

    fn converted(colours: &Colours, pixel: [u8; 3]) -> [u8; 3] {
        let mut picture = RgbImage::from_pixel(3, 2, image::Rgb(pixel));
        colours.convert(&mut picture);
        picture.get_pixel(2, 1).0
    }

    /// Computed with the matrices of CSS Color 4, section 18, and not with the crate.
    const OF_P3: [([u8; 3], [u8; 3]); 3] =
        [([200, 100, 50], [215, 93, 31]), ([120, 120, 120], [120, 120, 120]), ([30, 60, 200], [17, 61, 208])];
    const OF_ADOBE: [([u8; 3], [u8; 3]); 3] =
        [([200, 100, 50], [227, 100, 42]), ([60, 160, 90], [0, 161, 85]), ([30, 60, 200], [0, 57, 205])];

    fn is_near(colours: &Colours, (from, to): ([u8; 3], [u8; 3])) -> bool {
        converted(colours, from).iter().zip(to).all(|(a, b)| a.abs_diff(b) <= 2)
    }

    #[test]
    fn colours_of_wider_spaces_become_those_of_srgb() {
        let (p3, adobe) = (profile(&ColorProfile::new_display_p3()), profile(&ColorProfile::new_adobe_rgb()));
        for (colours, pairs) in [(&p3, OF_P3), (&adobe, OF_ADOBE)] {
            for pair in pairs {
                assert!(is_near(colours, pair), "{pair:?}: {:?}", converted(colours, pair.0));
            }
        }
        let points = |color_primaries, transfer_function| CodingIndependentCodePoints {
            color_primaries,
            transfer_function,
            matrix_coefficients: 0,
            is_video_full_range_image: true,
        };
        let coded = Colours::of_code_points(&points(12, 13)).expect("Display P3");
        assert!(OF_P3.iter().all(|pair| is_near(&coded, *pair)));
        // PQ and HLG are of high dynamic range; 0 and 255 name nothing.
        for (primaries, transfer) in [(9, 16), (9, 18), (0, 13), (12, 255), (2, 2)] {
            assert!(Colours::of_code_points(&points(primaries, transfer)).is_none(), "{primaries} {transfer}");
        }
    }

    #[test]
    fn grey_pictures_keep_their_transparency_and_become_lighter_or_darker() {
        let grey = profile(&ColorProfile::new_gray_with_gamma(1.8));
        for (from, to) in [(40, 53), (120, 139), (200, 210)] {
            assert!(is_near(&grey, ([from; 3], [to; 3])), "{from}: {:?}", converted(&grey, [from; 3]));
        }
        assert_eq!(converted(&grey, [200, 40, 90]), [200, 40, 90], "a profile of grey says nothing about colours");
        let mut picture = RgbaImage::from_pixel(2, 2, image::Rgba([120, 120, 120, 7]));
        grey.convert_with_alpha(&mut picture);
        let [red, green, _, alpha] = picture.get_pixel(1, 1).0;
        assert!(red.abs_diff(139) <= 2 && red == green && alpha == 7);
    }

    #[test]
    fn broken_profiles_count_as_none_and_never_cost_more_than_they_may() {
        let whole = ColorProfile::new_display_p3().encode().expect("a profile");
        let pixel = [200, 100, 50];
        for length in (0..whole.len()).step_by(7) {
            converted(&Colours::of_profile(Some(&whole[..length])), pixel);
        }
        for at in (0..whole.len()).step_by(3) {
            for value in [0, 0xff] {
                let mut bent = whole.clone();
                bent[at] = value;
                converted(&Colours::of_profile(Some(&bent)), pixel);
            }
        }
        let padded = [whole, vec![0; MAX_PROFILE]].concat();
        for icc in [None, Some(&b"no profile"[..]), Some(&padded)] {
            assert_eq!(converted(&Colours::of_profile(icc), pixel), pixel);
        }
    }
}
