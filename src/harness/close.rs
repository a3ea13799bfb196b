//! The end of a run behind its trials: what makes it red though no trial failed, and its reports.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use libtest_mimic::{Arguments, Conclusion};

use crate::app::RecordKeeping;
use crate::app::snapshots::left_text;
use crate::base::plural::plural;
use crate::engine::Engine;
use crate::harness::say::{is_selected, tell};
use crate::harness::trial_state::TrialState;
use crate::record::thresholds::{self, ThresholdGates};
use crate::record::verdict::Truth;
use crate::report::gates::gate_line;

impl TrialState {
    /// Why the run is red though no trial failed; `None` where one did, or where all is well. Ends the run and writes its reports.
    pub(super) fn why_red(
        &self,
        arguments: &Arguments,
        conclusion: &Conclusion,
        broken: usize,
    ) -> Result<Option<String>, String> {
        let HarnessSummary { unfinished, gates } = self.close(arguments)?;
        let is_missed = tell_gates(&gates);
        if conclusion.has_failed() {
            return Ok(None);
        }
        let ran = conclusion.num_passed + self.tolerated.load(Ordering::Relaxed);
        let over_budget = self.over_budget.load(Ordering::Relaxed);
        let tests = |count: u64, one: &str, more: &str| {
            format!("{count} {} {}", plural(count, "test", "tests"), plural(count, one, more))
        };
        Ok(if broken > 0 {
            // A filter removed the trials that report it.
            let files = plural(broken, "file has", "files have");
            Some(format!(
                "{broken} {files} problems, whose tests may be those that are wanted: run without a filter to see them"
            ))
        } else if over_budget > 0 {
            let tests = tests(over_budget, "no longer fits", "no longer fit");
            Some(format!("{tests} the budget: what was not judged is not green"))
        } else if unfinished > 0 {
            let tests = tests(u64::from(unfinished), "has", "have");
            Some(format!("{tests} no verdict in the record: that is not green"))
        } else if let (Some(name), 0, 0) = (&self.exact, ran, conclusion.num_ignored) {
            Some(format!("there is no test `{name}` here any more: a test that was not judged is not green"))
        } else if is_missed {
            Some(String::from("the thresholds above do not hold"))
        } else if ran == 0 && conclusion.num_ignored > 0 && !arguments.ignored && self.settings.is_strict() {
            let tests = tests(conclusion.num_ignored, "was", "were");
            Some(format!("{tests} selected and none was judged: a run that judged nothing is not green"))
        } else {
            None
        })
    }

    /// Ends the run and writes its reports; says what is red besides trials. Nothing to do when no trial ran.
    pub(super) fn close(&self, arguments: &Arguments) -> Result<HarnessSummary, String> {
        let Some(Ok(engine)) = self.engine.get() else { return Ok(HarnessSummary::default()) };
        if !arguments.ignored && !arguments.include_ignored {
            self.record_skipped(engine, arguments)?;
        }
        let kept = self.session.save_cassettes(engine);
        engine.end(None, kept.as_ref().err().cloned()).map_err(|error| error.to_string())?;
        self.runtime.block_on(engine.close());
        if let Some(left) = left_text(&engine.pending_snapshots(), &self.settings, &self.session.reports) {
            tell(&left);
        }
        let closed = match self.session.keeping {
            RecordKeeping::Shared => HarnessSummary::default(),
            RecordKeeping::Journal => {
                let record = self.session.record()?;
                self.session.write_reports(&record)?;
                self.session.add_step_summary(&record).unwrap_or_else(|note| tell(&note));
                let gates = thresholds::judge(&record).map_err(|error| error.to_string())?;
                HarnessSummary { unfinished: record.unfinished(), gates }
            }
        };
        kept?.lost.iter().for_each(|lost| tell(lost));
        Ok(closed)
    }

    /// Records the tests that libtest passed over as ignored, with the reasons that `run` would give.
    fn record_skipped(&self, engine: &Arc<Engine>, arguments: &Arguments) -> Result<(), String> {
        let cases = self.plan.cases.iter().enumerate();
        let skipped =
            cases.filter(|(_, case)| case.skip.is_some() && is_selected(arguments, case, &self.settings));
        for (place, _) in skipped {
            self.runtime.block_on(engine.run_case(place)).map_err(|error| error.to_string())?;
        }
        Ok(())
    }
}

/// What a run came to besides its trials.
#[derive(Default)]
pub(super) struct HarnessSummary {
    /// Tests without a verdict in the record.
    unfinished: u32,
    /// The thresholds of the suites.
    gates: ThresholdGates,
}

/// Says which thresholds do not hold; true where one turns the build red.
fn tell_gates(gates: &ThresholdGates) -> bool {
    let unmet = gates.judged.iter().filter(|gate| gate.truth != Truth::Held);
    for gate in unmet {
        let word = if gate.is_red() { "error" } else { "note" };
        tell(&format!("{word}: {}\n  {}", gate_line(gate), gate.threshold.place));
    }
    gates.broken().is_some() || gates.undecided().is_some()
}
