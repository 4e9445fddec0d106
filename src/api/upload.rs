//! Bodies with an image: `multipart/form-data` (RFC 7578), and where an image may also be named by its URL, JSON.
//! Everything is read in memory, no part ever becomes a file.

use poem::{
    FromRequest, Request, RequestBody,
    error::ParseMultipartError,
    http::header,
    web::{Field, Multipart},
};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    registry::{MetaMediaType, MetaRequest, MetaSchema, MetaSchemaRef, Registry},
    types::Type,
};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::body::{self, Body};
use crate::{
    domain::invalid::InvalidField,
    error::{ApiError, ErrorCode},
};

/// Bytes of an image.
const MAX_IMAGE: usize = 5 * 1024 * 1024;
/// Bytes of any other field.
const MAX_TEXT: usize = 64 * 1024;
/// Bytes of a field's name; a longer one is none of ours and isn't repeated in an error.
const MAX_NAME: usize = 64;
const FORM: &str = "multipart/form-data";

/// The bytes of the form's field `image`, whatever they call themselves.
pub struct ImageUpload(pub Vec<u8>);

/// A body read as `T`: JSON, or a form whose fields arrive as strings and which may hold a file `image` beside them.
pub struct FormOrJson<T> {
    /// What [`Body`] would have read.
    pub fields: T,
    /// The image, if one was sent; an empty one counts as left out.
    pub image: Option<Vec<u8>>,
    /// Whether nothing was sent at all, known or unknown.
    pub is_empty: bool,
}

/// What a form holds.
#[derive(Default)]
struct Form {
    texts: Map<String, Value>,
    image: Option<Vec<u8>>,
}

impl<'a> ApiExtractor<'a> for ImageUpload {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];
    type ParamType = ();
    type ParamRawType = ();

    fn request_meta() -> Option<MetaRequest> {
        let form = MetaSchema {
            required: vec!["image"],
            ..image_schema("PNG, JPEG or WebP, at most 5 MiB and 12 megapixels.")
        };
        let content = vec![MetaMediaType { content_type: FORM, schema: MetaSchemaRef::Inline(Box::new(form)) }];
        Some(MetaRequest { description: None, content, required: true })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let missing = || ApiError::from(InvalidField::required("image"));
        if !request.headers().contains_key(header::CONTENT_TYPE) {
            return Err(missing().into());
        }
        Ok(Self(Form::read(request, body).await?.image.ok_or_else(missing)?))
    }
}

impl<'a, T: Type + DeserializeOwned> ApiExtractor<'a> for FormOrJson<T> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        T::register(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        let image = image_schema("PNG, JPEG or WebP, at most 5 MiB and 50 megapixels; takes the place of `image_url`.");
        let form =
            MetaSchema { all_of: vec![T::schema_ref(), MetaSchemaRef::Inline(Box::new(image))], ..MetaSchema::ANY };
        let mut meta = <Body<T> as ApiExtractor<'a>>::request_meta()?;
        meta.content.push(MetaMediaType { content_type: FORM, schema: MetaSchemaRef::Inline(Box::new(form)) });
        Some(meta)
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let Form { texts, image } = if is_form(request) {
            Form::read(request, body).await?
        } else {
            Form { texts: body::object(request, body).await?, image: None }
        };
        Ok(Self { is_empty: texts.is_empty() && image.is_none(), fields: body::read(texts)?, image })
    }
}

impl Form {
    async fn read(request: &Request, body: &mut RequestBody) -> Result<Self, ApiError> {
        let parts = <Multipart as FromRequest>::from_request(request, body).await;
        let mut parts = parts.map_err(|error| unreadable(&error))?;
        let mut form = Self::default();
        while let Some(part) = parts.next_field().await.map_err(|error| unreadable(&error.into()))? {
            form.take(part).await?;
        }
        Ok(form)
    }

    /// Files that nobody asked for are passed over, as unknown fields of JSON are.
    async fn take(&mut self, part: Field) -> Result<(), ApiError> {
        let name = part.name().unwrap_or_default().to_owned();
        if name == "image" {
            return match (read_image(part).await?, &self.image) {
                (None, _) => Ok(()),
                (Some(_), Some(_)) => Err(fault(&name, "is given more than once")),
                (image, None) => {
                    self.image = image;
                    Ok(())
                }
            };
        }
        if name.is_empty() || name.len() > MAX_NAME || part.file_name().is_some() {
            return Ok(());
        }
        let text = read_text(&name, part).await?;
        match self.texts.insert(name.clone(), Value::String(text)) {
            None => Ok(()),
            Some(_) => Err(fault(&name, "is given more than once")),
        }
    }
}

async fn read_image(part: Field) -> Result<Option<Vec<u8>>, ApiError> {
    let bytes = part.bytes().await.map_err(|error| unreadable(&error.into()))?;
    match bytes.len() {
        0 => Ok(None),
        1..=MAX_IMAGE => Ok(Some(bytes)),
        _ => Err(ApiError::new(ErrorCode::BodyTooLarge, "the image is larger than 5 MiB").with_field("image")),
    }
}

async fn read_text(name: &str, part: Field) -> Result<String, ApiError> {
    let bytes = part.bytes().await.map_err(|error| unreadable(&error.into()))?;
    if bytes.len() > MAX_TEXT {
        return Err(fault(name, "is longer than 64 KiB"));
    }
    // Forms end their lines as mails do, whatever was typed.
    let text = String::from_utf8(bytes).map_err(|_| fault(name, "must be text in UTF-8"))?;
    Ok(text.replace("\r\n", "\n"))
}

fn is_form(request: &Request) -> bool {
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    content_type.is_some_and(|text| text.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(FORM))
}

fn fault(field: &str, what: &str) -> ApiError {
    ApiError::new(ErrorCode::InvalidInput, format!("{field} {what}")).with_field(field)
}

fn unreadable(error: &poem::Error) -> ApiError {
    match error.downcast_ref::<ParseMultipartError>() {
        Some(ParseMultipartError::InvalidContentType(_) | ParseMultipartError::ContentTypeRequired) => {
            ApiError::new(ErrorCode::UnsupportedMediaType, "the body must be multipart/form-data")
        }
        _ => ApiError::new(ErrorCode::InvalidBody, "the body is not a valid form"),
    }
}

/// A form with a file `image`.
fn image_schema(description: &'static str) -> MetaSchema {
    let image = MetaSchema { description: Some(description), ..MetaSchema::new_with_format("string", "binary") };
    MetaSchema { properties: vec![("image", MetaSchemaRef::Inline(Box::new(image)))], ..MetaSchema::new("object") }
}
