//! Repeats that stop when they are decided, and thresholds of suites: on the built program, by exit code and by every report.

use serde_json::Value;

use crate::project::{Project, code, text};

/// A suite of one test with these keys, whose replies pass (`p`), fail (`f`) or err (`e`) in turn.
fn suite(keys: &str, replies: &str) -> String {
    let reply = |mark: char| match mark {
        'p' => "        - { outputs: { x: 1 }, nodes: [{ title: A, type: llm, tokens: 100 }] }\n",
        'f' => "        - { outputs: { x: 2 }, nodes: [{ title: A, type: llm, tokens: 100 }] }\n",
        _ => "        - { outputs: { x: 1 }, fault: garbage_frame }\n",
    };
    let replies: String = replies.chars().map(reply).collect();
    format!(
        "version: 1\nname: S\ntests:\n  - name: a\n{keys}    retries: 0\n    assert: [{{ path: $.x, equals: 1 }}]\n    mock:\n      replies:\n{replies}"
    )
}

const USUAL: &str = "    repeat: { min: 3, max: 40 }\n    pass_rate: 0.9\n    fail_below: 0.7\n";

/// Runs a suite, and tells its exit code, what it said and its report.
fn run(suite: &str, args: &[&str]) -> (i32, String, Value, Project) {
    let project = Project::with_suite(suite);
    let output = project.run(&[&["run"], args].concat());
    let report = std::fs::read_to_string(project.path("reports/latest/report.json")).unwrap_or_default();
    let report = serde_json::from_str(&report).unwrap_or(Value::Null);
    (code(&output), text(&output), report, project)
}

#[test]
fn twelve_straight_passes_decide() {
    let (code, text, report, project) = run(&suite(USUAL, "p"), &[]);
    assert_eq!(code, 0, "{text}");
    let case = &report["cases"][0];
    assert_eq!(case["verdict"], "passed");
    assert_eq!(case["attempts"].as_array().unwrap().len(), 12);
    assert_eq!(case["repeats"]["passed"], 12);
    let sequential = &case["repeats"]["sequential"];
    assert_eq!((&sequential["fixed_plan"], &sequential["saved_runs"]), (&41.into(), &29.into()));
    assert_eq!(sequential["saved_tokens"], 2_900);
    assert_eq!(report["totals"]["saved"]["runs"], 29);
    assert!(
        text.contains(
            "12 of 12 repeats passed · rate 100 % (75.8 % to 100 %) · 29 runs and about 2,900 tokens saved"
        ),
        "{text}"
    );
    assert!(
        text.contains("29 runs and about 2,900 tokens saved compared with plans of a fixed number"),
        "{text}"
    );
    let junit = project.read("reports/latest/junit.xml");
    for property in [
        "name=\"repeats\" value=\"12\"",
        "name=\"pass_rate_low\" value=\"0.7575\"",
        "name=\"saved_runs\" value=\"29\"",
    ] {
        assert!(junit.contains(property), "{property} in {junit}");
    }
}

#[test]
fn mixed_repeats_that_pass_are_flaky_and_told_as_nextest_does() {
    let (code, text, report, project) = run(&suite(USUAL, &format!("f{}", "p".repeat(39))), &[]);
    assert_eq!(code, 0, "{text}");
    assert_eq!(report["cases"][0]["verdict"], "flaky");
    assert_eq!(
        report["cases"][0]["attempts"].as_array().unwrap().len(),
        18,
        "one more than 17 passes in a row"
    );
    assert!(text.contains("17 of 18 repeats passed"), "{text}");
    let junit = project.read("reports/latest/junit.xml");
    assert_eq!(junit.matches("<flakyFailure").count(), 1, "{junit}");
    assert!(!junit.contains("<failure") && junit.contains("failures=\"0\""), "{junit}");
}

#[test]
fn broken_repeats_decide_as_soon_as_they_can() {
    let (code, text, report, project) = run(&suite(USUAL, "f"), &[]);
    assert_eq!(code, 100, "{text}");
    assert_eq!(report["cases"][0]["attempts"].as_array().unwrap().len(), 3);
    assert!(text.contains("0 of 3 repeats passed"), "{text}");
    let junit = project.read("reports/latest/junit.xml");
    assert_eq!(
        (junit.matches("<failure").count(), junit.matches("<rerunFailure").count()),
        (1, 2),
        "{junit}"
    );
    let (code, text, report, _) = run(&suite("    repeat: { max: 40 }\n", "ppf"), &[]);
    assert_eq!((code, report["cases"][0]["attempts"].as_array().unwrap().len()), (100, 3), "{text}");
}

