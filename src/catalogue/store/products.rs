//! The collection `products`.

use std::collections::{BTreeSet, HashMap};

use bson::{Bson, Document, doc};
use futures_util::TryStreamExt;
use mongodb::Collection;
use serde::{Deserialize, Serialize};

use super::{
    below::count_below_each, branches::page_filter, bulk_plans::PlannedProduct, product_list::list_indexes,
    product_search, search,
};
pub use super::{product_list::ListedProduct, product_search::FoundProduct};
use crate::{
    catalogue::rules::{
        names::{AltText, Description, Name},
        pictures::ProductPicture,
        pricing::{Offer, PriceNow},
        search::SearchText,
    },
    db::{
        StoreError,
        query::{SEARCH_LIMIT, count_all, find_part},
        schema::{Connection, Layout, StorePart, index, unique},
    },
    images::{key::ImageKey, store::image_indexes},
    values::{
        codes::{Code, FullCode},
        ids::{CategoryId, ProductId},
        money::Money,
        time::Timestamp,
        url::ImageUrl,
    },
};

/// The name of the collection.
pub(crate) const NAME: &str = "products";

/// The full codes of products, see [`Code`].
const CODE_PATTERN: &str = "^[A-Z0-9]{2,10}(-[A-Z0-9]{2,10}){2}-(?=.{1,40}$)[A-Z0-9]+([-.][A-Z0-9]+)*$";

/// A product as it is stored, without the fields by which it is found.
///
/// Reads send those fields along and drop them. They are about as long as the texts of the product, and a projection
/// that leaves them out would take the database longer than sending them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ProductDoc {
    #[serde(rename = "_id")]
    pub id: ProductId,
    /// The id of its category.
    pub parent_id: CategoryId,
    /// The full code of its category.
    pub parent: FullCode,
    /// Its own code, without those of its parents.
    pub own_code: Code,
    /// Its full code, unique in the collection.
    pub code: FullCode,
    pub name: Name,
    pub description: Description,
    /// The URL of its image.
    pub image_url: ImageUrl,
    /// The key under which the shop stores the image; `None` for an image that it does not store. Older versions wrote
    /// none for URLs that callers named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_key: Option<ImageKey>,
    /// The words that staff have given to that image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_alt: Option<AltText>,
    /// Its further images, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub further_images: Vec<ProductPicture>,
    /// Price of one piece before any offer, in minor units.
    pub price: Money,
    /// Number of pieces in stock. A product with 0 or less is out of stock.
    pub stock: i64,
    /// Its offer, whether it is running, past or yet to come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offer: Option<Offer>,
    /// Whether customers can see it.
    pub is_active: bool,
    /// The time of the insertion.
    pub created_at: Timestamp,
    /// The time of the last change.
    pub updated_at: Timestamp,
}

impl ProductDoc {
    /// Returns what the product costs at `now`.
    pub fn price_at(&self, now: Timestamp) -> PriceNow {
        PriceNow::of(self.price, self.offer.as_ref(), now)
    }

    /// Returns the document to store: the product with the fields by which it is found.
    pub(in crate::catalogue) fn with_search_fields(&self) -> mongodb::error::Result<Document> {
        let mut document = bson::serialize_to_document(self)?;
        document.extend(product_search::search_fields(self));
        Ok(document)
    }
}

/// The fields of a product that carts need.
#[derive(Debug, Clone, Deserialize)]
pub struct CartProduct {
    #[serde(rename = "_id")]
    pub id: ProductId,
    /// Its full code.
    pub code: FullCode,
    pub name: Name,
    /// The URL of its image.
    pub image_url: ImageUrl,
    /// Price of one piece before any offer, in minor units.
    pub price: Money,
    /// Number of pieces in stock. A product with 0 or less is out of stock.
    pub stock: i64,
    /// Its offer, whether it is running, past or yet to come.
    #[serde(default)]
    pub offer: Option<Offer>,
    /// Whether customers can see it.
    pub is_active: bool,
}

impl CartProduct {
    /// Returns what the product costs at `now`.
    pub fn price_at(&self, now: Timestamp) -> PriceNow {
        PriceNow::of(self.price, self.offer.as_ref(), now)
    }

    /// Returns the bytes of its texts, for the size of the cache.
    pub fn text_len(&self) -> usize {
        let offer_len = self.offer.as_ref().map_or(0, |offer| offer.description.len());
        self.code.as_str().len() + self.name.as_str().len() + self.image_url.as_str().len() + offer_len
    }

