//! Engines that tests make up, and the events that they report.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use crate::app::runtime;
use crate::base::lock::lock;
use crate::engine::Engine;
use crate::engine::run::RunLimits;
use crate::plan::case::{Case, Plan};
use crate::plan::choices::Choices;
use crate::plan::compile::compile;
use crate::record::attempt::{Attempt, CaseOutcome};
use crate::record::event::{Event, RunEnd, Sink, SinkError};
use crate::suite::load::{LoadOptions, OutsidePaths, load};

/// The plan of a project with one suite, `s`.
pub(super) fn plan(project: &str, suite: &str) -> Plan {
    let folder = tempfile::tempdir().unwrap();
    plan_in(folder.path(), project, suite)
}

/// The same, in a folder that stays.
pub(super) fn plan_in(folder: &Path, project: &str, suite: &str) -> Plan {
    fs::create_dir_all(folder.join("suites")).unwrap();
    fs::write(folder.join("flowproof.yaml"), format!("version: 1\n{project}")).unwrap();
    fs::write(folder.join("suites/s.yaml"), format!("version: 1\n{suite}")).unwrap();
    let options = LoadOptions {
        working_dir: folder.to_owned(),
        paths: Vec::new(),
        outside: OutsidePaths::Refused,
        in_ci: false,
        only: None,
        formats: Vec::new(),
    };
    let compiled = compile(load(&options), &Choices::default());
    compiled.plan.unwrap_or_else(|| panic!("{suite}: {:?} {:?}", compiled.problems, compiled.target_errors))
}

/// A test that sends nothing particular.
pub(super) fn case() -> Case {
    plan("", "tests: [{ name: t, mock: { outputs: { x: 1 } }, assert: [{ status: succeeded }] }]\n")
        .cases
        .remove(0)
}

/// The events of an engine.
#[derive(Clone, Default)]
pub(super) struct ReportedEvents(Arc<Mutex<Vec<Event>>>);

impl Sink for ReportedEvents {
    fn take(&mut self, event: &Event) -> Result<(), SinkError> {
        lock(&self.0).push(event.clone());
        Ok(())
    }
}

/// An engine of a plan, and its events; must be called within a runtime.
pub(super) fn engine(plan: Plan) -> (Arc<Engine>, ReportedEvents) {
    let events = ReportedEvents::default();
    let engine = Engine::start(Arc::new(plan), Arc::from("run-1"), Box::new(events.clone())).unwrap();
    (Arc::new(engine), events)
}

/// Does something with an engine of a plan that is not run.
pub(super) fn with_engine<T>(plan: Plan, look: impl AsyncFnOnce(&Arc<Engine>) -> T) -> T {
    runtime().unwrap().block_on(async {
        let (engine, _) = engine(plan);
        let seen = look(&engine).await;
        engine.close().await;
        seen
    })
}

/// What became of a run.
pub(super) struct RunResult {
    /// How it ended.
    pub end: RunEnd,
    /// The tests that were run, in the order of their ends.
    pub outcomes: Vec<Arc<CaseOutcome>>,
    /// Their attempts.
    pub attempts: Vec<Arc<Attempt>>,
}

impl RunResult {
    /// Of an engine that ran.
    pub fn of(end: RunEnd, events: &ReportedEvents) -> Self {
        let (mut outcomes, mut attempts) = (Vec::new(), Vec::new());
        for event in lock(&events.0).iter() {
            match event {
                Event::CaseFinished(outcome) => outcomes.push(outcome.clone()),
                Event::AttemptFinished(attempt) => attempts.push(attempt.clone()),
                _ => {}
            }
        }
        Self { end, outcomes, attempts }
    }
}

/// Runs a plan to its end.
pub(super) fn run(plan: Plan, limits: RunLimits) -> RunResult {
    runtime().unwrap().block_on(async {
        let (engine, events) = engine(plan);
        let end = engine.run(limits).await.unwrap();
        engine.close().await;
        RunResult::of(end, &events)
    })
}
