//! A live target by itself, without any suite: what the commands that only ask questions need.

use std::sync::Arc;

use secrecy::SecretString;

use crate::base::template::Templates;
use crate::dify::client::Endpoint;
use crate::plan::case::TargetKind;
use crate::plan::choices::Choices;
use crate::plan::project_text::{ProjectTools, Setting};
use crate::plan::secrets::{ProblemMask, read_secrets};
use crate::plan::target::prepare_live;
use crate::plan::target_choice::choose;
use crate::plan::target_error::TargetError;
use crate::suite::project::ProjectSpec;
use crate::yaml::problem::Problem;

/// A live target and its apps.
pub struct LiveTarget {
    /// Its name.
    pub name: Arc<str>,
    /// Address and transport settings.
    pub endpoint: Endpoint,
    /// Its apps by name (empty: the only one), each with its key or why it has none.
    pub apps: Vec<(String, Result<SecretString, String>)>,
    /// Values to be masked.
    pub secrets: Vec<String>,
}

/// Why a live target cannot be asked.
pub enum NoLiveTarget {
    /// There is none, or it cannot be used.
    Unusable(String),
    /// The project file has problems.
    Problems(Vec<Problem>),
}

/// Prepares the chosen target, else the only one there is.
pub fn live_target(project: Option<&ProjectSpec>, choices: &Choices) -> Result<LiveTarget, NoLiveTarget> {
    let refuse = |error: TargetError| NoLiveTarget::Unusable(error.to_string());
    let Some(project) = project else {
        let mend = "docs/format.md shows how to write one";
        return Err(NoLiveTarget::Unusable(format!(
            "there is no flowproof.yaml that names a target; {mend}"
        )));
    };
    let mut choices = choices.clone();
    let mut chosen = choose(Some(project), &choices).map_err(refuse)?;
    if let (None, None, [only]) = (&choices.options.target, chosen.target, project.targets.as_slice()) {
        choices.options.target = Some(only.name.value.clone());
        chosen = choose(Some(project), &choices).map_err(refuse)?;
    }
    let Some(spec) = chosen.target else {
        let names: Vec<&str> = project.targets.iter().map(|target| target.name.value.as_str()).collect();
        let known = if names.is_empty() { "the project names none".to_owned() } else { names.join(", ") };
        let message = format!("the built-in mock needs no such look; name a live target ({known})");
        return Err(NoLiveTarget::Unusable(message));
    };
    let (mut templates, mut problems) = (Templates::new(), Vec::new());
    let mut setting =
        Setting { project, templates: &mut templates, choices: &choices, problems: &mut problems };
    let prepared = prepare_live(&chosen, spec, &mut setting);
    let secrets = read_secrets(
        Some(project),
        ProjectTools { templates: &mut templates, choices: &choices, problems: &mut problems },
    );
    if !problems.is_empty() {
        ProblemMask::of(Some(project), &choices).mask(&mut problems);
        return Err(NoLiveTarget::Problems(problems));
    }
    let TargetKind::Live { endpoint, apps: ready } = prepared.target.kind else {
        return Err(NoLiveTarget::Unusable("the target is no live one".to_owned()));
    };
    let unusable = prepared.unusable;
    if let Some(error) = unusable.values().next().filter(|_| endpoint.base_url.is_empty()) {
        return Err(refuse(error.clone()));
    }
    let mut apps: Vec<_> = ready.into_iter().map(|(name, app)| (name, Ok(app.api_key))).collect();
    apps.extend(unusable.into_iter().map(|(name, error)| (name, Err(error.to_string()))));
    Ok(LiveTarget { name: prepared.target.name, endpoint: *endpoint, apps, secrets })
}
