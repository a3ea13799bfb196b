//! What an attempt used, as far as its budgets can count it, and whether it used more than one attempt may.

use rust_decimal::Decimal;

use crate::base::units::format_count;
use crate::budget::{Amount, AttemptUsage, Costs, Currency};
use crate::dify::transcript::{Ending, NodesUsage, StopOutcome, Transcript};
use crate::plan::case::Case;
use crate::record::attempt::{JudgeFact, JudgesSpent, ObservedUse, Price, REJECTED, RunFacts};
use crate::record::verdict::{Finding, Severity, Truth};

/// An attempt that ended.
pub struct EndedAttempt<'a> {
    /// What reports use of it.
    pub facts: &'a RunFacts,
    /// What judges answered about it.
    pub judges: &'a [JudgeFact],
    /// The answer, and how it ended.
    pub transcript: &'a Transcript,
}

/// What some budget limits, so that it must be known.
pub struct BudgetLimits {
    /// Tokens.
    pub tokens: bool,
    /// Prices in these currencies.
    pub currencies: Vec<Currency>,
}

/// The usage of an attempt that did not run.
pub fn nothing_used() -> AttemptUsage {
    AttemptUsage { tokens: Some(0), cost: Some(Costs::new()), ..AttemptUsage::default() }
}

/// What an attempt used, its judges included, as far as it is reported and the budgets can count it.
pub fn used(ended: &EndedAttempt<'_>, limits: &BudgetLimits) -> AttemptUsage {
    let mut judges = JudgesSpent::default();
    judges.add(ended.judges);
    let used = used_by_run(ended, limits);
    if judges.requests == 0 { used } else { with_judges(used, &judges, limits) }
}

/// Adds what judges used; an endpoint reports no price, and so counts by its tokens alone.
fn with_judges(used: AttemptUsage, judges: &JudgesSpent, limits: &BudgetLimits) -> AttemptUsage {
    let AttemptUsage { tokens, mut cost, mut at_least, .. } = used;
    // What is known of the run is used for certain, also where a judge's part is not known.
    at_least.tokens = at_least.tokens.max(tokens.unwrap_or(0)).saturating_add(judges.tokens);
    for (currency, known) in cost.iter().flatten() {
        let least = at_least.cost.entry(*currency).or_default();
        *least = (*least).max(*known);
    }
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
            // A cost in a currency that no budget counts is unknown to the budget.
            None if !limits.currencies.is_empty() => cost = None,
            None => {}
        }
    }
    AttemptUsage { tokens, cost, at_least, ran: true }
}

fn used_by_run(ended: &EndedAttempt<'_>, limits: &BudgetLimits) -> AttemptUsage {
    let EndedAttempt { facts, transcript, .. } = ended;
    if facts.seen.as_ref().is_some_and(|seen| seen.nothing) || facts.status.as_deref() == Some(REJECTED) {
        return nothing_used();
    }
    let nodes = NodesUsage::of(&transcript.answer.nodes);
    let doubted = facts.usage.as_ref().map_or(0, |doubt| doubt.total.unwrap_or(0).max(doubt.nodes));
    let seen = facts.seen.as_ref().map_or(0, |seen| seen.tokens);
    let at_least = Amount {
        tokens: nodes.tokens.max(doubted).max(seen),
        cost: nodes.prices.iter().filter_map(|(name, price)| Some((Currency::of(name)?, *price))).collect(),
    };
    let tokens = if limits.tokens { facts.tokens } else { Some(facts.tokens.unwrap_or(at_least.tokens)) };
    let cost = if limits.currencies.is_empty() { Some(Costs::new()) } else { cost_of(facts, limits) };
    AttemptUsage { tokens, cost, at_least, ran: true }
}

/// What totals count of an attempt: nothing if it certainly did not run, otherwise what was observed.
pub fn seen_use(facts: &RunFacts, transcript: &Transcript) -> Option<ObservedUse> {
    if transcript.ending.nothing_ran() {
        Some(ObservedUse { nothing: true, ..ObservedUse::default() })
    } else {
        facts.seen.clone()
    }
}

/// The prices, if all of them are in currencies that a budget counts; otherwise the cost is unknown here.
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

