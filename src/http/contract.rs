//! The OpenAPI service, with additions to poem-openapi: trailing slashes in the description, the errors that every call
//! can return, the header `Allow`, a notice about bad tokens on calls that need none, and the farewell of
//! operations that are going away.

use std::collections::{BTreeSet, HashMap};

use poem::{
    endpoint::BoxEndpoint,
    http::{Method, StatusCode},
};
use poem_openapi::{
    LicenseObject, OpenApi, OpenApiService,
    registry::{MetaApi, MetaOperation, MetaParamIn, MetaPath, Registry},
    types::Type,
};

use super::{description, farewell::Farewell, methods::answer_other_methods, public, query_check};
use crate::api::error::{ErrorOut, error_response};

/// The beginning of the paths of calls for staff.
const ADMIN: &str = "/api/admin/";

const DESCRIPTION: &str = "The shop's API. Paths work with and without their final slash. \
    Ids are 24 hex digits, times are RFC 3339 in UTC, money is a number with at most two decimals. \
    Every answer from 400 up has the body `ApiError`.";

/// Where the text of the licence can be read.
const LICENSE_URL: &str = "https://spdx.org/licenses/MIT.html";

/// The URL of the API, relative to the description: the server that serves it.
const HERE: &str = "/";

/// Returns the service with the handlers of `api` and their description.
pub fn service<A: OpenApi>(api: A) -> OpenApiService<Contract<A>, ()> {
    OpenApiService::new(Contract(api), "myspares", env!("CARGO_PKG_VERSION"))
        .description(DESCRIPTION)
        .license(LicenseObject::new(env!("CARGO_PKG_LICENSE")).url(LICENSE_URL))
        .server(HERE)
}

/// Returns the OpenAPI description as JSON.
pub fn spec_json() -> String {
    serde_json::to_string_pretty(&description::complete(&bare().spec())).expect("the description is JSON")
}

/// Returns the OpenAPI description as YAML.
pub fn spec_yaml() -> String {
    serde_yaml::to_string(&description::complete(&bare().spec())).expect("JSON can be written as YAML")
}

/// Returns poem-openapi's page with Swagger UI, which shows the description and can send requests.
pub fn swagger_ui() -> String {
    bare().swagger_ui_html()
}

/// Returns poem-openapi's page with Redoc, which shows the description for reading.
pub fn redoc() -> String {
    bare().redoc_html()
}

/// Returns a service without handlers, with the description as poem-openapi makes it. It depends only on types.
fn bare() -> OpenApiService<Contract<impl OpenApi>, ()> {
    service(crate::api::ApiDescription)
}

/// An API with a completed description and with answers to all methods.
pub struct Contract<A>(A);

impl<A: OpenApi> OpenApi for Contract<A> {
    fn meta() -> Vec<MetaApi> {
        let mut apis = A::meta();
        for path in apis.iter_mut().flat_map(|api| &mut api.paths) {
            for operation in &mut path.operations {
                add_common_errors(operation, &path.path);
                if let Some(farewell) = Farewell::of(operation) {
                    farewell.describe(operation);
                }
            }
            if !path.path.ends_with('/') {
                path.path.push('/');
            }
        }
        apis
    }

    fn register(registry: &mut Registry) {
        A::register(registry);
        ErrorOut::register(registry);
    }

    fn add_routes(self, routes: &mut HashMap<String, HashMap<Method, BoxEndpoint<'static>>>) {
        self.0.add_routes(routes);
        for path in A::meta().iter().flat_map(|api| &api.paths) {
            let endpoints = routes.get_mut(&routed(path)).expect("what is described is routed");
            for operation in &path.operations {
                let endpoint = endpoints.remove(&operation.method).expect("what is described is routed");
                let endpoint = match (operation.security.is_empty(), path.path.starts_with(ADMIN)) {
                    (true, _) => public::check_given_bearer(endpoint),
                    (false, true) => query_check::take_only(query_parameters(operation), endpoint),
                    (false, false) => endpoint,
                };
                let endpoint = match Farewell::of(operation) {
                    Some(farewell) => farewell.announce(endpoint),
                    None => endpoint,
                };
                endpoints.insert(operation.method.clone(), endpoint);
            }
        }
        routes.values_mut().for_each(answer_other_methods);
    }
}

/// Returns a path as poem-openapi routes it.
///
/// The routes have numbers in place of the parameters' names: `/a/{code}/b/{id}` is routed as `/a/:param0/b/:param1`.
fn routed(path: &MetaPath) -> String {
    let mut parameters = 0..;
    let segments = path.path.split('/').map(|part| match part.starts_with('{') {
        true => parameters.next().map(|number: usize| format!(":param{number}")).unwrap_or_default(),
        false => part.to_owned(),
    });
    segments.collect::<Vec<_>>().join("/")
}

/// Returns the names of the query parameters of an operation.
fn query_parameters(operation: &MetaOperation) -> Vec<String> {
    let in_query = operation.params.iter().filter(|parameter| parameter.in_type == MetaParamIn::Query);
    in_query.map(|parameter| parameter.name.clone()).collect()
}

/// Adds the errors that follow from the kind of the call. Each handler describes only its own errors.
fn add_common_errors(operation: &mut MetaOperation, path: &str) {
    // A request that no client should send is a 400 on every path, see `request_checks.rs`.
    let mut statuses =
        BTreeSet::from([StatusCode::BAD_REQUEST, StatusCode::INTERNAL_SERVER_ERROR, StatusCode::SERVICE_UNAVAILABLE]);
    if operation.request.is_some() {
        statuses.extend([StatusCode::PAYLOAD_TOO_LARGE, StatusCode::UNSUPPORTED_MEDIA_TYPE]);
    }
    if !operation.security.is_empty() {
        statuses.insert(StatusCode::UNAUTHORIZED);
    }
    // Staff calls need a role. Calls below a user's path are the owner's. Calls that use the refresh cookie need an
    // allowed origin.
    let is_restricted = ["/api/admin", "/api/client"].iter().any(|prefix| path.starts_with(prefix));
    if is_restricted || operation.tags.contains(&"Auth") {
        statuses.insert(StatusCode::FORBIDDEN);
    }
    let responses = &mut operation.responses.responses;
    for response in responses.iter_mut().filter(|response| response.description.is_empty()) {
        response.description = "Done";
    }
    for status in statuses {
        if responses.iter().all(|response| response.status != Some(status.as_u16())) {
            responses.push(error_response(status));
        }
    }
    responses.sort_by_key(|response| response.status);
}
