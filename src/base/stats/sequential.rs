//! A test of one rate against another that may be looked at after every trial.
//!
//! The evidence is the likelihood ratio of Wald's sequential probability ratio test (A. Wald, "Sequential tests of
//! statistical hypotheses", Annals of Mathematical Statistics 16 (1945), 117-186). It is a martingale where the rate is at
//! one of the two boundaries, and on the far side of a boundary it falls on average. Ville's inequality (J. Ville, "Étude
//! critique de la notion de collectif", 1939) therefore bounds the chance that it ever reaches 1/α by α, however often one
//! looks and whenever one stops: it is the betting e-process of A. Ramdas and others, "Game-theoretic statistics and safe
//! anytime-valid inference", Statistical Science 38 (2023), with the bet that grows fastest at the other boundary. Wald's
//! own limits, (1-β)/α and β/(1-α), are a little nearer and promise only that both errors together stay below α + β.

/// What the trials say so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SequentialDecision {
    /// The rate is not so low as the lower boundary.
    AtLeast,
    /// The rate is not so high as the upper boundary.
    AtMost,
    /// It may still be either.
    Open,
}

/// A test of "at least `high`" against "at most `low`".
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Sequential {
    /// What a success adds to the evidence: a natural logarithm, above 0.
    success: f64,
    /// What a failure adds: below 0, and without bound where the upper boundary is 1.
    failure: f64,
    /// The evidence that decides, on either side of 0.
    enough: f64,
}

/// Sums that ought to be equal differ by rounding.
const SLACK: f64 = 1e-9;

impl Sequential {
    /// A test with 0 < `low` < `high` <= 1, each of whose errors has at most the chance `error`, 0 to 1.
    pub fn new(low: f64, high: f64, error: f64) -> Self {
        Self { success: (high / low).ln(), failure: ((1.0 - high) / (1.0 - low)).ln(), enough: -error.ln() }
    }

    /// The evidence for the upper boundary: the logarithm of the likelihood ratio.
    pub fn evidence(&self, successes: u32, failures: u32) -> f64 {
        // No failure adds nothing, even where one would add -∞.
        let against = if failures == 0 { 0.0 } else { f64::from(failures) * self.failure };
        f64::from(successes) * self.success + against
    }

    /// What this many trials say; it may be asked after each.
    pub fn decide(&self, successes: u32, failures: u32) -> SequentialDecision {
        let evidence = self.evidence(successes, failures);
        if evidence >= self.enough - SLACK {
            SequentialDecision::AtLeast
        } else if evidence <= SLACK - self.enough {
            SequentialDecision::AtMost
        } else {
            SequentialDecision::Open
        }
    }

    /// True when no further trial can change what was decided.
    pub fn is_final(&self, failures: u32) -> bool {
        failures > 0 && self.failure == f64::NEG_INFINITY
    }

    /// How many successes in a row decide it.
    pub fn fewest_successes(&self) -> u32 {
        fewest(self.enough, self.success)
    }

    /// How many failures in a row decide it.
    pub fn fewest_failures(&self) -> u32 {
        fewest(self.enough, -self.failure)
    }
}

/// The least count whose steps add up to `enough`; more than can be counted is the most there is.
fn fewest(enough: f64, step: f64) -> u32 {
    // `as` ends at the bounds, and makes 0 of what is no number.
    (((enough - SLACK) / step).ceil() as u32).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usual() -> Sequential {
        Sequential::new(0.7, 0.9, 1.0 - 0.95)
    }

    #[test]
    fn twelve_straight_passes_decide_the_contracts_example() {
        assert_eq!(usual().fewest_successes(), 12);
        assert_eq!(usual().fewest_failures(), 3);
        assert_eq!(usual().decide(11, 0), SequentialDecision::Open);
        assert_eq!(usual().decide(12, 0), SequentialDecision::AtLeast);
        assert_eq!(usual().decide(12, 1), SequentialDecision::Open);
        assert_eq!(usual().decide(16, 1), SequentialDecision::Open);
        assert_eq!(usual().decide(17, 1), SequentialDecision::AtLeast);
        assert_eq!(usual().decide(0, 2), SequentialDecision::Open);
        assert_eq!(usual().decide(0, 3), SequentialDecision::AtMost);
        assert_eq!(usual().decide(0, 0), SequentialDecision::Open);
    }

    #[test]
    fn evidence_of_just_what_is_enough_decides() {
        // Each success doubles the ratio: four make sixteen. Each failure makes a third of it: two make a ninth.
        let sixteen = Sequential::new(0.4, 0.8, 1.0 / 16.0);
        assert_eq!(
            (sixteen.decide(3, 0), sixteen.decide(4, 0)),
            (SequentialDecision::Open, SequentialDecision::AtLeast)
        );
        assert_eq!(sixteen.fewest_successes(), 4);
        let nine = Sequential::new(0.4, 0.8, 1.0 / 9.0);
        assert_eq!(
            (nine.decide(0, 1), nine.decide(0, 2)),
            (SequentialDecision::Open, SequentialDecision::AtMost)
        );
        assert_eq!(nine.fewest_failures(), 2);
    }

    #[test]
    fn a_rate_of_one_is_undone_by_one_failure() {
        let strict = Sequential::new(0.8, 1.0, 0.05);
        assert_eq!(strict.fewest_failures(), 1);
        assert_eq!(strict.fewest_successes(), 14);
        assert_eq!(strict.decide(14, 0), SequentialDecision::AtLeast);
        assert_eq!(strict.decide(9_000, 1), SequentialDecision::AtMost);
        assert!(strict.is_final(1) && !strict.is_final(0) && !usual().is_final(5));
    }

    #[test]
    fn what_decides_in_a_row_is_the_least_that_does() {
        for (low, high, error) in [(0.1, 0.3, 0.05), (0.5, 0.95, 0.01), (0.89, 0.9, 0.1), (0.999, 1.0, 0.001)]
        {
            let test = Sequential::new(low, high, error);
            let (successes, failures) = (test.fewest_successes(), test.fewest_failures());
            assert_eq!(test.decide(successes, 0), SequentialDecision::AtLeast);
            assert_eq!(test.decide(successes - 1, 0), SequentialDecision::Open);
            assert_eq!(test.decide(0, failures), SequentialDecision::AtMost);
            assert_eq!(test.decide(0, failures - 1), SequentialDecision::Open);
        }
    }

    #[test]
    fn the_evidence_is_the_likelihood_ratio_of_scipy() {
        let table = include_str!("../../../tests/data/stats/evidence.csv");
        for line in table.lines().skip(1) {
            let cells: Vec<f64> = line.split(',').map(|cell| cell.parse().unwrap()).collect();
            let [low, high, successes, failures, evidence] = cells[..] else { panic!("{line}") };
            let found = Sequential::new(low, high, 0.05).evidence(successes as u32, failures as u32);
            assert!((found - evidence).abs() < 1e-8, "{line}: {found}");
        }
        assert!(table.lines().count() >= 20);
    }
}
