//! Fingerprints of what tests send and assert, by which a later run sees whether a test is still the same.
//!
//! Every struct that is hashed is taken apart field by field, so that a new field does not compile before somebody has said
//! whether it decides a verdict.
//!
//! They are made of what the suite says, not of where it is: a test that was only moved keeps its fingerprint. What the
//! files hold that a test uploads, or that its schemas are read from, is part of them; values of `env`, approved snapshots and
//! cassettes are not.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::assert::check::{UsageAudit, schema_files_of};
use crate::base::digest::{Digest, Digester};
use crate::base::units::Money;
use crate::dify::transcript::{ResponseMode, RunCap};
use crate::plan::budget::SuiteBudget;
use crate::plan::case::{Case, CompiledTest, ContractRule, SuiteHead, Target, TargetKind};
use crate::record::verdict::{RepeatRule, Undecided};
use crate::suite::spec::{AnswerSpec, RetriesSpec, RunSpec, SuiteSpec, TestSpec};
use crate::yaml::node::{MapEntry, Node, NodeValue};
use crate::yaml::row::DataRow;

/// Whether the mock answers: only then what it answers is part of a fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum MockFingerprint {
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
    answered: MockFingerprint,
    contract: ContractRule,
}

/// The fingerprint of a suite's own part.
pub(super) fn suite_print(suite: &SuiteSpec, target: &Target) -> SuitePrint {
    // Its app and its `usage` are hashed as each test has them; its `per_test` as its head has it. Thresholds are judged anew
    // whenever a record is, and what a whole suite may use makes no test red that ran.
    let SuiteSpec {
        vars,
        defaults,
        mock,
        source: _,
        grounds: _,
        name: _,
        app: _,
        description: _,
        tags: _,
        usage: _,
        budget: _,
        thresholds: _,
        tests: _,
        vars_read: _,
        problems: _,
    } = suite;
    let answered = match target.kind {
        TargetKind::Mock(_) => MockFingerprint::ByMock,
        TargetKind::Live { .. } | TargetKind::Replay { .. } => MockFingerprint::Elsewhere,
    };
    let mut common = Digester::default();
    entries(&mut common, vars);
    if let (MockFingerprint::ByMock, Some(rules)) = (answered, mock) {
        node(&mut common, rules);
    }
    let mut inherited = Digester::default();
    run(&mut inherited, defaults);
    SuitePrint { common: common.finish(), defaults: inherited.finish(), answered, contract: target.contract }
}

/// The fingerprint of a test, its rows left out.
pub(super) fn test_print(
    test: &CompiledTest,
    spec: &TestSpec,
    suite: SuitePrint,
    judges: &BTreeMap<String, Digest>,
) -> Digest {
    let TestSpec { skip_defaults, run: own, answers, mock, name: _, tags: _, skip: _, only: _, rows: _ } =
        spec;
    // What is compiled of the suite's text is hashed as it is written; the name is in the key of each case.
    let CompiledTest {
        suite: head,
        app,
        mode,
        repeats,
        usage,
        checks,
        judges: named,
        name: _,
        place: _,
        tags: _,
        bindings: _,
        inputs: _,
        files: _,
        user: _,
        timeout: _,
        retries: _,
        answers: _,
        mock: _,
        print: _,
    } = test;
    let mut digester = Digester::default();
    digester.text(app).number(suite.common.number());
    if !skip_defaults {
        digester.number(suite.defaults.number());
    }
    manner(&mut digester, repeats, *mode, *usage);
    run(&mut digester, own);
    digester.number(answers.len() as u64);
    answers.iter().for_each(|spec| answer(&mut digester, spec));
    if let (MockFingerprint::ByMock, Some(script)) = (suite.answered, mock) {
        node(&mut digester, script);
    }
    // What follows is hashed only where it is there, so that a test without it keeps the fingerprint of earlier versions.
    for content in schema_files_of(checks) {
        digester.number(content.number());
    }
    cap(&mut digester, head);
    match suite.contract {
        ContractRule::Watch => {}
        ContractRule::Strict => {
            digester.text("contract: strict");
        }
    }
    if !named.is_empty() {
        asked(&mut digester, named, judges);
    }
    digester.finish()
}

