//! Which published versions ran: the first one of an app is pinned for the whole run, and any other one is reported as such.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use crate::base::lock::lock;
use crate::dify::transcript::Transcript;
use crate::engine::current_run::CurrentRun;
use crate::engine::made_request::MadeRequest;
use crate::engine::target::AppAccess;
use crate::plan::case::{Case, HeldVersion, TargetKind};
use crate::record::attempt::Cause;
use crate::record::event::{FIELDS_WATCHED, RanVersion};
use crate::record::verdict::{Finding, Severity, Truth};

/// Most versions that are reported of one run; a live run has one for each app.
const MOST: usize = 64;

/// The versions seen so far.
#[derive(Debug, Default)]
pub struct Versions {
    seen: Mutex<SeenVersions>,
}

#[derive(Debug, Default)]
struct SeenVersions {
    /// By app.
    pinned: BTreeMap<Arc<str>, PinnedVersion>,
    /// The number of attempts of each version.
    ran: BTreeMap<RanVersionKey, u32>,
    /// Requests that were refused as too many: the app may answer others later.
    refused: BTreeMap<RanVersionKey, u32>,
    /// `event.field`, of all events.
    fields: BTreeSet<String>,
    /// Attempts whose fields were read.
    read_attempts: u32,
    /// True once a stream contained an event: a worker is running.
    has_events: bool,
}

/// A version of an app.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct RanVersionKey {
    app: Arc<str>,
    workflow_id: Option<String>,
    dify_version: Option<String>,
}

/// The version that every attempt of an app must run on.
#[derive(Debug)]
struct PinnedVersion {
    workflow_id: String,
    /// The first test that ran on it.
    test: Arc<str>,
    /// When that test was sent.
    sent: Instant,
}

/// An attempt that was answered.
#[derive(Debug, Clone, Copy)]
pub struct AnsweredAttempt<'a> {
    /// The app that answered.
    pub app: &'a Arc<str>,
    /// The full name of the test.
    pub test: &'a Arc<str>,
    /// When it was sent.
    pub sent: Instant,
    /// The version that was asked for, if one was.
    pub asked: Option<&'a str>,
}

impl Versions {
    /// Pins the versions that an earlier part of the run has tested.
    pub fn pinned(earlier: &BTreeMap<Arc<str>, HeldVersion>, since: Instant) -> Self {
        let pin = |(app, version): (&Arc<str>, &HeldVersion)| {
            let HeldVersion { workflow_id, test } = version.clone();
            (app.clone(), PinnedVersion { workflow_id, test, sent: since })
        };
        let pinned = earlier.iter().map(pin).collect();
        let seen = SeenVersions { pinned, ..SeenVersions::default() };
        Self { seen: Mutex::new(seen) }
    }

    /// Counts the version that ran for the reports; attempts that Dify did not answer have none.
    fn count(&self, app: &Arc<str>, transcript: &Transcript) {
        let is_refused = match transcript.ending.error() {
            _ if transcript.answer.ids.workflow.is_some() => false,
            // Silence and broken streams name no version, and are no refusal.
            None => return,
            Some(_) if transcript.dify_version.is_none() => return,
            Some(error) => error.not_started,
        };
        let ran = RanVersionKey {
            app: app.clone(),
            workflow_id: transcript.answer.ids.workflow.clone(),
            dify_version: transcript.dify_version.clone(),
        };
        let mut seen = lock(&self.seen);
        if is_refused {
            *seen.refused.entry(ran).or_default() += 1;
            return;
        }
        if seen.ran.len() < MOST || seen.ran.contains_key(&ran) {
            *seen.ran.entry(ran).or_default() += 1;
        }
    }

    /// True once a stream of the target contained an event.
    pub fn has_events(&self) -> bool {
        lock(&self.seen).has_events
    }

    /// Reads the fields of an answer, recorded or not.
    fn read_fields(&self, transcript: &Transcript) {
        {
            let mut seen = lock(&self.seen);
            seen.has_events |= !transcript.events.is_empty();
            if seen.read_attempts >= FIELDS_WATCHED {
                return;
            }
        }
        let fields = transcript.event_fields();
        let mut seen = lock(&self.seen);
        seen.read_attempts += 1;
        seen.fields.extend(fields);
    }

    /// The fields of all events that were read, as `event.field`.
    pub fn fields(&self) -> Vec<String> {
        lock(&self.seen).fields.iter().cloned().collect()
    }

