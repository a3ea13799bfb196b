//! `flowproof run`: load, plan, run, report.

use std::sync::Arc;

use crate::cli::args::RunArgs;
use crate::cli::exit::{self, Exit, Interrupted, NoTests};
use crate::cli::say;
use crate::engine::run::Limits;
use crate::engine::signal;
use crate::event::RunEnd;
use crate::journal::RunRecord;
use crate::plan::case::Plan;
use crate::report;
use crate::report::terminal::{self, Detail, Ending, Terminal};
use crate::session::{self, Opening, Request, Session, SessionError};
use crate::settings::Settings;

/// Runs the selected tests and says what became of them.
pub fn run(args: &RunArgs, settings: &Settings) -> Exit {
    let opening = match session::open(settings, &Request::of_run(args)) {
        Ok(opening) => opening,
        Err(failure) => return failure.say(),
    };
    let Opening { plan, session, notes } = opening;
    for note in notes {
        say::note(&note);
    }
    if plan.cases.is_empty() {
        return nothing_selected(&plan, args.no_tests);
    }
    let plan = Arc::new(plan);
    let ended = match carry_out(&session, &plan, args) {
        Ok(ended) => ended,
        Err(failure) => return failure,
    };
    conclude(args, settings, &session, &ended)
}

fn nothing_selected(plan: &Plan, no_tests: NoTests) -> Exit {
    let message = format!(
        "no test was selected, {} left out by filters; `flowproof list` shows what there is, --no-tests=pass allows it",
        plan.deselected
    );
    match no_tests {
        NoTests::Fail => say::failure(&message, Exit::NoTests),
        NoTests::Warn => {
            say::note(&format!("warning: {message}"));
            Exit::Success
        }
        NoTests::Pass => Exit::Success,
    }
}

/// Sends and judges everything; the journal then holds it all.
fn carry_out(session: &Session, plan: &Arc<Plan>, args: &RunArgs) -> Result<RunEnd, Exit> {
    let runtime = session::runtime()
        .map_err(|error| say::failure(&format!("no threads could be started: {error}"), Exit::Unusable))?;
    let max_fail = if args.fail_fast { Some(1) } else { args.max_fail };
    let selected = u32::try_from(plan.cases.len()).unwrap_or(u32::MAX);
    let listener = Box::new(Terminal::new(detail(args)));
    let ended = runtime.block_on(async {
        let engine = session.start(plan.clone(), selected, Some(listener)).await?;
        let signals = signal::watch(engine.clone());
        let ended = engine.run(Limits { max_fail }).await;
        signals.abort();
        engine.close().await;
        ended.map_err(SessionError::from)
    });
    ended.map_err(|error| say::failure(&error.to_string(), Exit::Unusable))
}

fn detail(args: &RunArgs) -> Detail {
    match (args.verbose, args.quiet) {
        (true, _) => Detail::Verbose,
        (false, true) => Detail::Quiet,
        (false, false) => Detail::Normal,
    }
}

/// Writes the reports, then the summary; the last line says why the exit code is what it is.
fn conclude(args: &RunArgs, settings: &Settings, session: &Session, end: &RunEnd) -> Exit {
    let record = match session.record() {
        Ok(record) => record,
        Err(message) => return say::failure(&message, Exit::Unusable),
    };
    let interrupted = if end.interrupted { Interrupted::Yes } else { Interrupted::No };
    let exit = exit::of_run(&record.totals, interrupted, args.no_tests);
    let written = write(args, session, &record);
    let ending = Ending { code: exit.code(), reason: exit.reason(), reports: session.latest() };
    let shown = terminal::summary(&record, detail(args), &ending);
    if let Err(message) = shown {
        say::note(&format!("error: {message}"));
    }
    if settings.in_github {
        say::note(&report::github::annotations(&record));
    }
    match written {
        Ok(()) => exit,
        Err(message) if exit == Exit::Success => say::failure(&message, Exit::Unusable),
        Err(message) => say::failure(&message, exit),
    }
}

fn write(args: &RunArgs, session: &Session, record: &RunRecord) -> Result<(), String> {
    session.write_reports(record)?;
    for path in &args.output {
        report::write_file(record, path).map_err(|error| error.to_string())?;
    }
    Ok(())
}
