//! The judges as meant: addresses, keys and models rendered; no text of a key is ever in an error.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;

use crate::assert::judge::{JudgeKind, JudgeName};
use crate::base::digest::{Digest, Digester};
use crate::base::template::TemplateScope;
use crate::dify::cassette::Mode;
use crate::dify::client::{Endpoint, Timeouts};
use crate::plan::case::TargetKind;
use crate::plan::choices::{Choices, Judges};
use crate::plan::endpoint::{NamedNode, bare_endpoint, check_address, why_no_key};
use crate::plan::environment::of_project;
use crate::plan::judge::{JudgeWay, PlannedJudge};
use crate::plan::project_text::{ProjectTools, Setting, render};
use crate::plan::target::PreparedTarget;
use crate::plan::target_choice::{Chosen, MissingKey};
use crate::plan::target_error::{TargetError, help_with};
use crate::suite::project::ProjectSpec;
use crate::suite::read_judge::{JudgeKindSpec, JudgeSpec};
use crate::yaml::node::Node;

/// How long one vote may take where nothing is said.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Most bytes of a judge's answer: two embeddings are far shorter.
const MAX_ANSWER: u64 = 4_000_000;

/// The judges that suites may name.
pub fn names(project: Option<&ProjectSpec>) -> Vec<JudgeName> {
    let judges = project.map_or(&[][..], |project| &project.judges);
    let named = judges.iter().map(|judge| JudgeName {
        name: judge.name.value.clone(),
        kind: match judge.kind {
            Some(JudgeKindSpec::App(_)) => JudgeKind::App,
            Some(JudgeKindSpec::Endpoint { .. }) | None => JudgeKind::Endpoint,
        },
    });
    named.collect()
}

/// Renders every judge; an address that is none is a problem, a key that is not set concerns only the tests that need it.
fn prepare(
    prepared: &PreparedTarget,
    setting: &mut Setting<'_>,
) -> BTreeMap<String, Result<PlannedJudge, TargetError>> {
    let scope = TemplateScope::new().with_env(of_project(Some(setting.project), setting.choices));
    let project = setting.project;
    let mut judges = BTreeMap::new();
    for spec in &project.judges {
        let way = match &spec.kind {
            Some(JudgeKindSpec::Endpoint { url, api_key, model }) => {
                endpoint(spec, [Some(url), api_key.as_ref(), Some(model)], setting, &scope)
            }
            Some(JudgeKindSpec::App(app)) => app_way(spec, &app.value, prepared),
            None => continue,
        };
        let judge = way.map(|kind| PlannedJudge {
            kind,
            repeat: spec.repeat.unwrap_or(1),
            timeout: spec.timeout.unwrap_or(TIMEOUT),
        });
        judges.insert(spec.name.value.clone(), judge);
    }
    judges
}

/// The fingerprint of a judge: whom it asks and how often. Its key and the time it may take decide no vote.
fn judge_print(judge: &PlannedJudge) -> Digest {
    let PlannedJudge { kind, repeat, timeout: _ } = judge;
    let mut digester = Digester::default();
    digester.number((*repeat).into());
    match kind {
        JudgeWay::Endpoint { endpoint, model, api_key: _ } => {
            digester.text("endpoint").text(&endpoint.base_url).text(model);
        }
        JudgeWay::App(name) => {
            digester.text("app").text(name);
        }
    }
    digester.finish()
}

/// The judges of a run.
pub struct PlannedJudges {
    judges: BTreeMap<String, Result<PlannedJudge, TargetError>>,
    missing_key: MissingKey,
    silent: Option<&'static str>,
}

impl PlannedJudges {
    /// Prepares every judge of the project.
    pub fn of(
        chosen: &Chosen<'_>,
        project: Option<&ProjectSpec>,
        prepared: &PreparedTarget,
        tools: ProjectTools<'_>,
    ) -> Self {
        let choices = tools.choices;
        let judges = match project {
            Some(project) => prepare(prepared, &mut tools.of(project)),
            None => BTreeMap::new(),
        };
        Self { judges, missing_key: missing_key(chosen, prepared, choices), silent: why_silent(choices) }
    }

    /// The fingerprint of each judge that can be asked.
    pub fn prints(&self) -> BTreeMap<String, Digest> {
        let print = |(name, judge): (&String, &Result<PlannedJudge, TargetError>)| {
            Some((name.clone(), judge_print(judge.as_ref().ok()?)))
        };
        self.judges.iter().filter_map(print).collect()
    }

    /// Why a test cannot run that needs these judges: one has no key, which is an error where keys are meant to be set.
    pub fn without_key(&self, needed: &[Option<String>], errors: &mut Vec<TargetError>) -> Option<Arc<str>> {
        if self.silent.is_some() {
            return None;
        }
        let unusable = |name: &String| self.judges.get(name).and_then(|judge| judge.as_ref().err());
        let error = needed.iter().flatten().find_map(unusable)?;
        if self.missing_key == MissingKey::Skips && matches!(error, TargetError::NotSet { .. }) {
            return Some(Arc::from(error.to_string()));
        }
        if !errors.contains(error) {
            errors.push(error.clone());
        }
        None
    }

