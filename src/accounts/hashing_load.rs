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
    average_micros: AtomicU64,
    /// The time from which no job begins any more.
    stops_at: OnceLock<Instant>,
}

impl Load {
    pub(super) fn new(thread_count: usize, cost: u32) -> Self {
        let threads = u32::try_from(thread_count).unwrap_or(u32::MAX);
        let seconds = FIRST_GUESS.as_secs_f64() * 2_f64.powi(i32::try_from(cost).unwrap_or(12) - 12);
        let average_micros = AtomicU64::new(whole_micros(Duration::from_secs_f64(seconds)));
        Self { threads, jobs: AtomicU32::new(0), average_micros, stops_at: OnceLock::new() }
    }

    /// Returns how long a job that is added now would wait for its turn.
    pub(super) fn expected_wait(&self) -> Duration {
        let ahead = self.jobs.load(Ordering::Relaxed).saturating_sub(self.threads.saturating_sub(1));
        Duration::from_micros(self.average_micros.load(Ordering::Relaxed)) * ahead / self.threads
    }

    /// Notes that a job was put into the queue.
    pub(super) fn job_added(&self) {
        self.jobs.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns the number of jobs that wait or run.
    pub(super) fn jobs(&self) -> u32 {
        self.jobs.load(Ordering::Relaxed)
    }

    /// Notes that a job has ended, or was not accepted by the queue.
    pub(super) fn job_removed(&self) {
        self.jobs.fetch_sub(1, Ordering::Relaxed);
    }

    /// Lets no job begin from `at` on. Only the first call has an effect.
    pub(super) fn stop_at(&self, at: Instant) {
        self.stops_at.get_or_init(|| at);
    }

    /// Returns whether the time is over in which jobs may begin.
    pub(super) fn has_stopped(&self) -> bool {
        self.stops_at.get().is_some_and(|at| Instant::now() >= *at)
    }

    /// Updates the moving average by the time of a job: the new time counts one eighth, the old average seven eighths.
    pub(super) fn job_took(&self, time: Duration) {
        let old_average = self.average_micros.load(Ordering::Relaxed);
        let new_average = old_average - old_average / 8 + whole_micros(time) / 8;
        self.average_micros.store(new_average, Ordering::Relaxed);
    }
}

fn whole_micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
