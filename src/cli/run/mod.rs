//! `flowproof run`: load, plan, run, report.

mod args;
mod dry_run;

use std::sync::Arc;

use crate::app::settings::Settings;
use crate::app::snapshots::left_text;
use crate::app::{
    self, EarlyEnd, OpenedRun, RecordedCassettes, RunOrigin, SavedCassette, Session, SessionError, SignalUse,
};
use crate::base::plural::plural;
use crate::base::whole_file::FileReplacement;
use crate::cli::exit::{self, Exit, JudgedExit};
use crate::cli::outputs::{self, OutputDestination};
use crate::cli::say;
use crate::engine::run::RunLimits;
use crate::plan::case::Plan;
use crate::plan::share::PlanShare;
use crate::record::event::{NoTests, RunOptions, Sink};
use crate::record::journal::RunRecord;
use crate::record::thresholds::RunConclusion;
use crate::record::thresholds::ThresholdGates;
use crate::report;
use crate::report::terminal::{self, OutputFailure, SummaryContext, SummaryStyle, Terminal, Verbosity};

pub use args::RunArgs;

/// What a run has besides its arguments: where it is recorded, and what was found on the way.
struct RunContext<'a> {
    args: &'a RunArgs,
    settings: &'a Settings,
    session: Session,
    output: OutputFailure,
}

/// Runs the selected tests and says what became of them.
pub fn run(args: &RunArgs, settings: &Settings) -> Exit {
    if let Err(message) = outputs::check(&args.output, settings) {
        return say::failure(&message, Exit::Usage);
    }
    let mut options = match args.options() {
        Ok(options) => options,
        Err(message) => return say::failure(&message, Exit::Usage),
    };
    let is_new = !options.continues() && !args.dry_run;
    let announced = is_new.then(|| app::announce(settings, &mut options)).transpose().map(Option::flatten);
    let OpenedRun { plan, mut session, notes, again } = match app::open(settings, &options) {
        Ok(opening) => opening,
        Err(failure) => {
            if let Ok(Some(announced)) = announced {
                announced.give_up();
            }
            return say::refusal(&failure, "nothing was sent");
        }
    };
    notes.iter().for_each(|note| say::note(note));
    if let Some(exit) = say_what_is_selected(&plan, &options, args) {
        return exit;
    }
    if args.dry_run {
        return dry_run::print(&plan, &session, detail(args));
    }
    let beginning = match (again, announced) {
        (Some(again), _) => RunOrigin::Resumed(Box::new(again)),
        (None, Ok(announced)) => {
            RunOrigin::New(announced.and_then(|announced| session.adopt(announced)).map(Box::new))
        }
        (None, Err(error)) => return say::failure(&SessionError::Journal(error).to_string(), Exit::Unusable),
    };
    let going = RunContext { args, settings, session, output: OutputFailure::default() };
    match going.carry_out(Arc::new(plan), beginning) {
        Ok(kept) => {
            let kept = kept.map(|kept| tell_kept(&kept, settings));
            match (going.conclude(), kept) {
                (exit, Ok(())) => exit,
                (Exit::Success, Err(message)) => say::failure(&message, Exit::Unusable),
                (exit, Err(message)) => say::failure(&message, exit),
            }
        }
        Err(error @ SessionError::Journal(_)) => going.unrecorded(&error),
        Err(error @ SessionError::Reports(_)) => say::failure(&error.to_string(), Exit::Usage),
        Err(error @ (SessionError::Engine(_) | SessionError::Ledger(_) | SessionError::Threads(_))) => {
            say::failure(&error.to_string(), Exit::Unusable)
        }
    }
}

/// Says which tests will run, where that is not plain; the exit code where nothing is to be done.
fn say_what_is_selected(plan: &Plan, options: &RunOptions, args: &RunArgs) -> Option<Exit> {
    let is_new = !options.continues();
    if plan.cases.is_empty() && !is_new {
        say::note("nothing is left to run: the run is judged by what is recorded of it");
    }
    if plan.cases.is_empty() && is_new && plan.share.is_none_or(|share| share.runnable == 0) {
        let no_tests = options.no_tests.unwrap_or_default();
        say_nothing_selected(plan, no_tests);
        if args.dry_run {
            return Some(if no_tests == NoTests::Fail {
                RunConclusion::NoTests.into()
            } else {
                Exit::Success
            });
        }
    }
    if let Some(share) = plan.share {
        say::note(&told_share(share, plan.cases.len()));
    }
    if !args.dry_run && (options.shuffle.is_some() || options.sample.is_some()) {
        say::note(&format!("seed {}: `--seed {0}` draws the same again", plan.seed));
    }
    None
}

/// `shard 2/4: 25 of 100 tests`.
fn told_share(share: PlanShare, cases: usize) -> String {
    let PlanShare { index, total, cases: all, .. } = share;
    let tests = plural(all, "test", "tests");
    match cases {
        0 => format!(
            "shard {index}/{total} has none of the {all} {tests}, which other shards run: nothing to do here"
        ),
        _ => format!("shard {index}/{total}: {cases} of {all} {tests}"),
    }
}

