//! Calls that need no bearer token but come with one.
//!
//! If the token is bad, the call is answered as if it had none, and the answer gets a notice (see decision 30).

use futures_util::FutureExt;
use poem::{Endpoint, EndpointExt, Request, Response, Result, endpoint::BoxEndpoint, http::header};

use crate::api::access::notice_bad_bearer;

/// Wraps an endpoint that needs no token, so that the token of a call is checked if there is one.
pub fn check_given_bearer(endpoint: BoxEndpoint<'static>) -> BoxEndpoint<'static> {
    BearerCheck(endpoint).boxed()
}

struct BearerCheck(BoxEndpoint<'static>);

impl Endpoint for BearerCheck {
    type Output = Response;

    fn call(&self, request: Request) -> impl Future<Output = Result<Response>> + Send {
        if !request.headers().contains_key(header::AUTHORIZATION) {
            return self.0.call(request).left_future();
        }
        let checked_call = async move {
            notice_bad_bearer(&request).await?;
            self.0.call(request).await
        };
        checked_call.boxed().right_future()
    }
}
