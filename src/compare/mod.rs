//! Drift between two things that ran the same tests: what changed, whether that is more than noise, and which gate decides.
//!
//! Pure: samples in, judgements out.

#![allow(dead_code)]

#[cfg(test)]
mod calibration;
mod case;
mod change;
mod gate;
mod likeness;
mod nodes;
mod noise;
mod plain;
mod run;
mod sample;

pub(crate) use change::{Change, Metric};
pub(crate) use gate::{Bound, Decision, Gated, judge};
pub(crate) use nodes::{Attribution, attribute};
pub(crate) use noise::{OutputDrift, drift_of_outputs};
pub(crate) use sample::{Observation, Pair};
