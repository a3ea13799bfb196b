//! What sequential tests do in 10,000 seeded runs each: wrong verdicts stay within what is promised, and the figures are those
//! that `docs/gates.md` shows.

use crate::base::repeat::RepeatRange;
use crate::base::stats::fixed::fixed_plan;
use crate::base::stats::sequential::{Sequential, SequentialDecision};
use crate::record::verdict::{RepeatCounts, RepeatRule, Undecided, Verdict};

const RUNS: u32 = 10_000;

fn plan(pass_rate: f64, fail_below: f64, confidence: f64, max: u32) -> RepeatRule {
    let times = RepeatRange::Until { min: 1, max };
    RepeatRule { times, pass_rate, fail_below, confidence, undecided: Undecided::Red }
}

/// The plans of the table.
fn plans() -> Vec<RepeatRule> {
    vec![
        plan(0.9, 0.7, 0.95, 40),
        plan(0.9, 0.7, 0.95, 100),
        plan(0.9, 0.7, 0.99, 100),
        plan(0.95, 0.75, 0.95, 60),
        plan(0.99, 0.9, 0.95, 100),
        plan(0.8, 0.5, 0.9, 40),
        plan(1.0, 0.8, 0.95, 40),
    ]
}

/// How many of the runs ended how, and how many repeats they took together.
#[derive(Default)]
struct Ended {
    green: u32,
    red: u32,
    undecided: u32,
    repeats: u64,
}

impl Ended {
    fn mean(&self) -> f64 {
        self.repeats as f64 / f64::from(RUNS)
    }
}

/// Runs a plan on an endpoint that passes at this rate.
fn simulate(plan: &RepeatRule, rate: f64, seed: u64) -> Ended {
    simulate_sticky(plan, (rate, 0.0), seed)
}

/// The same where a repeat keeps the result of the one before it with some chance.
fn simulate_sticky(plan: &RepeatRule, (rate, kept): (f64, f64), seed: u64) -> Ended {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut ended = Ended::default();
    for _ in 0..RUNS {
        let mut seen = RepeatCounts::default();
        let mut before = None;
        while plan.goes_on(seen) {
            let is_kept = kept > 0.0 && random.f64() < kept;
            let passed = before.filter(|_| is_kept).unwrap_or_else(|| random.f64() < rate);
            before = Some(passed);
            seen.add(if passed { Verdict::Passed } else { Verdict::Failed });
        }
        ended.repeats += u64::from(seen.all());
        match plan.verdict(seen) {
            Verdict::Passed | Verdict::Flaky => ended.green += 1,
            Verdict::Failed => ended.red += 1,
            Verdict::Inconclusive => ended.undecided += 1,
            Verdict::Errored | Verdict::Skipped => panic!("{seen:?} was judged"),
        }
    }
    ended
}

/// The most wrong verdicts that an error of this chance gives, four standard deviations of a binomial count allowed for.
fn most_wrong(error: f64) -> u32 {
    let runs = f64::from(RUNS);
    (runs * error + 4.0 * (runs * error * (1.0 - error)).sqrt()) as u32
}

fn percent(count: u32) -> String {
    format!("{:.1} %", f64::from(count) * 100.0 / f64::from(RUNS))
}

/// Holds a table of the page against what was computed.
fn expect_in_docs(table: &str) {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/gates.md")).unwrap();
    assert!(page.contains(table), "docs/gates.md tells other figures; these are computed:\n{table}");
}

#[test]
fn wrong_verdicts_stay_within_the_promise_at_the_boundaries() {
    let mut table = String::from(
        "| plan | red at `pass_rate` | not decided | runs | green at `fail_below` | not decided | runs | fixed plan |\n\
         | --- | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    for (seed, plan) in (1..).zip(plans()) {
        let RepeatRule { pass_rate, fail_below, confidence, times, .. } = plan;
        let error = 1.0 - confidence;
        let (good, bad) = (simulate(&plan, pass_rate, seed), simulate(&plan, fail_below, seed + 100));
        assert!(good.red <= most_wrong(error), "{plan:?}: {} wrongly red", good.red);
        assert!(bad.green <= most_wrong(error), "{plan:?}: {} wrongly green", bad.green);
        let fixed = fixed_plan(fail_below, pass_rate, error).unwrap();
        table.push_str(&format!(
            "| {pass_rate} against {fail_below} at {confidence}, at most {} | {} | {} | {:.1} | {} | {} | {:.1} | {} |\n",
            times.most(),
            percent(good.red),
            percent(good.undecided),
            good.mean(),
            percent(bad.green),
            percent(bad.undecided),
            bad.mean(),
            fixed.trials,
        ));
    }
    expect_in_docs(&table);
}

#[test]
fn repeats_that_stick_break_the_promise_and_the_page_says_how_far() {
    let plan = plan(0.9, 0.7, 0.95, 100);
    let sticky = simulate_sticky(&plan, (0.7, 0.5), 7);
    assert!(sticky.green > 2 * most_wrong(0.05), "{}", sticky.green);
    expect_in_docs(&format!(
        "green at `fail_below` in {} of all cases instead of 5 %",
        percent(sticky.green)
    ));
}

