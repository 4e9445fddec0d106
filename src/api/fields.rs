//! The types of request fields. Their error messages continue a sentence that begins with the field's name, such as
//! "must be a string". A message never repeats the value.

use std::{borrow::Cow, fmt, marker::PhantomData};

use poem_openapi::{
    registry::MetaSchemaRef,
    types::{ParseFromJSON, ParseResult, ToJSON, Type},
};
use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};
use serde_json::Value;

use super::error::ApiError;
use crate::{
    accounts::rules::password::Password,
    values::{
        invalid::InvalidField,
        phone::{E164, Region},
        quantity::Quantity,
        text,
    },
};

/// A line of text. White space around it is removed, and control characters are refused.
#[derive(Debug, Clone)]
pub struct Line(pub String);

/// A text of several lines. White space around it is removed, and control characters other than newline and tab are
/// refused.
#[derive(Debug, Clone)]
pub struct Lines(pub String);

/// A code from an SMS, as a line of text or as a JSON integer. JSON integers have no leading zeros, so an integer is
/// filled up with zeros to six digits: 12345 is the code `012345`.
#[derive(Debug)]
pub struct CodeIn(pub String);

/// A line of text, or a JSON integer as its digits. For phone numbers, postal codes and identifiers; the text is not
/// checked to be a number.
#[derive(Debug, Clone)]
pub struct Digits(pub String);

/// A decimal number, as a JSON number (exact up to 15 digits) or as its text. The text is not checked to be a number.
#[derive(Debug, Clone)]
pub struct Decimal(pub String);

/// A password exactly as it was sent. It is not trimmed.
#[derive(Debug, Clone)]
pub struct PasswordIn(pub Password);

/// A token exactly as it was sent. It is not trimmed.
#[derive(Clone)]
pub struct TokenIn(pub String);

/// A number of pieces from 1 to 999, as a JSON integer or as its text.
#[derive(Debug, Clone, Copy)]
pub struct QuantityIn(pub Quantity);

/// A boolean, as a JSON boolean or as the text `true` or `false` in any case.
#[derive(Debug, Clone, Copy)]
pub struct Flag(pub bool);

/// A number of pieces from 0 to 999, as a JSON integer or as its text. `None` stands for 0.
#[derive(Debug, Clone, Copy)]
pub struct LineQuantityIn(pub Option<Quantity>);

impl QuantityIn {
    /// The error message for any other value.
    pub const EXPECTED: &'static str = "must be an integer between 1 and 999";

    /// Reads the text of an integer, without the spaces around it. Returns `None` if it is not an integer from 1 to
    /// 999.
    pub fn parse(text: &str) -> Option<Self> {
        text.trim_matches(' ').parse().ok().and_then(Quantity::new).map(Self)
    }
}

impl<'de> Deserialize<'de> for Line {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text::trimmed_line(&text(deserializer)?).map(|line| Self(line.to_owned())).map_err(D::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Lines {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text::trimmed_lines(&text(deserializer)?).map(|lines| Self(lines.to_owned())).map_err(D::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Digits {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Number(number) if number.is_u64() => Ok(Self(number.to_string())),
            value => Line::deserialize(value).map(|line| Self(line.0)).map_err(D::Error::custom),
        }
    }
}

impl<'de> Deserialize<'de> for CodeIn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let is_integer = value.is_u64();
        let digits = Digits::deserialize(value).map_err(D::Error::custom)?.0;
        Ok(Self(if is_integer { format!("{digits:0>6}") } else { digits }))
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Number(number) => Ok(Self(number.to_string())),
            Value::String(text) => Ok(Self(text.trim_matches(' ').to_owned())),
            _ => Err(D::Error::custom("must be a number")),
        }
    }
}

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Bool(flag) => Ok(Self(flag)),
            Value::String(text) if text.trim().eq_ignore_ascii_case("true") => Ok(Self(true)),
            Value::String(text) if text.trim().eq_ignore_ascii_case("false") => Ok(Self(false)),
            _ => Err(D::Error::custom("must be true or false")),
        }
    }
}

impl<'de> Deserialize<'de> for PasswordIn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text(deserializer).map(|text| Self(Password::new(text)))
    }
}

impl<'de> Deserialize<'de> for TokenIn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text(deserializer).map(Self)
    }
}

