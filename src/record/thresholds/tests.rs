//! Thresholds judged over made-up records: what holds, what is broken, what cannot be decided and must never look green.

use rust_decimal::Decimal;

use super::*;
use crate::record::attempt::{Attempt, Price, RunFacts, UsageDoubt, UsageKind};
use crate::record::event::{Event, RunStart, Sharded};
use crate::record::journal::sample::{self, outcome};
use crate::record::verdict::Verdict;
use crate::suite::thresholds::ThresholdComparison;

fn threshold(
    metric: ThresholdMetric,
    statistic: &str,
    comparison: ThresholdComparison,
    limit: &str,
) -> Threshold {
    let (limit, currency) = match limit.split_once(' ') {
        Some((amount, currency)) => (amount, Some(currency.to_owned())),
        None => (limit, None),
    };
    Threshold {
        metric,
        statistic: statistic.parse().unwrap(),
        comparison,
        limit: limit.parse().unwrap(),
        currency,
        place: sample::place(3, 5, 4, "  latency: { p95: 15s }"),
    }
}

/// An attempt, with what it says it used.
fn took(ms: f64) -> Attempt {
    let attempt = sample::attempt(0, Verdict::Passed, Vec::new());
    let facts = RunFacts { latency_ms: Some(ms), ..attempt.facts.clone() };
    Attempt { facts, ..attempt }
}

fn of(verdict: Verdict) -> Attempt {
    sample::attempt(0, verdict, Vec::new())
}

fn facts(change: impl FnOnce(&mut RunFacts)) -> Attempt {
    let mut attempt = of(Verdict::Passed);
    change(&mut attempt.facts);
    attempt
}

/// Judges one threshold over attempts, a test each, of a suite with this many tests in all.
fn judged(threshold: Threshold, attempts: Vec<Attempt>, tests: u32) -> Option<ThresholdGate> {
    judged_in(None, threshold, attempts, tests)
}

fn judged_in(
    shard: Option<Sharded>,
    threshold: Threshold,
    attempts: Vec<Attempt>,
    tests: u32,
) -> Option<ThresholdGate> {
    let suite = SuiteThresholds { suite: String::from("s"), tests, thresholds: vec![threshold] };
    let cases = u32::try_from(attempts.len()).unwrap();
    let mut events =
        vec![Event::RunStarted(RunStart { shard, thresholds: vec![suite], ..sample::start(cases) })];
    for (case, attempt) in (0..).zip(attempts) {
        let verdict = attempt.verdict;
        let attempt = Attempt { case, ..attempt };
        events.extend(sample::pair(attempt, outcome(case, "s", &format!("t{case}"), verdict)));
    }
    events.push(sample::end());
    let folder = tempfile::tempdir().unwrap();
    judge(&sample::record(folder.path(), &events)).unwrap().judged.pop()
}

fn whole(threshold: Threshold, attempts: Vec<Attempt>) -> ThresholdGate {
    let tests = u32::try_from(attempts.len()).unwrap();
    judged(threshold, attempts, tests).unwrap()
}

fn p95(limit: &str) -> Threshold {
    threshold(ThresholdMetric::Latency, "p95", ThresholdComparison::Lte, limit)
}

#[test]
fn a_percentile_is_a_value_that_was_measured() {
    let attempts = || (1..=20).map(|n| took(f64::from(n) * 100.0)).collect::<Vec<_>>();
    let held = whole(p95("1900"), attempts());
    assert_eq!((held.truth, held.actual), (Truth::Held, Some(Decimal::from(1900))));
    assert_eq!(held.message, "it is 1.90 s over 20 attempts");
    let broken = whole(p95("1899"), attempts());
    assert_eq!(broken.truth, Truth::Broken);
    assert_eq!(broken.message, "it is 1.90 s, 1 ms over (20 attempts)");
    assert_eq!(broken.title(), "s: latency p95 must be at most 1.90 s");
    let strict = threshold(ThresholdMetric::Latency, "p95", ThresholdComparison::Lt, "1900");
    assert_eq!(whole(strict, attempts()).truth, Truth::Broken);
}

