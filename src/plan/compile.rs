//! From suites as written to the plan as meant: the one crossing in which defaults, rows and compile errors arise.

use std::collections::HashSet;
use std::sync::Arc;

use crate::base::bindings::Bindings;
use crate::base::template::{Scope, Templates};
use crate::mock::script::{Rule, compile_rules};
use crate::mock::server::compile_options;
use crate::plan::case::{Case, Plan, SuiteHead, TargetKind};
use crate::plan::choices::{Choices, Order};
use crate::plan::compile_test::{SuiteContext, compile_test};
use crate::plan::endpoint::{SHORTEST_SECRET, render};
use crate::plan::expand::expand;
use crate::plan::select::arrange;
use crate::plan::target::{Chosen, MissingKey, Prepared, Setting, TargetError, choose, help_with, prepare_live, prepare_mock};
use crate::suite::load::Loaded;
use crate::suite::names::KnownNames;
use crate::suite::problem::Problem;
use crate::suite::project::ProjectSpec;
use crate::suite::reader::Reader;
use crate::suite::spec::SuiteSpec;

/// A plan, and everything that is wrong.
pub struct Compiled {
    /// What can run: the tests of all suites without problems. None where the target cannot be chosen.
    pub plan: Option<Plan>,
    /// Everything wrong in files, those of loading included; `run` sends nothing while one stands.
    pub problems: Vec<Problem>,
    /// Why the target cannot be used; `run` exits with 3.
    pub target_errors: Vec<TargetError>,
}

/// Compiles what was loaded, for the target that is chosen.
pub fn compile(loaded: Loaded, choices: &Choices) -> Compiled {
    let Loaded { project, suites, mut problems, .. } = loaded;
    let chosen = match choose(project.as_ref(), choices) {
        Ok(chosen) => chosen,
        Err(error) => return Compiled { plan: None, problems, target_errors: vec![error] },
    };
    let mut templates = Templates::new();
    let prepared = prepare(&chosen, project.as_ref(), (&mut templates, choices, &mut problems));
    let secrets = read_secrets(project.as_ref(), (&mut templates, choices, &mut problems));
    let mut building = Building { templates, problems, choices, chosen, prepared, cases: Vec::new(), rules: Vec::new(), errors: Vec::new() };
    for suite in suites {
        building.add_suite(suite);
    }
    building.finish(secrets)
}

type Tools<'a> = (&'a mut Templates, &'a Choices, &'a mut Vec<Problem>);

fn prepare(chosen: &Chosen<'_>, project: Option<&ProjectSpec>, (templates, choices, problems): Tools<'_>) -> Prepared {
    if let (Some(project), Some(target)) = (project, chosen.target) {
        let mut setting = Setting { project, templates, choices, problems };
        return prepare_live(chosen, target, &mut setting);
    }
    let options = match project.and_then(|project| Some((project, project.mock.as_ref()?))) {
        Some((project, node)) => {
            let mut reader = Reader { source: project.source.clone(), problems };
            compile_options(&mut reader, node)
        }
        None => Default::default(),
    };
    let mut reader = project.map(|project| Reader { source: project.source.clone(), problems });
    for (mark, key) in chosen.profile_spec.iter().flat_map(|profile| &profile.unsupported) {
        if let Some(reader) = &mut reader {
            reader.not_supported(*mark, key);
        }
    }
    prepare_mock(chosen, options, choices)
}

/// The values to mask: every API key that is set, of whatever target, and what `secrets` names.
fn read_secrets(project: Option<&ProjectSpec>, (templates, choices, problems): Tools<'_>) -> Vec<String> {
    let Some(project) = project else { return Vec::new() };
    let scope = Scope::new().with_env(choices.env.clone());
    let mut secrets = Vec::new();
    for name in &project.secrets {
        match choices.env.get(&name.value) {
            Some(value) if value.chars().count() >= SHORTEST_SECRET => secrets.push(value.clone()),
            Some(_) => {
                let mut reader = Reader { source: project.source.clone(), problems };
                let message = format!("the value of `{}` has fewer than 6 characters: masking it would corrupt facts", name.value);
                reader.problem_with_help(name.mark, message, "give it a longer value, or take it off the list");
            }
            None => {}
        }
    }
    let mut aside = Vec::new();
    let mut setting = Setting { project, templates, choices, problems: &mut aside };
    for app in project.targets.iter().flat_map(|target| &target.apps) {
        let key = app.api_key.as_ref().and_then(|node| render(node, &mut setting, &scope).ok().flatten());
        secrets.extend(key.map(|key| key.trim().to_owned()).filter(|key| key.chars().count() >= SHORTEST_SECRET));
    }
    problems.append(&mut aside);
    secrets.sort();
    secrets.dedup();
    secrets
}

struct Building<'a, 'p> {
    templates: Templates,
    problems: Vec<Problem>,
    choices: &'a Choices,
    chosen: Chosen<'p>,
    prepared: Prepared,
    cases: Vec<(Case, Only)>,
    rules: Vec<Rule>,
    errors: Vec<TargetError>,
}

/// Whether a test says `only: true`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Only {
    /// It does.
    Yes,
    /// It does not.
    No,
}

