//! No call takes more than 1 MiB, or a picture of 5 MiB; what is larger is refused without being kept.

use std::time::Duration;

use futures_util::StreamExt;
use poem::{
    Body, Endpoint, Middleware, Request, Result,
    error::ReadBodyError,
    http::{Method, header},
};

const LIMIT: usize = 1024 * 1024;
/// A picture and what a form puts around it.
const PICTURE_LIMIT: usize = 5 * 1024 * 1024 + 64 * 1024;
const PICTURE_PATH: &str = "/api/accounts/photo";
/// So much more than the limit is read to its end all the same.
const DRAINED: u64 = 3 * 1024 * 1024;
/// For so long at most.
const DRAIN_LIMIT: Duration = Duration::from_secs(2);

/// The layer. A declared length is refused at once; a chunked body is counted while it is read.
pub struct BodyLimit;

impl<E: Endpoint> Middleware<E> for BodyLimit {
    type Output = BodyLimitEndpoint<E>;

    fn transform(&self, inner: E) -> BodyLimitEndpoint<E> {
        BodyLimitEndpoint(inner)
    }
}

/// An endpoint whose bodies are small and in memory.
pub struct BodyLimitEndpoint<E>(E);

impl<E: Endpoint> Endpoint for BodyLimitEndpoint<E> {
    type Output = E::Output;

    async fn call(&self, mut request: Request) -> Result<E::Output> {
        let body = request.take_body();
        if body.is_empty() {
            return self.0.call(request).await;
        }
        let limit = limit(&request);
        let declared =
            request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        if let Some(length) = declared.filter(|length: &u64| *length > limit as u64) {
            if length <= limit as u64 + DRAINED {
                drain(body).await;
            }
            return Err(ReadBodyError::PayloadTooLarge.into());
        }
        request.set_body(body.into_bytes_limit(limit).await?);
        self.0.call(request).await
    }
}

/// Reads a body that is only a little too large and forgets it: a client that writes its whole request before it reads
/// would otherwise see a reset connection in place of the answer.
async fn drain(body: Body) {
    let mut stream = body.into_bytes_stream();
    let _too_slow_is_as_good_as_done =
        tokio::time::timeout(DRAIN_LIMIT, async { while let Some(Ok(_)) = stream.next().await {} }).await;
}

/// The path has lost its final slash further out.
fn limit(request: &Request) -> usize {
    let is_picture = request.method() == Method::POST && request.uri().path() == PICTURE_PATH;
    if is_picture { PICTURE_LIMIT } else { LIMIT }
}
