//! Entity tags in headers: `ETag` names the state that an answer shows, and callers who know that state get 304.

use std::marker::PhantomData;

use poem::{
    FromRequest, IntoResponse, Request, RequestBody, Response,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
};
use poem_openapi::{
    ApiResponse,
    payload::{Json, Payload},
    registry::{MetaHeader, MetaResponse, MetaResponses, Registry},
    types::{ToJSON, Type},
};

use crate::catalogue::Rendered;
pub use crate::values::etag::ETag;

const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");
/// Any cache may keep the answer, but must ask before each use whether it is still current.
const REVALIDATED: HeaderValue = HeaderValue::from_static("public, no-cache");
const NOT_KEPT: HeaderValue = HeaderValue::from_static("private, no-store");
const ACCEPT_ENCODING: HeaderValue = HeaderValue::from_static("Accept-Encoding");
const AUTHORIZATION: HeaderValue = HeaderValue::from_static("Authorization");

/// Joins all lines of a header into one comma-separated list (RFC 9110, section 5.3). Returns `None` if there is no
/// line.
pub fn list(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    let lines: Vec<&str> = headers.get_all(name).into_iter().filter_map(|line| line.to_str().ok()).collect();
    (!lines.is_empty()).then(|| lines.join(","))
}

/// The tags of the states that a caller knows already, from `If-None-Match`.
pub struct IfNoneMatch(Option<String>);

impl<'a> FromRequest<'a> for IfNoneMatch {
    async fn from_request(request: &'a Request, _: &mut RequestBody) -> poem::Result<Self> {
        Ok(Self(list(request.headers(), header::IF_NONE_MATCH)))
    }
}

/// The readers of an answer, which decide its `Cache-Control` and `Vary` headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Everybody. The call takes no bearer token, so all callers get the same answer.
    All,
    /// Everybody except staff, who get another answer at the same path.
    Customers,
    /// Staff only. Caches must not keep the answer.
    Staff,
}

/// A finished answer: the JSON of a `T` with its entity tag. Callers who know the tag get 304 without the JSON.
pub struct Tagged<T> {
    answer: Rendered,
    known: IfNoneMatch,
    audience: Audience,
    _shape: PhantomData<fn() -> T>,
}

impl<T> Tagged<T> {
    /// Creates an answer. `answer` must have been rendered from a `T`.
    pub fn new(answer: Rendered, known: IfNoneMatch, audience: Audience) -> Self {
        Self { answer, known, audience, _shape: PhantomData }
    }

    /// Returns the headers that 200 and 304 have in common (RFC 9110, section 15.4.5).
    fn headers(&self, etag: HeaderValue) -> HeaderMap {
        let mut headers = HeaderMap::with_capacity(16);
        headers.insert(header::ETAG, etag);
        let kept = if self.audience == Audience::Staff { NOT_KEPT } else { REVALIDATED };
        headers.insert(header::CACHE_CONTROL, kept);
        if let Some(age) = self.answer.age {
            headers.insert(header::AGE, age.as_secs().into());
        }
        if self.audience != Audience::All {
            headers.append(header::VARY, AUTHORIZATION);
        }
        headers
    }
}

impl<T: Send> IntoResponse for Tagged<T> {
    fn into_response(self) -> Response {
        let etag = &self.answer.etag;
        let known = self.known.0.as_deref().filter(|list| etag.is_named_by(list));
        let mut response = Response::default();
        if let Some(list) = known {
            *response.headers_mut() = self.headers(header_value(etag, etag.is_weak_in(list)));
            // For answers with a body the gzip layer adds this line. A 304 must have the same `Vary`.
            response.headers_mut().append(header::VARY, ACCEPT_ENCODING);
            response.set_status(StatusCode::NOT_MODIFIED);
            return response;
        }
        *response.headers_mut() = self.headers(header_value(etag, false));
        response.headers_mut().insert(header::CONTENT_TYPE, JSON);
        response.set_body(self.answer.body.clone());
        // The gzip layer finds the compressed body here. It is made once for all copies of an answer.
        if self.answer.is_worth_packing() {
            response.set_data(self.answer);
        }
        response
    }
}

/// Returns the tag as a header value. A weak tag (`W/"…"`) names the same state in any encoding, such as gzip (RFC
/// 9110, section 8.8.1).
fn header_value(etag: &ETag, weak: bool) -> HeaderValue {
    let bytes = if weak { [b"W/", &etag.bytes()[..]].concat().into() } else { etag.bytes().clone() };
    // A tag consists of quotes and base64, which are valid in a header, so the other case does not occur.
    HeaderValue::from_maybe_shared(bytes).unwrap_or_else(|_| HeaderValue::from_static("\"\""))
}

impl<T: Type + ToJSON> ApiResponse for Tagged<T> {
    fn meta() -> MetaResponses {
        let mut responses = <Json<T> as ApiResponse>::meta().responses;
        for response in &mut responses {
            response.headers = described_headers();
        }
        responses.push(MetaResponse {
            description: "`If-None-Match` names the current state",
            status: Some(StatusCode::NOT_MODIFIED.as_u16()),
            status_range: None,
            content: vec![],
            headers: described_headers(),
        });
        MetaResponses { responses }
    }

    fn register(registry: &mut Registry) {
        <Json<T> as Payload>::register(registry);
    }
}

fn described_headers() -> Vec<MetaHeader> {
    let described = |name: &str, what: &str| MetaHeader {
        name: name.to_owned(),
        description: Some(what.to_owned()),
        required: true,
        deprecated: false,
        schema: String::schema_ref(),
    };
    vec![
        described("ETAG", "Names the state of the answer; for `If-None-Match`, and of one entry for `If-Match`."),
        described("CACHE-CONTROL", "May be kept, to be asked for again with `If-None-Match`."),
        described("VARY", "What else in a request decides about the answer."),
    ]
}
