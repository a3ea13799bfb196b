//! Which profile and target a run uses, and what of them cannot be used.

use std::collections::BTreeMap;
use std::sync::Arc;

use secrecy::SecretString;

use crate::assert::check::UsageAudit;
use crate::base::template::{TemplateScope, Templates};
use crate::base::units::RequestRate;
use crate::dify::cassette::Mode;
use crate::plan::case::{App, ContractRule, Jitter, Resend, Retries, Target, TargetKind};
use crate::plan::choices::Choices;
use crate::plan::endpoint::{bare_endpoint, endpoint_of, read_base_url, read_key, read_version};
use crate::plan::environment::of_project;
use crate::suite::project::{ProfileSpec, ProjectSpec};
use crate::suite::read_target::TargetSpec;
use crate::suite::spec::{RetriesSpec, UsageSpec};
use crate::yaml::names::KnownNames;
use crate::yaml::node::Node;
use crate::yaml::problem::{Problem, nearest};
use crate::yaml::reader::Reader;

/// Attempts at once where nothing else is said.
const CONCURRENCY: usize = 8;
/// Most bytes of one answer where the target does not say.
pub const MAX_BODY: u64 = 64_000_000;

/// Why a run cannot use its target: exit code 3.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// The profile is in no file.
    #[error("there is no profile `{name}`{help}")]
    NoProfile { name: String, help: String },
    /// The target is in no file.
    #[error("there is no target `{name}`{help}")]
    NoTarget { name: String, help: String },
    /// A suite's app has no entry in the target.
    #[error("the suite `{suite}` tests the app `{app}`, which the target `{target}` does not have{help}")]
    NoApp { suite: String, app: String, target: String, help: String },
    /// A suite names no app and the target has several.
    #[error("the suite `{suite}` must name its `app`: the target `{target}` has {apps}")]
    WhichApp { suite: String, target: String, apps: String },
    /// A judge's app has no entry in the target.
    #[error("the judge `{judge}` is the app `{app}`, which the target `{target}` does not have{help}")]
    NoJudgeApp { judge: String, app: String, target: String, help: String },
    /// An API key or address needs something that is not set.
    #[error("{what} is not set: {reason}")]
    NotSet { what: String, reason: String },
    /// An API key cannot be sent.
    #[error("the API key of {what} cannot be used: {reason}")]
    BadKey { what: String, reason: String },
}

/// The profile and target of a run, before apps are looked up.
pub struct Chosen<'p> {
    /// The profile's name.
    pub profile: Arc<str>,
    /// The profile, where the project has it.
    pub profile_spec: Option<&'p ProfileSpec>,
    /// The target; none: the built-in mock.
    pub target: Option<&'p TargetSpec>,
    /// Whether a missing key skips tests or is an error.
    pub missing_key: MissingKey,
}

/// What a key that is not set means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MissingKey {
    /// Nobody asked for the target by name: its tests are skipped.
    Skips,
    /// The target was asked for, or `CI` is set.
    IsAnError,
}

/// Finds the profile and the target.
pub fn choose<'p>(project: Option<&'p ProjectSpec>, choices: &Choices) -> Result<Chosen<'p>, TargetError> {
    let profiles = project.map_or(&[][..], |project| &project.profiles);
    let targets = project.map_or(&[][..], |project| &project.targets);
    let wanted = choices.profile.as_deref().unwrap_or("default");
    let profile = profiles.iter().find(|profile| profile.name.value == wanted);
    if profile.is_none() && wanted != "default" {
        let help = help_with(
            wanted,
            profiles.iter().map(|profile| profile.name.value.as_str()).chain(["default"]).collect(),
        );
        return Err(TargetError::NoProfile { name: wanted.to_owned(), help });
    }
    let from_profile =
        profile.and_then(|profile| profile.target.as_ref()).map(|target| target.value.as_str());
    let name = choices.target.as_deref().or(from_profile).unwrap_or("mock");
    let target = targets.iter().find(|target| target.name.value == name);
    if target.is_none() && name != "mock" {
        let help = help_with(
            name,
            targets.iter().map(|target| target.name.value.as_str()).chain(["mock"]).collect(),
        );
        return Err(TargetError::NoTarget { name: name.to_owned(), help });
    }
    let is_named = choices.target.is_some() || choices.profile.is_some();
    let missing_key = if is_named || choices.in_ci { MissingKey::IsAnError } else { MissingKey::Skips };
    Ok(Chosen { profile: Arc::from(wanted), profile_spec: profile, target, missing_key })
}

