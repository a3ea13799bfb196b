//! Which published versions ran: an app's first one is held for the whole run, and another one is told as what it is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use crate::base::lock::lock;
use crate::dify::transcript::Transcript;
use crate::plan::case::{Case, HeldVersion};
use crate::record::attempt::Cause;
use crate::record::event::{FIELDS_WATCHED, RanVersion};
use crate::record::verdict::{Finding, Severity, Truth};

/// Different versions that are told of one run; a live one has one an app.
const MOST: usize = 64;

/// The versions seen so far.
#[derive(Debug, Default)]
pub struct Versions {
    seen: Mutex<SeenVersions>,
}

#[derive(Debug, Default)]
struct SeenVersions {
    /// By app.
    held: BTreeMap<Arc<str>, PinnedVersion>,
    /// Attempts by what ran.
    ran: BTreeMap<RanKey, u32>,
    /// Requests that were refused as too many, which the same app may answer later.
    busy: BTreeMap<RanKey, u32>,
    /// `event.field`, of all events.
    fields: BTreeSet<String>,
    /// Attempts whose fields were looked at.
    looked: u32,
    /// True once a stream brought an event: a worker is there.
    brought_events: bool,
}

/// App, `workflow_id` and Dify's version.
type RanKey = (Arc<str>, Option<String>, Option<String>);

/// The version that an app must keep.
#[derive(Debug)]
struct PinnedVersion {
    workflow_id: String,
    /// The test that saw it first.
    test: Arc<str>,
    /// When that was sent.
    sent: Instant,
}

/// An attempt that brought an answer.
#[derive(Debug, Clone, Copy)]
pub struct AnsweredAttempt<'a> {
    /// The app that was asked.
    pub app: &'a Arc<str>,
    /// The test that asked.
    pub test: &'a Arc<str>,
    /// When it was sent.
    pub sent: Instant,
    /// The version that was asked for, if one was.
    pub asked: Option<&'a str>,
}

impl Versions {
    /// Holds the versions that an earlier part of the run has tested.
    pub fn holding(held: &BTreeMap<Arc<str>, HeldVersion>, since: Instant) -> Self {
        let hold = |(app, version): (&Arc<str>, &HeldVersion)| {
            let HeldVersion { workflow_id, test } = version.clone();
            (app.clone(), PinnedVersion { workflow_id, test, sent: since })
        };
        let seen = SeenVersions { held: held.iter().map(hold).collect(), ..SeenVersions::default() };
        Self { seen: Mutex::new(seen) }
    }

    /// Notes what ran for the reports; attempts that no Dify answered have nothing to note.
    pub fn count(&self, app: &Arc<str>, transcript: &Transcript) {
        let busy = match transcript.ending.error() {
            _ if transcript.answer.ids.workflow.is_some() => false,
            // Silence and what breaks off say nothing of a version, and are no refusal.
            None => return,
            Some(_) if transcript.dify_version.is_none() => return,
            Some(error) => error.not_started,
        };
        let ran = (app.clone(), transcript.answer.ids.workflow.clone(), transcript.dify_version.clone());
        let mut seen = lock(&self.seen);
        if busy {
            *seen.busy.entry(ran).or_default() += 1;
            return;
        }
        if seen.ran.len() < MOST || seen.ran.contains_key(&ran) {
            *seen.ran.entry(ran).or_default() += 1;
        }
    }

    /// True once a stream of the target brought an event.
    pub fn brought_events(&self) -> bool {
        lock(&self.seen).brought_events
    }

    /// Notes the fields of what came, recorded or not.
    pub fn look(&self, transcript: &Transcript) {
        {
            let mut seen = lock(&self.seen);
            seen.brought_events |= !transcript.events.is_empty();
            if seen.looked >= FIELDS_WATCHED {
                return;
            }
        }
        let fields = transcript.event_fields();
        let mut seen = lock(&self.seen);
        seen.looked += 1;
        seen.fields.extend(fields);
    }

    /// The fields of all events that were looked at.
    pub fn fields(&self) -> Vec<String> {
        lock(&self.seen).fields.iter().cloned().collect()
    }

    /// Holds the version that ran against the one asked for, else against the first that the run saw of the app.
    ///
    /// First is whichever answer came first. An answer that came later may belong to a request that was sent earlier:
    /// that one is told too, but the tests after it will meet the version that is held.
    pub fn check(&self, seat: AnsweredAttempt<'_>, workflow_id: &str) -> Option<Cause> {
        if let Some(asked) = seat.asked {
            return (!same(asked, workflow_id)).then(|| not_asked_for(asked, workflow_id));
        }
        let mut seen = lock(&self.seen);
        let held = seen.held.entry(seat.app.clone()).or_insert_with(|| PinnedVersion {
            workflow_id: workflow_id.to_owned(),
            test: seat.test.clone(),
            sent: seat.sent,
        });
        (!same(&held.workflow_id, workflow_id)).then(|| published(held, seat, workflow_id))
    }

    /// What ran, by app.
    pub fn ran(&self) -> Vec<RanVersion> {
        let seen = lock(&self.seen);
        let version = |((app, workflow_id, dify_version), attempts): (&RanKey, &u32)| RanVersion {
            app: app.to_string(),
            workflow_id: workflow_id.clone(),
            dify_version: dify_version.clone(),
            attempts: *attempts,
        };
        let answers = |app: &Arc<str>| seen.ran.keys().any(|(known, _, _)| known == app);
        let refused = seen.busy.iter().filter(|((app, _, _), _)| !answers(app));
        seen.ran.iter().chain(refused).map(version).collect()
    }
}

