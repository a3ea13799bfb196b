//! Fingerprints of what tests send and assert, by which a later run sees whether a test is still the same.
//!
//! They are made of what the suite says, not of where it stands: a test that was only moved keeps its fingerprint. What the
//! files hold that a test uploads, or that its schemas are read from, is part of them; values of `env`, approved snapshots and
//! cassettes are not.

use crate::base::digest::{Digest, Digester};
use crate::check::{Usage, schema_files_of};
use crate::exchange::ResponseMode;
use crate::plan::case::{Case, TargetKind, Test};
use crate::suite::data::Row;
use crate::suite::node::{Entry, Node, NodeValue};
use crate::suite::spec::{RunSpec, SuiteSpec, TestSpec};
use crate::verdict::{Repeats, Undecided};

/// Whether the mock answers: only then what it answers is part of a fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answered {
    /// By the mock.
    ByMock,
    /// By a Dify, or from cassettes.
    Elsewhere,
}

/// What all tests of a suite have in common.
#[derive(Debug, Clone, Copy)]
pub(super) struct SuitePrint {
    common: Digest,
    defaults: Digest,
    answered: Answered,
}

/// The fingerprint of a suite's own part.
pub(super) fn suite_print(suite: &SuiteSpec, target: &TargetKind) -> SuitePrint {
    let answered = match target {
        TargetKind::Mock(_) => Answered::ByMock,
        TargetKind::Live { .. } | TargetKind::Replay { .. } => Answered::Elsewhere,
    };
    let mut common = Digester::default();
    entries(&mut common, &suite.vars);
    if let (Answered::ByMock, Some(rules)) = (answered, &suite.mock) {
        node(&mut common, rules);
    }
    let mut defaults = Digester::default();
    run(&mut defaults, &suite.defaults);
    SuitePrint { common: common.finish(), defaults: defaults.finish(), answered }
}

/// The fingerprint of a test, its rows left out.
pub(super) fn test_print(test: &Test, spec: &TestSpec, suite: SuitePrint) -> Digest {
    let mut digester = Digester::default();
    digester.text(&test.app).number(suite.common.number());
    if !spec.skip_defaults {
        digester.number(suite.defaults.number());
    }
    let Repeats { times, pass_rate, fail_below, confidence, undecided } = test.repeats;
    digester.text(&times.to_string()).number(pass_rate.to_bits());
    digester.number(fail_below.to_bits()).number(confidence.to_bits());
    digester.text(match undecided {
        Undecided::Red => "red",
        Undecided::Tolerated => "tolerated",
    });
    digester.text(match test.mode {
        ResponseMode::Streaming => "streaming",
        ResponseMode::Blocking => "blocking",
    });
    digester.text(match test.usage {
        Usage::Audit => "audit",
        Usage::Trust => "trust",
    });
    run(&mut digester, &spec.run);
    digester.number(spec.answers.len() as u64);
    for answer in &spec.answers {
        node(&mut digester, &answer.node);
        node(&mut digester, &answer.action);
        entries(&mut digester, &answer.inputs);
        entries(&mut digester, &answer.files);
    }
    if let (Answered::ByMock, Some(script)) = (suite.answered, &spec.mock) {
        node(&mut digester, script);
    }
    // Without such files a fingerprint is what it was before they were looked into.
    for content in schema_files_of(&test.checks) {
        digester.number(content.number());
    }
    digester.finish()
}

/// The fingerprint of one row of a test, its name and why it is skipped among them.
pub(super) fn case_print(key: Digest, test: Digest, row: Option<&Row>, skip: Option<&str>) -> Digest {
    let mut digester = Digester::default();
    digester.number(key.number()).number(test.number());
    if let Some(row) = row {
        digester.json(&row.value);
    }
    digester.text(skip.unwrap_or_default());
    digester.finish()
}

/// The fingerprint of a case with what the files hold that it uploads; none for one that cannot be read.
pub(super) fn with_files(case: Digest, contents: &[Option<Digest>]) -> Digest {
    let mut digester = Digester::default();
    digester.number(case.number());
    for content in contents {
        digester.number(content.unwrap_or_default().number());
    }
    digester.finish()
}

/// The fingerprint of many cases, whatever their order.
pub(super) fn plan_print<'c>(cases: impl Iterator<Item = &'c Case>) -> Digest {
    let (mut count, mut sum) = (0, 0_u64);
    for case in cases {
        count += 1;
        sum = sum.wrapping_add(case.print.number());
    }
    Digester::default().number(count).number(sum).finish()
}

fn run(digester: &mut Digester, spec: &RunSpec) {
    entries(digester, &spec.inputs);
    entries(digester, &spec.files);
    digester.number(spec.user.is_some().into());
    spec.user.iter().for_each(|user| node(digester, user));
    digester.number(spec.assertions.len() as u64);
    spec.assertions.iter().for_each(|assertion| node(digester, assertion));
}

fn entries(digester: &mut Digester, entries: &[Entry]) {
    digester.number(entries.len() as u64);
    for entry in entries {
        digester.text(&entry.key);
        node(digester, &entry.value);
    }
}

fn node(digester: &mut Digester, of: &Node) {
    match &of.value {
        NodeValue::Null => {
            digester.number(0);
        }
        NodeValue::Bool(flag) => {
            digester.number(1).number((*flag).into());
        }
        NodeValue::Number(number) => {
            digester.number(2).text(&number.to_string());
        }
        NodeValue::Text(text) => {
            digester.number(3).text(text);
        }
        NodeValue::List(items) => {
            digester.number(4).number(items.len() as u64);
            items.iter().for_each(|item| node(digester, item));
        }
        NodeValue::Map(members) => {
            digester.number(5);
            entries(digester, members);
        }
    }
}