pub(super) fn help_with(word: &str, names: Vec<&str>) -> String {
    match nearest(word, names.iter().copied()) {
        Some(near) => format!("; did you mean `{near}`?"),
        None => format!("; there are: {}", names.join(", ")),
    }
}

/// A target made ready, and why some of its apps are not.
pub struct PreparedTarget {
    /// The target, with the apps whose keys are set.
    pub target: Target,
    /// Apps that cannot be used, by name, each with its error.
    pub unusable: BTreeMap<String, TargetError>,
    /// Whether Dify's total is audited, where a suite says nothing.
    pub usage: UsageAudit,
}

/// What preparing a target needs besides its spec.
pub struct Setting<'a> {
    /// The project file it stands in.
    pub project: &'a ProjectSpec,
    /// The arena for its templates.
    pub templates: &'a mut Templates,
    /// The choices of the command line.
    pub choices: &'a Choices,
    /// Takes what is wrong in the file.
    pub problems: &'a mut Vec<Problem>,
}

/// Renders a live target's address, headers and keys; only here is `env` of a target read.
pub fn prepare_live(chosen: &Chosen<'_>, spec: &TargetSpec, setting: &mut Setting<'_>) -> PreparedTarget {
    let scope = TemplateScope::new().with_env(of_project(Some(setting.project), setting.choices));
    let mut unusable = BTreeMap::new();
    let base_url = read_base_url(spec, setting, &scope);
    let mut apps = BTreeMap::new();
    for app in &spec.apps {
        let key = match &base_url {
            Ok(_) => read_key(spec, app, setting, &scope),
            Err(error) => Err(error.clone()),
        };
        match key {
            Ok(api_key) => {
                let workflow_id = read_version(app, setting, &scope);
                drop(apps.insert(
                    app.name.value.clone(),
                    App { api_key: SecretString::from(api_key), workflow_id },
                ))
            }
            Err(error) => drop(unusable.insert(app.name.value.clone(), error)),
        }
    }
    let endpoint = endpoint_of(spec, base_url.unwrap_or_default(), setting, &scope);
    let mut target = common(chosen, spec.retries, setting.choices);
    target.name = Arc::from(spec.name.value.as_str());
    target.concurrency = pick(setting.choices.concurrency, chosen, spec.concurrency);
    target.rate = rate(setting.choices.rate, chosen, spec.rate);
    target.contract = if spec.strict { ContractRule::Strict } else { ContractRule::Watch };
    target.kind = TargetKind::Live { endpoint: Box::new(endpoint), apps };
    PreparedTarget { target, unusable, usage: usage_of(spec.usage) }
}

/// A live target of which nothing but recorded exchanges is used: neither its address nor its keys are read.
pub fn prepare_replay(chosen: &Chosen<'_>, spec: &TargetSpec, setting: &mut Setting<'_>) -> PreparedTarget {
    let mut target = common(chosen, spec.retries, setting.choices);
    target.name = Arc::from(spec.name.value.as_str());
    target.concurrency = pick(setting.choices.concurrency, chosen, spec.concurrency);
    let scope = TemplateScope::new().with_env(of_project(Some(setting.project), setting.choices));
    let mut pins = BTreeMap::new();
    for app in &spec.apps {
        pins.insert(app.name.value.clone(), read_version(app, setting, &scope));
    }
    target.kind = TargetKind::Replay { options: Default::default(), apps: pins };
    PreparedTarget { target, unusable: BTreeMap::new(), usage: usage_of(spec.usage) }
}

