//! What attempts used, in words: never less than what is known, and never as if all were known where it is not.

use rust_decimal::Decimal;

use crate::base::units::format_count;
use crate::record::attempt::UsageTotals;
use crate::record::journal::{CaseRecord, RunRecord};
use crate::report::text::one_line;

/// What all attempts of a case used.
pub(super) fn used(case: &CaseRecord) -> UsageTotals {
    let mut sum = UsageTotals::default();
    for attempt in &case.attempts {
        // A price that is no number is told with the run, by the fold.
        let _ = sum.add(&attempt.facts.used());
    }
    sum
}

/// `4,210 tokens or more`, `0.0123 USD`: tokens and each currency of a run, as far as something was used or may have been.
pub(crate) fn told_use(record: &RunRecord) -> Vec<String> {
    let used = &record.totals.used;
    let mut told: Vec<String> = told_tokens(used).into_iter().collect();
    match told_cost(used) {
        cost if cost.is_empty()
            && used.cost_unknown > 0
            && AttemptSources::of(record) == AttemptSources::Live =>
        {
            told.push(String::from("cost unknown"));
        }
        cost => told.extend(cost),
    }
    told
}

/// The tokens of attempts; none where surely none were used.
pub(super) fn told_tokens(used: &UsageTotals) -> Option<String> {
    match (used.tokens, used.tokens_unknown) {
        (0, 0) => None,
        (0, _) => Some(String::from("tokens unknown")),
        (tokens, unknown) => {
            let plural = if tokens == 1 { "" } else { "s" };
            Some(format!("{} token{plural}{}", format_count(tokens), or_more(unknown)))
        }
    }
}

/// The price in each currency that was told.
pub(super) fn told_cost(used: &UsageTotals) -> Vec<String> {
    let price = |(currency, amount): (&String, &Decimal)| {
        format!("{} {}{}", amount.normalize(), one_line(currency, 10), or_more(used.cost_unknown))
    };
    used.cost.iter().map(price).collect()
}

/// What stands behind a sum of which something is not known.
pub(super) fn or_more(unknown: u32) -> &'static str {
    if unknown > 0 { " or more" } else { "" }
}

/// Who answered the attempts of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AttemptSources {
    /// A live Dify, or what was recorded of one.
    Live,
    /// The mock, which costs nothing: that it names no price is no news.
    Mock,
}

impl AttemptSources {
    /// Those of a run.
    pub fn of(record: &RunRecord) -> Self {
        if record.start.mock { Self::Mock } else { Self::Live }
    }
}

/// What a case used, as properties of its document: `tokens`, then `cost` in each currency.
pub(super) fn told_properties(case: &CaseRecord, answers: AttemptSources) -> Vec<(&'static str, String)> {
    let spent = used(case);
    let tokens = match (spent.tokens, spent.tokens_unknown) {
        (0, unknown) if unknown > 0 => String::from("unknown"),
        (tokens, unknown) => format!("{tokens}{}", or_more(unknown)),
    };
    let mut told = vec![("tokens", tokens)];
    told.extend(told_cost(&spent).into_iter().map(|price| ("cost", price)));
    if spent.cost.is_empty() && spent.cost_unknown > 0 && answers == AttemptSources::Live {
        told.push(("cost", String::from("unknown")));
    }
    told
}
