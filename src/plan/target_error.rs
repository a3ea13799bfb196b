//! Why a run cannot use its target.

use crate::base::spelling::nearest;

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

pub(super) fn help_with(word: &str, names: Vec<&str>) -> String {
    match nearest(word, names.iter().copied()) {
        Some(near) => format!("; did you mean `{near}`?"),
        None => format!("; there are: {}", names.join(", ")),
    }
}