/// How often a test runs, at which rates it passes and fails, and how it is sent and audited.
fn manner(digester: &mut Digester, repeats: &RepeatRule, mode: ResponseMode, usage: UsageAudit) {
    let RepeatRule { times, pass_rate, fail_below, confidence, undecided } = repeats;
    digester.text(&times.to_string()).number(pass_rate.to_bits());
    digester.number(fail_below.to_bits()).number(confidence.to_bits());
    digester.text(match undecided {
        Undecided::Red => "red",
        Undecided::Tolerated => "tolerated",
    });
    digester.text(match mode {
        ResponseMode::Streaming => "streaming",
        ResponseMode::Blocking => "blocking",
    });
    digester.text(match usage {
        UsageAudit::Audit => "audit",
        UsageAudit::Trust => "trust",
    });
}

/// The most that one attempt may use: beyond it a test fails, as by an assertion.
fn cap(digester: &mut Digester, head: &SuiteHead) {
    let SuiteHead { budget, name: _, cassette: _, snapshots: _, place: _ } = head;
    let SuiteBudget { cap, allowance: _, cap_place: _ } = budget;
    let RunCap { tokens, cost } = cap;
    if let Some(tokens) = tokens {
        digester.text("per_test tokens").number(*tokens);
    }
    if let Some(Money { amount, currency }) = cost {
        digester.text("per_test cost").text(&amount.normalize().to_string()).text(currency);
    }
}

/// The judges that a test asks; where a name is rendered for each attempt, it may be any.
fn asked(digester: &mut Digester, named: &[Option<String>], judges: &BTreeMap<String, Digest>) {
    digester.text("judges");
    for name in named {
        match name {
            Some(name) => {
                digester.number(judges.get(name).copied().unwrap_or_default().number());
            }
            None => {
                for judge in judges.values() {
                    digester.number(judge.number());
                }
            }
        }
    }
}

fn answer(digester: &mut Digester, spec: &AnswerSpec) {
    let AnswerSpec { node: asks, action, inputs, files, mark: _ } = spec;
    node(digester, asks);
    node(digester, action);
    entries(digester, inputs);
    entries(digester, files);
}

/// The fingerprint of one row of a test, its name and why it is skipped among them.
pub(super) fn case_print(key: Digest, test: Digest, row: Option<&DataRow>, skip: Option<&str>) -> Digest {
    let mut digester = Digester::default();
    digester.number(key.number()).number(test.number());
    if let Some(DataRow { value, name: _ }) = row {
        digester.json(value);
    }
    digester.text(skip.unwrap_or_default());
    digester.finish()
}

/// The fingerprint of a case with what the files hold that it uploads; `None` for one that cannot be read.
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
    // How it is sent and repeated is hashed as the test has it, flags included.
    let RunSpec {
        inputs,
        files,
        user,
        timeout,
        retries,
        assertions,
        mode: _,
        repeat: _,
        pass_rate: _,
        fail_below: _,
        confidence: _,
        on_inconclusive: _,
    } = spec;
    entries(digester, inputs);
    entries(digester, files);
    digester.number(user.is_some().into());
    user.iter().for_each(|user| node(digester, user));
    digester.number(assertions.len() as u64);
    assertions.iter().for_each(|assertion| node(digester, assertion));
    limits(digester, *timeout, *retries);
}

/// The limit and the retries that the suite writes: with others a test could be errored that is green, or green that is errored.
/// Those of flags are not among them, so that unfinished tests can be given more time without running all others again.
fn limits(digester: &mut Digester, timeout: Option<Duration>, retries: RetriesSpec) {
    // Delays and their jitter change when a retry is sent, and not whether.
    let RetriesSpec { count, resend, delay: _, max_delay: _, jitter: _ } = retries;
    if let Some(timeout) = timeout {
        digester.text("timeout").number(u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX));
    }
    if let Some(count) = count {
        digester.text("retries").number(count.into());
    }
    if let Some(resend) = resend {
        digester.text("resend").number(resend.into());
    }
}

fn entries(digester: &mut Digester, entries: &[MapEntry]) {
    digester.number(entries.len() as u64);
    for entry in entries {
        let MapEntry { key, value, mark: _ } = entry;
        digester.text(key);
        node(digester, value);
    }
}

fn node(digester: &mut Digester, of: &Node) {
    let Node { value, mark: _ } = of;
    match value {
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
