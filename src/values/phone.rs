//! Phone numbers. People spell one number in many ways; it is stored in one form, that of ITU-T E.164.

use std::{fmt, str::FromStr};

use phonenumber::{
    Metadata, Mode, country,
    metadata::{DATABASE, Descriptor},
};
use serde::{Deserialize, Serialize};

use super::{text::LONGEST_NAME, text_value::text_values};

/// A phone number in the form of ITU-T E.164, such as `+919876543210`: `+`, country code, subscriber number. Only
/// numbers of 10 to 15 digits are accepted.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct E164(String);

text_values!(E164);

/// The country in which numbers without a country code are dialled, given by its ISO 3166-1 alpha-2 code, such as `IN`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Region(country::Id);

/// The kind of line that a number belongs to, as far as its digits show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineType {
    /// A line that may get an SMS: a mobile, personal or VoIP number. In countries where the digits don't distinguish
    /// mobile numbers from landlines, such as the USA, landlines count as mobile too.
    Mobile,
    /// A landline, or a service such as a freephone or premium-rate number. No SMS reaches a person there.
    Fixed,
}

/// The error for a text that isn't a phone number of any country.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 10-15 digits")]
pub struct InvalidPhone;

/// The error for a text that isn't the ISO 3166-1 alpha-2 code of a country with phone numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a two-letter country code such as IN")]
pub struct InvalidRegion;

impl FromStr for Region {
    type Err = InvalidRegion;

    fn from_str(text: &str) -> Result<Self, InvalidRegion> {
        text.parse().map(Self).map_err(|_| InvalidRegion)
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_ref())
    }
}

impl Region {
    fn plan(self) -> Option<&'static Metadata> {
        DATABASE.by_id(self.0.as_ref())
    }
}

impl E164 {
    /// Reads a number in any usual spelling. A number that begins with `+` or `00` contains its country code. Any other
    /// is read as dialled in `region`, with or without the trunk prefix or the country code.
    ///
    /// In India, `9876543210`, `09876543210`, `919876543210`, `00919876543210` and `+91 98765-43210` are one number.
    pub fn parse(text: &str, region: Region) -> Result<Self, InvalidPhone> {
        let TypedDigits { has_plus, digits } = TypedDigits::read(text).ok_or(InvalidPhone)?;
        let number = match digits.strip_prefix("00") {
            _ if has_plus => parse_international(&digits),
            Some(with_country) => parse_international(with_country),
            None => parse_as_dialled(region, &digits),
        };
        number.filter(|number| (10..=15).contains(&number.digits().len())).ok_or(InvalidPhone)
    }

    /// Returns whether the number belongs to this region. Regions that share a country code, such as the USA and
    /// Canada, are distinguished.
    pub fn is_in(&self, region: Region) -> bool {
        self.plan_and_line().is_some_and(|(plan, _)| plan.id() == region.0.as_ref())
    }

    /// Returns the kind of line that the number belongs to.
    pub fn line_type(&self) -> LineType {
        self.plan_and_line().map_or(LineType::Fixed, |(_, line)| line)
    }

    fn digits(&self) -> &str {
        &self.0[1..]
    }

    fn plan_and_line(&self) -> Option<(&'static Metadata, LineType)> {
        let (code, national) = split_country_code(self.digits())?;
        find_plan(code, national)
    }
}

/// The digits of a number that somebody typed, and whether `+` stands before them.
struct TypedDigits {
    has_plus: bool,
    digits: String,
}

impl TypedDigits {
    /// Reads a text; returns `None` if it contains anything that isn't part of a number. Phones also paste invisible
    /// direction marks, and the non-breaking forms of spaces and hyphens, so these are skipped.
    fn read(text: &str) -> Option<Self> {
        if text.len() > LONGEST_NAME {
            return None;
        }
        let mut typed = Self { has_plus: false, digits: String::with_capacity(15) };
        for c in text.chars() {
            match c {
                '0'..='9' => typed.digits.push(c),
                '+' | '\u{ff0b}' if typed.digits.is_empty() && !typed.has_plus => typed.has_plus = true,
                c if is_skipped(c) => {}
                _ => return None,
            }
        }
        // The longest spelling is an international prefix of up to five digits and a number of fifteen.
        (1..=20).contains(&typed.digits.len()).then_some(typed)
    }
}

