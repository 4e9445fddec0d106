//! No call takes more than 1 MiB; what is larger is refused without being read to its end.

use poem::{Endpoint, Middleware, Request, Result, error::ReadBodyError, http::header};

const LIMIT: usize = 1024 * 1024;

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
        let declared =
            request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        if declared.is_some_and(|length: u64| length > LIMIT as u64) {
            return Err(ReadBodyError::PayloadTooLarge.into());
        }
        request.set_body(body.into_bytes_limit(LIMIT).await?);
        self.0.call(request).await
    }
}
