//! Live sides of a comparison: each leaves a run of its own behind, which is then compared like any other.

use std::sync::Arc;

use crate::app::settings::Settings;
use crate::app::{self, OpenedRun, Session, SessionError};
use crate::base::redact::Redactor;
use crate::cli::exit::Exit;
use crate::cli::say;
use crate::engine::Engine;
use crate::engine::paired_run;
use crate::engine::run::RunLimits;
use crate::engine::signal;
use crate::plan::case::Plan;
use crate::record::event::{Event, RunEnd, RunOptions, Sink, SinkError};
use crate::record::journal::RunRecord;
use crate::record::thresholds::RunConclusion;

/// A side that can start.
pub(super) struct OpenedSide {
    plan: Plan,
    session: Session,
}

/// Both sides, which can start.
pub(super) struct OpenedSides {
    /// What is judged against.
    pub a: OpenedSide,
    /// What is judged.
    pub b: OpenedSide,
}

/// The records of both sides.
pub(super) struct ComparedRecords {
    /// What is judged against.
    pub a: RunRecord,
    /// What is judged.
    pub b: RunRecord,
}

/// Loads and plans a side; nothing is sent yet.
pub(super) fn open(options: &RunOptions, settings: &Settings) -> Result<OpenedSide, Exit> {
    let opening = app::open(settings, options);
    let OpenedRun { plan, session, notes, .. } =
        opening.map_err(|failure| say::refusal(&failure, "nothing was sent"))?;
    notes.iter().for_each(|note| say::note(note));
    if plan.cases.is_empty() {
        return Err(say::failure(
            "no test was selected; `flowproof list` shows what there is",
            RunConclusion::NoTests.into(),
        ));
    }
    Ok(OpenedSide { plan, session })
}

/// Two sides at one target begin half as many requests each.
pub(super) fn share_rate(sides: &mut OpenedSides) {
    for side in [&mut sides.a, &mut sides.b] {
        if let Some(rate) = &mut side.plan.target.rate {
            rate.per_second /= 2.0;
        }
    }
}

/// Runs one side.
pub(super) fn run_one(side: OpenedSide, name: &'static str) -> Result<RunRecord, Exit> {
    let OpenedSide { plan, session } = side;
    let ran = runtime()?.block_on(async {
        let engine = start(&session, plan, name)?;
        let signals = signal::watch(engine.clone());
        let ended = engine.run(RunLimits::default()).await;
        signals.abort();
        engine.close().await;
        Ok::<RunEnd, SessionError>(ended?)
    });
    let ended = ran.map_err(failed)?;
    interrupted(&[&ended])?;
    record(&session)
}

/// Runs both sides, next to each other.
pub(super) fn run_two(sides: OpenedSides, seed: u64) -> Result<ComparedRecords, Exit> {
    let OpenedSides { a, b } = sides;
    let ran = runtime()?.block_on(async {
        let one = start(&a.session, a.plan, "A")?;
        let other = match start(&b.session, b.plan, "B") {
            Ok(other) => other,
            Err(error) => {
                one.close().await;
                return Err(error);
            }
        };
        let signals = [signal::watch(one.clone()), signal::watch(other.clone())];
        let ended = paired_run::run_both(&one, &other, seed).await;
        signals.iter().for_each(tokio::task::JoinHandle::abort);
        one.close().await;
        other.close().await;
        Ok::<_, SessionError>(ended?)
    });
    let (one, other) = ran.map_err(failed)?;
    interrupted(&[&one, &other])?;
    Ok(ComparedRecords { a: record(&a.session)?, b: record(&b.session)? })
}

fn runtime() -> Result<tokio::runtime::Runtime, Exit> {
    app::runtime().map_err(|error| failed(SessionError::Threads(error)))
}

fn start(session: &Session, plan: Plan, name: &'static str) -> Result<Arc<Engine>, SessionError> {
    let selected = app::planned(&plan.cases);
    let teller = SideProgress { name, redactor: session.redactor.clone() };
    session.start(Arc::new(plan), selected, Some(Box::new(teller)))
}

fn failed(error: SessionError) -> Exit {
    say::failure(&error.to_string(), Exit::Unusable)
}

/// What a comparison that was stopped would say is not true of the sides.
fn interrupted(ends: &[&RunEnd]) -> Result<(), Exit> {
    if ends.iter().any(|end| end.interrupted) {
        let message = "interrupted: nothing was compared; what had finished is in `flowproof runs list`";
        return Err(say::failure(message, RunConclusion::Interrupted.into()));
    }
    Ok(())
}

fn record(session: &Session) -> Result<RunRecord, Exit> {
    session.record().map_err(|message| say::failure(&message, Exit::Unusable))
}

/// Says which tests have finished on a side.
struct SideProgress {
    name: &'static str,
    redactor: Redactor,
}

impl Sink for SideProgress {
    fn take(&mut self, event: &Event) -> Result<(), SinkError> {
        match event {
            Event::CaseFinished(outcome) => {
                let line = format!("{}  {}  {}", self.name, outcome.verdict.word(), outcome.name);
                say::note(&crate::report::text::one_line(&self.redactor.text(&line), 300));
            }
            Event::RunStarted(_)
            | Event::CasesPlanned(_)
            | Event::RunContinued(_)
            | Event::AttemptStarted(_)
            | Event::AttemptLeft(_)
            | Event::AttemptFinished(_)
            | Event::RunFinished(_) => {}
        }
        Ok(())
    }
}