#[test]
fn what_is_not_decided_at_max_is_red_unless_it_is_tolerated() {
    let (code, text, report, project) = run(&suite(USUAL, "ppppf"), &[]);
    assert_eq!(code, 97, "{text}");
    assert_eq!(report["cases"][0]["verdict"], "inconclusive");
    assert!(
        text.contains("32 of 40 repeats passed: not enough to distinguish a rate of 90 % from one of 70 %"),
        "{text}"
    );
    assert!(text.contains("exit 97: the repeats of a test did not decide"), "{text}");
    assert!(project.read("reports/latest/junit.xml").contains("<failure"));
    let keys = format!("{USUAL}    on_inconclusive: warn\n");
    let (code, text, report, project) = run(&suite(&keys, "ppppf"), &[]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("1 inconclusive (a warning)"), "{text}");
    assert_eq!((&report["cases"][0]["tolerated"], &report["totals"]["tolerated"]), (&true.into(), &1.into()));
    let junit = project.read("reports/latest/junit.xml");
    assert!(!junit.contains("<failure") && junit.contains("failures=\"0\""), "{junit}");
    assert!(
        junit.contains("<skipped message=\"inconclusive, which the suite tolerates: 32 of 40"),
        "{junit}"
    );
    assert!(junit.contains("skipped=\"1\""), "{junit}");
}

#[test]
fn an_errored_repeat_leaves_the_plan_unmet() {
    let (code, text, report, _) = run(&suite(USUAL, "ppe"), &[]);
    assert!(code == 3 || code == 100, "{code} {text}");
    assert_eq!(report["cases"][0]["verdict"], "errored");
    assert_eq!(report["cases"][0]["attempts"].as_array().unwrap().len(), 3, "nothing more is paid for");
}

#[test]
fn an_infrastructure_retry_is_no_repeat() {
    let refused = "{ outputs: { x: 1 }, fault: { name: too_many_requests, times: 1 } }";
    let text = suite(USUAL, "p").replace("retries: 0", "retries: { count: 2, delay: 1ms }");
    let text = text.replace(
        "        - { outputs: { x: 1 }, nodes: [{ title: A, type: llm, tokens: 100 }] }\n",
        &format!("        - {refused}\n{}", "        - { outputs: { x: 1 } }\n".repeat(39)),
    );
    let (code, said, report, _) = run(&text, &[]);
    assert_eq!(code, 0, "{said}");
    let case = &report["cases"][0];
    assert_eq!((&case["verdict"], &case["repeats"]["passed"]), (&"flaky".into(), &12.into()), "{said}");
    assert_eq!(case["attempts"].as_array().unwrap().len(), 13);
}

#[test]
fn a_flag_that_cannot_decide_is_refused_once_and_names_what_it_needs() {
    let two = format!(
        "{}  - {{ name: b, pass_rate: 0.9, assert: [{{ path: $.x, equals: 1 }}], mock: {{ outputs: {{ x: 1 }} }} }}\n",
        suite(USUAL, "p")
    );
    let (code, text, _, project) = run(&two, &["--repeat", "3..11"]);
    assert_eq!(code, 2, "{text}");
    assert!(
        text.contains("--repeat 3..11: 11 repeats can never decide between a rate of 0.9 and one of 0.7"),
        "{text}"
    );
    assert!(text.contains("`max` must be at least 12"), "{text}");
    assert_eq!(text.matches("can never decide").count(), 1, "{text}");
    assert!(!project.path("reports").exists(), "nothing was sent");
    for bad in ["9..3", "0", "3..", "abc"] {
        assert_eq!(run(&two, &["--repeat", bad]).0, 2, "{bad}");
    }
    let (code, text, report, _) = run(&two, &["--repeat", "1..40"]);
    assert_eq!(code, 0, "{text}");
    assert_eq!(report["totals"]["attempts"], 24);
    let output = project.command(&["run"]).env("FLOWPROOF_REPEAT", "2").output().unwrap();
    let report: Value = serde_json::from_str(&project.read("reports/latest/report.json")).unwrap();
    assert_eq!((output.status.code(), &report["totals"]["attempts"]), (Some(0), &4.into()));
}

/// The suite with thresholds.
fn with(thresholds: &str, suite: &str) -> String {
    suite.replace("name: S\n", &format!("name: S\nthresholds: {thresholds}\n"))
}

#[test]
fn a_threshold_that_fails_exits_99_and_every_report_says_by_how_much() {
    let (code, text, report, project) =
        run(&with("{ tokens: { mean: 99, max: 100 } }", &suite("    repeat: 3\n", "p")), &[]);
    assert_eq!(code, 99, "{text}");
    assert!(text.contains("thresholds: 1 held, 1 failed"), "{text}");
    let told = "S: tokens mean must be at most 99: it is 100, 1 over (3 attempts)";
    assert!(text.contains(&format!("exit 99: a threshold failed: {told}")), "{text}");
    assert!(text.contains("suites/s.yaml:3:31"), "{text}");
    let failed =
        report["thresholds"].as_array().unwrap().iter().find(|one| one["truth"] == "broken").unwrap();
    assert_eq!(
        (&failed["actual"], &failed["limit"], &failed["attempts"]),
        (&"100".into(), &"99".into(), &3.into())
    );
    let junit = project.read("reports/latest/junit.xml");
    assert!(junit.contains("<testcase classname=\"S\" name=\"thresholds\""), "{junit}");
    assert!(junit.contains(&format!("<failure message=\"{told}\" type=\"threshold\">")), "{junit}");
    assert_eq!(junit.matches("tests=\"2\" failures=\"1\" errors=\"0\"").count(), 2, "{junit}");
    let output = project.command(&["run"]).env("GITHUB_ACTIONS", "true").output().unwrap();
    let annotation = "::error file=suites/s.yaml,line=3,col=31,title=S%3A%3Athresholds::S: tokens mean";
    assert!(crate::project::text(&output).contains(annotation), "{}", crate::project::text(&output));
}

