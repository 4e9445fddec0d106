//! Traces of calls, sent to a collector by OTLP over HTTP (https://opentelemetry.io/docs/specs/otlp/). They name routes and
//! never paths, and hold nothing that a caller has written.

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

/// How long the collector may take for a batch. Spans wait in memory meanwhile, 2,048 at most; more are dropped.
const CALL_LIMIT: Duration = Duration::from_secs(5);
/// How long the last spans may take when the server stops.
const STOP_LIMIT: Duration = Duration::from_secs(2);

/// Where the spans of calls go.
pub struct Traces {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
}

/// A call under way.
pub struct CallSpan(SdkSpan);

/// Why no traces are sent.
#[derive(Debug, thiserror::Error)]
pub enum TracesError {
    /// The client of the collector.
    #[error(transparent)]
    Client(#[from] reqwest::Error),
    /// The exporter.
    #[error(transparent)]
    Exporter(#[from] ExporterBuildError),
}

impl Traces {
    /// Traces for the collector at `endpoint`, such as `http://localhost:4318`.
    pub fn start(endpoint: &str) -> Result<Self, TracesError> {
        crate::values::tls::install_tls();
        let client = Client::builder().timeout(CALL_LIMIT).build()?;
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Courier { client, runtime: Handle::current() })
            .with_endpoint(format!("{}/v1/traces", endpoint.trim_end_matches('/')))
            .build()?;
        let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
        let resource = Resource::builder().with_service_name("myspares").with_attribute(version).build();
        let provider = SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build();
        Ok(Self { tracer: provider.tracer("myspares"), provider })
    }

    /// A call begins; its `traceparent` (W3C Trace Context) says whose part it is.
    pub fn begin(&self, method: &str, request_id: &str, headers: &HeaderMap) -> CallSpan {
        let parent = TraceContextPropagator::new().extract_with_context(&Context::new(), &HeaderExtractor(headers));
        let attributes = [
            KeyValue::new("http.request.method", method.to_owned()),
            KeyValue::new("myspares.request_id", request_id.to_owned()),
        ];
        let span = self.tracer.span_builder(method.to_owned()).with_kind(SpanKind::Server).with_attributes(attributes);
        CallSpan(span.start_with_context(&self.tracer, &parent))
    }

    /// Sends what is left.
    pub async fn stop(&self) {
        let provider = self.provider.clone();
        let stopped = tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(STOP_LIMIT)).await;
        if !matches!(stopped, Ok(Ok(()))) {
            tracing::warn!("the last traces were not sent");
        }
    }
}

impl CallSpan {
    /// The call has its answer, or nobody waits for it.
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

/// Carries batches with the client that everything else uses, on the runtime that its sockets need.
#[derive(Debug)]
struct Courier {
    client: Client,
    runtime: Handle,
}

#[async_trait]
impl HttpClient for Courier {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        self.runtime.spawn(carry(self.client.clone(), request)).await?
    }
}

async fn carry(client: Client, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
    let answer = client.execute(request.try_into()?).await?;
    Ok(Response::builder().status(answer.status()).body(answer.bytes().await?)?)
}
