//! Pauses between attempts at something that fails again and again.

use std::time::Duration;

/// Pauses that double after each failure until they reach a limit.
///
/// With a first pause of 5 s and a longest one of 30 s, the pauses are 5, 10, 20, 30, 30 … seconds.
#[derive(Debug, Clone, Copy)]
pub struct Backoff {
    /// The pause after the first failure.
    pub first: Duration,
    /// The longest pause.
    pub longest: Duration,
}

impl Backoff {
    /// Returns the pause after this number of failures in a row.
    pub fn pause_after(self, failures: u32) -> Duration {
        let doublings = failures.saturating_sub(1);
        self.first.saturating_mul(2_u32.saturating_pow(doublings)).min(self.longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let backoff = Backoff { first: Duration::from_secs(5), longest: Duration::from_secs(30 * 60) };
        let pauses = [1, 2, 3, 9, 10, u32::MAX].map(|failures| backoff.pause_after(failures).as_secs());
        assert_eq!(pauses, [5, 10, 20, 1280, 1800, 1800]);
    }
}