#[test]
fn beyond_the_boundaries_it_errs_less() {
    let usual = plan(0.9, 0.7, 0.95, 100);
    let (at, beyond) = (simulate(&usual, 0.7, 11).green, simulate(&usual, 0.6, 12).green);
    assert!(beyond < at / 2, "{beyond} of {at}");
    let (at, beyond) = (simulate(&usual, 0.9, 13).red, simulate(&usual, 0.97, 14).red);
    assert!(beyond < at / 2, "{beyond} of {at}");
}

/// A rule that says after each repeat whether it is decided.
type Rule = fn() -> Box<dyn FnMut(u32, u32) -> SequentialDecision>;

const LOW: f64 = 0.7;
const HIGH: f64 = 0.9;
const ERROR: f64 = 0.05;
const MOST: u32 = 200;

/// What is built in: the likelihood ratio, decided at 1/α.
fn built_in() -> Box<dyn FnMut(u32, u32) -> SequentialDecision> {
    let test = Sequential::new(LOW, HIGH, ERROR);
    Box::new(move |passed, failed| test.decide(passed, failed))
}

/// Wald's own limits, (1-β)/α and β/(1-α).
fn wald() -> Box<dyn FnMut(u32, u32) -> SequentialDecision> {
    let test = Sequential::new(LOW, HIGH, ERROR);
    let enough = ((1.0 - ERROR) / ERROR).ln();
    Box::new(move |passed, failed| decide(test.evidence(passed, failed), enough))
}

/// An e-process that knows no alternative and bets on all of them alike, one against each boundary: the mean of the
/// likelihood ratios over a grid of rates beyond the boundary.
fn mixture() -> Box<dyn FnMut(u32, u32) -> SequentialDecision> {
    const GRID: u32 = 16;
    let place = |n: u32| (f64::from(n) + 0.5) / f64::from(GRID);
    let above: Vec<f64> = (0..GRID).map(|n| LOW + (1.0 - LOW) * place(n)).collect();
    let below: Vec<f64> = (0..GRID).map(|n| HIGH * place(n)).collect();
    let wealth = |rates: &[f64], boundary: f64, (passed, failed): (u32, u32)| {
        let bets = rates.iter().map(|rate| {
            (rate / boundary).powi(passed.cast_signed())
                * ((1.0 - rate) / (1.0 - boundary)).powi(failed.cast_signed())
        });
        bets.sum::<f64>() / f64::from(GRID)
    };
    Box::new(move |passed, failed| {
        if wealth(&above, LOW, (passed, failed)) >= 1.0 / ERROR {
            SequentialDecision::AtLeast
        } else if wealth(&below, HIGH, (passed, failed)) >= 1.0 / ERROR {
            SequentialDecision::AtMost
        } else {
            SequentialDecision::Open
        }
    })
}

fn decide(evidence: f64, enough: f64) -> SequentialDecision {
    if evidence >= enough {
        SequentialDecision::AtLeast
    } else if evidence <= -enough {
        SequentialDecision::AtMost
    } else {
        SequentialDecision::Open
    }
}

/// How many of the runs a rule calls good and bad, and how many repeats it takes on average.
fn contest(rule: Rule, rate: f64, seed: u64) -> (u32, u32, f64) {
    let mut random = fastrand::Rng::with_seed(seed);
    let (mut good, mut bad, mut repeats) = (0, 0, 0_u64);
    for _ in 0..RUNS {
        let mut decide = rule();
        let (mut passed, mut failed) = (0, 0);
        loop {
            if random.f64() < rate {
                passed += 1
            } else {
                failed += 1
            }
            let decision = decide(passed, failed);
            if decision == SequentialDecision::Open && passed + failed < MOST {
                continue;
            }
            good += u32::from(decision == SequentialDecision::AtLeast);
            bad += u32::from(decision == SequentialDecision::AtMost);
            repeats += u64::from(passed + failed);
            break;
        }
    }
    (good, bad, repeats as f64 / f64::from(RUNS))
}

#[test]
fn the_choice_of_the_test_rests_on_these_figures() {
    let rules: [(&str, Rule); 3] = [
        ("likelihood ratio at 1/α (built in)", built_in),
        ("Wald's limits", wald),
        ("mixture of bets", mixture),
    ];
    let mut table = String::from(
        "| rule | red at 0.9 | green at 0.7 | runs at 0.9 | at 0.97 | at 0.8 | at 0.7 | at 0.5 |\n\
         | --- | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    for (name, rule) in rules {
        let at = |rate: f64, seed| contest(rule, rate, seed);
        let (good, bad) = (at(0.9, 21), at(0.7, 22));
        table.push_str(&format!(
            "| {name} | {} | {} | {:.1} | {:.1} | {:.1} | {:.1} | {:.1} |\n",
            percent(good.1),
            percent(bad.0),
            good.2,
            at(0.97, 23).2,
            at(0.8, 24).2,
            bad.2,
            at(0.5, 25).2,
        ));
    }
    expect_in_docs(&table);
}
