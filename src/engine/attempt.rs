//! One attempt: wait for its turn, send, judge.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::base::clock;
use crate::base::template::Scope;
use crate::check::{self, Context, Examined};
use crate::client::Timeouts;
use crate::engine::Engine;
use crate::engine::cassettes::Route;
use crate::engine::request::{AttemptId, RequestError};
use crate::exchange::{Ending, Recovery, Trace, Transcript};
use crate::outcome::{Attempt, Cause, Facts};
use crate::plan::case::Case;
use crate::verdict::{self, Verdict};
use crate::wire::error::ErrorClass;

/// Answers longer than this are judged aside, so that they do not hold up the reading of others.
const LONG_ANSWER: u64 = 256 * 1024;

/// A judged attempt with what the next decision needs.
pub struct Judged {
    /// What will be recorded.
    pub attempt: Attempt,
    /// Whether sending again is free of the risk of running twice.
    pub again: Again,
}

/// Whether an attempt may be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// Surely nothing ran; wait at least this long if the server said so.
    Safe(Option<Duration>),
    /// Something ran, or may have; sending again may run twice.
    Unsafe,
    /// Sending again would meet the same.
    Useless,
}

impl Engine {
    /// Sends and judges one attempt; none when the run was stopped meanwhile.
    ///
    /// `due` is when it could have been sent, had there been no other work.
    pub(super) async fn attempt(&self, case: &Case, id: AttemptId, due: Instant) -> Option<Judged> {
        let prepared = self.scope(case, id).and_then(|scope| {
            let request = self.request(case, id, &scope)?;
            Ok((scope, request))
        });
        let (scope, request) = match prepared {
            Ok(prepared) => prepared,
            Err(error) => return Some(self.unsendable(case, id, &error)),
        };
        let route = match self.route(case, id, &request).await {
            Ok(route) => route,
            Err(cause) => return Some(self.unsent_attempt(case, id, cause)),
        };
        let mut stop = self.stop.subscribe();
        let wait = async {
            if route.is_live() {
                self.pace.turn().await
            }
        };
        tokio::select! {
            biased;
            _ = stop.wait_for(Option::is_some) => return None,
            () = wait => {}
        }
        let sent = clock::now();
        let (key, _) = super::app_of(&self.plan.target, &case.test.app);
        let timeouts = self.timeouts_of(case);
        let transcript = match &route {
            Route::Replay(recorded) => self.replay(recorded, &request, &timeouts, &mut stop).await,
            Route::Send(_) => self.client.run(&key, &request, &timeouts, &mut stop).await,
        };
        if matches!(transcript.ending, Ending::Stopped { .. }) {
            return None;
        }
        self.keep(case, id, &route, &transcript);
        let made = Made { case, id, scope, due, sent, route };
        Some(if transcript.bytes > LONG_ANSWER {
            tokio::task::block_in_place(|| self.judge(&made, &transcript))
        } else {
            self.judge(&made, &transcript)
        })
    }

    fn timeouts_of(&self, case: &Case) -> Timeouts {
        match case.test.timeout {
            Some(total) => Timeouts { total, ..self.timeouts },
            None => self.timeouts,
        }
    }

    fn judge(&self, made: &Made<'_>, transcript: &Transcript) -> Judged {
        let case = made.case;
        let context = Context { templates: &self.plan.templates, scope: &made.scope, usage: case.test.usage };
        let Examined { cause, mut findings, facts } = check::examine(&case.test.checks, transcript, &context);
        findings.extend(check::unused_answers(transcript));
        let verdict = verdict::judge(&findings);
        let passed = verdict == Verdict::Passed;
        let attempt = Attempt {
            case: case.ordinal,
            repeat: made.id.repeat,
            attempt: made.id.attempt,
            verdict,
            cause,
            findings,
            facts,
            mode: transcript.mode,
            sent_ms: milliseconds(made.sent.saturating_duration_since(self.started)),
            waited_ms: milliseconds(made.sent.saturating_duration_since(made.due)),
            retried: false,
            replayed: !made.route.is_live(),
            curl: if passed { String::new() } else { transcript.curl() },
            outputs: if passed { None } else { outputs(transcript) },
        };
        let again = if made.route.is_live() { again(transcript) } else { Again::Useless };
        Judged { attempt, again }
    }

    /// An attempt whose request could not be made: errored, with the reason.
    fn unsendable(&self, case: &Case, id: AttemptId, error: &RequestError) -> Judged {
        let message = format!("the request could not be made: {error}");
        self.unsent_attempt(case, id, Cause { message, hint: None, class: None, stops_suite: false })
    }

    /// An attempt that nothing was sent for: errored.
    fn unsent_attempt(&self, case: &Case, id: AttemptId, cause: Cause) -> Judged {
        let attempt = Attempt {
            case: case.ordinal,
            repeat: id.repeat,
            attempt: id.attempt,
            verdict: Verdict::Errored,
            cause: Some(cause),
            findings: Vec::new(),
            facts: Facts::default(),
            mode: case.test.mode,
            sent_ms: milliseconds(clock::now().saturating_duration_since(self.started)),
            waited_ms: 0.0,
            retried: false,
            replayed: false,
            curl: String::new(),
            outputs: None,
        };
        Judged { attempt, again: Again::Useless }
    }
}

/// A request that was made: whose, with which names, and when.
struct Made<'a> {
    case: &'a Case,
    id: AttemptId,
    scope: Scope,
    due: Instant,
    sent: Instant,
    route: Route,
}

/// Milliseconds with a fraction.
pub(super) fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

fn outputs(transcript: &Transcript) -> Option<Value> {
    let outputs = transcript.run.as_ref()?.get("outputs")?;
    Some(check::clip(outputs))
}

/// Only what provably did not start may be sent again.
fn again(transcript: &Transcript) -> Again {
    if let Some(Recovery::Lost { trace: Trace::Seen, .. }) = &transcript.recovery {
        // It ran, or runs: even who accepts a second run has no use for two at once.
        return Again::Useless;
    }
    match &transcript.ending {
        Ending::Rejected(error) | Ending::ErrorEvent(error) if error.not_started => {
            Again::Safe(retry_after(transcript))
        }
        Ending::NotSent { retryable: true, .. } => Again::Safe(None),
        Ending::Rejected(error) if error.class == ErrorClass::Transport => Again::Unsafe,
        Ending::Stalled { .. } | Ending::Cut { .. } => Again::Unsafe,
        Ending::NotSent { .. }
        | Ending::Rejected(_)
        | Ending::ErrorEvent(_)
        | Ending::Finished
        | Ending::Unreadable { .. }
        | Ending::TimedOut { .. }
        | Ending::Stopped { .. }
        | Ending::Paused
        | Ending::Unanswered { .. } => Again::Useless,
    }
}

/// `Retry-After` in seconds; its date form is not used by Dify or its proxies and is ignored.
fn retry_after(transcript: &Transcript) -> Option<Duration> {
    let (_, value) = transcript.headers.iter().find(|(name, _)| name == "retry-after")?;
    value.trim().parse().ok().map(Duration::from_secs)
}
