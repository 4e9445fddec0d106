//! An image in a form, `multipart/form-data` (RFC 7578).

use poem::{
    FromRequest, Request, RequestBody,
    error::ParseMultipartError,
    http::header,
    web::{Field, Multipart},
};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    registry::{MetaMediaType, MetaRequest, MetaSchema, MetaSchemaRef},
};

use crate::{
    domain::invalid::InvalidField,
    error::{ApiError, ErrorCode},
};

/// Bytes of an image.
const MAX_BYTES: usize = 5 * 1024 * 1024;

/// The bytes of the form's field `image`, whatever they call themselves.
pub struct ImageUpload(pub Vec<u8>);

impl<'a> ApiExtractor<'a> for ImageUpload {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];
    type ParamType = ();
    type ParamRawType = ();

    fn request_meta() -> Option<MetaRequest> {
        let image = MetaSchema {
            description: Some("PNG, JPEG or WebP, at most 5 MiB and 12 megapixels."),
            ..MetaSchema::new_with_format("string", "binary")
        };
        let form = MetaSchema {
            required: vec!["image"],
            properties: vec![("image", MetaSchemaRef::Inline(Box::new(image)))],
            ..MetaSchema::new("object")
        };
        let schema = MetaSchemaRef::Inline(Box::new(form));
        let content = vec![MetaMediaType { content_type: "multipart/form-data", schema }];
        Some(MetaRequest { description: None, content, required: true })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        if !request.headers().contains_key(header::CONTENT_TYPE) {
            return Err(missing().into());
        }
        let mut form =
            <Multipart as FromRequest>::from_request(request, body).await.map_err(|error| unreadable(&error))?;
        while let Some(field) = form.next_field().await.map_err(|error| unreadable(&error.into()))? {
            if field.name() == Some("image") {
                return Ok(Self(read(field).await?));
            }
        }
        Err(missing().into())
    }
}

async fn read(field: Field) -> Result<Vec<u8>, ApiError> {
    let bytes = field.bytes().await.map_err(|error| unreadable(&error.into()))?;
    match bytes.len() {
        0 => Err(missing()),
        1..=MAX_BYTES => Ok(bytes),
        _ => Err(ApiError::new(ErrorCode::BodyTooLarge, "the image is larger than 5 MiB").with_field("image")),
    }
}

fn missing() -> ApiError {
    InvalidField::required("image").into()
}

fn unreadable(error: &poem::Error) -> ApiError {
    match error.downcast_ref::<ParseMultipartError>() {
        Some(ParseMultipartError::InvalidContentType(_) | ParseMultipartError::ContentTypeRequired) => {
            ApiError::new(ErrorCode::UnsupportedMediaType, "the body must be multipart/form-data")
        }
        _ => ApiError::new(ErrorCode::InvalidBody, "the body is not a valid form"),
    }
}
