//! Errors and panics as answers in the API's JSON form for errors.

use std::{future::Future, panic::AssertUnwindSafe, sync::Arc};

use futures_util::{FutureExt, future};
use poem::{
    Error, IntoResponse, PathPattern, Response, Result,
    error::{MethodNotAllowedError, NotFoundError, ParsePathError, ReadBodyError},
    http::StatusCode,
};
use poem_openapi::error::ParseParamError;

use super::body_limit::PLAIN_LIMIT;
use crate::api::error::{ApiError, BodyFault, ErrorCode};

/// Runs a call and returns its answer. An error or a panic becomes an error answer; faults of the server are logged.
pub fn answer_of<R: IntoResponse, C: Future<Output = Result<R>>>(
    call: impl FnOnce() -> C,
    id: Arc<str>,
) -> impl Future<Output = Response> {
    let guarded_call = AssertUnwindSafe(future::lazy(|_| call()).flatten()).catch_unwind();
    guarded_call.map(move |outcome| match outcome {
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
        Ok(api_error) => return api_error,
        Err(other) => other,
    };
    // A path with parameters that are not UTF-8 doesn't exist either.
    if error.is::<NotFoundError>() || error.is::<ParsePathError>() {
        return ApiError::new(ErrorCode::NotFound, "there is nothing at this path");
    }
    if error.is::<MethodNotAllowedError>() {
        return ApiError::new(ErrorCode::MethodNotImplemented, "this method is not known here");
    }
    if let Some(parameter) = error.downcast_ref::<ParseParamError>() {
        return ApiError::new(ErrorCode::InvalidInput, fault_of_parameter(parameter.name)).with_field(parameter.name);
    }
    if let Some(body_error) = error.downcast_ref::<ReadBodyError>() {
        return body_error_of(body_error);
    }
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return BodyFault::TooLarge(PLAIN_LIMIT).into();
    }
    tracing::error!(request_id = id, %error, "an error without a place in the API");
    ApiError::internal()
}

/// Returns what is said of a parameter that can't be read. The framework reads only parameters of few values as a type.
fn fault_of_parameter(name: &str) -> String {
    let values = match name {
        "dry_run" => "true or false",
        "format" => "csv or jsonl",
        "mode" => "upsert, update or insert",
        "stock" => "set or keep",
        _ => return format!("invalid {name}"),
    };
    format!("{name} must be {values}")
}

fn body_error_of(error: &ReadBodyError) -> ApiError {
    match (BodyFault::behind(error), error) {
        (Some(fault), _) => fault.into(),
        (None, ReadBodyError::PayloadTooLarge) => BodyFault::TooLarge(PLAIN_LIMIT).into(),
        (None, _) => ApiError::new(ErrorCode::InvalidBody, "the body can't be read"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn body_of(call: impl Future<Output = Result<Response>>) -> (StatusCode, String) {
        let response = answer_of(|| call, "id-1".into()).await;
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
