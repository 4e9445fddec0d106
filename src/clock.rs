//! The clock that is passed in, so that whatever expires can be tested without waiting.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use crate::values::time::Timestamp;

/// Tells the time; clones tell the same.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    ahead_millis: Arc<AtomicI64>,
    /// What a stopped clock shows.
    stopped_at: Option<Timestamp>,
}

impl Clock {
    /// The system's clock.
    pub fn system() -> Self {
        Self::default()
    }

    /// A clock that stands still at the beginning of this second and only moves when it is moved: for tests of what
    /// happens at one very moment.
    pub fn stopped() -> Self {
        let now = Timestamp::from_millis(bson::DateTime::now().timestamp_millis());
        Self { stopped_at: Some(Timestamp::from_millis(now.seconds() * 1000)), ..Self::default() }
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        let shown = self.stopped_at.map_or_else(|| bson::DateTime::now().timestamp_millis(), Timestamp::millis);
        Timestamp::from_millis(shown + self.ahead_millis.load(Ordering::Relaxed))
    }

    /// Moves this clock and all its clones ahead.
    pub fn advance(&self, span: Duration) {
        let millis = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        self.ahead_millis.fetch_add(millis, Ordering::Relaxed);
    }
}
