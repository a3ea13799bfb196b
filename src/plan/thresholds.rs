//! `thresholds` of a suite, as they are recorded and judged.

use std::collections::HashMap;

use crate::record::event::{SuiteThresholds, Threshold};
use crate::suite::spec::SuiteSpec;
use crate::yaml::problem::Problem;
use crate::yaml::reader::Reader;

/// The name under which reports show a suite's thresholds among its tests.
const TOLD_AS: &str = "thresholds";

/// Notes suites of one name if one of them has thresholds: nobody could know whose attempts they judge.
pub(super) fn note_shared_names(suites: &[SuiteSpec], problems: &mut Vec<Problem>) {
    if suites.iter().all(|suite| suite.thresholds.is_empty()) {
        return;
    }
    let mut firsts: HashMap<&str, &SuiteSpec> = HashMap::with_capacity(suites.len());
    for suite in suites {
        let name = &suite.name;
        let first = *firsts.entry(&name.value).or_insert(suite);
        if std::ptr::eq(first, suite) {
            continue;
        }
        if suite.thresholds.is_empty() && first.thresholds.is_empty() {
            continue;
        }
        let message =
            format!("two suites are named `{}`, and `thresholds` judge a suite by its name", name.value);
        let problem =
            Problem::new(suite.source.place(name.mark), message).help("give each a `name` of its own");
        problems.push(problem.other(first.source.place(first.name.mark), "first used here"));
    }
}

/// The thresholds of a suite of this many tests; `None` where it has none.
pub(super) fn compile_thresholds(
    reader: &mut Reader<'_>,
    suite: &SuiteSpec,
    tests: usize,
) -> Option<SuiteThresholds> {
    if suite.thresholds.is_empty() {
        return None;
    }
    if let Some(test) = suite.tests.iter().find(|test| test.name.value == TOLD_AS) {
        let message = "in a suite with `thresholds` no test may be named `thresholds`";
        reader.problem_with_help(
            test.name.mark,
            message,
            "reports list the suite's thresholds under that name",
        );
    }
    let threshold = |spec: &crate::suite::thresholds::ThresholdSpec| Threshold {
        metric: spec.metric,
        statistic: spec.statistic,
        comparison: spec.comparison,
        limit: spec.limit,
        currency: spec.currency.clone(),
        place: reader.source.place(spec.mark),
    };
    Some(SuiteThresholds {
        suite: suite.name.value.clone(),
        tests: u32::try_from(tests).unwrap_or(u32::MAX),
        thresholds: suite.thresholds.iter().map(threshold).collect(),
    })
}