#[test]
fn a_threshold_that_its_data_cannot_decide_is_not_green() {
    let five = suite("    repeat: 5\n", "p");
    let (code, text, report, project) = run(&with("{ latency: { p95: 15s } }", &five), &[]);
    assert_eq!(code, 97, "{text}");
    assert!(text.contains("exit 97: a threshold could not be decided: S: latency p95"), "{text}");
    assert!(text.contains("a p95 takes 20 finished attempts, there are 5"), "{text}");
    assert_eq!(report["thresholds"][0]["truth"], "undecided");
    assert!(project.read("reports/latest/junit.xml").contains("<error message=\"S: latency p95"));
    let (code, text, _, _) = run(&with("{ latency: { p95: 15s } }", &suite("    repeat: 20\n", "p")), &[]);
    assert_eq!(code, 0, "{text}");
    let (code, text, _, _) = run(&with("{ ttft: { mean: 15s } }", &five), &[]);
    assert_eq!(code, 97, "no model streamed: {text}");
    let (code, text, _, _) = run(&with("{ cost: { total: 9.00 USD } }", &five), &[]);
    assert_eq!(code, 97, "no price was told: {text}");
}

#[test]
fn a_red_test_comes_before_a_threshold() {
    let (code, text, _, _) = run(&with("{ tokens: { mean: 9 } }", &suite("", "f")), &[]);
    assert_eq!(code, 100, "{text}");
    assert!(text.contains("1 failed"), "{text}");
    let (code, text, _, _) = run(&with("{ tokens: { mean: 9 } }", &suite("", "e")), &[]);
    assert!(code == 3 || code == 100, "{code}: {text}");
    let inconclusive = suite(USUAL, "ppppf");
    assert_eq!(run(&with("{ pass_rate: 0.99 }", &inconclusive), &[]).0, 99);
    assert_eq!(run(&with("{ pass_rate: 0.5 }", &inconclusive), &[]).0, 97);
}

#[test]
fn a_suite_that_was_skipped_does_not_meet_its_thresholds() {
    let skipped = with("{ pass_rate: 0.5 }", &suite("    skip: later\n", "p"));
    let (code, text, _, project) = run(&skipped, &[]);
    assert_eq!(code, 4, "nothing ran: {text}");
    project.write("suites/t.yaml", suite("", "p").replace("name: S", "name: T"));
    let output = project.run(&["run"]);
    assert_eq!(output.status.code(), Some(97), "{}", crate::project::text(&output));
    assert!(crate::project::text(&output).contains("no attempt of the suite finished"));
    let other = project.run(&["run", "suites/t.yaml"]);
    assert_eq!(other.status.code(), Some(0), "that suite was not asked for");
}

#[test]
fn a_part_of_a_suite_is_not_red_for_what_only_the_whole_decides() {
    let two = format!(
        "{}  - {{ name: b, assert: [{{ path: $.x, equals: 1 }}], mock: {{ outputs: {{ x: 1 }} }} }}\n",
        suite("", "p")
    );
    let (code, text, _, _) = run(&with("{ latency: { p50: 15s } }", &two), &["-f", "S::a"]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("1 test was left out of the suite"), "{text}");
    let (code, text, _, _) = run(&with("{ tokens: { max: 99 } }", &two), &["-f", "S::a"]);
    assert_eq!(code, 99, "what is broken is broken: {text}");
}

#[test]
fn two_suites_of_one_name_cannot_have_thresholds() {
    let project = Project::with_suite(&with("{ pass_rate: 0.5 }", &suite("", "p")));
    project.write("suites/t.yaml", suite("", "p").replace("name: a", "name: b"));
    let output = project.run(&["run"]);
    assert_eq!(output.status.code(), Some(2), "{}", crate::project::text(&output));
    assert!(crate::project::text(&output).contains("two suites are named `S`"));
}

#[test]
fn a_share_that_is_exactly_reached_holds() {
    let twenty = suite("    repeat: 20\n    pass_rate: 0.9\n", &format!("f{}", "p".repeat(19)));
    let (code, text, report, _) = run(&with("{ pass_rate: { gte: 0.95 } }", &twenty), &["-v"]);
    assert_eq!((code, &report["cases"][0]["verdict"]), (0, &"flaky".into()), "{text}");
    assert!(text.contains("S: pass_rate must be at least 95 %: it is 95 % over 20 attempts"), "{text}");
    let (code, text, _, _) = run(&with("{ pass_rate: 95.1% }", &twenty), &[]);
    assert_eq!(code, 99, "a bare value is the least: {text}");
    assert!(text.contains("0.1 points under"), "{text}");
}
