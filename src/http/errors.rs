//! Errors and panics as answers in the API's JSON form for errors.

use std::{future::Future, panic::AssertUnwindSafe, sync::Arc};

use futures_util::{FutureExt, future};
use poem::{
    Error, IntoResponse, PathPattern, Response, Result,
    error::{MethodNotAllowedError, NotFoundError, ParsePathError, ReadBodyError},
    http::StatusCode,
};
use poem_openapi::error::ParseParamError;

use crate::api::error::{ApiError, BodyFault, ErrorCode};

/// Runs a call and returns its answer. An error or a panic becomes an error answer; faults of the server are logged.
pub fn answered<R: IntoResponse, C: Future<Output = Result<R>>>(
    call: impl FnOnce() -> C,
    id: Arc<str>,
) -> impl Future<Output = Response> {
    let call = AssertUnwindSafe(future::lazy(|_| call()).flatten()).catch_unwind();
    call.map(move |outcome| match outcome {
        Ok(Ok(response)) => response.into_response(),
        Ok(Err(error)) if error.is_from_response() => error.into_response(),
        Ok(Err(error)) => {
            let route = error.data::<PathPattern>().cloned();
            let mut response = as_api_error(error, &id).answer(&id);
            if let Some(route) = route {
                response.set_data(route);
            }
            response
        }
        // The panic hook has already logged the place and the message.
        Err(_) => ApiError::internal().answer(&id),
    })
}

/// Converts an error of the framework to an error of the API.
fn as_api_error(error: Error, id: &str) -> ApiError {
    let error = match error.downcast::<ApiError>() {
        Ok(error) => return error,
        Err(error) => error,
    };
    // A path with parameters that are not UTF-8 doesn't exist either.
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
    if let Some(fault) = error.downcast_ref::<ReadBodyError>().and_then(|error| BodyFault::behind(error)) {
        return fault.into();
    }
    match error.downcast_ref::<ReadBodyError>() {
        Some(ReadBodyError::PayloadTooLarge) => BodyFault::TooLarge.into(),
        Some(_) => ApiError::new(ErrorCode::InvalidBody, "the body can't be read"),
        None if error.status() == StatusCode::PAYLOAD_TOO_LARGE => BodyFault::TooLarge.into(),
        None => {
            tracing::error!(request_id = id, %error, "an error without a place in the API");
            ApiError::internal()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn body_of(call: impl Future<Output = Result<Response>>) -> (StatusCode, String) {
        let response = answered(|| call, "id-1".into()).await;
        (response.status(), response.into_body().into_string().await.expect("text"))
    }

    #[tokio::test]
    async fn a_panic_is_a_plain_500_in_the_envelope() {
        let (status, body) = body_of(async { panic!("the secret is hunter2") }).await;
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(body.contains("\"code\":\"internal\"") && !body.contains("hunter2"), "{body}");
    }

    #[tokio::test]
    async fn an_unforeseen_error_tells_nothing_of_itself() {
        let error = Error::from_string("the driver says hunter2", StatusCode::BAD_GATEWAY);
        let (status, body) = body_of(async { Err(error) }).await;
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(body.contains("\"request_id\":\"id-1\"") && !body.contains("hunter2"), "{body}");
    }
}
