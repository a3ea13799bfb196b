//! What an attempt used, as far as its budgets can count it, and whether that is more than one attempt may.

use rust_decimal::Decimal;

use crate::base::units::format_count;
use crate::budget::{Amount, AttemptUsage, Costs, Currency};
use crate::dify::transcript::{Ending, NodesUsage, StopOutcome, Transcript};
use crate::plan::case::Case;
use crate::record::attempt::{JudgeFact, JudgesSpent, ObservedUse, Price, REJECTED, RunFacts};
use crate::record::verdict::{Finding, Severity, Truth};

/// An attempt that ended.
pub struct EndedAttempt<'a> {
    /// Its numbers.
    pub facts: &'a RunFacts,
    /// What judges were asked about it.
    pub judges: &'a [JudgeFact],
    /// What came back.
    pub transcript: &'a Transcript,
}

/// What budgets limit.
pub struct BudgetLimits {
    /// Tokens.
    pub tokens: bool,
    /// Prices in these currencies.
    pub currencies: Vec<Currency>,
}

/// What an attempt used that surely did not run.
pub fn nothing() -> AttemptUsage {
    AttemptUsage { tokens: Some(0), cost: Some(Costs::new()), ..AttemptUsage::default() }
}

/// What an attempt used, its judges included, as far as it is told and the budgets can count it.
pub fn used(ended: &EndedAttempt<'_>, limits: &BudgetLimits) -> AttemptUsage {
    let mut judges = JudgesSpent::default();
    judges.add(ended.judges);
    let used = used_by_run(ended, limits);
    if judges.requests == 0 { used } else { with_judges(used, &judges, limits) }
}

/// Adds what judges used; an endpoint tells no price, and so counts by its tokens alone.
fn with_judges(used: AttemptUsage, judges: &JudgesSpent, limits: &BudgetLimits) -> AttemptUsage {
    let AttemptUsage { tokens, mut cost, mut at_least, .. } = used;
    at_least.tokens = at_least.tokens.saturating_add(judges.tokens);
    let is_known = judges.tokens_unknown == 0 || !limits.tokens;
    let tokens = tokens.filter(|_| is_known).map(|tokens| tokens.saturating_add(judges.tokens));
    for (name, amount) in &judges.cost {
        let currency = Currency::of(name);
        if let Some(currency) = currency {
            let sum = at_least.cost.entry(currency).or_default();
            *sum = sum.saturating_add(*amount);
        }
        match currency.filter(|currency| limits.currencies.contains(currency)) {
            Some(currency) => {
                if let Some(cost) = &mut cost {
                    let sum = cost.entry(currency).or_default();
                    *sum = sum.saturating_add(*amount);
                }
            }
            // What costs in a currency that no budget counts is not known to it.
            None if !limits.currencies.is_empty() => cost = None,
            None => {}
        }
    }
    AttemptUsage { tokens, cost, at_least, ran: true }
}

fn used_by_run(ended: &EndedAttempt<'_>, limits: &BudgetLimits) -> AttemptUsage {
    let EndedAttempt { facts, transcript, .. } = ended;
    if facts.seen.as_ref().is_some_and(|seen| seen.nothing) || facts.status.as_deref() == Some(REJECTED) {
        return nothing();
    }
    let nodes = NodesUsage::of(&transcript.nodes);
    let doubted = facts.usage.as_ref().map_or(0, |doubt| doubt.total.unwrap_or(0).max(doubt.nodes));
    let seen = facts.seen.as_ref().map_or(0, |seen| seen.tokens);
    let priced = |(name, price): (&String, &Decimal)| Some((Currency::of(name)?, *price));
    let at_least = Amount {
        tokens: nodes.tokens.max(doubted).max(seen),
        cost: nodes.prices.iter().filter_map(|(name, price)| priced((name, price))).collect(),
    };
    let tokens = if limits.tokens { facts.tokens } else { Some(facts.tokens.unwrap_or(at_least.tokens)) };
    let cost = if limits.currencies.is_empty() { Some(Costs::new()) } else { cost_of(facts, limits) };
    AttemptUsage { tokens, cost, at_least, ran: true }
}

