//! The pictures of a product: their order, and how many there may be.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::names::AltText;
use crate::{images::key::ImageKey, values::url::ImageUrl};

/// The most pictures of a product beside the first one.
pub const MAX_FURTHER: usize = 10;
/// Bytes of the id of a picture.
const ID_BYTES: usize = 12;

/// A picture of a product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductPicture {
    pub url: ImageUrl,
    /// The key under which the shop stores the image; `None` for an image that it does not store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<ImageKey>,
    /// The words that staff have given it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alt: Option<AltText>,
}

/// All pictures of a product in the order in which they are shown. There is always a first one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductPictures(Vec<ProductPicture>);

/// The place of a picture in a new order.
#[derive(Debug, Clone)]
pub struct PicturePlace {
    /// The id of the picture.
    pub id: String,
    /// The new words for it; `None` if it keeps what it has. The inner `None` takes them away.
    pub alt: Option<Option<AltText>>,
}

/// Why the pictures of a product can't be changed like this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PictureRefusal {
    /// There are as many as there may be.
    #[error("a product has at most {MAX_FURTHER} images beside the first one")]
    Full,
    /// It shows the same picture already.
    #[error("the product shows this image already")]
    Repeated,
    /// It has no such picture.
    #[error("image not found")]
    Unknown,
    /// It would have none.
    #[error("a product needs an image: add another one first")]
    Last,
    /// An order leaves pictures out, repeats one, or names others.
    #[error("images must name each image of the product exactly once")]
    WrongOrder,
}

impl ProductPicture {
    /// Returns the id of the picture: 24 hex digits that depend on its URL only. So a picture keeps its id when the
    /// order changes, and pictures of older versions have one too.
    pub fn id(&self) -> String {
        hex::encode(&Sha256::digest(self.url.as_str())[..ID_BYTES])
    }

    /// Returns whether the picture is the one at a URL, which may name it in another way.
    pub fn is_at(&self, url: &ImageUrl) -> bool {
        let own_keys = ImageKey::shown_at(self.url.as_str());
        self.url == *url || ImageKey::shown_at(url.as_str()).iter().any(|key| own_keys.contains(key))
    }
}

impl ProductPictures {
    /// Joins the first picture with the further ones.
    pub fn new(first: ProductPicture, further: Vec<ProductPicture>) -> Self {
        Self([vec![first], further].concat())
    }

    /// Adds a picture behind the others.
    pub fn add(&mut self, picture: ProductPicture) -> Result<(), PictureRefusal> {
        let is_same =
            |known: &ProductPicture| known.is_at(&picture.url) || (known.key.is_some() && known.key == picture.key);
        if self.0.iter().any(is_same) {
            return Err(PictureRefusal::Repeated);
        }
        if self.0.len() > MAX_FURTHER {
            return Err(PictureRefusal::Full);
        }
        self.0.push(picture);
        Ok(())
    }

    /// Takes a picture away. After the first one, the next becomes the first.
    pub fn remove(&mut self, id: &str) -> Result<(), PictureRefusal> {
        let at = self.0.iter().position(|picture| picture.id() == id).ok_or(PictureRefusal::Unknown)?;
        if self.0.len() == 1 {
            return Err(PictureRefusal::Last);
        }
        self.0.remove(at);
        Ok(())
    }

    /// Brings the pictures into a new order, which must name each of them once.
    pub fn arrange(&mut self, order: &[PicturePlace]) -> Result<(), PictureRefusal> {
        let mut left = self.0.clone();
        let mut arranged = Vec::with_capacity(left.len());
        for place in order {
            let at = left.iter().position(|picture| picture.id() == place.id).ok_or(PictureRefusal::WrongOrder)?;
            let mut picture = left.remove(at);
            if let Some(alt) = &place.alt {
                picture.alt.clone_from(alt);
            }
            arranged.push(picture);
        }
        if !left.is_empty() {
            return Err(PictureRefusal::WrongOrder);
        }
        self.0 = arranged;
        Ok(())
    }

