//! Ids, times and amounts at the API's edge: 24-hex strings, RFC 3339 texts and exact JSON numbers.

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

/// An id in a path. What is no id names nothing, so it reads as an id that isn't there: both are 404.
pub struct PathId<Id>(Option<Id>);

impl<Id> PathId<Id> {
    /// The id, or the refusal that says what wasn't found.
    pub fn or<E>(self, missing: E) -> Result<Id, E> {
        self.0.ok_or(missing)
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

/// How the spec describes a type, and how it is written.
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

        /// The derives of response types ask for it; responses are only written.
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

/// Hundredths as a JSON number. A double writes the shortest text that reads back as itself, which up to 15 digits is
/// the very decimal it came from.
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
