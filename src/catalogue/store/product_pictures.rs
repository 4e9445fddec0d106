//! The pictures of a stored product. The first one has fields of its own, which all levels of the tree have; the
//! further ones are a list.

use super::products::ProductDoc;
use crate::{
    catalogue::rules::pictures::{ProductPicture, ProductPictures},
    images::key::ImageKey,
    values::url::ImageUrl,
};

impl ProductDoc {
    /// Returns all pictures, the first one first.
    pub fn pictures(&self) -> ProductPictures {
        let first =
            ProductPicture { url: self.image_url.clone(), key: self.image_key.clone(), alt: self.image_alt.clone() };
        ProductPictures::new(first, self.further_images.clone())
    }

    /// Replaces all pictures.
    pub fn show_pictures(&mut self, pictures: ProductPictures) {
        let (first, further) = pictures.into_parts();
        (self.image_url, self.image_key, self.image_alt) = (first.url, first.key, first.alt);
        self.further_images = further;
    }

    /// Replaces the first picture. A further one at the same URL takes its place and keeps its words.
    pub(super) fn replace_first_picture(&mut self, url: ImageUrl, key: Option<ImageKey>) {
        let mut key = key;
        if self.image_url != url {
            let at = self.further_images.iter().position(|picture| picture.is_at(&url));
            let moved = at.map(|at| self.further_images.remove(at));
            key = key.or_else(|| moved.as_ref().and_then(|picture| picture.key.clone()));
            self.image_alt = moved.and_then(|picture| picture.alt);
        }
        (self.image_url, self.image_key) = (url, key);
    }

    /// Sets the key of the picture at a URL.
    pub(super) fn set_picture_key(&mut self, url: &str, key: &ImageKey) {
        if self.image_url.as_str() == url {
            self.image_key = Some(key.clone());
        }
        for picture in self.further_images.iter_mut().filter(|picture| picture.url.as_str() == url) {
            picture.key = Some(key.clone());
        }
    }
}
