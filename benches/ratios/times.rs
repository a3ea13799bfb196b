//! What the clocks of both sides say of the same case, and how far they are apart.
//!
//! Only durations are compared: from the request to the first model token, and to the terminal event. On the endpoint
//! they begin when the request was read and end when the part was handed over; on a contestant they begin before that
//! and end after it, so that no error can be negative.

use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::table::percentile;

/// What one clock says of a case.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Times {
    /// The case's row number.
    pub n: u64,
    /// From the request to the first model token, milliseconds.
    pub first_token_ms: Option<f64>,
    /// From the request to the terminal event, milliseconds.
    pub ended_ms: Option<f64>,
}

/// A contestant's times less the endpoint's own, in the order of the rows.
#[derive(Debug, Clone, Default)]
pub struct Errors {
    /// Of the first model token.
    pub first_token: Vec<Error>,
    /// Of the terminal event.
    pub latency: Vec<Error>,
}

/// A time that a contestant reports a case, less the endpoint's own.
#[derive(Debug, Clone, Copy)]
pub struct Error {
    n: u64,
    ms: f64,
}

impl Errors {
    /// Joins both by the row number; each case must have all its times on both sides.
    pub fn of(who: &str, mut told: Vec<Times>, mut own: Vec<Times>) -> Result<Self, Failure> {
        told.sort_by_key(|times| times.n);
        own.sort_by_key(|times| times.n);
        if !told.iter().map(|times| times.n).eq(own.iter().map(|times| times.n)) {
            return Err(Failure::Work(format!(
                "{who} has times of {} cases, and not of the endpoint's {}",
                told.len(),
                own.len()
            )));
        }
        let pairs = || told.iter().zip(&own);
        let error = |told: &Times, told_ms: Option<f64>, own_ms: Option<f64>| {
            let ms = told_ms.zip(own_ms).map(|(told, own)| told - own);
            believe(who, told.n, ms)
        };
        Ok(Self {
            first_token: pairs()
                .map(|(told, own)| error(told, told.first_token_ms, own.first_token_ms))
                .collect::<Result<_, _>>()?,
            latency: pairs()
                .map(|(told, own)| error(told, told.ended_ms, own.ended_ms))
                .collect::<Result<_, _>>()?,
        })
    }
}

/// The error of a case, where there is one and it can be.
fn believe(who: &str, n: u64, ms: Option<f64>) -> Result<Error, Failure> {
    match ms {
        Some(ms) if ms >= 0.0 => Ok(Error { n, ms }),
        Some(ms) => Err(Failure::Work(format!(
            "{who} tells {:.3} ms less than the endpoint itself took over row {n}: its clock starts late or stops early",
            -ms
        ))),
        None => Err(Failure::Work(format!("{who} or the endpoint lacks a time of row {n}"))),
    }
}

/// The error below which a share of the rows behind the first `skipped` lies, milliseconds.
pub fn share_of(errors: &[Error], share: f64, skipped: u64) -> f64 {
    let mut ms: Vec<f64> = errors.iter().filter(|error| error.n > skipped).map(|error| error.ms).collect();
    ms.sort_by(f64::total_cmp);
    percentile(&ms, share)
}
