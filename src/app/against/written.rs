//! Where the things are that are compared: a test's inputs, its files, and the nodes it names.

use std::sync::Arc;

use crate::app::live_app::nodes::{Claim, NodeMention, mention, mentions_of};
use crate::assert::check::expects_rejection;
use crate::suite::spec::{SuiteSpec, TestSpec};
use crate::yaml::node::{FilePosition, MapEntry, SourceText};

/// A suite's places.
pub struct WrittenSuite {
    /// Its name.
    pub name: String,
    /// Its text.
    pub source: Arc<SourceText>,
    /// Its tests.
    pub tests: Vec<WrittenTest>,
}

/// A test's places.
pub struct WrittenTest {
    /// Where its name is.
    pub mark: FilePosition,
    /// Its inputs and files, those of the defaults included.
    pub spots: Vec<InputPlace>,
    /// Whether it expects to be rejected.
    pub is_rejected: bool,
    /// The nodes it names, those of the defaults included.
    pub mentions: Vec<NodeMention>,
}

/// Where an input is.
pub struct InputPlace {
    /// Its name.
    pub name: String,
    /// Where the name is.
    pub key: FilePosition,
    /// Where its value is.
    pub value: FilePosition,
}

/// The places of a suite.
pub fn written(suite: &SuiteSpec) -> WrittenSuite {
    let tests = suite.tests.iter().map(|test| written_test(suite, test)).collect();
    WrittenSuite { name: suite.name.value.clone(), source: suite.source.clone(), tests }
}

fn written_test(suite: &SuiteSpec, test: &TestSpec) -> WrittenTest {
    let runs: Vec<_> = match test.skip_defaults {
        true => vec![&test.run],
        false => vec![&test.run, &suite.defaults],
    };
    let entries = runs.iter().flat_map(|run| run.inputs.iter().chain(&run.files));
    let assertions = runs.iter().flat_map(|run| &run.assertions);
    let mut mentions: Vec<NodeMention> = assertions.flat_map(mentions_of).collect();
    mentions.extend(test.answers.iter().filter_map(|answer| mention(&answer.node, Claim::Ran)));
    WrittenTest {
        mark: test.name.mark,
        spots: entries.map(spot).collect(),
        is_rejected: is_rejected(suite, test),
        mentions,
    }
}

/// Whether a test expects to be rejected: its own `status` takes precedence over the defaults'.
fn is_rejected(suite: &SuiteSpec, test: &TestSpec) -> bool {
    let own = &test.run.assertions;
    let has_status = own.iter().any(|node| node.get("node").is_none() && node.get("status").is_some());
    let inherits = !has_status && !test.skip_defaults;
    expects_rejection(own) || (inherits && expects_rejection(&suite.defaults.assertions))
}

fn spot(entry: &MapEntry) -> InputPlace {
    InputPlace { name: entry.key.clone(), key: entry.mark, value: entry.value.mark }
}

impl WrittenTest {
    /// Where an input is: the test's own before the defaults'.
    pub fn spot(&self, name: &str) -> Option<&InputPlace> {
        self.spots.iter().find(|spot| spot.name == name)
    }
}
