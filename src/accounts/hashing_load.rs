//! How much the hashing threads have to do, and so how long the next caller would wait.

use std::{
    sync::{
        OnceLock,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// What a hash takes before any was made, at cost 12; each step doubles it.
const FIRST_GUESS: Duration = Duration::from_millis(250);

/// What the threads have before them.
pub(super) struct Load {
    threads: u32,
    /// Jobs that wait or run.
    jobs: AtomicU32,
    /// Microseconds of a job, as a moving average.
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

    /// How long a job that comes now would wait for its turn.
    pub(super) fn expected_wait(&self) -> Duration {
        let ahead = self.jobs.load(Ordering::Relaxed).saturating_sub(self.threads.saturating_sub(1));
        Duration::from_micros(self.micros.load(Ordering::Relaxed)) * ahead / self.threads
    }

    pub(super) fn came(&self) {
        self.jobs.fetch_add(1, Ordering::Relaxed);
    }

    /// Jobs that wait or run.
    pub(super) fn jobs(&self) -> u32 {
        self.jobs.load(Ordering::Relaxed)
    }

    pub(super) fn left(&self) {
        self.jobs.fetch_sub(1, Ordering::Relaxed);
    }

    /// Nothing begins from then on.
    pub(super) fn end(&self, at: Instant) {
        self.ends_at.get_or_init(|| at);
    }

    pub(super) fn is_over(&self) -> bool {
        self.ends_at.get().is_some_and(|at| Instant::now() >= *at)
    }

    /// An eighth of the new time and seven of the old ones.
    pub(super) fn took(&self, span: Duration) {
        let new = u64::try_from(span.as_micros()).unwrap_or(u64::MAX);
        let old = self.micros.load(Ordering::Relaxed);
        self.micros.store(old - old / 8 + new / 8, Ordering::Relaxed);
    }
}