#[test]
fn a_percentile_of_too_few_is_not_decided_however_well_they_do() {
    let five = |slow: usize| {
        let fast = (slow..5).map(|_| took(100.0));
        fast.chain((0..slow).map(|_| took(9_000.0))).collect::<Vec<_>>()
    };
    let gate = whole(p95("1000"), five(0));
    assert_eq!((gate.truth, gate.is_red()), (Truth::Undecided, true));
    assert_eq!(gate.message, "not decided: a p95 takes 20 finished attempts, there are 5");
    assert_eq!(whole(p95("1000"), five(1)).truth, Truth::Undecided, "one in twenty may be slow");
    assert_eq!(whole(p95("1000"), five(2)).truth, Truth::Broken, "two in twenty may not");
    let nineteen = (0..19).map(|_| took(1.0)).collect();
    assert_eq!(whole(p95("1000"), nineteen).truth, Truth::Undecided);
    let median = threshold(ThresholdMetric::Latency, "p50", ThresholdComparison::Lte, "1000");
    assert_eq!(whole(median.clone(), five(1)).truth, Truth::Held);
    assert_eq!(whole(median, vec![took(1.0)]).truth, Truth::Undecided);
}

#[test]
fn the_median_of_an_even_number_lies_between_the_two_in_the_middle() {
    let tokens = |counts: &[u64]| -> Vec<Attempt> {
        counts.iter().map(|count| facts(|facts| facts.tokens = Some(*count))).collect()
    };
    let median = |limit, counts| {
        whole(threshold(ThresholdMetric::Tokens, "median", ThresholdComparison::Lte, limit), tokens(counts))
    };
    let gate = median("22", &[40, 10, 20, 30]);
    assert_eq!((gate.truth, gate.actual), (Truth::Broken, Some(Decimal::from(25))));
    assert_eq!(gate.subject(), "tokens median");
    assert_eq!(median("25", &[40, 10, 20, 30]).truth, Truth::Held, "exactly reached");
    assert_eq!(median("20", &[10, 20, 30]).truth, Truth::Held, "the one in the middle of three");
    assert_eq!(median("22.5", &[20, 25]).truth, Truth::Held);
    assert_eq!(median("100", &[10]).truth, Truth::Undecided, "one value is no median");
    // A percentile stays a value that was measured.
    let p50 = threshold(ThresholdMetric::Tokens, "p50", ThresholdComparison::Lte, "22");
    assert_eq!(whole(p50, tokens(&[10, 20, 30, 40])).actual, Some(Decimal::from(20)));
    // One of four is not known: the median is at least that of 0, 10, 20 and 40.
    let mut attempts = tokens(&[10, 20, 40]);
    attempts.push(facts(|facts| facts.tokens = None));
    let open = |limit| {
        whole(threshold(ThresholdMetric::Tokens, "median", ThresholdComparison::Lte, limit), attempts.clone())
            .truth
    };
    assert_eq!((open("14"), open("29"), open("30")), (Truth::Broken, Truth::Undecided, Truth::Held));
}

