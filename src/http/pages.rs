//! The pages beside the API: its documentation and description, the health checks, the metrics, and images.

use std::sync::Arc;

use bytes::Bytes;
use poem::{
    Endpoint, IntoResponse, Request, Response, Route,
    endpoint::{make, make_sync},
    error::NotFoundError,
    http::{HeaderValue, StatusCode, header},
};
use serde_json::json;

use super::{
    contract::{spec_json, spec_yaml, swagger_ui},
    gauges,
    gzip::accepts_gzip,
    methods::only_get,
};
use crate::{
    api::{
        error::{ApiError, ErrorCode},
        etag::{ETag, list},
    },
    app::App,
    config::{Config, MetricsHome},
    metrics::MetricsFormat,
    values::gzip,
};

/// The content security policy of the documentation. Scripts and styles are inside the page, and the page may connect
/// to this server only.
const OWN_SERVER_ONLY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src 'self' data:; \
     font-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);
/// For images. The name of an image is never used for another image.
const FOREVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const REVALIDATED: HeaderValue = HeaderValue::from_static("no-cache");

/// Adds the pages to the routes, except those that the settings switch off.
pub fn add(routes: Route, config: &Config) -> Route {
    let with_checks = routes
        .at("/healthz", only_get(make_sync(|_| status("ok"))))
        .at("/readyz", only_get(make(ready)))
        .at("/media/:name", only_get(make(media)));
    let with_docs = if config.docs { add_docs(with_checks) } else { with_checks };
    if config.metrics == MetricsHome::Main { add_metrics(with_docs) } else { with_docs }
}

fn add_docs(routes: Route) -> Route {
    routes
        .at("/docs", only_get(fixed("text/html; charset=utf-8", swagger_ui())))
        .at("/openapi.json", only_get(fixed("application/json; charset=utf-8", spec_json())))
        .at("/openapi.yaml", only_get(fixed("application/yaml; charset=utf-8", spec_yaml())))
}

/// Adds the page with the metrics.
pub fn add_metrics(routes: Route) -> Route {
    routes.at("/metrics", only_get(make(metrics)))
}

/// Returns an endpoint that serves a text that never changes. The text is compressed once and not for each caller.
fn fixed(content_type: &'static str, body: String) -> impl Endpoint<Output = Response> + 'static {
    let compressed = gzip::compress(body.as_bytes()).map(Bytes::from).ok();
    let plain = Bytes::from(body);
    make_sync(move |request: Request| {
        let response = Response::builder()
            .content_type(content_type)
            .header(header::CONTENT_SECURITY_POLICY, OWN_SERVER_ONLY)
            .header(header::CACHE_CONTROL, REVALIDATED)
            .header(header::VARY, "Accept-Encoding");
        match compressed.as_ref().filter(|_| accepts_gzip(request.headers())) {
            Some(compressed) => response.header(header::CONTENT_ENCODING, "gzip").body(compressed.clone()),
            None => response.body(plain.clone()),
        }
    })
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
