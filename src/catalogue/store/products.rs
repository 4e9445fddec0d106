//! The collection `products`.

use bson::{Bson, Document, doc};
use futures_util::TryStreamExt;
use mongodb::Collection;
use serde::{Deserialize, Serialize};

pub use super::product_search::Found;
use super::{branches::page_filter, product_search, search};
use crate::{
    catalogue::rules::{
        names::{Description, Name},
        pricing::Offer,
        search::SearchText,
    },
    db::{
        StoreError,
        query::{SEARCH_LIMIT, count_all, find_part},
        schema::{Connection, Layout, StorePart, index, unique},
    },
    images::key::ImageKey,
    values::{
        codes::{Code, FullCode},
        ids::{CategoryId, ProductId},
        money::Money,
        time::Timestamp,
        url::ImageUrl,
    },
};

/// The collection's name.
pub(crate) const NAME: &str = "products";

/// A product as stored, without the keys under which it is found. Those come along when it is read: they are short, and to
/// leave them out would cost the database more time than to send them.
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

impl ProductDoc {
    /// The product with the keys under which it is found.
    pub(crate) fn stored(&self) -> mongodb::error::Result<Document> {
        let mut stored = bson::serialize_to_document(self)?;
        stored.extend(product_search::keys(self.name.as_str()));
        Ok(stored)
    }
}

/// What a cart needs of a product.
#[derive(Debug, Clone, Deserialize)]
pub struct CartProduct {
    /// Its id.
    #[serde(rename = "_id")]
    pub id: ProductId,
    /// Its full code.
    pub code: FullCode,
    /// Its name.
    pub name: Name,
    /// Its image.
    pub image_url: ImageUrl,
    /// Price of a piece before any offer, in minor units.
    pub price: Money,
    /// Pieces in stock; 0 or less is out of stock.
    pub stock: i64,
    /// The discount that counts between two instants.
    #[serde(default)]
    pub offer: Option<Offer>,
    /// Whether customers see it.
    pub is_active: bool,
}

impl CartProduct {
    /// Bytes of its texts.
    pub fn text_len(&self) -> usize {
        let offer = self.offer.as_ref().map_or(0, |offer| offer.description.len());
        self.code.as_str().len() + self.name.as_str().len() + self.image_url.as_str().len() + offer
    }

    fn fields() -> Document {
        doc! { "code": 1, "name": 1, "image_url": 1, "price": 1, "stock": 1, "offer": 1, "is_active": 1 }
    }
}

/// Who looks: hidden products are there for staff alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// To everybody.
    ToCustomers,
    /// To those who run the shop.
    ToStaff,
}

impl Shown {
    pub(crate) fn among(self, mut filter: Document) -> Document {
        if self == Self::ToCustomers {
            filter.insert("is_active", true);
        }
        filter
    }
}

/// What decides whether a cart may hold a product.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct StockNow {
    /// Pieces in stock; 0 or less is out of stock.
    pub stock: i64,
    /// Whether customers see it.
    pub is_active: bool,
}

/// What there is to know of a product that is running out.
#[derive(Debug, Clone, Deserialize)]
pub struct StockLevel {
    /// Its id.
    #[serde(rename = "_id")]
    pub id: ProductId,
    /// Its full code.
    pub code: FullCode,
    /// Its name.
    pub name: Name,
    /// Pieces in stock; 0 or less is out of stock.
    pub stock: i64,
    /// Whether customers see it.
    pub is_active: bool,
}

/// The collection.
#[derive(Clone)]
pub struct Products {
    pub(crate) docs: Collection<ProductDoc>,
}

impl StorePart for Products {
    fn open(connection: &Connection) -> Self {
        Self { docs: connection.collection(NAME) }
    }

    fn layout() -> Option<Layout> {
        let plain = vec![
            unique("code", doc! { "code": 1 }),
            index("parent", doc! { "parent": 1, "_id": 1 }),
            index("stock", doc! { "stock": 1, "_id": 1 }),
        ];
        Some(Layout {
            collection: NAME,
            indexes: [plain, product_search::indexes()].concat(),
            validator: doc! { "$jsonSchema": {
                "required": ["code", "parent", "name", "price", "stock", "is_active"],
                "properties": {
                    "code": { "bsonType": "string", "pattern": "^[A-Z0-9]{2,10}(-[A-Z0-9]{2,10}){2}-[A-Z0-9]{1,20}$" },
                    "price": { "bsonType": "long", "minimum": 0_i64, "maximum": Money::MAX_PRICE.minor() },
                    "stock": { "bsonType": ["long", "int"] },
                    "is_active": { "bsonType": "bool" },
                },
            } },
        })
    }
}

