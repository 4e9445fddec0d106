//! What a product costs now: its price, less the offer that counts at this moment.

use serde::{Deserialize, Serialize};

use super::{money::Percent, time::Timestamp};

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

impl Offer {
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
