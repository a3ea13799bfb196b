//! What Dify sends, held against what it is known to send: noted once a run, and on `contract: strict` a broken assertion.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use crate::assert::check::contract_deviations;
use crate::base::lock::lock;
use crate::dify::transcript::Transcript;
use crate::dify::wire::contract::{Contracts, Deviation};
use crate::engine::Engine;
use crate::plan::case::{Case, ContractRule, TargetKind};
use crate::record::attempt::ContractNote;
use crate::record::verdict::{Finding, Severity, Truth};

/// Different deviations that are noted of one run.
const MOST: usize = 100;

/// The known contracts, and what was noted so far.
#[derive(Debug)]
pub struct Watch {
    pub(super) contracts: Arc<Contracts>,
    noted: Mutex<HashSet<(&'static str, Deviation)>>,
}

impl Default for Watch {
    fn default() -> Self {
        Self { contracts: Arc::new(Contracts::new()), noted: Mutex::default() }
    }
}

impl Engine {
    /// The deviations of an attempt that no earlier one had, and the finding that they make on a strict target.
    pub(super) fn watch_contract(
        &self,
        case: &Case,
        transcript: &Transcript,
    ) -> (Vec<ContractNote>, Option<Finding>) {
        match &self.plan.target.kind {
            TargetKind::Live { .. } => {}
            TargetKind::Mock(_) | TargetKind::Replay { .. } => return (Vec::new(), None),
        }
        let (known, found) = contract_deviations(transcript, &self.watch.contracts);
        if found.is_empty() {
            return (Vec::new(), None);
        }
        let finding = match self.plan.target.contract {
            ContractRule::Watch => None,
            ContractRule::Strict => {
                let told: Vec<String> = found.iter().map(|(deviation, _)| deviation.to_string()).collect();
                Some(finding(case, known, &told))
            }
        };
        let mut noted = lock(&self.watch.noted);
        let mut notes = Vec::new();
        for (deviation, event) in found {
            let message = deviation.to_string();
            if noted.len() < MOST && noted.insert((known, deviation)) {
                notes.push(ContractNote { message, known: known.to_owned(), event });
            }
        }
        (notes, finding)
    }
}

/// Says of a strict target what came that is not known.
fn finding(case: &Case, known: &str, told: &[String]) -> Finding {
    const SHOWN: usize = 5;
    let more = told.len().saturating_sub(SHOWN);
    let rest = if more > 0 { format!("; and {more} more") } else { String::new() };
    let shown = told.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join("; ");
    Finding {
        truth: Truth::Broken,
        severity: Severity::Error,
        place: case.test.place.clone(),
        label: format!("contract: strict, against Dify {known} as it was recorded"),
        message: format!("{shown}{rest}"),
        expected: None,
        actual: None,
        diff: None,
        members: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strict_target_names_five_deviations_and_counts_the_rest() {
        let case = crate::engine::sample::case();
        let told = |count: usize| {
            let told: Vec<String> = (1..=count).map(|number| format!("d{number}")).collect();
            finding(&case, "1.14.2", &told)
        };
        assert_eq!(told(1).message, "d1");
        assert_eq!(told(5).message, "d1; d2; d3; d4; d5");
        assert_eq!(told(6).message, "d1; d2; d3; d4; d5; and 1 more");
        assert_eq!(told(90).message, "d1; d2; d3; d4; d5; and 85 more");
        assert_eq!((told(1).truth, told(1).severity), (Truth::Broken, Severity::Error));
        assert_eq!(told(1).label, "contract: strict, against Dify 1.14.2 as it was recorded");
    }
}
