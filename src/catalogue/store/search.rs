//! Pages of a list, either all of it or only the entries that contain a text.

use bson::{Bson, Document, doc};
use futures_util::TryStreamExt;
use mongodb::{Collection, options::FindOptions};
use serde::de::DeserializeOwned;

use crate::{
    catalogue::rules::search::SearchText,
    db::{StoreError, query::SEARCH_LIMIT},
};

/// Returns up to `limit` documents that match `filter`, sorted by id.
///
/// With a `text`, only documents that contain it in one of `fields`, in any case. The database may then take two
/// seconds.
pub(in crate::catalogue) async fn page<T>(
    docs: &Collection<T>,
    mut filter: Document,
    text: Option<&SearchText>,
    fields: &[&str],
    limit: i64,
) -> Result<Vec<T>, StoreError>
where
    T: DeserializeOwned + Send + Sync,
{
    let mut time_limit = None;
    if let Some(text) = text {
        filter.insert("$or", any_contains(text, fields));
        time_limit = Some(SEARCH_LIMIT);
    }
    let options = FindOptions::builder().sort(doc! { "_id": 1 }).limit(limit).max_time(time_limit);
    Ok(docs.find(filter).with_options(options.build()).await?.try_collect().await?)
}

/// Returns one condition for each field: it contains the text, in any case.
fn any_contains(text: &SearchText, fields: &[&str]) -> Vec<Bson> {
    let pattern = text.pattern();
    let contains_text = |field: &&str| {
        let mut condition = Document::new();
        condition.insert(*field, doc! { "$regex": pattern.as_str(), "$options": "i" });
        condition.into()
    };
    fields.iter().map(contains_text).collect()
}
