//! A caller who hangs up ends the request's future, in the middle of a flow of several writes too, or while the
//! database's answer is on its way, which costs the driver a connection. Calls therefore run as tasks of their own, which
//! go on to their end.

use std::sync::Arc;

use poem::{Endpoint, Middleware, Request, Response, Result};
use tokio_util::task::TaskTracker;

use super::errors;
use crate::{access::RequestId, services::hashing::Caller};

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

/// An endpoint whose calls are not cut off.
pub struct DetachEndpoint<E> {
    inner: Arc<E>,
    tasks: TaskTracker,
}

impl<E: Endpoint + 'static> Endpoint for DetachEndpoint<E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> Result<Response> {
        let inner = Arc::clone(&self.inner);
        let id = request.data::<RequestId>().map(|id| id.0.clone()).unwrap_or_default();
        let (caller, _leaves_when_dropped) = Caller::with_guard();
        request.set_data(caller);
        // What fails is logged in the task, whether or not anybody still waits for it.
        let task = self.tasks.spawn(async move { errors::answered(inner.call(request), &id).await });
        task.await.map_err(poem::error::InternalServerError)
    }
}
