//! Tests of the cache without a database.

use std::sync::atomic::{AtomicU64, Ordering};

use prometheus_client::registry::Registry;

use super::*;
use crate::values::{codes::FullCode, time::Timestamp, tree_level::TreeLevel};

fn connected_cache() -> CatalogueCache {
    let reads = CacheReads::registered(&mut Registry::default());
    let cache = CatalogueCache::new(1 << 20, reads, Health::new(1), Duration::from_secs(60), Clock::stopped());
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
    read_with_end(cache, stored, None).await
}

/// Reads an answer whose loading takes one turn of the scheduler. The loaded answer ends at `ends_at`.
async fn read_with_end(cache: &CatalogueCache, stored: &str, ends_at: Option<Timestamp>) -> String {
    let load = || async {
        tokio::task::yield_now().await;
        Ok(Rendered::new(stored.to_owned(), ends_at))
    };
    let answer = cache.answer(brand(), load).await.expect("an answer");
    String::from_utf8(answer.body.to_vec()).expect("a text")
}

#[tokio::test]
async fn a_copy_is_used_until_its_price_changes() {
    let cache = connected_cache();
    let minute = Duration::from_secs(60);
    let end = cache.clock.now().after(minute);
    assert_eq!(read_with_end(&cache, "1", Some(end)).await, "1");
    cache.clock.advance(minute - Duration::from_millis(1));
    assert_eq!(read(&cache, "2").await, "1");
    assert!(cache.has(brand()).await);
    cache.clock.advance(Duration::from_millis(1));
    assert!(!cache.has(brand()).await);
    assert_eq!(read_with_end(&cache, "3", Some(end.after(minute))).await, "3");
    assert_eq!(read(&cache, "4").await, "3");
    // Not even an outage of the database brings an old price back.
    cache.record_stream_end();
    let away = || async { Err(CatalogueError::Store(StoreError::no_primary())) };
    assert_eq!(cache.answer(brand(), away).await.expect("a copy").body, "3");
    let away_for_a_minute = || async {
        cache.clock.advance(minute);
        Err(CatalogueError::Store(StoreError::no_primary()))
    };
    assert!(cache.answer(brand(), away_for_a_minute).await.is_err());
    assert!(cache.answer(brand(), away).await.is_err());
}

#[tokio::test]
async fn a_call_after_the_change_of_a_price_does_not_share_a_load_from_before() {
    let cache = connected_cache();
    let end = cache.clock.now().after(Duration::from_secs(1));
    let before = read_with_end(&cache, "old price", Some(end));
    let after = async {
        cache.clock.advance(Duration::from_secs(1));
        read(&cache, "new price").await
    };
    assert_eq!(tokio::join!(before, after), ("old price".to_owned(), "new price".to_owned()));
    assert_eq!(read(&cache, "none").await, "new price");
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
        Ok(Rendered::new("old".to_owned(), None))
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
            Ok(Rendered::new("1".to_owned(), None))
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
