//! The body of a request while it arrives.

use std::{
    future::Future,
    io,
    pin::Pin,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures_util::TryStreamExt;
use http_body_util::{BodyExt, BodyStream};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::{runtime::Handle, time::Sleep};

use super::patience::StallMeter;
use crate::{api::error::BodyFault, config::Patience};

/// The maximum number of bytes that are read and discarded after a call that didn't read its body. The upload of an
/// image fits, so a caller whose session has ended gets the answer 401 instead of a reset connection.
const DRAIN_LIMIT: usize = 9 * 1024 * 1024;
/// The maximum time for reading and discarding the rest of a body.
const DRAIN_TIME: Duration = Duration::from_secs(2);

/// A request body that fails with [`BodyFault::Slow`] when its caller stalls for too long.
///
/// If a call ends before the whole body was read, the rest is read and discarded for a short time. Otherwise a client
/// that writes its whole request before it reads would get a reset connection instead of the answer.
pub struct Intake {
    body: Option<Incoming>,
    meter: StallMeter,
    alarm: Option<Pin<Box<Sleep>>>,
}

impl Intake {
    /// Wraps the body of a request.
    pub fn new(body: Incoming, patience: Patience) -> Self {
        Self { body: Some(body), meter: StallMeter::new(patience), alarm: None }
    }

    /// Is ready when the caller has stalled for too long. Until then, the task is woken when that time comes.
    fn poll_alarm(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let deadline = self.meter.start_waiting(Instant::now()).into();
        let alarm = self.alarm.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        if alarm.deadline() != deadline {
            alarm.as_mut().reset(deadline);
        }
        alarm.as_mut().poll(context)
    }
}

impl Body for Intake {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        match Pin::new(body).poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => {
                let bytes = frame.data_ref().map_or(0, Bytes::len);
                self.meter.record_transfer(bytes, Instant::now());
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(io::Error::other(error)))),
            Poll::Ready(None) => {
                self.body = None;
                Poll::Ready(None)
            }
            Poll::Pending => self.poll_alarm(context).map(|()| Some(Err(BodyFault::Slow.into()))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Incoming::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), Incoming::size_hint)
    }
}

impl Drop for Intake {
    fn drop(&mut self) {
        let Some(body) = self.body.take().filter(|body| !body.is_end_stream()) else { return };
        // Without a runtime, the process is ending.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(tokio::time::timeout(DRAIN_TIME, drain(body)));
        }
    }
}

async fn drain(body: Incoming) {
    let mut bytes_left = DRAIN_LIMIT;
    let mut frames = BodyStream::new(body.map_err(|_| ()));
    while let Ok(Some(frame)) = frames.try_next().await {
        bytes_left = bytes_left.saturating_sub(frame.data_ref().map_or(0, Bytes::len));
        if bytes_left == 0 {
            return;
        }
    }
}
