//! What can go wrong between a Dify and its client: the faults that a reply or `flowproof mock --fault` asks for.
//!
//! Pure: says what comes in place of an answer and what becomes of its events and bytes; `server` puts it on the wire.
//! A fault acts before the head (`head`), on a run's facts (`usage`), on the events of a stream (`stream`), on a blocking
//! answer (`document`), or on the bytes of either, which the server's player dresses. Knows no YAML.

mod active;
mod damage;
mod decode;
mod document;
mod head;
mod name;
mod stream;
mod turns;
mod usage;

use std::time::Duration;

pub use self::active::{ActiveFaults, BlockingFault, ChunkCutting, CutStream, Encoding, UnusualForms};
pub use self::decode::{OPTIONS, check_entry, decode_faults, parse_fault};
pub use self::document::play_document;
pub use self::head::{AfterError, ProxyPage, RefusedRequest, ResponseInstead, instead};
pub use self::name::{FaultError, NAMES};
pub use self::stream::{dressed_event, play_stream};
pub use self::turns::Turns;
pub use self::usage::reshape;

/// One way to misbehave, by where it acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MockFault {
    /// Comes in place of a run: nothing runs.
    Instead(Replacement),
    /// Lets the client lose sight of a run that goes on.
    Loss(LostSight),
    /// Makes something of an answer that nobody may read as one.
    Damage(AnswerDamage),
    /// Gives the answer an unusual form that must be read all the same.
    Form(UnusualForm),
    /// Changes what is told of the run.
    Facts(FalseFacts),
}

/// What comes in place of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replacement {
    /// How 1.14 answers bad input: one ping, and silence.
    PingOnly,
    /// An `error` event, and the end.
    ErrorEvent,
    /// An `error` event, and a socket that stays open.
    ErrorThenPings,
    /// Dify's 500.
    Http500,
    /// Dify's 400 for too many runs at once.
    TooManyRequests,
    /// 429, with `Retry-After` where a time is given.
    Http429(Option<Duration>),
    /// 429: the plan's quota is used up.
    RateLimitError,
    /// 401.
    Unauthorized,
}

/// How a client loses sight of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LostSight {
    /// The connection ends after so many events.
    DropAfter(u64),
    /// The connection ends within an event: after so many whole ones, else within the last.
    CutMidEvent(Option<u64>),
    /// Silence after so many events.
    StallAfter(u64),
    /// Everything comes but the event that ends the run.
    NoTerminalEvent,
    /// Events without end.
    EndlessStream,
    /// The connection is reset: before the head, or after so many events.
    ConnectionReset(Option<u64>),
    /// A proxy's page in place of the answer.
    Proxy(ProxyPage),
    /// The run is handed over for maintenance: 202, or an event.
    Maintenance,
}

/// Damage to an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerDamage {
    /// A frame that is no event of Dify's.
    GarbageFrame,
    /// A character of which a byte is missing.
    TruncatedUtf8,
    /// JSON that ends too early.
    InvalidJson,
    /// A bare `NaN`.
    NanJson,
}

/// An unusual form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnusualForm {
    /// The head comes after this time.
    SlowHeaders(Duration),
    /// Each byte of the body is an HTTP chunk of its own.
    OneByteChunks,
    /// Lines of a stream end in CR LF.
    Crlf,
    /// Compressed, though nobody asked for it.
    Gzip,
    /// An event of so many bytes.
    HugeEvent(u64),
    /// A stream in answer to a blocking call.
    SseForBlocking,
    /// So many events are lost at the beginning.
    MissingStarted(u64),
}

/// What is told of a run and is not so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FalseFacts {
    /// No tokens and no prices, though a model ran.
    ZeroUsage,
    /// A total of tokens that is twice the sum of the nodes.
    DoubleUsage,
    /// Another version than the published one, after so many runs of the app.
    VersionChange(u64),
}

/// A fault with its limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FaultSpec {
    /// What goes wrong.
    pub fault: MockFault,
    /// How many tries of an attempt meet it; none: all.
    pub times: Option<u32>,
    /// How often Dify says that the lost run is still going on.
    pub running: Running,
    /// Whether Dify knows the lost run at all.
    pub booked: LostRunRecord,
    /// How the connection ends; none: as the fault has it.
    pub end: Option<ConnectionEnd>,
}

/// How often Dify says that a lost run is still going on, before it tells how it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Running {
    /// So many times.
    Asks(u32),
    /// Always.
    Forever,
}

/// Whether a lost run is in Dify's books.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LostRunRecord {
    /// Its detail, its log row and its events are there.
    Yes,
    /// It never reached Dify.
    No,
}

/// How a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectionEnd {
    /// As HTTP ends a body.
    Clean,
    /// Closed in the middle of the body.
    Close,
    /// Reset in the middle of the body.
    Reset,
}

/// An answer as it is put on the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WireAnswer {
    /// The head of a stream, and what follows it.
    Stream {
        /// What follows the head.
        steps: Vec<WireStep>,
        /// How many events of the run had happened when the client lost sight of it.
        happened: usize,
    },
    /// The head of a blocking answer, and what follows it.
    Document {
        /// What follows the head.
        steps: Vec<WireStep>,
        /// `Content-Length`; none: chunks.
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
    /// Send so many blanks.
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

impl MockFault {
    /// Whether it can act where nothing runs.
    pub fn acts_without_run(self) -> bool {
        match self {
            Self::Instead(_) | Self::Form(UnusualForm::SlowHeaders(_)) => true,
            Self::Form(_) | Self::Loss(_) | Self::Damage(_) | Self::Facts(_) => false,
        }
    }
}

impl LostSight {
    /// Whether its `end` can be chosen.
    fn has_end(self) -> bool {
        match self {
            Self::DropAfter(_) | Self::CutMidEvent(_) | Self::NoTerminalEvent => true,
            Self::StallAfter(_) | Self::EndlessStream | Self::ConnectionReset(_) => false,
            Self::Proxy(_) | Self::Maintenance => false,
        }
    }
}

impl FaultSpec {
    /// A fault that every try meets, with the defaults of its kind.
    fn always(fault: MockFault) -> Self {
        Self { fault, times: None, running: Running::Asks(1), booked: LostRunRecord::Yes, end: None }
    }
}
