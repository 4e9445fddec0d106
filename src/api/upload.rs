//! Bodies with an image: forms (`multipart/form-data`, RFC 7578) and, where an image may also be given by its URL,
//! JSON and forms without files (`application/x-www-form-urlencoded`). The whole body is read into memory. No part of it
//! is written to a file.

use bytes::Bytes;
use percent_encoding::percent_decode;
use poem::{
    FromRequest, Request, RequestBody,
    error::ParseMultipartError,
    http::{StatusCode, header},
    web::{Field, Multipart},
};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    registry::{MetaMediaType, MetaRequest, MetaSchema, MetaSchemaRef, Registry},
    types::Type,
};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{
    body::{self, Unchecked},
    error::{ApiError, BodyFault, ErrorCode},
};
use crate::{
    app::App,
    images::{self, ImageError, PictureKind},
    values::invalid::{Faults, InvalidField},
};

/// The largest image, in bytes.
const MAX_IMAGE: usize = 5 * 1024 * 1024;
/// The largest value of any other field, in bytes.
const MAX_TEXT: usize = 64 * 1024;
/// The longest field name that is read, in bytes. Fields with longer names are ignored, because the API has none.
const MAX_NAME: usize = 64;
/// The content type of forms.
pub(super) const FORM: &str = "multipart/form-data";
/// The content type of forms without files.
const PLAIN_FORM: &str = "application/x-www-form-urlencoded";

/// The bytes of the form field `image`. The content type that the field declares is not looked at.
pub struct ImageUpload(pub Bytes);

/// A body that was read as `T`, from JSON or from a form. The fields of a form arrive as strings. A form may also
/// contain a file `image`.
pub struct FormOrJson<T> {
    /// The fields, as [`Unchecked`] reads them.
    fields: T,
    /// The image, if one was sent. An empty file counts as left out.
    image: Option<Bytes>,
    faults: Faults,
    /// Whether the body contains neither fields nor an image. Unknown fields count as fields.
    pub is_empty: bool,
}

/// The contents of a form.
#[derive(Default)]
struct Form {
    texts: Map<String, Value>,
    image: Option<Bytes>,
    /// Faults of fields that are left out for that.
    faults: Faults,
}

impl<T> FormOrJson<T> {
    /// Checks the fields and returns the result, or an error that names all faults, that of the image among them.
    /// `check` gets the image too, and returns `None` if it has added a fault.
    pub async fn check<U>(
        self,
        app: &App,
        check: impl FnOnce(T, Option<Bytes>, &mut Faults) -> Option<U>,
    ) -> Result<U, ApiError> {
        let Self { fields, image, mut faults, .. } = self;
        let checked = check(fields, image.clone(), &mut faults);
        // Without other faults the image is read when it is stored.
        if !faults.is_empty()
            && let Some(image) = image
            && let Err(ImageError::Invalid(why)) = images::check(app, image, PictureKind::Catalogue).await
        {
            faults.add_of_image(InvalidField { field: "image".into(), text: why.to_string() });
        }
        body::finish(faults, checked)
    }
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
        let Form { image, faults, .. } = Form::read(request, body).await?;
        faults.none_or(()).map_err(ApiError::from)?;
        Ok(Self(image.ok_or_else(missing)?))
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
        let mut meta = <Unchecked<T> as ApiExtractor<'a>>::request_meta()?;
        meta.content.push(MetaMediaType { content_type: FORM, schema: MetaSchemaRef::Inline(Box::new(form)) });
        Some(meta)
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let Form { texts, image, mut faults } = match media_type(request) {
            Some(FORM) => Form::read(request, body).await?,
            Some(PLAIN_FORM) => Form::of_pairs(&body.take()?.into_bytes().await?),
            _ => Form { texts: body::object(request, body).await.map_err(name_both_types)?, ..Form::default() },
        };
        let is_empty = texts.is_empty() && image.is_none() && faults.is_empty();
        Ok(Self { is_empty, fields: body::read(texts, &mut faults)?, image, faults })
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

    /// Adds one part to the form. Ignores files other than `image`, like unknown fields of JSON. A field that is given
    /// twice is at fault.
    async fn take(&mut self, part: Field) -> Result<(), ApiError> {
        let name = part.name().unwrap_or_default().to_owned();
        if name == "image" {
            let Some(image) = read_image(part).await? else { return Ok(()) };
            if self.image.replace(image).is_some() {
                self.add_fault(&name, "is given more than once");
            }
            return Ok(());
        }
        if part.file_name().is_none() {
            let bytes = part.bytes().await.map_err(|error| unreadable(&error.into()))?;
            self.put(&name, bytes);
        }
        Ok(())
    }