/// The built-in mock as a target.
pub fn prepare_mock(
    chosen: &Chosen<'_>,
    options: crate::dify::mock::server::MockOptions,
    choices: &Choices,
) -> PreparedTarget {
    let mut target = common(chosen, RetriesSpec::default(), choices);
    target.concurrency = pick(choices.concurrency, chosen, None);
    target.rate = rate(choices.rate, chosen, None);
    target.kind = match choices.record {
        Some(Mode::None) => TargetKind::Replay { options, apps: BTreeMap::new() },
        Some(Mode::Once | Mode::NewEpisodes | Mode::All) | None => TargetKind::Mock(options),
    };
    PreparedTarget { target, unusable: BTreeMap::new(), usage: UsageAudit::Audit }
}

fn common(chosen: &Chosen<'_>, target: RetriesSpec, choices: &Choices) -> Target {
    let profile = chosen.profile_spec.map(|profile| profile.retries).unwrap_or_default();
    let command_line = RetriesSpec { count: choices.retries, ..RetriesSpec::default() };
    Target {
        name: Arc::from("mock"),
        profile: chosen.profile.clone(),
        kind: TargetKind::Live { endpoint: Box::new(bare_endpoint()), apps: BTreeMap::new() },
        concurrency: CONCURRENCY,
        rate: None,
        retries: retries_of(command_line.over(profile).over(target)),
        contract: ContractRule::Watch,
    }
}

/// Retries with the built-in defaults for keys nobody gave.
pub fn retries_of(spec: RetriesSpec) -> Retries {
    Retries {
        count: spec.count.unwrap_or(3),
        delay: spec.delay.unwrap_or(std::time::Duration::from_secs(1)),
        max_delay: spec.max_delay.unwrap_or(std::time::Duration::from_secs(30)),
        jitter: if spec.jitter.unwrap_or(true) { Jitter::On } else { Jitter::Off },
        resend: if spec.resend.unwrap_or(false) { Resend::Allowed } else { Resend::Never },
    }
}

/// `usage` as the checks know it.
pub fn usage_of(spec: Option<UsageSpec>) -> UsageAudit {
    match spec {
        Some(UsageSpec::Trust) => UsageAudit::Trust,
        Some(UsageSpec::Audit) | None => UsageAudit::Audit,
    }
}

fn pick(choice: Option<usize>, chosen: &Chosen<'_>, target: Option<u32>) -> usize {
    let profile = chosen.profile_spec.and_then(|profile| profile.concurrency);
    choice.or(profile.or(target).map(|number| number as usize)).unwrap_or(CONCURRENCY).max(1)
}

fn rate(
    choice: Option<RequestRate>,
    chosen: &Chosen<'_>,
    target: Option<RequestRate>,
) -> Option<RequestRate> {
    choice.or(chosen.profile_spec.and_then(|profile| profile.rate)).or(target)
}

/// The names that a project file's templates may use: only `env.*`.
pub fn env_only() -> KnownNames {
    KnownNames::default()
}

/// Compiles and checks a node's text; none where it has problems.
pub fn compile_node(node: &Node, setting: &mut Setting<'_>) -> Option<crate::base::template::Template> {
    let before = setting.problems.len();
    let mut reader = Reader { source: setting.project.source.clone(), problems: setting.problems };
    let template = reader.template(node, setting.templates, &env_only());
    for name in setting.templates.names(&template) {
        let root = name.split('.').next().unwrap_or_default();
        if matches!(root, "test" | "run" | "repeat") {
            reader.problem(node.mark, format!("`{name}` is not known in the project file, only `env.*`"));
        }
    }
    (reader.problems.len() == before).then_some(template)
}
