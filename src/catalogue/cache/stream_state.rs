//! Whether this process hears of the changes of other processes.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::{Duration, Instant},
};

/// How long the change stream counts as connected after its last answer. It answers at least once a second.
const LONGEST_SILENCE: Duration = Duration::from_secs(3);

/// The state of the change stream, and the time of its last answer.
pub(super) struct StreamState {
    created_at: Instant,
    /// Milliseconds from `created_at` to the last answer, plus one; 0 before the first answer.
    answered_at: AtomicU64,
    is_open: AtomicBool,
}

impl StreamState {
    /// Creates the state of a stream that was not opened yet.
    pub(super) fn unopened() -> Self {
        Self { created_at: Instant::now(), answered_at: AtomicU64::new(0), is_open: AtomicBool::new(false) }
    }

    /// Creates the state of an open stream that has not answered for longer than it may.
    #[cfg(test)]
    pub(super) fn silent_for_too_long() -> Self {
        let state = Self {
            created_at: Instant::now().checked_sub(LONGEST_SILENCE * 2).expect("some uptime"),
            answered_at: AtomicU64::new(1),
            is_open: AtomicBool::new(true),
        };
        assert!(!state.is_connected());
        state
    }

    /// Returns whether the stream is open and has answered within the last three seconds.
    pub(super) fn is_connected(&self) -> bool {
        self.is_open.load(Ordering::SeqCst) && self.time_since_answer().is_some_and(|time| time < LONGEST_SILENCE)
    }

    /// Returns the time since the last answer; `None` if there was none yet.
    pub(super) fn time_since_answer(&self) -> Option<Duration> {
        let answered_at = self.answered_at.load(Ordering::SeqCst);
        (answered_at != 0).then(|| Duration::from_millis(self.now().saturating_sub(answered_at)))
    }

    /// Records that the stream is open and has answered.
    pub(super) fn record_answer(&self) {
        self.answered_at.store(self.now(), Ordering::SeqCst);
        self.is_open.store(true, Ordering::SeqCst);
    }

    /// Records that the stream has ended.
    pub(super) fn record_end(&self) {
        self.is_open.store(false, Ordering::SeqCst);
    }

    /// Returns the time in the unit of `answered_at`.
    fn now(&self) -> u64 {
        u64::try_from(self.created_at.elapsed().as_millis()).map_or(u64::MAX, |millis| millis.saturating_add(1))
    }
}
