//! A likeness as an exact share, so that nine of ten is 0.9 and not a little less.

use std::cmp::Ordering;

use rust_decimal::Decimal;

/// How alike two things are, from 0 (nothing in common) to 1 (the same): an exact share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Likeness {
    /// At most `whole`, in lowest terms with it.
    part: u128,
    /// Never 0.
    whole: u128,
}

impl Likeness {
    /// Nothing in common.
    pub const NONE: Self = Self { part: 0, whole: 1 };
    /// The same.
    pub const ALL: Self = Self { part: 1, whole: 1 };

    /// The share `part` of `whole`; of nothing it is nothing.
    pub fn of(part: usize, whole: usize) -> Self {
        Self::reduced(part as u128, whole as u128)
    }

    /// The share that a decimal from 0 to 1 says; `None` for others.
    pub fn of_decimal(decimal: Decimal) -> Option<Self> {
        let part = u128::try_from(decimal.mantissa()).ok()?;
        let whole = 10_u128.checked_pow(decimal.scale())?;
        (part <= whole).then(|| Self::reduced(part, whole))
    }

    /// The mean of several; of none it is the whole. Where no fraction can hold it, it is a little less than the true one.
    pub fn mean(all: impl Iterator<Item = Self>) -> Self {
        let (mut count, mut sum) = (0_u128, ShareSum { whole: 0, rest: Self::NONE });
        for likeness in all {
            count += 1;
            sum.add(likeness);
        }
        if count == 0 { Self::ALL } else { sum.over(count) }
    }

    /// As a number that may be rounded: for formulas and for show, never for a bound.
    pub fn to_f64(self) -> f64 {
        self.part as f64 / self.whole as f64
    }

    /// As a percentage with one decimal, cut and not rounded: it never shows a bound that it misses.
    pub fn percent(self) -> f64 {
        self.cut_at(1_000) as f64 / 10.0
    }

    /// As a number of three decimals, cut likewise.
    pub fn shown(self) -> String {
        format!("{:.3}", self.cut_at(1_000) as f64 / 1_000.0)
    }

    fn cut_at(self, steps: u128) -> u128 {
        let Self { part, whole } = self.within(u128::MAX / steps);
        part * steps / whole
    }

    fn reduced(part: u128, whole: u128) -> Self {
        match divisor(part, whole) {
            0 => Self::NONE,
            _ if whole == 0 => Self::NONE,
            common => Self { part: part / common, whole: whole / common },
        }
    }

    /// The same share, or a little less, with a whole of at most `most`.
    fn within(self, most: u128) -> Self {
        let Self { mut part, mut whole } = self;
        while whole > most {
            part /= 2;
            whole = whole / 2 + 1;
        }
        Self { part, whole }
    }
}

impl Ord for Likeness {
    /// Compares exactly and without products, which could overflow: whole parts first, then what is left, turned over.
    fn cmp(&self, other: &Self) -> Ordering {
        let (mut one, mut two) = ((self.part, self.whole), (other.part, other.whole));
        let mut is_turned = false;
        loop {
            let order = (one.0 / one.1).cmp(&(two.0 / two.1));
            let left = (one.0 % one.1, two.0 % two.1);
            let order = match (order, left) {
                (Ordering::Equal, (0, 0)) => Ordering::Equal,
                (Ordering::Equal, (0, _)) => Ordering::Less,
                (Ordering::Equal, (_, 0)) => Ordering::Greater,
                (Ordering::Equal, _) => {
                    (one, two) = ((one.1, left.0), (two.1, left.1));
                    is_turned = !is_turned;
                    continue;
                }
                (Ordering::Less | Ordering::Greater, _) => order,
            };
            return if is_turned { order.reverse() } else { order };
        }
    }
}

impl PartialOrd for Likeness {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// A sum of shares: the whole ones, and what is left of less than one.
struct ShareSum {
    whole: u128,
    rest: Likeness,
}

impl ShareSum {
    fn add(&mut self, next: Likeness) {
        // Below 2^63 each product fits, and so does their sum.
        let exact = self.rest.whole.checked_mul(next.whole).zip(self.rest.part.checked_mul(next.whole));
        let exact = exact.zip(next.part.checked_mul(self.rest.whole));
        let (part, whole) = match exact.and_then(|((whole, one), two)| Some((one.checked_add(two)?, whole))) {
            Some(sum) => sum,
            None => {
                let (one, two) = (self.rest.within(1 << 62), next.within(1 << 62));
                (one.part * two.whole + two.part * one.whole, one.whole * two.whole)
            }
        };
        self.whole += part / whole;
        self.rest = Likeness::reduced(part % whole, whole);
    }