impl<'de> Deserialize<'de> for QuantityIn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let quantity = integer(&Value::deserialize(deserializer)?).and_then(Quantity::new);
        quantity.map(Self).ok_or_else(|| D::Error::custom(Self::EXPECTED))
    }
}

impl<'de> Deserialize<'de> for LineQuantityIn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match integer(&Value::deserialize(deserializer)?) {
            Some(0) => Ok(Self(None)),
            pieces => pieces
                .and_then(Quantity::new)
                .map(|quantity| Self(Some(quantity)))
                .ok_or_else(|| D::Error::custom("must be an integer between 0 and 999")),
        }
    }
}

/// Reads a JSON integer or the text of one, without the spaces around it.
fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim_matches(' ').parse().ok(),
        _ => None,
    }
}

/// Returns the text of a required field. Fails if the field is missing or empty.
pub fn required(field: &'static str, value: Option<Digits>) -> Result<String, ApiError> {
    let given = value.map(|value| value.0).filter(|text| !text.is_empty());
    given.ok_or_else(|| InvalidField::required(field).into())
}

/// Parses the value of `phone_number`. A number without a country code is taken as a number of `region`.
pub fn given_phone(typed: &str, region: Region) -> Result<E164, ApiError> {
    let number = E164::parse(typed, region);
    number.map_err(|why| InvalidField::because("phone_number", "phone number", why).into())
}

/// Returns the password of a required field. Fails if the field is missing or empty.
pub fn required_password(field: &'static str, password: Option<PasswordIn>) -> Result<Password, ApiError> {
    optional_password(password).ok_or_else(|| InvalidField::required(field).into())
}

/// Returns the password of an optional field. An empty password counts as left out, because forms send an empty text
/// for a field that nobody filled in.
pub fn optional_password(password: Option<PasswordIn>) -> Option<Password> {
    password.map(|password| password.0).filter(|password| !password.expose().is_empty())
}

/// Deserializes an object inside the body; `null` counts as left out. For `deserialize_with`: it keeps the path of a
/// field, so that an error inside the object can name it.
pub fn object<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    deserializer.deserialize_any(ObjectVisitor(PhantomData))
}

/// Deserializes a field that may be left out but not be `null`, because there is no value to remove. For
/// `deserialize_with`.
pub fn not_null<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// Deserializes a list that may be left out but not be `null`. For `deserialize_with`: it keeps the path of an entry, so
/// that an error inside the list can name it.
pub fn list<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<Vec<T>>, D::Error> {
    deserializer.deserialize_any(ListVisitor(PhantomData)).map(Some)
}

/// An object as an entry of a list.
#[derive(Debug)]
pub struct Entry<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Entry<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        object(deserializer)?.map(Self).ok_or_else(|| D::Error::custom("must be an object"))
    }
}

struct ListVisitor<T>(PhantomData<fn() -> T>);

struct ObjectVisitor<T>(PhantomData<fn() -> T>);

/// Declares visitor methods that refuse other types. serde's own error message would repeat the value.
macro_rules! refuse {
    ($why:literal: $($visit:ident: $type:ty),+) => {$(
        fn $visit<E: Error>(self, _: $type) -> Result<Self::Value, E> {
            Err(E::custom($why))
        }
    )+};
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for ListVisitor<T> {
    type Value = Vec<T>;

    refuse!("must be a list": visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64, visit_str: &str);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Err(E::custom("must be a list"))
    }

    fn visit_map<A: MapAccess<'de>>(self, _: A) -> Result<Self::Value, A::Error> {
        Err(A::Error::custom("must be a list"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(entry) = entries.next_element()? {
            list.push(entry);
        }
        Ok(list)
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Option<T>;

    refuse!("must be an object": visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64, visit_str: &str);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<Self::Value, A::Error> {
        Err(A::Error::custom("must be an object"))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Some)
    }
}

fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::String(text) => Ok(text),
        _ => Err(D::Error::custom("must be a string")),
    }
}

