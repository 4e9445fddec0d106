//! Files that never change while the server runs, such as the pages of the documentation.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use poem::{
    Endpoint, Request, Response,
    endpoint::make_sync,
    http::{HeaderValue, StatusCode, header},
};

use super::gzip::accepts_gzip;
use crate::{
    api::etag::{ETag, list},
    values::gzip,
};

const REVALIDATED: HeaderValue = HeaderValue::from_static("no-cache");
const ACCEPT_ENCODING: HeaderValue = HeaderValue::from_static("Accept-Encoding");

/// A file that is made at the first request for it.
pub struct Fixed {
    content_type: &'static str,
    make: Box<dyn Fn() -> String + Send + Sync>,
    security_policy: Option<HeaderValue>,
}

/// The file in both forms in which it is sent.
struct Made {
    etag: ETag,
    plain: Bytes,
    /// `None` if the file could not be compressed.
    compressed: Option<Bytes>,
}

impl Fixed {
    /// Creates a file of which `make` returns the text.
    pub fn new(content_type: &'static str, make: impl Fn() -> String + Send + Sync + 'static) -> Self {
        Self { content_type, make: Box::new(make), security_policy: None }
    }

    /// Sets the header `Content-Security-Policy` of the answers.
    pub fn with_policy(self, policy: HeaderValue) -> Self {
        Self { security_policy: Some(policy), ..self }
    }

    fn make(&self) -> Made {
        let text = (self.make)();
        Made {
            etag: ETag::of(text.as_bytes()),
            compressed: gzip::compress(text.as_bytes()).ok().map(Bytes::from),
            plain: text.into(),
        }
    }
}

/// Returns an endpoint that serves a file, or 304 to callers that have it already. The file is compressed once and not
/// for each caller.
pub fn serve(file: Fixed) -> impl Endpoint<Output = Response> + 'static {
    let made: Arc<OnceLock<Made>> = Arc::default();
    make_sync(move |request: Request| answer(&request, &file, made.get_or_init(|| file.make())))
}

fn answer(request: &Request, file: &Fixed, made: &Made) -> Response {
    let response = Response::builder()
        .header(header::CACHE_CONTROL, REVALIDATED)
        .header(header::VARY, ACCEPT_ENCODING)
        .header(header::ETAG, &made.etag.bytes()[..]);
    if list(request.headers(), header::IF_NONE_MATCH).is_some_and(|tags| made.etag.is_named_by(&tags)) {
        return response.status(StatusCode::NOT_MODIFIED).finish();
    }
    let mut response = response.content_type(file.content_type);
    if let Some(policy) = &file.security_policy {
        response = response.header(header::CONTENT_SECURITY_POLICY, policy);
    }
    match made.compressed.as_ref().filter(|_| accepts_gzip(request.headers())) {
        Some(compressed) => response.header(header::CONTENT_ENCODING, "gzip").body(compressed.clone()),
        None => response.body(made.plain.clone()),
    }
}
