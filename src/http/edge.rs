//! The outermost layer: request id, errors and panics as JSON, CORS, safe headers, and one line in the access log.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Instant};

use futures_util::FutureExt;
use poem::{
    Endpoint, Error, IntoResponse, Middleware, Request, Response, Result,
    error::{MethodNotAllowedError, NotFoundError, ParsePathError, ReadBodyError},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
};
use poem_openapi::error::ParseParamError;

use super::cors::Cors;
use crate::{
    access::peer,
    domain::mask,
    error::{ApiError, ErrorCode},
};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const NO_SNIFF: HeaderValue = HeaderValue::from_static("nosniff");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// The layer.
pub struct Edge {
    cors: Arc<Cors>,
}

impl Edge {
    /// A layer that lets the given origins read answers.
    pub fn new(cors: Cors) -> Self {
        Self { cors: Arc::new(cors) }
    }
}

impl<E: Endpoint> Middleware<E> for Edge {
    type Output = EdgeEndpoint<E>;

    fn transform(&self, inner: E) -> EdgeEndpoint<E> {
        EdgeEndpoint { inner, cors: Arc::clone(&self.cors) }
    }
}

/// An endpoint inside the layer; it never fails.
pub struct EdgeEndpoint<E> {
    inner: E,
    cors: Arc<Cors>,
}

impl<E: Endpoint> Endpoint for EdgeEndpoint<E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> Result<Response> {
        let started = Instant::now();
        let id = request_id(request.headers());
        let origin = self.cors.allowed(request.headers());
        let line = LogLine::of(&request);
        // hyper leaves out the body of an answer to HEAD and keeps its length.
        if request.method() == Method::HEAD {
            request.set_method(Method::GET);
        }
        let mut response = match self.cors.preflight(&request) {
            Some(preflight) => preflight,
            None => self.answer(request, &id).await,
        };
        let headers = response.headers_mut();
        self.cors.add(headers, origin);
        headers.entry(header::X_CONTENT_TYPE_OPTIONS).or_insert(NO_SNIFF);
        headers.entry(header::CACHE_CONTROL).or_insert(NO_STORE);
        line.write(response.status(), started, &id);
        if let Ok(id) = HeaderValue::try_from(id) {
            response.headers_mut().insert(REQUEST_ID, id);
        }
        Ok(response)
    }
}

impl<E: Endpoint> EdgeEndpoint<E> {
    async fn answer(&self, request: Request, id: &str) -> Response {
        match AssertUnwindSafe(self.inner.call(request)).catch_unwind().await {
            Ok(Ok(response)) => response.into_response(),
            Ok(Err(error)) if error.is_from_response() => error.into_response(),
            Ok(Err(error)) => as_api_error(error, id).answer(id),
            // The panic hook has written where and why.
            Err(_) => ApiError::internal().answer(id),
        }
    }
}

/// What the framework refuses, in the words of the API.
fn as_api_error(error: Error, id: &str) -> ApiError {
    let error = match error.downcast::<ApiError>() {
        Ok(error) => return error,
        Err(error) => error,
    };
    // A path whose parameters are no UTF-8 names nothing either.
    if error.is::<NotFoundError>() || error.is::<ParsePathError>() {
        return ApiError::new(ErrorCode::NotFound, "there is nothing at this path");
    }
    if error.is::<MethodNotAllowedError>() {
        return ApiError::new(ErrorCode::MethodNotImplemented, "this method is not known here");
    }
    if let Some(parameter) = error.downcast_ref::<ParseParamError>() {
        return ApiError::new(ErrorCode::InvalidInput, format!("invalid {}", parameter.name))
            .with_field(parameter.name);
    }
    match error.downcast_ref::<ReadBodyError>() {
        Some(ReadBodyError::PayloadTooLarge) => too_large(),
        Some(_) => ApiError::new(ErrorCode::InvalidBody, "the body can't be read"),
        None if error.status() == StatusCode::PAYLOAD_TOO_LARGE => too_large(),
        None => {
            tracing::error!(request_id = id, %error, "an error without a place in the API");
            ApiError::internal()
        }
    }
}

fn too_large() -> ApiError {
    ApiError::new(ErrorCode::BodyTooLarge, "the body is too large")
}

/// The caller's id for the request if it is fit for logs and headers, else a new one.
fn request_id(headers: &HeaderMap) -> String {
    let given = headers.get(REQUEST_ID).and_then(|id| id.to_str().ok());
    let sane = |id: &&str| {
        (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
    };
    given.filter(sane).map_or_else(|| bson::oid::ObjectId::new().to_hex(), str::to_owned)
}

/// What the access log says of a request. Queries may hold anything, so they stay out.
struct LogLine {
    method: Method,
    path: String,
    peer: String,
}

impl LogLine {
    fn of(request: &Request) -> Self {
        Self {
            method: request.method().clone(),
            path: request.uri().path().to_owned(),
            peer: mask::ip(&peer(request.remote_addr())),
        }
    }

    fn write(&self, status: StatusCode, started: Instant, request_id: &str) {
        let (method, path, peer, status) =
            (self.method.as_str(), self.path.as_str(), self.peer.as_str(), status.as_u16());
        let micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
        tracing::info!(target: "access", method, path, status, micros, peer, request_id, "request");
    }
}

#[cfg(test)]
mod tests {
    use poem::{EndpointExt, endpoint::make_sync};

    use super::*;

    async fn call(endpoint: impl Endpoint) -> (StatusCode, String) {
        let edge = Edge::new(Cors::new(&[]));
        let response = endpoint.with(edge).get_response(Request::builder().uri_str("/").finish()).await;
        (response.status(), response.into_body().into_string().await.expect("text"))
    }

    #[tokio::test]
    async fn a_panic_is_a_plain_500_in_the_envelope() {
        let (status, body) = call(make_sync(|_| -> Response { panic!("the secret is hunter2") })).await;
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(body.contains("\"code\":\"internal\"") && !body.contains("hunter2"), "{body}");
    }

    #[tokio::test]
    async fn an_unforeseen_error_tells_nothing_of_itself() {
        let error = || poem::Error::from_string("the driver says hunter2", StatusCode::BAD_GATEWAY);
        let (status, body) = call(make_sync(move |_| Err::<Response, _>(error()))).await;
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(body.contains("\"request_id\"") && !body.contains("hunter2"), "{body}");
    }
}
