//! The names of the faults, and the argument of each.

use std::time::Duration;

use serde_json::Value;

use super::spec::{AnswerDamage, FalseFacts, LostSight, MockFault, ProxyPage, Replacement, UnusualForm};
use crate::base::spelling::did_you_mean;
use crate::base::units::parse_size;
use crate::dify::mock::script_value::{duration, text, times};

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

/// How long a head is delayed by default.
const SLOW: Duration = Duration::from_secs(2);
const LONGEST_WAIT: Duration = Duration::from_secs(3600);
const LARGEST_EVENT: u64 = 10_000_000_000;

/// Why a text or mapping is not a fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultError {
    /// What is wrong.
    pub message: String,
    /// How to fix it.
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
    let help = did_you_mean(name, NAMES).unwrap_or_else(|| format!("known faults: {}", NAMES.join(", ")));
    FaultError { message: format!("there is no fault `{name}`"), help: Some(help) }
}

/// The fault of a name, with its argument.
pub fn fault_of(name: &str, argument: Option<&Value>) -> Result<MockFault, FaultError> {
    let argued = FaultArgument { name, argument };
    Ok(match name {
        "drop_after" => MockFault::Loss(LostSight::DropAfter(argued.needed()?)),
        "cut_mid_event" => MockFault::Loss(LostSight::CutMidEvent(argued.events()?)),
        "stall_after" => MockFault::Loss(LostSight::StallAfter(argued.needed()?)),
        "connection_reset" => MockFault::Loss(LostSight::ConnectionReset(argued.events()?)),
        "http_429" => MockFault::Instead(Replacement::Http429(argued.wait()?)),
        "missing_started" => MockFault::Form(UnusualForm::MissingStarted(argued.events()?.unwrap_or(1))),
        "slow_headers" => MockFault::Form(UnusualForm::SlowHeaders(argued.wait()?.unwrap_or(SLOW))),
        "huge_event" => MockFault::Form(UnusualForm::HugeEvent(argued.size()?)),
        "version_change" => MockFault::Facts(FalseFacts::VersionChange(argued.events()?.unwrap_or(0))),
        name => argued.alone(plain(name).ok_or_else(|| no_fault(name))?)?,
    })
}

/// The faults that take no argument.
fn plain(name: &str) -> Option<MockFault> {
    Some(match name {
        "ping_only" => MockFault::Instead(Replacement::PingOnly),
        "error_event" => MockFault::Instead(Replacement::ErrorEvent),
        "error_then_pings" => MockFault::Instead(Replacement::ErrorThenPings),
        "http_500" => MockFault::Instead(Replacement::Http500),
        "too_many_requests" => MockFault::Instead(Replacement::TooManyRequests),
        "rate_limit_error" => MockFault::Instead(Replacement::RateLimitError),
        "unauthorized" => MockFault::Instead(Replacement::Unauthorized),
        "no_terminal_event" => MockFault::Loss(LostSight::NoTerminalEvent),
        "endless_stream" => MockFault::Loss(LostSight::EndlessStream),
        "http_502_html" => MockFault::Loss(LostSight::Proxy(ProxyPage::BadGateway)),
        "http_504_html" => MockFault::Loss(LostSight::Proxy(ProxyPage::GatewayTimeout)),
        "maintenance_202" => MockFault::Loss(LostSight::Maintenance),
        "garbage_frame" => MockFault::Damage(AnswerDamage::GarbageFrame),
        "truncated_utf8" => MockFault::Damage(AnswerDamage::TruncatedUtf8),
        "invalid_json" => MockFault::Damage(AnswerDamage::InvalidJson),
        "nan_json" => MockFault::Damage(AnswerDamage::NanJson),
        "one_byte_chunks" => MockFault::Form(UnusualForm::OneByteChunks),
        "crlf" => MockFault::Form(UnusualForm::Crlf),
        "gzip" => MockFault::Form(UnusualForm::Gzip),
        "sse_for_blocking" => MockFault::Form(UnusualForm::SseForBlocking),
        "zero_usage" => MockFault::Facts(FalseFacts::ZeroUsage),
        "double_usage" => MockFault::Facts(FalseFacts::DoubleUsage),
        _ => return None,
    })
}

/// A fault's name with its argument.
struct FaultArgument<'a> {
    name: &'a str,
    argument: Option<&'a Value>,
}

impl FaultArgument<'_> {
    fn alone(&self, fault: MockFault) -> Result<MockFault, String> {
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