#[test]
fn an_unknown_number_may_be_anything() {
    let unknown = || facts(|facts| facts.latency_ms = None);
    let mut attempts: Vec<Attempt> = (0..19).map(|_| took(100.0)).collect();
    attempts.push(unknown());
    assert_eq!(whole(p95("1000"), attempts.clone()).truth, Truth::Held, "one in twenty may be slow");
    attempts.push(unknown());
    let gate = whole(p95("1000"), attempts.clone());
    assert_eq!((gate.truth, gate.unknown), (Truth::Undecided, 2));
    assert_eq!(gate.message, "not decided: the number is not known for 2 of 21 attempts");
    let on = |statistic, comparison, limit| {
        whole(threshold(ThresholdMetric::Latency, statistic, comparison, limit), attempts.clone()).truth
    };
    assert_eq!(on("mean", ThresholdComparison::Lte, "1000"), Truth::Undecided);
    assert_eq!(on("mean", ThresholdComparison::Lte, "90"), Truth::Broken, "even if they had taken no time");
    assert_eq!(on("max", ThresholdComparison::Lte, "1000"), Truth::Undecided);
    assert_eq!(on("max", ThresholdComparison::Gte, "100"), Truth::Held);
    assert_eq!(on("min", ThresholdComparison::Gte, "50"), Truth::Undecided);
    assert_eq!(on("min", ThresholdComparison::Lte, "100"), Truth::Held);
    assert_eq!(whole(p95("1000"), vec![unknown()]).truth, Truth::Undecided);
    let nonsense = facts(|facts| facts.latency_ms = Some(-1.0));
    let most = threshold(ThresholdMetric::Latency, "max", ThresholdComparison::Lte, "5");
    assert_eq!(whole(most, vec![nonsense]).truth, Truth::Undecided);
}

#[test]
fn the_pass_rate_is_of_finished_attempts() {
    let rate = |limit| threshold(ThresholdMetric::PassRate, "share", ThresholdComparison::Gte, limit);
    let mut attempts: Vec<Attempt> = (0..19).map(|_| of(Verdict::Passed)).collect();
    attempts.push(of(Verdict::Failed));
    assert_eq!(whole(rate("0.95"), attempts.clone()).truth, Truth::Held, "exactly reached");
    let gate = whole(rate("0.96"), attempts.clone());
    assert_eq!(
        (gate.truth, gate.message.as_str()),
        (Truth::Broken, "it is 95 %, 1 point under (20 attempts)")
    );
    attempts.push(of(Verdict::Errored));
    assert_eq!(whole(rate("0.95"), attempts).attempts, 20, "an errored attempt is no observation");
}

#[test]
fn a_suite_of_which_nothing_finished_is_never_green() {
    for statistic in ["mean", "max", "min", "total", "p50"] {
        let gate = whole(
            threshold(ThresholdMetric::Tokens, statistic, ThresholdComparison::Lte, "100"),
            vec![of(Verdict::Errored), of(Verdict::Skipped)],
        );
        assert!(gate.is_red() && gate.truth != Truth::Held, "{statistic}: {gate:?}");
    }
    let rate = threshold(ThresholdMetric::PassRate, "share", ThresholdComparison::Gte, "0.5");
    let gate = whole(rate.clone(), vec![of(Verdict::Skipped)]);
    assert_eq!(gate.message, "not decided: no attempt of the suite finished");
    assert_eq!(judged(rate, Vec::new(), 3), None, "nothing of the suite was selected");
}

#[test]
fn a_part_of_a_suite_is_judged_but_what_it_cannot_decide_is_left_to_the_whole() {
    let part = judged(p95("1000"), vec![took(1.0)], 40).unwrap();
    assert_eq!((part.truth, part.is_red(), part.left_out), (Truth::Undecided, false, 39));
    assert!(part.message.ends_with("; 39 tests were left out of the suite"), "{}", part.message);
    let most = threshold(ThresholdMetric::Latency, "max", ThresholdComparison::Lte, "10");
    assert!(judged(most, vec![took(11.0)], 40).unwrap().is_red());
}

#[test]
fn only_one_of_several_shards_is_left_to_the_merged_run() {
    let most = || threshold(ThresholdMetric::Latency, "max", ThresholdComparison::Lte, "10");
    let of = |total| Some(Sharded { index: 1, total, cases: 1, runnable: 1 });
    let broken = judged_in(of(1), most(), vec![took(11.0)], 1).unwrap();
    assert_eq!(broken.truth, Truth::Broken, "the only shard is the whole");
    assert_eq!(judged_in(of(2), most(), vec![took(11.0)], 1), None);
    assert_eq!(judged_in(of(3), most(), vec![took(11.0)], 1), None);
}

