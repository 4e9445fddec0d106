//! A caller who hangs up ends the request's future, in the middle of a flow of several writes too. Calls that change
//! something therefore run as tasks of their own, which go on to their end.

use std::sync::Arc;

use poem::{Endpoint, IntoResponse, Middleware, Request, Response, Result, http::Method};
use tokio_util::task::TaskTracker;

use super::errors::{self, RequestId};

/// The layer.
pub struct Detach {
    tasks: TaskTracker,
}

impl Detach {
    /// A layer whose tasks can be waited for.
    pub fn new(tasks: &TaskTracker) -> Self {
        Self { tasks: tasks.clone() }
    }
}

impl<E: Endpoint + 'static> Middleware<E> for Detach {
    type Output = DetachEndpoint<E>;

    fn transform(&self, inner: E) -> DetachEndpoint<E> {
        DetachEndpoint { inner: Arc::new(inner), tasks: self.tasks.clone() }
    }
}

/// An endpoint whose changes are not cut off.
pub struct DetachEndpoint<E> {
    inner: Arc<E>,
    tasks: TaskTracker,
}

impl<E: Endpoint + 'static> Endpoint for DetachEndpoint<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        if matches!(*request.method(), Method::GET | Method::OPTIONS) {
            return self.inner.call(request).await.map(IntoResponse::into_response);
        }
        let inner = Arc::clone(&self.inner);
        let id = request.data::<RequestId>().map(|id| id.0.clone()).unwrap_or_default();
        // What fails is logged in the task, whether or not anybody still waits for it.
        let task = self.tasks.spawn(async move { errors::answered(inner.call(request), &id).await });
        task.await.map_err(poem::error::InternalServerError)
    }
}
