//! Ids, times and amounts as the API reads and writes them: ids as 24 hex digits, times as RFC 3339, and amounts as
//! exact JSON numbers.

use std::{borrow::Cow, str::FromStr};

use poem_openapi::{
    registry::{MetaSchema, MetaSchemaRef},
    types::{ParseError, ParseFromJSON, ParseFromParameter, ParseResult, ToJSON, Type},
};
use serde_json::Value;

use crate::values::{
    ids::{AddressId, AuditId, BrandId, CartId, CategoryId, InvitationId, ModelId, ProductId, SessionId, UserId},
    money::{Money, Percent},
    time::Timestamp,
};

/// An id in a path. A text that is not an id can't name anything, so it is treated like the id of something that does
/// not exist. Both are answered with 404.
pub struct PathId<Id>(Option<Id>);

impl<Id> PathId<Id> {
    /// Returns the id, or the error `missing` if the text was not an id.
    pub fn or<E>(self, missing: E) -> Result<Id, E> {
        self.0.ok_or(missing)
    }
}

impl PathId<ProductId> {
    /// Returns the id; for a text that was not an id a new one, which names nothing either and so leads to the same
    /// answer.
    pub fn or_absent(self) -> ProductId {
        self.0.unwrap_or_else(ProductId::new)
    }
}

impl<Id: Type> Type for PathId<Id> {
    const IS_REQUIRED: bool = true;
    type RawValueType = Id;
    type RawElementValueType = Id;

    fn name() -> Cow<'static, str> {
        Id::name()
    }

    fn schema_ref() -> MetaSchemaRef {
        Id::schema_ref()
    }

    fn as_raw_value(&self) -> Option<&Id> {
        self.0.as_ref()
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Id> + 'a> {
        Box::new(self.0.iter())
    }
}

impl<Id: Type + FromStr> ParseFromParameter for PathId<Id> {
    fn parse_from_parameter(value: &str) -> ParseResult<Self> {
        Ok(Self(value.parse().ok()))
    }

    fn parse_from_parameters<I: IntoIterator<Item = A>, A: AsRef<str>>(iter: I) -> ParseResult<Self> {
        let value = iter.into_iter().next().ok_or_else(ParseError::expected_input)?;
        Self::parse_from_parameter(value.as_ref())
    }
}

/// Implements poem-openapi's traits for types that are written as one JSON value. Each line gives the JSON type and the
/// format for the OpenAPI description, and the function that writes a value.
macro_rules! scalars {
    ($($type:ty as $json:literal, $format:literal, $write:expr;)+) => {$(
        impl Type for $type {
            const IS_REQUIRED: bool = true;
            type RawValueType = Self;
            type RawElementValueType = Self;

            fn name() -> Cow<'static, str> {
                concat!($json, "_", $format).into()
            }

            fn schema_ref() -> MetaSchemaRef {
                MetaSchemaRef::Inline(Box::new(MetaSchema::new_with_format($json, $format)))
            }

            fn as_raw_value(&self) -> Option<&Self> {
                Some(self)
            }

            fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
                Box::new(std::iter::once(self))
            }
        }

        /// Always fails. The derives of response types require this trait, but responses are only written.
        impl ParseFromJSON for $type {
            fn parse_from_json(_: Option<Value>) -> ParseResult<Self> {
                Err(ParseError::custom("is never read from a body"))
            }
        }

        impl ToJSON for $type {
            fn to_json(&self) -> Option<Value> {
                let write: fn(&Self) -> Value = $write;
                Some(write(self))
            }
        }
    )+};
}

scalars! {
    UserId as "string", "24-hex", |id| id.to_string().into();
    AddressId as "string", "24-hex", |id| id.to_string().into();
    SessionId as "string", "24-hex", |id| id.to_string().into();
    AuditId as "string", "24-hex", |id| id.to_string().into();
    InvitationId as "string", "24-hex", |id| id.to_string().into();
    CartId as "string", "24-hex", |id| id.to_string().into();
    BrandId as "string", "24-hex", |id| id.to_string().into();
    ModelId as "string", "24-hex", |id| id.to_string().into();
    CategoryId as "string", "24-hex", |id| id.to_string().into();
    ProductId as "string", "24-hex", |id| id.to_string().into();
    Timestamp as "string", "date-time", |at| at.to_string().into();
    Money as "number", "decimal", |money| decimal(money.minor());
    Percent as "number", "decimal", |percent| decimal(percent.hundredths().into());
}

/// Writes an amount in hundredths as a JSON number: 249950 becomes `2499.5`.
///
/// A double is written as the shortest text that reads back as the same double. Up to 15 digits that text is exactly
/// the decimal number from which the double was made.
fn decimal(hundredths: i64) -> Value {
    if hundredths % 100 == 0 {
        return (hundredths / 100).into();
    }
    #[allow(clippy::cast_precision_loss, reason = "amounts stay far below 2^53")]
    (hundredths as f64 / 100.0).into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn whole_amounts_have_no_decimals() {
        assert_eq!(decimal(1_250_000).to_string(), "12500");
        assert_eq!(decimal(30).to_string(), "0.3");
    }

    proptest! {
        #[test]
        fn amounts_are_written_exactly(minor in 0..=100_000_000_000_000_i64) {
            let text = decimal(minor).to_string();
            prop_assert_eq!(text.parse::<Money>().map(Money::minor), Ok(minor), "{}", text);
        }
    }
}