    /// Compares the version that ran with the one asked for, or else with the first that answered for the app.
    ///
    /// An answer that arrives later may belong to a request that was sent earlier: it is reported too, but the tests after it
    /// will run on the pinned version.
    fn check(&self, attempt: AnsweredAttempt<'_>, workflow_id: &str) -> Option<Cause> {
        if let Some(asked) = attempt.asked {
            return (!same_id(asked, workflow_id)).then(|| not_asked_for(asked, workflow_id));
        }
        let mut seen = lock(&self.seen);
        let pinned = seen.pinned.entry(attempt.app.clone()).or_insert_with(|| PinnedVersion {
            workflow_id: workflow_id.to_owned(),
            test: attempt.test.clone(),
            sent: attempt.sent,
        });
        (!same_id(&pinned.workflow_id, workflow_id)).then(|| published(pinned, attempt, workflow_id))
    }

    /// Counts the version that answered, and returns why it is not the one that the run tests, if so.
    pub fn compare(
        &self,
        run: &CurrentRun,
        made: &MadeRequest<'_>,
        transcript: &Transcript,
    ) -> Option<Cause> {
        self.read_fields(transcript);
        if !made.route.is_live() {
            // A recorded version is not one that runs now.
            return None;
        }
        let test = &made.case.test;
        self.count(&test.app, transcript);
        let workflow_id = transcript.answer.ids.workflow.as_deref()?;
        let AppAccess { workflow_id: asked, .. } = AppAccess::of(&run.plan.target, &test.app);
        let attempt = AnsweredAttempt { app: &test.app, test: &made.case.name, sent: made.sent, asked };
        match &run.plan.target.kind {
            TargetKind::Live { .. } => self.check(attempt, workflow_id),
            TargetKind::Mock(_) | TargetKind::Replay { .. } if is_scripted(run, made, workflow_id) => None,
            // The next test of a mock has its own answer, so the app is not blocked for it.
            TargetKind::Mock(_) | TargetKind::Replay { .. } => {
                let cause = self.check(attempt, workflow_id)?;
                Some(Cause { stops_suite: false, ..cause })
            }
        }
    }

    /// The versions that ran, by app.
    pub fn ran(&self) -> Vec<RanVersion> {
        let seen = lock(&self.seen);
        let version = |(key, attempts): (&RanVersionKey, &u32)| RanVersion {
            app: key.app.to_string(),
            workflow_id: key.workflow_id.clone(),
            dify_version: key.dify_version.clone(),
            attempts: *attempts,
        };
        let answers = |app: &Arc<str>| seen.ran.keys().any(|known| known.app == *app);
        let refused = seen.refused.iter().filter(|(key, _)| !answers(&key.app));
        seen.ran.iter().chain(refused).map(version).collect()
    }
}

/// True if the reply of the mock names this version itself: the suite intends it.
fn is_scripted(run: &CurrentRun, made: &MadeRequest<'_>, workflow_id: &str) -> bool {
    let plan = &run.plan;
    let script = made.case.test.mock.as_ref();
    let reply = script.map(|script| script.reply(&plan.templates, &made.scope, made.id.repeat));
    match reply {
        Some(Ok(graph)) => graph.reply.workflow_id.as_deref() == Some(workflow_id),
        Some(Err(_)) => false,
        None => plan.mock_rules.iter().any(|rule| rule.script.workflow_ids().any(|id| id == workflow_id)),
    }
}

/// Ids are compared as Dify does: it reads them as UUIDs.
fn same_id(one: &str, other: &str) -> bool {
    one.trim().eq_ignore_ascii_case(other.trim())
}

/// Says that a version was published while the run went on.
fn published(pinned: &PinnedVersion, attempt: AnsweredAttempt<'_>, workflow_id: &str) -> Cause {
    let first = &pinned.workflow_id;
    Cause {
        message: format!(
            "published during the run: this test ran on version {workflow_id}, `{}` on {first}; the run tested no one version",
            pinned.test
        ),
        hint: Some(format!(
            "run again, or hold one version with `workflow_id: {first}` or `--workflow-id {first}`"
        )),
        class: None,
        stops_suite: attempt.sent > pinned.sent,
    }
}

/// Says that a request named one version and another one ran.
fn not_asked_for(asked: &str, workflow_id: &str) -> Cause {
    Cause {
        message: format!("version {asked} was asked for, and version {workflow_id} ran"),
        hint: Some("is a proxy between flowproof and Dify changing the address?".to_owned()),
        class: None,
        stops_suite: true,
    }
}

