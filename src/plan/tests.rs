//! Suites under `tests/data/suites`: good ones become plans, bad ones give exactly the problems their first lines expect.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use secrecy::ExposeSecret;

use crate::base::bindings::AttemptNames;
use crate::base::repeat::RepeatRange;
use crate::base::units::parse_money;
use crate::dify::transcript::ResponseMode;
use crate::plan::case::{Case, Plan, TargetKind};
use crate::plan::choices::Choices;
use crate::plan::compile::compile;
use crate::plan::compiled::CompiledPlan;
use crate::plan::list::list;
use crate::plan::target_error::TargetError;
use crate::record::event::{RunOptions, ShuffleSeed};
use crate::suite::load::{LoadOptions, OutsidePaths, load};
use crate::yaml::problem::Problem;

fn data(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/suites").join(folder)
}

fn problems_of(folder: &Path, path: &Path) -> Vec<Problem> {
    let options = LoadOptions {
        working_dir: folder.to_path_buf(),
        paths: vec![path.to_path_buf()],
        outside: OutsidePaths::Refused,
        in_ci: false,
        only: None,
        formats: vec!["junit", "json", "html", "markdown", "tap", "csv"],
    };
    compile(load(&options), &Choices::default()).problems
}

fn line_of(problem: &Problem) -> String {
    let Problem { place, message, help, .. } = problem;
    let help = help.as_ref().map(|help| format!(" ({help})")).unwrap_or_default();
    format!("{place} {message}{help}")
}

