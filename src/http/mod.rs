//! HTTP around the API: the router, the layers that handle every request and answer, and the pages beside the API.

mod access_log;
mod body_limit;
mod contract;
mod cors;
mod description;
mod detach;
mod docs;
mod edge;
mod errors;
mod farewell;
mod fixed;
mod gauges;
mod gzip;
mod intake;
mod methods;
mod pages;
mod patience;
mod places;
mod public;
mod query_check;
mod request_checks;
mod server;
mod shares;
mod slashes;

use std::sync::Arc;

use poem::{Endpoint, EndpointExt, Response, Route};

use self::{body_limit::BodyLimit, detach::Detach, edge::Edge, gzip::Gzip, places::Places, slashes::Slashes};
pub use self::{
    contract::{spec_json, spec_yaml},
    server::{Listeners, serve},
};
use crate::app::App;

/// Returns the router of all URLs with its layers. A request passes the last layer in the list first.
fn router(app: &Arc<App>) -> impl Endpoint<Output = Response> + 'static {
    let routes = Route::new().nest_no_strip("/api", contract::service(crate::api::all(app)));
    pages::add(routes, &app.config)
        .data(Arc::clone(app))
        .with(Detach::new(&app.tasks))
        .with(BodyLimit)
        .with(Places::new(app))
        .with(Gzip)
        .with(Slashes)
        .with(Edge::new(app))
}

/// Returns the router for a separate port that serves only the metrics.
fn metrics_router(app: &Arc<App>) -> impl Endpoint<Output = Response> + 'static {
    pages::add_metrics(Route::new()).data(Arc::clone(app)).with(Slashes).with(Edge::new(app))
}
