//! The catalogue as the API shows it. The names of fields begin with their level, such as `brand_name` and
//! `model_name`.

use poem_openapi::{Object, types::Example};
use serde::Serialize;

use super::fast_json::Scalar;
use crate::{
    api::examples,
    app::App,
    catalogue::{
        BranchDoc, Brand, Category, Model, ProductDoc,
        rules::{
            pictures::ProductPicture,
            pricing::{Offer, PriceNow},
        },
    },
    images::variants,
    values::{
        ids::{BrandId, CategoryId, ModelId, ProductId},
        money::{Money, Percent},
        time::Timestamp,
        url::{ImageUrl, PublicUrl},
    },
};

/// How entries are shown: the moment, which decides about their prices, and the URL of the images of this server.
#[derive(Debug, Clone, Copy)]
pub struct Showing<'a> {
    now: Timestamp,
    public_url: &'a PublicUrl,
}

impl<'a> Showing<'a> {
    /// Shows entries as they are now.
    pub fn now(app: &'a App) -> Self {
        Self::at(app, app.clock.now())
    }

    /// Shows entries as they are at some moment.
    pub fn at(app: &'a App, now: Timestamp) -> Self {
        Self { now, public_url: &app.config.shop.public_url }
    }
}

impl Showing<'_> {
    fn image(&self, url: &ImageUrl) -> String {
        self.public_url.shown(url.as_str())
    }

    fn variants(&self, url: &ImageUrl) -> ImageVariantsOut {
        let [w320, w800] = variants::WIDTHS.map(|width| self.public_url.shown(&variants::url_for(url.as_str(), width)));
        ImageVariantsOut { w320, w800 }
    }
}

/// The image in widths for lists. Each URL shows the narrowest variant that is at least so wide; the image itself if it
/// is narrower, or if there is no variant of it.
#[derive(Debug, Object, Serialize)]
#[oai(rename = "ImageVariants")]
pub struct ImageVariantsOut {
    w320: String,
    w800: String,
}

/// An image of a product.
#[derive(Debug, Object, Serialize)]
#[oai(rename = "ProductImage")]
pub struct ProductImageOut {
    /// Id of the image in this product: 24 hex digits that depend on its URL.
    #[oai(rename = "_id")]
    #[serde(rename = "_id")]
    id: String,
    url: String,
    variants: ImageVariantsOut,
    /// Words that stand for the image where it can't be seen; the name of the product if staff have given none.
    alt: String,
    /// Place of the image, counted from 0.
    position: usize,
}

/// Something that is shown and becomes wrong by itself at some instant.
pub trait Timed {
    /// Returns the instant from which this is wrong without any change in the catalogue; `None` if it never is.
    fn ends_at(&self) -> Option<Timestamp>;
}

/// Returns the instant at which the first of the entries ends.
pub fn first_end<T: Timed>(entries: &[T]) -> Option<Timestamp> {
    entries.iter().filter_map(T::ends_at).min()
}

/// A vehicle brand.
#[derive(Debug, Object, Serialize)]
#[oai(rename = "Brand", example)]
pub struct BrandOut {
    #[oai(rename = "_id")]
    #[serde(rename = "_id")]
    id: Scalar<BrandId>,
    brand_name: String,
    brand_code: String,
    image_url: String,
    image_variants: ImageVariantsOut,
    created_at: Scalar<Timestamp>,
}

/// A model of a brand.
#[derive(Debug, Object, Serialize)]
#[oai(rename = "Model", example)]
pub struct ModelOut {
    #[oai(rename = "_id")]
    #[serde(rename = "_id")]
    id: Scalar<ModelId>,
    brand_id: Scalar<BrandId>,
    model_name: String,
    model_code: String,
    image_url: String,
    image_variants: ImageVariantsOut,
    created_at: Scalar<Timestamp>,
}

/// A category of parts for a model.
#[derive(Debug, Object, Serialize)]
#[oai(rename = "Category", example)]
pub struct CategoryOut {
    #[oai(rename = "_id")]
    #[serde(rename = "_id")]
    id: Scalar<CategoryId>,
    model_id: Scalar<ModelId>,
    category_name: String,
    category_code: String,
    image_url: String,
    image_variants: ImageVariantsOut,
    created_at: Scalar<Timestamp>,
}

