//! The activity of a connection, and the decision whether the connection may stay open.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use poem::http::Version;

use crate::{config::Bounds, http::patience::Meter};

/// The first bytes of an HTTP/2 connection (RFC 9113, section 3.4). A caller that sends them in several parts has as
/// much time as for a head of HTTP/1.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The activity of one connection. The socket and the calls report to it. The task of the connection asks it whether to
/// close the connection.
pub struct Pulse {
    opened: Instant,
    bounds: Bounds,
    is_http2: AtomicBool,
    has_received: AtomicBool,
    /// The number of calls whose answers have not been handed over completely.
    calls: AtomicUsize,
    /// How many of these calls wait for their caller to take a piece of the answer.
    untaken: AtomicUsize,
    /// The number of calls so far, including those in progress.
    served: AtomicUsize,
    /// Milliseconds from the opening to the end of the last call; 0 before the first call has ended.
    quiet_since: AtomicU64,
    /// Milliseconds from the opening to the first byte of an incomplete head, plus 1; 0 if no head is incomplete.
    head_since: AtomicU64,
    /// Bytes of answers that were handed over since the last call of [`Pulse::verdict`].
    moved: AtomicUsize,
    /// The time for which the caller may still stall while it takes answers.
    taking: Mutex<Meter>,
}

/// The decision about a connection.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The connection stays open. Ask again after this time.
    GoOn(Duration),
    /// The connection has been idle for too long and should be closed in an orderly way.
    Finish,
    /// The caller is too slow, so the connection must be cut off.
    Cut,
}

impl Pulse {
    /// Creates the state of a connection that has just been opened.
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
            // The time for the first head starts now.
            head_since: AtomicU64::new(1),
            moved: AtomicUsize::new(0),
            taking: Mutex::new(Meter::new(bounds.patience)),
        }
    }

    /// Notes that bytes have arrived from the caller.
    pub fn received(&self, bytes: &[u8]) {
        if !self.has_received.swap(true, Ordering::Relaxed) {
            self.is_http2.store(bytes.starts_with(PREFACE), Ordering::Relaxed);
            self.head_since.store(if self.is_http2() { 0 } else { self.now() + 1 }, Ordering::Relaxed);
            return;
        }
        // In HTTP/2, bytes between calls need not be a head: they may be other frames. hyper limits its heads.
        let is_new_head = !self.is_http2() && self.calls.load(Ordering::Relaxed) == 0;
        if is_new_head && self.head_since.load(Ordering::Relaxed) == 0 {
            self.head_since.store(self.now() + 1, Ordering::Relaxed);
        }
    }

    /// Returns whether the connection uses HTTP/2, so that many calls can share it.
    pub fn is_http2(&self) -> bool {
        self.is_http2.load(Ordering::Relaxed)
    }

    /// Returns whether the connection has had a call, which may still be in progress.
    pub fn has_served(&self) -> bool {
        self.served.load(Ordering::Relaxed) > 0
    }

    /// Notes that the head of a request is complete.
    pub fn called(&self, version: Version) {
        if version == Version::HTTP_2 {
            self.is_http2.store(true, Ordering::Relaxed);
        }
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.served.fetch_add(1, Ordering::Relaxed);
        self.head_since.store(0, Ordering::Relaxed);
    }

    /// Notes that an answer was handed over completely, or that its caller has left.
    pub fn done(&self) {
        self.quiet_since.store(self.now(), Ordering::Relaxed);
        self.calls.fetch_sub(1, Ordering::Relaxed);
    }

    /// Notes that `bytes` of an answer are ready and the caller must take them.
    pub fn offered(&self, bytes: usize) {
        self.moved.fetch_add(bytes, Ordering::Relaxed);
        self.untaken.fetch_add(1, Ordering::Relaxed);
    }

    /// Notes that the caller has taken what was offered.
    pub fn taken(&self) {
        self.untaken.fetch_sub(1, Ordering::Relaxed);
    }

    /// Decides what to do with the connection.
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

    /// Returns whether the caller has stalled for too long while it takes answers.
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
