//! From suites as written to the plan as meant: the one crossing in which defaults, rows and compile errors arise.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::assert::judge::JudgeName;
use crate::assert::snapshot::SnapshotPlace;
use crate::base::template::Templates;
use crate::dify::cassette::Mode;
use crate::dify::mock::options::compile_options;
use crate::dify::mock::script::{Rule, ScriptScope, compile_rules};
use crate::plan::budget;
use crate::plan::case::{Case, Plan, TargetKind};
use crate::plan::case_compiler::{TestTools, compile_test};
use crate::plan::choices::Choices;
use crate::plan::compiled::CompiledPlan;
use crate::plan::contents::add_contents;
use crate::plan::endpoint::check_templates;
use crate::plan::environment::of_suites;
use crate::plan::expand::expand;
use crate::plan::judges::{self, PlannedJudges};
use crate::plan::print::{plan_print, suite_print};
use crate::plan::problems::{in_order, unread_files};
use crate::plan::project_text::ProjectTools;
use crate::plan::repeated_defaults::tests_within;
use crate::plan::secrets::{ProblemMask, read_secrets};
use crate::plan::select::{arrange, is_wanted};
use crate::plan::shared::SharedChecks;
use crate::plan::spots::spots_of;
use crate::plan::suite_context::{SuiteApp, SuiteContext, head_of};
use crate::plan::suite_vars::{CompiledVars, compile_vars};
use crate::plan::target::{PreparedTarget, prepare_live, prepare_mock, prepare_replay};
use crate::plan::target_choice::{Chosen, MissingKey, choose};
use crate::plan::target_error::{TargetError, help_with};
use crate::plan::thresholds::{compile_thresholds, note_shared_names};
use crate::record::event::SuiteThresholds;
use crate::suite::contents::Contents;
use crate::suite::data::ReadState;
use crate::suite::load::LoadedSuites;
use crate::suite::project::ProjectSpec;
use crate::suite::spec::SuiteSpec;
use crate::yaml::environment::SuiteEnv;
use crate::yaml::problem::Problem;
use crate::yaml::reader::Reader;

/// Compiles what was loaded, for the target that is chosen.
pub fn compile(loaded: LoadedSuites, choices: &Choices) -> CompiledPlan {
    let mask = ProblemMask::of(loaded.project.as_ref(), choices);
    let mut compiled = compile_all(loaded, choices);
    mask.mask(&mut compiled.problems);
    compiled
}

fn compile_all(loaded: LoadedSuites, choices: &Choices) -> CompiledPlan {
    let unsound = unread_files(&loaded);
    let LoadedSuites { project, project_read, suites, mut problems, .. } = loaded;
    let chosen = match choose(project.as_ref(), choices) {
        Ok(chosen) => chosen,
        Err(error) => {
            return CompiledPlan {
                plan: None,
                problems: in_order(problems),
                target_errors: vec![error],
                unsound,
            };
        }
    };
    let env = match project_read {
        ReadState::Read => Some(Arc::new(of_suites(project.as_ref(), choices))),
        ReadState::Unread => None,
    };
    let mut templates = Templates::new();
    let mut tools = ProjectTools { templates: &mut templates, choices, problems: &mut problems };
    check_templates(project.as_ref(), tools.again());
    let prepared = prepare(&chosen, project.as_ref(), tools.again());
    let bench = PlannedJudges::of(&chosen, project.as_ref(), &prepared, tools.again());
    let secrets = read_secrets(project.as_ref(), tools);
    let mut building = PlanBuilder {
        templates,
        problems,
        choices,
        chosen,
        prepared,
        unsound,
        cases: Vec::new(),
        spots: Vec::new(),
        rules: Vec::new(),
        thresholds: Vec::new(),
        errors: Vec::new(),
        judge_names: judges::names(project.as_ref()),
        bench,
        env,
    };
    note_shared_names(&suites, &mut building.problems);
    for suite in suites {
        building.add_suite(suite);
    }
    building.finish(secrets)
}