    /// Reads the pairs of a form without files.
    fn of_pairs(body: &[u8]) -> Self {
        let mut form = Self::default();
        for pair in body.split(|byte| *byte == b'&') {
            let mut halves = pair.splitn(2, |byte| *byte == b'=').map(decoded);
            let name = String::from_utf8(halves.next().unwrap_or_default()).unwrap_or_default();
            form.put(&name, halves.next().unwrap_or_default());
        }
        form
    }

    /// Adds a text. Ignores names that no field has.
    fn put(&mut self, name: &str, bytes: Vec<u8>) {
        if name.is_empty() || name.len() > MAX_NAME {
            return;
        }
        match text(bytes) {
            Err(what) => self.add_fault(name, what),
            Ok(text) => {
                if self.texts.insert(name.to_owned(), Value::String(text)).is_some() {
                    self.add_fault(name, "is given more than once");
                }
            }
        }
    }

    fn add_fault(&mut self, field: &str, what: &str) {
        self.faults.add_unreadable(field.to_owned(), format!("{field} {what}"));
    }
}

async fn read_image(part: Field) -> Result<Option<Bytes>, ApiError> {
    let bytes = part.bytes().await.map_err(|error| unreadable(&error.into()))?;
    match bytes.len() {
        0 => Ok(None),
        1..=MAX_IMAGE => Ok(Some(bytes.into())),
        _ => Err(ApiError::new(ErrorCode::BodyTooLarge, "the image is larger than 5 MiB").with_field("image")),
    }
}

/// Returns the text of a field, or what is wrong with it.
fn text(bytes: Vec<u8>) -> Result<String, &'static str> {
    if bytes.len() > MAX_TEXT {
        return Err("is longer than 64 KiB");
    }
    // Browsers send the line breaks of a form field as CR LF, on every system.
    let text = String::from_utf8(bytes).map(|text| text.replace("\r\n", "\n"));
    text.map_err(|_| "must be text in UTF-8")
}

/// Decodes a name or a value of a form without files.
fn decoded(text: &[u8]) -> Vec<u8> {
    let spaced: Vec<u8> = text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    percent_decode(&spaced).collect()
}

/// Returns whether the `Content-Type` of the request is that of a form with files.
pub(super) fn is_form(request: &Request) -> bool {
    media_type(request) == Some(FORM)
}

/// Returns which kind of form a request has; `None` for everything else.
fn media_type(request: &Request) -> Option<&'static str> {
    let content_type = request.headers().get(header::CONTENT_TYPE)?.to_str().ok()?;
    let given = content_type.split(';').next().unwrap_or_default().trim();
    [FORM, PLAIN_FORM].into_iter().find(|kind| given.eq_ignore_ascii_case(kind))
}

/// Replaces a 415 error that only names JSON with one that names both types. Returns other errors as they are.
fn name_both_types(error: poem::Error) -> poem::Error {
    if error.status() != StatusCode::UNSUPPORTED_MEDIA_TYPE {
        return error;
    }
    ApiError::new(ErrorCode::UnsupportedMediaType, "the body must be application/json or multipart/form-data").into()
}

fn unreadable(error: &poem::Error) -> ApiError {
    if let Some(fault) = error.downcast_ref::<ParseMultipartError>().and_then(|error| BodyFault::behind(error)) {
        return fault.into();
    }
    match error.downcast_ref::<ParseMultipartError>() {
        Some(ParseMultipartError::InvalidContentType(_) | ParseMultipartError::ContentTypeRequired) => {
            ApiError::new(ErrorCode::UnsupportedMediaType, "the body must be multipart/form-data")
        }
        _ => ApiError::new(ErrorCode::InvalidBody, "the body is not a valid form"),
    }
}

/// Returns the schema of a form with a file `image`.
fn image_schema(description: &'static str) -> MetaSchema {
    let image = MetaSchema { description: Some(description), ..MetaSchema::new_with_format("string", "binary") };
    MetaSchema { properties: vec![("image", MetaSchemaRef::Inline(Box::new(image)))], ..MetaSchema::new("object") }
}

#[cfg(test)]
mod tests {
    use poem_openapi::{Object, OpenApi, payload::PlainText};
    use serde::Deserialize;

    use super::*;
    use crate::api::{
        error::ApiResult,
        fields::{Decimal, Line},
    };

