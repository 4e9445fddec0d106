//! The errors of the API: their stable codes, the JSON body of error answers, and the conversion of refusals into it.

mod body_fault;
mod codes;
mod refusals;

use std::{borrow::Cow, collections::BTreeMap, marker::PhantomData};

use poem::{
    error::ResponseError,
    http::{HeaderName, HeaderValue, StatusCode, header},
};
use poem_openapi::{
    ApiResponse, Object,
    payload::Json,
    registry::{MetaMediaType, MetaResponse, MetaResponses, Registry},
    types::{Example, ToJSON, Type},
};

pub(crate) use self::refusals::refusals;
pub use self::{
    body_fault::BodyFault,
    codes::ErrorCode,
    refusals::{Never, Refusal},
};
use crate::{api::examples, db::StoreError};

/// The body of every answer with a status of 400 or more.
#[derive(Debug, Object)]
#[oai(rename = "ApiError", example)]
pub struct ErrorOut {
    /// A sentence for people that says what went wrong.
    error: String,
    /// The same sentence as `error`, for frontends that read this field.
    detail: String,
    /// A stable code for programs.
    code: ErrorCode,
    /// Id of the request. The logs contain the same id.
    request_id: String,
    /// The fields at fault, each with the reason. Left out if no field is at fault.
    #[oai(skip_serializing_if_is_none)]
    fields: Option<BTreeMap<String, String>>,
    /// False if a link is not valid or has expired. Left out in all other errors.
    #[oai(skip_serializing_if_is_none)]
    valid: Option<bool>,
}

impl Example for ErrorOut {
    fn example() -> Self {
        let text = "invalid phone number: must be 10-15 digits";
        Self {
            error: text.to_owned(),
            detail: text.to_owned(),
            code: ErrorCode::InvalidInput,
            request_id: examples::REQUEST_ID.to_owned(),
            fields: Some(BTreeMap::from([("phone_number".to_owned(), text.to_owned())])),
            valid: None,
        }
    }
}

/// The answer of a call that refuses or fails.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.message)]
pub struct ApiError(Box<Parts>);

#[derive(Debug)]
struct Parts {
    code: ErrorCode,
    message: Cow<'static, str>,
    fields: BTreeMap<String, String>,
    headers: Vec<(HeaderName, HeaderValue)>,
    cause: Option<StoreError>,
}

impl ApiError {
    /// Creates an error with a sentence for people. A 401 gets the header `WWW-Authenticate: Bearer`, and a 503 gets
    /// `Retry-After: 2`.
    pub fn new(code: ErrorCode, message: impl Into<Cow<'static, str>>) -> Self {
        let error = Self(Box::new(Parts {
            code,
            message: message.into(),
            fields: BTreeMap::new(),
            headers: Vec::new(),
            cause: None,
        }));
        match code.status() {
            StatusCode::UNAUTHORIZED => error.with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")),
            StatusCode::SERVICE_UNAVAILABLE => error.with_header(header::RETRY_AFTER, HeaderValue::from_static("2")),
            _ => error,
        }
    }

    /// Creates a 500 error. Its message gives no details, which could be secret.
    pub fn internal() -> Self {
        Self::new(ErrorCode::Internal, "something went wrong on our side")
    }

    /// Sets `Retry-After` to a number of seconds.
    pub fn with_retry_after(self, seconds: u64) -> Self {
        self.with_header(header::RETRY_AFTER, HeaderValue::from(seconds))
    }

    /// Adds a field at fault, with the error's sentence as the reason.
    pub fn with_field(mut self, name: impl Into<String>) -> Self {
        let message = self.0.message.clone().into_owned();
        self.0.fields.insert(name.into(), message);
        self
    }

    /// Sets a header of the answer, and replaces a header of the same name.
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.retain(|(set, _)| *set != name);
        self.0.headers.push((name, value));
        self
    }

    /// Keeps the database's error for the log.
    fn with_cause(mut self, cause: StoreError) -> Self {
        self.0.cause = Some(cause);
        self
    }

    /// Converts the error into the answer. Logs its cause, if it has one, and every [`ErrorCode::Internal`].
    pub fn answer(self, request_id: &str) -> poem::Response {
        let Parts { code, message, fields, headers, cause } = *self.0;
        match cause {
            // Not logged: a line for each refused call would put more load on a server that is overloaded already.
            Some(StoreError::Overloaded) => {}
            Some(cause @ (StoreError::Unavailable(_) | StoreError::Contended | StoreError::OutOfTime)) => {
                tracing::warn!(request_id, %cause, "a request was put off");
            }
            Some(cause) => tracing::error!(request_id, %cause, "a request failed"),
            None if code == ErrorCode::Internal => tracing::error!(request_id, "a request failed"),
            None => {}
        }
        let body = ErrorOut {
            error: message.clone().into_owned(),
            detail: message.into_owned(),
            code,
            request_id: request_id.to_owned(),
            fields: Some(fields).filter(|fields| !fields.is_empty()),
            valid: matches!(code, ErrorCode::LinkNotFound | ErrorCode::LinkExpired).then_some(false),
        };
        let mut response = poem::Response::builder()
            .status(code.status())
            .content_type("application/json; charset=utf-8")
            .body(body.to_json_string());
        response.headers_mut().extend(headers);
        response
    }
}

impl ResponseError for ApiError {
    fn status(&self) -> StatusCode {
        self.0.code.status()
    }
}

/// The error of a handler: an [`ApiError`], together with the type `R` whose codes the OpenAPI description lists.
#[derive(Debug)]
pub struct CallError<R>(ApiError, PhantomData<fn() -> R>);

/// The result of a handler.
pub type ApiResult<T, R = Never> = Result<T, CallError<R>>;

impl<R: Refusal> From<R> for CallError<R> {
    fn from(refusal: R) -> Self {
        refusal.into_error().into()
    }
}

impl<R> From<ApiError> for CallError<R> {
    fn from(error: ApiError) -> Self {
        Self(error, PhantomData)
    }
}

impl<R> From<CallError<R>> for poem::Error {
    fn from(error: CallError<R>) -> Self {
        error.0.into()
    }
}

impl<R> CallError<R> {
    /// Sets a header of the answer, and replaces a header of the same name.
    pub fn with_header(self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.with_header(name, value).into()
    }
}

impl<R: Refusal> ApiResponse for CallError<R> {
    fn meta() -> MetaResponses {
        let statuses: std::collections::BTreeSet<StatusCode> =
            R::codes().into_iter().map(|code| code.status()).collect();
        MetaResponses { responses: statuses.into_iter().map(error_response).collect() }
    }

    fn register(registry: &mut Registry) {
        ErrorOut::register(registry);
    }
}

/// Returns the OpenAPI description of error answers with this status.
pub fn error_response(status: StatusCode) -> MetaResponse {
    let content = MetaMediaType {
        content_type: <Json<ErrorOut> as poem_openapi::payload::Payload>::CONTENT_TYPE,
        schema: ErrorOut::schema_ref(),
    };
    MetaResponse {
        description: status.canonical_reason().unwrap_or_default(),
        status: Some(status.as_u16()),
        status_range: None,
        content: vec![content],
        headers: vec![],
    }
}
