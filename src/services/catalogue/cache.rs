//! Copies of the catalogue in memory that are never older than the last change this process has heard of: answers as
//! they are sent, and what carts need of products.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::FutureExt;
use moka::{future::Cache, policy::EvictionPolicy};

use super::{
    CatalogueError,
    generations::{Generation, Generations},
    view::{Rendered, View},
};
use crate::{
    domain::ids::ProductId,
    metrics::CacheReads,
    store::{StoreError, catalogue_changes::Touched, products::CartProduct},
};

/// For so long after its last word the stream of changes counts as connected; it says something every second.
const SILENCE: Duration = Duration::from_secs(3);
/// What an entry takes beside its texts, as resident memory shows it: the entry itself, its key, their places in the cache's
/// tables, and what allocations are rounded up by.
const ENTRY: usize = 700;

/// The copies, and what says how old they are.
pub struct CatalogueCache {
    /// `None` where it is switched off.
    kept: Option<Kept>,
    generations: Generations,
    stream: Stream,
    reads: CacheReads,
}

struct Kept {
    answers: Cache<(View, Generation), Rendered>,
    products: Cache<(ProductId, Generation), Arc<CartProduct>>,
}

impl Kept {
    /// Old generations are never asked for again: they are what was used least recently, and go first.
    fn new(capacity: u64) -> Self {
        let answers = Cache::builder().max_capacity(capacity / 4 * 3).eviction_policy(EvictionPolicy::lru());
        let products = Cache::builder().max_capacity(capacity / 4).eviction_policy(EvictionPolicy::lru());
        Self {
            answers: answers
                .weigher(|(view, _): &(View, Generation), answer: &Rendered| weight(view.weight() + answer.weight()))
                .build(),
            products: products.weigher(|_, product: &Arc<CartProduct>| weight(product.text_len())).build(),
        }
    }
}

fn weight(texts: usize) -> u32 {
    u32::try_from(texts + ENTRY).unwrap_or(u32::MAX)
}

impl CatalogueCache {
    /// An empty cache of so many bytes; 0 keeps nothing.
    pub fn new(capacity: u64, reads: CacheReads) -> Self {
        Self {
            kept: (capacity > 0).then(|| Kept::new(capacity)),
            generations: Generations::new(),
            stream: Stream::silent(),
            reads,
        }
    }

    /// Whether anything is ever kept.
    pub fn is_on(&self) -> bool {
        self.kept.is_some()
    }

    /// To be called after every write to the catalogue, before it is acknowledged: whoever reads from now on reads what
    /// was written.
    pub fn changed(&self, touched: &Touched) {
        self.generations.bump(touched);
    }

    /// The stream of changes is open, and everything that it said has been handed on. After a silence nobody knows what
    /// was missed, so nothing from before counts.
    pub(super) fn heard(&self) {
        if !self.stream.is_connected() {
            self.changed(&Touched::Everything);
        }
        self.stream.heard();
    }

    /// The stream of changes is gone.
    pub(super) fn lost(&self) {
        self.stream.lost();
    }

    /// The answer that shows `view`: a copy, or what `load` makes; many who ask at once share one load. Refusals and
    /// failures aren't kept.
    ///
    /// A load is a large future. It is put into a box, and only made where there is no copy: otherwise every call that a
    /// copy answers would carry the room for it through all layers of the server.
    pub async fn answer<L>(&self, view: View, load: impl FnOnce() -> L) -> Result<Rendered, CatalogueError>
    where
        L: Future<Output = Result<Rendered, CatalogueError>> + Send,
    {
        let Some(kept) = self.usable() else {
            self.reads.bypassed.inc();
            return load().boxed().await;
        };
        // Before the lookup: what is loaded from now on is at least as new as this.
        let generation = view.generation(&self.generations);
        let key = (view, generation);
        if let Some(answer) = kept.answers.get(&key).await {
            self.reads.hits.inc();
            return Ok(answer);
        }
        self.reads.misses.inc();
        let loaded = kept.answers.try_get_with(key, load()).boxed();
        loaded.await.map_err(|error| CatalogueError::clone(&error))
    }

    /// Whether a copy of that answer is there, which costs the database nothing.
    pub fn has(&self, view: View) -> bool {
        let generation = view.generation(&self.generations);
        self.usable().is_some_and(|kept| kept.answers.contains_key(&(view, generation)))
    }

    /// Those of the products that are there, hidden ones too: copies, and of the others what `load` finds.
    pub async fn products<L>(
        &self,
        ids: &[ProductId],
        load: impl FnOnce(Vec<ProductId>) -> L,
    ) -> Result<HashMap<ProductId, Arc<CartProduct>>, StoreError>
    where
        L: Future<Output = Result<Vec<CartProduct>, StoreError>>,
    {
        let kept = self.usable();
        let mut found = HashMap::with_capacity(ids.len());
        let mut missing = HashMap::new();
        for id in ids {
            let generation = self.generations.of_product(*id);
            let copy = match kept {
                Some(kept) => kept.products.get(&(*id, generation)).await,
                None => None,
            };
            match (&copy, kept) {
                (Some(_), _) => self.reads.hits.inc(),
                (None, Some(_)) => self.reads.misses.inc(),
                (None, None) => self.reads.bypassed.inc(),
            };
            match copy {
                Some(product) => drop(found.insert(*id, product)),
                None => drop(missing.insert(*id, generation)),
            }
        }
        if missing.is_empty() {
            return Ok(found);
        }
        for product in load(missing.keys().copied().collect()).await? {
            let product = Arc::new(product);
            if let (Some(kept), Some(generation)) = (kept, missing.get(&product.id)) {
                kept.products.insert((product.id, *generation), Arc::clone(&product)).await;
            }
            found.insert(product.id, product);
        }
        Ok(found)
    }

