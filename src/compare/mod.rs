//! Drift between two things that ran the same tests: what changed, whether that is more than noise, and which gate decides.
//!
//! Pure but for reading the two journals: records in, judgements out.

mod answers;
mod apart;
mod attempts;
#[cfg(test)]
mod calibration;
mod case;
mod chance;
mod change;
mod gate;
mod likeness;
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
mod totals;
mod typical;

pub(crate) use case::{CaseDetail, CaseRow, Kind, Means, Side, Way};
pub(crate) use change::{Change, Metric};
pub(crate) use gate::{Decision, Gated, Lack};
pub(crate) use nodes::{Attribution, NodeChange, Presence};
pub(crate) use noise::OutputDrift;
pub(crate) use paired::Missing;
pub(crate) use plain::{Plain, PlainGated};
pub(crate) use ruling::{Ruling, Verdict};
pub(crate) use run::{ALPHA, Comparison, Counts, Gates};
