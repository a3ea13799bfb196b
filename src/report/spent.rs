//! The usage of attempts in words: never less than what is known, and marked where it is not fully known.

use rust_decimal::Decimal;

use crate::base::plural::counted;
use crate::record::attempt::UsageTotals;
use crate::record::journal::{CaseRecord, RunRecord};
use crate::report::property::ReportProperty;
use crate::report::text::one_line;

/// What all attempts of a case used.
pub(super) fn used(case: &CaseRecord) -> UsageTotals {
    let mut sum = UsageTotals::default();
    for attempt in &case.attempts {
        // The fold reports a price that is not a number.
        let _ = sum.add(&attempt.facts.used());
    }
    sum
}

/// `4,210 tokens or more`, `0.0123 USD`: the tokens and each currency of a run, where any were used or may have been.
pub(crate) fn usage_texts(record: &RunRecord) -> Vec<String> {
    let used = &record.totals.used;
    let mut texts: Vec<String> = tokens_text(used).into_iter().collect();
    match cost_texts(used) {
        cost if cost.is_empty()
            && used.cost_unknown > 0
            && AttemptSources::of(record) == AttemptSources::Live =>
        {
            texts.push(String::from("cost unknown"));
        }
        cost => texts.extend(cost),
    }
    texts
}

/// The tokens of attempts; `None` where certainly none were used.
pub(super) fn tokens_text(used: &UsageTotals) -> Option<String> {
    match (used.tokens, used.tokens_unknown) {
        (0, 0) => None,
        (0, _) => Some(String::from("tokens unknown")),
        (tokens, unknown) => Some(format!("{}{}", counted(tokens, "token"), or_more(unknown))),
    }
}

/// The price in each known currency.
pub(super) fn cost_texts(used: &UsageTotals) -> Vec<String> {
    let price = |(currency, amount): (&String, &Decimal)| {
        format!("{} {}{}", amount.normalize(), one_line(currency, 10), or_more(used.cost_unknown))
    };
    used.cost.iter().map(price).collect()
}

/// The words after a sum of which a part is not known.
pub(super) fn or_more(unknown: u32) -> &'static str {
    if unknown > 0 { " or more" } else { "" }
}

/// Who answered the attempts of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AttemptSources {
    /// A live Dify, or recordings of one.
    Live,
    /// The mock, which costs nothing, so that a missing price means nothing.
    Mock,
}

impl AttemptSources {
    /// Those of a run.
    pub fn of(record: &RunRecord) -> Self {
        if record.start.mock { Self::Mock } else { Self::Live }
    }
}

/// The usage of a case as properties: `tokens`, then `cost` in each currency.
pub(super) fn usage_properties(case: &CaseRecord, sources: AttemptSources) -> Vec<ReportProperty> {
    let spent = used(case);
    let tokens = match (spent.tokens, spent.tokens_unknown) {
        (0, unknown) if unknown > 0 => String::from("unknown"),
        (tokens, unknown) => format!("{tokens}{}", or_more(unknown)),
    };
    let mut properties = vec![ReportProperty::new("tokens", tokens)];
    properties.extend(cost_texts(&spent).into_iter().map(|price| ReportProperty::new("cost", price)));
    if spent.cost.is_empty() && spent.cost_unknown > 0 && sources == AttemptSources::Live {
        properties.push(ReportProperty::new("cost", "unknown"));
    }
    properties
}
