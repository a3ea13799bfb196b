//! From what the user asked for to a plan: settings and command line become choices, files become suites.

use std::path::PathBuf;
use std::sync::Arc;

use crate::app::asked::asked;
use crate::app::budget;
use crate::app::cassettes::{self, Use};
use crate::app::machine;
use crate::app::reports::{WrittenReports, reports_folder};
use crate::app::request::LoadedCounts;
use crate::app::resume::open_again;
use crate::app::runs::ReportsFolder;
use crate::app::settings::Settings;
use crate::app::shard;
use crate::app::{OpenFailure, OpenedRun, PartialRun, RunOptions, Session};
use crate::base::redact::Redactor;
use crate::base::repeat::parse_times;
use crate::base::units::{parse_limit, parse_rate};
use crate::base::workflow_id::parse_workflow_id;
use crate::dify::cassette::Mode;
use crate::plan::choices::{Choices, FilterMatching, Judges, TestSelection};
use crate::plan::compile::compile;
use crate::plan::compiled::CompiledPlan;
use crate::plan::list::{self, ListedTest};
use crate::plan::repeats::refused_choice;
use crate::plan::target_error::TargetError;
use crate::report::ReportFormat;
use crate::suite::load::{LoadOptions, LoadedSuites, OutsidePaths, load};
use crate::suite::project::{self, ProjectSpec};
use crate::yaml::problem::Problem;

/// Loads and plans a run; any problem in any file is a failure.
pub fn open(settings: &Settings, request: &RunOptions) -> Result<OpenedRun, OpenFailure> {
    if let Some(again) = &request.again {
        return open_again(settings, request, again);
    }
    let partial = open_partly(settings, request)?;
    if partial.problems.is_empty() {
        Ok(partial.opening)
    } else {
        Err(OpenFailure::Problems(partial.problems))
    }
}

