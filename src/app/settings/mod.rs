//! What the environment says; nobody else reads it.

mod build;
mod letters;
mod shard;
pub(crate) mod variables;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::app::options::table::{OPTIONS, row};
use crate::app::settings::variables::{ENV_NAMES, LEDGER};
use crate::base::charset::Charset;
use crate::record::event::RunOptions;

pub use shard::ShardSettings;

/// The environment as flowproof uses it.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// The working directory.
    pub working_dir: PathBuf,
    /// Every variable that is text, for `env.*` in templates.
    pub env: Arc<BTreeMap<String, String>>,
    /// `FLOWPROOF_ENV_NAMES`, or the flag above it: the only names that files may read.
    pub env_limit: Option<Arc<[String]>>,
    /// `CI` is set and not false: nobody is watching.
    pub in_ci: bool,
    /// Runs in GitHub Actions.
    pub in_github: bool,
    /// `GITHUB_STEP_SUMMARY`: the file that GitHub shows as the summary of the job.
    pub step_summary: Option<PathBuf>,
    /// The options of a run, as far as variables fill them.
    pub options: RunOptions,
    /// The variables whose option cannot be read; each is an error where nothing above it gives the option.
    pub refused: Vec<RefusedVariable>,
    /// `FLOWPROOF_LEDGER`: the file of a budget that several processes share.
    pub ledger: Option<PathBuf>,
    /// The run of the build server that this process is part of, such as `GitHub Actions 4711`.
    pub build: Option<String>,
    /// Which letters the locale takes.
    pub letters: Charset,
    /// Which shard the build server says this machine is.
    pub shard: ShardSettings,
    /// The nextest run this process belongs to.
    pub nextest: Option<Nextest>,
}

/// A variable whose option cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedVariable {
    /// The name of the option's row.
    pub name: &'static str,
    /// The variable, and what is wrong with it.
    pub message: String,
}

/// What `cargo nextest` passes to the process of one test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nextest {
    /// `NEXTEST_RUN_ID`, the same in all processes of a run.
    pub run_id: String,
    /// `NEXTEST_ATTEMPT`, from 1.
    pub attempt: u32,
}

impl Settings {
    /// Reads the process environment; a variable that is no text is left out.
    #[expect(clippy::disallowed_methods, reason = "this is the one reader of the environment")]
    pub fn read() -> Self {
        let pairs = std::env::vars_os();
        let text =
            pairs.filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        let working_dir = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."));
        Self { working_dir, ..Self::from_env(text.collect()) }
    }

    /// True where the variable of this option is set, whatever it holds.
    pub fn names(&self, option: &str) -> bool {
        let is_read = row(option).is_some_and(|row| row.field.is_set(&mut self.options.clone()));
        is_read || self.refused.iter().any(|refused| refused.name == option)
    }

    /// Limits which names files may read, above what the environment says.
    pub fn limit_env(&mut self, list: Option<&str>) {
        if let Some(list) = list {
            self.env_limit = Some(env_names(list));
        }
    }

    /// True where nobody watches, or the environment names what is tested: there a run that judges nothing is a failure.
    pub fn is_strict(&self) -> bool {
        self.in_ci || self.options.target.is_some() || self.options.profile.is_some()
    }

    /// The settings that these variables make.
    pub fn from_env(env: BTreeMap<String, String>) -> Self {
        let get = |name: &str| env.get(name).filter(|value| !value.is_empty()).cloned();
        let (mut options, mut refused) = (RunOptions::default(), Vec::new());
        for row in OPTIONS {
            let Some((variable, text)) = row.variable.and_then(|name| Some((name, get(name)?))) else {
                continue;
            };
            if let Err(error) = row.fill_from_variable(&mut options, &text) {
                refused.push(RefusedVariable { name: row.name, message: format!("{variable}: {error}") });
            }
        }
        let in_github = get("GITHUB_ACTIONS").is_some_and(|value| value == "true");
        Self {
            working_dir: PathBuf::from("."),
            in_ci: get("CI").is_some_and(|value| !is_no(&value)),
            in_github,
            step_summary: in_github.then(|| get("GITHUB_STEP_SUMMARY").map(Into::into)).flatten(),
            options,
            refused,
            env_limit: get(ENV_NAMES).map(|names| env_names(&names)),
            ledger: get(LEDGER).map(Into::into),
            build: build::told(&get),
            letters: letters::told(&get),
            shard: shard::told(&get),
            nextest: get("NEXTEST_RUN_ID").map(|run_id| Nextest {
                run_id,
                attempt: get("NEXTEST_ATTEMPT").and_then(|value| value.parse().ok()).unwrap_or(1),
            }),
            env: Arc::new(env),
        }
    }
}

/// A list of names, separated by commas.
fn env_names(list: &str) -> Arc<[String]> {
    list.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

fn is_no(value: &str) -> bool {
    matches!(value.to_ascii_lowercase().as_str(), "0" | "false" | "no" | "off")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(pairs: &[(&str, &str)]) -> Settings {
        Settings::from_env(
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        )
    }

    #[test]
    fn ci_counts_unless_it_says_no() {
        assert!(settings(&[("CI", "true")]).in_ci);
        assert!(settings(&[("CI", "1")]).in_ci);
        assert!(!settings(&[("CI", "false")]).in_ci);
        assert!(!settings(&[("CI", "")]).in_ci);
        assert!(!settings(&[]).in_ci);
    }

    #[test]
    fn an_empty_variable_is_as_good_as_none() {
        assert_eq!(settings(&[("FLOWPROOF_TARGET", "")]).options.target, None);
        assert_eq!(settings(&[("FLOWPROOF_TARGET", "staging")]).options.target.as_deref(), Some("staging"));
    }

    #[test]
    fn what_cannot_be_read_is_named_and_fills_nothing() {
        let settings = settings(&[("FLOWPROOF_RETRIES", "many"), ("FLOWPROOF_RATE", "5/s")]);
        assert_eq!(settings.options.retries, None);
        assert_eq!(settings.options.rate.map(|rate| rate.per_second), Some(5.0));
        let message = "FLOWPROOF_RETRIES: `many` is not a whole number".to_owned();
        assert_eq!(settings.refused, [RefusedVariable { name: "retries", message }]);
        assert!(settings.names("retries") && settings.names("rate") && !settings.names("record"));
    }

    #[test]
    fn the_summary_of_a_job_is_only_written_in_one() {
        let summary = ("GITHUB_STEP_SUMMARY", "/tmp/summary");
        assert_eq!(settings(&[summary]).step_summary, None);
        let in_github = settings(&[summary, ("GITHUB_ACTIONS", "true")]);
        assert_eq!(in_github.step_summary, Some(PathBuf::from("/tmp/summary")));
    }

    #[test]
    fn nextest_names_its_run_and_attempt() {
        let nextest = settings(&[("NEXTEST_RUN_ID", "abc"), ("NEXTEST_ATTEMPT", "2")]).nextest;
        assert_eq!(nextest, Some(Nextest { run_id: "abc".to_owned(), attempt: 2 }));
    }
}
