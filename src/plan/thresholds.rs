//! `thresholds` of a suite, as they are recorded and judged.

use crate::event::{SuiteThresholds, Threshold};
use crate::suite::reader::Reader;
use crate::suite::spec::SuiteSpec;

/// The name under which reports tell a suite's thresholds among its tests.
const TOLD_AS: &str = "thresholds";

/// The thresholds of a suite of so many tests; none where it has none.
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
        reader.problem_with_help(test.name.mark, message, "reports tell the suite's thresholds by that name");
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
