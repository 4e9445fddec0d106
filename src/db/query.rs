//! Small helpers that many queries share.

use std::time::Duration;

use bson::{Document, doc};
use mongodb::{Collection, options::Hint};
use serde::de::DeserializeOwned;

use super::StoreError;
use crate::values::{codes::FullCode, text::literal};

/// How long the database may look for a text. No index helps to find the middle of a word.
pub const SEARCH_LIMIT: Duration = Duration::from_secs(2);

/// The part of one document that a question needs.
pub async fn find_part<T, P>(docs: &Collection<T>, filter: Document, fields: Document) -> Result<Option<P>, StoreError>
where
    T: Send + Sync,
    P: DeserializeOwned + Send + Sync,
{
    Ok(docs.clone_with_type::<P>().find_one(filter).projection(fields).await?)
}

/// How many documents there are, counted over the index that holds nothing but their ids.
pub async fn count_all<T: Send + Sync>(docs: &Collection<T>) -> Result<u64, StoreError> {
    let by_id = Hint::Name("_id_".to_owned());
    Ok(docs.count_documents(doc! {}).hint(by_id).max_time(SEARCH_LIMIT).await?)
}

/// Matches texts that contain `text`, which is no pattern.
pub fn containing(text: &str) -> Document {
    doc! { "$regex": literal(text) }
}

/// Everything below a branch: its codes begin with the branch's and a `-`, which `.` follows in ASCII.
pub fn code_below(branch: &FullCode) -> Document {
    doc! { "code": { "$gt": format!("{branch}-"), "$lt": format!("{branch}.") } }
}