/// A spare part.
#[derive(Debug, Object, Serialize)]
#[oai(rename = "Product", example)]
pub struct ProductOut {
    #[oai(rename = "_id")]
    #[serde(rename = "_id")]
    id: Scalar<ProductId>,
    category_id: Scalar<CategoryId>,
    product_name: String,
    product_code: String,
    /// Full code: the codes of brand, model, category and product, joined by `-`.
    code: String,
    description: String,
    /// Price of one piece without the offer.
    price: Scalar<Money>,
    /// Price of one piece now, after the discount.
    unit_price: Scalar<Money>,
    /// Percentage of the discount that counts now; 0 if there is none.
    discount: Scalar<Percent>,
    /// Time at which the offer begins or ends, and `unit_price` and `discount` change; null if there is no such time.
    price_until: Option<Scalar<Timestamp>>,
    stock: i64,
    image_url: String,
    image_variants: ImageVariantsOut,
    /// All images in their order. The first one is that of `image_url`; up to 10 others follow.
    images: Vec<ProductImageOut>,
    created_at: Scalar<Timestamp>,
    reviews: Vec<String>,
    /// The offer; an empty object if there is none.
    offers: OfferOut,
    is_active: bool,
}

/// A discount that counts for a limited time. Either all fields are present or none.
#[derive(Debug, Default, Object, Serialize)]
#[oai(rename = "Offer", skip_serializing_if_is_none)]
pub struct OfferOut {
    /// Percentage that is taken off the price.
    #[serde(skip_serializing_if = "Option::is_none")]
    discount: Option<Scalar<Percent>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    validity: Option<ValidityOut>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
}

/// The time in which an offer counts: two instants in Unix seconds, both included.
#[derive(Debug, Object, Serialize)]
#[oai(rename = "Validity")]
struct ValidityOut {
    from: i64,
    to: i64,
}

impl BrandOut {
    /// Creates the brand as it is shown.
    pub fn new(doc: BranchDoc<Brand>, showing: Showing<'_>) -> Self {
        Self {
            id: doc.id.into(),
            brand_name: doc.name.to_string(),
            brand_code: doc.own_code.to_string(),
            image_url: showing.image(&doc.image_url),
            image_variants: showing.variants(&doc.image_url),
            created_at: doc.created_at.into(),
        }
    }
}

impl ModelOut {
    /// Creates the model as it is shown.
    pub fn new(doc: BranchDoc<Model>, showing: Showing<'_>) -> Self {
        Self {
            id: doc.id.into(),
            brand_id: doc.parent_id.into(),
            model_name: doc.name.to_string(),
            model_code: doc.own_code.to_string(),
            image_url: showing.image(&doc.image_url),
            image_variants: showing.variants(&doc.image_url),
            created_at: doc.created_at.into(),
        }
    }
}

impl CategoryOut {
    /// Creates the category as it is shown.
    pub fn new(doc: BranchDoc<Category>, showing: Showing<'_>) -> Self {
        Self {
            id: doc.id.into(),
            model_id: doc.parent_id.into(),
            category_name: doc.name.to_string(),
            category_code: doc.own_code.to_string(),
            image_url: showing.image(&doc.image_url),
            image_variants: showing.variants(&doc.image_url),
            created_at: doc.created_at.into(),
        }
    }
}

impl ProductOut {
    /// Creates the product as it is shown.
    pub fn new(doc: ProductDoc, showing: Showing<'_>) -> Self {
        let PriceNow { discount, unit_price, until } = doc.price_at(showing.now);
        Self {
            id: doc.id.into(),
            category_id: doc.parent_id.into(),
            product_name: doc.name.to_string(),
            product_code: doc.own_code.to_string(),
            code: doc.code.to_string(),
            description: doc.description.to_string(),
            price: doc.price.into(),
            unit_price: unit_price.into(),
            discount: discount.into(),
            price_until: until.map(Scalar),
            stock: doc.stock,
            image_url: showing.image(&doc.image_url),
            image_variants: showing.variants(&doc.image_url),
            images: images(&doc, showing),
            created_at: doc.created_at.into(),
            reviews: Vec::new(),
            offers: doc.offer.map(OfferOut::from).unwrap_or_default(),
            is_active: doc.is_active,
        }
    }
}

