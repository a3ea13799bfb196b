//! The tests by name, without compiling anything: for `list`, and for a harness whose target cannot be used.

use std::sync::Arc;

use crate::base::origin::Place;
use crate::plan::choices::Choices;
use crate::plan::select::{arrange, is_wanted};
use crate::suite::load::LoadedSuites;
use crate::suite::spec::{SuiteSpec, TestSpec};

/// A test as `list` shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct ListedTest {
    /// Its full name.
    pub name: Arc<str>,
    /// The suite's tags, then its own.
    pub tags: Arc<[Arc<str>]>,
    /// Where its name is.
    pub place: Arc<Place>,
    /// Why it is skipped, as far as files say.
    pub skip: Option<Arc<str>>,
}

/// Lists the tests that the choices select, in the order they would run.
pub fn list(loaded: &LoadedSuites, choices: &Choices) -> Vec<ListedTest> {
    let has_only = loaded.suites.iter().flat_map(|suite| &suite.tests).any(|test| test.only.is_some());
    let mut listed = Vec::new();
    for suite in &loaded.suites {
        for test in suite.tests.iter().filter(|test| !has_only || test.only.is_some()) {
            list_test(suite, test, &mut listed);
        }
    }
    listed.retain(|listed| is_wanted(&choices.options, &listed.name, listed.tags.iter().map(|tag| &**tag)));
    arrange(listed, choices)
}

fn list_test(suite: &SuiteSpec, test: &TestSpec, listed: &mut Vec<ListedTest>) {
    let mut tags: Vec<Arc<str>> = Vec::with_capacity(suite.tags.len() + test.tags.len());
    for tag in suite.tags.iter().chain(&test.tags) {
        if !tags.iter().any(|earlier| **earlier == *tag.value) {
            tags.push(Arc::from(tag.value.as_str()));
        }
    }
    let base = format!("{}::{}", suite.name.value, test.name.value);
    let one = ListedTest {
        name: Arc::from(base.as_str()),
        tags: Arc::from(tags),
        place: Arc::new(suite.source.place(test.name.mark)),
        skip: test.skip.as_deref().map(Arc::from),
    };
    match &test.rows {
        None => listed.push(one),
        Some(rows) => listed.extend(
            rows.rows
                .iter()
                .map(|row| ListedTest { name: Arc::from(format!("{base}[{}]", row.name)), ..one.clone() }),
        ),
    }
}
