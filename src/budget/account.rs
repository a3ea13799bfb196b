//! What is known of one budget: spent, set aside, at work; and whether an attempt fits. Pure.

use rust_decimal::Decimal;

use crate::budget::amount::{Amount, Costs, SpendingKind, SpendingLimit};
use crate::budget::record::{Exclusivity, KnownParts};

/// The state of one budget: the run's, or that of a suite.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Account {
    /// What finished attempts used, or were counted for where nobody knows.
    pub spent: Amount,
    /// What is set aside for attempts at work.
    pub reserved: Amount,
    /// Attempts at work.
    pub at_work: u32,
    /// Those of them that must be alone.
    pub alone: u32,
    /// The most that an attempt used so far; `None` before one ran whose use is known.
    pub largest: LargestUse,
    /// When its time began, milliseconds of the ledger's time.
    pub began_ms: Option<u64>,
    /// Attempts whose tokens nobody knows: counted as they were set aside.
    pub unknown_tokens: u32,
    /// The same for prices.
    pub unknown_cost: u32,
}

/// The most that an attempt used so far.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LargestUse {
    /// Tokens.
    pub tokens: Option<u64>,
    /// Prices.
    pub cost: Costs,
}

/// What an attempt is expected to use; what is absent nobody knows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Expected {
    /// Tokens.
    pub tokens: Option<u64>,
    /// Prices.
    pub cost: Costs,
}

impl Expected {
    /// This, and where it knows nothing the other.
    #[must_use]
    pub fn or(&self, tokens: Option<u64>, cost: &Costs) -> Self {
        let mut all = cost.clone();
        all.extend(self.cost.iter().map(|(currency, price)| (*currency, *price)));
        Self { tokens: self.tokens.or(tokens), cost: all }
    }

    /// How much of a kind; `None` where nobody knows, and for time.
    pub fn of(&self, kind: SpendingKind) -> Option<Decimal> {
        match kind {
            SpendingKind::Tokens => self.tokens.map(Decimal::from),
            SpendingKind::Cost(currency) => self.cost.get(&currency).copied(),
            SpendingKind::Time => None,
        }
    }
}

/// What an ended attempt is counted with.
#[derive(Debug, Clone, Copy)]
pub struct SettledUsage<'a> {
    /// How much.
    pub amount: &'a Amount,
    /// What of it is known; the rest is what was set aside.
    pub known: KnownParts,
}

/// A limit of a budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KindLimit {
    /// Of what.
    pub kind: SpendingKind,
    /// The most that may be spent.
    pub limit: Decimal,
}

/// Whether an attempt fits into one budget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BudgetRoom {
    /// It does, beside others or alone.
    Fits(Exclusivity),
    /// It may, once others have ended.
    Later,
    /// It does not, whatever the others use less.
    Never(Shortage),
}

/// What a budget has too little of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shortage {
    /// Of what.
    pub kind: SpendingKind,
    /// What the whole budget is.
    pub limit: Decimal,
    /// What is left of it.
    pub left: Decimal,
    /// What the attempt may use; `None` where nobody knows.
    pub needed: Option<Decimal>,
    /// Attempts that were counted as they were set aside, since nobody knows what they used.
    pub unknown: u32,
}

impl Account {
    /// Counts an attempt that begins.
    pub fn reserve(&mut self, amount: &Amount, company: Exclusivity, elapsed_ms: u64) {
        self.reserved.add(amount);
        self.at_work += 1;
        self.began_ms.get_or_insert(elapsed_ms);
        match company {
            Exclusivity::Others => {}
            Exclusivity::Alone => self.alone += 1,
        }
    }

    /// Counts an attempt that ended, of which so much had been set aside.
    pub fn settle(&mut self, reserved: &Amount, company: Exclusivity, used: SettledUsage<'_>) {
        self.reserved.take(reserved);
        self.at_work = self.at_work.saturating_sub(1);
        match company {
            Exclusivity::Others => {}
            Exclusivity::Alone => self.alone = self.alone.saturating_sub(1),
        }
        let SettledUsage { amount, known } = used;
        self.spent.add(amount);
        self.unknown_tokens += u32::from(!known.tokens);
        self.unknown_cost += u32::from(!known.cost);
        if known.ran && known.tokens {
            self.largest.tokens = self.largest.tokens.max(Some(amount.tokens));
        }
        if known.ran && known.cost {
            for (currency, price) in &amount.cost {
                let most = self.largest.cost.entry(*currency).or_default();
                *most = (*most).max(*price);
            }
        }
    }

