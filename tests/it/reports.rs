//! The documents of a run as files: which there are, what each says, and that none is greener than the run.

use crate::project::{GREEN, Project, RED, code, text};

/// The names in a folder, sorted.
fn names(project: &Project, folder: &str) -> Vec<String> {
    let entries = std::fs::read_dir(project.path(folder)).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn the_project_chooses_the_documents() {
    let project = Project::with_suite(RED);
    assert_eq!(code(&project.run(&["run"])), 100);
    let usual = [".flowproof", "diff", "junit.xml", "report.html", "report.json", "summary.md"];
    assert_eq!(names(&project, "reports/latest"), usual);
    project.write("flowproof.yaml", "version: 1\nreports: { formats: [tap, csv, tap] }\n");
    assert_eq!(code(&project.run(&["run"])), 100);
    assert_eq!(names(&project, "reports/latest"), [".flowproof", "diff", "report.csv", "report.tap"]);
}

#[test]
fn every_kind_is_written_where_it_is_asked_for() {
    let project = Project::with_suite(RED);
    let kinds = ["a.xml", "a.json", "a.html", "a.md", "a.tap", "a.CSV"];
    let mut args = vec!["run"];
    let paths = kinds.map(|name| format!("out/{name}"));
    args.extend(paths.iter().flat_map(|path| ["-o", path.as_str()]));
    let ran = project.run(&args);
    assert_eq!(code(&ran), 100, "{}", text(&ran));
    for name in kinds {
        let written = project.read(&format!("out/{name}"));
        assert!(written.contains("bad"), "{name}: {written}");
        assert!(
            name.ends_with("CSV") || written.contains("on the mock: no live workflow was tested"),
            "{name}"
        );
    }
    assert!(project.read("out/a.html").contains("\"text\":\"1 of 2 tests is red\""));
    let refused = project.run(&["run", "-o", "a.pdf"]);
    assert_eq!(code(&refused), 2);
    assert!(
        text(&refused).contains(".html, .md, .tap or .csv; `.pdf` is none of them"),
        "{}",
        text(&refused)
    );
}

#[test]
fn a_green_run_is_green_and_an_empty_one_is_not() {
    let project = Project::with_suite(GREEN);
    assert_eq!(code(&project.run(&["run", "-o", "a.tap"])), 0);
    assert!(
        project.read("reports/latest/report.html").contains("\"light\":\"green\",\"text\":\"1 test passed\"")
    );
    assert!(project.read("reports/latest/summary.md").starts_with("## ✓ flowproof: 1 test passed\n"));
    assert!(project.read("a.tap").contains("1..1\n") && project.read("a.tap").contains("\nok 1 - S::a\n"));
    let skipped = GREEN.replace("tags: [smoke]", "skip: not yet");
    project.write("suites/s.yaml", skipped);
    assert_eq!(code(&project.run(&["run"])), 4);
    assert!(
        project.read("reports/latest/report.html").contains("\"light\":\"red\",\"text\":\"no test was run\"")
    );
    assert!(project.read("reports/latest/summary.md").starts_with("## ✗ flowproof: no test was run\n"));
}

#[test]
fn github_shows_the_summary_of_every_run_of_a_job() {
    let project = Project::with_suite(RED);
    let summary = project.path("step-summary");
    let run = |actions: &str, file: &std::path::Path| {
        let mut command = project.command(&["run"]);
        command.env("GITHUB_ACTIONS", actions).env("GITHUB_STEP_SUMMARY", file).output().unwrap()
    };
    assert_eq!(code(&run("false", &summary)), 100);
    assert!(!summary.exists(), "only in GitHub Actions");
    let first = run("true", &summary);
    assert_eq!(code(&first), 100);
    assert!(text(&first).contains("::error file=suites/s.yaml"), "{}", text(&first));
    run("true", &summary);
    let written = project.read("step-summary");
    assert_eq!(written.matches("## ✗ flowproof: 1 of 2 tests is red").count(), 2, "{written}");
    let elsewhere = run("true", &project.path("step-summary/below-a-file"));
    assert_eq!(code(&elsewhere), 100, "a summary that cannot be written changes no verdict");
    assert!(
        text(&elsewhere).contains("note: the summary of the job was not written"),
        "{}",
        text(&elsewhere)
    );
}

#[test]
fn a_missed_threshold_is_green_in_no_document() {
    let project =
        Project::with_suite(&GREEN.replace("name: S\n", "name: S\nthresholds: { steps: { max: 0 } }\n"));
    let ran = project.run(&["run", "-o", "a.tap"]);
    assert_eq!(code(&ran), 99, "{}", text(&ran));
    assert!(project.read("reports/latest/report.html").contains("\"light\":\"red\""));
    let summary = project.read("reports/latest/summary.md");
    assert!(
        summary.starts_with("## ✗ flowproof: S: ") && summary.contains("thresholds: 1 failed"),
        "{summary}"
    );
    let tap = project.read("a.tap");
    assert!(tap.contains("1..2\n") && tap.contains("\nnot ok 2 - threshold S: "), "{tap}");
}

#[test]
fn a_locale_without_utf_8_is_told_in_ascii() {
    let project = Project::with_suite(&RED.replace("name: bad", "name: größe"));
    let run = |locale: &str| text(&project.command(&["run"]).env("LC_ALL", locale).output().unwrap());
    let said = run("C");
    assert!(said.is_ascii(), "{said}");
    assert!(said.contains("x failed  S::gr\\u{f6}\\u{df}e") && said.contains("Start -> End"), "{said}");
    assert!(run("C.UTF-8").contains("✗ failed  S::größe"));
    assert!(project.read("reports/latest/junit.xml").contains("größe"), "documents are UTF-8 everywhere");
}

/// A failing test for each pair of an expected and a found text that look the same; `\u` are escapes of YAML.
fn pairs_suite(pairs: &[(&str, &str)]) -> String {
    let mut suite = "version: 1\nname: S\ntests:\n".to_owned();
    for (number, (expected, found)) in pairs.iter().enumerate() {
        for predicate in ["equals", "contains"] {
            suite.push_str(&format!(
                "  - name: {predicate}{number}\n    assert: [{{ path: $.x, {predicate}: \"{expected}\" }}]\n    mock: {{ outputs: {{ x: \"{found}\" }} }}\n"
            ));
        }
    }
    suite
}

#[test]
fn a_difference_that_nobody_sees_is_named_in_every_document() {
    let pairs = [
        ("refund", "re\\u200bfund", "re\\u{200b}fund"),
        ("10 000", "10\\u00a0000", "\\u{a0}"),
        ("ab", "a\\ufe0fb", "a\\u{fe0f}b"),
        ("Café", "Cafe\\u0301", "Cafe\\u{301}"),
        ("paypal", "p\\u0430ypal", "p\\u{430}ypal"),
        ("❤\\ufe0f", "❤", "❤\\u{fe0f}"),
    ];
    let project = Project::with_suite(&pairs_suite(&pairs.map(|(expected, found, _)| (expected, found))));
    let ran = project.run(&["run", "-o", "a.tap", "-o", "a.csv"]);
    assert_eq!(code(&ran), 100, "{}", text(&ran));
    let difference = |name: &str| project.read(&format!("reports/latest/diff/{name}"));
    for (number, (_, _, shown)) in pairs.iter().enumerate() {
        for document in ["reports/latest/junit.xml", "reports/latest/summary.md", "a.tap", "a.csv"] {
            let whole = project.read(document);
            let written = if document == "a.tap" { shown.replace('\\', "\\\\") } else { (*shown).to_owned() };
            assert!(whole.contains(&written) || whole.contains(*shown), "{document} lacks {shown}: {whole}");
        }
        assert!(text(&ran).matches(shown).count() >= 2, "{shown}: {}", text(&ran));
        for predicate in ["equals", "contains"] {
            let diff = difference(&format!("S%3A%3A{predicate}{number}.diff"));
            assert!(diff.contains(shown), "{shown}: {diff}");
        }
    }
    // The page names what is hidden by itself; of words that look alike it has the names.
    let page = project.read("reports/latest/report.html");
    assert!(
        page.contains(r#"{"paypal":"p\\u{430}ypal"}"#.replace("paypal", "p\u{430}ypal").as_str()),
        "{page}"
    );
    assert!(page.contains(r#":"Cafe\\u{301}""#));
}

#[test]
fn ordinary_text_is_shown_as_it_is() {
    let same = "👨‍👩‍👧 ❤️ naïve Cafe\u{301} 您的　退款";
    let project = Project::with_suite(&pairs_suite(&[(&format!("{same} one"), &format!("{same} two"))]));
    let ran = project.run(&["run"]);
    assert!(
        text(&ran).contains(&format!("{same} [-one-]")) && !text(&ran).contains("\\u{"),
        "{}",
        text(&ran)
    );
}

#[test]
fn a_blank_at_an_end_and_a_tab_are_seen() {
    let pairs = [("one line", "one line "), ("one line", "one\\tline"), ("one line", "one line\\r")];
    let project = Project::with_suite(&pairs_suite(&pairs));
    let ran = project.run(&["run"]);
    for shown in ["\\u{20}", "\\t", "\\r"] {
        assert!(text(&ran).contains(shown), "{shown}: {}", text(&ran));
    }
}

#[test]
fn names_of_keys_and_words_of_problems_are_named_too() {
    let suite = "version: 1\nname: S\ntests:\n  - name: t\n    assert: [{ path: $, equals: { \"Café\": 1, \"re\\u200bfund\": 2 } }]\n    mock: { outputs: { \"Cafe\\u0301\": 1, refund: 2 } }\n";
    let project = Project::with_suite(suite);
    let ran = project.run(&["run"]);
    for shown in ["Caf\\u{e9}", "Cafe\\u{301}", "re\\u{200b}fund"] {
        assert!(text(&ran).contains(shown), "{shown}: {}", text(&ran));
    }
    project
        .write("suites/s.yaml", "version: 1\nname: S\ntests:\n  - n\u{430}me: t\n    as\u{200b}sert: []\n");
    let checked = project.run(&["check"]);
    for shown in ["n\\u{430}me", "as\\u{200b}sert"] {
        assert!(text(&checked).contains(shown), "{shown}: {}", text(&checked));
    }
}

#[test]
fn a_flaky_test_warns_like_one_that_passed() {
    let project = Project::with_suite(
        "version: 1\nname: S\ndefaults: { retries: { count: 1, delay: 10ms } }\ntests:\n- name: a\n  assert: [{ path: $.x, equals: 1 }, { path: $.x, equals: 2, severity: warn }]\n  mock: { outputs: { x: 1 }, fault: { name: http_429, times: 1 } }\n",
    );
    let output = project.run(&["run", "-o", "report.csv", "-o", "report.tap"]);
    let text = crate::project::text(&output);
    assert!(output.status.success() && text.contains("1 flaky"), "{text}");
    assert!(text.contains("expected 2, found 1"), "{text}");
    for name in ["report.csv", "report.tap"] {
        let document = project.read(name);
        assert!(document.contains("warning: ") && document.contains("429"), "{name}: {document}");
    }
}
