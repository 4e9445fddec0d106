//! What the driver tells of the database: whether there is a primary, and how long a call would wait for a connection.

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

/// A database that has kept somebody waiting in vain is not asked again for so long, where there is another way.
const PAUSE: Duration = Duration::from_secs(1);

/// The driver gives up a database that says nothing before this is over. Whoever counts as waiting then has left without
/// its telling, and must not shut out others.
const FORGOTTEN: Duration = Duration::from_secs(30);

/// The state of the database as this process knows it.
pub struct Health {
    epoch: Instant,
    has_primary: AtomicBool,
    /// Microseconds from the epoch until which the database counts as silent.
    silent_until: AtomicU64,
    pool: Pool,
}

/// The connections, and those who wait for one.
struct Pool {
    size: usize,
    in_use: AtomicUsize,
    waiting: AtomicUsize,
    /// Microseconds from the epoch to the last return of a connection, or to when somebody began to wait while nobody did.
    stirred_at: AtomicU64,
    /// Microseconds between two returns while others wait, as a moving average.
    interval: AtomicU64,
}

impl Health {
    /// Nothing was heard yet, and nothing stands against the first call.
    pub fn new(pool_size: u32) -> Arc<Self> {
        let pool = Pool {
            size: pool_size as usize,
            in_use: AtomicUsize::new(0),
            waiting: AtomicUsize::new(0),
            stirred_at: AtomicU64::new(0),
            interval: AtomicU64::new(0),
        };
        Arc::new(Self {
            epoch: Instant::now(),
            has_primary: AtomicBool::new(true),
            silent_until: AtomicU64::new(0),
            pool,
        })
    }

    /// Has a client tell what happens to it.
    pub fn listen(self: &Arc<Self>, options: &mut ClientOptions) {
        let (topology, pool) = (Arc::clone(self), Arc::clone(self));
        options.sdam_event_handler = Some(EventHandler::callback(move |event| {
            if let SdamEvent::TopologyDescriptionChanged(change) = event {
                topology.has_primary.store(change.new_description.has_writable_server(), Ordering::Relaxed);
            }
        }));
        options.cmap_event_handler = Some(EventHandler::callback(move |event| match event {
            CmapEvent::ConnectionCheckoutStarted(_) => pool.pool.asked(pool.now()),
            CmapEvent::ConnectionCheckoutFailed(_) => lower(&pool.pool.waiting),
            CmapEvent::ConnectionCheckedOut(_) => {
                lower(&pool.pool.waiting);
                pool.pool.in_use.fetch_add(1, Ordering::Relaxed);
            }
            CmapEvent::ConnectionCheckedIn(_) => pool.pool.returned(pool.now()),
            _ => {}
        }));
    }

    /// Whether a call would only find out that nobody answers.
    pub fn is_gone(&self) -> bool {
        !self.has_primary.load(Ordering::Relaxed) || self.now() < self.silent_until.load(Ordering::Relaxed)
    }

    /// Somebody has waited for an answer in vain.
    pub fn found_silent(&self) {
        let pause = u64::try_from(PAUSE.as_micros()).unwrap_or(u64::MAX);
        self.silent_until.store(self.now().saturating_add(pause), Ordering::Relaxed);
    }

    /// How long a call that comes now would wait for a connection.
    pub fn expected_wait(&self) -> Duration {
        self.pool.expected_wait(self.now())
    }

    /// Connections in use.
    pub fn connections_in_use(&self) -> usize {
        self.pool.in_use.load(Ordering::Relaxed)
    }

    /// Calls that wait for a connection.
    pub fn waiting(&self) -> usize {
        self.pool.waiting.load(Ordering::Relaxed)
    }

    fn now(&self) -> u64 {
        u64::try_from(self.epoch.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}

impl Pool {
    fn asked(&self, now: u64) {
        if self.waiting.fetch_add(1, Ordering::Relaxed) == 0 {
            self.stirred_at.store(now, Ordering::Relaxed);
        }
    }

    fn returned(&self, now: u64) {
        lower(&self.in_use);
        let before = self.stirred_at.swap(now, Ordering::Relaxed);
        if self.in_use.load(Ordering::Relaxed) + 1 < self.size {
            // Nobody waits while connections are free. Who gave up waiting is not told of, and is forgotten here.
            self.waiting.store(0, Ordering::Relaxed);
            return;
        }
        let (new, old) = (now.saturating_sub(before), self.interval.load(Ordering::Relaxed));
        self.interval.store(old - old / 8 + new / 8, Ordering::Relaxed);
    }

    /// Those who wait get connections as they come back, or as new ones open. Where nothing has come back for a while, all
    /// connections are at work, and can be expected to come back in a row.
    fn expected_wait(&self, now: u64) -> Duration {
        let silence = now.saturating_sub(self.stirred_at.load(Ordering::Relaxed));
        if silence > FORGOTTEN.as_micros() as u64 {
            return Duration::ZERO;
        }
        let interval = self.interval.load(Ordering::Relaxed).max(silence / self.size as u64);
        Duration::from_micros(interval.saturating_mul(self.waiting.load(Ordering::Relaxed) as u64))
    }
}

/// One less, but never less than none.
fn lower(count: &AtomicUsize) {
    let _none_is_left_alone =
        count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| Some(count.saturating_sub(1)));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(in_use: usize, waiting: usize) -> Pool {
        Pool {
            size: 2,
            in_use: AtomicUsize::new(in_use),
            waiting: AtomicUsize::new(waiting),
            stirred_at: AtomicU64::new(0),
            interval: AtomicU64::new(0),
        }
    }

    #[test]
    fn after_a_long_rest_nobody_waits() {
        let pool = pool(0, 0);
        assert_eq!(pool.expected_wait(60_000_000), Duration::ZERO);
        pool.asked(60_000_000);
        assert_eq!(pool.expected_wait(60_002_000), Duration::from_millis(1));
    }

    #[test]
    fn the_wait_grows_with_those_before_and_with_the_silence() {
        let pool = pool(2, 10);
        for now in (1000..100_000).step_by(1000) {
            pool.in_use.store(2, Ordering::Relaxed);
            pool.returned(now);
        }
        pool.in_use.store(2, Ordering::Relaxed);
        let wait = pool.expected_wait(99_500);
        assert!(wait > Duration::from_millis(9) && wait < Duration::from_millis(11), "{wait:?}");
        assert_eq!(pool.expected_wait(2_099_000), Duration::from_secs(10));
        assert_eq!(pool.expected_wait(60_000_000), Duration::ZERO);
    }

    #[test]
    fn who_gave_up_is_forgotten_once_connections_are_free() {
        let pool = pool(1, 7);
        pool.returned(1);
        assert_eq!(pool.waiting.load(Ordering::Relaxed), 0);
    }
}
