//! The target of a run made ready, and which of its apps cannot be used.

use std::collections::BTreeMap;
use std::sync::Arc;

use secrecy::SecretString;

use crate::assert::check::UsageAudit;
use crate::base::template::TemplateScope;
use crate::base::units::RequestRate;
use crate::dify::cassette::Mode;
use crate::plan::case::{App, ContractRule, Jitter, Resend, Retries, Target, TargetKind};
use crate::plan::choices::Choices;
use crate::plan::endpoint::{bare_endpoint, endpoint_of, read_base_url, read_key, read_version};
use crate::plan::environment::of_project;
use crate::plan::project_text::Setting;
use crate::plan::target_choice::Chosen;
use crate::plan::target_error::TargetError;
use crate::suite::read_target::TargetSpec;
use crate::suite::spec::{RetriesSpec, UsageSpec};

/// Attempts at once where nothing else is said.
const CONCURRENCY: usize = 8;

/// A target made ready, and why some of its apps are not.
pub struct PreparedTarget {
    /// The target, with the apps whose keys are set.
    pub target: Target,
    /// Apps that cannot be used, by name, each with its error.
    pub unusable: BTreeMap<String, TargetError>,
    /// Whether Dify's total is audited, where a suite says nothing.
    pub usage: UsageAudit,
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
    target.concurrency = pick(setting.choices.options.concurrency, chosen, spec.concurrency);
    target.rate = rate(setting.choices.options.rate, chosen, spec.rate);
    target.contract = if spec.strict { ContractRule::Strict } else { ContractRule::Watch };
    target.kind = TargetKind::Live { endpoint: Box::new(endpoint), apps };
    PreparedTarget { target, unusable, usage: usage_of(spec.usage) }
}

/// A live target of which nothing but recorded exchanges is used: neither its address nor its keys are read.
pub fn prepare_replay(chosen: &Chosen<'_>, spec: &TargetSpec, setting: &mut Setting<'_>) -> PreparedTarget {
    let mut target = common(chosen, spec.retries, setting.choices);
    target.name = Arc::from(spec.name.value.as_str());
    target.concurrency = pick(setting.choices.options.concurrency, chosen, spec.concurrency);
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
    target.concurrency = pick(choices.options.concurrency, chosen, None);
    target.rate = rate(choices.options.rate, chosen, None);
    target.kind = match choices.options.record {
        Some(Mode::None) => TargetKind::Replay { options, apps: BTreeMap::new() },
        Some(Mode::Once | Mode::NewEpisodes | Mode::All) | None => TargetKind::Mock(options),
    };
    PreparedTarget { target, unusable: BTreeMap::new(), usage: UsageAudit::Audit }
}

fn common(chosen: &Chosen<'_>, target: RetriesSpec, choices: &Choices) -> Target {
    let profile = chosen.profile_spec.map(|profile| profile.retries).unwrap_or_default();
    let command_line = RetriesSpec { count: choices.options.retries, ..RetriesSpec::default() };
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

fn pick(choice: Option<u32>, chosen: &Chosen<'_>, target: Option<u32>) -> usize {
    let profile = chosen.profile_spec.and_then(|profile| profile.concurrency);
    choice.or(profile).or(target).map_or(CONCURRENCY, |number| number as usize).max(1)
}

fn rate(
    choice: Option<RequestRate>,
    chosen: &Chosen<'_>,
    target: Option<RequestRate>,
) -> Option<RequestRate> {
    choice.or(chosen.profile_spec.and_then(|profile| profile.rate)).or(target)
}
