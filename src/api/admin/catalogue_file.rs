//! A file of the catalogue as a body, in either direction: it is never in memory as a whole.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use futures_util::StreamExt;
use poem::{
    Body, FromRequest, IntoResponse, Request, RequestBody, Response,
    http::{HeaderMap, header},
    web::Multipart,
};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ApiResponse, ExtractParamOptions,
    registry::{
        MetaHeader, MetaMediaType, MetaRequest, MetaResponse, MetaResponses, MetaSchema, MetaSchemaRef, Registry,
    },
};
use tokio::io::{AsyncRead, ReadBuf};

use crate::{
    api::{
        error::{ApiError, ErrorCode},
        upload::{FORM, is_form},
    },
    catalogue::transfer::{Export, Format},
};

/// Bytes of a file.
const LIMIT: u64 = 256 * 1024 * 1024;
/// How long what is left of a refused file is read.
const DRAIN_LIMIT: Duration = Duration::from_secs(10);
/// The part of a form that is the file.
const PART: &str = "file";

/// A file that somebody sends.
pub(super) struct Upload {
    /// How its rows are written.
    pub(super) format: Format,
    /// Its bytes, as they come.
    pub(super) source: Pin<Box<dyn AsyncRead + Send>>,
    is_too_long: Arc<AtomicBool>,
}

/// A file that is being written.
pub(super) struct Download {
    /// How its rows are written.
    pub(super) format: Format,
    /// Its bytes, as they are ready.
    pub(super) body: Body,
}

impl Upload {
    async fn read(request: &Request, body: &mut RequestBody) -> Result<Self, ApiError> {
        if declared_length(request.headers()) > Some(LIMIT) {
            return Err(too_long());
        }
        let is_too_long = Arc::new(AtomicBool::new(false));
        let body = body.take().map_err(|_| ApiError::internal())?;
        let source = Limited { source: body.into_async_read(), left: LIMIT, is_too_long: Arc::clone(&is_too_long) };
        let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let no_type = || ApiError::new(ErrorCode::UnsupportedMediaType, "a body needs a Content-Type");
        let content_type = content_type.ok_or_else(no_type)?;
        if let Some(format) = Format::of_content_type(content_type) {
            return Ok(Self { format, source: Box::pin(source), is_too_long });
        }
        if is_form(request) {
            let (format, source) = part(request, Body::from_async_read(source)).await?;
            return Ok(Self { format, source, is_too_long });
        }
        let wanted = "the body must be text/csv, application/x-ndjson or multipart/form-data";
        Err(ApiError::new(ErrorCode::UnsupportedMediaType, wanted))
    }

    /// The refusal of a file that couldn't be read to its end.
    pub(super) fn unreadable(&self) -> ApiError {
        if self.is_too_long.load(Ordering::Relaxed) {
            return too_long();
        }
        ApiError::new(ErrorCode::InvalidBody, "the file can't be read to its end")
    }

    /// Reads what is left of a refused file: a client that writes its whole request before it reads would otherwise see
    /// a reset connection in place of the answer.
    pub(super) async fn drain(mut self) {
        let mut nowhere = tokio::io::sink();
        let rest = tokio::io::copy(&mut self.source, &mut nowhere);
        let _too_slow_is_as_good_as_done = tokio::time::timeout(DRAIN_LIMIT, rest).await;
    }
}

/// The file in a form; its name tells more of its format than what programs call its type.
async fn part(request: &Request, body: Body) -> Result<(Format, Pin<Box<dyn AsyncRead + Send>>), ApiError> {
    let no_form = || ApiError::new(ErrorCode::InvalidBody, "the body is not a valid form");
    let parts = <Multipart as FromRequest>::from_request(request, &mut RequestBody::new(body)).await;
    let mut parts = parts.map_err(|_| no_form())?;
    while let Some(part) = parts.next_field().await.map_err(|_| no_form())? {
        if part.name() == Some(PART) {
            let by_name = part.file_name().and_then(Format::of_file_name);
            let format = by_name.or_else(|| Format::of_content_type(part.content_type()?)).unwrap_or(Format::Csv);
            return Ok((format, Box::pin(part.into_async_read())));
        }
    }
    Err(ApiError::new(ErrorCode::InvalidInput, "file is required").with_field(PART))
}

fn declared_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn too_long() -> ApiError {
    ApiError::new(ErrorCode::BodyTooLarge, "the file is larger than 256 MiB")
}