fn prepare(chosen: &Chosen<'_>, project: Option<&ProjectSpec>, tools: ProjectTools<'_>) -> PreparedTarget {
    let choices = tools.choices;
    if let (Some(project), Some(target)) = (project, chosen.target) {
        let mut setting = tools.of(project);
        return match choices.options.record {
            Some(Mode::None) => prepare_replay(chosen, target, &mut setting),
            Some(Mode::Once | Mode::NewEpisodes | Mode::All) | None => {
                prepare_live(chosen, target, &mut setting)
            }
        };
    }
    let options = match project.and_then(|project| Some((project, project.mock.as_ref()?))) {
        Some((project, node)) => {
            let mut reader = Reader { source: project.source.clone(), problems: tools.problems };
            compile_options(&mut reader, node)
        }
        None => Default::default(),
    };
    prepare_mock(chosen, options, choices)
}

struct PlanBuilder<'a, 'p> {
    templates: Templates,
    problems: Vec<Problem>,
    choices: &'a Choices,
    chosen: Chosen<'p>,
    prepared: PreparedTarget,
    cases: Vec<(Case, OnlyMark)>,
    spots: Vec<SnapshotPlace>,
    rules: Vec<Rule>,
    thresholds: Vec<SuiteThresholds>,
    errors: Vec<TargetError>,
    unsound: Vec<Arc<str>>,
    judge_names: Vec<JudgeName>,
    bench: PlannedJudges,
    /// What suites may read of the environment; `None` where the project file, which says so, could not be read.
    env: Option<Arc<SuiteEnv>>,
}

/// Whether a test says `only: true`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnlyMark {
    /// It does.
    Yes,
    /// It does not.
    No,
}

impl PlanBuilder<'_, '_> {
    fn add_suite(&mut self, suite: SuiteSpec) {
        let before = self.problems.len();
        let file = suite.source.name.clone();
        let SuiteApp { name: app, skip } = self.app_of(&suite);
        let mut reader = Reader { source: suite.source.clone(), problems: &mut self.problems };
        let CompiledVars { bindings, known } =
            compile_vars(&mut reader, &suite, &mut self.templates, self.env.clone());
        let context = SuiteContext {
            head: Arc::new(head_of(&suite)),
            suite: &suite,
            app: app.clone(),
            bindings: bindings.clone(),
            known: known.clone(),
            choices: self.choices,
            profile: self.chosen.profile_spec,
            usage: self.prepared.usage,
            retries: self.prepared.target.retries.clone(),
            print: suite_print(&suite, &self.prepared.target),
            judges: &self.judge_names,
            judge_prints: self.bench.prints(),
        };
        let mut cases = Vec::new();
        let mut shared = SharedChecks::default();
        for test in tests_within(&mut reader, &suite) {
            let tools = TestTools { templates: &mut self.templates, shared: &mut shared };
            let compiled = Arc::new(compile_test(&mut reader, test, &context, tools));
            let only = if test.only.is_some() { OnlyMark::Yes } else { OnlyMark::No };
            let skip = test.skip.as_deref().map(Arc::from).or_else(|| skip.clone());
            let skip = skip.or_else(|| self.bench.without_key(&compiled.judges, &mut self.errors));
            cases.extend(expand(test, &compiled, skip).map(|case| (case, only)));
        }
        if let Some(node) = &suite.mock {
            let mut scope = ScriptScope { templates: &mut self.templates, known: &known };
            let rules = compile_rules(&mut reader, node, &mut scope);
            self.rules.extend(rules.into_iter().map(|rule| rule.of(app.clone(), bindings.clone())));
        }
        self.thresholds.extend(compile_thresholds(&mut reader, &suite, cases.len()));
        if self.problems.len() > before && !self.unsound.contains(&file) {
            self.unsound.push(file.clone());
        }
        if !self.unsound.contains(&file) {
            self.spots.extend(spots_of(cases.iter().map(|(case, _)| case)));
            self.cases.append(&mut cases);
        }
    }

