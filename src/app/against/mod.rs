//! `check --against`: loads everything, asks the target's apps for their inputs, and holds each test against them; runs nothing.

mod findings;
mod forms;
mod judge_apps;
mod last_run;
mod sent;
mod written;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use crate::app::against::findings::Findings;
use crate::app::against::forms::{InputForms, named};
use crate::app::against::judge_apps::{JudgeApp, judge_apps, judge_findings};
use crate::app::against::last_run::LastRun;
use crate::app::against::written::{WrittenSuite, written};
use crate::app::live_app::compare::uncompared;
use crate::app::live_app::mismatch::UncomparedInput;
use crate::app::opened::OpenFailure;
use crate::app::prepare;
use crate::app::probe;
use crate::app::settings::Settings;
use crate::base::redact::Redactor;
use crate::dify::wire::parameters::decode_form;
use crate::plan::case::{Plan, TargetKind};
use crate::plan::choices::Judges;
use crate::plan::compile::compile;
use crate::plan::compiled::CompiledPlan;
use crate::record::event::RunOptions;
use crate::suite::load::load;
use crate::yaml::problem::Problem;

/// What was compared, and what does not fit.
#[derive(Debug)]
pub struct LiveComparison {
    /// Suite files.
    pub suites: usize,
    /// Tests that were compared with the app, data rows counted one by one.
    pub tests: usize,
    /// What does not fit, each at its place.
    pub findings: Vec<Problem>,
    /// What could not be compared, and with what nodes' names were.
    pub notes: Vec<String>,
}

/// Everything that is known without asking.
pub struct OfflineComparison {
    plan: Plan,
    suites: Vec<WrittenSuite>,
    judges: Vec<JudgeApp>,
    files: usize,
    reports: PathBuf,
    redactor: Redactor,
}

/// Loads and compiles the suites for a target; any problem is a failure.
pub fn prepare(settings: &Settings, flags: &RunOptions) -> Result<OfflineComparison, OpenFailure> {
    let mut choices = prepare::choices(settings, flags)?;
    choices.options.record = None;
    choices.judges = Judges::NotAsked;
    let loaded = load(&prepare::load_options(settings, &choices.options));
    let (files, reports) = (loaded.files.len(), prepare::reports_of(&loaded, settings, &choices.options)?);
    let suites = loaded.suites.iter().map(written).collect();
    let judges = judge_apps(loaded.project.as_ref());
    let CompiledPlan { plan, problems, target_errors, .. } = compile(loaded, &choices);
    if !problems.is_empty() {
        return Err(OpenFailure::Problems(problems));
    }
    let Some(plan) = plan.filter(|_| target_errors.is_empty()) else {
        return Err(OpenFailure::Target(prepare::join(&target_errors)));
    };
    if plan.cases.iter().all(|case| case.skip.is_some()) {
        let what = if plan.cases.is_empty() { "there are no tests" } else { "every test is skipped" };
        return Err(OpenFailure::Usage(format!("{what}: nothing can be compared")));
    }
    let redactor = Redactor::new(plan.secrets.iter().cloned());
    Ok(OfflineComparison { plan, suites, judges, files, reports, redactor })
}

impl OfflineComparison {
    /// Asks each app that has tests for its inputs, and compares.
    pub async fn compare(self) -> Result<LiveComparison, OpenFailure> {
        let mut notes = Vec::new();
        let forms = match self.forms(&mut notes).await {
            Ok(forms) => forms,
            Err(message) => return Err(OpenFailure::Target(self.redactor.text(&message).into_owned())),
        };
        if forms.values().all(Option::is_none) {
            let mend = "declare them in flowproof.yaml under `mock`, `apps`, `parameters` (docs/format.md), or name a live target";
            return Err(OpenFailure::Usage(format!("the mock declares no inputs to compare with: {mend}")));
        }
        let mut findings = Findings::new(&self.plan, &self.suites);
        findings.add_inputs(&forms);
        notes.append(&mut findings.notes);
        self.add_nodes(&mut findings, &mut notes);
        let tests = findings.tests;
        let mut findings = findings.into_problems();
        findings.extend(judge_findings(&self.judges, &forms));
        for problem in &mut findings {
            problem.message = self.redactor.text(&problem.message).into_owned();
            problem.place.excerpt = Arc::from(&*self.redactor.excerpt(&problem.place.excerpt));
            problem.help = problem.help.as_ref().map(|help| self.redactor.text(help).into_owned());
        }
        let notes = notes.iter().map(|note| self.redactor.text(note).into_owned()).collect();
        Ok(LiveComparison { suites: self.files, tests, findings, notes })
    }

    /// The apps that have a test to compare, and those of judges that the target has.
    fn apps(&self) -> BTreeSet<Arc<str>> {
        let has = |app: &str| match &self.plan.target.kind {
            TargetKind::Mock(options) | TargetKind::Replay { options, .. } => options.apps.contains_key(app),
            TargetKind::Live { apps, .. } => apps.contains_key(app),
        };
        let cases = self.plan.cases.iter().filter(|case| case.skip.is_none());
        let judges = self.judges.iter().map(|judge| judge.app.clone()).filter(|app| has(app));
        cases.map(|case| case.test.app.clone()).chain(judges).collect()
    }

    async fn forms(&self, notes: &mut Vec<String>) -> Result<InputForms, String> {
        let mut forms = InputForms::new();
        match &self.plan.target.kind {
            TargetKind::Mock(options) | TargetKind::Replay { options, .. } => {
                for app in self.apps() {
                    let form = options.apps.get(&*app).map(|form| {
                        let entries = form.declared.as_array().and_then(|entries| decode_form(entries));
                        entries.ok_or_else(|| format!("the inputs of the mock's app `{app}` cannot be read"))
                    });
                    if form.is_none() {
                        notes.push(format!(
                            "the mock declares no inputs of {}: its tests were not compared",
                            named(&app)
                        ));
                    }
                    forms.insert(app, form.transpose()?);
                }
            }
            TargetKind::Live { endpoint, apps } => {
                for app in self.apps() {
                    let Some(known) = apps.get(&*app) else {
                        return Err(format!("there is no key of {}", named(&app)));
                    };
                    if known.workflow_id.is_some() {
                        notes.push(format!(
                            "{} is pinned to a version, but Dify describes the inputs of the version published last: those were compared",
                            named(&app)
                        ));
                    }
                    let said = probe::app(endpoint, &known.api_key).await;
                    let said = said.map_err(|reason| format!("{}: {reason}", named(&app)))?;
                    forms.insert(app, Some(said.form));
                }
            }
        }
        for (app, form) in &forms {
            for UncomparedInput { input, kind } in uncompared(form.as_deref().unwrap_or_default()) {
                notes.push(format!(
                    "the input `{input}` of {} is of the kind `{kind}`, which flowproof does not know: its values were not compared",
                    named(app)
                ));
            }
        }
        Ok(forms)
    }

    fn add_nodes(&self, findings: &mut Findings<'_>, notes: &mut Vec<String>) {
        let target = &self.plan.target.name;
        if !findings.names_nodes() {
            return;
        }
        let apps = self
            .plan
            .cases
            .iter()
            .map(|case| (case.test.suite.name.as_ref(), case.test.app.clone()))
            .collect();
        match LastRun::find(&self.reports, target, &apps) {
            Some(last) => {
                findings.add_nodes(&last);
                notes.push(format!("names of nodes were compared with those that ran in {}", last.run));
            }
            None => notes.push(format!(
                "names of nodes were not compared: no run on `{target}` is recorded in {}",
                self.reports.display()
            )),
        }
        notes.append(&mut findings.notes);
    }
}
