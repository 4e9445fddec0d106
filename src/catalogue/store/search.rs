//! Pages of a list, whole or only what holds a text.

use bson::{Bson, Document, doc};
use futures_util::TryStreamExt;
use mongodb::{Collection, options::FindOptions};
use serde::de::DeserializeOwned;

use crate::{
    catalogue::rules::search::SearchText,
    db::{StoreError, query::SEARCH_LIMIT},
};

/// Up to `limit` of what `filter` matches, by id; with a `text`, of that what holds it in one of `fields`, whatever its
/// case.
pub(crate) async fn page<T>(
    docs: &Collection<T>,
    mut filter: Document,
    text: Option<&SearchText>,
    fields: &[&str],
    limit: i64,
) -> Result<Vec<T>, StoreError>
where
    T: DeserializeOwned + Send + Sync,
{
    let mut limits = None;
    if let Some(text) = text {
        filter.insert("$or", holding(text, fields));
        limits = Some(SEARCH_LIMIT);
    }
    let options = FindOptions::builder().sort(doc! { "_id": 1 }).limit(limit).max_time(limits);
    Ok(docs.find(filter).with_options(options.build()).await?.try_collect().await?)
}

fn holding(text: &SearchText, fields: &[&str]) -> Vec<Bson> {
    let pattern = text.pattern();
    let holds = |field: &&str| {
        let mut holds = Document::new();
        holds.insert(*field, doc! { "$regex": pattern.as_str(), "$options": "i" });
        holds.into()
    };
    fields.iter().map(holds).collect()
}