    #[derive(Object, Deserialize)]
    struct Fields {
        name: Option<Line>,
        price: Option<Decimal>,
    }

    struct Api;

    #[OpenApi]
    impl Api {
        /// Returns what was read.
        #[oai(path = "/", method = "post")]
        async fn read(&self, body: FormOrJson<Fields>) -> ApiResult<PlainText<String>> {
            body.faults.none_or(()).map_err(ApiError::from)?;
            let text = |line: Option<Line>| line.map_or("-".to_owned(), |line| line.0);
            let Fields { name, price } = body.fields;
            let image = body.image.map_or(0, |bytes| bytes.len());
            Ok(PlainText(format!("{} {} {image}", text(name), text(price.map(|price| Line(price.0))))))
        }
    }

    /// Returns the answer to a body with this content type: the text, or the status and the message of the error.
    async fn answer(content_type: &str, body: impl Into<Vec<u8>>) -> String {
        let endpoint = poem::Route::new().nest("/", poem_openapi::OpenApiService::new(Api, "", ""));
        let request = Request::builder().method(poem::http::Method::POST).content_type(content_type).body(body.into());
        match poem::Endpoint::call(&endpoint, request).await {
            Ok(response) => response.into_body().into_string().await.expect("text"),
            Err(error) => format!("{} {error}", error.status().as_u16()),
        }
    }

    /// Sends a form and returns the answer. A part is the end of its `Content-Disposition` line, and its bytes.
    async fn form(parts: &[(&str, &[u8])]) -> String {
        let mut body = Vec::new();
        for (disposition, bytes) in parts {
            body.extend(format!("--b\r\nContent-Disposition: form-data; {disposition}\r\n\r\n").into_bytes());
            body.extend_from_slice(bytes);
            body.extend(b"\r\n");
        }
        body.extend(b"--b--\r\n");
        answer("multipart/form-data; boundary=b", body).await
    }

    const IMAGE: &str = "name=\"image\"; filename=\"a.png\"";

    #[tokio::test]
    async fn forms_and_json_are_read_alike() {
        assert_eq!(answer("application/json", "{\"name\":\" a \",\"price\":1.5,\"image\":7}").await, "a 1.5 0");
        assert_eq!(form(&[("name=name", b" a "), ("name=price", b"1.5"), (IMAGE, b"xyz")]).await, "a 1.5 3");
        assert_eq!(answer(PLAIN_FORM, "name=+a%20&price=1%2E5&other&image=x").await, "a 1.5 0");
        assert_eq!(form(&[]).await, "- - 0");
        assert_eq!(answer("application/json", "").await, "- - 0");
    }

    #[tokio::test]
    async fn what_nobody_asked_for_and_empty_images_count_as_left_out() {
        let files = [("name=name; filename=x", &[0xff; 70_000][..]), ("name=other", b"y"), (IMAGE, b""), (IMAGE, b"x")];
        assert_eq!(form(&files).await, "- - 1");
        assert_eq!(form(&[(IMAGE, b"")]).await, "- - 0");
    }

    #[tokio::test]
    async fn faults_name_their_field() {
        let long = vec![b'a'; MAX_TEXT + 1];
        let large = vec![0; MAX_IMAGE + 1];
        assert_eq!(form(&[("name=name", b"a\0b")]).await, "400 name must not contain control characters");
        assert_eq!(form(&[("name=name", b"a"), ("name=name", b"a")]).await, "400 name is given more than once");
        assert_eq!(form(&[(IMAGE, b"a"), (IMAGE, b"a")]).await, "400 image is given more than once");
        assert_eq!(form(&[("name=name", &long)]).await, "400 name is longer than 64 KiB");
        assert_eq!(form(&[("name=name", b"\xff")]).await, "400 name must be text in UTF-8");
        assert_eq!(answer(PLAIN_FORM, "name=%ff&price=1").await, "400 name must be text in UTF-8");
        assert_eq!(answer(PLAIN_FORM, "name=a&price=1&name=b").await, "400 name is given more than once");
        assert_eq!(form(&[(IMAGE, &large)]).await, "413 the image is larger than 5 MiB");
        assert_eq!(
            answer("multipart/form-data; boundary=b", "--b\r\nrubbish").await,
            "400 the body is not a valid form"
        );
        assert_eq!(answer("multipart/form-data", "x").await, "400 the body is not a valid form");
        assert_eq!(answer("text/plain", "x").await, "415 the body must be application/json or multipart/form-data");
    }
}
