//! `flowproof run`: load, plan, run, report.

mod args;
mod budget;
mod dry_run;

use std::sync::Arc;

use crate::cli::exit::{self, Exit, NoTests};
use crate::cli::outputs::{self, Sent};
use crate::cli::say;
use crate::engine::run::Limits;
use crate::engine::signal;
use crate::event::{RunEnd, Sink};
use crate::gate::{self, Gates};
use crate::journal::RunRecord;
use crate::plan::case::Plan;
use crate::plan::shard::Share;
use crate::report;
use crate::report::terminal::{self, Detail, Ending, Terminal};
use crate::session::snapshots::left_text;
use crate::session::{self, Kept, Opening, Saved, Session, SessionError, TakenUp};
use crate::settings::Settings;
use crate::whole_file::Replaced;

pub use args::RunArgs;

/// Runs the selected tests and says what became of them.
pub fn run(args: &RunArgs, settings: &Settings) -> Exit {
    if let Err(message) = outputs::check(&args.output, settings) {
        return say::failure(&message, Exit::Usage);
    }
    let request = match args.request() {
        Ok(request) => request,
        Err(message) => return say::failure(&message, Exit::Usage),
    };
    let Opening { plan, session, notes, again } = match session::open(settings, &request) {
        Ok(opening) => opening,
        Err(failure) => return say::refusal(&failure, "nothing was sent"),
    };
    notes.iter().for_each(|note| say::note(note));
    if again.is_none() && plan.cases.is_empty() && plan.share.is_none_or(|share| share.runnable == 0) {
        return nothing_selected(&plan, args.no_tests);
    }
    if let Some(share) = plan.share {
        say::note(&told_share(share, plan.cases.len()));
    }
    if args.dry_run {
        return dry_run::print(&plan, &session, detail(args));
    }
    if args.shuffle.is_some() || args.sample.is_some() {
        say::note(&format!("seed {}: `--seed {0}` draws the same again", plan.seed));
    }
    match carry_out((&session, settings), (Arc::new(plan), again), args) {
        Ok((ended, kept)) => {
            let kept = kept.map(|kept| tell_kept(&kept, settings));
            match (conclude(args, settings, &session, &ended), kept) {
                (exit, Ok(())) => exit,
                (Exit::Success, Err(message)) => say::failure(&message, Exit::Unusable),
                (exit, Err(message)) => say::failure(&message, exit),
            }
        }
        Err(error @ SessionError::Journal(_)) => unrecorded(args, settings, &session, &error),
        Err(error @ SessionError::Reports(_)) => say::failure(&error.to_string(), Exit::Usage),
        Err(error @ (SessionError::Engine(_) | SessionError::Ledger(_) | SessionError::Threads(_))) => {
            say::failure(&error.to_string(), Exit::Unusable)
        }
    }
}

/// Says why the run broke off, and reports what had been recorded until then, as far as that can be written.
fn unrecorded(args: &RunArgs, settings: &Settings, session: &Session, error: &SessionError) -> Exit {
    let exit = say::failure(&error.to_string(), Exit::Unusable);
    let Ok(record) = session.record() else { return exit };
    if let Err(message) = write(args, (session, settings), &record) {
        say::note(&format!("error: {message}"));
    }
    let reason = String::from("the run could not be recorded, and was stopped");
    let ending = Ending { code: exit.code(), reason, gates: Gates::default(), reports: session.latest() };
    if let Err(message) = show(args, settings, &record, &ending) {
        say::note(&format!("error: {message}"));
    }
    exit
}

/// `shard 2/4: 25 of 100 tests`.
fn told_share(share: Share, cases: usize) -> String {
    let Share { index, total, cases: all, .. } = share;
    let tests = if all == 1 { "test" } else { "tests" };
    match cases {
        0 => format!(
            "shard {index}/{total} has none of the {all} {tests}, which other shards run: nothing to do here"
        ),
        _ => format!("shard {index}/{total}: {cases} of {all} {tests}"),
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
    (plan, again): (Arc<Plan>, Option<TakenUp>),
    args: &RunArgs,
) -> Result<(RunEnd, Result<Kept, String>), SessionError> {
    let max_fail = if args.fail_fast { Some(1) } else { args.max_fail };
    let (letters, redactor) = (settings.letters, session.redactor.clone());
    let listener: Box<dyn Sink + Send> = match outputs::takes_standard_output(&args.output) {
        true => Box::new(Terminal::aside(detail(args)).in_letters(letters).masked_by(redactor)),
        false => Box::new(Terminal::new(detail(args)).in_letters(letters).masked_by(redactor)),
    };
    session::runtime()?.block_on(async {
        let engine = match again {
            Some(again) => session.go_on(plan, again, Some(listener))?,
            None => {
                let selected = session::planned(&plan.cases);
                session.start(plan, selected, Some(listener))?
            }
        };
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
            Replaced::Written => format!("recorded {count} in {path}"),
            Replaced::Same => format!("{count} came back as recorded in {path}, which was left as it is"),
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
    let written = write(args, (session, settings), &record);
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

/// Writes every document that can be written; says why the first failed that could not.
fn write(
    args: &RunArgs,
    (session, settings): (&Session, &Settings),
    record: &RunRecord,
) -> Result<(), String> {
    let mut written = session.write_reports(record).map(drop);
    for path in &args.output {
        let sent = outputs::write(record, path, settings).and_then(|sent| match sent {
            Sent::File | Sent::Standard(Exit::Success) => Ok(()),
            Sent::Standard(_) => Err("the document was not written".to_owned()),
        });
        written = written.and(sent);
    }
    written
}

fn show(args: &RunArgs, settings: &Settings, record: &RunRecord, ending: &Ending) -> Result<(), String> {
    let shown = (detail(args), settings.letters);
    if outputs::takes_standard_output(&args.output) {
        return terminal::summary_aside(record, shown, ending).map_err(|error| error.to_string());
    }
    terminal::summary(record, shown, ending).map_err(|error| error.to_string())?;
    if settings.in_github {
        say::bytes(report::github::annotations(record).as_bytes());
    }
    Ok(())
}
