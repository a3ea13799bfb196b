//! What differs under nextest, where each test is a process of its own: one test is asked for by its full name, and whatever
//! keeps it from being judged must fail it and leave a mark in the record that all processes share.

use libtest_mimic::{Arguments, Trial};

use crate::app::nextest;
use crate::app::settings::Settings;
use crate::app::{RecordKeeping, Session};
use crate::base::digest::Digest;
use crate::harness::loading::failing;
use crate::plan::case::{Plan, TargetKind};
use crate::record::event::{PlannedCase, SinkError};

/// The one test a nextest process is to run, so that only its suite is loaded.
pub(super) fn exact_name(settings: &Settings, arguments: &Arguments) -> Option<String> {
    let one = settings.nextest.is_some() && arguments.exact && !arguments.list && arguments.skip.is_empty();
    arguments.filter.clone().filter(|_| one)
}

/// Lets the session write the record that all processes of the run share.
pub(super) fn share(session: &mut Session, settings: &Settings) {
    if let Some(of) = &settings.nextest {
        session.keeping = RecordKeeping::Shared;
        session.run = nextest::run_of(of).into();
    }
}

/// nextest's own retries would pay twice and hide a failure.
pub(super) fn refused_retry(settings: &Settings, plan: &Plan) -> Option<String> {
    let attempt = settings.nextest.as_ref()?.attempt;
    let live = match plan.target.kind {
        TargetKind::Live { .. } => true,
        TargetKind::Mock(_) | TargetKind::Replay { .. } => false,
    };
    (live && attempt > 1).then(|| {
        "nextest's retries are refused on a live target: each would be paid for again and could hide a failure; \
         set `retries = 0` in .config/nextest.toml and use `retries` in the suite for infrastructure failures"
            .to_owned()
    })
}

/// Why there are no trials of tests.
pub(super) struct HarnessRefusal {
    /// The name of the trial that says so.
    trial: &'static str,
    /// The reason.
    pub message: String,
}

impl HarnessRefusal {
    /// A reason under the name of its trial.
    pub fn new(trial: &'static str, message: impl Into<String>) -> Self {
        Self { trial, message: message.into() }
    }
}

/// The trial that says why there are no others. A process that is to run one test fails that one, whatever its name: a
/// name that matches nothing would be taken for a pass.
pub(super) fn refused(settings: &Settings, arguments: &Arguments, refusal: HarnessRefusal) -> Trial {
    let HarnessRefusal { trial, message } = refusal;
    let Some((of, asked)) = settings.nextest.as_ref().zip(exact_name(settings, arguments)) else {
        return failing(trial, message);
    };
    let message = match nextest::announce(settings, of, &asked) {
        Ok(()) => message,
        Err(error) => format!("{message}\nand the run cannot be recorded: {error}"),
    };
    failing(&asked, message)
}

/// Notes in the record that a trial was begun which can only fail.
pub(super) fn announce(session: &Session, plan: &Plan, name: &str) -> Result<(), SinkError> {
    let case =
        PlannedCase { key: Digest::of(name), name: name.into(), print: Digest::default(), place: None };
    session.announce(plan, &[case])
}
