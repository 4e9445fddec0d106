//! How many entries are below each of several branches.

use std::collections::HashMap;

use bson::{Document, doc};
use futures_util::TryStreamExt;
use mongodb::Collection;
use serde::Deserialize;

use crate::{
    db::{
        StoreError,
        query::{SEARCH_LIMIT, code_below},
    },
    values::{codes::FullCode, paging::Total},
};

#[derive(Deserialize)]
struct BranchCount {
    #[serde(rename = "_id")]
    branch: FullCode,
    count: i64,
}

/// Counts the documents below each of the branches in one query, which reads nothing but the index of the full codes, and
/// of each branch at most [`Total::MOST`] entries: with more, that is the number. Branches with nothing below them are
/// left out.
///
/// Fails with [`StoreError::OutOfTime`] after two seconds.
pub(super) async fn count_below_each<T: Send + Sync>(
    docs: &Collection<T>,
    branches: &[FullCode],
) -> Result<HashMap<FullCode, u64>, StoreError> {
    let most = i64::try_from(Total::MOST).unwrap_or(i64::MAX);
    let count = |branch: &FullCode| {
        let group = doc! { "_id": { "$literal": branch }, "count": { "$sum": 1_i64 } };
        [doc! { "$match": code_below(branch) }, doc! { "$limit": most }, doc! { "$group": group }]
    };
    let Some((first, others)) = branches.split_first() else { return Ok(HashMap::new()) };
    let union = |branch: &FullCode| {
        doc! { "$unionWith": { "coll": docs.name(), "pipeline": count(branch).to_vec() } }
    };
    let pipeline: Vec<Document> = count(first).into_iter().chain(others.iter().map(union)).collect();
    let found = docs.aggregate(pipeline).max_time(SEARCH_LIMIT).with_type::<BranchCount>().await?;
    let counts: Vec<BranchCount> = found.try_collect().await?;
    Ok(counts.into_iter().map(|found| (found.branch, u64::try_from(found.count).unwrap_or_default())).collect())
}