/// The finding of the cap of one attempt, if it was exceeded or if that is unknown.
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
    let seen = NodesUsage::of(&transcript.answer.nodes);
    let price_in = |currency: &str| {
        let price = facts.cost.iter().find(|price| price.currency == currency);
        price.and_then(|price| price.amount.parse().ok()).unwrap_or(Decimal::ZERO)
    };
    let over = cap.exceeded_by(&seen).or_else(|| cap.exceeded(facts.tokens.unwrap_or(0), price_in));
    if let Some(detail) = over {
        return Some(finding(Truth::Broken, Severity::Error, exceeded(&detail)));
    }
    let unknown = unknown_part(case, facts).filter(|_| has_ended(transcript))?;
    let message = format!("it is unknown whether the attempt kept within it: {unknown}");
    Some(finding(Truth::Undecided, Severity::Error, message))
}

/// True if the run ended by itself, so that its usage should be known.
fn has_ended(transcript: &Transcript) -> bool {
    matches!(transcript.ending, Ending::Finished | Ending::Paused) && transcript.answer.run.is_some()
}

/// Which part of the cap cannot be compared with what Dify reports, and what helps; `None` if all of it can.
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

/// What was done about an attempt that used too much.
fn stopped(transcript: &Transcript) -> &'static str {
    match &transcript.stopping {
        Some(StopOutcome::Asked) => "Dify was asked to stop it",
        Some(StopOutcome::Failed(_)) => "the request to stop it failed",
        Some(StopOutcome::NoTask) => "no event named its task, so it could not be stopped",
        None => "it ended before it could be stopped",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::dify::client::begin;
    use crate::dify::transcript::{Answer, NodeRun, PostedRequest, ResponseMode};
    use crate::record::attempt::{UsageDoubt, UsageKind};

    fn currency(name: &str) -> Currency {
        Currency::of(name).unwrap()
    }

    fn costs(prices: &[(&str, &str)]) -> Costs {
        prices.iter().map(|(amount, name)| (currency(name), amount.parse().unwrap())).collect()
    }

    fn prices(prices: &[(&str, &str)]) -> Vec<Price> {
        let price = |(amount, currency): &(&str, &str)| Price {
            amount: (*amount).to_owned(),
            currency: (*currency).to_owned(),
        };
        prices.iter().map(price).collect()
    }

    fn amount(tokens: u64, prices: &[(&str, &str)]) -> Amount {
        Amount { tokens, cost: costs(prices) }
    }

    fn limits(tokens: bool, currencies: &[&str]) -> BudgetLimits {
        BudgetLimits { tokens, currencies: currencies.iter().map(|name| currency(name)).collect() }
    }

    fn transcript(nodes: Vec<NodeRun>) -> Transcript {
        let begun = begin(ResponseMode::Streaming, json!({}), PostedRequest::default());
        Transcript { ending: Ending::Finished, answer: Answer { nodes, ..Answer::default() }, ..begun }
    }

    fn node(tokens: u64, price: Value) -> NodeRun {
        let usage = json!({ "total_tokens": tokens, "total_price": price, "currency": "USD" });
        let finished = Some(json!({ "status": "succeeded", "execution_metadata": usage }).into());
        NodeRun { node_type: "llm".to_owned(), finished, ..NodeRun::default() }
    }

    fn judge(tokens: u64, tokens_unknown: u32, cost: &[(&str, &str)]) -> JudgeFact {
        JudgeFact {
            judge: "tone".to_owned(),
            scores: vec![1.0],
            reason: String::new(),
            trouble: None,
            requests: 1,
            tokens,
            tokens_unknown,
            cost: prices(cost),
            ms: 1.0,
        }
    }

    fn of(facts: &RunFacts, judges: &[JudgeFact], limits: &BudgetLimits) -> AttemptUsage {
        used(&EndedAttempt { facts, judges, transcript: &transcript(Vec::new()) }, limits)
    }

    #[test]
    fn what_surely_did_not_run_used_nothing_and_that_is_known() {
        let none = AttemptUsage {
            tokens: Some(0),
            cost: Some(Costs::new()),
            at_least: Amount::default(),
            ran: false,
        };
        assert_eq!(nothing_used(), none);
        let seen = Some(ObservedUse { nothing: true, ..ObservedUse::default() });
        for facts in [
            RunFacts { seen, ..RunFacts::default() },
            RunFacts { status: Some("rejected".to_owned()), ..RunFacts::default() },
        ] {
            assert_eq!(of(&facts, &[], &limits(true, &["USD"])), none, "{facts:?}");
        }
        let failed = RunFacts { status: Some("failed".to_owned()), ..RunFacts::default() };
        let unknown = AttemptUsage { tokens: None, cost: None, at_least: Amount::default(), ran: true };
        assert_eq!(of(&failed, &[], &limits(true, &["USD"])), unknown);
    }

    #[test]
    fn what_is_not_told_is_unknown_to_the_budgets_that_count_it_and_to_no_other() {
        let facts =
            |tokens, cost: &[(&str, &str)]| RunFacts { tokens, cost: prices(cost), ..RunFacts::default() };
        let usd = &[("0.5", "USD")][..];
        for (facts, limits, tokens, cost) in [
            (facts(Some(19), usd), limits(true, &["USD"]), Some(19), Some(costs(usd))),
            (facts(None, usd), limits(true, &["USD"]), None, Some(costs(usd))),
            (facts(None, usd), limits(false, &["USD"]), Some(0), Some(costs(usd))),
            (facts(Some(19), usd), limits(true, &[]), Some(19), Some(Costs::new())),
            (facts(Some(19), &[]), limits(true, &["USD"]), Some(19), None),
            (facts(Some(0), &[]), limits(true, &["USD"]), Some(0), Some(Costs::new())),
            (facts(None, &[]), limits(true, &["USD"]), None, None),
            (facts(Some(19), usd), limits(true, &["EUR"]), Some(19), None),
            (facts(Some(19), &[("0.5", "USD"), ("1", "EUR")]), limits(true, &["USD"]), Some(19), None),
            (facts(Some(19), &[("a lot", "USD")]), limits(true, &["USD"]), Some(19), None),
        ] {
            let found = of(&facts, &[], &limits);
            assert_eq!((found.tokens, found.cost, found.ran), (tokens, cost, true), "{facts:?}");
        }
    }

    #[test]
    fn the_least_is_the_most_that_anything_says() {
        let nodes = vec![node(7, json!("0.1")), node(4, json!("0.2"))];
        let doubt = |total, nodes| UsageDoubt {
            kind: UsageKind::Difference,
            total,
            nodes,
            message: String::new(),
            trusted: false,
        };
        let seen = |tokens| ObservedUse { tokens, ..ObservedUse::default() };
        for (usage, seen, expected) in [
            (None, None, 11),
            (Some(doubt(Some(5), 3)), None, 11),
            (Some(doubt(Some(30), 20)), None, 30),
            (Some(doubt(None, 20)), None, 20),
            (Some(doubt(None, 20)), Some(seen(40)), 40),
        ] {
            let facts = RunFacts { usage, seen, ..RunFacts::default() };
            let ended = EndedAttempt { facts: &facts, judges: &[], transcript: &transcript(nodes.clone()) };
            let found = used(&ended, &limits(false, &["USD"]));
            assert_eq!(found.at_least, amount(expected, &[("0.3", "USD")]), "{facts:?}");
            assert_eq!((found.tokens, found.cost), (Some(expected), None));
        }
    }

    #[test]
    fn judges_count_for_the_budgets_of_what_they_judge() {
        let facts = RunFacts { tokens: Some(10), cost: prices(&[("0.5", "USD")]), ..RunFacts::default() };
        let both = limits(true, &["USD"]);
        let found = of(&facts, &[judge(5, 0, &[("0.1", "USD")]), judge(2, 0, &[])], &both);
        let expected = AttemptUsage {
            tokens: Some(17),
            cost: Some(costs(&[("0.6", "USD")])),
            at_least: amount(17, &[("0.6", "USD")]),
            ran: true,
        };
        assert_eq!(found, expected);
        let untold = of(&facts, &[judge(5, 1, &[])], &both);
        assert_eq!(
            (untold.tokens, untold.at_least),
            (None, amount(15, &[("0.5", "USD")])),
            "the run is known"
        );
        assert_eq!(of(&facts, &[judge(5, 1, &[])], &limits(false, &["USD"])).tokens, Some(15));
        let other = of(&facts, &[judge(5, 0, &[("0.1", "EUR")])], &both);
        assert_eq!((other.cost, other.at_least), (None, amount(15, &[("0.5", "USD"), ("0.1", "EUR")])));
        assert_eq!(
            of(&facts, &[judge(5, 0, &[("0.1", "EUR")])], &limits(true, &[])).cost,
            Some(Costs::new())
        );
        let nothing = RunFacts { status: Some("rejected".to_owned()), ..RunFacts::default() };
        let judged = of(&nothing, &[judge(5, 0, &[("0.1", "USD")])], &both);
        assert_eq!((judged.tokens, judged.cost, judged.ran), (Some(5), Some(costs(&[("0.1", "USD")])), true));
    }

    #[test]
    fn a_run_that_ended_by_itself_should_tell_its_use() {
        let of = |ending, run| {
            let answer = Answer { run, ..Answer::default() };
            has_ended(&Transcript { ending, answer, ..transcript(Vec::new()) })
        };
        let run = || Some(json!({ "status": "succeeded" }).into());
        assert!(of(Ending::Finished, run()) && of(Ending::Paused, run()));
        assert!(!of(Ending::Finished, None));
        assert!(!of(Ending::Cut { detail: "reset".to_owned() }, run()));
    }

    /// What is said of the cap of an attempt: that it was broken, or is undecided.
    fn said(cap: &str, facts: &RunFacts, transcript: &Transcript) -> Option<(Truth, String)> {
        let suite = format!(
            "{cap}tests: [{{ name: t, mock: {{ outputs: {{}} }}, assert: [{{ status: succeeded }}] }}]\n"
        );
        let case = crate::engine::sample::plan("", &suite).cases.remove(0);
        over_cap(&case, transcript, facts).map(|finding| (finding.truth, finding.message))
    }

    #[test]
    fn a_cap_is_kept_exceeded_or_not_known() {
        let cap = "budget: { per_test: { tokens: 100, cost: 1 USD } }\n";
        let facts =
            |tokens, cost: &[(&str, &str)]| RunFacts { tokens, cost: prices(cost), ..RunFacts::default() };
        let mut finished = transcript(Vec::new());
        finished.answer.run = Some(json!({}).into());
        let cut = Transcript { ending: Ending::Cut { detail: "reset".to_owned() }, ..finished.clone() };
        let broken = |message: &str| Some((Truth::Broken, message.to_owned()));
        let usd = &[("1", "USD")][..];
        assert_eq!(said(cap, &facts(Some(100), usd), &finished), None);
        assert_eq!(
            said(cap, &facts(Some(101), usd), &finished),
            broken("the attempt used 101 tokens, and `budget.per_test` allows 100")
        );
        assert_eq!(
            said(cap, &facts(Some(100), &[("1.01", "USD")]), &finished),
            broken("the attempt used 1.01 USD, and `budget.per_test` allows 1 USD")
        );
        assert_eq!(said("", &facts(Some(101), usd), &finished), None, "without a cap");
        let seen = transcript(vec![node(90, json!("0.1")), node(11, json!("0.1"))]);
        assert_eq!(
            said(cap, &facts(None, &[]), &Transcript { ending: cut.ending.clone(), ..seen }),
            broken("the attempt used 101 tokens, and `budget.per_test` allows 100"),
            "its nodes are enough"
        );
        for (facts, part) in [
            (facts(None, usd), "how many tokens it used"),
            (facts(Some(100), &[("5", "EUR")]), "it cost 5 EUR, and the cap is in USD"),
            (facts(Some(100), &[]), "Dify does not say what it cost"),
        ] {
            let (truth, message) = said(cap, &facts, &finished).unwrap();
            assert_eq!(truth, Truth::Undecided);
            assert!(message.starts_with("it is unknown whether the attempt kept within it: "), "{message}");
            assert!(message.contains(part), "{message}");
            assert_eq!(said(cap, &facts, &cut), None, "what broke off is errored by itself");
        }
        assert_eq!(said(cap, &facts(Some(0), &[]), &finished), None, "no tokens cost nothing");
    }

    #[test]
    fn what_was_done_about_an_attempt_that_used_too_much_is_named() {
        for (stopping, action) in [
            (Some(StopOutcome::Asked), "Dify was asked to stop it"),
            (Some(StopOutcome::Failed("HTTP 500".to_owned())), "the request to stop it failed"),
            (Some(StopOutcome::NoTask), "no event named its task, so it could not be stopped"),
            (None, "it ended before it could be stopped"),
        ] {
            let ending = Ending::Exceeded { detail: "101 tokens".to_owned() };
            let exceeded = Transcript { ending, stopping, ..transcript(Vec::new()) };
            let found = said("budget: { per_test: { tokens: 100 } }\n", &RunFacts::default(), &exceeded);
            assert_eq!(
                found,
                Some((Truth::Broken, format!("the attempt used at least 101 tokens; {action}")))
            );
        }
    }
}