    fn over(self, count: u128) -> Likeness {
        let rest = match self.rest.whole.checked_mul(count) {
            Some(_) => self.rest,
            None => self.rest.within(u128::MAX / count / 2),
        };
        let whole = rest.whole.saturating_mul(count);
        Likeness::reduced((self.whole * rest.whole).saturating_add(rest.part).min(whole), whole)
    }
}

fn divisor(mut one: u128, mut other: u128) -> u128 {
    while other > 0 {
        (one, other) = (other, one % other);
    }
    one
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decimal(text: &str) -> Likeness {
        Likeness::of_decimal(text.parse().unwrap()).unwrap()
    }

    #[test]
    fn shares_are_exact_at_a_bound() {
        for (part, whole, bound) in [(9, 10, "0.9"), (7, 10, "0.7"), (29, 100, "0.29"), (1, 1, "1.000")] {
            assert!(Likeness::of(part, whole) >= decimal(bound), "{part} of {whole}");
            assert!(Likeness::of(part * 1_000 - 1, whole * 1_000) < decimal(bound));
        }
        assert!(Likeness::of(2, 3) < decimal("0.6666666666666666666666666667"));
        assert!(Likeness::of(2, 3) > decimal("0.6666666666666666666666666666"));
        assert_eq!((Likeness::of(0, 0), Likeness::of(3, 0)), (Likeness::NONE, Likeness::NONE));
        for none in ["-0.1", "1.1"] {
            assert_eq!(Likeness::of_decimal(none.parse().unwrap()), None);
        }
    }

    #[test]
    fn what_is_shown_is_cut_and_not_rounded() {
        assert_eq!(Likeness::of(8_999, 10_000).shown(), "0.899");
        assert_eq!(Likeness::of(9, 10).shown(), "0.900");
        assert_eq!(Likeness::of(89_999, 100_000).percent(), 89.9);
        assert_eq!(Likeness::of(9, 10).percent(), 90.0);
        assert_eq!(Likeness::of(9, 10).to_f64().to_string(), "0.9");
    }

    #[test]
    fn means_are_exact_and_never_too_large() {
        let of = |shares: &[(usize, usize)]| {
            Likeness::mean(shares.iter().map(|(part, whole)| Likeness::of(*part, *whole)))
        };
        assert_eq!(of(&[]), Likeness::ALL);
        assert_eq!(of(&[(9, 10); 37]), decimal("0.9"));
        assert_eq!(of(&[(1, 3), (1, 6), (1, 2), (3, 5)]), decimal("0.4"));
        let odd: Vec<(usize, usize)> = (0..400).map(|step| (90_001 + step, 100_003 + 2 * step)).collect();
        let true_mean = odd.iter().map(|(part, whole)| *part as f64 / *whole as f64).sum::<f64>() / 400.0;
        assert!((of(&odd).to_f64() - true_mean).abs() < 1e-12);
        assert_eq!(of(&[(1, 1); 1_000]), Likeness::ALL);
        // Thirds of wholes whose products no number holds: a little less than a third.
        let huge: Vec<(usize, usize)> =
            (0..1_000).map(|step| (1 << 62) + 2 * step + 1).map(|whole| (whole / 3, whole)).collect();
        let mean = of(&huge);
        assert!(mean <= Likeness::of(1, 3) && mean.to_f64() > 1.0 / 3.0 - 1e-9, "{mean:?}");
    }

    #[test]
    fn a_share_of_a_smaller_whole_is_the_same_or_less() {
        assert_eq!(Likeness::of(7, 8).within(8), Likeness::of(7, 8));
        for (whole, part) in (2..60_usize).flat_map(|whole| (0..=whole).map(move |part| (whole, part))) {
            let share = Likeness::of(part, whole);
            for most in 2..60 {
                let less = share.within(most);
                assert!(less <= share && less.whole <= most, "{part} of {whole} within {most}: {less:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn shares_order_as_their_products(a in 0..50_usize, b in 1..50_usize, c in 0..50_usize, d in 1..50_usize) {
            let (a, c) = (a.min(b), c.min(d));
            prop_assert_eq!(Likeness::of(a, b).cmp(&Likeness::of(c, d)), (a * d).cmp(&(c * b)));
            prop_assert_eq!(Likeness::of(a, b) == Likeness::of(c, d), a * d == c * b);
        }
    }
}