#[test]
fn a_run_has_the_first_threshold_that_failed_and_the_first_that_a_whole_suite_leaves_undecided() {
    let most = |limit| threshold(ThresholdMetric::Latency, "max", ThresholdComparison::Lte, limit);
    let held = || judged(most("10"), vec![took(1.0)], 1).unwrap();
    let broken = || judged(most("10"), vec![took(11.0)], 1).unwrap();
    let undecided = |tests| judged(p95("1000"), vec![took(1.0)], tests).unwrap();
    let all = ThresholdGates { judged: vec![held(), undecided(40), undecided(1), broken()] };
    assert_eq!(all.broken(), Some(&broken()));
    assert_eq!(all.undecided(), Some(&undecided(1)));
    let none = ThresholdGates { judged: vec![held(), undecided(40)] };
    assert_eq!((none.broken(), none.undecided()), (None, None));
    let failed = ThresholdGates { judged: vec![broken()] };
    assert_eq!((failed.broken(), failed.undecided()), (Some(&broken()), None));
}

#[test]
fn a_pass_rate_says_how_many_attempts_it_leaves_out() {
    let message = |errored: usize, limit| {
        let left_out = (0..errored).map(|_| of(Verdict::Errored));
        let attempts = [of(Verdict::Passed)].into_iter().chain(left_out).collect();
        whole(threshold(ThresholdMetric::PassRate, "share", ThresholdComparison::Gte, limit), attempts)
            .message
    };
    assert_eq!(message(0, "1"), "it is 100 % over 1 attempt");
    assert_eq!(message(1, "1"), "it is 100 % over 1 attempt; 1 more was not judged");
    assert_eq!(message(2, "1"), "it is 100 % over 1 attempt; 2 more were not judged");
    let most = threshold(ThresholdMetric::Latency, "max", ThresholdComparison::Lte, "10");
    assert_eq!(
        whole(most, vec![took(1.0), of(Verdict::Errored)]).message,
        "it is 1 ms over 1 attempt",
        "of a time, what did not finish is not part of the sample anyway"
    );
}

#[test]
fn totals_count_what_was_used_by_attempts_that_did_not_finish() {
    let total = |limit| threshold(ThresholdMetric::Tokens, "total", ThresholdComparison::Lte, limit);
    let used = |tokens, verdict| {
        let mut attempt = of(verdict);
        attempt.facts.tokens = tokens;
        attempt
    };
    let both = vec![used(Some(100), Verdict::Passed), used(Some(50), Verdict::Errored)];
    assert_eq!(whole(total("150"), both.clone()).truth, Truth::Held);
    assert_eq!(whole(total("149"), both).truth, Truth::Broken);
    let lost = vec![used(Some(100), Verdict::Passed), used(None, Verdict::Errored)];
    let open = whole(total("150"), lost.clone());
    assert_eq!(open.truth, Truth::Undecided, "it ran, and nobody knows");
    assert_eq!(open.message, "not decided: what an attempt used that did not finish is not known");
    assert_eq!(whole(total("99"), lost).truth, Truth::Broken);
    let mut refused = used(None, Verdict::Errored);
    refused.facts.run_id = None;
    let sent_twice = vec![refused, used(Some(100), Verdict::Passed)];
    assert_eq!(whole(total("150"), sent_twice).truth, Truth::Held, "what never ran used nothing");
}

#[test]
fn tokens_in_doubt_are_not_known_unless_they_are_trusted() {
    let doubted = |trusted| {
        facts(|facts| {
            let message = String::from("the nodes add up to 900");
            facts.usage = Some(UsageDoubt {
                kind: UsageKind::Difference,
                total: Some(421),
                nodes: 900,
                message,
                trusted,
            });
        })
    };
    let mean = threshold(ThresholdMetric::Tokens, "mean", ThresholdComparison::Lte, "500");
    assert_eq!(whole(mean.clone(), vec![doubted(false)]).truth, Truth::Undecided);
    assert_eq!(whole(mean, vec![doubted(true)]).truth, Truth::Held);
}

