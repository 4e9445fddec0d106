//! Phone numbers: many spellings, one E.164 form.

use std::{fmt, str::FromStr};

use phonenumber::{Metadata, Mode, country, metadata::DATABASE};
use serde::{Deserialize, Serialize};

/// A number as ITU-T E.164 writes it: `+`, country code, subscriber number; 10 to 15 digits here.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct E164(String);

/// The country in which a number without a country code is dialled, as ISO 3166-1 alpha-2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Region(country::Id);

/// The text is no number that anybody could have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 10-15 digits")]
pub struct InvalidPhone;

/// The text is no ISO 3166-1 alpha-2 code of a country with phones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a two-letter country code such as IN")]
pub struct InvalidRegion;

impl FromStr for Region {
    type Err = InvalidRegion;

    fn from_str(text: &str) -> Result<Self, InvalidRegion> {
        text.parse().map(Self).map_err(|_| InvalidRegion)
    }
}

impl Region {
    fn country_code(self) -> u16 {
        DATABASE.by_id(self.0.as_ref()).map_or(0, Metadata::country_code)
    }
}

impl E164 {
    /// Reads any usual spelling of a number; one without `+` is taken as dialled in `region`,
    /// with or without the trunk prefix or the country code.
    pub fn parse(text: &str, region: Region) -> Result<Self, InvalidPhone> {
        let plausible = |c: char| c.is_ascii_digit() || "+ -().".contains(c);
        if text.len() > 30 || !text.chars().all(plausible) {
            return Err(InvalidPhone);
        }
        // Tried as a subscriber's number first: 91xxxxxxxx is a number of India, not the rest of +91.
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        let as_subscriber = (!text.starts_with('+')).then(|| format!("+{}{digits}", region.country_code()));
        as_subscriber
            .and_then(|text| Self::read(&text, region))
            .or_else(|| Self::read(text, region))
            .ok_or(InvalidPhone)
    }

    fn read(text: &str, region: Region) -> Option<Self> {
        let number = phonenumber::parse(Some(region.0), text).ok()?;
        let written = number.format().mode(Mode::E164).to_string();
        let digits = written.len() - 1;
        (phonenumber::is_valid(&number) && (10..=15).contains(&digits)).then_some(Self(written))
    }

    /// Whether the number is one of this region.
    pub fn is_in(&self, region: Region) -> bool {
        phonenumber::parse(None, &self.0).is_ok_and(|number| number.country().id() == Some(region.0))
    }

    /// The number with its leading `+`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&E164> for bson::Bson {
    fn from(number: &E164) -> Self {
        number.0.as_str().into()
    }
}

impl fmt::Display for E164 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<String, InvalidPhone> {
        E164::parse(text, "IN".parse().expect("region")).map(|number| number.0)
    }

    #[test]
    fn every_spelling_is_one_number() {
        for text in ["9876543210", "09876543210", "919876543210", "+919876543210", "+91 98765-43210", "(98765) 43210"] {
            assert_eq!(parse(text).as_deref(), Ok("+919876543210"), "{text}");
        }
        assert_eq!(parse("+14155552671").as_deref(), Ok("+14155552671"));
    }

    #[test]
    fn refuses_what_nobody_can_be_called_by() {
        for text in ["", "12345", "98765432101234567", "98765abcde", "९८७६५४३२१०", "9876543210\n", "+", "0000000000"]
        {
            assert_eq!(parse(text), Err(InvalidPhone), "{text:?}");
        }
    }

    #[test]
    fn a_number_belongs_to_its_region() {
        let number = |text: &str| E164::parse(text, "IN".parse().expect("region")).expect("a number");
        let region = |text: &str| text.parse::<Region>().expect("region");
        assert!(number("9876543210").is_in(region("IN")) && !number("9876543210").is_in(region("US")));
        assert!(number("+14155552671").is_in(region("US")) && !number("+14155552671").is_in(region("IN")));
    }

    #[test]
    fn every_mobile_range_of_the_region_is_one_number_in_all_spellings() {
        for number in (6_000_000_000_u64..10_000_000_000).step_by(9_999_991) {
            let expected = format!("+91{number}");
            for text in [number.to_string(), format!("0{number}"), format!("91{number}"), expected.clone()] {
                assert_eq!(parse(&text).as_deref(), Ok(expected.as_str()), "{text}");
            }
        }
    }
}
