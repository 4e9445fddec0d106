//! What happens on a connection, and for how long it may go on.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use poem::http::Version;

use crate::{config::Bounds, http::patience::Meter};

/// What HTTP/2 begins with (RFC 9113, section 3.4); whoever sends it bit by bit has as long as for any other head.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The state of one connection, told by its socket and its calls, and asked by the task that may close it.
pub struct Pulse {
    opened: Instant,
    bounds: Bounds,
    is_http2: AtomicBool,
    has_received: AtomicBool,
    /// Calls whose answers have not been handed over whole.
    calls: AtomicUsize,
    /// Of those, the ones whose callers keep the server waiting to hand over more.
    untaken: AtomicUsize,
    /// Calls so far.
    served: AtomicUsize,
    /// Milliseconds from the opening to the end of the last call, or to the first byte.
    quiet_since: AtomicU64,
    /// Milliseconds from the opening to the first byte of a head that hasn't ended, and one; 0 where there is none.
    head_since: AtomicU64,
    /// Bytes that were handed over since the last look.
    moved: AtomicUsize,
    taking: Mutex<Meter>,
}

/// What becomes of a connection.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It goes on; to be looked at again after this.
    GoOn(Duration),
    /// Nothing is under way: it may end in an orderly way.
    Finish,
    /// Its caller doesn't keep up.
    Cut,
}

impl Pulse {
    /// A connection that opens at this moment.
    pub fn new(bounds: Bounds) -> Self {
        Self {
            opened: Instant::now(),
            bounds,
            is_http2: AtomicBool::new(false),
            has_received: AtomicBool::new(false),
            calls: AtomicUsize::new(0),
            untaken: AtomicUsize::new(0),
            served: AtomicUsize::new(0),
            quiet_since: AtomicU64::new(0),
            // The first head is waited for from the start.
            head_since: AtomicU64::new(1),
            moved: AtomicUsize::new(0),
            taking: Mutex::new(Meter::new(bounds.patience)),
        }
    }

    /// Bytes have come from the caller.
    pub fn received(&self, bytes: &[u8]) {
        if !self.has_received.swap(true, Ordering::Relaxed) {
            self.is_http2.store(bytes.starts_with(PREFACE), Ordering::Relaxed);
            self.head_since.store(if self.is_http2() { 0 } else { self.now() + 1 }, Ordering::Relaxed);
            return;
        }
        // HTTP/2 has frames of its own between calls, and keeps heads small by itself.
        let is_new_head = !self.is_http2() && self.calls.load(Ordering::Relaxed) == 0;
        if is_new_head && self.head_since.load(Ordering::Relaxed) == 0 {
            self.head_since.store(self.now() + 1, Ordering::Relaxed);
        }
    }

    /// Whether many calls share the connection.
    pub fn is_http2(&self) -> bool {
        self.is_http2.load(Ordering::Relaxed)
    }

    /// Whether there was a call already.
    pub fn has_served(&self) -> bool {
        self.served.load(Ordering::Relaxed) > 0
    }

    /// The head of a request is complete.
    pub fn called(&self, version: Version) {
        if version == Version::HTTP_2 {
            self.is_http2.store(true, Ordering::Relaxed);
        }
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.served.fetch_add(1, Ordering::Relaxed);
        self.head_since.store(0, Ordering::Relaxed);
    }

    /// The answer was handed over whole, or nobody waits for it.
    pub fn done(&self) {
        self.quiet_since.store(self.now(), Ordering::Relaxed);
        self.calls.fetch_sub(1, Ordering::Relaxed);
    }

    /// So many bytes of an answer wait to be taken.
    pub fn offered(&self, bytes: usize) {
        self.moved.fetch_add(bytes, Ordering::Relaxed);
        self.untaken.fetch_add(1, Ordering::Relaxed);
    }

    /// What was offered is taken.
    pub fn taken(&self) {
        self.untaken.fetch_sub(1, Ordering::Relaxed);
    }

    /// What is to become of the connection.
    pub fn verdict(&self) -> Verdict {
        let tick = (self.bounds.header_time.min(self.bounds.patience.limit).min(self.bounds.idle_time) / 5)
            .max(Duration::from_millis(10));
        if self.calls.load(Ordering::Relaxed) > 0 {
            return if self.is_stalled() { Verdict::Cut } else { Verdict::GoOn(tick) };
        }
        *self.taking() = Meter::new(self.bounds.patience);
        let head_since = self.head_since.load(Ordering::Relaxed);
        if head_since > 0 && self.since(head_since - 1) >= self.bounds.header_time {
            return Verdict::Cut;
        }
        if self.since(self.quiet_since.load(Ordering::Relaxed)) >= self.bounds.idle_time {
            return Verdict::Finish;
        }
        Verdict::GoOn(tick)
    }

    /// Whether nobody takes the answers that are offered.
    fn is_stalled(&self) -> bool {
        let now = Instant::now();
        let mut taking = self.taking();
        taking.moved(self.moved.swap(0, Ordering::Relaxed), now);
        if self.untaken.load(Ordering::Relaxed) > 0 {
            taking.waiting(now);
        }
        taking.is_used_up(now)
    }

    fn taking(&self) -> MutexGuard<'_, Meter> {
        self.taking.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> u64 {
        u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX - 1)
    }

    fn since(&self, millis: u64) -> Duration {
        Duration::from_millis(self.now().saturating_sub(millis))
    }
}
