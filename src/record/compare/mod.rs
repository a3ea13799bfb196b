//! Drift between two things that ran the same tests: what changed, whether that is more than noise, and which gate decides.
//!
//! Pure but for reading the two journals: records in, judgements out.

mod answers;
mod apart;
mod attempts;
mod case;
mod chance;
mod change;
mod gate;
mod likeness;
mod metric;
mod nodes;
mod noise;
mod order;
mod paired;
mod plain;
mod rates;
mod ruling;
mod run;
mod sample;
mod stand;
#[cfg(test)]
mod tests;
mod totals;
mod typical;

pub(crate) use case::{CaseChange, CaseDetail, CaseRow, CaseSide, MeasureMeans, PathChange};
pub(crate) use change::Change;
pub(crate) use gate::{DecidedGate, GateDecision, MissingEvidence};
pub(crate) use metric::CompareMetric;
pub(crate) use nodes::{Attribution, NodeChange, NodePresence};
pub(crate) use noise::OutputDrift;
pub(crate) use paired::MissingPairs;
pub(crate) use plain::{PlainDecision, PlainGated};
pub(crate) use ruling::{CompareVerdict, DecidingTests, Ruling};
pub(crate) use run::{ALPHA, ChangeCounts, CompareGates, RunComparison};
