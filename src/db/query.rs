//! Helpers that many queries share.

use std::time::Duration;

use bson::{Bson, Document, doc};
use mongodb::{
    Collection,
    options::{CountOptions, Hint},
};
use serde::de::DeserializeOwned;

use super::StoreError;
use crate::values::{codes::FullCode, paging::Total, text::literal};

/// The longest time for which the database may search or count. A search for a text inside other texts has to read all
/// of them, because no index helps to find the middle of a word.
pub const SEARCH_LIMIT: Duration = Duration::from_secs(2);

/// Finds one document and reads only `fields` (a projection) of it; `None` if no document matches `filter`.
pub async fn find_part<T, P>(docs: &Collection<T>, filter: Document, fields: Document) -> Result<Option<P>, StoreError>
where
    T: Send + Sync,
    P: DeserializeOwned + Send + Sync,
{
    Ok(docs.clone_with_type::<P>().find_one(filter).projection(fields).await?)
}

/// Counts all documents of a collection, using the index of `_id`, which is the smallest. Fails with
/// [`StoreError::OutOfTime`] after [`SEARCH_LIMIT`].
pub async fn count_all<T: Send + Sync>(docs: &Collection<T>) -> Result<u64, StoreError> {
    let by_id = Hint::Name("_id_".to_owned());
    Ok(docs.count_documents(doc! {}).hint(by_id).max_time(SEARCH_LIMIT).await?)
}

/// Returns a filter for the documents that meet all of some conditions.
pub fn all_of(conditions: Vec<Document>) -> Document {
    if conditions.is_empty() {
        doc! {}
    } else {
        doc! { "$and": conditions }
    }
}

/// Counts the documents that match `filter`, up to [`Total::MOST`]. Fails with [`StoreError::OutOfTime`] after
/// [`SEARCH_LIMIT`].
pub async fn count_some<T: Send + Sync>(docs: &Collection<T>, filter: Document) -> Result<Total, StoreError> {
    // Without a condition and without a hint the database would read whole documents.
    let hint = filter.is_empty().then(|| Hint::Name("_id_".to_owned()));
    let options = CountOptions::builder().limit(Total::MOST + 1).hint(hint).max_time(SEARCH_LIMIT).build();
    Ok(Total::of(docs.count_documents(filter).with_options(options).await?))
}

/// Returns the filter for the documents that follow a place in a list sorted by `field` and then by id. `direction` is 1
/// or -1, for both.
///
/// Example for names after the place (`pad`, id 7): `name > "pad"`, or `name == "pad"` and `_id > 7`. The additional
/// condition `name >= "pad"` lets the database start in the middle of the index.
pub fn following(field: &str, direction: i32, value: &Bson, id: Bson) -> Document {
    let (beyond, at_or_beyond) = if direction < 0 { ("$lt", "$lte") } else { ("$gt", "$gte") };
    let same_value = doc! { field: value, "_id": { beyond: id } };
    doc! { field: { at_or_beyond: value }, "$or": [{ field: { beyond: value } }, same_value] }
}

/// Returns a condition for a field that contains `text`. Characters with a meaning in regular expressions stand for
/// themselves.
pub fn containing(text: &str) -> Document {
    doc! { "$regex": literal(text) }
}

/// Returns a filter for everything below a branch. The codes there begin with the branch's code and `-`: below `TATA`
/// they are greater than `TATA-` and less than `TATA.`, since `.` follows `-` in ASCII. The full code of a product must
/// not be given, since `-` and `.` may also be inside of products' codes.
pub fn code_below(branch: &FullCode) -> Document {
    doc! { "code": { "$gt": format!("{branch}-"), "$lt": format!("{branch}.") } }
}
