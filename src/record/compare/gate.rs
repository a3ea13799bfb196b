//! Gates over a comparison: a measure may not be worse by more than a bound. Within it the gate holds; beyond it by more than
//! chance it fails; what lies between, and what missing measures could tip, is not decided.

use rust_decimal::Decimal;

use crate::base::stats::RandomDraws;
use crate::base::stats::multiple::holm;
use crate::base::stats::sign_flip::pairs_needed;
use crate::record::compare::change::Series;
use crate::record::compare::metric::CompareMetric;
use crate::record::compare::paired::MissingPairs;
use crate::record::compare::stand::{BoundStanding, CompareLimit, Position};

/// How much worse a measure may be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct GateBound {
    /// The measure.
    pub metric: CompareMetric,
    /// The most it may be worse by: 0.05 are five points of the pass rate, or 5 % more of anything else.
    pub worse_by: Decimal,
    /// The chance of a false alarm that is accepted, over all gates together.
    pub alpha: f64,
}

/// What a gate says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum GateDecision {
    /// No worse than the bound allows.
    Passed,
    /// Worse by more than the bound, and by more than chance.
    Failed,
    /// Neither can be said.
    Inconclusive(MissingEvidence),
}

/// What a gate lacks before it can decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MissingEvidence {
    /// Each test must run so often on each side before anything could be shown.
    Repeats(usize),
    /// This many tests are needed; repeats of the same ones do not help.
    Cases(usize),
    /// No pair of attempts has the measure on both sides.
    Pairs,
    /// This many pairs lack it, and could tip the gate.
    Missing(MissingPairs),
    /// It is beyond the bound by no more than chance; about this many repeats on each side would decide.
    Noise(usize),
    /// It is beyond the bound in one currency and within it in another.
    Currencies,
}

/// A gate and what it decided on.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct DecidedGate {
    /// The gate.
    pub bound: GateBound,
    /// The chance that what is beyond the bound is not, by itself; 1 where nothing is.
    pub chance: f64,
    /// The same, corrected for the number of gates.
    pub p: f64,
    /// What follows.
    pub decision: GateDecision,
}

/// A measure compared with a gate's bound.
struct GateMeasure<'s> {
    series: &'s Series,
    stand: BoundStanding,
}

/// The chance of what a gate saw, corrected for the number of gates.
struct CorrectedChance {
    p: f64,
    gates: f64,
}

