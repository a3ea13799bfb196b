//! The plan that a sequential test is measured by: this many trials, counted once at their end.

/// A test of a fixed number of trials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FixedPlan {
    /// How many trials there are.
    pub trials: u32,
    /// How many of them must succeed.
    pub needed: u32,
}

/// Plans larger than this are not sought.
const MOST: u32 = 100_000;

/// The least number of trials that distinguishes "at least `high`" from "at most `low`" with errors of at most `error` each; `None`
/// where it is more than 100,000.
///
/// Exact binomial tails: at the least number of successes that a rate of `low` reaches with a chance of at most `error`, a
/// rate of `high` stays below with a chance of at most `error`. Both tails go from n to n + 1 trials by their recurrence
/// (P(X >= c) grows by p·P(X = c - 1)), so that no sum is made twice.
pub(crate) fn fixed_plan(low: f64, high: f64, error: f64) -> Option<FixedPlan> {
    let sound = low > 0.0 && low < high && high <= 1.0 && error > 0.0 && error < 0.5;
    if !sound {
        return None;
    }
    let mut lower = UpperTail::new(low);
    let mut upper = UpperTail::new(high);
    for trials in 1..=MOST {
        lower.add_trial();
        upper.add_trial();
        while lower.reach > error {
            lower.raise();
            upper.raise();
        }
        if 1.0 - upper.reach <= error && lower.needed <= trials {
            return Some(FixedPlan { trials, needed: lower.needed });
        }
    }
    None
}

/// The chance that `trials` trials of a rate have `needed` successes or more.
struct UpperTail {
    rate: f64,
    trials: u32,
    needed: u32,
    /// P(X >= needed).
    reach: f64,
    /// P(X = needed).
    here: f64,
    /// P(X = needed - 1); 0 where none are needed.
    below: f64,
}

impl UpperTail {
    /// No trials, of which none need succeed.
    fn new(rate: f64) -> Self {
        Self { rate, trials: 0, needed: 0, reach: 1.0, here: 1.0, below: 0.0 }
    }

    fn add_trial(&mut self) {
        let failed = 1.0 - self.rate;
        self.reach += self.rate * self.below;
        self.here = self.rate * self.below + failed * self.here;
        // The least needed is at most one more than there are trials.
        let ways = f64::from(self.trials + 1) / f64::from(self.trials + 2 - self.needed);
        self.below *= ways * failed;
        self.trials += 1;
    }

    fn raise(&mut self) {
        self.reach -= self.here;
        self.below = self.here;
        let left = f64::from(self.trials.saturating_sub(self.needed));
        // With a rate of 1 only the last place has a chance, and nothing is added by going on from it.
        let odds = if self.rate < 1.0 { self.rate / (1.0 - self.rate) } else { 0.0 };
        self.here *= left / f64::from(self.needed + 1) * odds;
        self.needed += 1;
        if self.rate == 1.0 && self.needed == self.trials {
            self.here = 1.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plans_are_those_found_by_scipy() {
        let table = include_str!("../../../tests/data/stats/fixed_plans.csv");
        for line in table.lines().skip(1) {
            let cells: Vec<f64> = line.split(',').map(|cell| cell.parse().unwrap()).collect();
            let [low, high, error, trials, needed] = cells[..] else { panic!("{line}") };
            let plan = fixed_plan(low, high, error).unwrap();
            assert_eq!((f64::from(plan.trials), f64::from(plan.needed)), (trials, needed), "{line}");
        }
        assert!(table.lines().count() >= 12);
    }

    #[test]
    fn what_cannot_be_told_apart_has_no_plan() {
        for (low, high, error) in [
            (0.9, 0.9, 0.05),
            (0.7, 0.9, 0.0),
            (0.0, 0.5, 0.05),
            (0.8999, 0.9, 0.05),
            (0.9, 0.7, 0.05),
            (0.3, 0.9, 0.5),
        ] {
            assert_eq!(fixed_plan(low, high, error), None, "{low} {high} {error}");
        }
    }

    #[test]
    fn an_error_of_just_what_is_allowed_is_allowed() {
        // Two successes in a row at a rate of one half: exactly a quarter.
        assert_eq!(fixed_plan(0.5, 1.0, 0.25), Some(FixedPlan { trials: 2, needed: 2 }));
    }
}
