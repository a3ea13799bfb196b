//! Which variables of the environment suites may read: those that the project lists, else those that are named for it.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::template::{EnvName, Guard};

/// Begins the names that suites may read where there is no project file.
pub const PREFIX: &str = "FLOWPROOF_VAR_";

/// What is wrong with a name that a template reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameFault {
    /// What is wrong.
    pub message: String,
    /// How to fix it.
    pub help: String,
}

/// The environment as suites see it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SuiteEnv {
    /// The variables that suites may read.
    pub values: Arc<BTreeMap<String, String>>,
    /// Those that are set and may be read by the project file.
    set: Arc<BTreeMap<String, String>>,
    /// The names of `env` in the project file; `None` where there is no project file.
    listed: Option<Vec<String>>,
    /// The names that `--env-names` leaves.
    limit: Option<Arc<[String]>>,
}

impl SuiteEnv {
    /// What suites may read of what is set.
    pub fn new(
        set: Arc<BTreeMap<String, String>>,
        listed: Option<Vec<String>>,
        limit: Option<Arc<[String]>>,
    ) -> Self {
        let mut env = Self { values: Arc::default(), set, listed, limit };
        let readable = env.set.iter().filter(|(name, _)| env.lists(name));
        env.values = Arc::new(readable.map(|(name, value)| (name.clone(), value.clone())).collect());
        env
    }

    fn lists(&self, name: &str) -> bool {
        match &self.listed {
            Some(listed) => listed.iter().any(|listed| listed == name),
            None => name.starts_with(PREFIX),
        }
    }

    /// What is wrong with reading a variable, and how to put it right.
    ///
    /// One with a `default` may be missing. One that is set and not listed is a problem all the same: its value would be
    /// passed over in silence.
    pub fn fault(&self, read: &EnvName) -> Option<NameFault> {
        let EnvName { name, guard, .. } = read;
        let is_set = self.set.contains_key(name);
        if self.lists(name) && is_set || *guard == Guard::Default && !is_set {
            return None;
        }
        let shut = |name: &String| self.limit.as_ref().is_some_and(|limit| !limit.contains(name));
        Some(if !self.lists(name) {
            self.unlisted(name)
        } else if shut(name) {
            let message = format!("`env.{name}` may not be read: `--env-names` does not name it");
            let help = format!("add `{name}` to `--env-names`, or give a value: `env.{name} | default('…')`");
            NameFault { message, help }
        } else {
            let message = format!("`env.{name}` is not set");
            let help = format!("set `{name}`, or give a value: `{{{{ env.{name} | default('…') }}}}`");
            NameFault { message, help }
        })
    }

    fn unlisted(&self, name: &str) -> NameFault {
        let message = format!("`env.{name}` may not be read by suites");
        let help = match &self.listed {
            None => format!(
                "without flowproof.yaml suites read only variables that begin with `{PREFIX}`; write one with `version: 1` and \
                 `env: [{name}]`"
            ),
            Some(listed) if listed.is_empty() => format!("add `env: [{name}]` to flowproof.yaml"),
            Some(_) => format!("add `{name}` to `env: […]` in flowproof.yaml"),
        };
        NameFault { message, help }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(listed: Option<&[&str]>, limit: Option<&[&str]>) -> SuiteEnv {
        let set = [("A", "1"), ("FLOWPROOF_VAR_B", "2"), ("SECRET", "3")];
        let limit: Option<Arc<[String]>> =
            limit.map(|names| names.iter().map(|name| (*name).to_owned()).collect());
        let within = |name: &str| limit.as_ref().is_none_or(|limit| limit.iter().any(|known| known == name));
        let set = set.iter().filter(|(name, _)| within(name));
        let set = set.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let listed = listed.map(|names| names.iter().map(|name| (*name).to_owned()).collect());
        SuiteEnv::new(Arc::new(set), listed, limit)
    }

    fn fault(env: &SuiteEnv, name: &str, guard: Guard) -> Option<NameFault> {
        env.fault(&EnvName { name: name.to_owned(), guard, span: 0..1 })
    }

    #[test]
    fn suites_read_what_the_project_lists_and_nothing_else() {
        let listed = env(Some(&["A", "UNSET"]), None);
        assert_eq!(listed.values.keys().collect::<Vec<_>>(), ["A"]);
        assert_eq!(fault(&listed, "A", Guard::None), None);
        assert_eq!(fault(&listed, "UNSET", Guard::Default), None);
        assert!(fault(&listed, "UNSET", Guard::None).unwrap().message.contains("is not set"));
        for guard in [Guard::None, Guard::Default] {
            let NameFault { message, help } = fault(&listed, "SECRET", guard).unwrap();
            assert!(message.contains("may not be read by suites"), "{message}");
            assert_eq!(help, "add `SECRET` to `env: […]` in flowproof.yaml");
        }
        let bare = env(Some(&[]), None);
        assert_eq!(fault(&bare, "A", Guard::None).unwrap().help, "add `env: [A]` to flowproof.yaml");
        assert_eq!(fault(&bare, "NOWHERE", Guard::Default), None);
    }

    #[test]
    fn without_a_project_the_name_says_that_it_is_meant_for_suites() {
        let alone = env(None, None);
        assert_eq!(alone.values.keys().collect::<Vec<_>>(), ["FLOWPROOF_VAR_B"]);
        assert_eq!(fault(&alone, "FLOWPROOF_VAR_B", Guard::None), None);
        assert!(fault(&alone, "A", Guard::None).unwrap().help.contains("`env: [A]`"));
    }

    #[test]
    fn a_limit_holds_whatever_is_listed() {
        let limited = env(Some(&["A", "SECRET"]), Some(&["A"]));
        assert_eq!(limited.values.keys().collect::<Vec<_>>(), ["A"]);
        assert!(
            fault(&limited, "SECRET", Guard::None)
                .unwrap()
                .message
                .contains("`--env-names` does not name it")
        );
        assert_eq!(fault(&limited, "SECRET", Guard::Default), None);
    }
}
