//! The body of an answer on its way to the caller.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use hyper::body::{Body, Frame, SizeHint};
use poem::http::Version;

use super::pulse::Pulse;
use crate::http::places::Place;

/// HTTP/2 hands over no more than this before the caller has room for it: what it was given counts as taken.
const PIECE: usize = 16 * 1024;

/// A call under way, from its head to the end of its answer.
pub struct Call(Arc<Pulse>);

impl Call {
    /// The head of a request is complete.
    pub fn begin(pulse: Arc<Pulse>, version: Version) -> Self {
        pulse.called(version);
        Self(pulse)
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.0.done();
    }
}

/// A body that notices how its caller takes it, and holds what its call holds until it is gone.
pub struct Answer {
    body: BoxBody<Bytes, io::Error>,
    /// Cut off the last piece of `body`.
    rest: Bytes,
    is_offered: bool,
    in_pieces: bool,
    call: Call,
    _place: Option<Place>,
}

impl Answer {
    /// The answer to `call`.
    pub fn new(body: BoxBody<Bytes, io::Error>, call: Call, place: Option<Place>) -> Self {
        let in_pieces = call.0.is_http2();
        // Nobody has asked for it yet: where the caller's HTTP/2 window is empty, nobody will.
        call.0.offered(0);
        Self { body, rest: Bytes::new(), is_offered: true, in_pieces, call, _place: place }
    }

    fn offer(&mut self, mut bytes: Bytes) -> Frame<Bytes> {
        if self.in_pieces && bytes.len() > PIECE {
            self.rest = bytes.split_off(PIECE);
        }
        self.call.0.offered(bytes.len());
        self.is_offered = true;
        Frame::data(bytes)
    }

    fn taken(&mut self) {
        if std::mem::take(&mut self.is_offered) {
            self.call.0.taken();
        }
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = io::Error;

    /// To be asked for more means that there is room for it.
    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        self.taken();
        if !self.rest.is_empty() {
            let rest = std::mem::take(&mut self.rest);
            return Poll::Ready(Some(Ok(self.offer(rest))));
        }
        let Some(frame) = ready!(Pin::new(&mut self.body).poll_frame(context)) else { return Poll::Ready(None) };
        Poll::Ready(Some(frame.map(|frame| match frame.into_data() {
            Ok(bytes) => self.offer(bytes),
            Err(other) => other,
        })))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let rest = self.rest.len() as u64;
        let inner = self.body.size_hint();
        let mut hint = SizeHint::new();
        hint.set_lower(inner.lower() + rest);
        if let Some(upper) = inner.upper() {
            hint.set_upper(upper + rest);
        }
        hint
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.taken();
    }
}
