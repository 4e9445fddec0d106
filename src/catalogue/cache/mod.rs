//! Copies of the catalogue in memory: answers in the form in which they are sent, and the fields of products that carts
//! need.
//!
//! A copy is never older than the last change that this process knows of. It knows of its own writes before it
//! acknowledges them, and of those of other processes through the change stream (`follow.rs`). An answer with a price
//! that changes by itself, because an offer begins or ends, is used only before that instant.

pub mod generations;
mod stream_state;
#[cfg(test)]
mod tests;
pub mod view;

use std::{collections::HashMap, sync::Arc, time::Duration};

use futures_util::{FutureExt, future::BoxFuture};
use moka::{future::Cache, policy::EvictionPolicy};

use self::{
    generations::{Generation, Generations},
    stream_state::StreamState,
    view::{Rendered, View},
};
use super::{
    error::CatalogueError,
    store::{catalogue_changes::ChangedPart, products::CartProduct},
};
use crate::{
    clock::Clock,
    db::{Health, StoreError},
    metrics::CacheReads,
    values::ids::ProductId,
};

/// How long the database may take before an old copy is shown instead, while the change stream is not connected.
const FRESH_LIMIT: Duration = Duration::from_secs(1);
/// Bytes that an entry takes besides its texts, measured by resident memory: the entry itself, its key, their places in
/// the tables of the cache, and the rounding of allocations.
const ENTRY_OVERHEAD: usize = 700;

/// The copies, and what is needed to know whether they are current.
///
/// While the change stream is not connected, changes of other processes may be missed. Then all reads ask the database.
/// Only if it does not answer, a copy is shown that may be out of date.
pub struct CatalogueCache {
    /// `None` if the cache is switched off.
    copies: Option<Copies>,
    generations: Generations,
    stream: StreamState,
    reads: CacheReads,
    database: Arc<Health>,
    /// How long after the last answer of the change stream copies may still be shown if the database does not answer.
    stale_limit: Duration,
    clock: Clock,
}

/// The key of the copy of an answer.
type AnswerKey = (View, Generation);

struct Copies {
    answers: Cache<AnswerKey, Rendered>,
    products: Cache<(ProductId, Generation), Arc<CartProduct>>,
}

impl Copies {
    /// Creates empty tables that share `capacity` bytes.
    ///
    /// They evict the copy that was used least recently. So copies of old generations go first, because nobody asks for
    /// them again.
    fn new(capacity: u64) -> Self {
        let answers = Cache::builder()
            .max_capacity(capacity / 4 * 3)
            .eviction_policy(EvictionPolicy::lru())
            .weigher(|(view, _): &AnswerKey, answer: &Rendered| weight(view.weight() + answer.weight()));
        let products = Cache::builder()
            .max_capacity(capacity / 4)
            .eviction_policy(EvictionPolicy::lru())
            .weigher(|_, product: &Arc<CartProduct>| weight(product.text_len()));
        Self { answers: answers.build(), products: products.build() }
    }
}

/// Returns the bytes that an entry with texts of this length takes.
fn weight(text_len: usize) -> u32 {
    u32::try_from(text_len + ENTRY_OVERHEAD).unwrap_or(u32::MAX)
}

impl CatalogueCache {
    /// Creates an empty cache that may take about `capacity` bytes; with 0 it keeps nothing.
    ///
    /// While `database` does not answer, it shows copies until `stale_limit` has passed since the last answer of the
    /// change stream. `clock` decides whether the prices of a copy are still those of the moment.
    pub fn new(capacity: u64, reads: CacheReads, database: Arc<Health>, stale_limit: Duration, clock: Clock) -> Self {
        Self {
            copies: (capacity > 0).then(|| Copies::new(capacity)),
            generations: Generations::new(),
            stream: StreamState::unopened(),
            reads,
            database,
            stale_limit,
            clock,
        }
    }

