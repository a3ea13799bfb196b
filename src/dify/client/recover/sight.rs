//! What one look at a run's detail or at the logs shows; pure.

use serde_json::Value;

use crate::base::borrowed_json::BorrowedValue;
use crate::base::json_path::show_place;
use crate::base::repeated::repeated_keys;
use crate::dify::client::document::is_json;
use crate::dify::client::recover::same::{SentRunFacts, difference};
use crate::dify::transcript::{ReportedStatus, RunResult};
use crate::dify::wire::error::{WireError, classify_http};
use crate::dify::wire::history::{LogRow, decode_detail, decode_logs};

/// Seconds by which a run's start, which is reported in whole seconds, may seem to precede its sending.
const SLACK: i64 = 5;
/// The same if the server does not report its time, so that its clock may be wrong.
const SLACK_BETWEEN_CLOCKS: i64 = 300;

/// An answer to a look.
#[derive(Debug, Clone, Default)]
pub struct LookupAnswer {
    /// HTTP status.
    pub status: u16,
    /// `Content-Type`; empty without one.
    pub content_type: String,
    /// `X-Version`.
    pub dify_version: Option<String>,
    /// The server's clock, in Unix seconds, by its `Date`.
    pub date: Option<i64>,
    /// The body.
    pub body: Vec<u8>,
}

/// What a detail shows.
#[derive(Debug, Clone, PartialEq)]
pub enum DetailFinding {
    /// Our run, ended: its facts.
    Ended(RunResult),
    /// Our run, waiting for a person: its facts.
    Paused(RunResult),
    /// Our run, not ended.
    Running,
    /// Dify does not know the run, or not yet.
    Unknown,
    /// A run that is not ours, and why.
    Foreign(String),
    /// Looking again is in vain, and why.
    Refused(String),
    /// Nothing about the run: a proxy's page, a server's bug; another look may show more.
    Unclear(String),
}

/// Reads the answer to a look at a run's detail.
pub fn read_detail(answer: &LookupAnswer, ours: &SentRunFacts<'_>) -> DetailFinding {
    let json = match read_json(answer) {
        Ok(json) => json,
        Err(error) if error.status == 404 && error.code.as_deref() == Some("not_found") => {
            return DetailFinding::Unknown;
        }
        Err(error) if is_final(&error) => return DetailFinding::Refused(describe(&error)),
        Err(error) => return DetailFinding::Unclear(describe(&error)),
    };
    let detail = match decode_detail(&json) {
        Ok(Some(detail)) => detail,
        Ok(None) => return DetailFinding::Unknown,
        Err(error) => return DetailFinding::Unclear(error.to_string()),
    };
    if let Some(why) = difference(&detail, ours) {
        return DetailFinding::Foreign(why);
    }
    match ReportedStatus::of(&detail.status) {
        ReportedStatus::Succeeded
        | ReportedStatus::Failed
        | ReportedStatus::PartialSucceeded
        | ReportedStatus::Stopped => DetailFinding::Ended(detail.run.into()),
        ReportedStatus::Paused => DetailFinding::Paused(detail.run.into()),
        ReportedStatus::Running | ReportedStatus::Scheduled => DetailFinding::Running,
        other @ (ReportedStatus::Exception | ReportedStatus::Unknown(_)) => {
            DetailFinding::Unclear(format!("its status is {:?}", other.word()))
        }
    }
}

/// What the logs show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogFinding {
    /// No run of this user since the sending.
    Nothing,
    /// Exactly one: its id.
    One(String),
    /// This many: which one is ours is not known.
    Several(usize),
    /// Looking again is in vain, and why.
    Refused(String),
    /// Nothing about runs: another look may show more.
    Unclear(String),
}

/// When a request was sent, by two clocks.
#[derive(Debug, Clone, Copy)]
pub struct SendTime {
    /// How long before the answer, in seconds.
    pub ago: i64,
    /// In Unix seconds of our own clock.
    pub at: i64,
}

/// Reads a page of the logs.
pub fn read_logs(answer: &LookupAnswer, user: &str, sending: SendTime) -> LogFinding {
    let rows = match read_json(answer) {
        Ok(json) => decode_logs(&json),
        Err(error) if is_final(&error) => return LogFinding::Refused(describe(&error)),
        Err(error) => return LogFinding::Unclear(describe(&error)),
    };
    let rows = match rows {
        Ok(rows) => rows,
        Err(error) => return LogFinding::Unclear(error.to_string()),
    };
    let earliest = match answer.date {
        Some(now) => now.saturating_sub(sending.ago).saturating_sub(SLACK),
        None => sending.at.saturating_sub(SLACK_BETWEEN_CLOCKS),
    };
    let mut ids: Vec<&str> =
        rows.iter().filter(|row| is_candidate(row, user, earliest)).map(|row| row.run_id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    match ids.as_slice() {
        [] => LogFinding::Nothing,
        [one] => LogFinding::One((*one).to_owned()),
        several => LogFinding::Several(several.len()),
    }
}

/// An old Dify ignores the filter and answers with the runs of everybody.
fn is_candidate(row: &LogRow, user: &str, earliest: i64) -> bool {
    row.user.as_deref() == Some(user) && row.created_at.is_some_and(|created| created >= earliest)
}

fn read_json(answer: &LookupAnswer) -> Result<Value, WireError> {
    let strange = || classify_http(answer.status, &answer.content_type, &answer.body);
    if answer.status != 200 || !is_json(&answer.content_type) {
        return Err(strange());
    }
    let text = std::str::from_utf8(&answer.body).map_err(|_| strange())?;
    let json = BorrowedValue::read(text).map_err(|_| strange())?;
    match repeated_keys(&json).first() {
        None => Ok(json.to_value()),
        Some(key) => {
            let message = format!("the answer gives `{}` twice", show_place(key));
            Err(WireError { message, ..strange() })
        }
    }
}

/// A wrong or withdrawn key stays wrong.
fn is_final(error: &WireError) -> bool {
    matches!(error.status, 401 | 403)
}

fn describe(error: &WireError) -> String {
    format!("HTTP {}: {}", error.status, error.message)
}
