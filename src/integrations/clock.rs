//! The clock that is passed in, so that whatever expires can be tested without waiting.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use crate::domain::time::Timestamp;

/// Tells the time; clones tell the same.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    ahead_millis: Arc<AtomicI64>,
}

impl Clock {
    /// The system's clock.
    pub fn system() -> Self {
        Self::default()
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        let real = bson::DateTime::now().timestamp_millis();
        Timestamp::from_millis(real + self.ahead_millis.load(Ordering::Relaxed))
    }

    /// Moves this clock and all its clones ahead.
    pub fn advance(&self, span: Duration) {
        let millis = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        self.ahead_millis.fetch_add(millis, Ordering::Relaxed);
    }
}
