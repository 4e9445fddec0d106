//! Compresses answers of 1 KiB and more for callers that accept gzip.
//!
//! An answer from the catalogue cache is compressed once, and the cache keeps the compressed form too.

use std::future::Future;

use futures_util::TryFutureExt;
use poem::{
    Endpoint, IntoResponse, Middleware, Request, Response, Result,
    http::{HeaderMap, HeaderValue, header},
};

use crate::{
    catalogue::Rendered,
    values::gzip::{self, SMALLEST, compress},
};

const ACCEPT_ENCODING: HeaderValue = HeaderValue::from_static("Accept-Encoding");
const GZIP: HeaderValue = HeaderValue::from_static("gzip");

/// The layer that compresses answers.
pub struct Gzip;

impl<E: Endpoint> Middleware<E> for Gzip {
    type Output = GzipEndpoint<E>;

    fn transform(&self, inner: E) -> GzipEndpoint<E> {
        GzipEndpoint(inner)
    }
}

/// The endpoint behind [`Gzip`].
pub struct GzipEndpoint<E>(E);

impl<E: Endpoint> Endpoint for GzipEndpoint<E> {
    type Output = Response;

    fn call(&self, request: Request) -> impl Future<Output = Result<Response>> + Send {
        let is_accepted = accepts_gzip(request.headers());
        self.0.call(request).and_then(move |response| compress_if_useful(response.into_response(), is_accepted))
    }
}

/// Compresses the body of an answer if it is a text of 1 KiB or more and the caller accepts gzip.
async fn compress_if_useful(mut response: Response, is_accepted: bool) -> Result<Response> {
    if !is_text(response.headers()) || response.headers().contains_key(header::CONTENT_ENCODING) {
        return Ok(response);
    }
    response.headers_mut().append(header::VARY, ACCEPT_ENCODING);
    if !is_accepted {
        return Ok(response);
    }
    let compressed = match response.data::<Rendered>() {
        Some(rendered) => rendered.packed().cloned(),
        None => {
            let body = response.take_body().into_bytes().await?;
            if body.len() < SMALLEST {
                response.set_body(body);
                return Ok(response);
            }
            Some(compress(&body).map_err(poem::error::InternalServerError)?.into())
        }
    };
    let Some(compressed) = compressed else { return Ok(response) };
    response.set_body(compressed);
    response.headers_mut().insert(header::CONTENT_ENCODING, GZIP);
    weaken_etag(response.headers_mut());
    Ok(response)
}

/// Makes a strong `ETag` weak. A strong tag stands for exact bytes, and gzip changes them (RFC 9110, section 8.8.1).
fn weaken_etag(headers: &mut HeaderMap) {
    let strong = headers.get(header::ETAG).filter(|etag| !etag.as_bytes().starts_with(b"W/"));
    if let Some(weak) = strong.and_then(|etag| HeaderValue::from_bytes(&[b"W/", etag.as_bytes()].concat()).ok()) {
        headers.insert(header::ETAG, weak);
    }
}

/// Returns whether the caller accepts gzip.
pub fn accepts_gzip(headers: &HeaderMap) -> bool {
    gzip::is_accepted(headers.get_all(header::ACCEPT_ENCODING).into_iter().filter_map(|line| line.to_str().ok()))
}

fn is_text(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    // An export of the whole catalogue is streamed. To compress it here, the whole file would have to be in memory.
    !content_type.starts_with("text/csv")
        && ["application/json", "application/yaml", "text/"].iter().any(|text| content_type.starts_with(text))
}
