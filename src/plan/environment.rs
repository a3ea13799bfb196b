//! Which variables of the environment the project file and the suites may read.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::plan::choices::Choices;
use crate::suite::project::ProjectSpec;
use crate::yaml::environment::SuiteEnv;

/// What the project file may read: everything that is set, and below it what `env_file` holds, within `--env-names`.
pub(super) fn of_project(project: Option<&ProjectSpec>, choices: &Choices) -> Arc<BTreeMap<String, String>> {
    let of_file = project.map(|project| &project.env_of_file).filter(|variables| !variables.is_empty());
    if of_file.is_none() && choices.env_limit.is_none() {
        return choices.env.clone();
    }
    let is_within = |name: &String| choices.env_limit.as_ref().is_none_or(|limit| limit.contains(name));
    let all = of_file.into_iter().flatten().chain(choices.env.iter());
    let readable = all.filter(|(name, _)| is_within(name));
    Arc::new(readable.map(|(name, value)| (name.clone(), value.clone())).collect())
}

/// What suites may read of it.
pub(super) fn of_suites(project: Option<&ProjectSpec>, choices: &Choices) -> SuiteEnv {
    let listed = project.map(|project| project.env.iter().map(|name| name.value.clone()).collect());
    SuiteEnv::new(of_project(project, choices), listed, choices.env_limit.clone())
}
