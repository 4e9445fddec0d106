//! Answers that are written directly as text. [`Json`] first builds a tree of values, which takes a third of the time
//! that the server needs for a page of products. The types of the most frequent answers therefore also derive serde's
//! `Serialize`, and serde writes them.

use std::borrow::Cow;

use poem::{IntoResponse, Response, web};
use poem_openapi::{
    ApiResponse,
    payload::{Json, Payload},
    registry::{MetaResponses, MetaSchemaRef, Registry},
    types::{ParseError, ParseFromJSON, ParseResult, ToJSON, Type},
};
use serde::{Serialize, Serializer};
use serde_json::Value;

/// A `T` that serde writes as JSON. Its OpenAPI description is the same as that of [`Json`].
pub struct FastJson<T>(pub T);

impl<T: Serialize + Send> IntoResponse for FastJson<T> {
    fn into_response(self) -> Response {
        web::Json(self.0).into_response()
    }
}

impl<T: Type + ToJSON> ApiResponse for FastJson<T> {
    fn meta() -> MetaResponses {
        <Json<T> as ApiResponse>::meta()
    }

    fn register(registry: &mut Registry) {
        <Json<T> as Payload>::register(registry);
    }
}

/// A scalar that serde writes as the API does. Its own `Serialize` is for the database, and writes another form.
#[derive(Debug, Clone, Copy)]
pub struct Scalar<T>(pub T);

impl<T> From<T> for Scalar<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl<T: ToJSON> Serialize for Scalar<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.to_json().serialize(serializer)
    }
}

impl<T: ToJSON> ToJSON for Scalar<T> {
    fn to_json(&self) -> Option<Value> {
        self.0.to_json()
    }
}

impl<T: ParseFromJSON> ParseFromJSON for Scalar<T> {
    fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
        T::parse_from_json(value).map(Self).map_err(|error| ParseError::custom(error.message()))
    }
}

impl<T: Type> Type for Scalar<T> {
    const IS_REQUIRED: bool = T::IS_REQUIRED;
    type RawValueType = T::RawValueType;
    type RawElementValueType = T::RawElementValueType;

    fn name() -> Cow<'static, str> {
        T::name()
    }

    fn schema_ref() -> MetaSchemaRef {
        T::schema_ref()
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }

    fn as_raw_value(&self) -> Option<&Self::RawValueType> {
        self.0.as_raw_value()
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self::RawElementValueType> + 'a> {
        self.0.raw_element_iter()
    }
}

/// Asserts that serde writes the same JSON as poem-openapi, from which the OpenAPI description is made.
#[cfg(test)]
pub fn assert_as_described<T: ToJSON + Serialize>(answer: &T) {
    let written = serde_json::to_value(answer).expect("JSON");
    assert_eq!(Some(written), answer.to_json());
}
