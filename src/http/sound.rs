//! What a request must be before anybody looks at what it asks for.

use poem::{
    Request,
    http::{Version, header},
};

use crate::error::{ApiError, ErrorCode};

/// What is wrong with a request as such.
pub fn fault(request: &Request) -> Option<ApiError> {
    // Two names would let a proxy and this server see two hosts (RFC 9112, section 3.2). HTTP/1.0 knows no such header.
    let hosts = request.headers().get_all(header::HOST).iter().take(2).count();
    if request.version() == Version::HTTP_11 && hosts != 1 {
        let text = "an HTTP/1.1 request needs exactly one Host header";
        return Some(ApiError::new(ErrorCode::InvalidInput, text));
    }
    // A small body could unpack to a huge one.
    if request.headers().get_all(header::CONTENT_ENCODING).iter().any(|encoding| encoding != "identity") {
        return Some(ApiError::new(ErrorCode::UnsupportedMediaType, "compressed bodies are not taken"));
    }
    None
}
