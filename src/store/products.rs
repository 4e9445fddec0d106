//! The collection `products`.

use bson::{Bson, doc};
use futures_util::TryStreamExt;
use mongodb::{Collection, Database};
use serde::{Deserialize, Serialize};

use super::{Layout, StoreError, branches::page_filter, find_part, index, unique};
use crate::domain::{
    codes::{Code, FullCode},
    ids::{CategoryId, ProductId},
    image_key::ImageKey,
    money::Money,
    names::{Description, Name},
    pricing::Offer,
    time::Timestamp,
    url::ImageUrl,
};

/// The collection's name.
pub(super) const NAME: &str = "products";

/// A product as stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ProductDoc {
    /// Its id.
    #[serde(rename = "_id")]
    pub id: ProductId,
    /// The id of its category.
    pub parent_id: CategoryId,
    /// The full code of its category.
    pub parent: FullCode,
    /// Its own code.
    pub own_code: Code,
    /// Its full code, unique.
    pub code: FullCode,
    /// Its name.
    pub name: Name,
    /// What it is and fits.
    pub description: Description,
    /// Its image.
    pub image_url: ImageUrl,
    /// The same image, if the shop keeps it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_key: Option<ImageKey>,
    /// Price of a piece before any offer, in minor units.
    pub price: Money,
    /// Pieces in stock; 0 or less is out of stock.
    pub stock: i64,
    /// The discount that counts between two instants.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offer: Option<Offer>,
    /// Whether customers see it.
    pub is_active: bool,
    /// When it was inserted.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

pub(super) fn layout() -> Layout {
    Layout {
        collection: NAME,
        indexes: vec![unique("code", doc! { "code": 1 }), index("parent", doc! { "parent": 1, "_id": 1 })],
        validator: doc! { "$jsonSchema": {
            "required": ["code", "parent", "name", "price", "stock", "is_active"],
            "properties": {
                "code": { "bsonType": "string", "pattern": "^[A-Z0-9]{2,10}(-[A-Z0-9]{2,10}){2}-[A-Z0-9]{1,20}$" },
                "price": { "bsonType": "long", "minimum": 0_i64, "maximum": Money::MAX_PRICE.minor() },
                "stock": { "bsonType": ["long", "int"] },
                "is_active": { "bsonType": "bool" },
            },
        } },
    }
}

/// The collection.
#[derive(Clone)]
pub struct Products {
    docs: Collection<ProductDoc>,
}

impl Products {
    pub(super) fn new(database: &Database) -> Self {
        Self { docs: database.collection(NAME) }
    }

    /// The product with a full code that customers see.
    pub async fn visible_by_code(&self, code: &FullCode) -> Result<Option<ProductDoc>, StoreError> {
        Ok(self.docs.find_one(doc! { "code": code, "is_active": true }).await?)
    }

    /// The product with an id that customers see.
    pub async fn visible(&self, id: ProductId) -> Result<Option<ProductDoc>, StoreError> {
        Ok(self.docs.find_one(doc! { "_id": id, "is_active": true }).await?)
    }

    /// Those of the products that customers see, in no order.
    pub async fn visible_among(&self, ids: &[ProductId]) -> Result<Vec<ProductDoc>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<Bson> = ids.iter().map(|id| Bson::from(*id)).collect();
        Ok(self.docs.find(doc! { "_id": { "$in": ids }, "is_active": true }).await?.try_collect().await?)
    }

    /// The stock of a product as it is now; `None` when the product is gone.
    pub async fn stock(&self, id: ProductId) -> Result<Option<i64>, StoreError> {
        #[derive(Deserialize)]
        struct Stock {
            stock: i64,
        }
        let found: Option<Stock> = find_part(&self.docs, doc! { "_id": id }, doc! { "stock": 1 }).await?;
        Ok(found.map(|product| product.stock))
    }

    /// Up to `limit` products of a category that customers see, in the order of their insertion, after one id.
    pub async fn visible_page(
        &self,
        category: &FullCode,
        after: Option<ProductId>,
        limit: i64,
    ) -> Result<Vec<ProductDoc>, StoreError> {
        let mut filter = page_filter(Some(category), after);
        filter.insert("is_active", true);
        Ok(self.docs.find(filter).sort(doc! { "_id": 1 }).limit(limit).await?.try_collect().await?)
    }

    /// Inserts many products whose categories are known to be there.
    pub async fn insert_many(&self, products: &[ProductDoc]) -> Result<(), StoreError> {
        self.docs.insert_many(products).await?;
        Ok(())
    }
}
