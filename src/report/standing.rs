//! The state of a run as a whole in one line: the first line of a page or a summary, never greener than the run.

use crate::base::plural::{counted, plural};
use crate::base::units::format_count;
use crate::record::journal::{JournalError, RunRecord, Totals};
use crate::record::thresholds::{self, RunConclusion, ThresholdGates, ending};
use crate::report::gates::gate_line;
use crate::report::text::one_line;

/// The colour of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RunColor {
    /// The exit code is 0, and a test passed.
    Green,
    /// The exit code is not 0.
    Red,
    /// The exit code is 0, and no test passed.
    Grey,
}

impl RunColor {
    /// Its sign, where there may be no colour.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Green => "✓",
            Self::Red => "✗",
            Self::Grey => "–",
        }
    }
}

/// The first line of a document.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(crate) struct HeadLine {
    /// Its colour.
    pub light: RunColor,
    /// "3 of 120 tests are red".
    pub text: String,
}

/// The first line for a run; tests without a verdict are never green.
pub(crate) fn standing(record: &RunRecord) -> Result<HeadLine, JournalError> {
    let gates = thresholds::judge(record)?;
    let conclusion = RunConclusion::of(record, &gates);
    if !conclusion.is_green() {
        let mut reasons = shortcomings(record, &gates);
        if reasons.is_empty() {
            reasons.extend(conclusion.beyond_tests(record).map(|why| one_line(&why, 300)));
        }
        if reasons.is_empty() {
            reasons.push(conclusion.reason().to_owned());
        }
        return Ok(HeadLine { light: RunColor::Red, text: reasons.join("; ") });
    }
    match conclusion {
        RunConclusion::NothingHere | RunConclusion::NoTestsAllowed => {
            Ok(HeadLine { light: RunColor::Grey, text: conclusion.reason().to_owned() })
        }
        RunConclusion::Passed
        | RunConclusion::NoTests
        | RunConclusion::Unusable
        | RunConclusion::Red
        | RunConclusion::Unfinished
        | RunConclusion::Gate
        | RunConclusion::OverBudget
        | RunConclusion::Inconclusive
        | RunConclusion::Undecided
        | RunConclusion::Unrecorded
        | RunConclusion::Interrupted => Ok(what_passed(&record.totals)),
    }
}

/// Why a run is not green: its tests and thresholds.
fn shortcomings(record: &RunRecord, gates: &ThresholdGates) -> Vec<String> {
    let (totals, unfinished) = (&record.totals, record.unfinished());
    let red = totals.red();
    let all = totals.cases() + unfinished;
    let mut reasons = Vec::new();
    if red > 0 {
        reasons.push(format!("{} {} red", of(red, all), plural(red, "is", "are")));
    }
    if unfinished > 0 {
        let have = plural(unfinished, "has", "have");
        reasons.push(format!("{} {have} no verdict: {}", of(unfinished, all), ending(record)));
    }
    // A skipped test that ran later, when the run was resumed, is no longer skipped.
    let over_budget = totals.over_budget.min(totals.skipped);
    if over_budget > 0 {
        let was = plural(over_budget, "was", "were");
        reasons.push(format!("{} {was} not run: the budget is used up", of(over_budget, all)));
    }
    let missed: Vec<_> = gates.judged.iter().filter(|gate| gate.is_red()).collect();
    match missed.as_slice() {
        [] => {}
        [gate] => reasons.push(one_line(&gate_line(gate), 300)),
        [gate, rest @ ..] => {
            reasons.push(format!(
                "{} thresholds do not hold, as {}",
                rest.len() + 1,
                one_line(&gate_line(gate), 300)
            ));
        }
    }
    if reasons.is_empty() && (record.has_losses() || record.end.as_ref().is_none_or(|end| end.interrupted)) {
        reasons.push(ending(record).to_owned());
    }
    reasons
}

/// How many tests of a run passed that is not red; an undecided test did not pass.
fn what_passed(totals: &Totals) -> HeadLine {
    let passed = totals.passed + totals.flaky;
    let mut text = match (passed, totals.tolerated) {
        (0, _) => String::from("no test passed"),
        (1, 0) => String::from("1 test passed"),
        (_, 0) => format!("all {} tests passed", format_count(u64::from(passed))),
        (_, tolerated) => format!("{} passed", of(passed, passed + tolerated)),
    };
    if totals.flaky > 0 {
        text.push_str(&format!(", {} of them flaky", format_count(u64::from(totals.flaky))));
    }
    for (count, what) in [(totals.tolerated, "not decided, which is a warning"), (totals.skipped, "skipped")]
    {
        if count > 0 {
            text.push_str(&format!("; {} {what}", format_count(u64::from(count))));
        }
    }
    HeadLine { light: if passed == 0 { RunColor::Grey } else { RunColor::Green }, text }
}

fn of(some: u32, all: u32) -> String {
    format!("{} of {}", format_count(u64::from(some)), counted(all, "test"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::event::Event;
    use crate::record::journal::sample;

    fn state(events: &[Event]) -> (RunColor, String) {
        let folder = tempfile::tempdir().unwrap();
        let HeadLine { light, text } = standing(&sample::record(folder.path(), events)).unwrap();
        (light, text)
    }

    #[test]
    fn only_a_whole_run_without_red_tests_is_green() {
        assert_eq!(state(&sample::many(3)), (RunColor::Green, String::from("all 3 tests passed")));
        assert_eq!(state(&sample::many(1)).1, "1 test passed");
        assert_eq!(state(&sample::every_verdict()), (RunColor::Red, String::from("5 of 8 tests are red")));
    }

    #[test]
    fn what_has_no_verdict_is_never_green() {
        let mut torn = sample::many(3);
        torn.truncate(3);
        let killed =
            "2 of 3 tests have no verdict: the run was killed, could not be recorded, or still goes on";
        assert_eq!(state(&torn), (RunColor::Red, String::from(killed)));
        let mut whole_but_for_its_end = sample::many(2);
        whole_but_for_its_end.pop();
        assert_eq!(state(&whole_but_for_its_end).0, RunColor::Red);
        let mut over = sample::many(2);
        let mut outcome = sample::outcome(0, "s", "over", crate::record::verdict::Verdict::Skipped);
        outcome.over_budget = true;
        let last = over.len() - 2;
        over[last] = Event::CaseFinished(outcome.into());
        assert_eq!(
            state(&over),
            (RunColor::Red, String::from("1 of 2 tests was not run: the budget is used up"))
        );
        let nothing = vec![Event::RunStarted(sample::start(0)), sample::end()];
        assert_eq!(state(&nothing), (RunColor::Red, String::from("no test was run")));
        let every = sample::every_verdict();
        let skipped =
            vec![Event::RunStarted(sample::start(1)), every[every.len() - 2].clone(), sample::end()];
        assert_eq!(state(&skipped), (RunColor::Red, String::from("no test was run")), "it ends with 4");
    }
}
