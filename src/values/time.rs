//! Instants in whole milliseconds since 1970, which is the precision of MongoDB.

use std::{fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Serialize};
use time::{
    Date, OffsetDateTime,
    format_description::{BorrowedFormatItem, well_known::Rfc3339},
    macros::format_description,
};

/// The format in which instants are written: RFC 3339 in UTC, always with three digits of milliseconds.
const RFC_3339_MILLIS: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");

/// The format of a date.
const DAY: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]");
/// The length of a day in UTC.
const DAY_LENGTH: Duration = Duration::from_secs(24 * 60 * 60);

/// An instant in milliseconds since the Unix epoch. It is stored as a BSON date.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(bson::DateTime);

impl Timestamp {
    /// Creates an instant from milliseconds since the epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(bson::DateTime::from_millis(millis))
    }

    /// Reads the beginning of a span: an instant, or a date such as `2023-11-14`, which begins at midnight UTC.
    pub fn parse_from(text: &str) -> Result<Self, InvalidInstant> {
        midnight(text).map_or_else(|| text.parse(), Ok)
    }

    /// Works like [`Timestamp::parse_from`] for the parameter of a query, in which a `+` before an offset has become a
    /// space, unless the caller has escaped it.
    pub fn parse_from_query(text: &str) -> Result<Self, InvalidInstant> {
        Self::parse_from(&text.replace(' ', "+"))
    }

    /// Works like [`Timestamp::parse_to`] for the parameter of a query, see [`Timestamp::parse_from_query`].
    pub fn parse_to_query(text: &str) -> Result<Self, InvalidInstant> {
        Self::parse_to(&text.replace(' ', "+"))
    }

    /// Reads the end of a span: an instant, or a date, which ends with its last millisecond in UTC.
    pub fn parse_to(text: &str) -> Result<Self, InvalidInstant> {
        let last = |begin: Self| begin.after(DAY_LENGTH).before(Duration::from_millis(1));
        midnight(text).map_or_else(|| text.parse(), |begin| Ok(last(begin)))
    }

    /// Returns the milliseconds since the epoch.
    pub fn millis(self) -> i64 {
        self.0.timestamp_millis()
    }

    /// Returns the whole seconds since the epoch, rounded down.
    pub fn seconds(self) -> i64 {
        self.millis().div_euclid(1000)
    }

    /// Returns the instant `span` later. A result out of range becomes the latest instant.
    pub fn after(self, span: Duration) -> Self {
        Self::from_millis(self.millis().saturating_add(millis_of(span)))
    }

    /// Returns the instant `span` earlier. A result out of range becomes the earliest instant.
    pub fn before(self, span: Duration) -> Self {
        Self::from_millis(self.millis().saturating_sub(millis_of(span)))
    }
}

/// Returns the instant at which a date begins in UTC; `None` for any other text.
fn midnight(text: &str) -> Option<Timestamp> {
    let date = Date::parse(text, DAY).ok().filter(|_| text.len() == "2023-11-14".len())?;
    Some(Timestamp::from_millis(date.midnight().assume_utc().unix_timestamp() * 1000))
}

/// Returns a span in milliseconds. A span that doesn't fit becomes the longest one.
fn millis_of(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

/// The error for a text that isn't an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("neither RFC 3339 nor whole Unix seconds")]
pub struct InvalidInstant;

impl FromStr for Timestamp {
    type Err = InvalidInstant;

    /// Reads RFC 3339, such as `2023-11-14T23:13:20+01:00`, or whole seconds since the epoch. Digits beyond
    /// milliseconds are dropped.
    fn from_str(text: &str) -> Result<Self, InvalidInstant> {
        if let Ok(seconds) = text.parse::<i64>() {
            return seconds.checked_mul(1000).map(Self::from_millis).ok_or(InvalidInstant);
        }
        let at = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| InvalidInstant)?;
        i64::try_from(at.unix_timestamp_nanos() / 1_000_000).map(Self::from_millis).map_err(|_| InvalidInstant)
    }
}

impl From<Timestamp> for bson::Bson {
    fn from(at: Timestamp) -> Self {
        at.0.into()
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = i128::from(self.millis()) * 1_000_000;
        let at = OffsetDateTime::from_unix_timestamp_nanos(nanos).map_err(|_| fmt::Error)?;
        f.write_str(&at.format(RFC_3339_MILLIS).map_err(|_| fmt::Error)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_written_with_milliseconds_even_when_they_are_zero() {
        assert_eq!(Timestamp::from_millis(0).to_string(), "1970-01-01T00:00:00.000Z");
        assert_eq!(Timestamp::from_millis(1_700_000_000_120).to_string(), "2023-11-14T22:13:20.120Z");
    }

    #[test]
    fn instants_are_read_as_dates_or_seconds() {
        let at = Timestamp::from_millis(1_700_000_000_120);
        assert_eq!(at.to_string().parse(), Ok(at));
        assert_eq!("2023-11-14T23:13:20+01:00".parse(), Ok(Timestamp::from_millis(1_700_000_000_000)));
        assert_eq!("1700000000".parse(), Ok(Timestamp::from_millis(1_700_000_000_000)));
        for bad in ["", "yesterday", "2023-11-14", "1.5", "99999999999999999"] {
            assert_eq!(bad.parse::<Timestamp>(), Err(InvalidInstant), "{bad}");
        }
    }

    #[test]
    fn a_date_is_the_whole_day() {
        let span = |text| (Timestamp::parse_from(text), Timestamp::parse_to(text));
        let (begin, end) = (1_709_164_800_000, 1_709_251_199_999);
        assert_eq!(span("2024-02-29"), (Ok(Timestamp::from_millis(begin)), Ok(Timestamp::from_millis(end))));
        let at = Ok(Timestamp::from_millis(begin));
        assert_eq!((span("2024-02-29T00:00:00Z"), span("1709164800")), ((at, at), (at, at)));
        for bad in ["2023-02-29", "2024-2-29", "29-02-2024", "2024-02-29 ", "-2024-02-29", "2024-02", "20240229Z", ""] {
            assert_eq!(span(bad), (Err(InvalidInstant), Err(InvalidInstant)), "{bad}");
        }
    }

    #[test]
    fn spans_saturate() {
        let now = Timestamp::from_millis(5);
        assert_eq!(now.after(Duration::MAX).millis(), i64::MAX);
        assert_eq!(now.before(Duration::from_millis(5)).millis(), 0);
    }
}