/// Ids are compared as Dify does: it reads them as UUIDs.
fn same(one: &str, other: &str) -> bool {
    one.trim().eq_ignore_ascii_case(other.trim())
}

fn published(held: &PinnedVersion, seat: AnsweredAttempt<'_>, workflow_id: &str) -> Cause {
    let first = &held.workflow_id;
    Cause {
        message: format!(
            "published during the run: this test ran on version {workflow_id}, `{}` on {first}; the run tested no one version",
            held.test
        ),
        hint: Some(format!(
            "run again, or hold one version with `workflow_id: {first}` or `--workflow-id {first}`"
        )),
        class: None,
        stops_suite: seat.sent > held.sent,
    }
}

fn not_asked_for(asked: &str, workflow_id: &str) -> Cause {
    Cause {
        message: format!("version {asked} was asked for, and version {workflow_id} ran"),
        hint: Some("is a proxy between flowproof and Dify changing the address?".to_owned()),
        class: None,
        stops_suite: true,
    }
}

/// What makes an attempt on another version errored, whatever it answered.
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
    use crate::dify::client::begin;
    use crate::dify::transcript::{Arrival, Ending, PostedRequest, ResponseMode};
    use crate::dify::wire::error::{ErrorClass, WireError};

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
    fn the_first_version_that_is_seen_is_held() {
        let run = Run::new();
        assert_eq!(run.sees("S::a", 0, "v1"), None);
        assert_eq!(run.sees("S::b", 1, "V1"), None);
        let cause = run.sees("S::c", 2, "v2").unwrap();
        assert_eq!(
            cause.message,
            "published during the run: this test ran on version v2, `S::a` on v1; the run tested no one version"
        );
        assert!(cause.stops_suite, "every later test would run on v2");
        assert!(run.sees("S::d", 3, "v2").is_some(), "it stays held");
        assert_eq!(run.sees("S::e", 3, "v1"), None);
    }

    #[test]
    fn an_attempt_that_began_before_is_told_but_ends_nothing() {
        let run = Run::new();
        assert_eq!(run.sees("S::b", 5, "v2"), None);
        assert!(!run.sees("S::a", 1, "v1").unwrap().stops_suite);
    }

    #[test]
    fn apps_are_held_apart() {
        let run = Run::new();
        assert_eq!(run.sees("S::a", 0, "v1"), None);
        let other = Arc::from("handbook");
        let seat = AnsweredAttempt { app: &other, test: &Arc::from("T::a"), sent: run.began, asked: None };
        assert_eq!(run.versions.check(seat, "w1"), None);
        assert!(run.versions.check(seat, "v1").is_some());
    }

    #[test]
    fn a_version_that_was_asked_for_must_be_the_one_that_ran() {
        let run = Run::new();
        let test = Arc::from("S::a");
        let asked = |id| AnsweredAttempt { app: &run.app, test: &test, sent: run.began, asked: Some(id) };
        assert_eq!(run.versions.check(asked("AB"), "ab"), None);
        let cause = run.versions.check(asked("ab"), "cd").unwrap();
        assert_eq!(cause.message, "version ab was asked for, and version cd ran");
        assert_eq!(run.sees("S::b", 0, "v1"), None, "what was asked for holds nothing for others");
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
        let told: Vec<(String, Option<String>, Option<String>, u32)> = versions
            .ran()
            .into_iter()
            .map(|ran| (ran.app, ran.workflow_id, ran.dify_version, ran.attempts))
            .collect();
        let row = |app: &str, id: Option<&str>, dify: Option<&str>, attempts| {
            (app.to_owned(), id.map(str::to_owned), dify.map(str::to_owned), attempts)
        };
        assert_eq!(
            told,
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
    fn an_app_that_was_too_busy_is_told_only_where_it_never_answered() {
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
    fn no_more_versions_are_told_than_a_report_holds() {
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
    fn a_version_of_an_earlier_part_of_the_run_stays_held() {
        let (app, began): (Arc<str>, Instant) = (Arc::from("triage"), clock::now());
        let held = HeldVersion { workflow_id: String::from("v1"), test: Arc::from("S::before") };
        let run =
            Run { versions: Versions::holding(&BTreeMap::from([(app.clone(), held)]), began), app, began };
        assert_eq!(run.sees("S::a", 1, "v1"), None);
        let cause = run.sees("S::b", 1, "v2").unwrap();
        assert!(cause.message.contains("ran on version v2, `S::before` on v1"), "{}", cause.message);
        assert!(cause.stops_suite, "it was sent after the part that held v1");
        assert!(!run.sees("S::c", 0, "v2").unwrap().stops_suite);
    }

    #[test]
    fn a_stream_that_brought_an_event_shows_that_a_worker_is_there() {
        let versions = Versions::default();
        let mut silent = transcript(Ending::Finished, None, None);
        versions.look(&silent);
        assert!(!versions.brought_events());
        silent.events.push(Arrival::new(
            Duration::ZERO,
            String::from(r#"{"event":"workflow_started","data":{"id":"r-1"}}"#),
        ));
        versions.look(&silent);
        assert!(versions.brought_events());
        assert_eq!(versions.fields(), ["workflow_started.id"]);
    }
}
