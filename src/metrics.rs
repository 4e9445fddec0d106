//! Numbers for operators, in the text format of OpenMetrics.

use std::fmt;

use prometheus_client::{encoding::text::encode, metrics::counter::Counter, registry::Registry};

/// Everything that is counted.
pub struct Metrics {
    registry: Registry,
    /// Passwords hashed or compared: what a sign-in costs.
    pub bcrypt_jobs: Counter,
}

impl Metrics {
    /// Counters at zero.
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("myspares");
        let bcrypt_jobs = Counter::default();
        registry.register("bcrypt_jobs", "Passwords hashed or compared", bcrypt_jobs.clone());
        Self { registry, bcrypt_jobs }
    }

    /// The numbers as text.
    pub fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}