/// Returns whether a character may stand in a number without a meaning: a separator, or an invisible mark.
fn is_skipped(c: char) -> bool {
    matches!(c,
        ' ' | '-' | '.' | '(' | ')' | '\u{a0}' | '\u{2007}' | '\u{2009}' | '\u{202f}' | '\u{2010}'..='\u{2015}'
        | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2212}')
}

/// Splits digits into the country code and the national number. There is one way to do so, because no country code
/// begins with another one.
fn split_country_code(digits: &str) -> Option<(u16, &str)> {
    (1..=3).find_map(|length| {
        let code = digits.get(..length)?.parse().ok().filter(|code| DATABASE.by_code(code).is_some())?;
        Some((code, &digits[length..]))
    })
}

/// Reads a number that begins with a country code. People often write that country's trunk prefix after the code, as in
/// `+44 (0)20 7946 0958`. It is not part of the number and is left out, but only if the number is invalid with it: in
/// `+39 06 1234 5678`, the same digit belongs to the number.
fn parse_international(digits: &str) -> Option<E164> {
    let (code, national) = split_country_code(digits)?;
    if find_plan(code, national).is_some() {
        return Some(E164(format!("+{code}{national}")));
    }
    let plans = DATABASE.by_code(&code)?;
    let without_trunk = plans.iter().filter_map(|plan| national.strip_prefix(plan.national_prefix()?));
    let number = without_trunk.into_iter().find(|national| find_plan(code, national).is_some())?;
    Some(E164(format!("+{code}{number}")))
}

/// Reads a number as it is dialled in a region.
fn parse_as_dialled(region: Region, digits: &str) -> Option<E164> {
    let plan = region.plan()?;
    let code = plan.country_code();
    // Subscriber numbers are tried first: in India, the ten digits 9198765432 are one, and the 91 is no country code.
    if find_plan(code, digits).is_some() {
        return Some(E164(format!("+{code}{digits}")));
    }
    let prefix = plan.international_prefix().and_then(|prefix| prefix.find(digits));
    if let Some(prefix) = prefix.filter(|prefix| prefix.start() == 0)
        && let Some(number) = parse_international(&digits[prefix.end()..])
    {
        return Some(number);
    }
    // The crate removes trunk prefixes, carrier codes and a country code without plus by the rules of this region.
    let number = phonenumber::parse(Some(region.0), digits).ok()?;
    let written = number.format().mode(Mode::E164).to_string();
    let (written_code, national) = split_country_code(written.strip_prefix('+')?)?;
    (written_code == code && find_plan(code, national).is_some()).then_some(E164(written))
}

/// Returns the numbering plan that a national number belongs to, and the kind of its line. Several countries may share
/// a country code; `None` if the number belongs to none of them.
fn find_plan(code: u16, national: &str) -> Option<(&'static Metadata, LineType)> {
    let plans = DATABASE.by_code(&code)?;
    let is_only_plan = plans.len() == 1;
    plans.into_iter().find_map(|plan| {
        let has_leading_digits =
            || plan.leading_digits().is_none_or(|p| p.find(national).is_some_and(|m| m.start() == 0));
        let may_be_of_plan = is_only_plan || has_leading_digits();
        may_be_of_plan.then(|| line_type_in(plan, national)).flatten().map(|line| (plan, line))
    })
}

