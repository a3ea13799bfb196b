//! Budgets: what no longer fits is not sent and not green, what nobody knows is never free, and nothing waits for ever.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::Value;

use crate::live::{self, Live, Ran, case, end, report, signal, until};
use crate::project::{GREEN, Project, code, text};
use crate::server::{Seen, Step, event, refusal, started, stream_head, suite_of};

/// A run whose model used this many tokens, at a price of a millionth each; Dify counts `total`.
fn model(tokens: u64, total: u64) -> Vec<Step> {
    let price = format!("{}.{:06}", tokens / 1_000_000, tokens % 1_000_000);
    priced(tokens, total, &format!(r#""total_price":"{price}","currency":"USD""#))
}

fn priced(tokens: u64, total: u64, price: &str) -> Vec<Step> {
    let mut bytes = head();
    bytes.extend(node("1", tokens, price));
    bytes.extend(ended(total));
    vec![Step::Send(bytes)]
}

fn head() -> Vec<u8> {
    [stream_head(), started("task-1")].concat()
}

fn node(id: &str, tokens: u64, price: &str) -> Vec<u8> {
    let data = format!(
        r#"{{"id":"{id}","node_id":"{id}","node_type":"llm","title":"LLM {id}","index":1,"status":"succeeded","inputs":{{}},"outputs":{{"text":"x"}},"elapsed_time":0.1,"execution_metadata":{{"total_tokens":{tokens},{price}}},"created_at":1,"finished_at":2}}"#
    );
    event("task-1", "node_finished", &data)
}

fn ended(total: u64) -> Vec<u8> {
    let data = format!(
        r#"{{"id":"run-1","workflow_id":"7c3e33d4-2a8b-4e5f-9b1a-d3c6e8f12345","status":"succeeded","outputs":{{"x":1}},"error":null,"elapsed_time":0.1,"total_tokens":{total},"total_steps":2,"created_at":1,"finished_at":2}}"#
    );
    [event("task-1", "workflow_finished", &data), b"0\r\n\r\n".to_vec()].concat()
}

fn suite(budget: &str, tests: usize) -> String {
    suite_of(tests).replace("tests:", &format!("budget: {budget}\ntests:"))
}

fn spent(live: &Live) -> Value {
    report(&live.project)["run"]["budgets"][0].clone()
}

#[test]
fn a_price_in_another_currency_is_not_within_the_cap() {
    let cost = |amount: &str, price: &str| {
        format!(
            "version: 1\nname: S\nbudget: {{ per_test: {{ cost: {amount} }} }}\ntests:\n- name: a\n  assert: [{{ path: $.x, equals: 1 }}]\n  mock: {{ outputs: {{ x: 1 }}, nodes: [{{ title: A, type: llm, tokens: 5, price: {price} }}] }}\n"
        )
    };
    for (amount, price, verdict) in
        [("0.05 USD", "3 EUR", "errored"), ("0.05 USD", "3 USD", "failed"), ("3 EUR", "3 EUR", "passed")]
    {
        let project = Project::with_suite(&cost(amount, price));
        let output = project.run(&["run"]);
        let report = report(&project);
        assert_eq!(crate::live::case(&report, "a")["verdict"], verdict, "{amount} {price}");
        assert_eq!(output.status.success(), verdict == "passed", "{amount} {price}");
    }
}

#[test]
fn a_request_that_was_refused_is_known_to_cost_nothing() {
    let busy = "Too many requests. Please try again later. The current maximum concurrent requests allowed for a is 2.";
    let number = std::sync::atomic::AtomicUsize::new(0);
    let live = Live::new(&suite_of(2), "retries: { count: 2, delay: 10ms }", move |_| {
        match number.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
            0 => crate::server::refusal(400, "invalid_param", busy),
            _ => model(19, 19),
        }
    });
    let ran = live.expect(0, &[]);
    let totals = report(&live.project)["totals"].clone();
    assert_eq!(live.server.runs().len(), 3, "{}", ran.text);
    assert_eq!((&totals["tokens"], &totals["tokens_unknown"]), (&38.into(), &0.into()), "{}", ran.text);
    assert!(!ran.text.contains("or more"), "{}", ran.text);
}

#[test]
fn tests_that_no_longer_fit_are_skipped_and_the_run_is_not_green() {
    let live = Live::new(&suite_of(20), "", |_| model(100, 100));
    let ran = live.expect(98, &["--budget-tokens", "550"]);
    let report = report(&live.project);
    assert_eq!(
        (&report["totals"]["passed"], &report["totals"]["over_budget"]),
        (&5.into(), &15.into()),
        "{}",
        ran.text
    );
    assert_eq!(spent(&live)["tokens"], serde_json::json!({ "limit": 550, "spent": 500, "left": 50 }));
    assert_eq!(live.server.runs().len(), 5, "money is left, but not for one more");
    let reason =
        "budget: an attempt may use 100 tokens, and of the 550 tokens of the run only 50 tokens are left";
    assert!(ran.text.contains(reason), "{}", ran.text);
    assert!(ran.text.contains("exit 98: tests were skipped that no longer fit their budget"), "{}", ran.text);
    let junit = live.project.read("reports/latest/junit.xml");
    assert!(junit.contains(&format!("<skipped message=\"{reason}\"/>")), "{junit}");
    assert!(junit.contains("budget of the run: 500 of 550 tokens spent, 50 left"), "{junit}");
}

#[test]
fn a_run_that_goes_on_keeps_its_budget_and_what_it_has_spent() {
    let live = Live::new(&suite_of(8), "", |_| model(100, 100));
    live.expect(98, &["--budget-tokens", "350"]);
    assert_eq!(live.server.runs().len(), 3);
    live.expect(98, &["--resume", "latest"]);
    assert_eq!(live.server.runs().len(), 3, "what an earlier part used is used");
    let page = live.project.read("reports/latest/summary.md");
    assert!(page.contains("5 of 8 tests were not run: the budget is used up"), "{page}");
    let ran = live.expect(0, &["--resume", "latest", "--budget-tokens", "800"]);
    assert_eq!(live.server.runs().len(), 8, "{}", ran.text);
    let totals = report(&live.project)["totals"].clone();
    assert_eq!((&totals["passed"], totals.get("over_budget")), (&8.into(), None), "{totals}");
    assert_eq!(spent(&live)["tokens"], serde_json::json!({ "limit": 800, "spent": 800, "left": 0 }));
}

#[test]
fn the_first_attempt_runs_alone_where_nobody_knows_what_it_uses() {
    let seen = AtomicUsize::new(0);
    let live = Live::new(&suite_of(12), "concurrency: 6", move |_| {
        let wait = if seen.fetch_add(1, Ordering::SeqCst) == 0 { 300 } else { 100 };
        [vec![Step::Sleep(Duration::from_millis(wait))], model(10, 10)].concat()
    });
    live.expect(0, &["--budget-tokens", "100k"]);
    let runs = live.server.runs();
    assert!(runs[1].at - runs[0].at >= Duration::from_millis(300), "it is alone");
    assert!(live.server.most_in_flight() > 1, "the others are not");
}

#[test]
fn history_tells_what_to_set_aside_and_nothing_runs_alone_any_more() {
    let live = Live::new(&suite_of(6), "concurrency: 6", |_| {
        [vec![Step::Sleep(Duration::from_millis(300))], model(10, 10)].concat()
    });
    live.expect(0, &[]);
    let before = live.server.runs().len();
    live.expect(0, &["--budget-tokens", "60"]);
    let runs = &live.server.runs()[before..];
    assert!(runs[5].at - runs[0].at < Duration::from_millis(300), "all six fit, and were sent at once");
    live.expect(98, &["--budget-tokens", "59"]);
}

#[test]
fn what_a_run_has_spent_goes_along_with_its_journal() {
    let live = Live::new(&suite_of(8), "", |_| model(100, 100));
    live.expect(0, &["-f", "t0", "-f", "t1", "-f", "t2"]);
    let ran = live.expect(0, &["--rerun", "latest", "--budget-tokens", "1k"]);
    assert!(ran.text.contains("300 of 1,000 tokens spent"), "no budget was named before: {}", ran.text);
    live.expect(98, &["--budget-tokens", "350"]);
    let export = live.project.path("elsewhere.jsonl").to_string_lossy().into_owned();
    let exported = live.project.run(&["runs", "export", "latest", "-o", &export]);
    assert_eq!(exported.status.code(), Some(0));
    let elsewhere = ["--resume", &export, "--reports", "elsewhere"];
    let ran = live.expect(98, &elsewhere);
    assert!(ran.text.contains("300 of 350 tokens spent"), "its ledger stayed behind: {}", ran.text);
    let ran = live.expect(98, &[&elsewhere[..], &["--budget-tokens", "550"]].concat());
    assert!(ran.text.contains("500 of 550 tokens spent"), "nothing is counted twice: {}", ran.text);
    let ran = live.expect(0, &[&elsewhere[..], &["--budget-tokens", "900"]].concat());
    assert!(ran.text.contains("800 of 900 tokens spent"), "{}", ran.text);
}

#[test]
fn the_budgets_of_run_and_suite_hold_at_once() {
    let mut tests = suite("{ tokens: 300 }", 6);
    let live = Live::new(&tests, "", |_| model(100, 100));
    tests = tests.replace("name: S", "name: T").replace("tokens: 300", "cost: 1 USD");
    live.project.write("suites/t.yaml", tests);
    live.expect(98, &["--budget-tokens", "700"]);
    let report = report(&live.project);
    let passed = |suite: &str| {
        let cases = report["cases"].as_array().unwrap().iter();
        cases.filter(|case| case["suite"] == suite && case["verdict"] == "passed").count()
    };
    assert!(passed("S") <= 3 && passed("S") + passed("T") == 7, "{} {}", passed("S"), passed("T"));
    let budgets = report["run"]["budgets"].as_array().unwrap();
    assert_eq!(
        budgets.iter().map(|budget| budget["suite"].clone()).collect::<Vec<_>>(),
        [Value::Null, "S".into(), "T".into()]
    );
}

#[test]
fn what_nobody_knows_is_never_free() {
    type Answer = fn() -> Vec<Step>;
    let unknown: [(&str, Answer); 4] = [
        ("zero", || model(0, 0)),
        ("missing", || vec![Step::Send([head(), node("1", 0, r#""total_price":null"#), ended(0)].concat())]),
        ("doubled", || model(40, 80)),
        ("lost", || vec![Step::Send(head()), Step::Close]),
    ];
    for (name, answer) in unknown {
        let live =
            Live::new(&suite("{ tokens: 500, per_test: { tokens: 100 } }", 9), "", move |seen: &Seen| {
                if seen.is_run() { answer() } else { refusal(404, "not_found", "none") }
            });
        let ran = live.run(&[]);
        let budget = spent(&live);
        assert_eq!(budget["tokens"]["spent"], 500, "{name}: {}", ran.text);
        assert_eq!(budget["unknown"], 5, "{name}");
        assert_eq!(live.server.runs().len(), 5, "{name}");
        let passed = report(&live.project)["totals"]["passed"].clone();
        assert_eq!(
            passed, 0,
            "{name}: an attempt of which nobody knows whether it kept within its cap is not green"
        );
    }
}

#[test]
fn without_a_cap_one_attempt_that_nobody_knows_uses_up_the_budget_and_says_what_bounds_it() {
    let live = Live::new(&suite_of(3), "", |_| model(0, 0));
    let ran = live.expect(98, &["--budget-tokens", "5k"]);
    assert!(ran.text.contains("`budget.per_test` bounds that"), "{}", ran.text);
    assert_eq!((live.server.runs().len(), &spent(&live)["tokens"]["spent"]), (1, &5000.into()));
}

#[test]
fn prices_are_exact_and_in_their_own_currency() {
    let prices = [
        (r#""total_price":"0.0100001","currency":"USD""#, "0.0200002", 0, 2),
        (r#""total_price":"0.0","currency":"USD""#, "0.0250", 1, 1),
        (r#""total_price":null,"currency":"USD""#, "0.0250", 1, 1),
        (r#""total_price":"a lot","currency":"USD""#, "0.0250", 1, 1),
        (r#""total_price":"0.01","currency":"EUR""#, "0.0250", 1, 1),
    ];
    for (price, total, unknown, sent) in prices {
        let live = Live::new(&suite_of(4), "", move |_| priced(10, 10, price));
        let ran = live.expect(98, &["--budget-cost", "0.0250USD"]);
        let budget = spent(&live);
        assert_eq!(
            (&budget["cost"][0]["spent"], &budget["unknown"]),
            (&total.into(), &unknown.into()),
            "{price}: {}",
            ran.text
        );
        assert_eq!(live.server.runs().len(), sent, "{price}");
    }
    let live = Live::new(&suite_of(4), "", |seen: &Seen| {
        let currency = if seen.number.is_multiple_of(2) { "USD" } else { "EUR" };
        priced(10, 10, &format!(r#""total_price":"0.01","currency":"{currency}""#))
    });
    live.expect(0, &["--budget-cost", "0.05USD", "--budget-cost", "0.05EUR"]);
    let budget = spent(&live);
    assert_eq!((&budget["cost"][0]["spent"], &budget["cost"][1]["spent"]), (&"0.02".into(), &"0.02".into()));
}

#[test]
fn a_cap_that_is_crossed_in_mid_stream_stops_the_task_and_fails_the_test() {
    let live = Live::new(&suite("{ per_test: { tokens: 100 } }", 1), "", |seen: &Seen| match seen.is_run() {
        true => vec![
            Step::Send([head(), node("1", 60, r#""currency":"USD""#)].concat()),
            Step::Sleep(Duration::from_millis(50)),
            Step::Send(node("2", 41, r#""currency":"USD""#)),
            Step::Hang,
        ],
        false => vec![Step::Send(crate::server::document(
            "200 OK",
            "application/json",
            b"{\"result\":\"success\"}",
        ))],
    });
    let ran = live.expect(100, &[]);
    assert_eq!(live.server.stops().len(), 1, "{}", ran.text);
    let report = report(&live.project);
    let case = case(&report, "t0");
    assert_eq!(case["verdict"], "failed");
    let (tokens, unknown) = (&report["totals"]["tokens"], &report["totals"]["tokens_unknown"]);
    assert_eq!((tokens, unknown), (&101.into(), &1.into()), "what was seen was paid, and may not be all");
    assert!(
        ran.text.contains("the attempt used at least 101 tokens, and `budget.per_test` allows 100; Dify was asked to stop it"),
        "{}",
        ran.text
    );
}

#[test]
fn a_cap_that_the_whole_answer_crosses_fails_the_test_though_all_assertions_hold() {
    let at = |total| Live::new(&suite("{ per_test: { tokens: 100 } }", 1), "", move |_| model(total, total));
    at(100).expect(0, &[]);
    at(101).expect(100, &[]);
    let blocking = suite("{ per_test: { tokens: 100 } }", 1)
        .replace("tests:", "defaults: { response_mode: blocking }\ntests:");
    let body =
        crate::server::run_document(r#"{"x":1}"#).replace(r#""total_tokens": 0"#, r#""total_tokens": 101"#);
    let live = Live::new(&blocking, "", move |_| {
        vec![Step::Send(crate::server::document("200 OK", "application/json", body.as_bytes()))]
    });
    live.expect(100, &[]);
}

#[test]
fn retries_draw_on_the_budget_only_where_they_ran() {
    let keys = "retries: { count: 3, delay: 1ms, jitter: false }";
    let live = Live::new(&suite_of(2), keys, |seen: &Seen| match seen.number {
        0 | 1 => refusal(429, "too_many_requests", "wait"),
        _ => model(100, 100),
    });
    let ran = live.expect(0, &["--budget-tokens", "200", "-j", "1"]);
    assert_eq!(spent(&live)["tokens"]["spent"], 200, "{}", ran.text);
}

#[test]
fn time_that_is_over_sends_nothing_more() {
    let live = Live::new(&suite_of(8), "concurrency: 2", |_| {
        [vec![Step::Sleep(Duration::from_millis(400))], model(10, 10)].concat()
    });
    let ran = live.expect(98, &["--max-time", "300ms"]);
    assert_eq!(live.server.runs().len(), 2, "those at work end, and no more begin: {}", ran.text);
    assert!(ran.text.contains("budget: the 300 ms of the run are over"), "{}", ran.text);
}

#[test]
fn repeats_that_are_cut_short_are_judged_only_where_the_broken_ones_decide() {
    let repeated = |assert: &str| {
        let text =
            suite_of(1).replace("    assert:", "    repeat: 5\n    assert:").replace("equals: 1", assert);
        Live::new(&text, "", |_| model(100, 100))
    };
    let green = repeated("equals: 1");
    let ran = green.expect(98, &["--budget-tokens", "250"]);
    assert!(ran.text.contains("before that 2 of 2 repeats passed"), "{}", ran.text);
    let red = repeated("equals: 2");
    red.expect(100, &["--budget-tokens", "250"]);
    assert_eq!(red.verdict("t0"), "failed");
}

#[test]
fn all_skipped_is_98_whatever_no_tests_says() {
    let live = Live::new(&suite("{ tokens: 1k, per_test: { tokens: 500 } }", 2), "", |_| model(100, 100));
    for how in ["fail", "warn", "pass"] {
        let ran = live.expect(98, &["--budget-tokens", "400", "--no-tests", how]);
        assert!(
            ran.text.contains("an attempt may use 500 tokens, more than the 400 tokens of the run"),
            "{}",
            ran.text
        );
    }
    assert_eq!(live.server.requests().len(), 0);
}

#[test]
fn a_budget_of_nothing_is_refused_at_the_flag_and_in_the_profile() {
    let project = Project::with_suite(GREEN);
    for args in [
        ["--budget-tokens", "0"],
        ["--budget-tokens", "-1"],
        ["--budget-cost", "0USD"],
        ["--budget-cost", "5"],
        ["--max-time", "0s"],
    ] {
        let output = project.run(&["run", args[0], args[1]]);
        assert_eq!(code(&output), 2, "{args:?}: {}", text(&output));
    }
    let output = project.run(&["run", "--budget-cost", "1USD", "--budget-cost", "2USD"]);
    assert_eq!(code(&output), 2, "{}", text(&output));
    project.write(
        "flowproof.yaml",
        "version: 1\nprofiles: { default: { budget: { tokens: 0, per_test: { tokens: 5 } } } }\n",
    );
    let output = project.run(&["run"]);
    assert_eq!(code(&output), 2, "{}", text(&output));
    assert!(text(&output).contains("`budget.tokens` must be more than 0"), "{}", text(&output));
    assert!(text(&output).contains("unknown key `per_test` in `budget`"), "{}", text(&output));
    assert!(!project.path("reports").exists());
}

#[test]
fn a_flag_stands_above_the_profile_key_by_key() {
    let live = Live::new(&suite_of(4), "", |_| model(100, 100));
    let file = live.project.read("flowproof.yaml");
    let budget = "profiles: { default: { target: live, budget: { tokens: 100, cost: 1 USD } } }\n";
    live.project.write("flowproof.yaml", format!("{file}{budget}"));
    live.expect(98, &[]);
    live.expect(0, &["--budget-tokens", "400"]);
    let budget = spent(&live);
    assert_eq!((&budget["tokens"]["limit"], &budget["cost"][0]["limit"]), (&400.into(), &"1".into()));
}

#[test]
fn two_processes_that_share_a_ledger_share_one_budget() {
    let live = Live::new(&suite_of(30), "concurrency: 3", |_| {
        [vec![Step::Sleep(Duration::from_millis(20))], model(100, 100)].concat()
    });
    let start = |reports: &str| {
        let mut command = live::command(&live.project, &["--budget-tokens", "1050", "--reports", reports]);
        command.env("FLOWPROOF_LEDGER", "shared/ledger").stdout(std::process::Stdio::null());
        command.spawn().unwrap()
    };
    let mut both = ["r1", "r2"].map(start);
    assert_eq!(both.each_mut().map(end), [Some(98), Some(98)]);
    assert_eq!(live.server.runs().len(), 10);
}

#[test]
fn what_a_killed_process_had_set_aside_counts_as_spent() {
    let live = Live::new(&suite("{ tokens: 1k, per_test: { tokens: 400 } }", 3), "", |seen: &Seen| {
        if seen.number < 2 { vec![Step::Hang] } else { model(100, 100) }
    });
    let run = |args: &[&str]| {
        let mut command = live::command(&live.project, args);
        command.env("FLOWPROOF_LEDGER", "shared/ledger");
        command
    };
    let mut child = live::spawn(&live.project, run(&["-j", "2"]));
    until("two are at work", || live.server.runs().len() == 2);
    signal(&child, "KILL");
    assert_eq!(end(&mut child), None);
    let Ran { code, text } = live::finish(&live.project, run(&[]));
    assert_eq!(code, Some(98), "{text}");
    assert!(text.contains("budget of S: 800 of 1,000 tokens spent, 200 left"), "{text}");
}

#[test]
fn a_run_that_is_interrupted_does_not_wait_for_its_budget() {
    let live =
        Live::new(&suite_of(3), "", |seen: &Seen| if seen.is_run() { vec![Step::Hang] } else { model(1, 1) });
    let mut child = live::spawn(&live.project, live::command(&live.project, &["--budget-tokens", "100"]));
    until("one is at work", || live.server.runs().len() == 1);
    signal(&child, "INT");
    assert_eq!(end(&mut child), Some(130));
    assert_eq!(spent(&live)["tokens"]["spent"], 100, "it may have used all that was set aside");
}

#[test]
fn a_ledger_that_is_damaged_sends_nothing() {
    let live = Live::new(&suite_of(1), "", |_| model(1, 1));
    live.project.write("shared/ledger", [7_u8; 512]);
    let mut command = live::command(&live.project, &["--budget-tokens", "100"]);
    command.env("FLOWPROOF_LEDGER", "shared/ledger");
    let ran = live::finish(&live.project, command);
    assert_eq!(ran.code, Some(3), "{}", ran.text);
    assert!(
        ran.text.contains("nothing was sent") && ran.text.contains("is damaged at entry 0"),
        "{}",
        ran.text
    );
    assert_eq!(live.server.requests().len(), 0);
}

#[test]
fn a_dry_run_tells_the_plan_and_neither_sends_nor_writes() {
    let mut suite = suite("{ tokens: 1k }", 3);
    suite.push_str("  - { name: later, skip: not today, assert: [{ path: $.x, equals: 1 }] }\n");
    suite.push_str("  - { name: often, repeat: { min: 3, max: 40 }, pass_rate: 0.9, fail_below: 0.7, assert: [{ path: $.x, equals: 1 }] }\n");
    let live = Live::new(&suite, "", |_| model(50, 50));
    let before = live::written(&live.project).len();
    let ran = live.expect(0, &["--dry-run"]);
    assert!(!live.project.path("reports").exists());
    assert_eq!(live.server.requests().len(), 0);
    assert!(
        ran.text.contains("plan: 4 tests (1 more is skipped), 6 to 43 attempts, 6 to 43 requests, on live"),
        "{}",
        ran.text
    );
    assert!(ran.text.contains("expected: not known, since no test has history on live"), "{}", ran.text);
    assert!(ran.text.contains("S::later  skipped: not today"), "{}", ran.text);
    let told = "repeats: 90 % is told from 70 % (95 % sure) by 12 straight passes or 3 straight failures";
    assert!(ran.text.contains(told), "{}", ran.text);
    assert!(ran.text.contains("budget of S: 1,000 tokens"), "{}", ran.text);
    assert!(live::written(&live.project).len() <= before + 2, "only what this test writes itself");
    live.expect(0, &["-f", "t0", "-f", "t1"]);
    let ran = live.expect(0, &["--dry-run", "-f", "t"]);
    assert!(
        ran.text.contains("S::t0  1 attempt: 50 tokens · 0.00005 USD, from 1 earlier attempt"),
        "{}",
        ran.text
    );
    assert!(ran.text.contains("S::t2  1 attempt: no history"), "{}", ran.text);
    assert!(ran.text.contains("expected: 100 tokens"), "{}", ran.text);
    live.project.write("suites/bad.yaml", "version: 1\ntests: 5\n");
    live.expect(2, &["--dry-run"]);
}

#[test]
fn the_processes_of_nextest_share_one_budget_and_what_no_longer_fits_fails() {
    let live = Live::new(&suite("{ tokens: 250 }", 4), "", |_| model(100, 100));
    let one = |test: &str| {
        let mut command = crate::harness::trials(&live.project, &["--exact", test, "--nocapture"]);
        command.env("TEST_KEY", crate::server::KEY).env("FLOWPROOF_TARGET", "live");
        command.env("NEXTEST_RUN_ID", "8d0c-51").env("NEXTEST_ATTEMPT", "1");
        live::finish(&live.project, command)
    };
    let codes = ["S::t0", "S::t1", "S::t2", "S::t3"].map(|test| one(test).code);
    assert_eq!(codes, [Some(0), Some(0), Some(101), Some(101)]);
    let ran = one("S::t3");
    assert!(ran.text.contains("not judged: budget: an attempt may use 100 tokens"), "{}", ran.text);
    assert_eq!(live.server.runs().len(), 2);
    assert!(live.project.path("reports/runs/nextest-8d0c-51/ledger").exists());
}

#[test]
fn a_harness_whose_tests_no_longer_fit_exits_101() {
    let live = Live::new(&suite("{ tokens: 250 }", 4), "", |_| model(100, 100));
    let mut command = crate::harness::trials(&live.project, &["--test-threads", "1"]);
    command.env("TEST_KEY", crate::server::KEY).env("FLOWPROOF_TARGET", "live");
    let ran = live::finish(&live.project, command);
    assert_eq!(ran.code, Some(101), "{}", ran.text);
    assert!(ran.text.contains("2 passed; 0 failed; 2 ignored"), "{}", ran.text);
    assert!(
        ran.text.contains("2 tests no longer fit the budget: what was not judged is not green"),
        "{}",
        ran.text
    );
}
