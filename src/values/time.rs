//! Instants in whole milliseconds since 1970, which is the precision of MongoDB.

use std::{fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Serialize};
use time::{
    OffsetDateTime,
    format_description::{BorrowedFormatItem, well_known::Rfc3339},
    macros::format_description,
};

/// The format in which instants are written: RFC 3339 in UTC, always with three digits of milliseconds.
const RFC_3339_MILLIS: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");

/// An instant in milliseconds since the Unix epoch. It is stored as a BSON date.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(bson::DateTime);

impl Timestamp {
    /// Creates an instant from milliseconds since the epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(bson::DateTime::from_millis(millis))
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
    fn spans_saturate() {
        let now = Timestamp::from_millis(5);
        assert_eq!(now.after(Duration::MAX).millis(), i64::MAX);
        assert_eq!(now.before(Duration::from_millis(5)).millis(), 0);
    }
}
