//! The body of an answer: whole, or event by event with or without waits.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::Stream;
use hyper::body::{Body, Frame, SizeHint};

use crate::dify::mock::fault::BrokenConnection;

/// The pieces of a body; an error breaks the connection.
pub type BodyPieces = Pin<Box<dyn Stream<Item = Result<Bytes, BrokenConnection>> + Send>>;

/// The body of an answer.
pub enum MockBody {
    /// All at once, with a length.
    Whole(Option<Bytes>),
    /// One chunk per event, without waits.
    Events {
        /// All events.
        bytes: Bytes,
        /// Where each ends.
        ends: std::vec::IntoIter<usize>,
        /// Where the next begins.
        at: usize,
    },
    /// Chunks at their times.
    Paced(Pin<Box<dyn Stream<Item = Bytes> + Send>>),
    /// Chunks of an answer with faults, which may break the connection.
    Played {
        /// The chunks.
        pieces: BodyPieces,
        /// `Content-Length`; `None`: the body comes in chunks.
        length: Option<u64>,
    },
}

impl Body for MockBody {
    type Data = Bytes;
    type Error = BrokenConnection;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenConnection>>> {
        let next = match self.get_mut() {
            Self::Whole(bytes) => bytes.take(),
            Self::Events { bytes, ends, at } => ends.next().map(|end| {
                let event = bytes.slice(*at..end);
                *at = end;
                event
            }),
            Self::Paced(stream) => match stream.as_mut().poll_next(cx) {
                Poll::Ready(next) => next,
                Poll::Pending => return Poll::Pending,
            },
            Self::Played { pieces, .. } => {
                return pieces.as_mut().poll_next(cx).map(|next| next.map(|piece| piece.map(Frame::data)));
            }
        };
        Poll::Ready(next.map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(bytes) => bytes.is_none(),
            Self::Events { ends, .. } => ends.as_slice().is_empty(),
            Self::Paced(_) | Self::Played { .. } => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Self::Played { length: Some(length), .. } => SizeHint::with_exact(*length),
            Self::Events { .. } | Self::Paced(_) | Self::Played { length: None, .. } => SizeHint::default(),
        }
    }
}