/// Loads and plans what has no problems, and tells the problems of the rest.
pub fn open_partly(settings: &Settings, request: &RunOptions) -> Result<PartialRun, OpenFailure> {
    let mut choices = choices(settings, request)?;
    let loaded = load(&options(settings, request));
    let reports = reports_of(&loaded, settings, request)?;
    if let (Some(shard), Some(run)) = (&mut choices.selection.shard, &request.shard_by) {
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
    let used = Use { mode: choices.record, ..request.cassettes };
    if let Some(message) = cassettes::why_not_recorded(&plan, used, settings) {
        return Err(OpenFailure::Usage(message));
    }
    let mut session = Session::new(&plan, reports, formats);
    let problems = problems.into_iter().map(|problem| without_secrets(problem, &session.redactor)).collect();
    session.step_summary.clone_from(&settings.step_summary);
    session.build.clone_from(&settings.build);
    session.asked = asked(request, &options(settings, request).paths, &choices);
    session.shared_ledger = budget::shared_ledger(settings, &session.reports);
    let mut plan = plan;
    let notes: Vec<String> = machine::lower_concurrency(&mut plan).into_iter().collect();
    let mut partial =
        PartialRun { opening: OpenedRun { plan, session, notes, again: None }, problems, unsound, files };
    partial.add_cassettes(used, &root);
    partial.add_snapshots(settings, &root);
    Ok(partial)
}

/// A problem that shows no value of a secret, wherever it stands.
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

/// What the command line, else the environment, says of recording; where the command line names the mock, nothing is recorded.
fn record_mode(settings: &Settings, request: &RunOptions) -> Result<Option<Mode>, OpenFailure> {
    if request.cassettes.mode.is_some() || request.target.as_deref() == Some("mock") {
        return Ok(request.cassettes.mode);
    }
    from_env("FLOWPROOF_RECORD", &settings.record, |text| match text {
        "none" => Ok(Mode::None),
        "once" => Ok(Mode::Once),
        "new_episodes" => Ok(Mode::NewEpisodes),
        "all" => Ok(Mode::All),
        _ => Err(format!("`{text}` is none of none, once, new_episodes, all")),
    })
}

/// Loads and compiles everything on the mock, where no key is needed, and lists every problem.
pub fn check(settings: &Settings, request: &RunOptions) -> Result<LoadedCounts, OpenFailure> {
    let target = request.target.clone().or_else(|| Some("mock".to_owned()));
    let request = RunOptions { target, judges: Judges::NotAsked, ..request.clone() };
    let partial = open_partly(settings, &request)?;
    if partial.problems.is_empty() {
        Ok(LoadedCounts { suites: partial.files, tests: partial.opening.plan.cases.len() })
    } else {
        Err(OpenFailure::Problems(partial.problems))
    }
}

/// The selected tests, without compiling anything; a file that cannot be read as it should fails with all that `check` finds.
pub fn list(settings: &Settings, request: &RunOptions) -> Result<Vec<ListedTest>, OpenFailure> {
    let choices = choices(settings, request)?;
    let loaded = load(&options(settings, request));
    if let Some(short) = loaded.problems.iter().find(|problem| problem.is_of_machine()) {
        return Err(OpenFailure::Target(format!("{}: {}", short.place, short.message)));
    }
    if loaded.problems.is_empty() {
        return Ok(list::list(&loaded, &choices));
    }
    let all = RunOptions { paths: request.paths.clone(), outside: request.outside, ..RunOptions::default() };
    match check(settings, &all) {
        Ok(_) => Err(OpenFailure::Problems(loaded.problems)),
        Err(failure) => Err(failure),
    }
}

pub(super) fn join(errors: &[TargetError]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\nerror: ")
}

/// The command line's choices, and where it is silent the environment's.
pub(super) fn choices(settings: &Settings, request: &RunOptions) -> Result<Choices, OpenFailure> {
    let number = |name, value: &Option<String>| {
        from_env(name, value, |text| text.parse::<u32>().map_err(|_| whole(text)))
    };
    let mut selection = request.selection.clone();
    if let Some(only) = &request.only {
        selection =
            TestSelection { filters: vec![only.clone()], matching: FilterMatching::Exact, ..selection };
    }
    selection.shard = shard::share(settings, request)?;
    let repeat = match request.repeat {
        Some(repeat) => Some(repeat),
        None => from_env("FLOWPROOF_REPEAT", &settings.repeat, |text| {
            parse_times(text).map_err(|error| error.to_string())
        })?,
    };
    let concurrency = match request.concurrency {
        Some(concurrency) => Some(concurrency),
        None => number("FLOWPROOF_CONCURRENCY", &settings.concurrency)?,
    };
    let retries = match request.retries {
        Some(retries) => Some(retries),
        None => number("FLOWPROOF_RETRIES", &settings.retries)?,
    };
    let rate = match request.rate {
        Some(rate) => Some(rate),
        None => from_env("FLOWPROOF_RATE", &settings.rate, |text| {
            parse_rate(text).map_err(|error| error.to_string())
        })?,
    };
    let timeout = match request.timeout {
        Some(timeout) => Some(timeout),
        None => from_env("FLOWPROOF_TIMEOUT", &settings.timeout, |text| {
            parse_limit(text).map_err(|error| error.to_string())
        })?,
    };
    if concurrency == Some(0) {
        return Err(OpenFailure::Usage("FLOWPROOF_CONCURRENCY: must be at least 1".to_owned()));
    }
    Ok(Choices {
        target: request.target.clone().or_else(|| settings.target.clone()),
        profile: request.profile.clone().or_else(|| settings.profile.clone()),
        workflow_id: version(settings, request)?,
        concurrency: concurrency.map(|number| number as usize),
        rate,
        retries,
        timeout,
        repeat,
        budget: request.budget.clone(),
        selection,
        record: record_mode(settings, request)?,
        seed: request.seed.unwrap_or_else(|| fastrand::u64(..1 << 32)),
        in_ci: settings.in_ci,
        judges: request.judges,
        env: settings.env.clone(),
        env_limit: settings.env_limit.clone(),
    })
}

/// The version that is named; one that Dify cannot take is refused before anything is sent.
fn version(settings: &Settings, request: &RunOptions) -> Result<Option<String>, OpenFailure> {
    match &request.workflow_id {
        Some(id) => parse_workflow_id(id).map(Some).map_err(OpenFailure::Usage),
        None => from_env("FLOWPROOF_WORKFLOW_ID", &settings.workflow_id, parse_workflow_id),
    }
}

fn whole(text: &str) -> String {
    format!("`{text}` is not a whole number")
}

fn from_env<T>(
    name: &str,
    value: &Option<String>,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Result<Option<T>, OpenFailure> {
    let Some(text) = value else { return Ok(None) };
    parse(text).map(Some).map_err(|error| OpenFailure::Usage(format!("{name}: {error}")))
}

pub(super) fn options(settings: &Settings, request: &RunOptions) -> LoadOptions {
    let asked = if request.paths.is_empty() { &settings.suites } else { &request.paths };
    LoadOptions {
        working_dir: settings.working_dir.clone(),
        paths: asked.clone(),
        outside: request.outside.unwrap_or(OutsidePaths::Refused),
        in_ci: settings.in_ci,
        only: request.only.clone(),
    }
}

/// The folder of the reports: command line, environment, project file, `reports`.
pub(super) fn reports_of(
    loaded: &LoadedSuites,
    settings: &Settings,
    request: &RunOptions,
) -> Result<PathBuf, OpenFailure> {
    let dir = loaded.project.as_ref().and_then(|project| project.reports_dir.as_deref());
    let written = WrittenReports { root: &loaded.root, dir };
    reports_folder(settings, request.reports.as_deref(), written).map_err(OpenFailure::Usage)
}

/// The documents that are written: those the project names and the differences, else the usual ones.
pub(super) fn formats(project: Option<&ProjectSpec>) -> Vec<ReportFormat> {
    let Some(named) = project.and_then(|project| project.formats.as_ref()) else {
        return ReportFormat::USUAL.to_vec();
    };
    let mut formats: Vec<ReportFormat> = Vec::new();
    for format in named.iter().map(|format| document(format.value)) {
        if !formats.contains(&format) {
            formats.push(format);
        }
    }
    formats.push(ReportFormat::Diff);
    formats
}

fn document(format: project::WrittenFormat) -> ReportFormat {
    match format {
        project::WrittenFormat::Junit => ReportFormat::Junit,
        project::WrittenFormat::Json => ReportFormat::Json,
        project::WrittenFormat::Html => ReportFormat::Html,
        project::WrittenFormat::Markdown => ReportFormat::Markdown,
        project::WrittenFormat::Tap => ReportFormat::Tap,
        project::WrittenFormat::Csv => ReportFormat::Csv,
    }
}
