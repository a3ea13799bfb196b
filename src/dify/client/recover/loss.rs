//! Which endings leave a run that may go on, how long it is looked for, and how often; pure.

use std::time::Duration;

use crate::base::units::format_duration;
use crate::dify::client::Recover;
use crate::dify::transcript::{Ending, ResponseMode, StallKind, Transcript};
use crate::dify::wire::error::ErrorClass;
use crate::dify::wire::gateway::{GatewayReach, reach};

/// How many times its first value the wait between two looks may grow to.
const LONGEST: u32 = 8;

/// The least time for the logs to answer before a run of a killed process is sent again: a slow answer is no empty one.
const LEAST_PATIENCE: Duration = Duration::from_secs(10);

/// A run that was lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostRun {
    /// How.
    pub how: String,
    /// How long it is looked for, at most; longer where it is seen and has not ended.
    pub patience: Duration,
    /// After how many pages of the logs without it it is taken for lost; `None`: as many as there is time for.
    pub looks: Option<u32>,
}

impl LostRun {
    /// A run whose process was killed so long after it was sent, and how it was lost.
    ///
    /// Whatever arrived is in the logs once as much time has passed as looks are spent on a run that may never have started.
    pub fn by_kill(waits: &Recover, ago: Duration) -> (Self, String) {
        let how = "flowproof was killed while it waited for the run".to_owned();
        let mut back_off = BackOff::new(waits);
        let looked: Duration = (1..LOOKS).filter_map(|_| back_off.wait(Duration::MAX / 4)).sum();
        let (looks, patience) =
            if ago >= looked { (1, waits.poll.saturating_mul(4)) } else { (LOOKS, looked) };
        let patience = patience.max(LEAST_PATIENCE).min(waits.deadline);
        (Self { how: how.clone(), patience, looks: Some(looks) }, how)
    }
}

/// Looks into logs without the run that are believed, where it may never have started: 46 s with the usual waits.
///
/// Older Difys write a run into their logs when the run ends, so that a few looks do not suffice.
const LOOKS: u32 = 6;

/// Returns whether a run was lost: it may have started, and its end was not reported.
///
/// A silence before the first event of a stream proves nothing (Dify 1.13 and 1.14 answer bad inputs so): only a few
/// looks are spent on it, unless one of them shows the run.
pub fn loss(transcript: &Transcript, waits: &Recover) -> Option<LostRun> {
    let whole = |how: String| Some(LostRun { how, patience: waits.deadline, looks: None });
    let perhaps_never_sent =
        |how: String| Some(LostRun { how, patience: waits.deadline, looks: Some(LOOKS) });
    match &transcript.ending {
        // The head of a refusal came: nothing ran.
        Ending::Cut { .. } if transcript.http_status.is_some_and(|status| (400..500).contains(&status)) => {
            None
        }
        Ending::Cut { detail } if transcript.http_status.is_none() => perhaps_never_sent(detail.clone()),
        Ending::Cut { detail } => whole(detail.clone()),
        Ending::Stalled { wait: StallKind::Idle, after } => {
            whole(format!("nothing came for {}", format_duration(*after)))
        }
        Ending::Stalled { wait: StallKind::FirstEvent, after } if !transcript.pauses.answered.is_empty() => {
            whole(format!("no event came within {} of the answer", format_duration(*after)))
        }
        Ending::Stalled { wait: StallKind::FirstEvent, after } => {
            let how = format!("no answer came within {}", format_duration(*after));
            let patience = match transcript.mode {
                ResponseMode::Blocking => waits.deadline,
                ResponseMode::Streaming => waits.deadline.min(waits.poll.saturating_mul(4)),
            };
            Some(LostRun { how, patience, looks: None })
        }
        Ending::Rejected(error) if error.class == ErrorClass::Transport && reach(error.status).is_some() => {
            let how = format!("a proxy answered HTTP {}", error.status);
            match reach(error.status)? {
                GatewayReach::Never => None,
                GatewayReach::Perhaps => perhaps_never_sent(how),
                GatewayReach::Likely => whole(how),
            }
        }
        // Handed over, not refused: it went on under its id (read in Dify's sources).
        Ending::Rejected(error) if error.status == 202 && transcript.answer.ids.run.is_some() => {
            whole("Dify handed the run over for maintenance (HTTP 202)".to_owned())
        }
        Ending::Rejected(_)
        | Ending::Finished
        | Ending::ErrorEvent(_)
        | Ending::Unreadable { .. }
        | Ending::TimedOut { .. }
        | Ending::Stopped { .. }
        | Ending::Exceeded { .. }
        | Ending::Paused
        | Ending::Unanswered { .. }
        | Ending::NotSent { .. } => None,
    }
}

/// The waits between looks: the first as written, each next twice as long, up to a bound.
#[derive(Debug, Clone, Copy)]
pub struct BackOff {
    next: Duration,
    most: Duration,
}

impl BackOff {
    /// Begins with the shortest wait.
    pub fn new(waits: &Recover) -> Self {
        Self { next: waits.poll, most: waits.poll.saturating_mul(LONGEST) }
    }