    /// Returns the approximate number of copies in memory.
    pub fn entries(&self) -> u64 {
        self.copies.as_ref().map_or(0, |copies| copies.answers.entry_count() + copies.products.entry_count())
    }

    /// Returns whether the cache keeps anything at all.
    pub fn is_on(&self) -> bool {
        self.copies.is_some()
    }

    /// Marks a part of the catalogue as changed by a write. Every read that begins after this call sees the write.
    ///
    /// Must be called after every write to the catalogue is committed and before it is acknowledged.
    pub fn mark_changed(&self, part: &ChangedPart) {
        self.generations.count_change(part);
    }

    /// Records that the change stream has answered, and that all changes it reported were passed to
    /// [`Self::mark_changed`].
    ///
    /// If the stream was not connected, changes may have been missed, so all copies are marked as out of date first.
    pub(super) fn record_stream_answer(&self) {
        if !self.stream.is_connected() {
            self.mark_changed(&ChangedPart::Everything);
        }
        self.stream.record_answer();
    }

    /// Records that the change stream has ended.
    pub(super) fn record_stream_end(&self) {
        self.stream.record_end();
    }

    /// Returns the answer that shows `view`, from memory or from `load`.
    ///
    /// Calls that miss the same copy at the same time share one `load`. Errors are not kept. No answer shows a price
    /// that had changed before the call began.
    ///
    /// While the change stream is not connected, each call runs its own `load` and keeps nothing. If the database is
    /// away or takes longer than a second, the call returns an old copy, if there is one within the limit of age.
    ///
    /// `load` makes a large future. It is called only if there is no copy, and the future is put into a box. Otherwise
    /// the future of every call would reserve room for it in all layers of the server.
    pub async fn answer<L>(&self, view: View, load: impl FnOnce() -> L) -> Result<Rendered, CatalogueError>
    where
        L: Future<Output = Result<Rendered, CatalogueError>> + Send,
    {
        let Some(copies) = self.usable_copies() else {
            return match self.old_copy(&view).await {
                Some(copy) => self.load_or_copy(copy, load).await,
                None => {
                    self.reads.bypassed.inc();
                    load().boxed().await
                }
            };
        };
        // Taken before the lookup, so that whatever is loaded from now on is at least as new as this generation.
        let generation = view.generation(&self.generations);
        let key = (view, generation);
        match copies.answers.get(&key).await {
            Some(answer) if self.is_of_this_moment(&answer) => {
                self.reads.hits.inc();
                return Ok(answer);
            }
            Some(_) => copies.answers.invalidate(&key).await,
            None => {}
        }
        self.reads.misses.inc();
        self.load_and_keep(&copies.answers, key, load().boxed()).await
    }

    /// Returns the outcome of `load`, or of another call that is loading the same answer at this time.
    ///
    /// The other call may have begun before an offer begins or ends, and this call after it. Then this call loads the
    /// answer itself.
    async fn load_and_keep(
        &self,
        answers: &Cache<AnswerKey, Rendered>,
        key: AnswerKey,
        mut load: BoxFuture<'_, Result<Rendered, CatalogueError>>,
    ) -> Result<Rendered, CatalogueError> {
        let asked_at = self.clock.now();
        let mut is_own_load = false;
        let own_load = async {
            is_own_load = true;
            (&mut load).await
        };
        let loaded = answers.try_get_with(key.clone(), own_load).boxed().await;
        let answer = loaded.map_err(|error| CatalogueError::clone(&error))?;
        if is_own_load || !answer.has_ended(|| asked_at) {
            return Ok(answer);
        }
        let own_answer = load.await?;
        answers.insert(key, own_answer.clone()).await;
        Ok(own_answer)
    }

    /// Returns whether all prices of an answer are those of this moment.
    fn is_of_this_moment(&self, answer: &Rendered) -> bool {
        !answer.has_ended(|| self.clock.now())
    }

