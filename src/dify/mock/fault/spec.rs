//! The faults that a reply or `flowproof mock --fault` can ask for, and their options.

use std::time::Duration;

/// A fault, by where it acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MockFault {
    /// Comes in place of a run: nothing runs.
    Instead(Replacement),
    /// The client loses sight of a run that goes on.
    Loss(LostSight),
    /// Damages an answer so that it must not be read as one.
    Damage(AnswerDamage),
    /// Gives the answer an unusual form that must still be read.
    Form(UnusualForm),
    /// Reports false facts of the run.
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
    /// Dify's 401.
    Unauthorized,
}

/// How a client loses sight of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LostSight {
    /// The connection ends after this many events.
    DropAfter(u64),
    /// The connection ends within an event: after this many whole ones, or within the last.
    CutMidEvent(Option<u64>),
    /// Silence after this many events.
    StallAfter(u64),
    /// Everything is sent except the event that ends the run.
    NoTerminalEvent,
    /// Events without end.
    EndlessStream,
    /// The connection is reset: before the head, or after this many events.
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

/// An unusual form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnusualForm {
    /// The head comes after this time.
    SlowHeaders(Duration),
    /// Each byte of the body is an HTTP chunk of its own.
    OneByteChunks,
    /// Lines of a stream end in CR LF.
    Crlf,
    /// Compressed, although the client did not ask for it.
    Gzip,
    /// An event of this many bytes.
    HugeEvent(u64),
    /// A stream in answer to a blocking call.
    SseForBlocking,
    /// This many events are lost at the beginning.
    MissingStarted(u64),
}

/// Facts of a run that are reported and false.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FalseFacts {
    /// No tokens and no prices, though a model ran.
    ZeroUsage,
    /// A total of tokens that is twice the sum of the nodes.
    DoubleUsage,
    /// Another version than the published one, after this many runs of the app.
    VersionChange(u64),
}

/// A fault with its options.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FaultSpec {
    /// What goes wrong.
    pub fault: MockFault,
    /// How many tries of an attempt it affects; `None`: all.
    pub times: Option<u32>,
    /// How often Dify says that the lost run is still going on.
    pub running: RunningReplies,
    /// Whether Dify knows the lost run at all.
    pub booked: LostRunRecord,
    /// How the connection ends; `None`: as the fault defines it.
    pub end: Option<ConnectionEnd>,
}

/// How often Dify says that a lost run is still going on before it reports its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunningReplies {
    /// This many times.
    Times(u32),
    /// Always.
    Forever,
}

/// Whether Dify has recorded a lost run.
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

/// The page of a proxy that lost Dify.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProxyPage {
    /// 502.
    BadGateway,
    /// 504.
    GatewayTimeout,
}

impl ProxyPage {
    /// HTTP status.
    pub fn status(self) -> u16 {
        match self {
            Self::BadGateway => 502,
            Self::GatewayTimeout => 504,
        }
    }

    /// The page as nginx writes it.
    pub fn html(self) -> String {
        let title = match self {
            Self::BadGateway => "502 Bad Gateway",
            Self::GatewayTimeout => "504 Gateway Time-out",
        };
        format!(
            "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n\
             <hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
        )
    }
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
    pub(super) fn has_end(self) -> bool {
        match self {
            Self::DropAfter(_) | Self::CutMidEvent(_) | Self::NoTerminalEvent => true,
            Self::StallAfter(_) | Self::EndlessStream | Self::ConnectionReset(_) => false,
            Self::Proxy(_) | Self::Maintenance => false,
        }
    }
}

impl FaultSpec {
    /// A fault that affects every try, with the defaults of its kind.
    pub(super) fn always(fault: MockFault) -> Self {
        Self { fault, times: None, running: RunningReplies::Times(1), booked: LostRunRecord::Yes, end: None }
    }
}
