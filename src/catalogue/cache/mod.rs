//! Copies of the catalogue in memory: answers in the form in which they are sent, and the fields of products that carts
//! need.
//!
//! A copy is never older than the last change that this process knows of. It knows of its own writes before it
//! acknowledges them, and of those of other processes through the change stream (`follow.rs`).

pub mod generations;
mod stream_state;
pub mod view;

use std::{collections::HashMap, sync::Arc, time::Duration};

use futures_util::FutureExt;
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
}

struct Copies {
    answers: Cache<(View, Generation), Rendered>,
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
            .weigher(|(view, _): &(View, Generation), answer: &Rendered| weight(view.weight() + answer.weight()));
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
    /// change stream.
    pub fn new(capacity: u64, reads: CacheReads, database: Arc<Health>, stale_limit: Duration) -> Self {
        Self {
            copies: (capacity > 0).then(|| Copies::new(capacity)),
            generations: Generations::new(),
            stream: StreamState::unopened(),
            reads,
            database,
            stale_limit,
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
    /// Calls that miss the same copy at the same time share one `load`. Errors are not kept.
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
        if let Some(answer) = copies.answers.get(&key).await {
            self.reads.hits.inc();
            return Ok(answer);
        }
        self.reads.misses.inc();
        let loaded = copies.answers.try_get_with(key, load()).boxed();
        loaded.await.map_err(|error| CatalogueError::clone(&error))
    }

    /// Returns the latest known copy with its age, while the change stream is not connected.
    ///
    /// The age is the time since the last answer of the stream, because the copy was current at that moment. `None` if
    /// there is no copy or the age is over the limit.
    async fn old_copy(&self, view: &View) -> Option<Rendered> {
        let (copies, age) = (self.copies.as_ref()?, self.stream.time_since_answer()?);
        if age > self.stale_limit {
            return None;
        }
        let key = (view.clone(), view.generation(&self.generations));
        let copy = copies.answers.get(&key).await?;
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
        self.reads.stale.inc();
        Ok(copy)
    }

    /// Returns whether a current copy of this answer is in memory, so that the answer costs the database nothing.
    pub fn has(&self, view: View) -> bool {
        let generation = view.generation(&self.generations);
        self.usable_copies().is_some_and(|copies| copies.answers.contains_key(&(view, generation)))
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use prometheus_client::registry::Registry;

    use super::*;
    use crate::values::{codes::FullCode, tree_level::TreeLevel};

    fn connected_cache() -> CatalogueCache {
        let reads = CacheReads::registered(&mut Registry::default());
        let cache = CatalogueCache::new(1 << 20, reads, Health::new(1), Duration::from_secs(60));
        cache.record_stream_answer();
        cache
    }

    fn brand() -> View {
        View::One(FullCode::join(["TATA"]))
    }

    fn changed_brand() -> ChangedPart {
        ChangedPart::Branch(FullCode::join(["TATA"]))
    }

    async fn read(cache: &CatalogueCache, stored: &str) -> String {
        let answer = cache.answer(brand(), || async { Ok(Rendered::new(stored.to_owned())) }).await.expect("an answer");
        String::from_utf8(answer.body.to_vec()).expect("a text")
    }

    #[tokio::test]
    async fn a_copy_lasts_until_something_it_shows_changes() {
        let cache = connected_cache();
        assert_eq!(read(&cache, "1").await, "1");
        assert_eq!(read(&cache, "2").await, "1");
        cache.mark_changed(&changed_brand());
        assert_eq!(read(&cache, "3").await, "3");
        assert_eq!((cache.reads.hits.get(), cache.reads.misses.get(), cache.reads.bypassed.get()), (1, 2, 0));
    }

    #[tokio::test]
    async fn what_was_loaded_while_it_changed_is_not_kept() {
        let cache = connected_cache();
        let load_outdated = || async {
            cache.mark_changed(&changed_brand());
            Ok(Rendered::new("old".to_owned()))
        };
        cache.answer(brand(), load_outdated).await.expect("an answer");
        assert_eq!(read(&cache, "new").await, "new");

        let id = ProductId::new();
        let product = |stock: i64| CartProduct { stock, ..crate::catalogue::store::products::sample(id) };
        let load_outdated_product = |_| async {
            cache.mark_changed(&ChangedPart::Product(id, FullCode::join(["A", "B", "C", "D"])));
            Ok(vec![product(1)])
        };
        cache.products(&[id], load_outdated_product).await.expect("products");
        for stored in [2, 3] {
            let found = cache.products(&[id], |_| async { Ok(vec![product(stored)]) }).await.expect("products");
            assert_eq!(found[&id].stock, 2);
        }
    }

    #[tokio::test]
    async fn many_who_ask_at_once_share_one_load() {
        let cache = connected_cache();
        let loads = AtomicU64::new(0);
        let ask = || {
            let load = async {
                loads.fetch_add(1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                Ok(Rendered::new("1".to_owned()))
            };
            cache.answer(brand(), || load)
        };
        let answers = futures_util::future::join_all((0..50).map(|_| ask())).await;
        assert!(answers.into_iter().all(|answer| answer.is_ok_and(|answer| answer.body == "1")));
        assert_eq!(loads.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn an_old_copy_is_shown_only_while_the_database_is_away_and_not_for_ever() {
        let mut cache = connected_cache();
        assert_eq!(read(&cache, "1").await, "1");
        cache.record_stream_end();
        let away = || async { Err(CatalogueError::Store(StoreError::no_primary())) };
        let copy = cache.answer(brand(), away).await.expect("a copy");
        assert!(copy.body == "1" && copy.age.is_some());
        assert_eq!(read(&cache, "2").await, "2", "it answers again");
        let hanging = cache.answer(brand(), std::future::pending).await.expect("a copy");
        assert!(hanging.body == "1" && cache.database.is_gone());
        cache.stale_limit = Duration::ZERO;
        tokio::time::sleep(Duration::from_millis(2)).await;
        assert!(cache.answer(brand(), away).await.is_err());
    }

    #[tokio::test]
    async fn refusals_are_not_kept() {
        let cache = connected_cache();
        let missing = || async { Err(CatalogueError::NotFound(TreeLevel::Brand)) };
        assert!(cache.answer(brand(), missing).await.is_err());
        assert_eq!(read(&cache, "1").await, "1");
    }

    #[tokio::test]
    async fn without_the_stream_nothing_is_taken_from_memory_and_afterwards_nothing_from_before() {
        let mut cache = connected_cache();
        assert_eq!(read(&cache, "1").await, "1");
        cache.record_stream_end();
        assert_eq!(read(&cache, "2").await, "2");
        cache.record_stream_answer();
        assert_eq!(read(&cache, "3").await, "3");
        // A stream that stops answering counts as lost, just like one that has ended.
        cache.stream = StreamState::silent_for_too_long();
        assert_eq!(read(&cache, "4").await, "4");
        cache.record_stream_answer();
        assert_eq!(read(&cache, "5").await, "5");
        assert_eq!(read(&cache, "6").await, "5");
    }
}
