//! What owners tell of themselves: picture, language, address.

use crate::values::{
    phone::{E164, InvalidPhone, Region},
    url::ImageUrl,
};

/// Characters of a picture's address.
const PHOTO_CHARS: usize = 150;
/// Characters of a language tag.
const LANGUAGE_CHARS: usize = 10;
/// Characters of one line of an address.
const LINE_CHARS: usize = 200;

/// Where a picture of the account is: an image's URL of at most 150 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Photo(ImageUrl);

/// A language as BCP 47 writes it, at most 10 characters: `en`, `pt-BR`, `zh-Hant-TW`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Language(String);

/// One line of an address, at most 200 characters; an empty one clears what was there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressLine(String);

/// What is new in an address; everything else stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AddressChange {
    /// Who receives.
    pub name: Option<AddressLine>,
    /// Whom the courier calls.
    pub phone_number: Option<AddressLine>,
    /// Street and house.
    pub address_line1: Option<AddressLine>,
    /// Whatever else helps to find it.
    pub address_line2: Option<AddressLine>,
    /// City.
    pub city: Option<AddressLine>,
    /// State.
    pub state: Option<AddressLine>,
    /// Country.
    pub country: Option<AddressLine>,
    /// Postal code.
    pub pincode: Option<AddressLine>,
    /// The same under its other name. A frontend that sends a whole address back has edited one of the two: where they
    /// differ, `pincode` counts unless it is what is stored already.
    pub postal_code: Option<AddressLine>,
}

impl Photo {
    /// Checks a trimmed text.
    pub fn parse(text: &str) -> Option<Self> {
        let short = text.chars().count() <= PHOTO_CHARS;
        ImageUrl::parse(text).filter(|_| short).map(Self)
    }

    /// Its URL.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl Language {
    /// Checks the form of a tag (RFC 5646, section 2.1), not whether anybody speaks it.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let is_language =
            |part: &str| (2..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphabetic());
        let is_subtag = |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric());
        // A single character announces an extension, which must follow.
        let ends_whole = text.rsplit('-').next().is_some_and(|last| last.len() > 1);
        let fits = text.len() <= LANGUAGE_CHARS && ends_whole;
        (fits && parts.next().is_some_and(is_language) && parts.all(is_subtag)).then(|| Self(text.to_owned()))
    }
}

impl AddressLine {
    /// Checks a trimmed text.
    pub fn parse(text: &str) -> Option<Self> {
        (text.chars().count() <= LINE_CHARS).then(|| Self(text.to_owned()))
    }

    /// The courier's number in its one form; nothing clears it.
    pub fn phone(text: &str, region: Region) -> Result<Self, InvalidPhone> {
        if text.is_empty() {
            return Ok(Self(String::new()));
        }
        E164::parse(text, region).map(|number| Self(number.to_string()))
    }

    /// What is kept; `None` when the line is to be cleared.
    pub fn kept(&self) -> Option<&str> {
        Some(self.0.as_str()).filter(|text| !text.is_empty())
    }
}

impl AddressChange {
    /// Whether nothing is new.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Every line under the name it is stored by; the postal code, which has two, is left to the caller.
    pub fn lines(&self) -> [(&'static str, Option<&AddressLine>); 7] {
        [
            ("name", self.name.as_ref()),
            ("phone_number", self.phone_number.as_ref()),
            ("address_line1", self.address_line1.as_ref()),
            ("address_line2", self.address_line2.as_ref()),
            ("city", self.city.as_ref()),
            ("state", self.state.as_ref()),
            ("country", self.country.as_ref()),
        ]
    }
}

impl From<&Photo> for bson::Bson {
    fn from(photo: &Photo) -> Self {
        photo.as_str().into()
    }
}

impl From<&Language> for bson::Bson {
    fn from(language: &Language) -> Self {
        language.0.as_str().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_have_the_form_of_bcp_47() {
        for good in ["en", "hi", "pt-BR", "zh-Hant-TW", "sl-nedis", "es-419"] {
            assert!(Language::parse(good).is_some(), "{good}");
        }
        for bad in ["", "e", "en_IN", "en-", "-en", "en--US", "12", "e1", "en-a", "zh-Hant-TW1", "हिं", "en US"] {
            assert!(Language::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn photos_are_short_web_addresses() {
        let of_length = |n: usize| format!("https://a.example/{}", "a".repeat(n - 18));
        assert!(Photo::parse(&of_length(150)).is_some());
        assert!(Photo::parse(&of_length(151)).is_none());
        assert!(Photo::parse("javascript:alert(1)").is_none());
    }

    #[test]
    fn lines_are_counted_in_characters_and_numbers_have_one_form() {
        assert!(AddressLine::parse(&"é".repeat(200)).is_some());
        assert!(AddressLine::parse(&"é".repeat(201)).is_none());
        let region: Region = "IN".parse().expect("region");
        assert_eq!(AddressLine::phone("098765 43210", region).expect("a number").kept(), Some("+919876543210"));
        assert_eq!(AddressLine::phone("", region).expect("nothing").kept(), None);
        assert!(AddressLine::phone("12", region).is_err());
    }
}