    /// Returns the pictures in their order.
    pub fn iter(&self) -> impl Iterator<Item = &ProductPicture> {
        self.0.iter()
    }

    /// Returns the first picture and the further ones.
    pub fn into_parts(mut self) -> (ProductPicture, Vec<ProductPicture>) {
        (self.0.remove(0), self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn picture(n: usize) -> ProductPicture {
        let url = ImageUrl::parse(&format!("https://images.example.com/{n}.webp")).expect("a URL");
        ProductPicture { url, key: None, alt: None }
    }

    fn place(n: usize) -> PicturePlace {
        PicturePlace { id: picture(n).id(), alt: None }
    }

    #[test]
    fn the_eleventh_further_picture_and_a_second_of_the_same_are_refused() {
        let mut pictures = ProductPictures::new(picture(0), Vec::new());
        for n in 1..=MAX_FURTHER {
            assert_eq!(pictures.add(picture(n / 2)), Err(PictureRefusal::Repeated));
            assert_eq!(pictures.add(picture(n)), Ok(()));
        }
        assert_eq!(pictures.add(picture(99)), Err(PictureRefusal::Full));
        for n in 0..MAX_FURTHER {
            assert_eq!(pictures.remove(&picture(n).id()), Ok(()));
            assert_eq!(pictures.remove(&picture(n).id()), Err(PictureRefusal::Unknown));
        }
        assert_eq!(pictures.remove(&picture(MAX_FURTHER).id()), Err(PictureRefusal::Last));
    }

    #[test]
    fn a_stored_picture_is_the_same_under_all_its_urls() {
        let at = |url: &str| ProductPicture { url: ImageUrl::parse(url).expect("a URL"), ..picture(0) };
        let shown = "https://cdn.example.com/shop/00112233445566778899aabbccddeeff-0011223344556677-900.jpg";
        let mut pictures = ProductPictures::new(at(shown), Vec::new());
        for form in [format!("{shown}?v=1"), format!("{shown}#x"), shown.replace(".jpg", ".w320.jpg")] {
            assert_eq!(pictures.add(at(&form)), Err(PictureRefusal::Repeated), "{form}");
        }
        assert_eq!(pictures.add(at(&shown.replace("-0011", "-0012"))), Ok(()));
    }

    #[test]
    fn words_stay_change_or_go_with_a_new_order() {
        let words = |text: &str| AltText::parse(text).expect("words");
        let mut pictures = ProductPictures::new(picture(0), vec![picture(1), picture(2)]);
        let order = [(2, Some(words("From behind"))), (0, None), (1, Some(words("")))];
        let order = order.map(|(n, alt)| PicturePlace { alt, ..place(n) });
        pictures.arrange(&order).expect("an order");
        pictures.arrange(&[1, 2, 0].map(place)).expect("an order");
        let (first, further) = pictures.into_parts();
        assert_eq!((first, further[0].alt.clone()), (picture(1), words("From behind")));
    }

    proptest! {
        #[test]
        fn an_order_is_taken_exactly_if_it_is_a_permutation(order in prop::collection::vec(0_usize..5, 0..6)) {
            let mut pictures = ProductPictures::new(picture(0), (1..4).map(picture).collect());
            let places: Vec<PicturePlace> = order.iter().copied().map(place).collect();
            let mut sorted = order.clone();
            sorted.sort_unstable();
            let outcome = pictures.arrange(&places);
            prop_assert_eq!(outcome.is_ok(), sorted == [0, 1, 2, 3]);
            let shown: Vec<ProductPicture> = pictures.iter().cloned().collect();
            let wanted = if outcome.is_ok() { order } else { vec![0, 1, 2, 3] };
            prop_assert_eq!(shown, wanted.into_iter().map(picture).collect::<Vec<_>>());
        }
    }
}