impl Building<'_, '_> {
    fn add_suite(&mut self, suite: SuiteSpec) {
        let before = self.problems.len();
        let file = suite.source.name.clone();
        let (app, skip) = self.app_of(&suite);
        let mut reader = Reader { source: suite.source.clone(), problems: &mut self.problems };
        let (bindings, known) = compile_vars(&mut reader, &suite, &mut self.templates, self.choices);
        let context = SuiteContext {
            head: Arc::new(SuiteHead { name: Arc::from(suite.name.value.as_str()), file: file.clone(), description: suite.description.clone() }),
            suite: &suite,
            app: app.clone(),
            bindings: bindings.clone(),
            vars: known.vars.clone(),
            choices: self.choices,
            profile: self.chosen.profile_spec,
            usage: self.prepared.usage,
            retries: self.prepared.target.retries.clone(),
        };
        let mut cases = Vec::new();
        for test in &suite.tests {
            let compiled = Arc::new(compile_test(&mut reader, test, &context, &mut self.templates));
            let only = if test.only.is_some() { Only::Yes } else { Only::No };
            let skip = test.skip.as_deref().map(Arc::from).or_else(|| skip.clone());
            cases.extend(expand(test, &compiled, skip).map(|case| (case, only)));
        }
        if let Some(node) = &suite.mock {
            let rules = compile_rules(&mut reader, node, &mut self.templates, &known);
            self.rules.extend(rules.into_iter().map(|rule| rule.of(app.clone(), bindings.clone())));
        }
        let is_sound = self.problems.len() == before && !self.problems.iter().any(|problem| problem.place.file == file);
        if is_sound {
            self.cases.append(&mut cases);
        }
    }

    /// The app of a suite, and why its tests are skipped, if they are.
    fn app_of(&mut self, suite: &SuiteSpec) -> (Arc<str>, Option<Arc<str>>) {
        let named = suite.app.as_ref().map(|app| app.value.clone());
        let TargetKind::Live { apps, .. } = &self.prepared.target.kind else {
            return (Arc::from(named.unwrap_or_default()), None);
        };
        let names: Vec<&str> = apps.keys().chain(self.prepared.unusable.keys()).map(String::as_str).collect();
        let name = match (named, names.as_slice()) {
            (Some(named), _) => named,
            (None, [only]) => (*only).to_owned(),
            (None, _) => {
                let target = self.prepared.target.name.to_string();
                self.errors.push(TargetError::WhichApp { suite: suite.name.value.clone(), target, apps: names.join(", ") });
                return (Arc::from(""), None);
            }
        };
        if let Some(error) = self.prepared.unusable.get(&name) {
            let skips = self.chosen.missing_key == MissingKey::Skips && matches!(error, TargetError::NotSet { .. });
            if skips {
                return (Arc::from(name), Some(Arc::from(error.to_string())));
            }
            if !self.errors.contains(error) {
                self.errors.push(error.clone());
            }
        } else if !apps.contains_key(&name) {
            let help = match names.as_slice() {
                [""] => "; it has one key for one app without a name: put the key under `apps`".to_owned(),
                _ => help_with(&name, names),
            };
            let target = self.prepared.target.name.to_string();
            self.errors.push(TargetError::NoApp { suite: suite.name.value.clone(), app: name.clone(), target, help });
        }
        (Arc::from(name), None)
    }

    fn finish(mut self, secrets: Vec<String>) -> Compiled {
        let all = self.cases.len();
        let has_only = self.cases.iter().any(|(_, only)| *only == Only::Yes);
        let selection = &self.choices.selection;
        let wanted = |(case, only): &(Case, Only)| {
            (!has_only || *only == Only::Yes) && selection.takes(&case.name, case.test.tags.iter().map(|tag| &**tag))
        };
        self.cases.retain(wanted);
        let mut cases: Vec<Case> = arrange(self.cases, self.choices).into_iter().map(|(case, _)| case).collect();
        for (ordinal, case) in cases.iter_mut().enumerate() {
            case.ordinal = u32::try_from(ordinal).unwrap_or(u32::MAX);
        }
        cases.shrink_to_fit();
        let plan = Plan {
            templates: Arc::new(self.templates),
            target: self.prepared.target,
            deselected: u32::try_from(all - cases.len()).unwrap_or(u32::MAX),
            cases,
            mock_rules: self.rules,
            shuffled: self.choices.selection.order == Order::Shuffled,
            seed: self.choices.seed,
            secrets,
        };
        let mut seen = HashSet::new();
        let mut problems = self.problems;
        problems.retain(|problem| seen.insert((problem.place.to_string(), problem.message.clone())));
        Compiled { plan: Some(plan), problems, target_errors: self.errors }
    }
}

/// Compiles `vars`: each may use those before it.
fn compile_vars(reader: &mut Reader<'_>, suite: &SuiteSpec, templates: &mut Templates, choices: &Choices) -> (Arc<Bindings>, KnownNames) {
    let mut known = KnownNames::default();
    let mut vars = Vec::with_capacity(suite.vars.len());
    for entry in &suite.vars {
        vars.push((entry.key.clone(), reader.template(&entry.value, templates, &known)));
        known.vars.push(entry.key.clone());
    }
    (Arc::new(Bindings { vars, env: choices.env.clone() }), known)
}
