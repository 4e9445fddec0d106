//! Answers of 1 KiB and more are compressed for callers that take gzip.

use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use poem::{
    Endpoint, IntoResponse, Middleware, Request, Response, Result,
    http::{HeaderMap, HeaderValue, header},
};

/// Below this the header costs more than the compression saves.
const SMALLEST: usize = 1024;
const ACCEPT_ENCODING: HeaderValue = HeaderValue::from_static("Accept-Encoding");
const GZIP: HeaderValue = HeaderValue::from_static("gzip");

/// The layer.
pub struct Gzip;

impl<E: Endpoint> Middleware<E> for Gzip {
    type Output = GzipEndpoint<E>;

    fn transform(&self, inner: E) -> GzipEndpoint<E> {
        GzipEndpoint(inner)
    }
}

/// An endpoint whose long answers are compressed.
pub struct GzipEndpoint<E>(E);

impl<E: Endpoint> Endpoint for GzipEndpoint<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        let accepted = accepts_gzip(request.headers());
        let mut response = self.0.call(request).await?.into_response();
        if !is_text(response.headers()) || response.headers().contains_key(header::CONTENT_ENCODING) {
            return Ok(response);
        }
        response.headers_mut().append(header::VARY, ACCEPT_ENCODING);
        if !accepted {
            return Ok(response);
        }
        let body = response.take_body().into_bytes().await?;
        if body.len() < SMALLEST {
            response.set_body(body);
            return Ok(response);
        }
        response.set_body(compress(&body).map_err(poem::error::InternalServerError)?);
        response.headers_mut().insert(header::CONTENT_ENCODING, GZIP);
        weaken_etag(response.headers_mut());
        Ok(response)
    }
}

/// A strong tag belongs to the very bytes it was made of, and not to what gzip makes of them (RFC 9110, section 8.8.1).
fn weaken_etag(headers: &mut HeaderMap) {
    let strong = headers.get(header::ETAG).filter(|etag| !etag.as_bytes().starts_with(b"W/"));
    if let Some(weak) = strong.and_then(|etag| HeaderValue::from_bytes(&[b"W/", etag.as_bytes()].concat()).ok()) {
        headers.insert(header::ETAG, weak);
    }
}

/// The body in gzip.
pub fn compress(body: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::fast());
    encoder.write_all(body)?;
    encoder.finish()
}

/// Whether gzip may be sent: what is said of gzip itself counts before what is said of `*` (RFC 9110, section 12.5.3).
pub fn accepts_gzip(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(header::ACCEPT_ENCODING).into_iter().filter_map(|line| line.to_str().ok());
    let (mut gzip, mut any) = (None, None);
    for coding in lines.flat_map(|line| line.split(',')) {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, "q=1"));
        let weight: f32 = weight.trim().trim_start_matches("q=").parse().unwrap_or(0.0);
        let wanted = weight > 0.0 && weight <= 1.0;
        match name.trim().to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => gzip = Some(wanted),
            "*" => any = Some(wanted),
            _ => {}
        }
    }
    gzip.or(any).unwrap_or(false)
}

fn is_text(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    // A file of the whole catalogue is never in memory as a whole, which compressing it here would take.
    !content_type.starts_with("text/csv")
        && ["application/json", "application/yaml", "text/"].iter().any(|text| content_type.starts_with(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_must_be_named_and_not_refused() {
        let accepts = |value: &'static str| {
            accepts_gzip(&HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(value))]))
        };
        assert!(accepts("gzip") && accepts("br, GZIP;q=0.5") && accepts("*"));
        assert!(!accepts("br") && !accepts("gzip;q=0") && !accepts("") && !accepts("gzip;q=x"));
        assert!(!accepts("gzip;q=0, *") && accepts("*;q=0, gzip") && !accepts("gzip;q=inf"));
    }
}
