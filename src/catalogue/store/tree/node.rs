//! What writes need to know about a document of the tree, on any level.

use std::fmt::Debug;

use bson::{Bson, Document, doc};
use mongodb::error::Result;
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    audits::subject::AuditSubject,
    catalogue::{
        rules::{names::AltText, pictures::ProductPicture, pricing::Offer},
        store::{
            branches::{BranchDoc, Brand, Category, Level, Model},
            catalogue_changes::ChangedPart,
            products::{self, ProductDoc},
        },
    },
    images::{key::ImageKey, store::ShownImage},
    values::{codes::FullCode, time::Timestamp, tree_level::TreeLevel, url::ImageUrl},
};

/// A brand, model, category or product as it is stored.
pub trait Node: Serialize + DeserializeOwned + Clone + Debug + Send + Sync + Unpin + 'static {
    /// The name of the collection.
    const COLLECTION: &'static str;
    /// What its entries in the audits are about.
    const SUBJECT: AuditSubject;
    /// The level of the tree.
    const LEVEL: TreeLevel;

    fn id(&self) -> Bson;
    /// Returns the full code.
    fn code(&self) -> &FullCode;
    /// Returns the URL of the image.
    fn image_url(&self) -> &ImageUrl;
    /// Returns the key under which the shop stores the image; `None` for an image that it does not store.
    fn image_key(&self) -> Option<&ImageKey>;
    /// Returns all images, the first one first.
    fn shown_images(&self) -> Vec<ShownImage> {
        vec![ShownImage { key: self.image_key().cloned(), url: self.image_url().to_string() }]
    }
    /// Sets the key of the image at a URL that the document shows.
    fn set_image_key(&mut self, url: &str, key: &ImageKey);
    /// Replaces the URL and the key of the image.
    fn replace_image(&mut self, url: ImageUrl, key: Option<ImageKey>);
    /// Shows another image, unless the document shows this URL already.
    ///
    /// In that case the key must stay as well: the URL may be the one of an image that the shop stores for this
    /// document.
    fn show_image(&mut self, url: &ImageUrl, key: Option<&ImageKey>) {
        if self.image_url() != url {
            self.replace_image(url.clone(), key.cloned());
        }
    }
    /// Sets the time of the last change.
    fn set_updated_at(&mut self, now: Timestamp);
    /// Returns a moment for each way in which answers have shown this state up to `now`. Only an offer that begins or
    /// ends makes a difference.
    fn moments_since_change(&self, now: Timestamp) -> Vec<Timestamp> {
        vec![now]
    }
    /// Returns the part of the catalogue that an insertion or a change of this document changes, for the cache.
    fn changed_part(&self) -> ChangedPart;
    /// Returns the document to store, with the fields by which searches find it.
    fn stored_document(&self) -> Result<Document>;
    /// Returns the document for the audits, with names and amounts as in the API.
    fn audit_document(&self) -> Document;
}

/// A document that has a parent.
pub trait Child: Node {
    /// The level of the parent.
    type Parent: Level;
}

/// Implements the methods that only read or set fields which the documents of all levels have.
macro_rules! common_methods {
    () => {
        fn id(&self) -> Bson {
            self.id.into()
        }

        fn code(&self) -> &FullCode {
            &self.code
        }

        fn image_url(&self) -> &ImageUrl {
            &self.image_url
        }

        fn image_key(&self) -> Option<&ImageKey> {
            self.image_key.as_ref()
        }

        fn set_updated_at(&mut self, now: Timestamp) {
            self.updated_at = now;
        }

        fn stored_document(&self) -> Result<Document> {
            self.with_search_fields()
        }
    };
}

impl<L: Level> Node for BranchDoc<L> {
    const COLLECTION: &'static str = L::COLLECTION;
    const SUBJECT: AuditSubject = L::SUBJECT;
    const LEVEL: TreeLevel = L::LEVEL;

    common_methods!();

    fn set_image_key(&mut self, _: &str, key: &ImageKey) {
        self.image_key = Some(key.clone());
    }

    fn replace_image(&mut self, url: ImageUrl, key: Option<ImageKey>) {
        (self.image_url, self.image_key) = (url, key);
    }

    fn changed_part(&self) -> ChangedPart {
        ChangedPart::Branch(self.code.clone())
    }

    fn audit_document(&self) -> Document {
        let mut document = doc! { "_id": self.id() };
        if let Some(parent) = L::LEVEL.parent() {
            let id = bson::serialize_to_bson(&self.parent_id).unwrap_or(Bson::Null);
            document.insert(format!("{}_id", parent.word()), id);
        }
        let word = L::LEVEL.word();
        document.insert(format!("{word}_name"), self.name.to_string());
        document.insert(format!("{word}_code"), self.own_code.as_str());
        document.insert("image_url", self.image_url.as_str());
        document.insert("created_at", self.created_at);
        document
    }
}

impl Child for BranchDoc<Model> {
    type Parent = Brand;
}

impl Child for BranchDoc<Category> {
    type Parent = Model;
}

impl Node for ProductDoc {
    const COLLECTION: &'static str = products::NAME;
    const SUBJECT: AuditSubject = AuditSubject::Products;
    const LEVEL: TreeLevel = TreeLevel::Product;

    common_methods!();

    fn shown_images(&self) -> Vec<ShownImage> {
        self.pictures().iter().map(ShownImage::from).collect()
    }

    fn set_image_key(&mut self, url: &str, key: &ImageKey) {
        self.set_picture_key(url, key);
    }

    fn replace_image(&mut self, url: ImageUrl, key: Option<ImageKey>) {
        self.replace_first_picture(url, key);
    }

    fn moments_since_change(&self, now: Timestamp) -> Vec<Timestamp> {
        let next = |at: &Timestamp| self.price_at(*at).until.filter(|until| *until <= now);
        [now].into_iter().chain(std::iter::successors(Some(self.updated_at), next)).collect()
    }

    fn changed_part(&self) -> ChangedPart {
        ChangedPart::Product(self.id, self.code.clone())
    }

    fn audit_document(&self) -> Document {
        let mut document = doc! {
            "_id": self.id,
            "category_id": self.parent_id,
            "product_name": self.name.to_string(),
            "product_code": self.own_code.as_str(),
            "code": &self.code,
            "description": self.description.to_string(),
            "price": decimal(self.price.minor()),
            "stock": self.stock,
            "image_url": self.image_url.as_str(),
            "offers": self.offer.as_ref().map_or_else(Document::new, offer_document),
            "is_active": self.is_active,
            "created_at": self.created_at,
        };
        // Most products have one image, which is told already.
        if self.image_alt.is_some() || !self.further_images.is_empty() {
            document.insert("images", self.pictures().iter().map(picture_document).collect::<Vec<_>>());
        }
        document
    }
}

fn picture_document(picture: &ProductPicture) -> Document {
    doc! { "url": picture.url.as_str(), "alt": picture.alt.as_ref().map_or("", AltText::as_str) }
}

impl Child for ProductDoc {
    type Parent = Category;
}

fn offer_document(offer: &Offer) -> Document {
    doc! {
        "discount": decimal(offer.discount.hundredths().into()),
        "validity": { "from": offer.from, "to": offer.to },
        "description": &offer.description,
    }
}

/// Returns hundredths as the number that the API shows.
///
/// A float is good enough here: people read the audits, and nothing calculates with them.
fn decimal(hundredths: i64) -> Bson {
    if hundredths % 100 == 0 {
        return (hundredths / 100).into();
    }
    #[allow(clippy::cast_precision_loss, reason = "amounts stay far below 2^53")]
    (hundredths as f64 / 100.0).into()
}
