//! Answers to the methods that a path doesn't have: 405 with `Allow` (RFC 9110, section 15.5.6), and 204 to `OPTIONS`.

use std::collections::HashMap;

use poem::{
    Endpoint, EndpointExt, IntoResponse, Response, RouteMethod,
    endpoint::{BoxEndpoint, make_sync},
    http::{HeaderValue, Method, StatusCode, header},
};

use crate::api::error::{ApiError, ErrorCode};

const METHODS: [Method; 5] = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];

/// Adds answers for the standard methods that a path doesn't have. `HEAD` needs none: it arrives here as `GET`.
pub fn answer_other_methods(methods: &mut HashMap<Method, BoxEndpoint<'static>>) {
    let allowed = allow_header(methods);
    for method in METHODS.into_iter().chain([Method::TRACE, Method::CONNECT]) {
        let allow_value = allowed.clone();
        methods.entry(method).or_insert_with(|| {
            make_sync(move |_| {
                let refusal = ApiError::new(ErrorCode::MethodNotAllowed, "this path doesn't take this method");
                Err::<Response, _>(poem::Error::from(refusal.with_header(header::ALLOW, allow_value.clone())))
            })
            .boxed()
        });
    }
    methods.entry(Method::OPTIONS).or_insert_with(|| {
        make_sync(move |_| StatusCode::NO_CONTENT.with_header(header::ALLOW, allowed.clone()).into_response()).boxed()
    });
}

/// Returns a route that has only `GET`, and with it `HEAD`.
pub fn only_get(endpoint: impl Endpoint<Output = Response> + 'static) -> RouteMethod {
    let mut methods = HashMap::from([(Method::GET, endpoint.boxed())]);
    answer_other_methods(&mut methods);
    methods.into_iter().fold(RouteMethod::new(), |route, (method, endpoint)| route.method(method, endpoint))
}

/// Returns the value of `Allow` for a path that has these methods.
fn allow_header(methods: &HashMap<Method, BoxEndpoint<'static>>) -> HeaderValue {
    let mut names: Vec<&str> =
        METHODS.iter().filter(|method| methods.contains_key(method)).map(Method::as_str).collect();
    if methods.contains_key(&Method::GET) {
        names.push("HEAD");
    }
    names.push("OPTIONS");
    HeaderValue::try_from(names.join(", ")).unwrap_or_else(|_| HeaderValue::from_static("OPTIONS"))
}
