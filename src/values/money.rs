//! Money and percentages as integers, in hundredths. An amount is rounded in one place only,
//! `Money::share`.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// An amount of money in hundredths of the shop's currency, which are paise for INR. An amount that was parsed is never
/// negative.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Money(i64);

/// A percentage from 0 to 100, in hundredths of a percent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Percent(i32);

/// A percentage by which an amount is raised, or lowered if it is negative, in hundredths of a percent: from -100 to
/// 1,000 %.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PercentShift(i32);

/// The error for a text that isn't a plain decimal number with at most two decimals, or that is out of range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a decimal number with at most two decimals")]
pub struct InvalidDecimal;

impl Money {
    /// The highest price of a product: 10,000,000.00.
    pub const MAX_PRICE: Money = Money(1_000_000_000);

    /// Creates an amount from hundredths.
    pub const fn from_minor(minor: i64) -> Self {
        Self(minor)
    }

    /// Returns the amount in hundredths.
    pub const fn minor(self) -> i64 {
        self.0
    }

    /// Returns the amount for `count` pieces. An amount too large for an `i64` becomes the largest one.
    pub fn times(self, count: u32) -> Self {
        Self(self.0.saturating_mul(i64::from(count)))
    }

    /// Returns this amount less a discount, rounded half up to hundredths: 1.01 less 50 % is 0.51.
    pub fn less(self, discount: Percent) -> Self {
        self.share(Percent::WHOLE - discount.0)
    }

    /// Returns this amount raised or lowered by a percentage, rounded half up to hundredths: 0.99 and 50 % are 1.49.
    pub fn shifted(self, shift: PercentShift) -> Self {
        self.share(Percent::WHOLE + shift.0)
    }

    /// Returns a share of this amount, which is given in hundredths of a percent, rounded half up to hundredths.
    fn share(self, hundredths: i32) -> Self {
        let exact = i128::from(self.0) * i128::from(hundredths);
        let whole = i128::from(Percent::WHOLE);
        let rounded = (exact + whole / 2).div_euclid(whole);
        Self(i64::try_from(rounded).unwrap_or(i64::MAX))
    }
}

impl Percent {
    const WHOLE: i32 = 10_000;

    /// Creates a percentage from hundredths of a percent; returns `None` outside 0 to 100 %.
    pub fn from_hundredths(hundredths: i32) -> Option<Self> {
        (0..=Self::WHOLE).contains(&hundredths).then_some(Self(hundredths))
    }

    /// Returns the percentage in hundredths of a percent.
    pub const fn hundredths(self) -> i32 {
        self.0
    }
}

impl std::iter::Sum for Money {
    fn sum<I: Iterator<Item = Money>>(amounts: I) -> Money {
        amounts.fold(Money(0), |sum, amount| Money(sum.0.saturating_add(amount.0)))
    }
}

impl FromStr for Money {
    type Err = InvalidDecimal;

    fn from_str(text: &str) -> Result<Self, InvalidDecimal> {
        hundredths(text).map(Money).ok_or(InvalidDecimal)
    }
}

impl FromStr for Percent {
    type Err = InvalidDecimal;

    fn from_str(text: &str) -> Result<Self, InvalidDecimal> {
        let number = hundredths(text).and_then(|number| i32::try_from(number).ok());
        number.and_then(Percent::from_hundredths).ok_or(InvalidDecimal)
    }
}

impl FromStr for PercentShift {
    type Err = InvalidDecimal;

    /// Reads "10", "+10" or "-12.5".
    fn from_str(text: &str) -> Result<Self, InvalidDecimal> {
        let (sign, amount) = match text.strip_prefix('-') {
            Some(amount) => (-1, amount),
            None => (1, text.strip_prefix('+').unwrap_or(text)),
        };
        let shift = hundredths(amount).and_then(|number| i32::try_from(number).ok()).map(|number| sign * number);
        shift.filter(|shift| (-Percent::WHOLE..=10 * Percent::WHOLE).contains(shift)).map(Self).ok_or(InvalidDecimal)
    }
}

