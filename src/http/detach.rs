//! A caller who hangs up ends the request's future, in the middle of a flow of several writes too, or while the
//! database's answer is on its way, which costs the driver a connection. Calls that have to wait therefore run as
//! tasks of their own, which go on to their end.

use std::{sync::Arc, task::Poll};

use futures_util::FutureExt;
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

    fn call(&self, mut request: Request) -> impl Future<Output = Result<Response>> + Send {
        let inner = Arc::clone(&self.inner);
        let id = request.data::<RequestId>().map_or_else(|| "".into(), |id| Arc::clone(&id.0));
        let (caller, leaves_when_dropped) = Caller::with_guard();
        request.set_data(caller);
        // What fails is logged by the call, whether or not anybody still waits for it.
        let mut call = errors::answered(|| async move { inner.call(request).await }, id).boxed();
        async move {
            let _leaves_when_dropped = leaves_when_dropped;
            // What is answered without waiting, as from memory, can't be cut off and needs no task.
            if let Poll::Ready(response) = futures_util::poll!(&mut call) {
                return Ok(response);
            }
            self.tasks.spawn(call).await.map_err(poem::error::InternalServerError)
        }
    }
}
