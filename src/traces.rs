//! Traces of calls. They are sent to a collector by OTLP over HTTP (<https://opentelemetry.io/docs/specs/otlp/>).
//!
//! Spans are named after routes and not after paths, because paths may contain secrets. They contain the request id,
//! which may come from the caller.

use std::{borrow::Cow, time::Duration};

use async_trait::async_trait;
use opentelemetry::{
    Context, KeyValue,
    propagation::TextMapPropagator,
    trace::{Span, SpanKind, Status, Tracer, TracerProvider},
};
use opentelemetry_http::{Bytes, HeaderExtractor, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{ExporterBuildError, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::{
    Resource,
    propagation::TraceContextPropagator,
    trace::{SdkTracer, SdkTracerProvider, Span as SdkSpan},
};
use reqwest::{Client, header::HeaderMap};
use tokio::runtime::Handle;

/// The maximum time for sending a batch. Meanwhile up to 2,048 spans wait in memory, and further spans are dropped.
const CALL_LIMIT: Duration = Duration::from_secs(5);
/// The maximum time for sending the last spans when the server stops.
const STOP_LIMIT: Duration = Duration::from_secs(2);

/// Creates the spans of calls and sends them to the collector.
pub struct Traces {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
}

/// The span of a call in progress.
pub struct CallSpan(SdkSpan);

/// The reason why traces can't be started.
#[derive(Debug, thiserror::Error)]
pub enum TracesError {
    /// The HTTP client can't be created.
    #[error(transparent)]
    Client(#[from] reqwest::Error),
    /// The exporter can't be created, for example because the endpoint is not a URL.
    #[error(transparent)]
    Exporter(#[from] ExporterBuildError),
}

impl Traces {
    /// Starts traces for the collector at `endpoint`, such as `http://localhost:4318`. Panics outside a tokio runtime.
    pub fn start(endpoint: &str) -> Result<Self, TracesError> {
        crate::values::tls::install_tls();
        let client = Client::builder().timeout(CALL_LIMIT).build()?;
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(ReqwestClient { client, runtime: Handle::current() })
            .with_endpoint(format!("{}/v1/traces", endpoint.trim_end_matches('/')))
            .build()?;
        let version_attribute = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
        let resource = Resource::builder().with_service_name("myspares").with_attribute(version_attribute).build();
        let provider = SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build();
        Ok(Self { tracer: provider.tracer("myspares"), provider })
    }

    /// Begins the span of a call. If the call has a `traceparent` (W3C Trace Context), the span belongs to that trace.
    pub fn begin(&self, method: &str, request_id: &str, headers: &HeaderMap) -> CallSpan {
        let parent = TraceContextPropagator::new().extract_with_context(&Context::new(), &HeaderExtractor(headers));
        let attributes = [
            KeyValue::new("http.request.method", method.to_owned()),
            KeyValue::new("myspares.request_id", request_id.to_owned()),
        ];
        let builder =
            self.tracer.span_builder(method.to_owned()).with_kind(SpanKind::Server).with_attributes(attributes);
        CallSpan(builder.start_with_context(&self.tracer, &parent))
    }

    /// Sends the spans that are left, for two seconds at most. Logs a warning if that fails.
    pub async fn stop(&self) {
        let provider = self.provider.clone();
        let stopped = tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(STOP_LIMIT)).await;
        if !matches!(stopped, Ok(Ok(()))) {
            tracing::warn!("the last traces were not sent");
        }
    }
}

impl CallSpan {
    /// Ends the span when the call has its answer or its caller has left. `route` is `None` if no route was matched.
    pub fn end(mut self, method: &str, route: Option<&str>, status: u16) {
        if let Some(route) = route {
            self.0.update_name(format!("{method} {route}"));
            self.0.set_attribute(KeyValue::new("http.route", route.to_owned()));
        }
        self.0.set_attribute(KeyValue::new("http.response.status_code", i64::from(status)));
        if status >= 500 {
            self.0.set_status(Status::Error { description: Cow::Borrowed("") });
        }
        self.0.end();
    }
}

/// Sends batches with reqwest, which the app uses anyway. The exporter runs on a thread of its own, but reqwest needs a
/// tokio runtime.
#[derive(Debug)]
struct ReqwestClient {
    client: Client,
    runtime: Handle,
}

#[async_trait]
impl HttpClient for ReqwestClient {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        self.runtime.spawn(send(self.client.clone(), request)).await?
    }
}

async fn send(client: Client, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
    let response = client.execute(request.try_into()?).await?;
    Ok(Response::builder().status(response.status()).body(response.bytes().await?)?)
}
