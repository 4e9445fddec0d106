//! The load of the hashing threads, from which the waiting time of the next job is estimated.

use std::{
    sync::{
        OnceLock,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// The assumed time of a hash at cost 12, used until the first one was measured. Each step of the cost doubles it.
const FIRST_GUESS: Duration = Duration::from_millis(250);

/// The jobs of the hashing threads, and how long one takes.
pub(super) struct Load {
    threads: u32,
    /// Jobs that wait or run.
    jobs: AtomicU32,
    /// The moving average of the time of a job, in microseconds.
    micros: AtomicU64,
    ends_at: OnceLock<Instant>,
}

impl Load {
    pub(super) fn new(threads: usize, cost: u32) -> Self {
        let threads = u32::try_from(threads).unwrap_or(u32::MAX);
        let guess = FIRST_GUESS.as_secs_f64() * 2_f64.powi(i32::try_from(cost).unwrap_or(12) - 12);
        let micros = u64::try_from(Duration::from_secs_f64(guess).as_micros()).unwrap_or(u64::MAX);
        Self { threads, jobs: AtomicU32::new(0), micros: AtomicU64::new(micros), ends_at: OnceLock::new() }
    }

    /// Returns how long a job that is added now would wait for its turn.
    pub(super) fn expected_wait(&self) -> Duration {
        let ahead = self.jobs.load(Ordering::Relaxed).saturating_sub(self.threads.saturating_sub(1));
        Duration::from_micros(self.micros.load(Ordering::Relaxed)) * ahead / self.threads
    }

    pub(super) fn came(&self) {
        self.jobs.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns the number of jobs that wait or run.
    pub(super) fn jobs(&self) -> u32 {
        self.jobs.load(Ordering::Relaxed)
    }

    pub(super) fn left(&self) {
        self.jobs.fetch_sub(1, Ordering::Relaxed);
    }

    /// No job begins from `at` on. Only the first call has an effect.
    pub(super) fn end(&self, at: Instant) {
        self.ends_at.get_or_init(|| at);
    }

    pub(super) fn is_over(&self) -> bool {
        self.ends_at.get().is_some_and(|at| Instant::now() >= *at)
    }

    /// Updates the moving average: the new time counts one eighth, the old average seven eighths.
    pub(super) fn took(&self, span: Duration) {
        let new = u64::try_from(span.as_micros()).unwrap_or(u64::MAX);
        let old = self.micros.load(Ordering::Relaxed);
        self.micros.store(old - old / 8 + new / 8, Ordering::Relaxed);
    }
}
