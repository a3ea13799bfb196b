//! Compares what Dify sends with what it is known to send: each deviation is noted once per run, and breaks a test with `contract: strict`.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use crate::assert::check::contract_deviations;
use crate::base::lock::lock;
use crate::dify::transcript::Transcript;
use crate::dify::wire::contract::{Contracts, Deviation};
use crate::engine::current_run::CurrentRun;
use crate::plan::case::{Case, ContractRule};
use crate::record::attempt::ContractNote;
use crate::record::verdict::{Finding, Severity, Truth};

/// Most deviations that are noted of one run.
const MOST: usize = 100;
/// Most deviations that a finding names.
const SHOWN: usize = 5;

/// The known contracts, and the deviations noted so far.
#[derive(Debug)]
pub struct ContractWatch {
    contracts: Arc<Contracts>,
    noted: Mutex<HashSet<NotedDeviation>>,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct NotedDeviation {
    /// The version of Dify whose contract it is.
    known: &'static str,
    deviation: Deviation,
}

/// How the answer of one attempt deviates.
#[derive(Debug, Default)]
pub struct ContractDeviations {
    /// Deviations that no earlier attempt had.
    pub notes: Vec<ContractNote>,
    /// The finding of a strict target.
    pub finding: Option<Finding>,
}

impl ContractWatch {
    /// Compares with these contracts.
    pub fn new(contracts: Arc<Contracts>) -> Self {
        Self { contracts, noted: Mutex::default() }
    }

    /// Compares an answer; only live ones are, since what a mock sends is known.
    pub fn compare(&self, run: &CurrentRun, case: &Case, transcript: &Transcript) -> ContractDeviations {
        if !run.is_live() {
            return ContractDeviations::default();
        }
        let (known, found) = contract_deviations(transcript, &self.contracts);
        if found.is_empty() {
            return ContractDeviations::default();
        }
        let finding = match run.plan.target.contract {
            ContractRule::Watch => None,
            ContractRule::Strict => {
                let messages: Vec<String> =
                    found.iter().map(|(deviation, _)| deviation.to_string()).collect();
                Some(strict_finding(case, known, &messages))
            }
        };
        let mut noted = lock(&self.noted);
        let mut notes = Vec::new();
        for (deviation, event) in found {
            let message = deviation.to_string();
            if noted.len() < MOST && noted.insert(NotedDeviation { known, deviation }) {
                notes.push(ContractNote { message, known: known.to_owned(), event });
            }
        }
        ContractDeviations { notes, finding }
    }
}

/// What breaks an attempt on a strict target.
fn strict_finding(case: &Case, known: &str, messages: &[String]) -> Finding {
    let more = messages.len().saturating_sub(SHOWN);
    let rest = if more > 0 { format!("; and {more} more") } else { String::new() };
    let shown = messages.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join("; ");
    Finding {
        truth: Truth::Broken,
        severity: Severity::Error,
        place: case.test.place.clone(),
        label: format!("contract: strict, compared with the recordings of Dify {known}"),
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
        let finding = |count: usize| {
            let messages: Vec<String> = (1..=count).map(|number| format!("d{number}")).collect();
            strict_finding(&case, "1.14.2", &messages)
        };
        assert_eq!(finding(1).message, "d1");
        assert_eq!(finding(5).message, "d1; d2; d3; d4; d5");
        assert_eq!(finding(6).message, "d1; d2; d3; d4; d5; and 1 more");
        assert_eq!(finding(90).message, "d1; d2; d3; d4; d5; and 85 more");
        assert_eq!((finding(1).truth, finding(1).severity), (Truth::Broken, Severity::Error));
        assert_eq!(finding(1).label, "contract: strict, compared with the recordings of Dify 1.14.2");
    }
}