/// Gives a field type the schema of `$like` in the OpenAPI description. The other two traits are needed for examples
/// only: serde reads the bodies, and requests are never written.
macro_rules! described_as {
    ($($type:ident as $like:ty, $show:expr;)+) => {$(
        impl Type for $type {
            const IS_REQUIRED: bool = true;
            type RawValueType = Self;
            type RawElementValueType = Self;

            fn name() -> Cow<'static, str> {
                <$like>::name()
            }

            fn schema_ref() -> MetaSchemaRef {
                <$like>::schema_ref()
            }

            fn as_raw_value(&self) -> Option<&Self> {
                Some(self)
            }

            fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
                Box::new(std::iter::once(self))
            }
        }

        impl ParseFromJSON for $type {
            fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
                let value = value.unwrap_or_default();
                Self::deserialize(value).map_err(poem_openapi::types::ParseError::custom)
            }
        }

        impl ToJSON for $type {
            fn to_json(&self) -> Option<Value> {
                let show: fn(&Self) -> Value = $show;
                Some(show(self))
            }
        }
    )+};
}

described_as! {
    Line as String, |line| line.0.as_str().into();
    Lines as String, |lines| lines.0.as_str().into();
    Digits as String, |digits| digits.0.as_str().into();
    CodeIn as String, |code| code.0.as_str().into();
    Decimal as f64, |decimal| decimal.0.parse::<f64>().unwrap_or_default().into();
    Flag as bool, |flag| flag.0.into();
    PasswordIn as poem_openapi::types::Password, |password| password.0.expose().into();
    TokenIn as String, |token| token.0.as_str().into();
    QuantityIn as u32, |quantity| quantity.0.get().into();
    LineQuantityIn as u32, |quantity| quantity.0.map_or(0, Quantity::get).into();
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refusal<T: for<'de> Deserialize<'de>>(value: Value) -> String {
        T::deserialize(value).err().map_or_else(String::new, |error| error.to_string())
    }

    #[test]
    fn lines_are_trimmed_after_control_characters_were_refused() {
        assert_eq!(Line::deserialize(json!("  BB ")).expect("a line").0, "BB");
        for bad in ["a\nb", "9876543210\n", "\u{0}", "a\u{7f}"] {
            assert_eq!(refusal::<Line>(json!(bad)), "must not contain control characters", "{bad:?}");
        }
        assert_eq!(Lines::deserialize(json!("a\n\tb ")).expect("lines").0, "a\n\tb");
        assert!(refusal::<Lines>(json!("a\rb")).contains("control"));
    }

    #[test]
    fn a_wrong_type_is_named_and_its_value_is_not() {
        assert_eq!(refusal::<Line>(json!(5)), "must be a string");
        assert_eq!(refusal::<PasswordIn>(json!(12_345)), "must be a string");
        assert_eq!(refusal::<Decimal>(json!([1])), "must be a number");
        assert_eq!(Digits::deserialize(json!(9_876_543_210_u64)).expect("digits").0, "9876543210");
        assert_eq!(refusal::<Digits>(json!(1.5)), "must be a string");
        for (given, code) in [(json!(12_345), "012345"), (json!("12345"), "12345"), (json!(1_234_567), "1234567")] {
            assert_eq!(CodeIn::deserialize(given).expect("a code").0, code);
        }
    }

    #[test]
    fn decimals_keep_the_digits_that_were_sent() {
        for (value, text) in [(json!(0.1), "0.1"), (json!(19.99), "19.99"), (json!(5), "5"), (json!(" 7.50 "), "7.50")]
        {
            assert_eq!(Decimal::deserialize(value).expect("a decimal").0, text);
        }
    }

    #[test]
    fn quantities_are_1_to_999() {
        for good in [json!(1), json!(999), json!("3")] {
            assert_eq!(refusal::<QuantityIn>(good), "");
        }
        for bad in [json!(0), json!(1000), json!(-1), json!(1.5), json!("x"), json!(true), json!(1e20)] {
            assert_eq!(refusal::<QuantityIn>(bad.clone()), QuantityIn::EXPECTED, "{bad}");
        }
    }

    #[test]
    fn a_line_may_be_set_to_nothing_too() {
        for (good, pieces) in [(json!(0), 0), (json!(" 0 "), 0), (json!("999"), 999), (json!(1), 1)] {
            let read = LineQuantityIn::deserialize(good).expect("a quantity");
            assert_eq!(read.0.map_or(0, Quantity::get), pieces);
        }
        for bad in [json!(1000), json!(-1), json!(0.5), json!(""), json!(false)] {
            assert_eq!(refusal::<LineQuantityIn>(bad.clone()), "must be an integer between 0 and 999", "{bad}");
        }
    }
}
