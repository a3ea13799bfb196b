//! From options to a plan: flags and environment become choices, files become suites, and both a plan with its session.

use std::path::PathBuf;
use std::sync::Arc;

use crate::app::budget;
use crate::app::cassettes::why_not_recorded;
use crate::app::machine;
use crate::app::opened::{OpenFailure, OpenedRun, PartialRun};
use crate::app::options::precedence::with_environment;
use crate::app::reports::{WrittenReports, reports_folder};
use crate::app::runs::ReportsFolder;
use crate::app::session::Session;
use crate::app::settings::Settings;
use crate::app::shard;
use crate::base::redact::Redactor;
use crate::plan::choices::{Choices, Judges};
use crate::plan::compile::compile;
use crate::plan::compiled::CompiledPlan;
use crate::plan::repeats::refused_choice;
use crate::plan::target_error::TargetError;
use crate::record::event::RunOptions;
use crate::report::{ReportFormat, chosen_formats, format_words};
use crate::suite::load::{LoadOptions, LoadedSuites, OutsidePaths, load};
use crate::suite::project::ProjectSpec;
use crate::yaml::problem::Problem;

/// Loads and plans a new run; any problem in any file is a failure.
pub(super) fn open_new(settings: &Settings, flags: &RunOptions) -> Result<OpenedRun, OpenFailure> {
    let partial = open_partly(settings, flags)?;
    if partial.problems.is_empty() {
        Ok(partial.opening)
    } else {
        Err(OpenFailure::Problems(partial.problems))
    }
}

/// Loads and plans what has no problems, and returns the problems of the rest.
pub fn open_partly(settings: &Settings, flags: &RunOptions) -> Result<PartialRun, OpenFailure> {
    open_for(settings, flags, Judges::Asked)
}

/// The same, where it is known whether judges will be asked.
pub(super) fn open_for(
    settings: &Settings,
    flags: &RunOptions,
    judges: Judges,
) -> Result<PartialRun, OpenFailure> {
    let mut choices = Choices { judges, ..choices(settings, flags)? };
    let loaded = load(&load_options(settings, &choices.options));
    let reports = reports_of(&loaded, settings, &choices.options)?;
    if let (Some(shard), Some(run)) = (&mut choices.shard, &choices.options.shard_by) {
        let runs = ReportsFolder::below(settings, &reports);
        shard.durations = Some(shard::durations(run, &runs)?);
    }
    let (files, formats) = (loaded.files.len(), formats(loaded.project.as_ref()));
    if let Some(short) = loaded.problems.iter().find(|problem| problem.is_of_machine()) {
        return Err(OpenFailure::Target(format!("{}: {}", short.place, short.message)));
    }
    let root = loaded.root.clone();
    let CompiledPlan { plan, problems, target_errors, unsound } = compile(loaded, &choices);
    let Some(plan) = plan.filter(|_| target_errors.is_empty()) else {
        return Err(match problems.is_empty() {
            true => OpenFailure::Target(join(&target_errors)),
            false => OpenFailure::Problems(problems),
        });
    };
    if let Some(message) = refused_choice(&plan, &choices) {
        return Err(OpenFailure::Usage(message));
    }
    if let Some(message) = why_not_recorded(&plan, &choices.options, settings) {
        return Err(OpenFailure::Usage(message));
    }
    let mut session = Session::new(&plan, reports, formats);
    let problems = problems.into_iter().map(|problem| without_secrets(problem, &session.redactor)).collect();
    session.step_summary.clone_from(&settings.step_summary);
    session.build.clone_from(&settings.build);
    session.asked.clone_from(&choices.options);
    session.shared_ledger = budget::shared_ledger(settings, &session.reports);
    let mut plan = plan;
    let notes: Vec<String> = machine::lower_concurrency(&mut plan).into_iter().collect();
    let mut partial =
        PartialRun { opening: OpenedRun { plan, session, notes, again: None }, problems, unsound, files };
    partial.add_cassettes(&choices.options, &root);
    partial.add_snapshots(settings, &root);
    Ok(partial)
}

/// A problem that shows no value of a secret, wherever it is.
fn without_secrets(mut problem: Problem, redactor: &Redactor) -> Problem {
    let masked = |text: &str| redactor.text(text).into_owned();
    problem.message = masked(&problem.message);
    problem.help = problem.help.as_deref().map(masked);
    let others = problem.others.iter_mut().map(|(place, _)| place);
    for place in std::iter::once(&mut problem.place).chain(others) {
        place.excerpt = Arc::from(masked(&place.excerpt));
    }
    problem
}

pub(super) fn join(errors: &[TargetError]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\nerror: ")
}

/// What a plan is made by: the options that count here, and what this process adds to them.
pub(super) fn choices(settings: &Settings, flags: &RunOptions) -> Result<Choices, OpenFailure> {
    let options = with_environment(settings, flags)?;
    Ok(Choices {
        shard: shard::share(settings, &options)?,
        seed: options.named_seed().unwrap_or_else(|| fastrand::u64(..1 << 32)),
        in_ci: settings.in_ci,
        judges: Judges::Asked,
        env: settings.env.clone(),
        env_limit: settings.env_limit.clone(),
        options,
    })
}

/// What is loaded.
pub(super) fn load_options(settings: &Settings, options: &RunOptions) -> LoadOptions {
    LoadOptions {
        working_dir: settings.working_dir.clone(),
        paths: options.paths.clone(),
        outside: if options.outside { OutsidePaths::Allowed } else { OutsidePaths::Refused },
        in_ci: settings.in_ci,
        only: options.only.clone(),
        formats: format_words(),
    }
}

/// The folder of the reports: command line, environment, project file, `reports`.
pub(super) fn reports_of(
    loaded: &LoadedSuites,
    settings: &Settings,
    options: &RunOptions,
) -> Result<PathBuf, OpenFailure> {
    let dir = loaded.project.as_ref().and_then(|project| project.reports_dir.as_deref());
    let written = WrittenReports { root: &loaded.root, dir };
    reports_folder(settings, options.reports.as_deref(), written).map_err(OpenFailure::Usage)
}

/// The documents that are written: those the project names and the differences, else the usual ones.
pub(super) fn formats(project: Option<&ProjectSpec>) -> Vec<ReportFormat> {
    let words = project.and_then(|project| project.formats.as_ref());
    let words: Option<Vec<&str>> = words.map(|words| words.iter().map(|word| word.value).collect());
    chosen_formats(words.as_deref())
}
