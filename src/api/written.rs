//! Answers that are written straight to text. [`Json`] builds a tree of values first, which is a third of the time that the
//! server takes for a page of products: what is asked for most often is derived from serde as well, and written by it.

use poem::{IntoResponse, Response, web};
use poem_openapi::{
    ApiResponse,
    payload::{Json, Payload},
    registry::{MetaResponses, Registry},
    types::{ToJSON, Type},
};
use serde::{Serialize, Serializer};

/// A `T` as JSON, described as [`Json`] describes it.
pub struct Written<T>(pub T);

impl<T: Serialize + Send> IntoResponse for Written<T> {
    fn into_response(self) -> Response {
        web::Json(self.0).into_response()
    }
}

impl<T: Type + ToJSON> ApiResponse for Written<T> {
    fn meta() -> MetaResponses {
        <Json<T> as ApiResponse>::meta()
    }

    fn register(registry: &mut Registry) {
        <Json<T> as Payload>::register(registry);
    }
}

/// For serde's derives: a scalar as the API writes it, which is not how it is stored.
pub fn scalar<T: ToJSON, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    value.to_json().serialize(serializer)
}

/// That serde writes what the spec describes.
#[cfg(test)]
pub fn assert_as_described<T: ToJSON + Serialize>(answer: &T) {
    let written = serde_json::to_value(answer).expect("JSON");
    assert_eq!(Some(written), answer.to_json());
}
