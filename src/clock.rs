//! The clock. It is passed to the app, so that tests of expiry don't have to wait.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use crate::values::time::Timestamp;

/// A clock. Clones of a clock always show the same time.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    ahead_millis: Arc<AtomicI64>,
    /// The time that a stopped clock shows before it is advanced.
    stopped_at: Option<Timestamp>,
}

impl Clock {
    /// Returns the clock of the system.
    pub fn system() -> Self {
        Self::default()
    }

    /// Returns a clock that stands still at the beginning of the current second and moves only by [`Clock::advance`].
    /// This is for tests in which several things happen at exactly the same time.
    pub fn stopped() -> Self {
        let now = system_time();
        Self { stopped_at: Some(Timestamp::from_millis(now.seconds() * 1000)), ..Self::default() }
    }

    /// Returns the current time.
    pub fn now(&self) -> Timestamp {
        let shown = self.stopped_at.unwrap_or_else(system_time);
        Timestamp::from_millis(shown.millis() + self.ahead_millis.load(Ordering::Relaxed))
    }

    /// Moves this clock and all its clones ahead.
    pub fn advance(&self, by: Duration) {
        let millis = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        self.ahead_millis.fetch_add(millis, Ordering::Relaxed);
    }
}

#[allow(clippy::disallowed_methods, reason = "the one place that reads the clock of the system")]
fn system_time() -> Timestamp {
    Timestamp::from_millis(bson::DateTime::now().timestamp_millis())
}
