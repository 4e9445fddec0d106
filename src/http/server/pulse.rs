//! The activity of a connection, and the decision whether the connection may stay open.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use poem::http::Version;

use crate::{config::Bounds, http::patience::StallMeter};

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
    /// Whether the connection has had a call, which may still be in progress.
    has_served: AtomicBool,
    /// The number of calls whose answers have not been handed over completely.
    calls_in_progress: AtomicUsize,
    /// How many of these calls wait for their caller to take a piece of the answer.
    pieces_to_take: AtomicUsize,
    /// Milliseconds from the opening to the end of the last call; 0 before the first call has ended.
    last_call_ended_at: AtomicU64,
    /// The first byte of a head that is incomplete.
    head_begun_at: OptionalMoment,
    /// Bytes of answers that were handed over since the last call of [`Pulse::verdict`].
    bytes_offered: AtomicUsize,
    /// The time for which the caller may still stall while it takes answers.
    stall_meter: Mutex<StallMeter>,
}

/// A moment in milliseconds since the opening of the connection, or none. The number is stored plus 1, and none as 0.
struct OptionalMoment(AtomicU64);

impl OptionalMoment {
    fn at(millis: u64) -> Self {
        Self(AtomicU64::new(millis + 1))
    }

    fn set(&self, millis: u64) {
        self.0.store(millis + 1, Ordering::Relaxed);
    }

    fn clear(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    fn get(&self) -> Option<u64> {
        self.0.load(Ordering::Relaxed).checked_sub(1)
    }
}

/// The decision about a connection.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The connection stays open. Ask again after this time.
    KeepOpen(Duration),
    /// The connection has been idle for too long and should be closed in an orderly way.
    Close,
    /// The caller is too slow, so the connection must be cut off.
    CutOff,
}

impl Pulse {
    /// Creates the state of a connection that has just been opened.
    pub fn new(bounds: Bounds) -> Self {
        Self {
            opened: Instant::now(),
            bounds,
            is_http2: AtomicBool::new(false),
            has_received: AtomicBool::new(false),
            has_served: AtomicBool::new(false),
            calls_in_progress: AtomicUsize::new(0),
            pieces_to_take: AtomicUsize::new(0),
            last_call_ended_at: AtomicU64::new(0),
            // The time for the first head starts now.
            head_begun_at: OptionalMoment::at(0),
            bytes_offered: AtomicUsize::new(0),
            stall_meter: Mutex::new(StallMeter::new(bounds.patience)),
        }
    }

    /// Notes that bytes have arrived from the caller.
    pub fn bytes_received(&self, bytes: &[u8]) {
        if !self.has_received.swap(true, Ordering::Relaxed) {
            let is_http2 = bytes.starts_with(PREFACE);
            self.is_http2.store(is_http2, Ordering::Relaxed);
            match is_http2 {
                true => self.head_begun_at.clear(),
                false => self.head_begun_at.set(self.millis_since_opening()),
            }
            return;
        }
        // In HTTP/2, bytes between calls need not be a head: they may be other frames. hyper limits its heads.
        let may_be_head = !self.is_http2() && self.calls_in_progress.load(Ordering::Relaxed) == 0;
        if may_be_head && self.head_begun_at.get().is_none() {
            self.head_begun_at.set(self.millis_since_opening());
        }
    }

    /// Returns whether the connection uses HTTP/2, so that many calls can share it.
    pub fn is_http2(&self) -> bool {
        self.is_http2.load(Ordering::Relaxed)
    }

    /// Returns whether the connection has had a call, which may still be in progress.
    pub fn has_served(&self) -> bool {
        self.has_served.load(Ordering::Relaxed)
    }

    /// Notes that the head of a request is complete.
    pub fn call_started(&self, version: Version) {
        if version == Version::HTTP_2 {
            self.is_http2.store(true, Ordering::Relaxed);
        }
        self.calls_in_progress.fetch_add(1, Ordering::Relaxed);
        self.has_served.store(true, Ordering::Relaxed);
        self.head_begun_at.clear();
    }

    /// Notes that an answer was handed over completely, or that its caller has left.
    pub fn call_ended(&self) {
        self.last_call_ended_at.store(self.millis_since_opening(), Ordering::Relaxed);
        self.calls_in_progress.fetch_sub(1, Ordering::Relaxed);
    }

    /// Notes that `bytes` of an answer are ready and the caller must take them.
    pub fn piece_offered(&self, bytes: usize) {
        self.bytes_offered.fetch_add(bytes, Ordering::Relaxed);
        self.pieces_to_take.fetch_add(1, Ordering::Relaxed);
    }

    /// Notes that the caller has taken the piece that was offered.
    pub fn piece_taken(&self) {
        self.pieces_to_take.fetch_sub(1, Ordering::Relaxed);
    }

    /// Decides what to do with the connection.
    pub fn verdict(&self) -> Verdict {
        let bounds = &self.bounds;
        let shortest_limit = bounds.header_time.min(bounds.patience.limit).min(bounds.idle_time);
        let check_again_after = (shortest_limit / 5).max(Duration::from_millis(10));
        if self.calls_in_progress.load(Ordering::Relaxed) > 0 {
            return if self.is_stalled() { Verdict::CutOff } else { Verdict::KeepOpen(check_again_after) };
        }
        *self.lock_stall_meter() = StallMeter::new(bounds.patience);
        if self.head_begun_at.get().is_some_and(|begun_at| self.elapsed_since(begun_at) >= bounds.header_time) {
            return Verdict::CutOff;
        }
        if self.elapsed_since(self.last_call_ended_at.load(Ordering::Relaxed)) >= bounds.idle_time {
            return Verdict::Close;
        }
        Verdict::KeepOpen(check_again_after)
    }

    /// Returns whether the caller has stalled for too long while it takes answers.
    fn is_stalled(&self) -> bool {
        let now = Instant::now();
        let mut meter = self.lock_stall_meter();
        meter.record_transfer(self.bytes_offered.swap(0, Ordering::Relaxed), now);
        if self.pieces_to_take.load(Ordering::Relaxed) > 0 {
            meter.start_waiting(now);
        }
        meter.is_used_up(now)
    }

    fn lock_stall_meter(&self) -> MutexGuard<'_, StallMeter> {
        self.stall_meter.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn millis_since_opening(&self) -> u64 {
        u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX - 1)
    }

    fn elapsed_since(&self, millis: u64) -> Duration {
        Duration::from_millis(self.millis_since_opening().saturating_sub(millis))
    }
}