/// The finding by which an attempt on another version is errored, whatever the answer is.
pub fn version_finding(case: &Case, cause: &Cause) -> Finding {
    Finding {
        truth: Truth::Undecided,
        severity: Severity::Error,
        place: case.test.place.clone(),
        label: "one version in the whole run".to_owned(),
        message: cause.message.clone(),
        expected: None,
        actual: None,
        diff: None,
        members: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::base::clock;
    use crate::base::template::TemplateScope;
    use crate::dify::client::begin;
    use crate::dify::transcript::{Arrival, Ending, PostedRequest, ResponseMode};
    use crate::dify::wire::error::{ErrorClass, WireError};
    use crate::engine::request::AttemptId;
    use crate::engine::route::AnswerRoute;
    use crate::engine::sample::plan;
    use crate::engine::waiting::AttemptWaits;

    struct Run {
        versions: Versions,
        app: Arc<str>,
        began: Instant,
    }

    impl Run {
        fn new() -> Self {
            Self { versions: Versions::default(), app: Arc::from("triage"), began: clock::now() }
        }

        fn sees(&self, test: &str, sent: u64, id: &str) -> Option<Cause> {
            let sent = self.began + Duration::from_secs(sent);
            self.versions
                .check(AnsweredAttempt { app: &self.app, test: &Arc::from(test), sent, asked: None }, id)
        }
    }

    #[test]
    fn the_first_version_that_is_seen_is_pinned() {
        let run = Run::new();
        assert_eq!(run.sees("S::a", 0, "v1"), None);
        assert_eq!(run.sees("S::b", 1, "V1"), None);
        let cause = run.sees("S::c", 2, "v2").unwrap();
        assert_eq!(
            cause.message,
            "published during the run: this test ran on version v2, `S::a` on v1; the run tested no one version"
        );
        assert!(cause.stops_suite, "every later test would run on v2");
        assert!(run.sees("S::d", 3, "v2").is_some(), "it stays pinned");
        assert_eq!(run.sees("S::e", 3, "v1"), None);
    }

    #[test]
    fn an_attempt_that_began_before_is_reported_but_ends_nothing() {
        let run = Run::new();
        assert_eq!(run.sees("S::b", 5, "v2"), None);
        assert!(!run.sees("S::a", 1, "v1").unwrap().stops_suite);
    }

    #[test]
    fn apps_are_kept_apart() {
        let run = Run::new();
        assert_eq!(run.sees("S::a", 0, "v1"), None);
        let other = Arc::from("handbook");
        let attempt = AnsweredAttempt { app: &other, test: &Arc::from("T::a"), sent: run.began, asked: None };
        assert_eq!(run.versions.check(attempt, "w1"), None);
        assert!(run.versions.check(attempt, "v1").is_some());
    }

    #[test]
    fn a_version_that_was_asked_for_must_be_the_one_that_ran() {
        let run = Run::new();
        let test = Arc::from("S::a");
        let asked = |id| AnsweredAttempt { app: &run.app, test: &test, sent: run.began, asked: Some(id) };
        assert_eq!(run.versions.check(asked("AB"), "ab"), None);
        let cause = run.versions.check(asked("ab"), "cd").unwrap();
        assert_eq!(cause.message, "version ab was asked for, and version cd ran");
        assert_eq!(run.sees("S::b", 0, "v1"), None, "what was asked for pins nothing for others");
    }

    fn transcript(ending: Ending, workflow_id: Option<&str>, dify_version: Option<&str>) -> Transcript {
        let begun = begin(ResponseMode::Streaming, serde_json::json!({}), PostedRequest::default());
        let mut begun = Transcript { ending, dify_version: dify_version.map(str::to_owned), ..begun };
        begun.answer.ids.workflow = workflow_id.map(str::to_owned);
        begun
    }

    fn refused(not_started: bool) -> Ending {
        let message = String::from("too many");
        let class = ErrorClass::Quota;
        Ending::Rejected(WireError {
            status: 429,
            code: None,
            message,
            class,
            not_started,
            stops_suite: false,
        })
    }

    #[test]
    fn what_ran_is_counted_by_app_and_version() {
        let (versions, app, other) = (Versions::default(), Arc::from("triage"), Arc::from("handbook"));
        let finished = |id| transcript(Ending::Finished, Some(id), Some("1.14.2"));
        for (app, transcript) in [
            (&app, finished("v1")),
            (&app, finished("v1")),
            (&app, finished("v2")),
            (&other, finished("v1")),
            // A run that was refused in its midst has a version; a machine in between and silence have none.
            (&other, transcript(refused(true), Some("v1"), None)),
            (&app, transcript(refused(false), None, Some("1.14.2"))),
            (&app, transcript(refused(false), None, None)),
            (&app, transcript(Ending::Cut { detail: String::from("reset") }, None, Some("1.14.2"))),
        ] {
            versions.count(app, &transcript);
        }
        let rows: Vec<(String, Option<String>, Option<String>, u32)> = versions
            .ran()
            .into_iter()
            .map(|ran| (ran.app, ran.workflow_id, ran.dify_version, ran.attempts))
            .collect();
        let row = |app: &str, id: Option<&str>, dify: Option<&str>, attempts| {
            (app.to_owned(), id.map(str::to_owned), dify.map(str::to_owned), attempts)
        };
        assert_eq!(
            rows,
            [
                row("handbook", Some("v1"), None, 1),
                row("handbook", Some("v1"), Some("1.14.2"), 1),
                row("triage", None, Some("1.14.2"), 1),
                row("triage", Some("v1"), Some("1.14.2"), 2),
                row("triage", Some("v2"), Some("1.14.2"), 1),
            ]
        );
    }

    #[test]
    fn an_app_that_was_too_busy_is_reported_only_where_it_never_answered() {
        let (versions, app) = (Versions::default(), Arc::from("triage"));
        let busy = transcript(refused(true), None, Some("1.14.2"));
        versions.count(&app, &busy);
        versions.count(&app, &busy);
        assert_eq!(versions.ran().iter().map(|ran| ran.attempts).collect::<Vec<_>>(), [2]);
        versions.count(&app, &transcript(Ending::Finished, Some("v1"), Some("1.14.2")));
        let ran = versions.ran();
        assert_eq!((ran.len(), ran[0].workflow_id.as_deref(), ran[0].attempts), (1, Some("v1"), 1));
    }

    #[test]
    fn no_more_versions_are_reported_than_a_report_holds() {
        let (versions, app) = (Versions::default(), Arc::from("triage"));
        for number in 0..MOST + 10 {
            let id = format!("v{number:03}");
            versions.count(&app, &transcript(Ending::Finished, Some(&id), None));
        }
        versions.count(&app, &transcript(Ending::Finished, Some("v000"), None));
        let ran = versions.ran();
        assert_eq!((ran.len(), ran[0].attempts, ran[MOST - 1].attempts), (MOST, 2, 1));
    }

    #[test]
    fn a_version_of_an_earlier_part_of_the_run_stays_pinned() {
        let (app, began): (Arc<str>, Instant) = (Arc::from("triage"), clock::now());
        let held = HeldVersion { workflow_id: String::from("v1"), test: Arc::from("S::before") };
        let run =
            Run { versions: Versions::pinned(&BTreeMap::from([(app.clone(), held)]), began), app, began };
        assert_eq!(run.sees("S::a", 1, "v1"), None);
        let cause = run.sees("S::b", 1, "v2").unwrap();
        assert!(cause.message.contains("ran on version v2, `S::before` on v1"), "{}", cause.message);
        assert!(cause.stops_suite, "it was sent after the part that pinned v1");
        assert!(!run.sees("S::c", 0, "v2").unwrap().stops_suite);
    }

    #[test]
    fn a_stream_that_contains_an_event_shows_that_a_worker_is_there() {
        let versions = Versions::default();
        let mut silent = transcript(Ending::Finished, None, None);
        versions.read_fields(&silent);
        assert!(!versions.has_events());
        silent.events.push(Arrival::new(
            Duration::ZERO,
            String::from(r#"{"event":"workflow_started","data":{"id":"r-1"}}"#),
        ));
        versions.read_fields(&silent);
        assert!(versions.has_events());
        assert_eq!(versions.fields(), ["workflow_started.id"]);
    }

    #[test]
    fn a_version_is_scripted_where_the_reply_that_answers_names_it() {
        let suite = "mock: [{ when: { inputs: { q: x } }, reply: { workflow_id: v9, outputs: {} } }]\n\
             tests:\n\
             - { name: named, mock: { workflow_id: v1, outputs: {} }, assert: [{ status: succeeded }] }\n\
             - { name: unnamed, mock: { outputs: {} }, assert: [{ status: succeeded }] }\n\
             - { name: by-rule, inputs: { q: x }, assert: [{ status: succeeded }] }\n";
        let run = CurrentRun::new(Arc::new(plan("", suite)), Arc::from("run-1"));
        for (place, workflow_id, expected) in [
            (0, "v1", true),
            (0, "v2", false),
            (0, "v9", false),
            (1, "v1", false),
            (1, "v9", false),
            (2, "v9", true),
            (2, "v1", false),
        ] {
            let made = MadeRequest {
                case: &run.plan.cases[place],
                id: AttemptId { repeat: 0, attempt: 0 },
                scope: TemplateScope::new(),
                waits: AttemptWaits::begin(),
                sent: run.started,
                limit: Duration::ZERO,
                intended: None,
                route: AnswerRoute::Send(None),
            };
            assert_eq!(is_scripted(&run, &made, workflow_id), expected, "{place} {workflow_id}");
        }
    }
}
