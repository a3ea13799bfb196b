//! The promise of the statistics, kept: simulated endpoints that do not differ, and endpoints that do. The table this test
//! computes is in `docs/drift.md`.

mod bounds;
mod intervals;

use fastrand::Rng;
use rayon::prelude::*;
use rust_decimal::Decimal;

use crate::base::stats::RandomDraws;
use crate::base::stats::energy::Distances;
use crate::record::compare::change::Series;
use crate::record::compare::gate::{GateBound, GateDecision, judge};
use crate::record::compare::metric::CompareMetric;
use crate::record::compare::noise::{OutputDrift, OutputDrifts, drift_of_outputs};
use crate::record::compare::sample::{Observation, TestPair};

/// Experiments in which nothing differs.
const QUIET: u64 = 1000;
/// Experiments with a drift.
const PLANTED: u64 = 300;
const ALPHA: f64 = 0.05;
/// What the document recommends.
const CASES: usize = 40;
const REPEATS: usize = 5;
/// Phrases of an output; each of them varies by itself.
const PHRASES: usize = 8;

/// How the second endpoint differs from the first.
#[derive(Clone, Copy)]
struct Drift {
    /// Lost from the pass rate.
    pass_rate: f64,
    /// Tokens times this.
    tokens: f64,
    /// Latency times this.
    latency: f64,
    /// The share of outputs in which one phrase, the same everywhere, is said otherwise.
    outputs: f64,
}

const NONE: Drift = Drift { pass_rate: 0.0, tokens: 1.0, latency: 1.0, outputs: 0.0 };

/// A workflow's test: what its runs scatter around.
struct Case {
    pass_rate: f64,
    tokens: f64,
    latency: f64,
}

type Output = [u8; PHRASES];

impl Case {
    fn draw(random: &mut Rng) -> Self {
        Self {
            pass_rate: 0.85 + 0.15 * random.f64(),
            tokens: 300.0 * (2.0 * random.f64()).exp(),
            latency: 800.0 * (2.0 * random.f64()).exp(),
        }
    }

    /// One run: tokens scatter by 10 %, latency by 25 % with a long tail.
    fn run(&self, drift: Drift, random: &mut Rng) -> (Observation, Output) {
        let seen = Observation {
            passed: Some(random.f64() < self.pass_rate - drift.pass_rate),
            tokens: Some((self.tokens * drift.tokens * (0.10 * normal(random)).exp()).round() as u64),
            latency: Some(self.latency * drift.latency * (0.25 * normal(random)).exp()),
            ..Observation::default()
        };
        let mut output = [0; PHRASES];
        for phrase in &mut output {
            // The usual words, else one of two others: of eight phrases one or two vary from run to run.
            *phrase = if random.f64() < 0.85 { 0 } else { random.u8(1..3) };
        }
        if random.f64() < drift.outputs {
            output[0] = 9;
        }
        (seen, output)
    }
}

/// G. E. P. Box, M. E. Muller, 1958.
fn normal(random: &mut Rng) -> f64 {
    let radius = (-2.0 * (1.0 - random.f64()).ln()).sqrt();
    radius * (std::f64::consts::TAU * random.f64()).cos()
}

fn experiment(seed: u64, drift: Drift) -> Vec<TestPair> {
    let mut random = Rng::with_seed(seed);
    let pair = |_| {
        let case = Case::draw(&mut random);
        let (a, mut outputs): (Vec<_>, Vec<Output>) =
            (0..REPEATS).map(|_| case.run(NONE, &mut random)).unzip();
        let (b, more): (Vec<_>, Vec<Output>) = (0..REPEATS).map(|_| case.run(drift, &mut random)).unzip();
        outputs.extend(more);
        let apart = |one: usize, other: usize| {
            let differ = outputs[one].iter().zip(&outputs[other]).filter(|(one, other)| one != other);
            differ.count() as f64 / PHRASES as f64
        };
        TestPair { a, b, outputs: Some(Distances::of(REPEATS, REPEATS, apart)), ..TestPair::default() }
    };
    (0..CASES).map(pair).collect()
}

/// Whether one experiment raised an alarm: by the pass rate, tokens, latency, the suite's outputs, and any test's outputs.
fn alarms(seed: u64, drift: Drift) -> [bool; 5] {
    let pairs = experiment(seed, drift);
    let draws = RandomDraws { count: 499, seed };
    let series = Series::all(&pairs);
    let failed = |metric: CompareMetric| {
        let bound = GateBound { metric, worse_by: Decimal::ZERO, alpha: ALPHA };
        judge(&[bound], &series, draws)[0].decision == GateDecision::Failed
    };
    let OutputDrifts { tests: each, suite } = drift_of_outputs(&pairs, ALPHA, draws);
    let drifted = each.iter().any(|drift| matches!(drift, OutputDrift::Drifted { .. }));
    [
        failed(CompareMetric::PassRate),
        failed(CompareMetric::Tokens),
        failed(CompareMetric::Latency),
        suite.unwrap().p <= ALPHA,
        drifted,
    ]
}

/// The share of experiments that raised each alarm.
fn rates(experiments: u64, drift: Drift) -> [f64; 5] {
    let sums = (0..experiments)
        .into_par_iter()
        .map(|experiment| alarms(experiment, drift).map(u64::from))
        .reduce(|| [0; 5], |one, other| std::array::from_fn(|place| one[place] + other[place]));
    sums.map(|sum| sum as f64 / experiments as f64)
}

/// Fails where the document shows other figures than were measured.
fn assert_documented(table: &str) {
    let document = include_str!("../../../../../docs/drift.md");
    assert!(document.contains(table), "docs/drift.md must hold this table:\n{table}");
}

#[test]
fn false_alarms_are_as_rare_and_drifts_as_surely_found_as_the_document_says() {
    let quiet = rates(QUIET, NONE);
    let planted = Drift { pass_rate: 0.10, tokens: 1.15, latency: 1.20, outputs: 1.0 / 3.0 };
    let found = rates(PLANTED, planted);
    // Three binomial errors above 5 %.
    let most = ALPHA + 3.0 * (ALPHA * (1.0 - ALPHA) / QUIET as f64).sqrt();
    let rows = [
        "pass rate: 10 points lost",
        "tokens: 15 % more",
        "latency: 20 % more",
        "outputs of the suite: one phrase otherwise in a third of them",
    ];
    let mut table = String::from("| what changed | false alarms | found |\n| --- | --- | --- |\n");
    for (place, row) in rows.iter().enumerate() {
        assert!(quiet[place] <= most, "{row}: {} false alarms", quiet[place]);
        assert!(found[place] >= 0.80, "{row}: found {}", found[place]);
        table.push_str(&format!(
            "| {row} | {:.1} % | {:.1} % |\n",
            100.0 * quiet[place],
            100.0 * found[place]
        ));
    }
    assert!(quiet[4] <= most, "any test's outputs: {}", quiet[4]);
    table.push_str(&format!("| outputs of any single test | {:.1} % | |\n", 100.0 * quiet[4]));
    assert_documented(&table);
}
