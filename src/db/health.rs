//! The state of the database as the driver's events tell it: whether there is a primary, and how long a new call would
//! wait for a connection.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use mongodb::{
    event::{EventHandler, cmap::CmapEvent, sdam::SdamEvent},
    options::ClientOptions,
};

/// Time for which the database counts as gone after a call has waited for its answer in vain. Calls that have another
/// way to answer don't ask the database in that time.
const PAUSE: Duration = Duration::from_secs(1);

/// Time without any event of the pool after which the count of waiting calls is ignored. The driver gives up a silent
/// database earlier than this. Calls that still count as waiting were cancelled: the driver sends no event for those,
/// and they must not cause new calls to be refused.
const FORGOTTEN: Duration = Duration::from_secs(30);

/// The state of the database as this process knows it.
pub struct Health {
    epoch: Instant,
    has_primary: AtomicBool,
    /// The database counts as silent until this time, in microseconds since `epoch`.
    silent_until: AtomicU64,
    pool: Pool,
}

/// The connections of the pool, and the calls that wait for one.
struct Pool {
    size: usize,
    in_use: AtomicUsize,
    waiting: AtomicUsize,
    /// Time of the last event that says something about the wait, in microseconds since `Health::epoch`: a connection
    /// came back, or a call began to wait while no other call did.
    last_event_at: AtomicU64,
    /// Microseconds between two returns of connections while all of them are in use, as a moving average.
    interval: AtomicU64,
}

impl Health {
    /// Creates the state of a database of which nothing is known yet. It counts as reachable, and no call waits.
    pub fn new(pool_size: u32) -> Arc<Self> {
        let pool = Pool {
            size: pool_size as usize,
            in_use: AtomicUsize::new(0),
            waiting: AtomicUsize::new(0),
            last_event_at: AtomicU64::new(0),
            interval: AtomicU64::new(0),
        };
        Arc::new(Self {
            epoch: Instant::now(),
            has_primary: AtomicBool::new(true),
            silent_until: AtomicU64::new(0),
            pool,
        })
    }

    /// Sets the event handlers of a client, so that its events update this state. Call it before the client is made.
    pub fn listen(self: &Arc<Self>, options: &mut ClientOptions) {
        let (topology, health) = (Arc::clone(self), Arc::clone(self));
        options.sdam_event_handler = Some(EventHandler::callback(move |event| {
            if let SdamEvent::TopologyDescriptionChanged(change) = event {
                topology.has_primary.store(change.new_description.has_writable_server(), Ordering::Relaxed);
            }
        }));
        options.cmap_event_handler = Some(EventHandler::callback(move |event| match event {
            CmapEvent::ConnectionCheckoutStarted(_) => health.pool.checkout_started(health.micros()),
            CmapEvent::ConnectionCheckoutFailed(_) => health.pool.checkout_failed(),
            CmapEvent::ConnectionCheckedOut(_) => health.pool.checked_out(),
            CmapEvent::ConnectionCheckedIn(_) => health.pool.checked_in(health.micros()),
            _ => {}
        }));
    }

    /// Returns whether the database is known not to answer: it has no primary, or a call has waited in vain within the
    /// last second.
    pub fn is_gone(&self) -> bool {
        !self.has_primary.load(Ordering::Relaxed) || self.micros() < self.silent_until.load(Ordering::Relaxed)
    }

    /// Records that a call has waited for an answer in vain. [`Health::is_gone`] is true for a second from now.
    pub fn found_silent(&self) {
        let pause = u64::try_from(PAUSE.as_micros()).unwrap_or(u64::MAX);
        self.silent_until.store(self.micros().saturating_add(pause), Ordering::Relaxed);
    }

    /// Estimates how long a call that comes now would wait for a connection.
    pub fn expected_wait(&self) -> Duration {
        self.pool.expected_wait(self.micros())
    }

    /// Returns the number of connections in use.
    pub fn connections_in_use(&self) -> usize {
        self.pool.in_use.load(Ordering::Relaxed)
    }

