//! What the user is told about a resumed run, before it continues.

use std::sync::Arc;

use crate::app::resume::remaining::RemainingTests;
use crate::base::plural::plural;
use crate::record::event::{ContinuationReason, SuiteThresholds};
use crate::record::journal::{RecordLoss, RunRecord};

/// Tests that are named one by one.
const NAMED: usize = 10;

/// The lines that say what is left of a run, and what has become of its suites since.
pub(super) fn taken_up(
    record: &RunRecord,
    left: &RemainingTests,
    how: ContinuationReason,
    thresholds: &[SuiteThresholds],
) -> Vec<String> {
    let run = &record.start.run;
    let runs = match how {
        ContinuationReason::Resumed | ContinuationReason::Merged => "resuming",
        ContinuationReason::Rerun => "running again in",
    };
    let mut parts = vec![format!("{} to keep", tests(left.finished.len(), "result", "results"))];
    for (count, what) in [(left.red, "red"), (left.open, "not finished"), (left.changed.len(), "changed")] {
        if count > 0 {
            parts.push(format!("{count} {what}"));
        }
    }
    let mut lines = vec![format!("{runs} {run}: {}; {} to run now", parts.join(", "), left.runs)];
    for damage in record.damage.iter().filter(|damage| damage.loss != RecordLoss::Mended) {
        lines.push(match damage.loss {
            RecordLoss::Torn => {
                format!("line {} of its journal was cut when it was killed, and is left out", damage.line)
            }
            RecordLoss::Unreadable | RecordLoss::Mended => format!(
                "warning: line {} of its journal {}: a test whose result is not whole runs anew",
                damage.line, damage.reason
            ),
        });
    }
    if !SuiteThresholds::are_like(&record.start.thresholds, thresholds) {
        lines.push(String::from("thresholds have changed since: all results are judged by those of now"));
    }
    let names = |tests: &[Arc<str>]| named(tests.iter().map(|name| &**name));
    let changed = left.changed.len();
    if changed > 0 {
        let have = plural(changed, "has changed since and runs", "have changed since and run");
        lines.push(format!("{} {have} anew: {}", tests(changed, "test", "tests"), names(&left.changed)));
    }
    if !left.new.is_empty() {
        let is = plural(left.new.len(), "is", "are");
        lines.push(format!("{} {is} new: {}", tests(left.new.len(), "test", "tests"), names(&left.new)));
    }
    if !left.gone.is_empty() {
        let is = plural(left.gone.len(), "is gone and counts", "are gone and count");
        let gone = named(left.gone.iter().map(|gone| &*gone.name));
        lines.push(format!("{} {is} no longer: {gone}", tests(left.gone.len(), "test", "tests")));
    }
    if left.not_drawn > 0 {
        lines.push(format!(
            "{} not in this record, which is of a sample or a shard: they need a run of their own",
            tests(left.not_drawn, "test is", "tests are")
        ));
    }
    lines
}

fn tests(count: usize, one: &str, more: &str) -> String {
    format!("{count} {}", plural(count, one, more))
}

fn named<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let names: Vec<&str> = names.collect();
    let more = names.len().saturating_sub(NAMED);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{rest}", names[..names.len() - more].join(", "))
}
