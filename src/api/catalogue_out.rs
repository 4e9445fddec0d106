//! The catalogue as the API shows it. The names of fields begin with their level, such as `brand_name` and
//! `model_name`.

use poem_openapi::{Object, types::Example};
use serde::Serialize;

use super::fast_json::scalar;
use crate::{
    catalogue::{BranchDoc, Brand, Category, Model, ProductDoc, rules::pricing::Offer},
    values::{
        ids::{BrandId, CategoryId, ModelId, ProductId},
        money::{Money, Percent},
        time::Timestamp,
    },
};

/// A vehicle brand.
#[derive(Debug, Object, Serialize)]
#[oai(rename = "Brand", example)]
pub struct BrandOut {
    #[oai(rename = "_id")]
    #[serde(rename = "_id", serialize_with = "scalar")]
    id: BrandId,
    brand_name: String,
    brand_code: String,
    image_url: String,
    #[serde(serialize_with = "scalar")]
    created_at: Timestamp,
}

/// A model of a brand.
#[derive(Debug, Object, Serialize)]
#[oai(rename = "Model", example)]
pub struct ModelOut {
    #[oai(rename = "_id")]
    #[serde(rename = "_id", serialize_with = "scalar")]
    id: ModelId,
    #[serde(serialize_with = "scalar")]
    brand_id: BrandId,
    model_name: String,
    model_code: String,
    image_url: String,
    #[serde(serialize_with = "scalar")]
    created_at: Timestamp,
}

/// A category of parts for a model.
#[derive(Debug, Object, Serialize)]
#[oai(rename = "Category", example)]
pub struct CategoryOut {
    #[oai(rename = "_id")]
    #[serde(rename = "_id", serialize_with = "scalar")]
    id: CategoryId,
    #[serde(serialize_with = "scalar")]
    model_id: ModelId,
    category_name: String,
    category_code: String,
    image_url: String,
    #[serde(serialize_with = "scalar")]
    created_at: Timestamp,
}

/// A spare part.
#[derive(Debug, Object, Serialize)]
#[oai(rename = "Product", example)]
pub struct ProductOut {
    #[oai(rename = "_id")]
    #[serde(rename = "_id", serialize_with = "scalar")]
    id: ProductId,
    #[serde(serialize_with = "scalar")]
    category_id: CategoryId,
    product_name: String,
    product_code: String,
    /// Full code: the codes of brand, model, category and product, joined by `-`.
    code: String,
    description: String,
    /// Price of one piece without the offer.
    #[serde(serialize_with = "scalar")]
    price: Money,
    stock: i64,
    image_url: String,
    #[serde(serialize_with = "scalar")]
    created_at: Timestamp,
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
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "scalar")]
    discount: Option<Percent>,
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

impl From<BranchDoc<Brand>> for BrandOut {
    fn from(doc: BranchDoc<Brand>) -> Self {
        Self {
            id: doc.id,
            brand_name: doc.name.to_string(),
            brand_code: doc.own_code.to_string(),
            image_url: doc.image_url.to_string(),
            created_at: doc.created_at,
        }
    }
}

impl From<BranchDoc<Model>> for ModelOut {
    fn from(doc: BranchDoc<Model>) -> Self {
        Self {
            id: doc.id,
            brand_id: doc.parent_id,
            model_name: doc.name.to_string(),
            model_code: doc.own_code.to_string(),
            image_url: doc.image_url.to_string(),
            created_at: doc.created_at,
        }
    }
}

impl From<BranchDoc<Category>> for CategoryOut {
    fn from(doc: BranchDoc<Category>) -> Self {
        Self {
            id: doc.id,
            model_id: doc.parent_id,
            category_name: doc.name.to_string(),
            category_code: doc.own_code.to_string(),
            image_url: doc.image_url.to_string(),
            created_at: doc.created_at,
        }
    }
}

impl From<ProductDoc> for ProductOut {
    fn from(doc: ProductDoc) -> Self {
        Self {
            id: doc.id,
            category_id: doc.parent_id,
            product_name: doc.name.to_string(),
            product_code: doc.own_code.to_string(),
            code: doc.code.to_string(),
            description: doc.description.to_string(),
            price: doc.price,
            stock: doc.stock,
            image_url: doc.image_url.to_string(),
            created_at: doc.created_at,
            reviews: Vec::new(),
            offers: doc.offer.map(OfferOut::from).unwrap_or_default(),
            is_active: doc.is_active,
        }
    }
}

impl From<Offer> for OfferOut {
    fn from(offer: Offer) -> Self {
        Self {
            discount: Some(offer.discount),
            validity: Some(ValidityOut { from: offer.from, to: offer.to }),
            description: Some(offer.description),
        }
    }
}

const EXAMPLE_TIME: i64 = 1_732_374_690_000;

impl Example for BrandOut {
    fn example() -> Self {
        Self {
            id: BrandId::from([0x61; 12]),
            brand_name: "Tata Motors".to_owned(),
            brand_code: "TATA".to_owned(),
            image_url: "https://images.example.com/tata.webp".to_owned(),
            created_at: Timestamp::from_millis(EXAMPLE_TIME),
        }
    }
}

impl Example for ModelOut {
    fn example() -> Self {
        Self {
            id: ModelId::from([0x62; 12]),
            brand_id: BrandId::from([0x61; 12]),
            model_name: "Nexon".to_owned(),
            model_code: "NEXON".to_owned(),
            image_url: "https://images.example.com/nexon.webp".to_owned(),
            created_at: Timestamp::from_millis(EXAMPLE_TIME),
        }
    }
}

impl Example for CategoryOut {
    fn example() -> Self {
        Self {
            id: CategoryId::from([0x63; 12]),
            model_id: ModelId::from([0x62; 12]),
            category_name: "Brakes".to_owned(),
            category_code: "BRK".to_owned(),
            image_url: "https://images.example.com/brakes.webp".to_owned(),
            created_at: Timestamp::from_millis(EXAMPLE_TIME),
        }
    }
}

impl Example for ProductOut {
    fn example() -> Self {
        let offer = OfferOut {
            discount: Percent::from_hundredths(1_050),
            validity: Some(ValidityOut { from: 1_732_300_000, to: 1_732_900_000 }),
            description: Some("Festival offer".to_owned()),
        };
        Self {
            id: ProductId::from([0x64; 12]),
            category_id: CategoryId::from([0x63; 12]),
            product_name: "Front brake pad set".to_owned(),
            product_code: "PADF".to_owned(),
            code: "TATA-NEXON-BRK-PADF".to_owned(),
            description: "Ceramic pads for the front axle, with wear indicator.".to_owned(),
            price: Money::from_minor(249_900),
            stock: 40,
            image_url: "https://images.example.com/brake-pad.webp".to_owned(),
            created_at: Timestamp::from_millis(EXAMPLE_TIME),
            reviews: Vec::new(),
            offers: offer,
            is_active: true,
        }
    }
}