    /// Returns the number of calls that wait for a connection. It may include calls that were cancelled a moment ago.
    pub fn waiting(&self) -> usize {
        self.pool.waiting.load(Ordering::Relaxed)
    }

    /// Returns the time since `epoch` in microseconds.
    fn micros(&self) -> u64 {
        u64::try_from(self.epoch.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}

impl Pool {
    fn checkout_started(&self, now: u64) {
        if self.waiting.fetch_add(1, Ordering::Relaxed) == 0 {
            self.last_event_at.store(now, Ordering::Relaxed);
        }
    }

    fn checkout_failed(&self) {
        decrement(&self.waiting);
    }

    fn checked_out(&self) {
        decrement(&self.waiting);
        self.in_use.fetch_add(1, Ordering::Relaxed);
    }

    fn checked_in(&self, now: u64) {
        decrement(&self.in_use);
        let last_event_at = self.last_event_at.swap(now, Ordering::Relaxed);
        if self.in_use.load(Ordering::Relaxed) + 1 < self.size {
            // A connection was free already, so no call waits. The count may still hold calls that were cancelled,
            // for which the driver sends no event.
            self.waiting.store(0, Ordering::Relaxed);
            return;
        }
        let (newest, average) = (now.saturating_sub(last_event_at), self.interval.load(Ordering::Relaxed));
        self.interval.store(average - average / 8 + newest / 8, Ordering::Relaxed);
    }

    /// Estimates the wait as the number of waiting calls times the interval at which connections come back. With 10
    /// calls waiting and a connection coming back every 2 ms, a new call waits 20 ms.
    ///
    /// When nothing has come back for a while, the average interval is too short. The time since the last return,
    /// divided by the number of connections, then takes its place: after 1.6 s of silence, the 16 connections are
    /// expected to come back one every 100 ms.
    fn expected_wait(&self, now: u64) -> Duration {
        let silence = now.saturating_sub(self.last_event_at.load(Ordering::Relaxed));
        if silence > FORGOTTEN.as_micros() as u64 {
            return Duration::ZERO;
        }
        let interval = self.interval.load(Ordering::Relaxed).max(silence / self.size as u64);
        Duration::from_micros(interval.saturating_mul(self.waiting.load(Ordering::Relaxed) as u64))
    }
}

/// Subtracts one from a count; a count of zero stays zero.
fn decrement(count: &AtomicUsize) {
    let _zero_is_kept = count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| Some(count.saturating_sub(1)));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool_with(in_use: usize, waiting: usize) -> Pool {
        Pool {
            size: 2,
            in_use: AtomicUsize::new(in_use),
            waiting: AtomicUsize::new(waiting),
            last_event_at: AtomicU64::new(0),
            interval: AtomicU64::new(0),
        }
    }

    #[test]
    fn after_a_long_rest_nobody_waits() {
        let pool = pool_with(0, 0);
        assert_eq!(pool.expected_wait(60_000_000), Duration::ZERO);
        pool.checkout_started(60_000_000);
        assert_eq!(pool.expected_wait(60_002_000), Duration::from_millis(1));
    }

    #[test]
    fn the_wait_grows_with_those_before_and_with_the_silence() {
        let pool = pool_with(2, 10);
        for now in (1000..100_000).step_by(1000) {
            pool.in_use.store(2, Ordering::Relaxed);
            pool.checked_in(now);
        }
        pool.in_use.store(2, Ordering::Relaxed);
        let wait = pool.expected_wait(99_500);
        assert!(wait > Duration::from_millis(9) && wait < Duration::from_millis(11), "{wait:?}");
        assert_eq!(pool.expected_wait(2_099_000), Duration::from_secs(10));
        assert_eq!(pool.expected_wait(60_000_000), Duration::ZERO);
    }

    #[test]
    fn who_gave_up_is_forgotten_once_connections_are_free() {
        let pool = pool_with(1, 7);
        pool.checked_in(1);
        assert_eq!(pool.waiting.load(Ordering::Relaxed), 0);
    }
}