    /// Whether an attempt fits that is expected to use so much, at this time of the budget.
    pub fn room(&self, allowance: &SpendingLimit, expected: &Expected, elapsed_ms: u64) -> BudgetRoom {
        if let Some(limit) = allowance.time {
            let gone = elapsed_ms.saturating_sub(self.began_ms.unwrap_or(elapsed_ms));
            if u128::from(gone) >= limit.as_millis() {
                let limit = Decimal::new(i64::try_from(limit.as_millis()).unwrap_or(i64::MAX), 3);
                let shortage = Shortage {
                    kind: SpendingKind::Time,
                    limit,
                    left: Decimal::ZERO,
                    needed: None,
                    unknown: 0,
                };
                return BudgetRoom::Never(shortage);
            }
        }
        if !allowance.is_reserved() {
            return BudgetRoom::Fits(Exclusivity::Others);
        }
        let mut company = Exclusivity::Others;
        let mut later = self.alone > 0;
        for KindLimit { kind, limit } in limits(allowance) {
            let spent = self.spent.of(kind);
            let left = (limit - spent).max(Decimal::ZERO);
            let needed = expected.of(kind);
            if left.is_zero() || needed.is_some_and(|needed| needed > left) {
                return BudgetRoom::Never(Shortage {
                    kind,
                    limit,
                    left,
                    needed,
                    unknown: self.unknown(kind),
                });
            }
            match needed {
                Some(needed) => {
                    later |= needed > left - self.reserved.of(kind) || left <= self.reserved.of(kind)
                }
                None => company = Exclusivity::Alone,
            }
        }
        match company {
            Exclusivity::Alone if self.at_work > 0 => BudgetRoom::Later,
            Exclusivity::Alone | Exclusivity::Others if later => BudgetRoom::Later,
            Exclusivity::Alone | Exclusivity::Others => BudgetRoom::Fits(company),
        }
    }

    /// Attempts of which nobody knows how much of a kind they used.
    pub fn unknown(&self, kind: SpendingKind) -> u32 {
        match kind {
            SpendingKind::Tokens => self.unknown_tokens,
            SpendingKind::Cost(_) => self.unknown_cost,
            SpendingKind::Time => 0,
        }
    }

    /// What is neither spent nor set aside of a kind.
    pub fn left(&self, kind: SpendingKind, limit: Decimal) -> Decimal {
        (limit - self.spent.of(kind)).saturating_sub(self.reserved.of(kind)).max(Decimal::ZERO)
    }
}

impl Amount {
    /// How much of a kind; nothing for time.
    pub fn of(&self, kind: SpendingKind) -> Decimal {
        match kind {
            SpendingKind::Tokens => Decimal::from(self.tokens),
            SpendingKind::Cost(currency) => self.in_currency(currency),
            SpendingKind::Time => Decimal::ZERO,
        }
    }
}