#[test]
fn bad_suites_give_their_problems() {
    let folder = data("bad");
    let mut wrong = Vec::new();
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "yaml"));
    paths.sort();
    for path in &paths {
        let found: Vec<String> = problems_of(&folder, path).iter().map(line_of).collect();
        let found = found.join("\n") + "\n";
        let expected_file = path.with_extension("problems.txt");
        let expected = std::fs::read_to_string(&expected_file).unwrap_or_default();
        if found != expected || found.trim().is_empty() {
            wrong.push(format!("{}\nexpected:\n{expected}found:\n{found}", path.display()));
        }
    }
    assert!(paths.len() >= 40);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn loaded(folder: &Path, files: &[(&str, &str)]) -> LoadOptions {
    for (name, text) in files {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    LoadOptions {
        working_dir: folder.to_path_buf(),
        paths: Vec::new(),
        outside: OutsidePaths::Refused,
        in_ci: false,
        only: None,
        formats: vec!["junit", "json", "html", "markdown", "tap", "csv"],
    }
}

/// The options of a run on a target.
fn on(target: &str) -> RunOptions {
    RunOptions { target: Some(target.to_owned()), ..RunOptions::default() }
}

fn compiled(files: &[(&str, &str)], choices: &Choices) -> CompiledPlan {
    let folder = tempfile::tempdir().unwrap();
    let options = loaded(folder.path(), files);
    compile(load(&options), choices)
}

fn plan(files: &[(&str, &str)], choices: &Choices) -> Plan {
    let compiled = compiled(files, choices);
    assert_eq!(compiled.problems.iter().map(line_of).collect::<Vec<_>>(), Vec::<String>::new());
    assert_eq!(compiled.target_errors, []);
    compiled.plan.unwrap()
}

fn env(pairs: &[(&str, &str)]) -> Arc<BTreeMap<String, String>> {
    Arc::new(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
}

fn names(plan: &Plan) -> Vec<&str> {
    plan.cases.iter().map(|case| &*case.name).collect()
}

#[test]
fn the_blocks_of_the_format_page_load() {
    let folder = data("good");
    for file in ["support-triage.yaml", "elsewhere.yaml", "repeats.yaml"] {
        let problems = problems_of(&folder, &folder.join(file));
        assert_eq!(problems.iter().map(line_of).collect::<Vec<_>>(), Vec::<String>::new(), "{file}");
    }
}

const PROJECT: &str = include_str!("../../tests/data/suites/good/project/flowproof.yaml");
const TRIAGE: &str =
    "version: 1\napp: triage\ntests:\n  - { name: a, tags: [x] }\n  - { name: b, tags: [y], skip: later }\n";

#[test]
fn the_project_of_the_format_page_runs_on_the_mock_by_default() {
    let plan = plan(&[("flowproof.yaml", PROJECT), ("suites/s.yaml", TRIAGE)], &Choices::default());
    assert_eq!((&*plan.target.name, &*plan.target.profile), ("mock", "default"));
    assert_eq!(names(&plan), ["s::a", "s::b"]);
    assert_eq!(plan.cases[1].skip.as_deref(), Some("later"));
    assert!(plan.secrets.is_empty());
}

#[test]
fn a_target_named_without_its_key_is_an_error_and_by_default_skips() {
    let files = [("flowproof.yaml", PROJECT), ("suites/s.yaml", TRIAGE)];
    let named = compiled(&files, &Choices { options: on("staging"), ..Choices::default() });
    assert_eq!(named.target_errors.len(), 1);
    assert_eq!(
        named.target_errors[0].to_string(),
        "the API key of the app `triage` of the target `staging` is not set: `env.TRIAGE_KEY` is not defined"
    );
    let by_default = PROJECT.replace("target: mock", "target: staging");
    let files = [("flowproof.yaml", by_default.as_str()), ("suites/s.yaml", TRIAGE)];
    let skipped = plan(&files, &Choices::default());
    assert!(skipped.cases[0].skip.as_deref().unwrap().contains("TRIAGE_KEY"), "{:?}", skipped.cases[0].skip);
    let in_ci = compiled(&files, &Choices { in_ci: true, ..Choices::default() });
    assert_eq!(in_ci.target_errors.len(), 1);
}

#[test]
fn a_live_target_takes_its_key_and_limits() {
    let files = [("flowproof.yaml", PROJECT), ("suites/s.yaml", TRIAGE)];
    let keys = env(&[("TRIAGE_KEY", "app-triage-1"), ("SOME_OTHER_ENV_NAME", "hush-hush")]);
    let choices = Choices {
        options: RunOptions { retries: Some(1), ..on("staging") },
        env: keys,
        ..Choices::default()
    };
    let plan = plan(&files, &choices);
    let TargetKind::Live { endpoint, apps } = &plan.target.kind else { panic!("a live target") };
    assert_eq!(endpoint.base_url, "https://api.dify.ai/v1");
    assert_eq!((plan.target.concurrency, endpoint.kept_connections, plan.target.retries.count), (4, 0, 1));
    assert_eq!(apps["triage"].api_key.expose_secret(), "app-triage-1");
    assert_eq!(plan.secrets, ["app-triage-1", "hush-hush"]);
}

#[test]
fn a_target_bounds_its_answers_between_a_kilobyte_and_a_gigabyte() {
    let key = env(&[("TRIAGE_KEY", "app-triage-1")]);
    let choices = Choices { options: on("staging"), env: key, ..Choices::default() };
    let with = |size: &str| PROJECT.replace("  staging:\n", &format!("  staging:\n    max_body: {size}\n"));
    let bound = |project: &str| {
        let files = [("flowproof.yaml", project), ("suites/s.yaml", TRIAGE)];
        let TargetKind::Live { endpoint, .. } = plan(&files, &choices).target.kind else { panic!("live") };
        endpoint.max_body
    };
    assert_eq!(bound(PROJECT), 64_000_000);
    for (size, bytes) in [("1KB", 1_000), ("2.5MB", 2_500_000), ("1GB", 1_000_000_000)] {
        assert_eq!(bound(&with(size)), bytes, "{size}");
    }
    for (size, told) in [
        ("999B", "`max_body` must lie between 1 KB and 1 GB"),
        ("1.1GB", "`max_body` must lie between 1 KB and 1 GB"),
        ("0B", "`max_body` must lie between 1 KB and 1 GB"),
        ("-1MB", "max_body"),
        ("64", "max_body"),
        ("[]", "max_body"),
    ] {
        let project = with(size);
        let found = compiled(&[("flowproof.yaml", &project), ("suites/s.yaml", TRIAGE)], &choices).problems;
        let [problem] = found.as_slice() else { panic!("{size}: {found:?}") };
        assert!(problem.message.contains(told), "{size}: {}", problem.message);
        assert_eq!(problem.place.to_string().split(':').next(), Some("flowproof.yaml"), "{size}");
    }
}

#[test]
fn keys_that_no_header_carries_are_refused_without_being_shown() {
    let files = [("flowproof.yaml", PROJECT), ("suites/s.yaml", TRIAGE)];
    for key in ["app-secret\n", "app-\u{e9}secret", "app-a b", " app-secret", "app"] {
        let choices =
            Choices { options: on("staging"), env: env(&[("TRIAGE_KEY", key)]), ..Choices::default() };
        let compiled = compiled(&files, &choices);
        let [error] = compiled.target_errors.as_slice() else {
            panic!("{key:?} gives {:?}", compiled.target_errors)
        };
        assert!(
            matches!(error, TargetError::BadKey { .. }) && !error.to_string().contains("secret"),
            "{error}"
        );
    }
}

#[test]
fn unknown_targets_profiles_and_apps_are_target_errors() {
    let suite = "version: 1\napp: triag\ntests: [{ name: a }]\n";
    let keys = env(&[("TRIAGE_KEY", "app-triage-1"), ("HANDBOOK_KEY", "app-handbook")]);
    let error = |target: Option<&str>, profile: Option<&str>, suite: &str| {
        let own = |text: &str| text.to_owned();
        let choices = Choices {
            options: RunOptions {
                target: target.map(own),
                profile: profile.map(own),
                ..RunOptions::default()
            },
            env: keys.clone(),
            ..Choices::default()
        };
        compiled(&[("flowproof.yaml", PROJECT), ("suites/s.yaml", suite)], &choices).target_errors[0]
            .to_string()
    };
    assert_eq!(error(Some("stagin"), None, suite), "there is no target `stagin`; did you mean `staging`?");
    assert_eq!(error(None, Some("cy"), suite), "there is no profile `cy`; did you mean `ci`?");
    assert!(error(Some("staging"), None, suite).ends_with("did you mean `triage`?"));
    assert!(
        error(Some("staging"), None, "version: 1\ntests: [{ name: a }]\n").contains("must name its `app`")
    );
}

#[test]
fn a_profile_gives_the_run_its_budget_and_the_command_line_stands_above_it() {
    let keys = env(&[("TRIAGE_KEY", "app-triage-1")]);
    let of_run = |budget: RunOptions| {
        let options = RunOptions { profile: Some("ci".to_owned()), ..budget };
        let choices = Choices { options, env: keys.clone(), ..Choices::default() };
        let plan = plan(&[("flowproof.yaml", PROJECT), ("suites/s.yaml", TRIAGE)], &choices);
        assert_eq!(plan.cases[0].test.repeats.times, RepeatRange::Fixed(3));
        let cost: Vec<String> =
            plan.budget.cost.iter().map(|(name, amount)| format!("{amount} {name}")).collect();
        (plan.budget.tokens, cost.join(", "), plan.budget.time.map(|time| time.as_secs()))
    };
    assert_eq!(of_run(RunOptions::default()), (Some(400_000), "3.00 USD".to_owned(), Some(1_500)));
    let euros = RunOptions { budget_cost: vec![parse_money("2 EUR").unwrap()], ..RunOptions::default() };
    assert_eq!(of_run(euros), (Some(400_000), "2 EUR".to_owned(), Some(1_500)));
}

#[test]
fn precedence_runs_from_the_command_line_down_to_the_built_in_default() {
    let project = "version: 1\nprofiles: { default: { repeat: 2, timeout: 40s } }\n";
    let suite = "version: 1\ndefaults: { repeat: 3, retries: { delay: 5s } }\ntests:\n  - { name: a, repeat: 4, retries: 7 }\n  - { name: b }\n";
    let files = [
        ("flowproof.yaml", project),
        ("suites/s.yaml", suite),
        ("suites/t.yaml", "version: 1\ntests: [{ name: c }]\n"),
    ];
    let repeats = |choices: &Choices| {
        plan(&files, choices).cases.iter().map(|case| case.test.repeats.times.most()).collect::<Vec<_>>()
    };
    assert_eq!(repeats(&Choices::default()), [4, 3, 2]);
    let options = RunOptions { repeat: Some(RepeatRange::Fixed(9)), ..RunOptions::default() };
    assert_eq!(repeats(&Choices { options, ..Choices::default() }), [9, 9, 9]);
    let plan = plan(&files, &Choices::default());
    let retries = plan.cases[0].test.retries.clone().unwrap();
    assert_eq!((retries.count, retries.delay.as_secs(), retries.max_delay.as_secs()), (7, 5, 30));
    assert_eq!(plan.cases[1].test.retries.as_ref().unwrap().count, 3);
    assert_eq!(
        (plan.cases[2].test.retries.clone(), plan.cases[2].test.timeout.unwrap().as_secs()),
        (None, 40)
    );
}

#[test]
fn inputs_merge_key_by_key_and_rows_share_one_test() {
    let suite = "version: 1\nvars: { shop: Northwind }\ndefaults: { inputs: { locale: en, shop: \"{{ vars.shop }}\" } }\ntests:\n  - name: t\n    each: [{ id: fr, city: Paris }, { city: Rome }]\n    inputs: { locale: de, q: \"{{ row.city }}\" }\n";
    let plan = plan(&[("suites/s.yaml", suite)], &Choices::default());
    assert_eq!(names(&plan), ["s::t[fr]", "s::t[2]"]);
    assert!(Arc::ptr_eq(&plan.cases[0].test, &plan.cases[1].test));
    let test = &plan.cases[1].test;
    let attempt = AttemptNames { test: "s::t[2]", run: "r", repeat: 0, row: plan.cases[1].row.as_deref() };
    let scope = test.bindings.scope(&plan.templates, attempt).unwrap();
    let inputs = plan.templates.render(&test.inputs, &scope).unwrap();
    assert_eq!(inputs, serde_json::json!({ "locale": "de", "shop": "Northwind", "q": "Rome" }));
}

#[test]
fn a_test_that_expects_rejection_is_sent_blocking() {
    let suite = "version: 1\ndefaults: { assert: [{ status: succeeded }] }\ntests:\n  - { name: a, assert: [{ status: rejected }] }\n  - { name: b }\n  - { name: c, response_mode: streaming, assert: [{ status: rejected }] }\n";
    let plan = plan(&[("suites/s.yaml", suite)], &Choices::default());
    let modes: Vec<_> = plan.cases.iter().map(|case| case.test.mode).collect();
    assert_eq!(modes, [ResponseMode::Blocking, ResponseMode::Streaming, ResponseMode::Streaming]);
}

#[test]
fn defaults_are_shared_by_the_tests_that_leave_them_as_they_are() {
    let suite = "version: 1\ndefaults:\n  assert:\n    - { path: $.a, equals: 1 }\n    - { path: $.city, equals: \"{{ row.city }}\" }\n    - { tokens: 5, steps: 2 }\ntests:\n  - { name: a, each: [{ city: Rome }] }\n  - { name: b, each: [{ city: Oslo }], assert: [{ steps: 3 }] }\n  - { name: c, each: [{ city: Bern }] }\n  - { name: d, skip_defaults: true, assert: [{ path: $.a, equals: 1 }] }\n";
    let plan = plan(&[("suites/s.yaml", suite)], &Choices::default());
    let checks: Vec<String> = plan.cases.iter().map(|case| format!("{:?}", case.test.checks)).collect();
    let count = |case: usize| plan.cases[case].test.checks.len();
    assert_eq!([0, 1, 2, 3].map(count), [4, 5, 4, 2]);
    // All but the implied status, which is at each test's name.
    let shared = |text: &str| text[..text.rfind("Check { head").unwrap()].to_owned();
    assert_eq!(shared(&checks[0]), shared(&checks[2]));
    assert!(checks[0].contains("\"tokens at most 5 and steps at most 2\""), "{}", checks[0]);
    assert!(checks[1].contains("\"tokens at most 5\"") && checks[1].contains("\"steps at most 3\""));
    assert!(!checks[1].contains("steps at most 2") && !checks[3].contains("tokens at most"));
    // What a template may name is a matter of each test.
    let towns = suite.replace("{ city: Bern }", "{ town: Bern }");
    let problems = compiled(&[("suites/s.yaml", &towns)], &Choices::default()).problems;
    let lines: Vec<String> = problems.iter().map(line_of).collect();
    assert!(lines.len() == 1 && lines[0].contains("`row.city`"), "{lines:?}");
}

#[test]
fn what_says_the_same_is_compiled_once_and_stands_where_it_is_written() {
    let group = "any_of: [{ status: succeeded }, { path: $.b, exists: true }]";
    let suite = format!(
        "version: 1\ntests:\n  - name: a\n    assert:\n      - {{ path: $.a, equals: 1 }}\n      - {{ {group} }}\n  - name: b\n    assert:\n      - path: $.a\n        equals: 1\n      - {{ {group} }}\n      - {{ path: $.a, equals: 1.0 }}\n      - {{ path: $.a, equals: '1' }}\n"
    );
    let plan = plan(&[("suites/s.yaml", &suite)], &Choices::default());
    let lines = |text: &str| -> Vec<String> {
        let words = text.split(", ").filter_map(|word| word.split_once("line: "));
        words.map(|(_, line)| line.to_owned()).collect()
    };
    let said = |case: usize, check: usize| {
        let text = format!("{:?}", plan.cases[case].test.checks[check]);
        let (lines, body) = (lines(&text), text.split_once("body: ").unwrap().1.to_owned());
        (lines, body)
    };
    let ((first, body), (second, same)) = (said(0, 0), said(1, 0));
    assert_eq!((first[0].as_str(), second[0].as_str(), &body), ("5", "9", &same));
    for other in [2, 3] {
        assert_ne!(said(1, other).1, body, "another number and a text are other operands");
    }
    let ((first, _), (second, _)) = (said(0, 1), said(1, 1));
    assert_eq!((first, second), (vec!["6".to_owned(); 3], vec!["11".to_owned(); 3]));
}

#[test]
fn filters_tags_only_sample_and_shuffle_select() {
    let many: String = (0..50)
        .map(|number| {
            format!("  - {{ name: t{number}, tags: [{}] }}\n", if number % 2 == 0 { "even" } else { "odd" })
        })
        .collect();
    let suite = format!("version: 1\ntests:\n{many}");
    let files = [("suites/s.yaml", suite.as_str())];
    let run = |options: RunOptions, seed| {
        let choices = Choices { options, seed, ..Choices::default() };
        let folder = tempfile::tempdir().unwrap();
        let listed: Vec<String> = list(&load(&loaded(folder.path(), &files)), &choices)
            .iter()
            .map(|listed| listed.name.to_string())
            .collect();
        let plan = plan(&files, &choices);
        assert_eq!(names(&plan), listed);
        assert_eq!(plan.cases.len() + plan.deselected as usize, 50);
        assert!(plan.cases.iter().enumerate().all(|(index, case)| case.ordinal as usize == index));
        listed
    };
    let texts = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    assert_eq!(run(RunOptions { filters: texts(&["t4", "t11"]), ..RunOptions::default() }, 0).len(), 12);
    assert_eq!(
        run(RunOptions { filters: texts(&["s::t4"]), exact: true, ..RunOptions::default() }, 0),
        ["s::t4"]
    );
    assert_eq!(run(RunOptions { tags: texts(&["even"]), ..RunOptions::default() }, 0).len(), 25);
    assert_eq!(run(RunOptions { skip_tags: texts(&["even", "odd"]), ..RunOptions::default() }, 0).len(), 0);
    let sample = |seed| run(RunOptions { sample: Some(5), ..RunOptions::default() }, seed);
    assert_eq!((sample(1).len(), sample(1) == sample(1), sample(1) == sample(2)), (5, true, false));
    let shuffled =
        |seed| run(RunOptions { shuffle: Some(ShuffleSeed::OfRun), ..RunOptions::default() }, seed);
    assert_eq!(
        (shuffled(1).len(), shuffled(1) == shuffled(1), shuffled(1) == shuffled(2)),
        (50, true, false)
    );
}

#[test]
fn only_leaves_the_others_out_and_is_refused_in_ci() {
    let files = [("suites/s.yaml", "version: 1\ntests:\n  - { name: a }\n  - { name: b, only: true }\n")];
    assert_eq!(names(&plan(&files, &Choices::default())), ["s::b"]);
    let folder = tempfile::tempdir().unwrap();
    let options = LoadOptions { in_ci: true, ..loaded(folder.path(), &files) };
    assert!(
        line_of(&load(&options).problems[0]).contains("s.yaml:4:16 `only` is refused"),
        "{:?}",
        load(&options).problems
    );
}

#[test]
fn a_suite_with_problems_is_left_out_and_named() {
    let files = [
        ("suites/bad.yaml", "version: 1\ntests:\n  - { name: a, each: _rows.csv }\n  - { name: b }\n"),
        ("suites/_rows.csv", "id,city\n1\n"),
        ("suites/ok.yaml", "version: 1\ntests: [{ name: a }]\n"),
        ("suites/torn.yaml", "version: 1\ntests: ["),
    ];
    let compiled = compiled(&files, &Choices::default());
    assert_eq!(names(compiled.plan.as_ref().unwrap()), ["ok::a"]);
    assert_eq!(
        compiled.unsound.iter().map(|file| &**file).collect::<Vec<_>>(),
        ["suites/bad.yaml", "suites/torn.yaml"]
    );
    for file in &compiled.unsound {
        assert!(compiled.problems.iter().any(|problem| problem.concerns(file)), "{file}");
    }
}

#[test]
fn short_secrets_and_bad_addresses_are_problems() {
    let project =
        "version: 1\nsecrets: [PIN]\ntargets: { t: { base_url: \"ftp://x\", api_key: \"{{ env.KEY }}\" } }\n";
    let choices = Choices {
        options: on("t"),
        env: env(&[("PIN", "1234"), ("KEY", "app-123456")]),
        ..Choices::default()
    };
    let compiled = compiled(
        &[("flowproof.yaml", project), ("suites/s.yaml", "version: 1\ntests: [{ name: a }]\n")],
        &choices,
    );
    let problems: Vec<String> = compiled.problems.iter().map(line_of).collect();
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(problems[0].contains("fewer than 6 characters") && !problems[0].contains("1234"));
    assert!(problems[1].contains("must begin with `http://`"));
}

#[test]
fn a_hundred_thousand_rows_are_small_and_quick() {
    let rows: String = (0..100_000).map(|row| format!("{row},city {row}\n")).collect();
    let files = [
        (
            "suites/s.yaml",
            "version: 1\ntests: [{ name: a, each: _rows.csv, inputs: { q: \"{{ row.city }}\" } }]\n",
        ),
        ("suites/_rows.csv", &*format!("id,city\n{rows}")),
    ];
    let plan = plan(&files, &Choices::default());
    assert_eq!((plan.cases.len(), &*plan.cases[99_999].name), (100_000, "s::a[99999]"));
    assert!(size_of::<Case>() <= 128);
}

#[test]
fn a_bad_project_file_tells_all_its_problems() {
    let project = "\
target: {}
targets:
  mock: { base_url: x, api_key: y }
  a: { api_key: \"{{ vars.k }}\", rate: 5, timeouts: { conect: 1s } }
  b: { base_url: \"http://x/v1\", apps: { one: {} }, api_key: k }
profiles: { other: { target: moc } }
reports: { formats: [junit, xml] }
";
    let compiled = compiled(
        &[("flowproof.yaml", project), ("suites/s.yaml", "version: 1\ntests: [{ name: a }]\n")],
        &Choices::default(),
    );
    let found: Vec<String> = compiled.problems.iter().map(line_of).collect();
    for expected in [
        "flowproof.yaml:1:1 unknown key `target` in the project file (did you mean `targets`?)",
        "flowproof.yaml:3:3 `mock` is built in; a target needs another name",
        "flowproof.yaml:4:3 the target `a` has no `base_url`",
        "flowproof.yaml:4:21 `vars.k` is not known (there is no `vars.*` here)",
        "flowproof.yaml:4:39 `rate`: `5` has no unit",
        "flowproof.yaml:4:54 unknown key `conect` in `timeouts` (did you mean `connect`?)",
        "flowproof.yaml:5:3 a target has `apps` or its own `api_key`, not both",
        "flowproof.yaml:5:41 an app needs an `api_key`",
        "flowproof.yaml:6:30 there is no target `moc` (did you mean `mock`?)",
        "flowproof.yaml:7:29 a report format cannot be `xml`",
    ] {
        assert!(found.iter().any(|problem| problem.starts_with(expected)), "{expected} in {found:#?}");
    }
}

/// The fingerprint of the one test of a suite, and of its project.
fn print_of(project: &str, suite: &str) -> crate::base::digest::Digest {
    let choices = Choices { env: env(&[("KEY", "app-0123456789")]), ..Choices::default() };
    let plan = plan(&[("flowproof.yaml", project), ("suites/s.yaml", suite)], &choices);
    assert_eq!(plan.cases.len(), 1);
    plan.cases[0].print
}

#[test]
fn whatever_decides_a_verdict_is_in_the_fingerprint() {
    let project = "version: 1\ntargets:\n  live: { base_url: 'http://127.0.0.1:9/v1', api_key: '{{ env.KEY }}' }\nprofiles: { default: { target: live } }\njudges: { model: { url: 'http://127.0.0.1:9/v1', api_key: '{{ env.KEY }}', model: small } }\n";
    let suite = "version: 1\nname: S\nvars: { v: 1 }\ntests:\n  - name: a\n    inputs: { x: y }\n    assert: [{ path: $.x, llm_rubric: { judge: model, rubric: good, min: 0.7 } }]\n";
    let same = print_of(project, suite);
    let inside = |key: &str| suite.replace("    inputs:", &format!("    {key}\n    inputs:"));
    let above = |key: &str| suite.replace("vars:", &format!("{key}\nvars:"));
    let others = [
        ("a variable", project.to_owned(), suite.replace("v: 1", "v: 2")),
        ("an input", project.to_owned(), suite.replace("x: y", "x: z")),
        ("an assertion", project.to_owned(), suite.replace("good", "bad")),
        ("repeats", project.to_owned(), inside("repeat: 3")),
        (
            "what repeats count as",
            project.to_owned(),
            inside(
                "repeat: { min: 3, max: 9 }\n    pass_rate: 0.9\n    fail_below: 0.5\n    on_inconclusive: warn",
            ),
        ),
        ("a limit", project.to_owned(), inside("timeout: 3s")),
        ("a limit of all", project.to_owned(), above("defaults: { timeout: 3s }")),
        ("retries", project.to_owned(), inside("retries: 3")),
        ("sending again", project.to_owned(), inside("retries: { count: 3, resend: true }")),
        ("a form's answer", project.to_owned(), inside("human_input: [{ node: ask, action: yes }]")),
        ("a form's other answer", project.to_owned(), inside("human_input: [{ node: ask, action: leave }]")),
        ("another form's answer", project.to_owned(), inside("human_input: [{ node: wait, action: yes }]")),
        (
            "what is written into a form",
            project.to_owned(),
            inside("human_input: [{ node: ask, action: yes, inputs: { note: x } }]"),
        ),
        ("a cap of tokens", project.to_owned(), above("budget: { per_test: { tokens: 10 } }")),
        ("a cap of a price", project.to_owned(), above("budget: { per_test: { cost: 1.00 USD } }")),
        (
            "a strict contract",
            project.replacen("/v1', api_key", "/v1', contract: strict, api_key", 1),
            suite.to_owned(),
        ),
        (
            "the audit of a target",
            project.replacen("/v1', api_key", "/v1', usage: trust, api_key", 1),
            suite.to_owned(),
        ),
        ("a judge's model", project.replace("small", "large"), suite.to_owned()),
        ("a judge's votes", project.replace("model: small", "model: small, repeat: 3"), suite.to_owned()),
    ];
    let mut prints = std::collections::HashMap::from([(same, "the test itself")]);
    for (what, project, suite) in &others {
        let other = prints.insert(print_of(project, suite), what);
        assert_eq!(other, None, "{what} changes nothing");
    }
}

#[test]
fn a_plan_is_its_cases_in_any_order_and_each_with_the_files_it_sends() {
    use super::print::{plan_print, with_files};
    use crate::base::digest::Digest;

    let suite = "version: 1\ntests:\n  - { name: a, inputs: { x: 1 } }\n  - { name: b, inputs: { x: 1 } }\n";
    let cases =
        plan(&[("flowproof.yaml", "version: 1\n"), ("suites/s.yaml", suite)], &Choices::default()).cases;
    let [a, b] = &cases[..] else { panic!("{}", cases.len()) };
    let unknown = Case { print: Digest::default(), ..a.clone() };
    assert_eq!(plan_print([a, b].into_iter()), plan_print([b, a].into_iter()));
    let different =
        [vec![], vec![&unknown], vec![&unknown; 2], vec![a], vec![b], vec![a, b], vec![a, b, &unknown]];
    let prints: std::collections::HashSet<Digest> =
        different.iter().map(|cases| plan_print(cases.iter().copied())).collect();
    assert_eq!(prints.len(), different.len());
    let (one, other) = (Some(Digest::of("one")), Some(Digest::of("other")));
    let held = [vec![], vec![None], vec![one], vec![other], vec![one, other], vec![other, one]];
    let prints: std::collections::HashSet<Digest> =
        held.iter().flat_map(|files| [with_files(a.print, files), with_files(b.print, files)]).collect();
    assert_eq!(prints.len(), 2 * held.len());
}

#[test]
fn what_decides_nothing_keeps_the_fingerprint() {
    let suite = "version: 1\nname: S\ntests:\n  - name: a\n    assert: [{ path: $.x, equals: 1 }]\n    mock: { outputs: { x: 1 } }\n";
    let same = print_of("version: 1\n", suite);
    for other in [
        suite.replace("tests:", "description: new\nthresholds: { pass_rate: { gte: 0.5 } }\ntags: [t]\nbudget: { tokens: 5k, per_test: {} }\ntests:").replace(", per_test: {}", ""),
        format!("# moved\n{suite}"),
    ] {
        assert_eq!(print_of("version: 1\n", &other), same, "{other}");
    }
    assert_eq!(
        same.to_string(),
        "683836cfac8910fb",
        "a test without caps, limits or judges is the one of earlier versions"
    );
}

fn secrets_of(target: &str, pairs: &[(&str, &str)]) -> Vec<String> {
    let project = format!("version: 1\nsecrets: [HUSH]\ntargets:\n  t:\n{target}");
    let files =
        [("flowproof.yaml", project.as_str()), ("suites/s.yaml", "version: 1\ntests: [{ name: a }]\n")];
    let compiled = compiled(&files, &Choices { env: env(pairs), ..Choices::default() });
    assert!(compiled.problems.is_empty(), "{:?}", compiled.problems);
    compiled.plan.unwrap().secrets
}

#[test]
fn what_a_key_or_header_is_made_of_is_secret() {
    let target = |key: &str, rest: &str| format!("    base_url: https://h/v1\n    api_key: {key:?}\n{rest}");
    for (target, found) in [
        (target("tenant7.{{ env.A }}", ""), vec!["alpha-1", "tenant7.alpha-1"]),
        (target("{{ env.A }}.{{ env.B }}", ""), vec!["BRAVO-2", "alpha-1", "alpha-1.BRAVO-2"]),
        (target("t.{{ env.B | lower }}", ""), vec!["BRAVO-2", "bravo-2", "t.bravo-2"]),
        (target("t.{{ env.C | trim }}", ""), vec!["charlie-3", "t.charlie-3"]),
        (target("t.{{ env['A'] }}", ""), vec!["alpha-1", "t.alpha-1"]),
        (target("t.{{ env.NONE | default('fallback') }}", ""), vec!["fallback", "t.fallback"]),
        (target("{{ env.QUOTED }}", ""), vec!["\"app-quoted\"", "app-quoted"]),
        (target("{{ env.SHORT }}", "    headers: { X-Tier: gold }\n"), vec![]),
        (target("{{ env.SHORT }}", "    headers: { X-Plain: plain-value }\n"), vec!["plain-value"]),
        (
            target("{{ env.SHORT }}", "    headers: { X-Auth: \"Bearer {{ env.A }}\" }\n"),
            vec!["Bearer alpha-1", "alpha-1"],
        ),
        (
            target("{{ env.SHORT }}", "    headers: { Proxy-Authorization: \"Basic {{ env.BASIC }}\" }\n"),
            vec!["Basic dXNlcjpwYXNzd29yZA==", "dXNlcjpwYXNzd29yZA==", "password", "user:password"],
        ),
        (
            target("{{ env.SHORT }}", "    headers: { Cookie: \"sid={{ env.A }}; theme=darkness\" }\n"),
            vec!["alpha-1", "darkness", "sid=alpha-1", "sid=alpha-1; theme=darkness", "theme=darkness"],
        ),
        (
            target("{{ env.SHORT }}", "    proxy: \"http://operator:p%40ssword@h:1\"\n"),
            vec!["operator", "operator:p%40ssword", "operator:p@ssword", "p%40ssword", "p@ssword"],
        ),
    ] {
        let pairs = [
            ("A", "alpha-1"),
            ("B", "BRAVO-2"),
            ("C", "charlie-3\n"),
            ("BASIC", "dXNlcjpwYXNzd29yZA=="),
            ("QUOTED", "\"app-quoted\""),
            ("SHORT", "abc"),
        ];
        assert_eq!(secrets_of(&target, &pairs), found, "{target}");
    }
}

#[test]
fn addresses_versions_and_models_are_no_secrets() {
    let target = "    base_url: \"https://{{ env.HOST }}/v1\"\n    api_key: \"{{ env.KEY }}\"\n    workflow_id: \"{{ env.ID }}\"\njudges:\n  j: { url: \"https://{{ env.HOST }}/v1\", api_key: \"j-{{ env.JUDGE }}\", model: \"{{ env.MODEL }}\" }\n";
    let pairs = [
        ("HOST", "dify.example.com"),
        ("ID", "7c3e33d4-2a8b-4e5f-9b1a-d3c6e8f12345"),
        ("MODEL", "gpt-4o-mini"),
        ("KEY", "app-123456"),
        ("JUDGE", "sk-judge"),
        ("HUSH", "hush-hush"),
    ];
    assert_eq!(secrets_of(target, &pairs), ["app-123456", "hush-hush", "j-sk-judge", "sk-judge"]);
}

#[test]
fn what_surrounds_a_key_or_an_address_is_named() {
    let why = |key: &str, url: &str| {
        let project = PROJECT
            .replace("\"{{ env.DIFY_BASE_URL | default('https://api.dify.ai/v1') }}\"", "\"{{ env.URL }}\"");
        let files = [("flowproof.yaml", project.as_str()), ("suites/s.yaml", TRIAGE)];
        let pairs = [("TRIAGE_KEY", key), ("URL", url)];
        let choices = Choices { options: on("staging"), env: env(&pairs), ..Choices::default() };
        let compiled = compiled(&files, &choices);
        let told = compiled.problems.iter().map(line_of);
        let told: Vec<String> = told.chain(compiled.target_errors.iter().map(ToString::to_string)).collect();
        assert!(told.iter().all(|line| !line.contains("app-secret")), "{told:?}");
        told.join("\n")
    };
    assert_eq!(why("app-secret", "https://h/v1"), "");
    for key in
        ["\"app-secret\"", "'app-secret'", "`app-secret`", "“app-secret”", "\"app-secret\"\n", " 'app-secret"]
    {
        assert!(why(key, "https://h/v1").contains("is in quotes"), "{key}");
    }
    for key in ["Bearer app-secret", "bearer: app-secret", "BEARER\tapp-secret"] {
        assert!(why(key, "https://h/v1").contains("begins with `Bearer`"), "{key}");
    }
    assert!(why("app-secret ", "https://h/v1").contains("blanks"));
    assert!(why("app-secret\r\n", "https://h/v1").contains("line end"));
    for url in ["\"https://h/v1\"", "'https://h/v1'", " \"https://h/v1\" "] {
        assert!(why("app-secret", url).contains("is in quotes"), "{url}");
    }
    assert_eq!(why("app-secret", " https://h/v1/\n"), "", "what surely belongs to no address is left out");
}

#[test]
fn problems_show_no_key_and_no_header() {
    let project = "version: 1\ntargets:\n  t: { base_url: \"ftp://x\", api_key: app-literal-key, headers: { X-A: tiny, X-B: a-long-token } }\n";
    let files = [
        ("flowproof.yaml", project),
        ("suites/s.yaml", "version: 1\ntests: [{ name: app-literal-key, asert: 1 }]\n"),
    ];
    let compiled = compiled(&files, &Choices { options: on("t"), ..Choices::default() });
    assert_eq!(compiled.problems.len(), 2, "{:?}", compiled.problems);
    for problem in &compiled.problems {
        let told = format!("{problem:?}");
        assert!(
            ["app-literal-key", "tiny", "a-long-token"].iter().all(|hidden| !told.contains(hidden)),
            "{told}"
        );
        let line = files.iter().find(|(name, _)| problem.place.file.ends_with(name)).unwrap().1;
        let line = line.lines().nth(problem.place.line as usize - 1).unwrap();
        assert_eq!(problem.place.excerpt.chars().count(), line.chars().count());
    }
}

#[test]
fn default_files_and_assertions_are_not_repeated_without_bound() {
    let list = format!("x-list: &list [{}]\n", "1,".repeat(5_000));
    let suite = |defaults: &str, tests: usize, keys: &str| {
        let tests: String = (0..tests).map(|test| format!("  - {{ name: t{test}{keys} }}\n")).collect();
        format!("version: 1\n{list}vars: {{ a: 1 }}\ndefaults:\n{defaults}tests:\n{tests}")
    };
    let said = |suite: String| {
        assert!(suite.len() < 80 << 10, "{}", suite.len());
        let found = compiled(&[("suites/s.yaml", &suite)], &Choices::default()).problems;
        found.iter().map(line_of).collect::<Vec<_>>().join("\n")
    };
    let files = |count: usize| {
        let file = |number: usize| format!("    f{number}: {{ url: http://a.b }}\n");
        format!("  files:\n{}", (0..count).map(file).collect::<String>())
    };
    let assertions =
        |count: usize, one: &str| format!("  assert:\n{}", format!("    - {{ {one} }}\n").repeat(count));
    let shared = "path: $.x, exists: true";
    let own = "path: $.x, equals: \"{{ vars.a }}\"";
    // Aliases write a great deal in little.
    let aliased = "path: \"$.{{ vars.a }}\", equals: *list";
    for (defaults, tests, what) in [
        (files(1_200), 900, "files"),
        (assertions(1_000, shared), 1_200, "assertions"),
        (assertions(1_200, shared), 500, "assertions"),
        (assertions(700, own), 1_000, "assertions"),
        (assertions(30, aliased), 500, "assertions"),
    ] {
        let told = said(suite(&defaults, tests, ""));
        let expected = format!("the default {what} are too large to be repeated for {tests} tests");
        assert!(told.contains(&expected) && told.contains("`each`"), "{what}: {told}");
        assert_eq!(said(suite(&defaults, 20, ", skip_defaults: true")), "", "{what}");
    }
    assert_eq!(said(suite(&files(50), 500, "")), "");
    assert_eq!(said(suite(&assertions(100, shared), 500, "")), "");
    assert_eq!(said(suite(&assertions(40, own), 500, "")), "");
}

/// A mock's script is compiled once for each test that writes it, and aliases write no more than is read.
#[test]
fn a_mock_script_is_no_larger_than_what_aliases_may_repeat() {
    let suite = |tests: usize| {
        let node = "{ title: a },";
        let test =
            |test: usize| format!("  - {{ name: t{test}, mock: {{ outputs: {{ x: 1 }}, nodes: *n }} }}\n");
        let tests: String = (0..tests).map(test).collect();
        format!("version: 1\nx-nodes: &n [{}]\ntests:\n{tests}", node.repeat(1_000))
    };
    let said = |suite: String| {
        assert!(suite.len() < 64 << 10, "{}", suite.len());
        let found = compiled(&[("suites/s.yaml", &suite)], &Choices::default()).problems;
        found.iter().map(line_of).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(said(suite(20)), "");
    let told = said(suite(700));
    assert!(told.contains("fewer aliases"), "{told}");
}

#[test]
fn default_inputs_are_not_repeated_without_bound() {
    let suite = |items: usize, tests: usize, keys: &str| {
        let tests: String = (0..tests).map(|test| format!("  - {{ name: t{test}{keys} }}\n")).collect();
        format!("version: 1\ndefaults:\n  inputs:\n    list: [{}]\ntests:\n{tests}", "1,".repeat(items))
    };
    let said = |suite: String| {
        assert!(suite.len() < 64 << 10, "{}", suite.len());
        let found = compiled(&[("suites/s.yaml", &suite)], &Choices::default()).problems;
        found.iter().map(line_of).collect::<Vec<_>>().join("\n")
    };
    let large = said(suite(16_000, 1_000, ""));
    let expected = "suites/s.yaml:4:5 the default inputs are too large to be repeated for 1000 tests";
    assert!(large.starts_with(expected) && large.contains("`each`"), "{large}");
    assert_eq!(said(suite(100, 1_000, "")), "");
    assert_eq!(said(suite(16_000, 100, ", skip_defaults: true")), "");
}