#[test]
fn costs_are_exact_and_of_one_currency() {
    let price =
        |amount: &str, currency: &str| Price { amount: amount.to_owned(), currency: currency.to_owned() };
    let cost = |prices: Vec<Price>| facts(|facts| facts.cost = prices);
    let total = |limit| threshold(ThresholdMetric::Cost, "total", ThresholdComparison::Lte, limit);
    let tenths = || (0..10).map(|_| cost(vec![price("0.1", "USD")])).collect::<Vec<_>>();
    assert_eq!(whole(total("1.0 USD"), tenths()).truth, Truth::Held, "ten tenths are one");
    let broken = whole(total("0.9999999 USD"), tenths());
    assert_eq!(
        (broken.truth, broken.message.as_str()),
        (Truth::Broken, "it is 1 USD, 0.0000001 USD over (10 attempts)")
    );
    assert_eq!(whole(total("1 RMB"), tenths()).truth, Truth::Undecided, "other money is not none");
    let two = || cost(vec![price("0.1", "USD"), price("7", "RMB")]);
    let mixed = whole(total("0.1 USD"), vec![two()]);
    assert_eq!(mixed.truth, Truth::Undecided, "seven in other money are not nothing");
    assert_eq!(mixed.message, "not decided: the whole price in USD is not known for 1 of 1 attempt");
    assert_eq!(
        whole(total("0.09 USD"), vec![two()]).truth,
        Truth::Broken,
        "what is in USD is too much by itself"
    );
    for statistic in ["mean", "max", "min", "median"] {
        let bound = threshold(ThresholdMetric::Cost, statistic, ThresholdComparison::Lte, "0.1 USD");
        assert_eq!(whole(bound, vec![two(), two()]).truth, Truth::Undecided, "{statistic}");
        let bound = threshold(ThresholdMetric::Cost, statistic, ThresholdComparison::Gte, "0.1 USD");
        assert_eq!(whole(bound, vec![two(), two()]).truth, Truth::Held, "{statistic}: the part is enough");
    }
    let unpriced = cost(vec![price("0.1", "USD"), price("0", "RMB")]);
    assert_eq!(whole(total("0.1 USD"), vec![unpriced]).truth, Truth::Held, "nothing is nothing in all money");
    let mut cut = two();
    cut.verdict = Verdict::Errored;
    let unfinished = vec![cost(vec![price("0.1", "USD")]), cut];
    assert_eq!(whole(total("0.2 USD"), unfinished.clone()).truth, Truth::Undecided);
    assert_eq!(whole(total("0.19 USD"), unfinished).truth, Truth::Broken);
    for bad in [
        vec![],
        vec![price("text", "USD")],
        vec![price("-1", "USD")],
        vec![price("1", "USD"), price("1", "USD")],
    ] {
        assert_eq!(whole(total("9 USD"), vec![cost(bad.clone())]).truth, Truth::Undecided, "{bad:?}");
    }
    let free = facts(|facts| {
        facts.cost = Vec::new();
        facts.tokens = Some(0);
    });
    assert_eq!(whole(total("0.1 USD"), vec![free]).truth, Truth::Held, "a run without a model is free");
}

#[test]
fn no_number_is_too_large() {
    let huge = || facts(|facts| facts.tokens = Some(u64::MAX));
    let total = threshold(ThresholdMetric::Tokens, "total", ThresholdComparison::Lte, "400000");
    assert_eq!(whole(total, vec![huge(), huge()]).truth, Truth::Broken);
    let endless = facts(|facts| facts.latency_ms = Some(f64::MAX));
    let most = threshold(ThresholdMetric::Latency, "max", ThresholdComparison::Lte, "1000");
    assert_ne!(whole(most, vec![endless]).truth, Truth::Held);
}