    fn fields() -> Document {
        doc! { "code": 1, "name": 1, "image_url": 1, "price": 1, "stock": 1, "offer": 1, "is_active": 1 }
    }
}

/// The people who look at products. Only staff see hidden products.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visibility {
    /// Customers and everybody who is not signed in.
    ToCustomers,
    /// People who run the shop.
    ToStaff,
}

impl Visibility {
    /// Adds to a filter for products that only visible ones match.
    pub(in crate::catalogue) fn restrict(self, mut filter: Document) -> Document {
        if self == Self::ToCustomers {
            filter.insert("is_active", true);
        }
        filter
    }
}

/// The fields of a product that decide whether a cart may hold it.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct StockNow {
    /// Number of pieces in stock. A product with 0 or less is out of stock.
    pub stock: i64,
    /// Whether customers can see it.
    pub is_active: bool,
}

/// The fields of a product for the list of products that are low in stock.
#[derive(Debug, Clone, Deserialize)]
pub struct StockLevel {
    #[serde(rename = "_id")]
    pub id: ProductId,
    /// Its full code.
    pub code: FullCode,
    pub name: Name,
    /// Number of pieces in stock. A product with 0 or less is out of stock.
    pub stock: i64,
    /// Whether customers can see it.
    pub is_active: bool,
}

/// The collection `products`.
#[derive(Clone)]
pub struct Products {
    pub(super) docs: Collection<ProductDoc>,
    pub(super) connection: Connection,
}

impl StorePart for Products {
    fn open(connection: &Connection) -> Self {
        Self { docs: connection.collection(NAME), connection: connection.clone() }
    }

    fn layout() -> Option<Layout> {
        let plain_indexes = vec![
            unique("code", doc! { "code": 1 }),
            index("parent", doc! { "parent": 1, "_id": 1 }),
            index("stock", doc! { "stock": 1, "_id": 1 }),
        ];
        Some(Layout {
            collection: NAME,
            indexes: [plain_indexes, product_search::search_indexes(), list_indexes(), image_indexes(NAME)].concat(),
            validator: doc! { "$jsonSchema": {
                "required": ["code", "parent", "name", "price", "stock", "is_active"],
                "properties": {
                    "code": { "bsonType": "string", "pattern": CODE_PATTERN },
                    "price": { "bsonType": "long", "minimum": 0_i64, "maximum": Money::MAX_PRICE.minor() },
                    "stock": { "bsonType": ["long", "int"] },
                    "is_active": { "bsonType": "bool" },
                },
            } },
        })
    }

    async fn complete(&self) -> Result<(), StoreError> {
        product_search::add_missing_search_fields(&self.connection).await
    }
}

impl Products {
    /// Returns the product with a full code; `None` if there is none or it is hidden from the caller.
    pub(in crate::catalogue) async fn by_code(
        &self,
        code: &FullCode,
        visibility: Visibility,
    ) -> Result<Option<ProductDoc>, StoreError> {
        Ok(self.docs.find_one(visibility.restrict(doc! { "code": code })).await?)
    }

    /// Returns up to `limit` products of a category in the order of their insertion.
    ///
    /// With `after`, only those inserted after that id. With a `text`, only those that contain it in their name, own
    /// code or description, see [`search::page`]. Fails with [`StoreError::OutOfTime`] if looking for a text takes
    /// longer than two seconds.
    pub(in crate::catalogue) async fn page(
        &self,
        category: &FullCode,
        text: Option<&SearchText>,
        after: Option<ProductId>,
        limit: i64,
        visibility: Visibility,
    ) -> Result<Vec<ProductDoc>, StoreError> {
        let filter = visibility.restrict(page_filter(Some(category), after));
        let searched_fields = ["name", "own_code", "description"];
        search::page(&self.docs, filter, text, &searched_fields, limit).await
    }

