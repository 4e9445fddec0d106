//! What a product costs now: its price, less the offer that counts at this moment.

use serde::{Deserialize, Serialize};

use super::names::Description;
use crate::values::{money::Percent, time::Timestamp};

/// The last second of the year 9999.
const LAST_SECOND: i64 = 253_402_300_799;

/// A discount between two instants, both included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// Taken off the price.
    pub discount: Percent,
    /// First second at which the offer counts, in Unix seconds.
    pub from: i64,
    /// Last second at which the offer counts, in Unix seconds.
    pub to: i64,
    /// Shown with the offer.
    pub description: String,
}

/// Why something is no offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidOffer {
    /// The text of the percentage.
    #[error("discount must be between 0 and 100 with at most two decimals")]
    Discount,
    /// One of the instants is missing, or before 1970, or after the year 9999.
    #[error("'from' and 'to' inside validity must be integers (timestamps)")]
    Seconds,
    /// It would end before it begins.
    #[error("'from' inside validity must not be after 'to'")]
    Reversed,
    /// Empty or too long.
    #[error("invalid offer description")]
    Description,
}

impl Offer {
    /// An offer of these parts; the description is trimmed already.
    pub fn check(
        discount: &str,
        from: Option<i64>,
        to: Option<i64>,
        description: String,
    ) -> Result<Self, InvalidOffer> {
        let second = |at: Option<i64>| at.filter(|at| (0..=LAST_SECOND).contains(at)).ok_or(InvalidOffer::Seconds);
        let (from, to) = (second(from)?, second(to)?);
        if from > to {
            return Err(InvalidOffer::Reversed);
        }
        if Description::parse(&description).is_none() {
            return Err(InvalidOffer::Description);
        }
        Ok(Self { discount: discount.parse().map_err(|_| InvalidOffer::Discount)?, from, to, description })
    }

    /// Whether the offer counts at `now`.
    pub fn counts_at(&self, now: Timestamp) -> bool {
        (self.from..=self.to).contains(&now.seconds())
    }
}

/// The discount that counts at `now`; zero without an offer.
pub fn discount_at(offer: Option<&Offer>, now: Timestamp) -> Percent {
    offer.filter(|offer| offer.counts_at(now)).map_or(Percent::default(), |offer| offer.discount)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offer_counts_from_its_first_to_its_last_second() {
        let ten = Percent::from_hundredths(1000).expect("percent");
        let offer = Offer { discount: ten, from: 100, to: 200, description: String::new() };
        let at = |millis| discount_at(Some(&offer), Timestamp::from_millis(millis));
        assert_eq!(at(99_999), Percent::default());
        assert_eq!(at(100_000), ten);
        assert_eq!(at(200_999), ten);
        assert_eq!(at(201_000), Percent::default());
        assert_eq!(discount_at(None, Timestamp::from_millis(150_000)), Percent::default());
    }
}