    /// The judges as the engine uses them, with the reason why one is not asked, if so.
    pub fn of_run(self) -> BTreeMap<String, Result<PlannedJudge, String>> {
        let used = |judge: Result<PlannedJudge, TargetError>| match self.silent {
            Some(why) => Err(why.to_owned()),
            None => judge.map_err(|error| error.to_string()),
        };
        self.judges.into_iter().map(|(name, judge)| (name, used(judge))).collect()
    }
}

/// What a key that is not set means: on the mock, nothing but `CI` makes it an error.
fn missing_key(chosen: &Chosen<'_>, prepared: &PreparedTarget, choices: &Choices) -> MissingKey {
    match &prepared.target.kind {
        TargetKind::Live { .. } => chosen.missing_key,
        TargetKind::Mock(_) | TargetKind::Replay { .. } if choices.in_ci => MissingKey::IsAnError,
        TargetKind::Mock(_) | TargetKind::Replay { .. } => MissingKey::Skips,
    }
}

/// Why no judge is asked, if so; none then needs a key.
fn why_silent(choices: &Choices) -> Option<&'static str> {
    match (choices.judges, choices.options.record) {
        (Judges::NotAsked, _) => Some("nothing is run"),
        (Judges::Asked, Some(Mode::None)) => Some("a replay sends nothing, and so asks no judge"),
        (Judges::Asked, Some(Mode::Once | Mode::NewEpisodes | Mode::All) | None) => None,
    }
}

fn app_way(spec: &JudgeSpec, app: &str, prepared: &PreparedTarget) -> Result<JudgeWay, TargetError> {
    let TargetKind::Live { apps, .. } = &prepared.target.kind else {
        return Ok(JudgeWay::App(Arc::from(app)));
    };
    if let Some(error) = prepared.unusable.get(app) {
        return Err(error.clone());
    }
    if apps.contains_key(app) {
        return Ok(JudgeWay::App(Arc::from(app)));
    }
    Err(TargetError::NoJudgeApp {
        judge: spec.name.value.clone(),
        app: app.to_owned(),
        target: prepared.target.name.to_string(),
        help: help_with(app, apps.keys().map(String::as_str).filter(|name| !name.is_empty()).collect()),
    })
}

fn endpoint(
    spec: &JudgeSpec,
    nodes: [Option<&Node>; 3],
    setting: &mut Setting<'_>,
    scope: &TemplateScope,
) -> Result<JudgeWay, TargetError> {
    let [url, api_key, model] =
        [("`url`", nodes[0]), ("`api_key`", nodes[1]), ("`model`", nodes[2])].map(|(key, node)| {
            let what = format!("{key} of the judge `{}`", spec.name.value);
            node.map(|node| text(NamedNode { node, what: &what }, setting, scope)).transpose()
        });
    let (url, model) = (url?.unwrap_or_default(), model?.unwrap_or_default());
    let base_url = url.trim().trim_end_matches('/').to_owned();
    if let Some(node) = nodes[0] {
        let what = format!("`url` of the judge `{}`", spec.name.value);
        check_address(
            NamedNode { node, what: &what },
            &base_url,
            "write e.g. `https://api.openai.com/v1`",
            setting,
        );
    }
    let api_key = match api_key? {
        None => None,
        Some(key) => match why_no_key(&key) {
            Some(reason) => {
                let what = format!("the judge `{}`", spec.name.value);
                return Err(TargetError::BadKey { what, reason: reason.to_owned() });
            }
            None => Some(SecretString::from(key)),
        },
    };
    let timeout = spec.timeout.unwrap_or(TIMEOUT);
    let timeouts = Timeouts { total: timeout, ..Timeouts::default() };
    let endpoint = Box::new(Endpoint { base_url, timeouts, max_body: MAX_ANSWER, ..bare_endpoint() });
    Ok(JudgeWay::Endpoint { endpoint, api_key, model })
}

/// A text that must be there once it is rendered.
fn text(
    named: NamedNode<'_>,
    setting: &mut Setting<'_>,
    scope: &TemplateScope,
) -> Result<String, TargetError> {
    let not_set = |reason: String| TargetError::NotSet { what: named.what.to_owned(), reason };
    match render(named.node, setting, scope) {
        Ok(Some(text)) if text.trim().is_empty() => Err(not_set("it is empty".to_owned())),
        Ok(Some(text)) => Ok(text),
        Ok(None) => Err(not_set("its template has a problem".to_owned())),
        Err(error) => Err(not_set(error.message)),
    }
}