    /// How long to wait before the next look; `None` when too little time is left for one.
    ///
    /// The last looks come closer and closer to the end, so that a run that ends shortly before it is not missed.
    pub fn wait(&mut self, left: Duration) -> Option<Duration> {
        if left < self.most / (LONGEST * 2) || left.is_zero() {
            return None;
        }
        let wait = self.next.min(left * 3 / 4);
        self.next = self.next.saturating_mul(2).min(self.most);
        Some(wait)
    }

    /// How long events are followed before the detail is asked too: terminal events get lost.
    pub fn slice(&self) -> Duration {
        self.most
    }
}

/// Returns whether a Dify of this version lets a run's events be followed: 1.14 and later.
pub fn has_events(version: Option<&str>) -> bool {
    let mut parts = version.unwrap_or_default().trim().split('.').map(|part| part.parse::<u32>().ok());
    match (parts.next().flatten(), parts.next().flatten()) {
        (Some(1), Some(minor)) => minor >= 14,
        (Some(major), _) => major > 1,
        (None, _) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::dify::client::assemble::begin;
    use crate::dify::wire::error::classify_http;

    const WAITS: Recover = Recover { deadline: Duration::from_secs(120), poll: Duration::from_secs(2) };

    fn patience(mode: ResponseMode, status: Option<u16>, ending: Ending) -> Option<u64> {
        let transcript = Transcript {
            ending,
            http_status: status,
            ..begin(mode, Value::Null, crate::dify::transcript::PostedRequest::default())
        };
        loss(&transcript, &WAITS).map(|loss| loss.patience.as_secs())
    }

    #[test]
    fn only_what_may_have_run_is_looked_for() {
        use ResponseMode::{Blocking, Streaming};
        let cut = || Ending::Cut { detail: "gone".into() };
        let mute = |wait| Ending::Stalled { wait, after: Duration::from_secs(30) };
        let http = |status| Ending::Rejected(classify_http(status, "text/html", b"<html>"));
        for (found, expected) in [
            (patience(Streaming, Some(200), cut()), Some(120)),
            (patience(Blocking, None, cut()), Some(120)),
            (patience(Blocking, Some(400), cut()), None),
            (patience(Streaming, Some(200), mute(StallKind::Idle)), Some(120)),
            (patience(Streaming, Some(200), mute(StallKind::FirstEvent)), Some(8)),
            (patience(Blocking, None, mute(StallKind::FirstEvent)), Some(120)),
            (patience(Streaming, Some(200), Ending::TimedOut { after: Duration::ZERO }), None),
            (patience(Streaming, Some(200), Ending::Unreadable { detail: String::new() }), None),
            (patience(Streaming, None, Ending::NotSent { detail: String::new(), retryable: true }), None),
        ] {
            assert_eq!(found, expected);
        }
        for status in [502, 503, 504, 524] {
            assert_eq!(patience(Blocking, Some(status), http(status)), Some(120), "{status}");
        }
        for status in [400, 401, 404, 429, 500, 501] {
            assert_eq!(patience(Blocking, Some(status), http(status)), None, "{status}");
        }
    }

    /// What ends the search of a run that is not there is an answer of the logs, not a short wait between looks.
    #[test]
    fn slow_logs_have_time_to_answer() {
        let search = |poll: u64, ago: u64| {
            let waits = Recover { poll: Duration::from_millis(poll), ..WAITS };
            let (loss, _) = LostRun::by_kill(&waits, Duration::from_secs(ago));
            (loss.patience.as_secs(), loss.looks)
        };
        assert_eq!(search(20, 60), (10, Some(1)));
        assert_eq!(search(20, 0), (10, Some(LOOKS)));
        assert_eq!(search(2_000, 60), (10, Some(1)));
        assert_eq!(search(5_000, 600), (20, Some(1)));
        assert_eq!(search(2_000, 1), (46, Some(LOOKS)));
        let short = Recover { deadline: Duration::from_secs(3), ..WAITS };
        assert_eq!(LostRun::by_kill(&short, Duration::from_secs(60)).0.patience.as_secs(), 3);
    }

    #[test]
    fn waits_grow_and_end() {
        let mut pause = BackOff::new(&WAITS);
        let mut left = WAITS.deadline;
        let mut waits = Vec::new();
        while let Some(wait) = pause.wait(left) {
            left -= wait;
            waits.push(wait.as_secs_f64());
            assert!(waits.len() < 100);
        }
        assert_eq!(waits[..5], [2.0, 4.0, 8.0, 16.0, 16.0]);
        assert!(left < Duration::from_secs(1), "{left:?}");
        let none = Recover { deadline: Duration::ZERO, poll: Duration::ZERO };
        assert_eq!(BackOff::new(&none).wait(Duration::ZERO), None);
    }

    #[test]
    fn events_can_be_followed_since_1_14() {
        for (version, expected) in [
            ("1.14.2", true),
            ("1.14.0-rc1", true),
            ("1.17", true),
            ("2.0.0", true),
            ("1.13.3", false),
            ("1.9", false),
            ("0.15.3", false),
            ("latest", false),
            ("", false),
        ] {
            assert_eq!(has_events(Some(version)), expected, "{version}");
        }
        assert!(!has_events(None));
    }
}