/// Says that nothing was selected; it is recorded and reported as any run is, so that no report of an earlier run is taken for it.
fn say_nothing_selected(plan: &Plan, no_tests: NoTests) {
    let message = format!(
        "no test was selected, {} left out by filters; `flowproof list` shows what there is, `--no-tests pass` allows it",
        plan.deselected
    );
    match no_tests {
        NoTests::Fail => say::note(&format!("error: {message}")),
        NoTests::Warn => say::note(&format!("warning: {message}")),
        NoTests::Pass => {}
    }
}

impl RunContext<'_> {
    /// Says why the run broke off, and reports what had been recorded until then, as far as that can be written.
    fn unrecorded(&self, error: &SessionError) -> Exit {
        let exit = say::failure(&error.to_string(), Exit::Unusable);
        let Ok(record) = self.session.record() else { return exit };
        if let Err(message) = self.write(&record) {
            say::note(&format!("error: {message}"));
        }
        let reason = String::from("the run could not be recorded, and was stopped");
        let reports = self.session.latest();
        self.show(
            &record,
            &SummaryContext { code: exit.code(), reason, gates: ThresholdGates::default(), reports },
        );
        exit
    }

    /// Sends and judges everything; the journal then holds it all.
    fn carry_out(
        &self,
        plan: Arc<Plan>,
        beginning: RunOrigin,
    ) -> Result<Result<RecordedCassettes, String>, SessionError> {
        let Self { args, settings, session, output } = self;
        let options = &args.flags.options;
        let max_fail = if options.fail_fast { Some(1) } else { options.max_fail };
        let (letters, redactor) = (settings.letters, session.redactor.clone());
        let listener: Box<dyn Sink + Send> = match outputs::takes_standard_output(&args.output) {
            true => Box::new(Terminal::on_stderr(detail(args)).in_letters(letters).masked_by(redactor)),
            false => {
                let terminal = Terminal::new(detail(args)).in_letters(letters).failing_into(output.clone());
                Box::new(terminal.masked_by(redactor))
            }
        };
        let ending = EarlyEnd { limits: RunLimits { max_fail }, signals: SignalUse::Watched };
        let executed = app::runtime()?.block_on(session.execute(plan, beginning, listener, ending))?;
        if let Some(failure) = executed.ledger_failure {
            say::note(&format!("warning: {failure}; what it did not take down counts as it was set aside"));
        }
        if let Some(left) = left_text(&executed.pending, settings, &session.reports) {
            say::note(&left);
        }
        Ok(executed.cassettes)
    }

    /// Writes the reports, then the summary; the last line says why the exit code is what it is.
    fn conclude(&self) -> Exit {
        let record = match self.session.record() {
            Ok(record) => record,
            Err(message) => return say::failure(&message, Exit::Unusable),
        };
        let JudgedExit { exit, gates } = match exit::of_record(&record, None) {
            Ok(judged) => judged,
            Err(error) => return say::failure(&error.to_string(), Exit::Unusable),
        };
        let written = self.write(&record);
        let reason = exit.told(&gates);
        self.show(
            &record,
            &SummaryContext { code: exit.code(), reason, gates, reports: self.session.latest() },
        );
        if let Err(message) = self.session.add_step_summary(&record) {
            say::note(&message);
        }
        let exit = match written {
            Ok(()) => exit,
            Err(message) if exit == Exit::Success => say::failure(&message, Exit::Unusable),
            Err(message) => say::failure(&message, exit),
        };
        // Whoever reads standard output has not seen what became of the run.
        if self.output.is_noted() && exit == Exit::Success { Exit::Unusable } else { exit }
    }

    /// Writes every document that can be written; says why the first failed that could not.
    fn write(&self, record: &RunRecord) -> Result<(), String> {
        let mut written = self.session.write_reports(record).map(drop);
        for path in &self.args.output {
            let sent = outputs::write(record, path, self.settings).and_then(|sent| match sent {
                OutputDestination::File | OutputDestination::Standard(Exit::Success) => Ok(()),
                OutputDestination::Standard(_) => Err("the document was not written".to_owned()),
            });
            written = written.and(sent);
        }
        written
    }

    fn show(&self, record: &RunRecord, ending: &SummaryContext) {
        let style = SummaryStyle { detail: detail(self.args), letters: self.settings.letters };
        let is_aside = outputs::takes_standard_output(&self.args.output);
        let shown = match is_aside {
            true => terminal::summary_on_stderr(record, style, ending),
            false => terminal::summary(record, style, ending, &self.output),
        };
        if let Err(error) = shown {
            say::note(&format!("error: {error}"));
        }
        if self.settings.in_github && !is_aside {
            say::verbatim(report::github::annotations(record).as_bytes());
        }
    }
}

/// Says what was recorded where, before the summary.
fn tell_kept(kept: &RecordedCassettes, settings: &Settings) {
    for SavedCassette { path, recorded, change } in &kept.saved {
        let path = path.strip_prefix(&settings.working_dir).unwrap_or(path).display();
        let count = format!("{recorded} {}", plural(*recorded, "exchange", "exchanges"));
        say::note(&match change {
            FileReplacement::Written => format!("recorded {count} in {path}"),
            FileReplacement::Same => {
                format!("{count} came back as recorded in {path}, which was left as it is")
            }
        });
    }
    if let Some(lost) = &kept.lost {
        say::note(lost);
    }
}

fn detail(args: &RunArgs) -> Verbosity {
    match (args.verbose, args.quiet) {
        (true, _) => Verbosity::Verbose,
        (false, true) => Verbosity::Quiet,
        (false, false) => Verbosity::Normal,
    }
}
