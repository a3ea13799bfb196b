//! The names of the faults, and what may stand after each.

use std::time::Duration;

use serde_json::Value;

use super::{Damage, Facts, Fault, Form, Loss, Page, Replacement};
use crate::base::units::parse_size;
use crate::mock::reply::{duration, text, times};
use crate::suite::problem::nearest;

/// The names of all faults.
pub const NAMES: [&str; 31] = [
    "drop_after",
    "cut_mid_event",
    "stall_after",
    "ping_only",
    "error_event",
    "error_then_pings",
    "no_terminal_event",
    "missing_started",
    "http_500",
    "http_502_html",
    "http_504_html",
    "too_many_requests",
    "http_429",
    "rate_limit_error",
    "unauthorized",
    "slow_headers",
    "one_byte_chunks",
    "crlf",
    "garbage_frame",
    "truncated_utf8",
    "invalid_json",
    "nan_json",
    "gzip",
    "huge_event",
    "endless_stream",
    "zero_usage",
    "double_usage",
    "version_change",
    "connection_reset",
    "sse_for_blocking",
    "maintenance_202",
];

/// How long a head is held back where nothing is said.
const SLOW: Duration = Duration::from_secs(2);
const LONGEST_WAIT: Duration = Duration::from_secs(3600);
const LARGEST_EVENT: u64 = 10_000_000_000;

/// Why something is no fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultError {
    /// What is wrong.
    pub message: String,
    /// How to mend it.
    pub help: Option<String>,
}

impl From<String> for FaultError {
    fn from(message: String) -> Self {
        Self { message, help: None }
    }
}

impl std::error::Error for FaultError {}

impl std::fmt::Display for FaultError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.help {
            Some(help) => write!(f, "{}; {help}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

/// The error of a name that no fault has.
pub fn no_fault(name: &str) -> FaultError {
    let help = match nearest(name, NAMES) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("there are: {}", NAMES.join(", ")),
    };
    FaultError { message: format!("there is no fault `{name}`"), help: Some(help) }
}

/// The fault of a name, with its argument.
pub fn fault_of(name: &str, argument: Option<&Value>) -> Result<Fault, FaultError> {
    let argued = Argued { name, argument };
    Ok(match name {
        "drop_after" => Fault::Loss(Loss::DropAfter(argued.needed()?)),
        "cut_mid_event" => Fault::Loss(Loss::CutMidEvent(argued.events()?)),
        "stall_after" => Fault::Loss(Loss::StallAfter(argued.needed()?)),
        "connection_reset" => Fault::Loss(Loss::ConnectionReset(argued.events()?)),
        "http_429" => Fault::Instead(Replacement::Http429(argued.wait()?)),
        "missing_started" => Fault::Form(Form::MissingStarted(argued.events()?.unwrap_or(1))),
        "slow_headers" => Fault::Form(Form::SlowHeaders(argued.wait()?.unwrap_or(SLOW))),
        "huge_event" => Fault::Form(Form::HugeEvent(argued.size()?)),
        "version_change" => Fault::Facts(Facts::VersionChange(argued.events()?.unwrap_or(0))),
        name => argued.alone(plain(name).ok_or_else(|| no_fault(name))?)?,
    })
}

/// The faults that take no argument.
fn plain(name: &str) -> Option<Fault> {
    Some(match name {
        "ping_only" => Fault::Instead(Replacement::PingOnly),
        "error_event" => Fault::Instead(Replacement::ErrorEvent),
        "error_then_pings" => Fault::Instead(Replacement::ErrorThenPings),
        "http_500" => Fault::Instead(Replacement::Http500),
        "too_many_requests" => Fault::Instead(Replacement::TooManyRequests),
        "rate_limit_error" => Fault::Instead(Replacement::RateLimitError),
        "unauthorized" => Fault::Instead(Replacement::Unauthorized),
        "no_terminal_event" => Fault::Loss(Loss::NoTerminalEvent),
        "endless_stream" => Fault::Loss(Loss::EndlessStream),
        "http_502_html" => Fault::Loss(Loss::Proxy(Page::BadGateway)),
        "http_504_html" => Fault::Loss(Loss::Proxy(Page::GatewayTimeout)),
        "maintenance_202" => Fault::Loss(Loss::Maintenance),
        "garbage_frame" => Fault::Damage(Damage::GarbageFrame),
        "truncated_utf8" => Fault::Damage(Damage::TruncatedUtf8),
        "invalid_json" => Fault::Damage(Damage::InvalidJson),
        "nan_json" => Fault::Damage(Damage::NanJson),
        "one_byte_chunks" => Fault::Form(Form::OneByteChunks),
        "crlf" => Fault::Form(Form::Crlf),
        "gzip" => Fault::Form(Form::Gzip),
        "sse_for_blocking" => Fault::Form(Form::SseForBlocking),
        "zero_usage" => Fault::Facts(Facts::ZeroUsage),
        "double_usage" => Fault::Facts(Facts::DoubleUsage),
        _ => return None,
    })
}

/// A fault's name with what stands after it.
struct Argued<'a> {
    name: &'a str,
    argument: Option<&'a Value>,
}

impl Argued<'_> {
    fn alone(&self, fault: Fault) -> Result<Fault, String> {
        if self.argument.is_none() { Ok(fault) } else { Err(format!("`{}` takes no argument", self.name)) }
    }

    fn needed(&self) -> Result<u64, String> {
        let Self { name, .. } = self;
        self.events()?.ok_or_else(|| format!("`{name}` needs a number of events: `{name}: 3`"))
    }

    fn events(&self) -> Result<Option<u64>, String> {
        self.read(times)
    }

    fn wait(&self) -> Result<Option<Duration>, String> {
        match self.read(duration)? {
            Some(wait) if wait > LONGEST_WAIT => Err(format!("`{}` is at most 1h", self.name)),
            wait => Ok(wait),
        }
    }

    fn size(&self) -> Result<u64, String> {
        let size = |value: &Value| parse_size(&text(value)?).map_err(|error| error.to_string());
        match self.read(size)?.unwrap_or(50_000_000) {
            size @ 1..=LARGEST_EVENT => Ok(size),
            _ => Err(format!("`{}` is from 1B to 10GB", self.name)),
        }
    }

    fn read<T>(&self, decode: impl Fn(&Value) -> Result<T, String>) -> Result<Option<T>, String> {
        let decoded = self.argument.map(decode).transpose();
        decoded.map_err(|message| format!("`{}`: {message}", self.name))
    }
}
