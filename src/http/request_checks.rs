//! Checks that every request must pass before it reaches a handler.

use percent_encoding::percent_decode_str;
use poem::{
    Request,
    http::{Version, header},
};

use crate::api::error::{ApiError, ErrorCode};

/// The maximum number of header lines. hyper has the same limit for HTTP/1.1, but none for HTTP/2.
const MAX_HEADERS: usize = 100;

/// Returns the error for a request that no handler should get, or `None` if the request has no fault.
pub fn find_fault(request: &Request) -> Option<ApiError> {
    // With two Host headers, a proxy and this server could see different hosts (RFC 9112, section 3.2). HTTP/1.0
    // doesn't need the header.
    let host_count = request.headers().get_all(header::HOST).iter().take(2).count();
    if request.version() == Version::HTTP_11 && host_count != 1 {
        return Some(ApiError::new(ErrorCode::InvalidInput, "an HTTP/1.1 request needs exactly one Host header"));
    }
    if request.headers().len() > MAX_HEADERS {
        return Some(ApiError::new(ErrorCode::HeadersTooLarge, "a request has at most 100 header lines"));
    }
    if request.uri().query().is_some_and(holds_control_characters) {
        return Some(ApiError::new(ErrorCode::InvalidInput, "the query must not contain control characters"));
    }
    // A small compressed body could expand to a huge one.
    if request.headers().get_all(header::CONTENT_ENCODING).iter().any(|encoding| encoding != "identity") {
        return Some(ApiError::new(ErrorCode::UnsupportedMediaType, "compressed bodies are not taken"));
    }
    None
}

/// Returns whether a query contains control characters, which no name, code or text has. They can only be
/// percent-encoded, because a URI can't contain them in plain form.
fn holds_control_characters(query: &str) -> bool {
    query.contains('%') && percent_decode_str(query).decode_utf8_lossy().chars().any(char::is_control)
}
