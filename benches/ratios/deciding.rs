//! What it takes to decide after each attempt whether a test runs again, and what its repeats come to.

use std::hint::black_box;
use std::time::Instant;

use crate::base::repeat::RepeatRange;
use crate::contest::Setting;
use crate::failure::Failure;
use crate::record::verdict::{RepeatCounts, RepeatRule, Undecided, Verdict};
use crate::rounds::{alternate, ratio};
use crate::table::{Goal, Row};

/// Attempts that a sample is divided by, at least.
const ATTEMPTS: u64 = 200_000;
/// No attempt may take longer to decide, microseconds.
const LONGEST: f64 = 5.0;

/// Deciding against counting alone, each for the same attempts.
pub fn deciding(setting: &Setting) -> Result<Vec<Row>, Failure> {
    let test = RepeatRule {
        times: RepeatRange::Until { min: 3, max: 40 },
        pass_rate: 0.9,
        fail_below: 0.7,
        confidence: 0.95,
        undecided: Undecided::Red,
    };
    let rounds = alternate(
        setting.rounds,
        || Ok(sample(|seen| black_box(&test).goes_on(seen), |seen| black_box(&test).verdict(seen))),
        || Ok(sample(|seen| seen.all() < 40, |_| Verdict::Passed)),
    )?;
    let name =
        "µs an attempt, deciding on `repeat: { min: 3, max: 40 }`; yardstick: counting; judged: the time";
    let row = ratio(name.to_owned(), 3, &rounds, |us: &f64| *us, Goal::Shown);
    Ok(vec![Row { judged: row.flowproof, goal: Goal::AtMost(LONGEST), ..row }])
}

/// Microseconds an attempt of tests of which nine in ten attempts pass.
fn sample(goes_on: impl Fn(RepeatCounts) -> bool, verdict: impl Fn(RepeatCounts) -> Verdict) -> f64 {
    let mut random = fastrand::Rng::with_seed(7);
    let mut attempts = 0;
    let started = Instant::now();
    while attempts < ATTEMPTS {
        let mut seen = RepeatCounts::default();
        while black_box(goes_on(seen)) {
            let passes = random.u32(..10) > 0;
            seen.add(if passes { Verdict::Passed } else { Verdict::Failed });
            attempts += 1;
        }
        black_box(verdict(seen));
    }
    started.elapsed().as_secs_f64() * 1e6 / attempts as f64
}
