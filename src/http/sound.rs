//! What a request must be before anybody looks at what it asks for.

use percent_encoding::percent_decode_str;
use poem::{
    Request,
    http::{Version, header},
};

use crate::api::error::{ApiError, ErrorCode};

/// hyper has the same bound for HTTP/1.1, and none for HTTP/2.
const MOST_HEADERS: usize = 100;

/// What is wrong with a request as such.
pub fn fault(request: &Request) -> Option<ApiError> {
    // Two names would let a proxy and this server see two hosts (RFC 9112, section 3.2). HTTP/1.0 knows no such header.
    let hosts = request.headers().get_all(header::HOST).iter().take(2).count();
    if request.version() == Version::HTTP_11 && hosts != 1 {
        let text = "an HTTP/1.1 request needs exactly one Host header";
        return Some(ApiError::new(ErrorCode::InvalidInput, text));
    }
    if request.headers().len() > MOST_HEADERS {
        return Some(ApiError::new(ErrorCode::HeadersTooLarge, "a request has at most 100 header lines"));
    }
    if request.uri().query().is_some_and(holds_control_characters) {
        let text = "the query must not contain control characters";
        return Some(ApiError::new(ErrorCode::InvalidInput, text));
    }
    // A small body could unpack to a huge one.
    if request.headers().get_all(header::CONTENT_ENCODING).iter().any(|encoding| encoding != "identity") {
        return Some(ApiError::new(ErrorCode::UnsupportedMediaType, "compressed bodies are not taken"));
    }
    None
}

/// Whether a query holds what no name, code or text does; only in disguise, since a URI takes no plain ones.
fn holds_control_characters(query: &str) -> bool {
    query.contains('%') && percent_decode_str(query).decode_utf8_lossy().chars().any(char::is_control)
}