    /// The app of a suite, and why its tests are skipped, if they are.
    fn app_of(&mut self, suite: &SuiteSpec) -> SuiteApp {
        let named = suite.app.as_ref().map(|app| app.value.clone());
        let known: Vec<&String> = match &self.prepared.target.kind {
            TargetKind::Live { apps, .. } => apps.keys().collect(),
            TargetKind::Replay { apps, .. } if !apps.is_empty() => apps.keys().collect(),
            TargetKind::Mock(_) | TargetKind::Replay { .. } => {
                return SuiteApp::of(named.unwrap_or_default());
            }
        };
        let all = known.iter().copied().chain(self.prepared.unusable.keys());
        let names: Vec<&str> = all.map(String::as_str).collect();
        let name = match (named, names.as_slice()) {
            (Some(named), _) => named,
            (None, [only]) => (*only).to_owned(),
            (None, _) => {
                let target = self.prepared.target.name.to_string();
                self.errors.push(TargetError::WhichApp {
                    suite: suite.name.value.clone(),
                    target,
                    apps: names.join(", "),
                });
                return SuiteApp::of("");
            }
        };
        if let Some(error) = self.prepared.unusable.get(&name) {
            let skips =
                self.chosen.missing_key == MissingKey::Skips && matches!(error, TargetError::NotSet { .. });
            if skips {
                return SuiteApp { skip: Some(Arc::from(error.to_string())), ..SuiteApp::of(name) };
            }
            if !self.errors.contains(error) {
                self.errors.push(error.clone());
            }
        } else if !known.contains(&&name) {
            let help = match names.as_slice() {
                [""] => "; it has one key for one app without a name: put the key under `apps`".to_owned(),
                _ => help_with(&name, names),
            };
            let target = self.prepared.target.name.to_string();
            self.errors.push(TargetError::NoApp {
                suite: suite.name.value.clone(),
                app: name.clone(),
                target,
                help,
            });
        }
        SuiteApp::of(name)
    }

    fn finish(mut self, secrets: Vec<String>) -> CompiledPlan {
        let all = self.cases.len();
        let has_only = self.cases.iter().any(|(_, only)| *only == OnlyMark::Yes);
        let options = &self.choices.options;
        let wanted = |(case, only): &(Case, OnlyMark)| {
            (!has_only || *only == OnlyMark::Yes)
                && is_wanted(options, &case.name, case.test.tags.iter().map(|tag| &**tag))
        };
        let left_out = self.cases.iter().filter(|case| !wanted(case)).map(|(case, _)| case.key).collect();
        self.cases.retain(wanted);
        let mut contents = Contents::default();
        for (case, _) in &mut self.cases {
            add_contents(case, &self.templates, &mut contents);
        }
        let print = plan_print(self.cases.iter().map(|(case, _)| case));
        (0..).zip(&mut self.cases).for_each(|(place, (case, _))| case.place_in_all = place);
        let mut cases: Vec<Case> =
            arrange(self.cases, self.choices).into_iter().map(|(case, _)| case).collect();
        let deselected = u32::try_from(all - cases.len()).unwrap_or(u32::MAX);
        let share = self.choices.shard.as_ref().map(|shard| shard.cut(&mut cases));
        (0..).zip(&mut cases).for_each(|(ordinal, case)| case.ordinal = ordinal);
        cases.shrink_to_fit();
        let plan = Plan {
            templates: Arc::new(self.templates),
            target: self.prepared.target,
            deselected,
            cases,
            left_out,
            held: BTreeMap::new(),
            share,
            mock_rules: self.rules,
            thresholds: self.thresholds,
            shuffled: options.shuffle.is_some(),
            goes_on: false,
            seed: self.choices.seed,
            print,
            budget: budget::of_run(self.chosen.profile_spec, options),
            secrets,
            spots: self.spots,
            snapshots: None,
            cassettes: None,
            judges: self.bench.of_run(),
        };
        CompiledPlan {
            plan: Some(plan),
            problems: in_order(self.problems),
            target_errors: self.errors,
            unsound: self.unsound,
        }
    }
}
