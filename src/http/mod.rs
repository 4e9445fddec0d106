//! HTTP around the API: the router, what happens to every request and answer, and the pages beside the API.

mod access_log;
mod body_limit;
mod contract;
mod cors;
mod detach;
mod edge;
mod errors;
mod gauges;
mod gzip;
mod intake;
mod methods;
mod pages;
mod patience;
mod places;
mod public;
mod server;
mod shares;
mod slashes;
mod sound;

use std::sync::Arc;

use poem::{Endpoint, EndpointExt, Response, Route};

use self::{body_limit::BodyLimit, detach::Detach, edge::Edge, gzip::Gzip, places::Places, slashes::Slashes};
pub use self::{
    contract::{spec_json, spec_yaml},
    intake::BodyFault,
    server::{Listeners, serve},
};
use crate::app::App;

/// Every URL. What stands last is what a request meets first; calls that were given up go on as the app's tasks.
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

/// The metrics on a port of their own.
fn metrics_router(app: &Arc<App>) -> impl Endpoint<Output = Response> + 'static {
    pages::add_metrics(Route::new()).data(Arc::clone(app)).with(Slashes).with(Edge::new(app))
}
