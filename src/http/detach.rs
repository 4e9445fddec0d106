//! Calls continue when their caller disconnects.
//!
//! hyper drops the future of a request when its connection ends. That could stop a flow between two writes. It could
//! also drop a database call that waits for its answer, and the driver would then have to close that connection. So the
//! rest of such a call runs to its end in a task of its own.

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
use crate::{accounts::hashing::CallerPresence, api::access::RequestId};

/// The layer that lets calls continue.
pub struct Detach {
    tasks: TaskTracker,
}

impl Detach {
    /// Creates a layer that starts its tasks on `tasks`, so that a stopping server can wait for them.
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

/// The endpoint behind [`Detach`].
pub struct DetachEndpoint<E> {
    inner: Arc<E>,
    tasks: TaskTracker,
}

impl<E: Endpoint + 'static> Endpoint for DetachEndpoint<E> {
    type Output = Response;

    fn call(&self, mut request: Request) -> impl Future<Output = Result<Response>> + Send {
        let inner = Arc::clone(&self.inner);
        let id = request.data::<RequestId>().map_or_else(|| "".into(), |id| Arc::clone(&id.0));
        let (caller, presence_guard) = CallerPresence::with_guard();
        request.set_data(caller);
        let place = request.data::<Place>().cloned();
        let call = async move {
            let _place_of_the_call = place;
            inner.call(request).await
        };
        // Errors are turned into answers and logged inside the call, so they are logged even when the caller has left.
        let answered_call = errors::answer_of(|| call, id).boxed();
        AttendedCall { call: Some(answered_call), presence_guard: Some(presence_guard), tasks: &self.tasks }
    }
}

/// A call whose caller still waits.
///
/// It runs in the task of its connection, which costs nothing extra. If it is dropped before its end, the rest of it
/// moves to a task of its own.
struct AttendedCall<'a> {
    call: Option<BoxFuture<'static, Response>>,
    /// Tells the call that its caller has left when this is dropped.
    presence_guard: Option<DropGuard>,
    tasks: &'a TaskTracker,
}

impl Future for AttendedCall<'_> {
    type Output = Result<Response>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<Response>> {
        let Some(call) = &mut self.call else { return Poll::Pending };
        let response = ready!(call.poll_unpin(context));
        self.call = None;
        Poll::Ready(Ok(response))
    }
}

impl Drop for AttendedCall<'_> {
    fn drop(&mut self) {
        self.presence_guard = None;
        // Without a runtime, the process is ending.
        if let (Some(call), Ok(runtime)) = (self.call.take(), Handle::try_current()) {
            self.tasks.spawn_on(call, &runtime);
        }
    }
}