fn images(doc: &ProductDoc, showing: Showing<'_>) -> Vec<ProductImageOut> {
    let shown = |(position, picture): (usize, &ProductPicture)| ProductImageOut {
        id: picture.id(),
        url: showing.image(&picture.url),
        variants: showing.variants(&picture.url),
        alt: picture.alt.as_ref().map_or_else(|| doc.name.to_string(), ToString::to_string),
        position,
    };
    doc.pictures().iter().enumerate().map(shown).collect()
}

impl Timed for BrandOut {
    fn ends_at(&self) -> Option<Timestamp> {
        None
    }
}

impl Timed for ModelOut {
    fn ends_at(&self) -> Option<Timestamp> {
        None
    }
}

impl Timed for CategoryOut {
    fn ends_at(&self) -> Option<Timestamp> {
        None
    }
}

impl Timed for ProductOut {
    fn ends_at(&self) -> Option<Timestamp> {
        self.price_until.map(|until| until.0)
    }
}

impl From<Offer> for OfferOut {
    fn from(offer: Offer) -> Self {
        Self {
            discount: Some(offer.discount.into()),
            validity: Some(ValidityOut { from: offer.from, to: offer.to }),
            description: Some(offer.description),
        }
    }
}

/// Returns an example of the variants of an image that has none.
fn example_variants(url: &str) -> ImageVariantsOut {
    ImageVariantsOut { w320: url.to_owned(), w800: url.to_owned() }
}

impl Example for BrandOut {
    fn example() -> Self {
        Self {
            id: BrandId::from([0x61; 12]).into(),
            brand_name: "Tata Motors".to_owned(),
            brand_code: "TATA".to_owned(),
            image_url: "https://images.example.com/tata.webp".to_owned(),
            image_variants: example_variants("https://images.example.com/tata.webp"),
            created_at: examples::NOW.into(),
        }
    }
}

impl Example for ModelOut {
    fn example() -> Self {
        Self {
            id: ModelId::from([0x62; 12]).into(),
            brand_id: BrandId::from([0x61; 12]).into(),
            model_name: "Nexon".to_owned(),
            model_code: "NEXON".to_owned(),
            image_url: "https://images.example.com/nexon.webp".to_owned(),
            image_variants: example_variants("https://images.example.com/nexon.webp"),
            created_at: examples::NOW.into(),
        }
    }
}

impl Example for CategoryOut {
    fn example() -> Self {
        Self {
            id: CategoryId::from([0x63; 12]).into(),
            model_id: ModelId::from([0x62; 12]).into(),
            category_name: "Brakes".to_owned(),
            category_code: "BRK".to_owned(),
            image_url: "https://images.example.com/brakes.webp".to_owned(),
            image_variants: example_variants("https://images.example.com/brakes.webp"),
            created_at: examples::NOW.into(),
        }
    }
}

impl Example for ProductOut {
    fn example() -> Self {
        let offer = OfferOut {
            discount: Percent::from_hundredths(1_050).map(Scalar),
            validity: Some(ValidityOut { from: 1_732_300_000, to: 1_732_900_000 }),
            description: Some("Festival offer".to_owned()),
        };
        Self {
            id: ProductId::from([0x64; 12]).into(),
            category_id: CategoryId::from([0x63; 12]).into(),
            product_name: "Front brake pad set".to_owned(),
            product_code: "PADF".to_owned(),
            code: "TATA-NEXON-BRK-PADF".to_owned(),
            description: "Ceramic pads for the front axle, with wear indicator.".to_owned(),
            price: Money::from_minor(249_900).into(),
            unit_price: Money::from_minor(223_661).into(),
            discount: Percent::from_hundredths(1_050).unwrap_or_default().into(),
            price_until: Some(Timestamp::from_millis(1_732_900_001_000).into()),
            stock: 40,
            image_url: "https://images.example.com/brake-pad.webp".to_owned(),
            image_variants: example_variants("https://images.example.com/brake-pad.webp"),
            images: vec![ProductImageOut {
                id: "7f1d2c3b4a5968778695a4b3".to_owned(),
                url: "https://images.example.com/brake-pad.webp".to_owned(),
                variants: example_variants("https://images.example.com/brake-pad.webp"),
                alt: "Front brake pad set".to_owned(),
                position: 0,
            }],
            created_at: examples::NOW.into(),
            reviews: Vec::new(),
            offers: offer,
            is_active: true,
        }
    }
}
