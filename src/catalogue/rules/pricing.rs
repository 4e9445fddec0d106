//! What a product costs at a moment. That depends on whether its offer is running.

use serde::{Deserialize, Serialize};

use super::names::Description;
use crate::values::{
    money::{Money, Percent},
    time::Timestamp,
};

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

/// What a product costs at a moment, and until when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PriceNow {
    /// The discount that applies; zero while no offer runs.
    pub discount: Percent,
    /// The price of one piece with the discount.
    pub unit_price: Money,
    /// The instant at which the offer begins or ends; `None` without one that is still to begin or to end. Before this
    /// instant, only a change of the product changes the price.
    pub until: Option<Timestamp>,
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

    /// Returns the instant after `now` at which the offer begins or ends; `None` if it has ended already, or ends only
    /// with the year 9999, because no later instant can be written.
    fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        let second = if now.seconds() < self.from { self.from } else { self.to.saturating_add(1) };
        let is_to_come = now.seconds() < second && second <= LAST_SECOND;
        is_to_come.then(|| Timestamp::from_millis(second * 1000))
    }
}

impl PriceNow {
    /// Returns what a product with this price and this offer costs at `now`.
    pub fn of(price: Money, offer: Option<&Offer>, now: Timestamp) -> Self {
        let running = offer.filter(|offer| offer.runs_at(now));
        let discount = running.map_or(Percent::default(), |offer| offer.discount);
        Self { discount, unit_price: price.less(discount), until: offer.and_then(|offer| offer.next_change(now)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offer_runs_from_its_first_to_its_last_second() {
        let ten = Percent::from_hundredths(1000).expect("percent");
        let offer = Offer { discount: ten, from: 100, to: 200, description: String::new() };
        let at = |millis| {
            let price = PriceNow::of(Money::from_minor(2_000), Some(&offer), Timestamp::from_millis(millis));
            (price.discount == ten, price.unit_price.minor(), price.until.map(Timestamp::millis))
        };
        assert_eq!(at(0), (false, 2_000, Some(100_000)));
        assert_eq!(at(99_999), (false, 2_000, Some(100_000)));
        assert_eq!(at(100_000), (true, 1_800, Some(201_000)));
        assert_eq!(at(200_999), (true, 1_800, Some(201_000)));
        assert_eq!(at(201_000), (false, 2_000, None));
        let without = PriceNow::of(Money::from_minor(2_000), None, Timestamp::from_millis(150_000));
        assert_eq!((without.unit_price.minor(), without.until), (2_000, None));
    }

    #[test]
    fn a_price_is_the_same_until_the_instant_that_it_names() {
        let discount = Percent::from_hundredths(1250).expect("percent");
        for (from, to) in [(0, 0), (5, 5), (5, 9), (0, 12), (7, LAST_SECOND), (LAST_SECOND, LAST_SECOND)] {
            let offer = Offer { discount, from, to, description: String::new() };
            let at = |millis| PriceNow::of(Money::from_minor(999), Some(&offer), Timestamp::from_millis(millis));
            for now in (0..14_000).step_by(250) {
                let price = at(now);
                let later = (now..15_000).step_by(250).find(|later| at(*later).unit_price != price.unit_price);
                let until = price.until.map(Timestamp::millis).filter(|until| *until < 15_000);
                assert_eq!(later, until, "{from}..={to} at {now}");
            }
        }
        let endless = Offer { discount, from: 0, to: LAST_SECOND, description: String::new() };
        assert_eq!(PriceNow::of(Money::from_minor(1), Some(&endless), Timestamp::from_millis(1)).until, None);
    }
}
