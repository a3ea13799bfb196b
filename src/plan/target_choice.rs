//! Which profile and target a run uses.

use std::sync::Arc;

use crate::plan::choices::Choices;
use crate::plan::target_error::{TargetError, help_with};
use crate::suite::project::{ProfileSpec, ProjectSpec};
use crate::suite::read_target::TargetSpec;

/// The profile and target of a run, before apps are looked up.
pub struct Chosen<'p> {
    /// The profile's name.
    pub profile: Arc<str>,
    /// The profile, where the project has it.
    pub profile_spec: Option<&'p ProfileSpec>,
    /// The target; `None`: the built-in mock.
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
    let wanted = choices.options.profile.as_deref().unwrap_or("default");
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
    let name = choices.options.target.as_deref().or(from_profile).unwrap_or("mock");
    let target = targets.iter().find(|target| target.name.value == name);
    if target.is_none() && name != "mock" {
        let help = help_with(
            name,
            targets.iter().map(|target| target.name.value.as_str()).chain(["mock"]).collect(),
        );
        return Err(TargetError::NoTarget { name: name.to_owned(), help });
    }
    let is_named = choices.options.target.is_some() || choices.options.profile.is_some();
    let missing_key = if is_named || choices.in_ci { MissingKey::IsAnError } else { MissingKey::Skips };
    Ok(Chosen { profile: Arc::from(wanted), profile_spec: profile, target, missing_key })
}
