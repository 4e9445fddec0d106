//! The body of an answer while it is sent to the caller.

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

/// The size of the pieces in which answers over HTTP/2 are handed to hyper. Bytes that hyper was given count as taken,
/// so it is given only a little at a time.
const PIECE_BYTES: usize = 16 * 1024;

/// A call in progress, from the head of its request to the end of its answer.
pub struct Call(Arc<Pulse>);

impl Call {
    /// Begins a call when the head of its request is complete.
    pub fn begin(pulse: Arc<Pulse>, version: Version) -> Self {
        pulse.call_started(version);
        Self(pulse)
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.0.call_ended();
    }
}

/// A body that reports to the [`Pulse`] of its connection how fast the caller takes it. It keeps the place of its call
/// until it is dropped.
pub struct AnswerBody {
    body: BoxBody<Bytes, io::Error>,
    /// The part of the last piece of `body` that has not been handed over yet.
    rest: Bytes,
    /// Whether a piece was handed to hyper that the caller has not taken yet.
    has_offered_piece: bool,
    /// Whether large pieces of `body` are split before they are handed over.
    splits_pieces: bool,
    call: Call,
    _place: Option<Place>,
}

impl AnswerBody {
    /// Creates the body of the answer to `call`.
    pub fn new(body: BoxBody<Bytes, io::Error>, call: Call, place: Option<Place>) -> Self {
        let splits_pieces = call.0.is_http2();
        // Counts as offered from the start: while the caller's HTTP/2 window is empty, hyper never asks for the body.
        call.0.piece_offered(0);
        Self { body, rest: Bytes::new(), has_offered_piece: true, splits_pieces, call, _place: place }
    }

    /// Makes a frame of the bytes, or of their first piece, and reports it as offered.
    fn offer(&mut self, mut bytes: Bytes) -> Frame<Bytes> {
        if self.splits_pieces && bytes.len() > PIECE_BYTES {
            self.rest = bytes.split_off(PIECE_BYTES);
        }
        self.call.0.piece_offered(bytes.len());
        self.has_offered_piece = true;
        Frame::data(bytes)
    }

    /// Reports that the caller has taken the piece that was offered, if there is one.
    fn report_piece_taken(&mut self) {
        if std::mem::take(&mut self.has_offered_piece) {
            self.call.0.piece_taken();
        }
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = io::Error;

    /// hyper asks for more only when there is room for it, so what was offered before has been taken.
    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        self.report_piece_taken();
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

impl Drop for AnswerBody {
    fn drop(&mut self) {
        self.report_piece_taken();
    }
}