impl Products {
    /// The product with a full code.
    pub async fn by_code(&self, code: &FullCode, shown: Shown) -> Result<Option<ProductDoc>, StoreError> {
        Ok(self.docs.find_one(shown.among(doc! { "code": code })).await?)
    }

    /// Up to `limit` products of a category in the order of their insertion, after one id; with a `text`, only those
    /// that hold it.
    pub async fn page(
        &self,
        category: &FullCode,
        text: Option<&SearchText>,
        after: Option<ProductId>,
        limit: i64,
        shown: Shown,
    ) -> Result<Vec<ProductDoc>, StoreError> {
        let filter = shown.among(page_filter(Some(category), after));
        let searched = ["name", "own_code", "description"];
        search::page(&self.docs, filter, text, &searched, limit).await
    }

    /// The product with an id, if customers see it.
    pub async fn visible(&self, id: ProductId) -> Result<Option<CartProduct>, StoreError> {
        find_part(&self.docs, Shown::ToCustomers.among(doc! { "_id": id }), CartProduct::fields()).await
    }

    /// Those of the products that are there, hidden ones too, in no order.
    pub async fn among(&self, ids: &[ProductId]) -> Result<Vec<CartProduct>, StoreError> {
        let ids: Vec<Bson> = ids.iter().map(|id| Bson::from(*id)).collect();
        let docs = self.docs.clone_with_type::<CartProduct>();
        let found = docs.find(doc! { "_id": { "$in": ids } }).projection(CartProduct::fields());
        Ok(found.await?.try_collect().await?)
    }

    /// The stock of a product as it is now, hidden or not; `None` when the product is gone.
    pub async fn stock(&self, id: ProductId) -> Result<Option<StockNow>, StoreError> {
        find_part(&self.docs, doc! { "_id": id }, doc! { "stock": 1, "is_active": 1 }).await
    }

    /// The `limit` products with the least stock of those that have at most `threshold`, hidden ones too, and how many
    /// have so little.
    pub async fn low_stock(&self, threshold: u32, limit: i64) -> Result<(Vec<StockLevel>, u64), StoreError> {
        let low = doc! { "stock": { "$lte": i64::from(threshold) } };
        let total = self.docs.count_documents(low.clone()).max_time(SEARCH_LIMIT).await?;
        let docs = self.docs.clone_with_type::<StockLevel>();
        let fields = doc! { "code": 1, "name": 1, "stock": 1, "is_active": 1 };
        let found = docs.find(low).projection(fields).sort(doc! { "stock": 1, "_id": 1 }).limit(limit);
        Ok((found.max_time(SEARCH_LIMIT).await?.try_collect().await?, total))
    }

    /// How many products there are, hidden ones too.
    pub async fn count(&self) -> Result<u64, StoreError> {
        count_all(&self.docs).await
    }

    /// About how many there are.
    pub async fn estimated_count(&self) -> Result<u64, StoreError> {
        Ok(self.docs.estimated_document_count().await?)
    }

    /// Inserts many products whose categories are known to be there.
    pub async fn insert_many(&self, products: &[ProductDoc]) -> Result<(), StoreError> {
        let stored = products.iter().map(ProductDoc::stored).collect::<mongodb::error::Result<Vec<_>>>()?;
        self.docs.clone_with_type::<Document>().insert_many(stored).await?;
        Ok(())
    }
}

/// A product as a cart sees it, for tests elsewhere.
#[cfg(test)]
pub fn sample(id: ProductId) -> CartProduct {
    CartProduct {
        id,
        code: FullCode::join(["A", "B", "C", "D"]),
        name: Name::parse("Pad").expect("a name"),
        image_url: ImageUrl::parse("/media/a.png").expect("a path"),
        price: Money::from_minor(100),
        stock: 1,
        offer: None,
        is_active: true,
    }
}