/// Reads "12", "12.5" or "12.50" as hundredths. After the second decimal, only zeros are allowed.
fn hundredths(text: &str) -> Option<i64> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !all_digits(whole) || !all_digits(decimals) {
        return None;
    }
    let (kept, beyond) = decimals.split_at(decimals.len().min(2));
    if beyond.bytes().any(|b| b != b'0') {
        return None;
    }
    let cents: i64 = format!("{kept:0<2}").parse().ok()?;
    whole.parse::<i64>().ok()?.checked_mul(100)?.checked_add(cents)
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02}", self.0 / 100, self.0 % 100)
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02}", self.0 / 100, self.0 % 100)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_two_decimals_exactly() {
        for (text, minor) in [("0", 0), ("19.99", 1999), ("5.5", 550), ("10000000", 1_000_000_000), ("1.1000", 110)] {
            assert_eq!(text.parse(), Ok(Money(minor)), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_amount() {
        for text in ["", ".", "1.", ".5", "-1", "+1", "1.001", "1e3", "NaN", "inf", "1,5", "٣", "99999999999999999999"]
        {
            assert_eq!(text.parse::<Money>(), Err(InvalidDecimal), "{text}");
        }
        for text in ["100.01", "150", "-5"] {
            assert_eq!(text.parse::<Percent>(), Err(InvalidDecimal), "{text}");
        }
    }

    #[test]
    fn rounds_half_up_to_the_minor_unit() {
        let half: Percent = "50".parse().expect("percent");
        assert_eq!(Money(101).less(half), Money(51));
        let third: Percent = "33.33".parse().expect("percent");
        assert_eq!(Money(10_000).less(third), Money(6_667));
        assert_eq!(Money(999).less(Percent(0)), Money(999));
        assert_eq!(Money(999).less(Percent(10_000)), Money(0));
    }

    #[test]
    fn a_shift_has_a_sign_and_rounds_alike() {
        let shifted = |minor, text: &str| Money(minor).shifted(text.parse().expect(text)).minor();
        for (minor, text, expected) in [
            (999, "10", 1_099),
            (999, "+10.00", 1_099),
            (99, "50", 149),
            (101, "-50", 51),
            (10_000, "-33.33", 6_667),
            (123, "0", 123),
            (123, "-100", 0),
            (123, "1000", 1_353),
            (1_000_000_000, "1000", 11_000_000_000),
        ] {
            assert_eq!(shifted(minor, text), expected, "{minor} {text}");
        }
        for text in ["", "-", "+-5", "--5", "1.001", "-100.01", "1000.01", "1e2", "ten", "99999999999"] {
            assert_eq!(text.parse::<PercentShift>(), Err(InvalidDecimal), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_shift_down_is_a_discount(minor in 0..=1_000_000_000_i64, hundredths in 0..=10_000_i32) {
            let shift = format!("-{}.{:02}", hundredths / 100, hundredths % 100).parse().expect("a shift");
            let discount = Percent::from_hundredths(hundredths).expect("a percentage");
            prop_assert_eq!(Money(minor).shifted(shift), Money(minor).less(discount));
        }

        #[test]
        fn text_and_amount_are_each_other_s_inverse(minor in 0..=1_000_000_000_i64) {
            prop_assert_eq!(Money(minor).to_string().parse(), Ok(Money(minor)));
        }

        #[test]
        fn a_discount_is_within_half_a_unit_of_the_exact_one(minor in 0..=1_000_000_000_i64, hundredths in 0..=10_000_i32) {
            let price = Money(minor).less(Percent(hundredths)).minor();
            let exact_times_10_000 = i128::from(minor) * i128::from(10_000 - hundredths);
            let error = i128::from(price) * 10_000 - exact_times_10_000;
            prop_assert!((-4_999..=5_000).contains(&error));
        }
    }
}
