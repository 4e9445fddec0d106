//! The rate limits.

use super::reader::Reader;
use crate::values::limits::{Action, Rate};

/// The rate limits of all actions.
#[derive(Debug, Clone)]
pub struct Limits {
    rates: Vec<(Action, Rate)>,
    /// The factor for every count; 0 switches the limits off.
    pub(super) scale: f64,
}

impl Limits {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let rate =
            |action: &Action| (*action, reader.value(action.variable(), action.default_rate(), "a rate such as 20/1h"));
        let rates = Action::ALL.iter().map(rate).collect();
        let scale = reader.parsed("RATE_LIMIT_SCALE", 1.0, "a number from 0 to 1000", |text| {
            text.parse().ok().filter(|scale| (0.0..=1000.0).contains(scale))
        });
        Self { rates, scale }
    }

    /// Returns the rate of an action, or `None` if the limits are switched off.
    pub fn rate(&self, action: Action) -> Option<Rate> {
        self.rates.iter().find(|(limited, _)| *limited == action).and_then(|(_, rate)| rate.scaled(self.scale))
    }
}
