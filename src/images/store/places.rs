//! The places where images are shown: the collections whose documents show images, and the fields that name them.
//!
//! They are listed here, below the subjects, because an image may be removed only if no subject shows it. A subject
//! whose documents show images adds its collection here, and [`image_indexes`] to its layout.

use std::collections::BTreeSet;

use bson::{Document, doc};
use futures_util::TryStreamExt;
use mongodb::{ClientSession, IndexModel, error::Result, options::IndexOptions};
use serde::Deserialize;

use crate::{db::schema::Connection, images::key::ImageKey};

/// A collection whose documents show images.
struct Place {
    collection: &'static str,
    /// The field with the URL of the image. `None` where each document has had the key since the first version that
    /// shows images there.
    url: Option<&'static str>,
    /// The field with the key of the image. Documents of older versions have it only for images that were uploaded for
    /// them, and not for URLs that somebody typed.
    key: &'static str,
}

const PLACES: [Place; 6] = [
    Place::of_catalogue("brands"),
    Place::of_catalogue("models"),
    Place::of_catalogue("categories"),
    Place::of_catalogue("products"),
    Place { collection: "products", url: None, key: "further_images.key" },
    Place { collection: "users", url: Some("profile.display.photo"), key: "profile.display.image_key" },
];

impl Place {
    const fn of_catalogue(collection: &'static str) -> Self {
        Self { collection, url: Some("image_url"), key: "image_key" }
    }

    fn indexes(&self) -> Vec<IndexModel> {
        let fields = match self.url {
            Some(url) => vec![("image_url", url), ("image_key", self.key)],
            None => vec![("further_image_key", self.key)],
        };
        let sparse_index = |(name, field): (&str, &str)| {
            let options = IndexOptions::builder().name(name.to_owned()).sparse(true).build();
            IndexModel::builder().keys(doc! { field: 1 }).options(options).build()
        };
        fields.into_iter().map(sparse_index).collect()
    }
}

/// A key that a document has.
#[derive(Deserialize)]
struct KeyInUse {
    #[serde(rename = "_id")]
    key: ImageKey,
}

/// Returns the indexes by which the documents that show an image are found, for the layout of a collection.
pub(crate) fn image_indexes(collection: &str) -> Vec<IndexModel> {
    PLACES.iter().filter(|place| place.collection == collection).flat_map(Place::indexes).collect()
}

/// Returns whether any document shows an image: by its key, or by a URL that begins with `url`.
pub(super) async fn is_shown(
    connection: &Connection,
    tx: &mut ClientSession,
    key: &ImageKey,
    url: Option<&str>,
) -> Result<bool> {
    for place in &PLACES {
        let mut ways = vec![doc! { place.key: key }];
        // What follows a URL may be a query. The last of all characters ends the range.
        let by_url = place.url.zip(url);
        ways.extend(by_url.map(|(field, url)| doc! { field: { "$gte": url, "$lt": format!("{url}\u{10ffff}") } }));
        let docs = connection.collection::<Document>(place.collection);
        let query = docs.find_one(doc! { "$or": ways }).projection(doc! { "_id": 1 });
        if query.session(&mut *tx).await?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Returns those of the keys that documents of older versions may have without a document in `image_files`.
pub(super) async fn keys_in_use(
    connection: &Connection,
    tx: &mut ClientSession,
    keys: &[&ImageKey],
) -> Result<BTreeSet<ImageKey>> {
    let mut in_use = BTreeSet::new();
    for place in PLACES.iter().filter(|place| place.url.is_some() && !keys.is_empty()) {
        let docs = connection.collection::<Document>(place.collection);
        let of_documents = doc! { "$match": { place.key: { "$in": keys } } };
        let each_once = doc! { "$group": { "_id": format!("${}", place.key) } };
        let query = docs.aggregate([of_documents, each_once]).with_type::<KeyInUse>();
        let mut cursor = query.session(&mut *tx).await?;
        let found: Vec<KeyInUse> = cursor.stream(&mut *tx).try_collect().await?;
        in_use.extend(found.into_iter().map(|found| found.key));
    }
    Ok(in_use)
}
