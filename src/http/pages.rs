//! The pages beside the API: its documentation, the health checks, the metrics, and images.

use std::sync::Arc;

use poem::{
    IntoResponse, Request, Response, Route,
    endpoint::{make, make_sync},
    error::NotFoundError,
    http::{HeaderValue, StatusCode, header},
};
use serde_json::json;

use super::{docs, gauges, methods::only_get};
use crate::{
    api::{
        error::{ApiError, ErrorCode},
        etag::{ETag, list},
    },
    app::App,
    config::{Config, MetricsHome},
    metrics::MetricsFormat,
};

/// For images. The name of an image is never used for another image.
const FOREVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// Adds the pages to the routes, except those that the settings switch off.
pub fn add(routes: Route, config: &Config) -> Route {
    let with_checks = routes
        .at("/healthz", only_get(make_sync(|_| status("ok"))))
        .at("/readyz", only_get(make(ready)))
        .at("/media/:name", only_get(make(media)));
    let with_docs = docs::add(with_checks, config);
    if config.metrics == MetricsHome::Main { add_metrics(with_docs) } else { with_docs }
}

/// Adds the page with the metrics.
pub fn add_metrics(routes: Route) -> Route {
    routes.at("/metrics", only_get(make(metrics)))
}

/// Answers 200 if callers should be sent to this server: the database answers and the server is not stopping.
async fn ready(request: Request) -> poem::Result<Response> {
    let app = request.data::<Arc<App>>().ok_or_else(ApiError::internal)?;
    if app.stopping.is_cancelled() {
        return Err(ApiError::new(ErrorCode::Stopping, "the server is stopping").into());
    }
    app.store.answers().await.map_err(ApiError::from)?;
    Ok(status("ready"))
}

/// Serves an image that is stored on this server. With `?w=320`, it serves the narrowest variant that is at least so
/// wide, and the image itself if there is none.
async fn media(request: Request) -> poem::Result<Response> {
    let app = request.data::<Arc<App>>().ok_or_else(ApiError::internal)?;
    let name = request.path_params::<String>()?;
    let found = app.images.read(&name, wanted_width(request.uri().query())).await.map_err(|error| {
        tracing::error!(%error, "a picture can't be read");
        ApiError::internal()
    })?;
    let image = found.ok_or(NotFoundError)?;
    // The content behind a name never changes, so the name can serve as the tag.
    let etag = ETag::quoted(&image.name);
    let is_known = list(request.headers(), header::IF_NONE_MATCH).is_some_and(|tags| etag.is_named_by(&tags));
    let response = Response::builder().header(header::CACHE_CONTROL, FOREVER).header(header::ETAG, &etag.bytes()[..]);
    if is_known {
        return Ok(response.status(StatusCode::NOT_MODIFIED).finish());
    }
    Ok(response.content_type(image.content_type).body(image.bytes))
}

/// Returns the width that a query names; `None` if it names none that is a number.
fn wanted_width(query: Option<&str>) -> Option<u32> {
    query?.split('&').find_map(|pair| pair.strip_prefix("w=")?.parse().ok())
}

/// Serves the metrics. This path must not be reachable from the internet; see `docs/operations.md`.
async fn metrics(request: Request) -> poem::Result<Response> {
    let app = request.data::<Arc<App>>().ok_or_else(ApiError::internal)?;
    let format = MetricsFormat::accepted(request.header(header::ACCEPT));
    gauges::update(app).await;
    let text = app.metrics.text(format).map_err(|_| ApiError::internal())?;
    Ok(Response::builder().content_type(format.content_type()).body(text))
}

fn status(word: &str) -> Response {
    poem::web::Json(json!({ "status": word })).into_response()
}