/// Judges all gates together: each measure against its bound. Holm's correction keeps the chance of any false alarm below
/// `alpha`, also where every measure is just as much worse as is allowed.
pub(crate) fn judge(bounds: &[GateBound], series: &[Series], draws: RandomDraws) -> Vec<DecidedGate> {
    let gates = bounds.len().max(1) as f64;
    let held: Vec<Vec<GateMeasure<'_>>> = bounds
        .iter()
        .map(|bound| {
            let limit = CompareLimit { allowed: bound.worse_by, level: bound.alpha / gates };
            let measured = series.iter().filter(|series| series.metric == bound.metric);
            measured.map(|series| GateMeasure { series, stand: series.against(&limit, draws) }).collect()
        })
        .collect();
    let chances: Vec<f64> = held.iter().map(|held| chance(held)).collect();
    let gated = |((bound, held), p): ((&GateBound, &Vec<GateMeasure<'_>>), f64)| DecidedGate {
        bound: *bound,
        chance: chance(held),
        p,
        decision: decide(bound, held, CorrectedChance { p, gates }),
    };
    bounds.iter().zip(&held).zip(holm(&chances)).map(gated).collect()
}

/// The chance of all that a gate saw: a cost must be beyond its bound in every currency, since nobody knows their rates.
fn chance(held: &[GateMeasure<'_>]) -> f64 {
    let of = |measure: &GateMeasure<'_>| match measure.stand.best {
        Position::Within => 1.0,
        Position::Beyond => measure.stand.test.p,
    };
    held.iter()
        .map(of)
        .fold(None, |most: Option<f64>, p| Some(most.map_or(p, |most| most.max(p))))
        .unwrap_or(1.0)
}

fn decide(bound: &GateBound, held: &[GateMeasure<'_>], corrected: CorrectedChance) -> GateDecision {
    let CorrectedChance { p, gates } = corrected;
    if held.is_empty() {
        return GateDecision::Inconclusive(MissingEvidence::Pairs);
    }
    if held.iter().all(|one| one.stand.best == Position::Beyond) && p <= bound.alpha {
        return GateDecision::Failed;
    }
    let level = bound.alpha / gates;
    // The smallest p after the correction: as if every other gate had found even less likely changes.
    if let Some(measure) = held.iter().find(|one| one.stand.test.attainable > level) {
        return GateDecision::Inconclusive(match measure.series.repeats_needed(level) {
            Some(repeats) => MissingEvidence::Repeats(repeats),
            None => MissingEvidence::Cases(pairs_needed(level)),
        });
    }
    if held.iter().all(|one| one.stand.worst == Position::Within) {
        return GateDecision::Passed;
    }
    GateDecision::Inconclusive(lack(held))
}

/// Why what is not within the bound does not fail.
fn lack(held: &[GateMeasure<'_>]) -> MissingEvidence {
    let missing = held.iter().map(|one| one.series.missing()).max_by_key(|missing| missing.pairs());
    if let Some(missing) = missing.filter(|missing| missing.pairs() > 0) {
        return MissingEvidence::Missing(missing);
    }
    if held.iter().any(|one| one.stand.found == Position::Within) {
        return MissingEvidence::Currencies;
    }
    let repeats = |measure: &GateMeasure<'_>| {
        let GateMeasure { series, stand } = measure;
        let now = series.pairs() as f64 / series.cases().max(1) as f64;
        let wanted = (now * stand.times.unwrap_or(f64::MAX)).ceil();
        (wanted as usize).max(now as usize + 1)
    };
    MissingEvidence::Noise(held.iter().map(repeats).max().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::record::compare::sample::{Observation, TestPair};

    const DRAWS: RandomDraws = RandomDraws { count: 999, seed: 5 };

    fn bound(metric: CompareMetric, worse_by: &str) -> GateBound {
        GateBound { metric, worse_by: worse_by.parse().unwrap(), alpha: 0.05 }
    }

    fn decided(pairs: &[TestPair], bound: GateBound) -> GateDecision {
        judge(&[bound], &Series::all(pairs), DRAWS)[0].decision
    }

    /// Tests whose repeats used this many tokens on each side; `None` where that is not known.
    fn tokens(tests: usize, a: &[Option<u64>], b: &[Option<u64>]) -> Vec<TestPair> {
        let side = |counts: &[Option<u64>]| {
            let seen = |tokens: &Option<u64>| Observation {
                passed: Some(true),
                tokens: *tokens,
                ..Observation::default()
            };
            counts.iter().map(seen).collect()
        };
        vec![TestPair { a: side(a), b: side(b), ..TestPair::default() }; tests]
    }

    fn latency(tests: usize, a: &[Option<f64>], b: &[Option<f64>]) -> Vec<TestPair> {
        let side = |times: &[Option<f64>]| {
            times.iter().map(|latency| Observation { latency: *latency, ..Observation::default() }).collect()
        };
        vec![TestPair { a: side(a), b: side(b), ..TestPair::default() }; tests]
    }

    fn passes(tests: &[(usize, &str, &str)]) -> Vec<TestPair> {
        let side = |marks: &str| -> Vec<Observation> {
            let seen =
                |mark| Observation { passed: (mark != 'e').then_some(mark == 'p'), ..Observation::default() };
            marks.chars().map(seen).collect()
        };
        let one = |(count, a, b): &(usize, &str, &str)| {
            vec![TestPair { a: side(a), b: side(b), ..TestPair::default() }; *count]
        };
        tests.iter().flat_map(one).collect()
    }

    /// The prices of a run.
    type Prices<'p> = &'p [(&'p str, &'p str)];

    fn costs(tests: &[(usize, Prices<'_>, Prices<'_>)]) -> Vec<TestPair> {
        let side = |prices: &[(&str, &str)]| {
            let prices: BTreeMap<String, Decimal> = prices
                .iter()
                .map(|(amount, currency)| ((*currency).to_owned(), amount.parse().unwrap()))
                .collect();
            vec![Observation { prices: Some(prices), ..Observation::default() }; 5]
        };
        tests
            .iter()
            .flat_map(|(count, a, b)| {
                vec![TestPair { a: side(a), b: side(b), ..TestPair::default() }; *count]
            })
            .collect()
    }

    #[test]
    fn exactly_at_the_bound_is_within_it() {
        let tenth = tokens(20, &[Some(1_000); 5], &[Some(1_100); 5]);
        assert_eq!(decided(&tenth, bound(CompareMetric::Tokens, "0.1")), GateDecision::Passed);
        assert_eq!(decided(&tenth, bound(CompareMetric::Tokens, "0.099")), GateDecision::Failed);
        // In thirds and sevenths, where binary fractions are not exact.
        for (a, b, share) in
            [(300, 330, "0.1"), (7, 9, "0.285714285714285714286"), (1_000, 1_003, "0.003"), (10, 17, "0.7")]
        {
            let pairs = tokens(20, &[Some(a); 3], &[Some(b); 3]);
            assert_eq!(decided(&pairs, bound(CompareMetric::Tokens, share)), GateDecision::Passed, "{a} {b}");
        }
        // The total is what counts: some more, some less, together exactly a tenth more.
        let mixed = tokens(20, &[Some(100), Some(300)], &[Some(140), Some(300)]);
        assert_eq!(decided(&mixed, bound(CompareMetric::Tokens, "0.1")), GateDecision::Passed);
        for (a, b) in [(1_000.0, 1_100.0), (0.3, 0.33), (1_234.5, 1_357.95)] {
            let pairs = latency(20, &[Some(a); 5], &[Some(b); 5]);
            assert_eq!(
                decided(&pairs, bound(CompareMetric::Latency, "0.1")),
                GateDecision::Passed,
                "{a} {b}"
            );
            assert_eq!(
                decided(&pairs, bound(CompareMetric::Latency, "0.0999")),
                GateDecision::Failed,
                "{a} {b}"
            );
        }
        // A fifth and a bit more, and no more: typically exactly a tenth more.
        let mixed = latency(20, &[Some(100.0), Some(100.0)], &[Some(121.0), Some(100.0)]);
        assert_eq!(decided(&mixed, bound(CompareMetric::Latency, "0.1")), GateDecision::Passed);
        let cost = costs(&[(20, &[("0.01", "USD")], &[("0.011", "USD")])]);
        assert_eq!(decided(&cost, bound(CompareMetric::Cost, "10E-2")), GateDecision::Passed);
        assert_eq!(decided(&cost, bound(CompareMetric::Cost, "0.0999")), GateDecision::Failed);
    }

    #[test]
    fn a_rate_exactly_at_the_bound_is_within_it() {
        let five_points = passes(&[(5, "ppppf", "pppff"), (15, "ppppp", "ppppp")]);
        assert_eq!(decided(&five_points, bound(CompareMetric::PassRate, "0.05")), GateDecision::Passed);
        // Thirds: one of three lost in a tenth of the tests, of other numbers of repeats in the rest.
        let thirds = passes(&[(3, "ppp", "ppf"), (27, "ppppppp", "ppppppp")]);
        assert_eq!(
            decided(&thirds, bound(CompareMetric::PassRate, "0.0333333333333333333333333334")),
            GateDecision::Passed
        );
        let lost = passes(&[(20, "ppppp", "ppffp")]);
        assert_eq!(decided(&lost, bound(CompareMetric::PassRate, "0.4")), GateDecision::Passed);
        assert_eq!(decided(&lost, bound(CompareMetric::PassRate, "0.39")), GateDecision::Failed);
    }

    #[test]
    fn beyond_the_bound_by_chance_is_not_decided() {
        let scattered = |centre: u64| -> Vec<TestPair> {
            let b = [0.90, 0.95, 1.0, 1.05, 1.1].map(|by| Some((centre as f64 * by) as u64));
            tokens(40, &[Some(100_000); 5], &b)
        };
        let found = decided(&scattered(110_100), bound(CompareMetric::Tokens, "0.1"));
        let GateDecision::Inconclusive(MissingEvidence::Noise(repeats)) = found else { panic!("{found:?}") };
        assert!(repeats > 500, "{repeats}: a tenth of a percent among seven is hard to see");
        assert_eq!(decided(&scattered(110_100), bound(CompareMetric::Tokens, "0.05")), GateDecision::Failed);
        assert_eq!(decided(&scattered(109_900), bound(CompareMetric::Tokens, "0.1")), GateDecision::Passed);
    }

    #[test]
    fn a_level_that_can_just_be_reached_decides() {
        let five = |b| tokens(5, &[Some(100)], &[Some(b)]);
        let just = |worse_by| GateBound { alpha: 1.0 / 32.0, ..bound(CompareMetric::Tokens, worse_by) };
        assert_eq!(decided(&five(100), just("0.1")), GateDecision::Passed);
        assert_eq!(decided(&five(200), just("0.1")), GateDecision::Failed);
        let below = GateBound { alpha: 0.031, ..just("0.1") };
        assert_eq!(decided(&five(200), below), GateDecision::Inconclusive(MissingEvidence::Repeats(2)));
    }

    #[test]
    fn two_gates_ask_for_more_repeats_than_one() {
        let b = [0.90, 0.95, 1.0, 1.05, 1.1].map(|by| Some((110_500.0 * by) as u64));
        let series = Series::all(&tokens(40, &[Some(100_000); 5], &b));
        let gate = bound(CompareMetric::Tokens, "0.1");
        let repeats = |bounds: &[GateBound]| match judge(bounds, &series, DRAWS)[0].decision {
            GateDecision::Inconclusive(MissingEvidence::Noise(repeats)) => repeats as f64,
            other => panic!("{other:?}"),
        };
        // (z(0.975) + z(0.8))² / (z(0.95) + z(0.8))² = 1.269.
        let more = repeats(&[gate, bound(CompareMetric::Ttft, "0.1")]) / repeats(&[gate]);
        assert!((1.2..1.35).contains(&more), "{more}");
    }

    #[test]
    fn what_is_not_decided_takes_one_repeat_more_at_least() {
        // By the normal approximation these six pairs are enough; by all ways to swap their sides they are not.
        let of = |b: [u64; 2]| tokens(1, &[Some(100); 2], &b.map(Some)).remove(0);
        let pairs = [of([200, 200]), of([200, 200]), of([200, 90])];
        let bounds = [
            bound(CompareMetric::Tokens, "0"),
            bound(CompareMetric::Cost, "0"),
            bound(CompareMetric::Ttft, "0"),
        ];
        let gated = judge(&bounds, &Series::all(&pairs), DRAWS);
        assert_eq!(
            (gated[0].chance, gated[0].decision),
            (2.0 / 64.0, GateDecision::Inconclusive(MissingEvidence::Noise(3)))
        );
    }

    #[test]
    fn too_few_pairs_never_pass() {
        let few = tokens(2, &[Some(100)], &[Some(100)]);
        assert_eq!(
            decided(&few, bound(CompareMetric::Tokens, "0.1")),
            GateDecision::Inconclusive(MissingEvidence::Repeats(3))
        );
        assert_eq!(
            decided(&few, bound(CompareMetric::Cost, "0.1")),
            GateDecision::Inconclusive(MissingEvidence::Pairs)
        );
        let rates = passes(&[(2, "pppppp", "pppppp")]);
        assert_eq!(
            decided(&rates, bound(CompareMetric::PassRate, "0.1")),
            GateDecision::Inconclusive(MissingEvidence::Cases(5))
        );
    }

    #[test]
    fn missing_pairs_leave_a_gate_open_that_they_could_tip() {
        let (known, none) = (Some(100), None);
        let missing =
            |a, b, both| GateDecision::Inconclusive(MissingEvidence::Missing(MissingPairs { a, b, both }));
        let of = |a: &[Option<u64>], b: &[Option<u64>], share| {
            decided(&tokens(10, a, b), bound(CompareMetric::Tokens, share))
        };
        assert_eq!(of(&[known; 5], &[known, none, none, none, none], "0.05"), missing(0, 40, 0));
        assert_eq!(of(&[known, known, none], &[known, known, none], "0.05"), missing(0, 0, 10));
        // Of A alone it may be nothing: 300 tokens against 200 at the worst.
        assert_eq!(of(&[known, known, none], &[known; 3], "0.05"), missing(10, 0, 0));
        assert_eq!(of(&[known, known, none], &[known; 3], "0.5"), GateDecision::Passed, "whatever it is");
        // Of B it may be nothing too, and what is known is enough to fail; not so where A may be anything.
        let dear = Some(400);
        assert_eq!(of(&[known; 3], &[dear, dear, none], "0.05"), GateDecision::Failed);
        assert_eq!(of(&[known; 3], &[Some(120), Some(120), none], "0.05"), missing(0, 10, 0));
        assert_eq!(of(&[known, known, none], &[dear; 3], "0.05"), missing(10, 0, 0));
    }

    #[test]
    fn a_few_missing_times_of_many_tip_nothing() {
        let mut pairs = latency(100, &[Some(100.0); 5], &[Some(100.0); 5]);
        pairs.extend(latency(2, &[Some(100.0)], &[None]));
        assert_eq!(
            decided(&pairs, bound(CompareMetric::Latency, "0.1")),
            GateDecision::Passed,
            "not even a thousandfold"
        );
        pairs.extend(latency(10, &[Some(100.0)], &[None]));
        let missing = MissingPairs { a: 0, b: 12, both: 0 };
        assert_eq!(
            decided(&pairs, bound(CompareMetric::Latency, "0.1")),
            GateDecision::Inconclusive(MissingEvidence::Missing(missing))
        );
        let mut slow = latency(100, &[Some(100.0); 5], &[Some(130.0); 5]);
        slow.extend(latency(2, &[None], &[None]));
        assert_eq!(decided(&slow, bound(CompareMetric::Latency, "0.1")), GateDecision::Failed);
    }

    #[test]
    fn a_repeat_that_was_not_judged_may_have_passed_or_not() {
        let missing =
            |a, b| GateDecision::Inconclusive(MissingEvidence::Missing(MissingPairs { a, b, both: 0 }));
        let open = passes(&[(10, "ppppp", "ppppe")]);
        assert_eq!(decided(&open, bound(CompareMetric::PassRate, "0.05")), missing(0, 10));
        assert_eq!(
            decided(&open, bound(CompareMetric::PassRate, "0.2")),
            GateDecision::Passed,
            "a fifth at the worst"
        );
        let lost = passes(&[(10, "ppppp", "pfffe")]);
        assert_eq!(decided(&lost, bound(CompareMetric::PassRate, "0.05")), GateDecision::Failed);
        assert_eq!(decided(&lost, bound(CompareMetric::PassRate, "0.6")), missing(0, 10));
    }

    #[test]
    fn another_currency_is_never_overlooked() {
        let usd: &[(&str, &str)] = &[("0.01", "USD")];
        let eur: &[(&str, &str)] = &[("500", "EUR")];
        let both: &[(&str, &str)] = &[("0.01", "USD"), ("500", "EUR")];
        let gate = bound(CompareMetric::Cost, "0.05");
        let currencies = GateDecision::Inconclusive(MissingEvidence::Currencies);
        assert_eq!(decided(&costs(&[(5, usd, eur), (5, usd, usd)]), gate), currencies);
        assert_eq!(decided(&costs(&[(10, usd, eur)]), gate), currencies, "nobody knows the rate");
        assert_eq!(decided(&costs(&[(10, usd, both)]), gate), currencies);
        assert_eq!(
            decided(&costs(&[(10, both, usd)]), gate),
            GateDecision::Passed,
            "less, whatever the rate"
        );
        assert_eq!(decided(&costs(&[(10, both, both)]), gate), GateDecision::Passed);
        let dearer: &[(&str, &str)] = &[("0.02", "USD"), ("600", "EUR")];
        assert_eq!(
            decided(&costs(&[(10, both, dearer)]), gate),
            GateDecision::Failed,
            "more, whatever the rate"
        );
        let unpriced: &[(&str, &str)] = &[("0.01", "USD"), ("0", "EUR")];
        assert_eq!(decided(&costs(&[(10, usd, unpriced)]), gate), GateDecision::Passed, "nothing is nothing");
    }

    #[test]
    fn every_gate_counts_for_the_correction() {
        // Six pairs: 1/64 by itself is significant, among four gates it is not, and could not be.
        let pairs = tokens(6, &[Some(100)], &[Some(200)]);
        let gate = bound(CompareMetric::Tokens, "0.1");
        assert_eq!(judge(&[gate], &Series::all(&pairs), DRAWS)[0].decision, GateDecision::Failed);
        let bounds = [
            gate,
            bound(CompareMetric::Cost, "0.1"),
            bound(CompareMetric::Ttft, "0.1"),
            bound(CompareMetric::Latency, "0.1"),
        ];
        let gated = judge(&bounds, &Series::all(&pairs), DRAWS);
        assert_eq!(
            (gated[0].p, gated[0].decision),
            (4.0 / 64.0, GateDecision::Inconclusive(MissingEvidence::Repeats(2)))
        );
        assert_eq!(gated[1].decision, GateDecision::Inconclusive(MissingEvidence::Pairs));
    }

    #[test]
    fn the_bill_decides_and_not_the_typical_run() {
        let ten: Vec<Option<u64>> = (0..10).map(|run| Some(if run == 4 { 10_000 } else { 800 })).collect();
        let pairs = tokens(20, &[Some(1_000); 10], &ten);
        assert_eq!(decided(&pairs, bound(CompareMetric::Tokens, "0.1")), GateDecision::Failed);
    }
}
