//! Calls that take no bearer and get one all the same: answered as nobody's, with a notice when it is no good.

use futures_util::FutureExt;
use poem::{Endpoint, EndpointExt, Request, Response, Result, endpoint::BoxEndpoint, http::header};

use crate::api::access::notice_bad_bearer;

/// An endpoint that looks at the bearer of its calls, if they have one.
pub fn noticing(endpoint: BoxEndpoint<'static>) -> BoxEndpoint<'static> {
    Noticing(endpoint).boxed()
}

struct Noticing(BoxEndpoint<'static>);

impl Endpoint for Noticing {
    type Output = Response;

    fn call(&self, request: Request) -> impl Future<Output = Result<Response>> + Send {
        if !request.headers().contains_key(header::AUTHORIZATION) {
            return self.0.call(request).left_future();
        }
        let looked_at = async move {
            notice_bad_bearer(&request).await?;
            self.0.call(request).await
        };
        looked_at.boxed().right_future()
    }
}
