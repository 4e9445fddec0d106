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
        let body: BoxBody = body.into();
        if body.size_hint().lower() > limit as u64 {
            return Err(ReadBodyError::PayloadTooLarge.into());
        }
        let mut body = Bound { body, left: limit, place: request.data::<Place>().cloned(), first: None };
        // Without this check, a page of another site could send JSON without a Content-Type: browsers send such a
        // request without a CORS preflight.
        if !request.headers().contains_key(header::CONTENT_TYPE)
            && !body.turns_out_empty().await.map_err(ReadBodyError::Io)?
        {
            return Err(ApiError::new(ErrorCode::UnsupportedMediaType, "a body needs a Content-Type").into());
        }
        request.set_body(BoxBody::new(body));
        self.0.call(request).await
    }
}

/// A body that ends with an error when it exceeds the limit of its call or the room for the bodies of all callers.
///
/// The handler reads it, not this layer. So a caller without access is refused before the body has arrived.
struct Bound {
    body: BoxBody,
    left: usize,
    place: Option<Place>,
    /// Bytes that were already read to find out whether the body is empty.
    first: Option<Bytes>,
}

type BoxBody = http_body_util::combinators::BoxBody<Bytes, io::Error>;

impl Bound {
    /// Returns whether the body is empty. Waits for its first bytes or its end.
    async fn turns_out_empty(&mut self) -> io::Result<bool> {
        while let Some(frame) = self.frame().await {
            let bytes = frame?.into_data().unwrap_or_default();
            if !bytes.is_empty() {
                self.first = Some(bytes);
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn count(&mut self, bytes: usize) -> Result<(), BodyFault> {
        self.left = self.left.checked_sub(bytes).ok_or(BodyFault::TooLarge)?;
        self.place.as_ref().map_or(Ok(()), |place| place.grow(bytes))
    }
}

impl hyper::body::Body for Bound {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(Frame::data(first))));
        }
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        Poll::Ready(frame.map(|frame| {
            let frame = frame?;
            self.count(frame.data_ref().map_or(0, Bytes::len))?;
            Ok(frame)
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.first.is_none() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        match &self.first {
            Some(_) => SizeHint::new(),
            None => self.body.size_hint(),
        }
    }
}

fn limit(request: &Request) -> usize {
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let is_form = content_type.is_some_and(|text| text.trim_start().to_ascii_lowercase().starts_with("multipart/"));
    if is_form && takes_images(request.method(), request.uri().path()) { FORM_LIMIT } else { LIMIT }
}

/// Returns whether a call may carry an image. The path has no final slash: the outer layer `Slashes` has removed it.
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
