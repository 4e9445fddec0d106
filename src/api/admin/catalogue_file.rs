//! Files of the catalogue as bodies of requests and answers. They are read and written piece by piece, and never are in
//! memory as a whole.

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
    catalogue::transfer::{Charset, Export, TableFile, TableFormat, UnknownCharset},
};

/// The largest file, in bytes.
const LIMIT: u64 = 256 * 1024 * 1024;
/// The longest time for which the rest of a refused file is read.
const DRAIN_LIMIT: Duration = Duration::from_secs(10);
/// The name of the form field with the file.
const PART: &str = "file";

/// The bytes of a file, as they arrive.
type Source = Pin<Box<dyn AsyncRead + Send>>;

/// A file that a caller sends. A read fails if the file is larger than 256 MiB.
pub(super) struct Upload {
    file: TableFile<Source>,
    is_too_long: Arc<AtomicBool>,
}

/// A file that an export writes while the caller receives it.
pub(super) struct Download {
    /// The format of the rows.
    pub(super) format: TableFormat,
    /// The bytes of the file, as they are written.
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
        if let Some(format) = TableFormat::of_content_type(content_type) {
            let charset = Charset::of_content_type(content_type)?;
            return Ok(Self { file: TableFile { source: Box::pin(source), format, charset }, is_too_long });
        }
        if is_form(request) {
            return Ok(Self { file: part(request, Body::from_async_read(source)).await?, is_too_long });
        }
        let wanted = "the body must be text/csv, application/x-ndjson or multipart/form-data";
        Err(ApiError::new(ErrorCode::UnsupportedMediaType, wanted))
    }

    /// Returns the file, for an import to read.
    pub(super) fn file(&mut self) -> TableFile<&mut Source> {
        let TableFile { source, format, charset } = &mut self.file;
        TableFile { source, format: *format, charset: *charset }
    }

    /// Returns the error for a file that couldn't be read to its end: 413 if it was too large, otherwise 400.
    pub(super) fn unreadable(&self) -> ApiError {
        if self.is_too_long.load(Ordering::Relaxed) {
            return too_long();
        }
        ApiError::new(ErrorCode::InvalidBody, "the file can't be read to its end")
    }

    /// Reads and drops the rest of a refused file, for 10 seconds at most. A client that sends its whole request before
    /// it reads would otherwise see a reset connection instead of the answer.
    pub(super) async fn drain(mut self) {
        let mut nowhere = tokio::io::sink();
        let rest = tokio::io::copy(&mut self.file.source, &mut nowhere);
        let _too_slow_is_as_good_as_done = tokio::time::timeout(DRAIN_LIMIT, rest).await;
    }
}

/// Returns the file in a form. The file name decides before the content type, because programs often
/// send a wrong content type. Without either the format is CSV.
async fn part(request: &Request, body: Body) -> Result<TableFile<Source>, ApiError> {
    let no_form = || ApiError::new(ErrorCode::InvalidBody, "the body is not a valid form");
    let parts = <Multipart as FromRequest>::from_request(request, &mut RequestBody::new(body)).await;
    let mut parts = parts.map_err(|_| no_form())?;
    while let Some(part) = parts.next_field().await.map_err(|_| no_form())? {
        if part.name() == Some(PART) {
            let by_name = part.file_name().and_then(TableFormat::of_file_name);
            let format =
                by_name.or_else(|| TableFormat::of_content_type(part.content_type()?)).unwrap_or(TableFormat::Csv);
            let charset = part.content_type().map(Charset::of_content_type).transpose()?.flatten();
            return Ok(TableFile { source: Box::pin(part.into_async_read()), format, charset });
        }
    }
    Err(ApiError::new(ErrorCode::InvalidInput, "file is required").with_field(PART))
}

impl From<UnknownCharset> for ApiError {
    fn from(unknown: UnknownCharset) -> Self {
        Self::new(ErrorCode::UnsupportedMediaType, unknown.to_string())
    }
}

fn declared_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn too_long() -> ApiError {
    ApiError::new(ErrorCode::BodyTooLarge, "the file is larger than 256 MiB")
}

/// A reader that fails if its source has more than `left` bytes.
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
                // A read that fails must leave the buffer as it was.
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
        Some(MetaRequest {
            description: Some(
                "Rows as an export has them, at most 256 MiB. CSV may be UTF-8, UTF-16 or (if the charset says so) Windows-1252, \
             and have commas, semicolons or tabs.",
            ),
            content,
            required: true,
        })
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
    /// Starts a task in `tasks` that writes the file of an export while the caller receives it.
    pub(super) fn of(export: Export, tasks: &tokio_util::task::TaskTracker) -> Self {
        let format = export.format();
        let pieces = export.stream(tasks).map(|piece| Ok::<_, io::Error>(piece.unwrap_or_else(|_| break_connection())));
        Self { format, body: Body::from_bytes_stream(pieces) }
    }
}

/// Ends the connection in the middle of an answer, so that the caller notices that the file is incomplete.
///
/// hyper ends the connection by itself when a body fails, and `http/server/connection.rs` then drops it. But if a
/// finished connection is polled once more, as poem's own server (3.1.12) does, the answer ends as if it were complete.
/// Unwinding doesn't depend on that. It ends the task of the connection, which closes the socket, or over HTTP/2 the
/// task of the answer, which resets its stream. No other task is affected, and the panic hook is not called.
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

/// Returns the content types of files, each with an example of the same two rows.
fn file_types() -> Vec<MetaMediaType> {
    let of = |format: TableFormat| {
        let text = MetaSchema { example: Some(format.example().into()), ..MetaSchema::new("string") };
        MetaMediaType { content_type: format.content_type(), schema: MetaSchemaRef::Inline(Box::new(text)) }
    };
    vec![of(TableFormat::Csv), of(TableFormat::JsonLines)]
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
