//! No call takes more than 1 MiB, or an image of 5 MiB; what is larger is refused without being kept. Only the import of the
//! catalogue takes more, and reads it while it comes.

use std::time::Duration;

use futures_util::{FutureExt, StreamExt};
use poem::{
    Body, Endpoint, Middleware, Request, Result,
    error::ReadBodyError,
    http::{Method, header},
};

use crate::error::{ApiError, ErrorCode};

const LIMIT: usize = 1024 * 1024;
/// An image and the fields of a form around it.
const FORM_LIMIT: usize = 5 * 1024 * 1024 + 512 * 1024;
const PHOTO_PATH: &str = "/api/accounts/photo";
const ADMIN_PATH: &str = "/api/admin/";
const IMPORT_PATH: &str = "/api/admin/import";
/// Bodies up to this much over the limit are read and discarded.
const DRAINED: u64 = 3 * 1024 * 1024;
/// For so long at most.
const DRAIN_LIMIT: Duration = Duration::from_secs(2);

/// The layer. A declared length that is too long is refused at once; a chunked body is counted while it is read.
pub struct BodyLimit;

impl<E: Endpoint> Middleware<E> for BodyLimit {
    type Output = BodyLimitEndpoint<E>;

    fn transform(&self, inner: E) -> BodyLimitEndpoint<E> {
        BodyLimitEndpoint(inner)
    }
}

/// An endpoint whose bodies are small and in memory, but for the one that reads a file.
pub struct BodyLimitEndpoint<E>(E);

impl<E: Endpoint> Endpoint for BodyLimitEndpoint<E> {
    type Output = E::Output;

    fn call(&self, mut request: Request) -> impl Future<Output = Result<E::Output>> + Send {
        let body = request.take_body();
        // The import reads a file as large as the catalogue, and counts what it reads.
        let counts_itself = *request.method() == Method::POST && request.uri().path() == IMPORT_PATH;
        if body.is_empty() || counts_itself {
            request.set_body(body);
            return self.0.call(request).left_future();
        }
        self.limited(request, body).boxed().right_future()
    }
}

impl<E: Endpoint> BodyLimitEndpoint<E> {
    async fn limited(&self, mut request: Request, body: Body) -> Result<E::Output> {
        let limit = limit(&request);
        let declared =
            request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        if let Some(length) = declared.filter(|length: &u64| *length > limit as u64) {
            if length <= limit as u64 + DRAINED {
                drain(body).await;
            }
            return Err(ReadBodyError::PayloadTooLarge.into());
        }
        let bytes = body.into_bytes_limit(limit).await?;
        // A form of another site could send JSON that calls itself nothing, without asking first.
        if !bytes.is_empty() && !request.headers().contains_key(header::CONTENT_TYPE) {
            return Err(ApiError::new(ErrorCode::UnsupportedMediaType, "a body needs a Content-Type").into());
        }
        request.set_body(bytes);
        self.0.call(request).await
    }
}

/// Reads a body that is only a little too large and forgets it: a client that writes its whole request before it reads
/// would otherwise see a reset connection in place of the answer.
async fn drain(body: Body) {
    let mut stream = body.into_bytes_stream();
    let _too_slow_is_as_good_as_done =
        tokio::time::timeout(DRAIN_LIMIT, async { while let Some(Ok(_)) = stream.next().await {} }).await;
}

fn limit(request: &Request) -> usize {
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let is_form = content_type.is_some_and(|text| text.trim_start().to_ascii_lowercase().starts_with("multipart/"));
    if is_form && takes_images(request.method(), request.uri().path()) { FORM_LIMIT } else { LIMIT }
}

/// The path has lost its final slash further out.
fn takes_images(method: &Method, path: &str) -> bool {
    let writes = [Method::POST, Method::PUT, Method::PATCH].contains(method);
    let is_of_catalogue =
        path.starts_with(ADMIN_PATH) && path.split('/').any(|part| part == "insert" || part == "update");
    writes && (path == PHOTO_PATH || is_of_catalogue)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_may_be_as_large_as_an_image_where_images_are_taken() {
        let limit = |method: Method, path: &str, content_type: &str| {
            limit(&Request::builder().method(method).uri_str(path).content_type(content_type).finish())
        };
        let form = "multipart/form-data; boundary=b";
        for path in [PHOTO_PATH, "/api/admin/brands/insert", "/api/admin/brands/TATA/models/update/NEXON"] {
            assert_eq!(limit(Method::POST, path, form), FORM_LIMIT, "{path}");
            assert_eq!(limit(Method::PUT, path, "Multipart/Form-Data"), FORM_LIMIT, "{path}");
            assert_eq!(limit(Method::POST, path, "application/json"), LIMIT, "{path}");
            assert_eq!(limit(Method::DELETE, path, form), LIMIT, "{path}");
        }
        assert_eq!(limit(Method::POST, "/api/auth/register", form), LIMIT);
        assert_eq!(limit(Method::POST, "/api/utils/insert", form), LIMIT);
    }
}