    /// Returns the latest known copy with its age, while the change stream is not connected.
    ///
    /// The age is the time since the last answer of the stream, because the copy was current at that moment. `None` if
    /// there is no copy, one of its prices has changed since, or the age is over the limit.
    async fn old_copy(&self, view: &View) -> Option<Rendered> {
        let (copies, age) = (self.copies.as_ref()?, self.stream.time_since_answer()?);
        if age > self.stale_limit {
            return None;
        }
        let key = (view.clone(), view.generation(&self.generations));
        let copy = copies.answers.get(&key).await.filter(|copy| self.is_of_this_moment(copy))?;
        Some(copy.with_age(age))
    }

    /// Returns the outcome of `load`, or `copy` if the database is away or does not answer within [`FRESH_LIMIT`].
    async fn load_or_copy<L>(&self, copy: Rendered, load: impl FnOnce() -> L) -> Result<Rendered, CatalogueError>
    where
        L: Future<Output = Result<Rendered, CatalogueError>> + Send,
    {
        if !self.database.is_gone() {
            match tokio::time::timeout(FRESH_LIMIT, load().boxed()).await {
                Ok(Err(CatalogueError::Store(StoreError::Unavailable(_)))) => {}
                Ok(outcome) => {
                    self.reads.bypassed.inc();
                    return outcome;
                }
                Err(_) => self.database.found_silent(),
            }
        }
        // The wait may have lasted until one of its prices changed.
        if !self.is_of_this_moment(&copy) {
            return Err(StoreError::no_primary().into());
        }
        self.reads.stale.inc();
        Ok(copy)
    }

    /// Returns whether a current copy of this answer is in memory, so that the answer costs the database nothing.
    pub async fn has(&self, view: View) -> bool {
        let generation = view.generation(&self.generations);
        let Some(copies) = self.usable_copies() else { return false };
        copies.answers.get(&(view, generation)).await.is_some_and(|copy| self.is_of_this_moment(&copy))
    }

    /// Returns those of the products that exist, hidden ones too.
    ///
    /// `load` is called once, with the ids of which there is no copy. It is not called if there are copies of all.
    pub async fn products<L>(
        &self,
        ids: &[ProductId],
        load: impl FnOnce(Vec<ProductId>) -> L,
    ) -> Result<HashMap<ProductId, Arc<CartProduct>>, StoreError>
    where
        L: Future<Output = Result<Vec<CartProduct>, StoreError>>,
    {
        let copies = self.usable_copies();
        let mut products = HashMap::with_capacity(ids.len());
        let mut missing = HashMap::new();
        for id in ids {
            // Taken before the lookup, see `answer`.
            let generation = self.generations.of_product(*id);
            match self.copy_of_product(copies, *id, generation).await {
                Some(product) => drop(products.insert(*id, product)),
                None => drop(missing.insert(*id, generation)),
            }
        }
        if missing.is_empty() {
            return Ok(products);
        }
        for loaded in load(missing.keys().copied().collect()).await? {
            let product = Arc::new(loaded);
            if let (Some(copies), Some(generation)) = (copies, missing.get(&product.id)) {
                copies.products.insert((product.id, *generation), Arc::clone(&product)).await;
            }
            products.insert(product.id, product);
        }
        Ok(products)
    }

    /// Returns the copy of a product, if there is one, and counts the read.
    async fn copy_of_product(
        &self,
        copies: Option<&Copies>,
        id: ProductId,
        generation: Generation,
    ) -> Option<Arc<CartProduct>> {
        let Some(copies) = copies else {
            self.reads.bypassed.inc();
            return None;
        };
        let copy = copies.products.get(&(id, generation)).await;
        let counter = if copy.is_some() { &self.reads.hits } else { &self.reads.misses };
        counter.inc();
        copy
    }

    /// Returns the copies while they are up to date, which they are as long as the change stream is connected.
    fn usable_copies(&self) -> Option<&Copies> {
        self.copies.as_ref().filter(|_| self.stream.is_connected())
    }
}