/// What totals count of an attempt that surely did not run; the rest is as it was seen.
pub fn seen_use(facts: &RunFacts, transcript: &Transcript) -> Option<ObservedUse> {
    if transcript.ending.nothing_ran() {
        Some(ObservedUse { nothing: true, ..ObservedUse::default() })
    } else {
        facts.seen.clone()
    }
}

/// The prices, if all of them are in currencies that a budget counts; what costs in another is not known here.
fn cost_of(facts: &RunFacts, limits: &BudgetLimits) -> Option<Costs> {
    if facts.cost.is_empty() {
        return (facts.tokens == Some(0)).then(Costs::new);
    }
    let price = |price: &Price| {
        let currency = Currency::of(&price.currency).filter(|known| limits.currencies.contains(known))?;
        Some((currency, price.amount.parse::<Decimal>().ok()?))
    };
    facts.cost.iter().map(price).collect()
}

/// What is to be said of the cap of one attempt: that it was exceeded, or that nobody knows.
pub fn over_cap(case: &Case, transcript: &Transcript, facts: &RunFacts) -> Option<Finding> {
    let suite = &case.test.suite.budget;
    let (cap, place) = (&suite.cap, suite.cap_place.as_ref()?);
    let finding = |truth, severity, message| Finding {
        truth,
        severity,
        place: place.clone(),
        label: "budget.per_test".to_owned(),
        message,
        expected: None,
        actual: None,
        diff: None,
        members: Vec::new(),
    };
    let exceeded = |detail: &str| format!("the attempt used {detail}");
    if let Ending::Exceeded { detail } = &transcript.ending {
        let message = format!("the attempt used at least {detail}; {}", stopped(transcript));
        return Some(finding(Truth::Broken, Severity::Error, message));
    }
    let seen = NodesUsage::of(&transcript.nodes);
    let told = |currency: &str| {
        let price = facts.cost.iter().find(|price| price.currency == currency);
        price.and_then(|price| price.amount.parse().ok()).unwrap_or(Decimal::ZERO)
    };
    let over = cap.exceeded_by(&seen).or_else(|| cap.exceeded(facts.tokens.unwrap_or(0), told));
    if let Some(detail) = over {
        return Some(finding(Truth::Broken, Severity::Error, exceeded(&detail)));
    }
    let unknown = unknown_part(case, facts).filter(|_| has_ended(transcript))?;
    let message = format!("whether the attempt kept within it cannot be told: {unknown}");
    Some(finding(Truth::Undecided, Severity::Error, message))
}

/// True where the run came to an end of its own, so that its use should be known.
fn has_ended(transcript: &Transcript) -> bool {
    matches!(transcript.ending, Ending::Finished | Ending::Paused) && transcript.run.is_some()
}

/// What of the cap cannot be held against what Dify tells, and what helps; none where all can.
fn unknown_part(case: &Case, facts: &RunFacts) -> Option<String> {
    let cap = &case.test.suite.budget.cap;
    if cap.tokens.is_some() && facts.tokens.is_none() {
        let least = format_count(facts.used().tokens);
        return Some(format!(
            "Dify does not say reliably how many tokens it used; `usage: trust` takes its total as it is (its nodes say {least} tokens)"
        ));
    }
    let currency = &cap.cost.as_ref()?.currency;
    let others: Vec<String> = facts
        .cost
        .iter()
        .filter(|price| *price.currency != **currency)
        .map(|price| format!("{} {}", price.amount, price.currency))
        .collect();
    if !others.is_empty() {
        let others = others.join(" and ");
        return Some(format!(
            "it cost {others}, and the cap is in {currency}: no rate is known between them"
        ));
    }
    (!facts.used().cost_known).then(|| {
        "Dify does not say what it cost; prices come only in streams, of models whose price Dify knows"
            .to_owned()
    })
}

/// What was done about an attempt that had used too much.
fn stopped(transcript: &Transcript) -> &'static str {
    match &transcript.stopping {
        Some(StopOutcome::Asked) => "Dify was asked to stop it",
        Some(StopOutcome::Failed(_)) => "the request to stop it failed",
        Some(StopOutcome::NoTask) => "no event told its task, so that nothing could stop it",
        None => "it ended before it could be stopped",
    }
}
