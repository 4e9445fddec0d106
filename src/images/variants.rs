//! Narrower variants of images, for lists. They are made with the image, and their names and URLs follow from its own.
//!
//! The name of an image ends with its width if variants of it were made, as in `…-1600.jpg`. An image of an older
//! version, one that somebody else stores, and the picture of an account have no variants.

use std::borrow::Cow;

use super::key::{self, ImageKey, MEDIA};

/// The widths of variants in pixels. Only those that are narrower than the image are made.
pub const WIDTHS: [u32; 2] = [320, 800];
/// The part of a URL at Cloudinary after which transformations stand.
const CLOUDINARY_UPLOADS: &str = "/image/upload/";

/// Returns the widths of the variants of an image.
pub fn widths_below(width: u32) -> impl Iterator<Item = u32> {
    WIDTHS.into_iter().filter(move |variant| *variant < width)
}

/// Returns the name of a variant at the home of its image: `….w320.jpg`.
pub fn name_of(name: &str, width: u32) -> String {
    match name.split_once('.') {
        Some((stem, extension)) => format!("{stem}.w{width}.{extension}"),
        None => name.to_owned(),
    }
}

/// Returns the names of all variants of an image.
pub fn names_of(name: &str) -> Vec<String> {
    let width = key::width_of(name).unwrap_or_default();
    widths_below(width).map(|variant| name_of(name, variant)).collect()
}

/// Returns the name of what a place of `width` pixels should show: the narrowest variant that fills it, or the image.
pub fn name_for(name: &str, width: u32) -> Cow<'_, str> {
    match narrowest(name, width) {
        Some(variant) => name_of(name, variant).into(),
        None => name.into(),
    }
}

/// Returns the URL of what a place of `width` pixels should show, see [`name_for`].
pub fn url_for(url: &str, width: u32) -> Cow<'_, str> {
    let plain = url.split(['?', '#']).next().unwrap_or_default();
    let Some((folder, name)) = plain.rsplit_once('/') else { return url.into() };
    let Some(variant) = narrowest(name, width) else { return url.into() };
    if url.starts_with(MEDIA) {
        return format!("{plain}?w={variant}").into();
    }
    if plain.contains(CLOUDINARY_UPLOADS) {
        return plain.replacen(CLOUDINARY_UPLOADS, &transformation(variant), 1).into();
    }
    format!("{folder}/{}", name_of(name, variant)).into()
}

/// Returns the URL of the image itself for a URL that shows the image or a variant of it; any other URL as it came. A
/// path below `/media/` loses its query and its fragment too, which choose a variant.
pub fn original_url(url: &str) -> Cow<'_, str> {
    if url.starts_with(MEDIA) {
        let key = ImageKey::shown_at(url).into_iter().next();
        return key.map_or(url.into(), |key| format!("{MEDIA}{}", key.name()).into());
    }
    let plain = url.split(['?', '#']).next().unwrap_or_default();
    let Some((folder, name)) = plain.rsplit_once('/') else { return url.into() };
    let original = key::original(name);
    let is_transformed = |width: &u32| folder.contains(&transformation(*width));
    let transformed = WIDTHS.into_iter().find(is_transformed);
    if key::width_of(name).is_none() || (original == name && transformed.is_none()) {
        return url.into();
    }
    let folder =
        transformed.map_or(folder.to_owned(), |width| folder.replacen(&transformation(width), CLOUDINARY_UPLOADS, 1));
    format!("{folder}/{original}").into()
}

/// Returns the part of a URL at Cloudinary that makes a variant.
fn transformation(width: u32) -> String {
    format!("{CLOUDINARY_UPLOADS}c_limit,w_{width}/")
}

fn narrowest(name: &str, width: u32) -> Option<u32> {
    widths_below(key::width_of(name)?).find(|variant| *variant >= width)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEM: &str = "0123456789abcdef0123456789abcdef-0123456789abcdef";

    #[test]
    fn a_place_gets_the_narrowest_variant_that_fills_it() {
        let wide = format!("{STEM}-1600.jpg");
        for (width, name) in [(1, "w320.jpg"), (320, "w320.jpg"), (321, "w800.jpg"), (800, "w800.jpg")] {
            assert_eq!(name_for(&wide, width), format!("{STEM}-1600.{name}"));
        }
        assert_eq!(name_for(&wide, 801), wide);
        assert_eq!(names_of(&wide).len(), 2);
        let narrow = format!("{STEM}-800.webp");
        assert_eq!(name_for(&narrow, 400), narrow, "a variant is never as wide as the image");
        assert_eq!(names_of(&narrow), [format!("{STEM}-800.w320.webp")]);
        for none in [format!("{STEM}-320.jpg"), format!("{STEM}.jpg"), "0123.jpg".to_owned(), "pad.png".to_owned()] {
            assert_eq!((name_for(&none, 320).as_ref(), names_of(&none).len()), (none.as_str(), 0));
        }
    }

    #[test]
    fn all_forms_of_an_own_path_are_one_image_and_other_urls_stay() {
        let own = format!("/media/{STEM}-640.webp");
        let variant = own.replace(".webp", ".w320.webp");
        for form in [format!("{own}?w=320"), format!("{own}#x"), own.replace("media/", "media//"), variant] {
            assert_eq!(original_url(&form), own, "{form}");
        }
        for other in ["/media/pad.png?w=320", "https://images.example.com/a.w320.jpg?v=2", "https://w320.example.com"] {
            assert_eq!(original_url(other), other);
        }
    }

    #[test]
    fn each_home_has_urls_of_its_own() {
        let name = format!("{STEM}-1600.jpg");
        let cases = [
            ("/media/NAME", "/media/NAME?w=320"),
            ("/media/NAME?v=2", "/media/NAME?w=320"),
            ("https://images.example.com/shop/NAME", "https://images.example.com/shop/STEM-1600.w320.jpg"),
            ("https://shop.example.com/media/NAME", "https://shop.example.com/media/STEM-1600.w320.jpg"),
            (
                "https://res.cloudinary.com/shop/image/upload/v17/myspares/NAME",
                "https://res.cloudinary.com/shop/image/upload/c_limit,w_320/v17/myspares/NAME",
            ),
            ("https://images.example.com/pad.jpg", "https://images.example.com/pad.jpg"),
            ("https://res.cloudinary.com/x/image/upload/pad.jpg", "https://res.cloudinary.com/x/image/upload/pad.jpg"),
        ];
        for (url, variant) in cases {
            let [url, variant] = [url, variant].map(|url| url.replace("NAME", &name).replace("STEM", STEM));
            assert_eq!(url_for(&url, 320), variant);
            assert_eq!(url_for(&url, 2_000), url);
            let original = url.split('?').next().unwrap_or_default();
            assert_eq!(original_url(&variant), original);
            assert_eq!(original_url(original), original);
        }
    }
}
