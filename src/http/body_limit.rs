//! Limits for the size of request bodies: 1 MiB, or 5.5 MiB for a form with an image.
//!
//! A larger body is refused and not kept in memory. Only the import of the catalogue is not limited here. It reads its
//! file while the file arrives, and has a limit of its own.

use std::{
    future::Future,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use futures_util::FutureExt;
use http_body_util::BodyExt;
use hyper::body::{Body as _, Frame, SizeHint};
use poem::{
    Body, Endpoint, Middleware, Request, Result,
    error::ReadBodyError,
    http::{Method, header},
};

use super::places::Place;
use crate::api::error::{ApiError, BodyFault, ErrorCode};

const LIMIT: usize = 1024 * 1024;
/// Limit for a form: an image of 5 MiB and the other fields.
const FORM_LIMIT: usize = 5 * 1024 * 1024 + 512 * 1024;
/// The words that name [`LIMIT`] in errors.
pub(super) const PLAIN_LIMIT: &str = "at most 1 MiB";
/// The words that name the limit of a form in errors.
const IMAGE_LIMIT: &str = "an image may have at most 5 MiB";
const PHOTO_PATH: &str = "/api/accounts/photo";
const ADMIN_PATH: &str = "/api/admin/";
const IMPORT_PATH: &str = "/api/admin/import";

/// The layer that limits bodies. It refuses a declared length over the limit at once, and counts a chunked body while
/// the body is read.
pub struct BodyLimit;

impl<E: Endpoint> Middleware<E> for BodyLimit {
    type Output = BodyLimitEndpoint<E>;

    fn transform(&self, inner: E) -> BodyLimitEndpoint<E> {
        BodyLimitEndpoint(inner)
    }
}

/// The endpoint behind [`BodyLimit`].
pub struct BodyLimitEndpoint<E>(E);

impl<E: Endpoint> Endpoint for BodyLimitEndpoint<E> {
    type Output = E::Output;

    fn call(&self, mut request: Request) -> impl Future<Output = Result<E::Output>> + Send {
        let body = request.take_body();
        // The import reads a file as large as the catalogue and counts its bytes itself.
        let is_import = *request.method() == Method::POST && request.uri().path() == IMPORT_PATH;
        if body.is_empty() || is_import {
            request.set_body(body);
            return self.0.call(request).left_future();
        }
        self.call_with_limit(request, body).boxed().right_future()
    }
}

impl<E: Endpoint> BodyLimitEndpoint<E> {
    async fn call_with_limit(&self, mut request: Request, body: Body) -> Result<E::Output> {
        let limit = limit_of(&request);
        let incoming: BoxBody = body.into();
        if incoming.size_hint().lower() > limit as u64 {
            return Err(ApiError::from(too_large(limit)).into());
        }
        let place = request.data::<Place>().cloned();
        let mut limited = LimitedBody { body: incoming, limit, bytes_left: limit, place, first_bytes: None };
        // Without this check, a page of another site could send JSON without a Content-Type: browsers send such a
        // request without a CORS preflight.
        if !request.headers().contains_key(header::CONTENT_TYPE)
            && !limited.turns_out_empty().await.map_err(ReadBodyError::Io)?
        {
            return Err(ApiError::new(ErrorCode::UnsupportedMediaType, "a body needs a Content-Type").into());
        }
        request.set_body(BoxBody::new(limited));
        self.0.call(request).await
    }
}

/// A body that ends with an error when it exceeds the limit of its call or the room for the bodies of all callers.
///
/// The handler reads it, not this layer. So a caller without access is refused before the body has arrived.
struct LimitedBody {
    body: BoxBody,
    limit: usize,
    bytes_left: usize,
    place: Option<Place>,
    /// Bytes that were already read to find out whether the body is empty.
    first_bytes: Option<Bytes>,
}

type BoxBody = http_body_util::combinators::BoxBody<Bytes, io::Error>;

impl LimitedBody {
    /// Returns whether the body is empty. Waits for its first bytes or its end.
    async fn turns_out_empty(&mut self) -> io::Result<bool> {
        while let Some(frame) = self.frame().await {
            let bytes = frame?.into_data().unwrap_or_default();
            if !bytes.is_empty() {
                self.first_bytes = Some(bytes);
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Counts bytes that have arrived. Fails if they exceed the limit or the room for all bodies.
    fn count(&mut self, bytes: usize) -> Result<(), BodyFault> {
        self.bytes_left = self.bytes_left.checked_sub(bytes).ok_or_else(|| too_large(self.limit))?;
        self.place.as_ref().map_or(Ok(()), |place| place.grow(bytes))
    }
}

impl hyper::body::Body for LimitedBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if let Some(bytes) = self.first_bytes.take() {
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        Poll::Ready(frame.map(|frame| {
            let frame = frame?;
            self.count(frame.data_ref().map_or(0, Bytes::len))?;
            Ok(frame)
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.first_bytes.is_none() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        match &self.first_bytes {
            Some(_) => SizeHint::new(),
            None => self.body.size_hint(),
        }
    }
}

/// Returns the error for a body that is larger than `limit`.
fn too_large(limit: usize) -> BodyFault {
    BodyFault::TooLarge(if limit == FORM_LIMIT { IMAGE_LIMIT } else { PLAIN_LIMIT })
}

/// Returns the most bytes that the body of a request may have.
fn limit_of(request: &Request) -> usize {
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let is_form = content_type.is_some_and(|text| text.trim_start().to_ascii_lowercase().starts_with("multipart/"));
    if is_form && takes_images(request.method(), request.uri().path()) { FORM_LIMIT } else { LIMIT }
}

/// Returns whether a call may carry an image. The path has no final slash: the outer layer `Slashes` has removed it.
fn takes_images(method: &Method, path: &str) -> bool {
    let writes = [Method::POST, Method::PUT, Method::PATCH].contains(method);
    let is_of_catalogue =
        path.starts_with(ADMIN_PATH) && path.split('/').any(|part| ["insert", "update", "images"].contains(&part));
    writes && (path == PHOTO_PATH || is_of_catalogue)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_may_be_as_large_as_an_image_where_images_are_taken() {
        let limit = |method: Method, path: &str, content_type: &str| {
            limit_of(&Request::builder().method(method).uri_str(path).content_type(content_type).finish())
        };
        let form = "multipart/form-data; boundary=b";
        for path in [
            PHOTO_PATH,
            "/api/admin/brands/insert",
            "/api/admin/brands/TATA/models/update/NEXON",
            "/api/admin/products/images",
        ] {
            assert_eq!(limit(Method::POST, path, form), FORM_LIMIT, "{path}");
            assert_eq!(limit(Method::PUT, path, "Multipart/Form-Data"), FORM_LIMIT, "{path}");
            assert_eq!(limit(Method::POST, path, "application/json"), LIMIT, "{path}");
            assert_eq!(limit(Method::DELETE, path, form), LIMIT, "{path}");
        }
        assert_eq!(limit(Method::POST, "/api/auth/register", form), LIMIT);
        assert_eq!(limit(Method::POST, "/api/utils/insert", form), LIMIT);
    }
}
