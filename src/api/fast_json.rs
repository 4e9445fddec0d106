//! Answers that are written directly as text. [`Json`] first builds a tree of values, which takes a third of the time
//! that the server needs for a page of products. The types of the most frequent answers therefore also derive serde's
//! `Serialize`, and serde writes them.

use poem::{IntoResponse, Response, web};
use poem_openapi::{
    ApiResponse,
    payload::{Json, Payload},
    registry::{MetaResponses, Registry},
    types::{ToJSON, Type},
};
use serde::{Serialize, Serializer};

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

/// Serializes a scalar as the API writes it; for `serialize_with` in serde's derives. The scalar's own `Serialize` is
/// for the database, and writes another form.
pub fn scalar<T: ToJSON, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    value.to_json().serialize(serializer)
}

/// Asserts that serde writes the same JSON as poem-openapi, from which the OpenAPI description is made.
#[cfg(test)]
pub fn assert_as_described<T: ToJSON + Serialize>(answer: &T) {
    let written = serde_json::to_value(answer).expect("JSON");
    assert_eq!(Some(written), answer.to_json());
}
