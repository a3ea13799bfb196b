//! How a run stands as a whole, in one line: what a page or a summary says first, never greener than the run was.

use crate::base::units::format_count;
use crate::record::journal::{JournalError, RunRecord, Totals};
use crate::record::thresholds::{self, RunConclusion, ThresholdGates, ending};
use crate::report::gates::told;
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
    /// A sign for it, where there may be no colour.
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

/// Says how a run stands; what has no verdict is never green.
pub(crate) fn standing(record: &RunRecord) -> Result<HeadLine, JournalError> {
    let gates = thresholds::judge(record)?;
    let conclusion = RunConclusion::of(record, &gates);
    if !conclusion.is_green() {
        let mut said = shortcomings(record, &gates);
        if said.is_empty() {
            said.extend(conclusion.beyond_tests(record).map(|why| one_line(&why, 300)));
        }
        if said.is_empty() {
            said.push(conclusion.reason().to_owned());
        }
        return Ok(HeadLine { light: RunColor::Red, text: said.join("; ") });
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

/// What keeps a run from being green, test by test and threshold by threshold.
fn shortcomings(record: &RunRecord, gates: &ThresholdGates) -> Vec<String> {
    let (totals, unfinished) = (&record.totals, record.unfinished());
    let red = totals.red();
    let all = totals.cases() + unfinished;
    let mut said = Vec::new();
    if red > 0 {
        said.push(format!("{} {} red", of(red, all), if red == 1 { "is" } else { "are" }));
    }
    if unfinished > 0 {
        let have = if unfinished == 1 { "has" } else { "have" };
        said.push(format!("{} {have} no verdict: {}", of(unfinished, all), ending(record)));
    }
    // A skipped one that ran later, when the run was taken up again, is no longer skipped.
    let over_budget = totals.over_budget.min(totals.skipped);
    if over_budget > 0 {
        let no_longer = if over_budget == 1 { "no longer fits its" } else { "no longer fit their" };
        said.push(format!("{} {no_longer} budget", of(over_budget, all)));
    }
    let missed: Vec<_> = gates.judged.iter().filter(|gate| gate.is_red()).collect();
    match missed.as_slice() {
        [] => {}
        [gate] => said.push(one_line(&told(gate), 300)),
        [gate, rest @ ..] => {
            said.push(format!(
                "{} thresholds do not hold, as {}",
                rest.len() + 1,
                one_line(&told(gate), 300)
            ));
        }
    }
    if said.is_empty() && (record.has_losses() || record.end.as_ref().is_none_or(|end| end.interrupted)) {
        said.push(ending(record).to_owned());
    }
    said
}

/// How many tests passed of a run that is not red; one that was not decided did not pass.
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
    let [some, count] = [some, all].map(|count| format_count(u64::from(count)));
    format!("{some} of {count} test{}", if all == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::event::Event;
    use crate::record::journal::sample;

    fn stands(events: &[Event]) -> (RunColor, String) {
        let folder = tempfile::tempdir().unwrap();
        let HeadLine { light, text } = standing(&sample::record(folder.path(), events)).unwrap();
        (light, text)
    }

    #[test]
    fn only_a_whole_run_without_red_tests_is_green() {
        assert_eq!(stands(&sample::many(3)), (RunColor::Green, String::from("all 3 tests passed")));
        assert_eq!(stands(&sample::many(1)).1, "1 test passed");
        assert_eq!(stands(&sample::every_verdict()), (RunColor::Red, String::from("5 of 8 tests are red")));
    }

    #[test]
    fn what_has_no_verdict_is_never_green() {
        let mut torn = sample::many(3);
        torn.truncate(3);
        let killed =
            "2 of 3 tests have no verdict: the run was killed, could not be recorded, or still goes on";
        assert_eq!(stands(&torn), (RunColor::Red, String::from(killed)));
        let mut whole_but_for_its_end = sample::many(2);
        whole_but_for_its_end.pop();
        assert_eq!(stands(&whole_but_for_its_end).0, RunColor::Red);
        let mut over = sample::many(2);
        let mut outcome = sample::outcome(0, "s", "over", crate::record::verdict::Verdict::Skipped);
        outcome.over_budget = true;
        let last = over.len() - 2;
        over[last] = Event::CaseFinished(outcome.into());
        assert_eq!(stands(&over), (RunColor::Red, String::from("1 of 2 tests no longer fits its budget")));
        let nothing = vec![Event::RunStarted(sample::start(0)), sample::end()];
        assert_eq!(stands(&nothing), (RunColor::Red, String::from("no test was run")));
        let every = sample::every_verdict();
        let skipped =
            vec![Event::RunStarted(sample::start(1)), every[every.len() - 2].clone(), sample::end()];
        assert_eq!(stands(&skipped), (RunColor::Red, String::from("no test was run")), "it ends with 4");
    }
}
