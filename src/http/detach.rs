//! A caller who hangs up ends the request's future, in the middle of a flow of several writes too, or while the
//! database's answer is on its way, which costs the driver a connection. What is left of such a call therefore goes on as
//! a task of its own, to its end.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use futures_util::{FutureExt, future::BoxFuture};
use poem::{Endpoint, Middleware, Request, Response, Result};
use tokio::runtime::Handle;
use tokio_util::{sync::DropGuard, task::TaskTracker};

use super::{errors, places::Place};
use crate::{accounts::hashing::Caller, api::access::RequestId};

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
        let (caller, guard) = Caller::with_guard();
        request.set_data(caller);
        // What fails is logged by the call, whether or not anybody still waits for it.
        let place = request.data::<Place>().cloned();
        let call = async move {
            let _until_the_end = place;
            inner.call(request).await
        };
        let call = errors::answered(|| call, id).boxed();
        Attended { call: Some(call), guard: Some(guard), tasks: &self.tasks }
    }
}

/// A call that somebody waits for. It runs in the task of its connection, which costs nothing; only where that gives it up
/// before the end does it get one of its own.
struct Attended<'a> {
    call: Option<BoxFuture<'static, Response>>,
    /// Says that the caller has left, when dropped.
    guard: Option<DropGuard>,
    tasks: &'a TaskTracker,
}

impl Future for Attended<'_> {
    type Output = Result<Response>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<Response>> {
        let Some(call) = &mut self.call else { return Poll::Pending };
        let response = ready!(call.poll_unpin(context));
        self.call = None;
        Poll::Ready(Ok(response))
    }
}

impl Drop for Attended<'_> {
    fn drop(&mut self) {
        self.guard = None;
        // Without a runtime the process is at its end.
        if let (Some(call), Ok(runtime)) = (self.call.take(), Handle::try_current()) {
            self.tasks.spawn_on(call, &runtime);
        }
    }
}
