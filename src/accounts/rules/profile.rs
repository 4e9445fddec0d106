//! The rules for what owners tell about themselves: picture, language, postal address.

use crate::values::{
    phone::{E164, InvalidPhone, Region},
    url::ImageUrl,
};

/// The maximum length of the URL of a picture, in characters.
const PHOTO_CHARS: usize = 150;
/// The maximum length of a language tag, in characters.
const LANGUAGE_CHARS: usize = 10;
/// The maximum length of one line of an address, in characters.
const LINE_CHARS: usize = 200;

/// The URL of the picture of an account, at most 150 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Photo(ImageUrl);

/// A language tag of BCP 47, at most 10 characters, such as `en`, `pt-BR` or `zh-Hant-TW`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Language(String);

/// One line of an address, at most 200 characters. An empty line removes the stored one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressLine(String);

/// A change of an address. Lines that are `None` stay as they are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AddressChange {
    /// The name of the recipient.
    pub name: Option<AddressLine>,
    /// The number that the courier calls.
    pub phone_number: Option<AddressLine>,
    /// The street and the house number.
    pub address_line1: Option<AddressLine>,
    /// More that helps to find the place, such as a floor or a landmark.
    pub address_line2: Option<AddressLine>,
    /// The city.
    pub city: Option<AddressLine>,
    /// The state.
    pub state: Option<AddressLine>,
    /// The country.
    pub country: Option<AddressLine>,
    /// The postal code.
    pub pincode: Option<AddressLine>,
    /// The postal code under its other name. A frontend that sends a whole address back has edited only one of the two
    /// fields. If they differ, the one that differs from the stored code counts; `pincode`, if both do.
    pub postal_code: Option<AddressLine>,
}

impl Photo {
    /// Reads a trimmed text. Returns `None` if it breaks a rule.
    pub fn parse(text: &str) -> Option<Self> {
        if text.chars().count() > PHOTO_CHARS {
            return None;
        }
        ImageUrl::parse(text).map(Self)
    }

    /// Returns the URL.
    pub fn url(&self) -> &ImageUrl {
        &self.0
    }

    /// Returns the URL as text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl Language {
    /// Reads a language tag. Returns `None` if it does not have the form of one (RFC 5646, section 2.1). Whether the
    /// language exists is not checked.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let is_language =
            |part: &str| (2..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphabetic());
        let is_subtag =
            |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
        // A part of one character begins an extension, so another part must follow it.
        let is_complete = text.rsplit('-').next().is_some_and(|last| last.len() > 1);
        let fits = text.len() <= LANGUAGE_CHARS && is_complete;
        (fits && parts.next().is_some_and(is_language) && parts.all(is_subtag)).then(|| Self(text.to_owned()))
    }
}

impl AddressLine {
    /// Reads a trimmed text. Returns `None` if it breaks a rule.
    pub fn parse(text: &str) -> Option<Self> {
        (text.chars().count() <= LINE_CHARS).then(|| Self(text.to_owned()))
    }

    /// Reads the number that the courier calls, in any spelling, and keeps it in E.164 form. An empty text removes the
    /// stored number. Numbers without a country code belong to `region`.
    pub fn phone(text: &str, region: Region) -> Result<Self, InvalidPhone> {
        if text.is_empty() {
            return Ok(Self(String::new()));
        }
        E164::parse(text, region).map(|number| Self(number.to_string()))
    }

    /// Returns the text to store; `None` when the stored line is to be removed.
    pub fn text(&self) -> Option<&str> {
        Some(self.0.as_str()).filter(|text| !text.is_empty())
    }
}

impl AddressChange {
    /// Returns whether the change names no line.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Returns every line with the name of its stored field. The postal code is left out, because it has two fields
    /// here: the caller has to choose between them.
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
        assert_eq!(AddressLine::phone("098765 43210", region).expect("a number").text(), Some("+919876543210"));
        assert_eq!(AddressLine::phone("", region).expect("nothing").text(), None);
        assert!(AddressLine::phone("12", region).is_err());
    }
}
