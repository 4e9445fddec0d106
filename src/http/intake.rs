//! The body of a request on its way into the server.

use std::{
    error::Error,
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

use super::patience::Meter;
use crate::config::Patience;

/// So much of a body that nobody wanted is read and thrown away: an image whose sender isn't signed in any more, and some,
const DRAINED: usize = 9 * 1024 * 1024;
/// for so long at most.
const DRAIN_TIME: Duration = Duration::from_secs(2);

/// Why a body can't be read to its end, although its caller still sends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BodyFault {
    /// It comes too slowly.
    #[error("the body came too slowly")]
    Slow,
    /// It is larger than its call takes.
    #[error("the body is too large")]
    TooLarge,
    /// The bodies of all callers together have no room for it.
    #[error("too much is asked for at the moment")]
    NoRoom,
}

impl BodyFault {
    /// The fault behind what a reader of the body says.
    pub fn behind(error: &(dyn Error + 'static)) -> Option<Self> {
        if let Some(fault) = error.downcast_ref::<Self>() {
            return Some(*fault);
        }
        let inside = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        let inside = inside.map(|inside| inside as &(dyn Error + 'static));
        inside.or_else(|| error.source()).and_then(Self::behind)
    }
}

impl From<BodyFault> for io::Error {
    fn from(fault: BodyFault) -> Self {
        Self::other(fault)
    }
}

/// A body whose caller has to keep up. What a refused call leaves of it is read and forgotten for a moment: a client that
/// writes its whole request before it reads would otherwise see a reset connection in place of the answer.
pub struct Intake {
    body: Option<Incoming>,
    meter: Meter,
    alarm: Option<Pin<Box<Sleep>>>,
}

impl Intake {
    /// The body of a request.
    pub fn new(body: Incoming, patience: Patience) -> Self {
        Self { body: Some(body), meter: Meter::new(patience), alarm: None }
    }

    /// Whether the caller has kept the server waiting for too long; asks to be polled again when they have.
    fn poll_alarm(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let deadline = self.meter.waiting(Instant::now()).into();
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
                self.meter.moved(bytes, Instant::now());
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
        // Without a runtime the process is at its end.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(tokio::time::timeout(DRAIN_TIME, drain(body)));
        }
    }
}

async fn drain(body: Incoming) {
    let mut left = DRAINED;
    let mut frames = BodyStream::new(body.map_err(|_| ()));
    while let Ok(Some(frame)) = frames.try_next().await {
        left = left.saturating_sub(frame.data_ref().map_or(0, Bytes::len));
        if left == 0 {
            return;
        }
    }
}