    /// Returns the ids and codes of up to `limit` products that match a filter, sorted by code. Fails with
    /// [`StoreError::OutOfTime`] after two seconds.
    pub(in crate::catalogue) async fn choose(
        &self,
        filter: Document,
        limit: usize,
    ) -> Result<Vec<PlannedProduct>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let docs = self.docs.clone_with_type::<PlannedProduct>();
        let query = docs.find(filter).projection(doc! { "code": 1 }).limit(limit).max_time(SEARCH_LIMIT);
        let mut chosen: Vec<PlannedProduct> = query.await?.try_collect().await?;
        chosen.sort_unstable_by(|a, b| a.code.cmp(&b.code));
        Ok(chosen)
    }

    /// Returns those of the planned products that still exist.
    pub(in crate::catalogue) async fn planned(
        &self,
        planned: &[PlannedProduct],
    ) -> Result<Vec<ProductDoc>, StoreError> {
        let ids: Vec<Bson> = planned.iter().map(|product| product.id.into()).collect();
        Ok(self.docs.find(doc! { "_id": { "$in": ids } }).await?.try_collect().await?)
    }

    /// Returns the product with an id; `None` if there is none or it is hidden.
    pub(in crate::catalogue) async fn visible(&self, id: ProductId) -> Result<Option<CartProduct>, StoreError> {
        find_part(&self.docs, Visibility::ToCustomers.restrict(doc! { "_id": id }), CartProduct::fields()).await
    }

    /// Returns those of the products that exist, hidden ones too, in any order.
    pub(in crate::catalogue) async fn by_ids(&self, ids: &[ProductId]) -> Result<Vec<CartProduct>, StoreError> {
        let ids: Vec<Bson> = ids.iter().map(|id| Bson::from(*id)).collect();
        let docs = self.docs.clone_with_type::<CartProduct>();
        let query = docs.find(doc! { "_id": { "$in": ids } }).projection(CartProduct::fields());
        Ok(query.await?.try_collect().await?)
    }

    /// Returns the current stock of a product, hidden or not; `None` if the product is gone.
    pub(in crate::catalogue) async fn stock(&self, id: ProductId) -> Result<Option<StockNow>, StoreError> {
        find_part(&self.docs, doc! { "_id": id }, doc! { "stock": 1, "is_active": 1 }).await
    }

    /// Returns the `limit` products with the least stock, and how many there are in all.
    ///
    /// Only products with at most `threshold` pieces count, hidden ones too. Each of the two queries may take two
    /// seconds.
    pub(in crate::catalogue) async fn low_stock(
        &self,
        threshold: u32,
        limit: i64,
    ) -> Result<(Vec<StockLevel>, u64), StoreError> {
        let is_low = doc! { "stock": { "$lte": i64::from(threshold) } };
        let total = self.docs.count_documents(is_low.clone()).max_time(SEARCH_LIMIT).await?;
        let docs = self.docs.clone_with_type::<StockLevel>();
        let fields = doc! { "code": 1, "name": 1, "stock": 1, "is_active": 1 };
        let query = docs.find(is_low).projection(fields).sort(doc! { "stock": 1, "_id": 1 }).limit(limit);
        Ok((query.max_time(SEARCH_LIMIT).await?.try_collect().await?, total))
    }

    /// Counts all products exactly, hidden ones too. Fails if that takes longer than two seconds.
    pub(in crate::catalogue) async fn count(&self) -> Result<u64, StoreError> {
        count_all(&self.docs).await
    }

    /// Returns the approximate number of products, which the database knows without counting.
    pub(in crate::catalogue) async fn estimated_count(&self) -> Result<u64, StoreError> {
        Ok(self.docs.estimated_document_count().await?)
    }

    /// Counts the products below each of the branches, see [`count_below_each`].
    pub(in crate::catalogue) async fn count_below(
        &self,
        branches: &[FullCode],
    ) -> Result<HashMap<FullCode, u64>, StoreError> {
        count_below_each(&self.docs, branches).await
    }

    /// Inserts many products. The caller makes sure that their categories exist.
    pub(in crate::catalogue) async fn insert_many(&self, products: &[ProductDoc]) -> Result<(), StoreError> {
        let documents =
            products.iter().map(ProductDoc::with_search_fields).collect::<mongodb::error::Result<Vec<_>>>()?;
        self.docs.clone_with_type::<Document>().insert_many(documents).await?;
        Ok(())
    }
}

/// Returns a filter for the products with these full codes.
pub(in crate::catalogue) fn with_codes(codes: &BTreeSet<FullCode>) -> Document {
    doc! { "code": { "$in": codes.iter().collect::<Vec<_>>() } }
}

/// Returns a product for the tests of other files.
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
