//! The time for which the other side of a connection may keep the server waiting.

use std::time::{Duration, Instant};

use crate::config::Patience;

/// The time for which the other side may still stall.
///
/// Waiting uses the time up. Each byte that moves gives some of it back: one second for as many bytes as the rate says.
/// There is never more time than the limit. With a limit of 20 s and a rate of 1024 bytes per second:
///
/// | event                             | time left                |
/// |-----------------------------------|--------------------------|
/// | start                             | 20 s                     |
/// | 5 s of waiting, then 2048 bytes   | 20 s - 5 s + 2 s = 17 s  |
/// | 5 s of waiting, then 1 byte       | about 12 s               |
/// | 12 s of waiting                   | 0 s: the caller is cut   |
///
/// So neither silence nor a byte now and then keeps a connection open, but a slow and steady caller may go on.
#[derive(Debug)]
pub struct StallMeter {
    patience: Patience,
    time_left: Duration,
    waiting_since: Option<Instant>,
}

impl StallMeter {
    /// Creates a meter with all of the time left.
    pub fn new(patience: Patience) -> Self {
        Self { patience, time_left: patience.limit, waiting_since: None }
    }

    /// Starts waiting for the other side, or goes on waiting. Returns the moment at which the time will be used up.
    pub fn start_waiting(&mut self, now: Instant) -> Instant {
        *self.waiting_since.get_or_insert(now) + self.time_left
    }

    /// Ends the waiting, if any, because `bytes` were received or sent.
    pub fn record_transfer(&mut self, bytes: usize, now: Instant) {
        if let Some(since) = self.waiting_since.take() {
            self.time_left = self.time_left.saturating_sub(now.saturating_duration_since(since));
        }
        let byte_count = u32::try_from(bytes).unwrap_or(u32::MAX);
        let earned = Duration::from_secs_f64(f64::from(byte_count) / f64::from(self.patience.rate));
        self.time_left = self.time_left.saturating_add(earned).min(self.patience.limit);
    }

    /// Returns whether the time is used up.
    pub fn is_used_up(&self, now: Instant) -> bool {
        let waited = self.waiting_since.map_or(Duration::ZERO, |since| now.saturating_duration_since(since));
        waited >= self.time_left
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn meter() -> StallMeter {
        StallMeter::new(Patience { limit: 20 * SECOND, rate: 1024 })
    }

    #[test]
    fn silence_ends_at_the_limit() {
        let (mut meter, start) = (meter(), Instant::now());
        assert_eq!(meter.start_waiting(start), start + 20 * SECOND);
        assert!(!meter.is_used_up(start + 19 * SECOND));
        assert!(meter.is_used_up(start + 20 * SECOND));
    }

    #[test]
    fn a_byte_now_and_then_ends_too() {
        let (mut meter, mut now) = (meter(), Instant::now());
        for _ in 0..4 {
            meter.start_waiting(now);
            now += 5 * SECOND;
            meter.record_transfer(1, now);
        }
        meter.start_waiting(now);
        assert!(meter.is_used_up(now + SECOND));
    }

    #[test]
    fn a_slow_line_goes_on_and_a_fast_start_earns_no_long_stall() {
        let (mut meter, mut now) = (meter(), Instant::now());
        for _ in 0..1000 {
            meter.start_waiting(now);
            now += SECOND;
            meter.record_transfer(1100, now);
        }
        meter.record_transfer(100 * 1024 * 1024, now);
        meter.start_waiting(now);
        assert!(!meter.is_used_up(now + 19 * SECOND) && meter.is_used_up(now + 20 * SECOND));
    }
}
