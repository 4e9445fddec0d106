//! The discount of a product at a moment. It depends on whether the product's offer is running.

use serde::{Deserialize, Serialize};

use super::names::Description;
use crate::values::{money::Percent, time::Timestamp};

/// The last second of the year 9999, in Unix seconds.
const LAST_SECOND: i64 = 253_402_300_799;

/// A discount that applies from one second to another, both included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// The share of the price that is taken off.
    pub discount: Percent,
    /// The first second in which the offer runs, in Unix seconds.
    pub from: i64,
    /// The last second in which the offer runs, in Unix seconds.
    pub to: i64,
    /// A text that is shown with the offer: 1 to 5,000 characters.
    pub description: String,
}

/// Why values do not make an offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidOffer {
    /// The discount is not a number from 0 to 100 with at most two decimals.
    #[error("discount must be between 0 and 100 with at most two decimals")]
    Discount,
    /// `from` or `to` is missing, lies before 1970 or lies after the year 9999.
    #[error("'from' and 'to' inside validity must be integers (timestamps)")]
    Seconds,
    /// It would end before it begins.
    #[error("'from' inside validity must not be after 'to'")]
    Reversed,
    /// The description is empty or too long.
    #[error("invalid offer description")]
    Description,
}

impl Offer {
    /// Makes an offer from its parts. The description must be trimmed already.
    pub fn check(
        discount: &str,
        from: Option<i64>,
        to: Option<i64>,
        description: String,
    ) -> Result<Self, InvalidOffer> {
        let valid_second =
            |at: Option<i64>| at.filter(|at| (0..=LAST_SECOND).contains(at)).ok_or(InvalidOffer::Seconds);
        let (from, to) = (valid_second(from)?, valid_second(to)?);
        if from > to {
            return Err(InvalidOffer::Reversed);
        }
        if Description::parse(&description).is_none() {
            return Err(InvalidOffer::Description);
        }
        Ok(Self { discount: discount.parse().map_err(|_| InvalidOffer::Discount)?, from, to, description })
    }

    /// Returns whether the offer runs at `now`. It still does during its whole last second.
    pub fn runs_at(&self, now: Timestamp) -> bool {
        (self.from..=self.to).contains(&now.seconds())
    }
}

/// Returns the discount at `now`; zero without an offer and while the offer does not run.
pub fn discount_at(offer: Option<&Offer>, now: Timestamp) -> Percent {
    offer.filter(|offer| offer.runs_at(now)).map_or(Percent::default(), |offer| offer.discount)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offer_runs_from_its_first_to_its_last_second() {
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
