//! How long the other side of a connection may keep the server waiting.

use std::time::{Duration, Instant};

use crate::config::Patience;

/// Time that is left for stalls. Waiting uses it up, each byte that moves gives some back, and there is never more than
/// the limit: neither silence nor a byte now and then keeps anything open.
#[derive(Debug)]
pub struct Meter {
    patience: Patience,
    left: Duration,
    waiting_since: Option<Instant>,
}

impl Meter {
    /// All of it is left.
    pub fn new(patience: Patience) -> Self {
        Self { patience, left: patience.limit, waiting_since: None }
    }

    /// The other side is waited for; tells for how long it can be.
    pub fn waiting(&mut self, now: Instant) -> Instant {
        *self.waiting_since.get_or_insert(now) + self.left
    }

    /// So many bytes have come, or gone.
    pub fn moved(&mut self, bytes: usize, now: Instant) {
        if let Some(since) = self.waiting_since.take() {
            self.left = self.left.saturating_sub(now.saturating_duration_since(since));
        }
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let earned = Duration::from_secs_f64(f64::from(bytes) / f64::from(self.patience.rate));
        self.left = self.left.saturating_add(earned).min(self.patience.limit);
    }

    /// Whether nothing is left.
    pub fn is_used_up(&self, now: Instant) -> bool {
        let waited = self.waiting_since.map_or(Duration::ZERO, |since| now.saturating_duration_since(since));
        waited >= self.left
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn meter() -> Meter {
        Meter::new(Patience { limit: 20 * SECOND, rate: 1024 })
    }

    #[test]
    fn silence_ends_at_the_limit() {
        let (mut meter, start) = (meter(), Instant::now());
        assert_eq!(meter.waiting(start), start + 20 * SECOND);
        assert!(!meter.is_used_up(start + 19 * SECOND));
        assert!(meter.is_used_up(start + 20 * SECOND));
    }

    #[test]
    fn a_byte_now_and_then_ends_too() {
        let (mut meter, mut now) = (meter(), Instant::now());
        for _ in 0..4 {
            meter.waiting(now);
            now += 5 * SECOND;
            meter.moved(1, now);
        }
        meter.waiting(now);
        assert!(meter.is_used_up(now + SECOND));
    }

    #[test]
    fn a_slow_line_goes_on_and_a_fast_start_earns_no_long_stall() {
        let (mut meter, mut now) = (meter(), Instant::now());
        for _ in 0..1000 {
            meter.waiting(now);
            now += SECOND;
            meter.moved(1100, now);
        }
        meter.moved(100 * 1024 * 1024, now);
        meter.waiting(now);
        assert!(!meter.is_used_up(now + 19 * SECOND) && meter.is_used_up(now + 20 * SECOND));
    }
}
