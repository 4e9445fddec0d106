//! Numbers for operators, in the text format of OpenMetrics.

use std::fmt;

use prometheus_client::{
    encoding::text::encode,
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};

/// Everything that is counted.
pub struct Metrics {
    registry: Registry,
    /// Passwords hashed or compared: what a sign-in costs.
    pub bcrypt_jobs: Counter,
    /// Where the catalogue was read.
    pub catalogue_reads: CacheReads,
}

/// Reads that could have been answered from memory.
#[derive(Debug, Clone)]
pub struct CacheReads {
    /// Were.
    pub hits: Counter,
    /// Went to the database, and were kept if there was something to keep.
    pub misses: Counter,
    /// Went to the database, because the cache is off or may not be trusted at the moment.
    pub bypassed: Counter,
}

impl Metrics {
    /// Counters at zero.
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("myspares");
        let bcrypt_jobs = Counter::default();
        registry.register("bcrypt_jobs", "Passwords hashed or compared", bcrypt_jobs.clone());
        let catalogue_reads = CacheReads::registered(&mut registry);
        Self { registry, bcrypt_jobs, catalogue_reads }
    }

    /// The numbers as text.
    pub fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

impl CacheReads {
    /// Counters at zero, shown by `registry`.
    pub fn registered(registry: &mut Registry) -> Self {
        let reads = Family::<[(&'static str, &'static str); 1], Counter>::default();
        registry.register("catalogue_reads", "Reads of the catalogue, by what its cache did for them", reads.clone());
        let count = |outcome| reads.get_or_create(&[("cache", outcome)]).clone();
        Self { hits: count("hit"), misses: count("miss"), bypassed: count("bypass") }
    }
}
