//! Refuses query parameters that a call doesn't have. A misspelt filter must not show everything, and a misspelt
//! `dry_run` must not change anything.

use poem::{Endpoint, EndpointExt, Request, Response, Result, endpoint::BoxEndpoint};

use crate::api::{
    access::refuse_strangers,
    error::{ApiError, ErrorCode},
};

/// How much of a name an answer repeats.
const LONGEST_NAME: usize = 40;

/// Wraps an endpoint for staff, so that it takes only these query parameters, each at most once.
pub fn take_only(names: Vec<String>, endpoint: BoxEndpoint<'static>) -> BoxEndpoint<'static> {
    QueryCheck { names, endpoint }.boxed()
}

struct QueryCheck {
    names: Vec<String>,
    endpoint: BoxEndpoint<'static>,
}

impl Endpoint for QueryCheck {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        if let Some(fault) = self.find_fault(&request) {
            // Somebody who may not call learns that first, as in all calls.
            refuse_strangers(&request).await?;
            return Err(fault.into());
        }
        self.endpoint.call(request).await
    }
}

impl QueryCheck {
    fn find_fault(&self, request: &Request) -> Option<ApiError> {
        request.uri().query()?;
        let Ok(given) = request.params::<Vec<(String, String)>>() else {
            return Some(ApiError::new(ErrorCode::InvalidInput, "the query can't be read"));
        };
        let mut seen: Vec<&str> = Vec::new();
        for (name, _) in &given {
            let shown: String = name.chars().take(LONGEST_NAME).collect();
            let text = match self.names.contains(name) {
                false => format!("unknown query parameter: {shown}"),
                true if seen.contains(&name.as_str()) => format!("{shown} is there twice"),
                true => {
                    seen.push(name);
                    continue;
                }
            };
            return Some(ApiError::new(ErrorCode::InvalidInput, text).with_field(shown));
        }
        None
    }
}