    fn usable(&self) -> Option<&Kept> {
        self.kept.as_ref().filter(|_| self.stream.is_connected())
    }
}

/// When the stream of changes was last heard of.
struct Stream {
    epoch: Instant,
    /// Milliseconds since the epoch, one too many; 0 while there is no stream.
    heard: AtomicU64,
}

impl Stream {
    fn silent() -> Self {
        Self { epoch: Instant::now(), heard: AtomicU64::new(0) }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.epoch.elapsed().as_millis()).map_or(u64::MAX, |millis| millis.saturating_add(1))
    }

    fn is_connected(&self) -> bool {
        let heard = self.heard.load(Ordering::SeqCst);
        heard != 0 && u128::from(self.now().saturating_sub(heard)) < SILENCE.as_millis()
    }

    fn heard(&self) {
        self.heard.store(self.now(), Ordering::SeqCst);
    }

    fn lost(&self) {
        self.heard.store(0, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::registry::Registry;

    use super::*;
    use crate::domain::{codes::FullCode, tree_level::TreeLevel};

    fn cache() -> CatalogueCache {
        let cache = CatalogueCache::new(1 << 20, CacheReads::registered(&mut Registry::default()));
        cache.heard();
        cache
    }

    fn brand() -> View {
        View::One(FullCode::join(["TATA"]))
    }

    fn changed() -> Touched {
        Touched::Branch(FullCode::join(["TATA"]))
    }

    async fn read(cache: &CatalogueCache, stored: &str) -> String {
        let answer = cache.answer(brand(), || async { Ok(Rendered::new(stored.to_owned())) }).await.expect("an answer");
        String::from_utf8(answer.body.to_vec()).expect("a text")
    }

    #[tokio::test]
    async fn a_copy_lasts_until_something_it_shows_changes() {
        let cache = cache();
        assert_eq!(read(&cache, "1").await, "1");
        assert_eq!(read(&cache, "2").await, "1");
        cache.changed(&changed());
        assert_eq!(read(&cache, "3").await, "3");
        assert_eq!((cache.reads.hits.get(), cache.reads.misses.get(), cache.reads.bypassed.get()), (1, 2, 0));
    }

    #[tokio::test]
    async fn what_was_loaded_while_it_changed_is_not_kept() {
        let cache = cache();
        let outdated = || async {
            cache.changed(&changed());
            Ok(Rendered::new("old".to_owned()))
        };
        cache.answer(brand(), outdated).await.expect("an answer");
        assert_eq!(read(&cache, "new").await, "new");

        let id = ProductId::new();
        let product = |stock: i64| CartProduct { stock, ..crate::store::products::sample(id) };
        let outdated = |_| async {
            cache.changed(&Touched::Product(id, FullCode::join(["A", "B", "C", "D"])));
            Ok(vec![product(1)])
        };
        cache.products(&[id], outdated).await.expect("products");
        for stored in [2, 3] {
            let found = cache.products(&[id], |_| async { Ok(vec![product(stored)]) }).await.expect("products");
            assert_eq!(found[&id].stock, 2);
        }
    }

    #[tokio::test]
    async fn many_who_ask_at_once_share_one_load() {
        let cache = cache();
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
    async fn refusals_are_not_kept() {
        let cache = cache();
        let missing = || async { Err(CatalogueError::NotFound(TreeLevel::Brand)) };
        assert!(cache.answer(brand(), missing).await.is_err());
        assert_eq!(read(&cache, "1").await, "1");
    }

    #[tokio::test]
    async fn without_the_stream_nothing_is_taken_from_memory_and_afterwards_nothing_from_before() {
        let cache = cache();
        assert_eq!(read(&cache, "1").await, "1");
        cache.lost();
        assert_eq!(read(&cache, "2").await, "2");
        cache.heard();
        assert_eq!(read(&cache, "3").await, "3");
        // A silence counts as well as an end.
        let silence = u64::try_from(SILENCE.as_millis()).expect("a few seconds");
        let cache = CatalogueCache {
            stream: Stream { epoch: Instant::now().checked_sub(SILENCE * 2).expect("some uptime"), ..Stream::silent() },
            ..cache
        };
        cache.stream.heard.store(silence, Ordering::SeqCst);
        assert_eq!(read(&cache, "4").await, "4");
        cache.heard();
        assert_eq!(read(&cache, "5").await, "5");
        assert_eq!(read(&cache, "6").await, "5");
    }
}