/// Bytes that end in an error when there are too many of them.
struct Limited<R> {
    source: R,
    left: u64,
    is_too_long: Arc<AtomicBool>,
}

impl<R: AsyncRead + Unpin> AsyncRead for Limited<R> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        ready!(Pin::new(&mut this.source).poll_read(context, buffer))?;
        let read = (buffer.filled().len() - before) as u64;
        match this.left.checked_sub(read) {
            Some(left) => {
                this.left = left;
                Poll::Ready(Ok(()))
            }
            None => {
                // A reader that fails has read nothing.
                buffer.set_filled(before);
                this.is_too_long.store(true, Ordering::Relaxed);
                Poll::Ready(Err(io::ErrorKind::FileTooLarge.into()))
            }
        }
    }
}

impl<'a> ApiExtractor<'a> for Upload {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];
    type ParamType = ();
    type ParamRawType = ();

    fn request_meta() -> Option<MetaRequest> {
        let file = MetaSchema {
            description: Some("A file of one of the other two types; its name or type tells which."),
            ..MetaSchema::new_with_format("string", "binary")
        };
        let form = MetaSchema {
            required: vec![PART],
            properties: vec![(PART, MetaSchemaRef::Inline(Box::new(file)))],
            ..MetaSchema::new("object")
        };
        let mut content = file_types();
        content.push(MetaMediaType { content_type: FORM, schema: MetaSchemaRef::Inline(Box::new(form)) });
        Some(MetaRequest { description: Some("Rows as an export has them, at most 256 MiB."), content, required: true })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        Ok(Self::read(request, body).await?)
    }
}

impl Download {
    /// The file that an export writes from now on.
    pub(super) fn of(export: Export, tasks: &tokio_util::task::TaskTracker) -> Self {
        let format = export.format();
        let pieces = export.stream(tasks).map(|piece| Ok::<_, io::Error>(piece.unwrap_or_else(|_| break_connection())));
        Self { format, body: Body::from_bytes_stream(pieces) }
    }
}

/// Ends the connection in the middle of an answer, as hyper does when a body fails. poem (3.1.12) asks hyper once more
/// after that, and then the answer is ended as if it were whole; unwinding is what closes its socket instead. The panic
/// hook doesn't hear of it, and only the task of this connection ends.
fn break_connection() -> ! {
    std::panic::resume_unwind(Box::new("an answer was cut off"))
}

impl IntoResponse for Download {
    fn into_response(self) -> Response {
        let name = format!("attachment; filename=\"catalogue.{}\"", self.format.extension());
        let content_type = format!("{}; charset=utf-8", self.format.content_type());
        Response::builder().content_type(content_type).header(header::CONTENT_DISPOSITION, name).body(self.body)
    }
}

impl ApiResponse for Download {
    fn meta() -> MetaResponses {
        let name = MetaHeader {
            name: "Content-Disposition".to_owned(),
            description: Some("`attachment`, with a name for the file.".to_owned()),
            required: true,
            deprecated: false,
            schema: <String as poem_openapi::types::Type>::schema_ref(),
        };
        let response = MetaResponse {
            description: "The file. A connection that breaks before its end has cut it off.",
            status: Some(200),
            status_range: None,
            content: file_types(),
            headers: vec![name],
        };
        MetaResponses { responses: vec![response] }
    }

    fn register(_: &mut Registry) {}
}

/// The types of a file, each with the same two rows as its example.
fn file_types() -> Vec<MetaMediaType> {
    let of = |format: Format| {
        let text = MetaSchema { example: Some(format.example().into()), ..MetaSchema::new("string") };
        MetaMediaType { content_type: format.content_type(), schema: MetaSchemaRef::Inline(Box::new(text)) }
    };
    vec![of(Format::Csv), of(Format::JsonLines)]
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;

    use super::*;

    #[tokio::test]
    async fn what_is_longer_than_the_limit_is_told_from_what_breaks_off() {
        for (left, is_too_long) in [(5, false), (4, true)] {
            let flag = Arc::new(AtomicBool::new(false));
            let mut limited = Limited { source: b"12345".as_slice(), left, is_too_long: Arc::clone(&flag) };
            let read = limited.read_to_end(&mut Vec::new()).await;
            assert_eq!((read.is_err(), flag.load(Ordering::Relaxed)), (is_too_long, is_too_long));
        }
    }
}