/// What must be set aside before it is spent, each with its limit.
pub fn limits(allowance: &SpendingLimit) -> impl Iterator<Item = KindLimit> + '_ {
    let of_tokens = |tokens| KindLimit { kind: SpendingKind::Tokens, limit: Decimal::from(tokens) };
    let tokens = allowance.tokens.map(of_tokens);
    let in_currency = |currency, limit| KindLimit { kind: SpendingKind::Cost(currency), limit };
    let cost = allowance.cost.iter().map(move |(currency, limit)| in_currency(*currency, *limit));
    tokens.into_iter().chain(cost)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::budget::amount::Currency;

    fn tokens(tokens: u64) -> Amount {
        Amount { tokens, ..Amount::default() }
    }

    fn of(tokens: u64) -> SpendingLimit {
        SpendingLimit { tokens: Some(tokens), ..SpendingLimit::default() }
    }

    fn expects(tokens: u64) -> Expected {
        Expected { tokens: Some(tokens), ..Expected::default() }
    }

    const FITS: BudgetRoom = BudgetRoom::Fits(Exclusivity::Others);

    #[test]
    fn what_fits_goes_what_may_fit_waits_what_cannot_fit_is_refused() {
        let mut account = Account::default();
        account.reserve(&tokens(600), Exclusivity::Others, 0);
        assert_eq!(account.room(&of(1000), &expects(400), 0), FITS);
        assert_eq!(account.room(&of(1000), &expects(401), 0), BudgetRoom::Later);
        let BudgetRoom::Never(shortage) = account.room(&of(1000), &expects(1001), 0) else {
            panic!("it fits")
        };
        assert_eq!((shortage.left, shortage.needed), (1000.into(), Some(1001.into())));
        account.settle(
            &tokens(600),
            Exclusivity::Others,
            SettledUsage { amount: &tokens(100), known: KnownParts { tokens: true, cost: true, ran: true } },
        );
        assert_eq!(account.room(&of(1000), &expects(900), 0), FITS);
        assert!(matches!(account.room(&of(1000), &expects(901), 0), BudgetRoom::Never(_)));
    }

    #[test]
    fn who_knows_nothing_runs_alone_and_nobody_beside_it() {
        let mut account = Account::default();
        let nothing = Expected::default();
        assert_eq!(account.room(&of(1000), &nothing, 0), BudgetRoom::Fits(Exclusivity::Alone));
        account.reserve(&tokens(1000), Exclusivity::Alone, 0);
        assert_eq!(account.room(&of(1000), &nothing, 0), BudgetRoom::Later);
        assert_eq!(account.room(&of(1000), &expects(0), 0), BudgetRoom::Later, "not even who uses nothing");
        let unknown = SettledUsage { amount: &tokens(1000), known: KnownParts::default() };
        account.settle(&tokens(1000), Exclusivity::Alone, unknown);
        assert!(matches!(account.room(&of(1000), &nothing, 0), BudgetRoom::Never(_)));
        assert_eq!((account.unknown_tokens, account.unknown_cost), (1, 1));
        assert_eq!(account.largest, LargestUse::default(), "what nobody knows teaches nothing");
    }

    #[test]
    fn a_budget_that_is_used_up_lets_nothing_in_not_even_what_is_free() {
        let mut account = Account::default();
        account.reserve(&tokens(1000), Exclusivity::Others, 0);
        assert_eq!(account.room(&of(1000), &expects(0), 0), BudgetRoom::Later);
        account.settle(
            &tokens(1000),
            Exclusivity::Others,
            SettledUsage { amount: &tokens(1500), known: KnownParts { tokens: true, cost: true, ran: true } },
        );
        assert!(matches!(account.room(&of(1000), &expects(0), 0), BudgetRoom::Never(_)));
        assert_eq!(
            account.room(&SpendingLimit::default(), &expects(5), 0),
            FITS,
            "without a budget all fits"
        );
    }

    #[test]
    fn time_runs_from_the_first_attempt_on() {
        let allowance = SpendingLimit { time: Some(Duration::from_secs(2)), ..SpendingLimit::default() };
        let mut account = Account::default();
        assert_eq!(account.room(&allowance, &Expected::default(), 60_000), FITS);
        account.reserve(&Amount::default(), Exclusivity::Others, 60_000);
        assert_eq!(account.room(&allowance, &Expected::default(), 61_999), FITS);
        assert!(matches!(account.room(&allowance, &Expected::default(), 62_000), BudgetRoom::Never(_)));
        assert_eq!(
            account.room(&allowance, &Expected::default(), 0),
            FITS,
            "a clock that steps back is no later time"
        );
    }

    #[test]
    fn each_currency_is_held_for_itself() {
        let (usd, eur) = (Currency(*b"USD"), Currency(*b"EUR"));
        let allowance =
            SpendingLimit { cost: [(usd, 1.into()), (eur, 2.into())].into(), ..SpendingLimit::default() };
        let mut account = Account::default();
        let both = |usd_price: i64, eur_price: i64| Expected {
            tokens: None,
            cost: [(usd, usd_price.into()), (eur, eur_price.into())].into(),
        };
        assert_eq!(account.room(&allowance, &both(1, 2), 0), FITS);
        assert!(
            matches!(account.room(&allowance, &both(1, 3), 0), BudgetRoom::Never(Shortage { kind: SpendingKind::Cost(c), .. }) if c == eur)
        );
        let only = Expected { tokens: None, cost: [(usd, 1.into())].into() };
        assert_eq!(
            account.room(&allowance, &only, 0),
            BudgetRoom::Fits(Exclusivity::Alone),
            "nobody knows how many EUR"
        );
        account.reserve(&Amount { tokens: 0, cost: only.cost.clone() }, Exclusivity::Others, 0);
        assert_eq!(account.room(&allowance, &both(1, 1), 0), BudgetRoom::Later);
    }
}
