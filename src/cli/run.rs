//! `flowproof run`: load, plan, run, report.

mod args;
mod budget;
mod dry_run;

use std::sync::Arc;

use crate::cli::exit::{self, Exit, NoTests};
use crate::cli::say;
use crate::engine::run::Limits;
use crate::engine::signal;
use crate::event::RunEnd;
use crate::gate;
use crate::journal::RunRecord;
use crate::plan::case::Plan;
use crate::report;
use crate::report::terminal::{self, Detail, Ending, Terminal};
use crate::session::snapshots::left_text;
use crate::session::{self, Change, Kept, Opening, Saved, Session, SessionError};
use crate::settings::Settings;

pub use args::RunArgs;

/// Runs the selected tests and says what became of them.
pub fn run(args: &RunArgs, settings: &Settings) -> Exit {
    if let Some(error) = args.output.iter().find_map(|path| report::kind_of(path).err()) {
        return say::failure(&error.to_string(), Exit::Usage);
    }
    let request = match args.request() {
        Ok(request) => request,
        Err(message) => return say::failure(&message, Exit::Usage),
    };
    let Opening { plan, session } = match session::open(settings, &request) {
        Ok(opening) => opening,
        Err(failure) => return say::refusal(&failure, "nothing was sent"),
    };
    if plan.cases.is_empty() {
        return nothing_selected(&plan, args.no_tests);
    }
    if args.dry_run {
        return dry_run::print(&plan, &session, detail(args));
    }
    if args.shuffle.is_some() || args.sample.is_some() {
        say::note(&format!("seed {}: `--seed {0}` draws the same again", plan.seed));
    }
    match carry_out((&session, settings), Arc::new(plan), args) {
        Ok((ended, kept)) => {
            let kept = kept.map(|kept| tell_kept(&kept, settings));
            match (conclude(args, settings, &session, &ended), kept) {
                (exit, Ok(())) => exit,
                (Exit::Success, Err(message)) => say::failure(&message, Exit::Unusable),
                (exit, Err(message)) => say::failure(&message, exit),
            }
        }
        Err(error) => say::failure(&error.to_string(), Exit::Unusable),
    }
}

fn nothing_selected(plan: &Plan, no_tests: NoTests) -> Exit {
    let message = format!(
        "no test was selected, {} left out by filters; `flowproof list` shows what there is, `--no-tests pass` allows it",
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
fn carry_out(
    (session, settings): (&Session, &Settings),
    plan: Arc<Plan>,
    args: &RunArgs,
) -> Result<(RunEnd, Result<Kept, String>), SessionError> {
    let max_fail = if args.fail_fast { Some(1) } else { args.max_fail };
    let selected = u32::try_from(plan.cases.len()).unwrap_or(u32::MAX);
    let listener = Box::new(Terminal::new(detail(args)).masked_by(session.redactor.clone()));
    session::runtime()?.block_on(async {
        let engine = session.start(plan, selected, Some(listener))?;
        let signals = signal::watch(engine.clone());
        let ended = engine.run(Limits { max_fail }).await;
        signals.abort();
        engine.close().await;
        if let Some(failure) = engine.ledger_failure() {
            say::note(&format!("warning: {failure}; what it did not take down counts as it was set aside"));
        }
        let ended = ended?;
        if let Some(left) = left_text(&engine.left(), settings, &session.reports) {
            say::note(&left);
        }
        // A run is reported also when what it recorded cannot be written.
        Ok((ended, session.save_cassettes(&engine)))
    })
}

/// Says what was recorded where, before the summary.
fn tell_kept(kept: &Kept, settings: &Settings) {
    for Saved { path, recorded, change } in &kept.saved {
        let path = path.strip_prefix(&settings.working_dir).unwrap_or(path).display();
        let count = if *recorded == 1 { "1 exchange".to_owned() } else { format!("{recorded} exchanges") };
        say::note(&match change {
            Change::Written => format!("recorded {count} in {path}"),
            Change::None => format!("{count} came back as recorded in {path}, which was left as it is"),
        });
    }
    if let Some(lost) = &kept.lost {
        say::note(lost);
    }
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
    let gates = match gate::judge(&record) {
        Ok(gates) => gates,
        Err(error) => return say::failure(&error.to_string(), Exit::Unusable),
    };
    let exit = exit::of_run(&record, &gates, end, args.no_tests);
    let written = write(args, session, &record);
    let reason = exit.told(&gates);
    let ending = Ending { code: exit.code(), reason, gates, reports: session.latest() };
    if let Err(message) = show(args, settings, &record, &ending) {
        say::note(&format!("error: {message}"));
    }
    if let Err(message) = session.add_step_summary(&record) {
        say::note(&message);
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

fn show(args: &RunArgs, settings: &Settings, record: &RunRecord, ending: &Ending) -> Result<(), String> {
    terminal::summary(record, detail(args), ending).map_err(|error| error.to_string())?;
    if settings.in_github {
        say::bytes(report::github::annotations(record).as_bytes());
    }
    Ok(())
}
