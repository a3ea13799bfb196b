//! Drift between two things that ran the same tests: what changed, whether that is more than noise, and which gate decides.
//!
//! Pure but for reading the two journals: records in, judgements out.

mod attempts;
#[cfg(test)]
mod calibration;
mod case;
mod change;
mod gate;
mod likeness;
mod nodes;
mod noise;
mod order;
mod plain;
mod ruling;
mod run;
mod sample;

pub(crate) use case::{CaseDetail, CaseRow, Kind, Means, Side, Way};
pub(crate) use change::{Change, Metric};
pub(crate) use gate::{Decision, Gated, Lack};
pub(crate) use nodes::{Attribution, NodeChange, Presence};
pub(crate) use noise::OutputDrift;
pub(crate) use plain::{Plain, PlainGated};
pub(crate) use ruling::{Ruling, Verdict};
pub(crate) use run::{ALPHA, Comparison, Counts, Gates};
