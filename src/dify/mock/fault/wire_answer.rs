//! An answer with faults, as steps on the wire.

use super::spec::ProxyPage;

/// An answer as it is put on the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WireAnswer {
    /// The head of a stream, and what follows it.
    Stream {
        /// What follows the head.
        steps: Vec<WireStep>,
        /// How many events of the run have happened when the client loses sight of it.
        happened: usize,
    },
    /// The head of a blocking answer, and what follows it.
    Document {
        /// What follows the head.
        steps: Vec<WireStep>,
        /// `Content-Length`; `None`: the body comes in chunks.
        length: Option<u64>,
    },
    /// 202: the run is handed over.
    HandedOver,
    /// A proxy answers.
    Proxy(ProxyPage),
    /// No head comes.
    Silent,
    /// The connection ends before the head.
    Broken(BrokenConnection),
}

/// One thing to do on the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WireStep {
    /// Send these bytes.
    Send(bytes::Bytes),
    /// Send this many blanks.
    Blanks(u64),
    /// Send these bytes again and again, until the client leaves.
    Repeat(bytes::Bytes),
    /// Send nothing until a silent stream is closed.
    Silence,
    /// Send a ping every ten seconds until a silent stream is closed.
    Pings,
    /// End the connection in the middle of the answer.
    Break(BrokenConnection),
}

/// A connection that ends in the middle of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BrokenConnection {
    /// Closed.
    #[error("closed by a fault")]
    Closed,
    /// Reset.
    #[error("reset by a fault")]
    Reset,
}