/// Returns the kind of line of a national number; `None` if the plan has no such number.
fn line_type_in(plan: &Metadata, national: &str) -> Option<LineType> {
    let kinds = plan.descriptors();
    let matches = |kind: Option<&Descriptor>| kind.is_some_and(|kind| kind.is_match(national));
    if !kinds.general().is_match(national) {
        return None;
    }
    if [kinds.mobile(), kinds.personal_number(), kinds.voip()].into_iter().any(matches) {
        return Some(LineType::Mobile);
    }
    let fixed = [kinds.fixed_line(), kinds.uan(), kinds.pager(), kinds.voicemail()];
    let services = [kinds.premium_rate(), kinds.toll_free(), kinds.shared_cost()];
    fixed.into_iter().chain(services).any(matches).then_some(LineType::Fixed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_region(region: &str, text: &str) -> Result<String, InvalidPhone> {
        E164::parse(text, region.parse().expect("region")).map(|number| number.0)
    }

    fn parse(text: &str) -> Result<String, InvalidPhone> {
        in_region("IN", text)
    }

    #[test]
    fn every_spelling_is_one_number() {
        for text in [
            "9876543210",
            "09876543210",
            "919876543210",
            "+919876543210",
            "+91 98765-43210",
            "(98765) 43210",
            "00919876543210",
            "+91 09876543210",
            "\u{202a}+91\u{a0}98765\u{2011}43210\u{202c}",
            "\u{2066}\u{200e}98765 43210\u{200f}\u{2069}",
        ] {
            assert_eq!(parse(text).as_deref(), Ok("+919876543210"), "{text}");
        }
        assert_eq!(parse("+14155552671").as_deref(), Ok("+14155552671"));
    }

    #[test]
    fn refuses_what_nobody_can_be_called_by() {
        for text in [
            "",
            "12345",
            "98765432101234567",
            "98765abcde",
            "९८७६५४३२१०",
            "9876543210\n",
            "+",
            "0000000000",
            "98765+43210",
            "++919876543210",
            "00",
            "+999 98765 43210",
        ] {
            assert_eq!(parse(text), Err(InvalidPhone), "{text:?}");
        }
        assert_eq!(parse(&"9".repeat(300)), Err(InvalidPhone));
    }

    /// The trunk prefix of the shop's region must not be removed from a number that contains another country's code.
    #[test]
    fn a_number_with_its_country_is_read_by_the_rules_of_that_country() {
        for (region, text, number) in [
            ("US", "+49 1512 3456789", "+4915123456789"),
            ("IN", "+225 07 12 34 56 78", "+2250712345678"),
            ("IN", "+39 06 1234 5678", "+390612345678"),
            ("IN", "+39 0331 234567", "+390331234567"),
            ("US", "0044 (0)20 7946 0958", "+442079460958"),
            ("US", "+44 20 7946 0958", "+442079460958"),
            ("US", "011 49 1512 3456789", "+4915123456789"),
            ("US", "1 415 555 2671", "+14155552671"),
            ("IT", "06 1234 5678", "+390612345678"),
            ("RU", "8 912 345-67-89", "+79123456789"),
            ("DE", "+7 8 912 345-67-89", "+79123456789"),
        ] {
            assert_eq!(in_region(region, text).as_deref(), Ok(number), "{text} in {region}");
        }
    }

    #[test]
    fn a_number_belongs_to_its_region() {
        let number = |text: &str| E164::parse(text, "IN".parse().expect("region")).expect("a number");
        let region = |text: &str| text.parse::<Region>().expect("region");
        assert!(number("9876543210").is_in(region("IN")) && !number("9876543210").is_in(region("US")));
        assert!(number("+14155552671").is_in(region("US")) && !number("+14155552671").is_in(region("IN")));
        assert!(number("+16135550123").is_in(region("CA")) && number("+447781123456").is_in(region("GG")));
    }

    #[test]
    fn landlines_are_known_where_numbers_tell() {
        let line = |text: &str| E164::parse(text, "IN".parse().expect("region")).expect("a number").line_type();
        for mobile in ["9876543210", "+14155552671", "+4915123456789", "+390612345678"] {
            let expected = if mobile.starts_with("+390") { LineType::Fixed } else { LineType::Mobile };
            assert_eq!(line(mobile), expected, "{mobile}");
        }
        for fixed in ["022 2278 1234", "1800 123 4567", "+442079460958"] {
            assert_eq!(line(fixed), LineType::Fixed, "{fixed}");
        }
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

    /// The crate has example numbers for every country. Written in E.164, each must be read as the same number in every
    /// region.
    #[test]
    fn e164_in_is_e164_out_in_every_region() {
        let mut tried = 0;
        for plan in DATABASE.iter() {
            let all = plan.descriptors();
            let kinds = [all.mobile(), all.fixed_line(), all.toll_free(), all.premium_rate(), all.voip(), all.uan()];
            for example in kinds.into_iter().flatten().filter_map(Descriptor::example) {
                let number = format!("+{}{example}", plan.country_code());
                if !(11..=16).contains(&number.len()) {
                    continue;
                }
                for region in ["IN", "US", "DE", "GB", "IT", "RU", "BR", "AR", "MX", "CI", "JP"] {
                    assert_eq!(in_region(region, &number).as_deref(), Ok(number.as_str()), "in {region}");
                    let dialled = format!("00 {}", &number[1..]);
                    assert_eq!(in_region(region, &dialled).as_deref(), Ok(number.as_str()), "{dialled} in {region}");
                    tried += 1;
                }
            }
        }
        assert!(tried > 5_000, "{tried}");
    }
}
