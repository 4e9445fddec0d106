//! JSON bodies of requests. An empty body counts as `{}`, and an error in a field names that field.

use poem::{
    Request, RequestBody,
    http::{HeaderMap, header},
};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    payload::{Json, Payload},
    registry::{MetaMediaType, MetaRequest, Registry},
    types::Type,
};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::error::{ApiError, ErrorCode};

/// A body that was read as `T`. The fields of `T` must be types of [`super::fields`], because callers read the error
/// messages of these types.
pub struct Body<T>(pub T);

impl<'a, T: Type + DeserializeOwned> ApiExtractor<'a> for Body<T> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        T::register(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        let content = vec![MetaMediaType { content_type: Json::<T>::CONTENT_TYPE, schema: T::schema_ref() }];
        Some(MetaRequest { description: None, content, required: false })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        Ok(Self(read(object(request, body).await?)?))
    }
}

/// Reads the body as a JSON object; an empty body is an empty object. Fails with `invalid_body` if the body is not a
/// JSON object, and with `unsupported_media_type` if it has another content type.
pub(super) async fn object(request: &Request, body: &mut RequestBody) -> poem::Result<Map<String, Value>> {
    let body = body.take()?;
    if body.is_empty() {
        return Ok(Map::new());
    }
    refuse_other_types(request.headers())?;
    let bytes = body.into_bytes().await?;
    if bytes.is_empty() {
        return Ok(Map::new());
    }
    match serde_json::from_slice(&bytes) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(ApiError::new(ErrorCode::InvalidBody, "the body must be a JSON object").into()),
        Err(_) => Err(ApiError::new(ErrorCode::InvalidBody, "the body is not valid JSON").into()),
    }
}

/// Accepts `application/json` and types that end with `+json` (RFC 6839). Accepts a body without a `Content-Type` too:
/// the layer `http/body_limit.rs` has refused such bodies before, unless they are empty.
fn refuse_other_types(headers: &HeaderMap) -> Result<(), ApiError> {
    let Some(given) = headers.get(header::CONTENT_TYPE) else { return Ok(()) };
    if given.to_str().is_ok_and(Json::<Value>::check_content_type) {
        return Ok(());
    }
    Err(ApiError::new(ErrorCode::UnsupportedMediaType, "the body must be application/json"))
}

/// Deserializes the fields of a body. The error names the path of the field at fault, such as `address.city`.
pub(super) fn read<T: DeserializeOwned>(fields: Map<String, Value>) -> Result<T, ApiError> {
    serde_path_to_error::deserialize(Value::Object(fields)).map_err(|error| {
        let field = error.path().to_string();
        ApiError::new(ErrorCode::InvalidInput, format!("{field} {}", error.inner())).with_field(field)
    })
}
