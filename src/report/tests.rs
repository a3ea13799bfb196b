//! The documents as wholes: what a run with every verdict and hostile texts becomes.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use super::document::{CaseBatch, Document, DocumentFailure, DocumentPlace, DocumentSelection, OpenDocument};
use super::terminal::screen::BarVisibility;
use super::terminal::{ScreenOptions, SummaryContext, Terminal, Verbosity, failure_text, render_summary};
use super::text::ColorUse;
use super::*;
use crate::record::attempt::CaseOutcome;
use crate::record::event::{Event, Sink};
use crate::record::journal::sample::*;
use crate::record::journal::{CaseRecord, RunRecord};
use crate::record::verdict::{Finding, Verdict};

const PLAIN: ScreenOptions =
    ScreenOptions { ink: ColorUse::Plain, detail: Verbosity::Normal, progress: BarVisibility::None };

fn ending(code: u8, reason: &'static str) -> SummaryContext {
    SummaryContext {
        code,
        reason: reason.to_owned(),
        gates: Default::default(),
        reports: "reports/latest".into(),
    }
}

/// Compares with a stored document; `UPDATE_EXPECTED=1` is not read here: delete the file to have it written anew.
fn expect(name: &str, found: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/report").join(name);
    match fs::read_to_string(&path) {
        Ok(expected) => assert!(expected == found, "{name} differs:\n{found}"),
        Err(_) => {
            fs::write(&path, found).unwrap();
            panic!("{name} was missing and is written: look at it, then run again");
        }
    }
}

fn in_folder(events: &[Event]) -> (tempfile::TempDir, RunRecord) {
    let folder = tempfile::tempdir().unwrap();
    let record = record(folder.path(), events);
    (folder, record)
}

fn written(record: &RunRecord, folder: &Path, name: &str) -> String {
    let path = folder.join(name);
    write_file(record, &path, &crate::base::files::Fence::anywhere()).unwrap();
    fs::read_to_string(path).unwrap()
}

#[test]
fn junit_of_every_verdict() {
    let (folder, record) = in_folder(&every_verdict());
    let junit = written(&record, folder.path(), "a.xml");
    expect("every-verdict.xml", &junit);
    let mut reader = quick_xml::Reader::from_str(&junit);
    let mut cases = 0;
    loop {
        match reader.read_event().unwrap() {
            quick_xml::events::Event::Start(tag) if tag.name().as_ref() == b"testcase" => cases += 1,
            quick_xml::events::Event::Eof => break,
            _ => {}
        }
    }
    assert_eq!(cases, 8);
}

#[test]
fn json_of_every_verdict_fits_its_schema() {
    let schema: Value = serde_json::from_str(json::SCHEMA).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for events in [every_verdict(), many(3), every_verdict()[..9].to_vec()] {
        let (folder, record) = in_folder(&events);
        let text = written(&record, folder.path(), "a.json");
        let report: Value = serde_json::from_str(&text).unwrap();
        let errors: Vec<String> =
            validator.iter_errors(&report).map(|e| format!("{}: {e}", e.instance_path())).collect();
        assert!(errors.is_empty(), "{errors:#?}");
        assert_eq!(report["run"]["seed"], u64::MAX);
        assert_eq!(report["cases"].as_array().unwrap().len() as u32, record.totals.cases());
        let mut extra = report.clone();
        extra["cases"][0]["surprise"] = true.into();
        assert!(!validator.is_valid(&extra), "the schema names every key");
    }
    let (folder, record) = in_folder(&every_verdict());
    let text = written(&record, folder.path(), "a.json");
    for exact in ["18446744073709551615", "-9223372036854775808", "9007199254740993"] {
        assert!(text.contains(exact), "{exact}");
    }
    expect("every-verdict.json", &text);
}

#[test]
fn summary_tap_and_csv_of_every_verdict() {
    let (folder, record) = in_folder(&every_verdict());
    let summary = written(&record, folder.path(), "a.md");
    expect("every-verdict.md", &summary);
    assert!(summary.contains("on the mock: no live workflow was tested"));
    let tap = written(&record, folder.path(), "a.tap");
    expect("every-verdict.tap", &tap);
    assert_eq!(tap.lines().filter(|line| line.starts_with("ok ") || line.starts_with("not ok ")).count(), 8);
    assert_eq!(tap.lines().filter(|line| line.starts_with("not ok ")).count() as u32, record.totals.red());
    let table = written(&record, folder.path(), "a.csv");
    expect("every-verdict.csv", &table);
    let mut rows = ::csv::Reader::from_reader(table.as_bytes());
    assert_eq!(rows.records().map(|row| row.unwrap().len()).collect::<Vec<_>>(), [23; 8]);
}

#[test]
fn a_summary_fits_a_comment_however_much_is_red() {
    let long = "ä\u{202e}`````</details> @someone ".repeat(400);
    let mut events = vec![Event::RunStarted(start(300))];
    for case in 0..300 {
        let changed = broken(&long, long.as_str().into(), "x".into());
        let outcome =
            CaseOutcome { reason: None, ..outcome(case, "s", &format!("{case} {long}"), Verdict::Failed) };
        events.extend(pair(attempt(case, Verdict::Failed, vec![changed]), outcome));
    }
    for case in 300..400 {
        let flaky = outcome(case, "s", &format!("{case} {long}"), Verdict::Flaky);
        events.extend(pair(errored(case, &long), flaky));
    }
    events.push(end());
    let (folder, record) = in_folder(&events);
    let summary = written(&record, folder.path(), "a.md");
    assert!(summary.len() <= markdown::COMMENT, "{} bytes", summary.len());
    assert!(summary.len() > markdown::COMMENT / 2, "the room is used: {} bytes", summary.len());
    assert!(summary.contains("more tests are red and left out here"), "{summary}");
    let opened = summary.matches("<details><summary>").count();
    assert_eq!(opened, summary.matches("\n</details>\n").count(), "each part is closed");
}

#[test]
fn the_summary_of_a_job_grows_by_runs_until_it_is_full() {
    let (folder, record) = in_folder(&every_verdict());
    let path = folder.path().join("step");
    fs::write(&path, "earlier\n").unwrap();
    add_step_summary(&record, &path).unwrap();
    add_step_summary(&record, &path).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.starts_with("earlier\n## ✗ flowproof"), "{text}");
    assert_eq!(text.matches("## ✗ flowproof: 5 of 8 tests are red").count(), 2);
    fs::write(&path, vec![b'x'; (1 << 20) - 10]).unwrap();
    let error = add_step_summary(&record, &path).unwrap_err().to_string();
    assert!(error.contains("no room left"), "{error}");
    assert_eq!(fs::metadata(&path).unwrap().len(), (1 << 20) - 10);
}

#[test]
fn a_run_without_tests_or_end_is_green_in_no_document() {
    let mut torn = many(3);
    torn.truncate(3);
    for events in [torn, vec![Event::RunStarted(start(0)), end()]] {
        let (folder, record) = in_folder(&events);
        let tap = written(&record, folder.path(), "a.tap");
        let ran = record.totals.cases();
        assert!(tap.contains(&format!("1..{}\n", ran + 1)), "{tap}");
        assert!(tap.contains(&format!("not ok {} - the run is complete: ", ran + 1)), "{tap}");
        let summary = written(&record, folder.path(), "a.md");
        assert!(!summary.contains('✓'), "{summary}");
    }
}

#[test]
fn an_unfinished_run_is_never_green() {
    let mut events = many(3);
    events.truncate(3);
    let (folder, record) = in_folder(&events);
    let junit = written(&record, folder.path(), "a.xml");
    assert!(junit.contains("tests=\"2\" failures=\"0\" errors=\"1\""), "{junit}");
    assert!(junit.contains("2 of 3 tests were not judged"), "{junit}");
    let summary = render_summary(&record, PLAIN, &ending(130, "interrupted")).unwrap();
    assert!(summary.contains("3 tests: 1 passed, 2 not finished"), "{summary}");
    let json: Value = serde_json::from_str(&written(&record, folder.path(), "a.json")).unwrap();
    assert_eq!((&json["totals"]["unfinished"], &json["run"]["interrupted"]), (&2.into(), &true.into()));
}

#[test]
fn the_folder_is_replaced_as_a_whole() {
    let (folder, record) = in_folder(&every_verdict());
    let latest = folder.path().join("latest");
    fs::create_dir_all(latest.join("diff")).unwrap();
    fs::write(latest.join("diff/stale.diff"), "old").unwrap();
    let files = write_all(&record, &latest, &chosen_formats(None)).unwrap();
    assert!(files.iter().all(|file| file.is_file() && file.starts_with(&latest)));
    let mut names: Vec<String> =
        files.iter().map(|file| file.strip_prefix(&latest).unwrap().to_string_lossy().into_owned()).collect();
    names.sort();
    let hostile = "diff/hostile%20%3C%26%3E%3A%3A%5D%5D%3E%20%1B%5B0m";
    let triage = "diff/triage%3A%3Arefund%20is%20billing";
    let expected = [
        format!("{hostile}.diff"),
        format!("{hostile}.md"),
        format!("{triage}.diff"),
        format!("{triage}.md"),
    ];
    assert_eq!(names[..4], expected);
    assert_eq!(names[4..], ["junit.xml", "report.html", "report.json", "summary.md"]);
    assert!(!latest.join("diff/stale.diff").exists());
    expect("refund.diff", &fs::read_to_string(latest.join(format!("{triage}.diff"))).unwrap());
    expect("refund.md", &fs::read_to_string(latest.join(format!("{triage}.md"))).unwrap());
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 3, "nothing temporary is left: {left:?}");
}

#[test]
fn a_failure_keeps_the_old_folder() {
    let (folder, record) = in_folder(&every_verdict());
    let latest = folder.path().join("latest");
    write_all(&record, &latest, &chosen_formats(Some(&["json"]))).unwrap();
    fs::write(record.path(), "").unwrap();
    assert!(matches!(write_all(&record, &latest, &chosen_formats(None)), Err(ReportError::Journal(_))));
    assert!(latest.join("report.json").is_file() && !latest.join("junit.xml").exists());
}

/// A document whose code panics at a case.
struct FaultyDocument;

impl Document for FaultyDocument {
    fn word(&self) -> &'static str {
        "faulty"
    }

    fn file_name(&self) -> &'static str {
        "faulty.txt"
    }

    fn selection(&self) -> DocumentSelection {
        DocumentSelection::Named
    }

    fn begin<'r>(
        &self,
        place: DocumentPlace<'_>,
        record: &'r RunRecord,
    ) -> Result<Box<dyn OpenDocument + 'r>, DocumentFailure> {
        super::tap::TapDocument.begin(place, record)
    }

    fn batch(&self, _: &RunRecord) -> Option<Box<dyn CaseBatch>> {
        Some(Box::new(FaultyBatch))
    }
}

struct FaultyBatch;

impl CaseBatch for FaultyBatch {
    fn push(&mut self, _: &CaseRecord, _: &[u8]) {
        panic!("no such column");
    }
}

#[test]
fn a_panic_in_a_document_is_its_own_and_the_others_are_written() {
    let (folder, record) = in_folder(&every_verdict());
    let latest = folder.path().join("latest");
    let mut formats = vec![&FaultyDocument as ReportFormat];
    formats.extend(chosen_formats(None));
    let error = write_all(&record, &latest, &formats).unwrap_err();
    assert!(matches!(&error, ReportError::Panicked { path, .. } if *path == latest.join("faulty.txt")));
    assert!(error.to_string().contains("no such column"), "{error}");
    assert!(!latest.join("faulty.txt").exists());
    for document in chosen_formats(None) {
        let path = latest.join(document.file_name());
        assert!(path.exists(), "{}", path.display());
    }
    let alone = folder.path().join("whole");
    write_all(&record, &alone, &chosen_formats(None)).unwrap();
    let read = |folder: &Path| fs::read(folder.join("junit.xml")).unwrap();
    assert_eq!(read(&latest), read(&alone));
}

#[test]
fn other_kinds_are_refused_with_those_there_are() {
    for (name, says) in [("a.htm", "`.htm` is none of them"), ("a.txt", "none of them"), ("a", "no ending")] {
        let error = kind_of(Path::new(name)).unwrap_err().to_string();
        assert!(
            error.contains(says) && error.contains(".xml (JUnit), .json, .html, .md, .tap or .csv"),
            "{error}"
        );
    }
    assert_eq!(kind_of(Path::new("A.XML")).unwrap().word(), "junit");
}

#[test]
fn summary_of_every_verdict() {
    let (_folder, record) = in_folder(&every_verdict());
    let plain = render_summary(&record, PLAIN, &ending(100, "a test failed or errored")).unwrap();
    expect("summary.txt", &plain);
    assert!(!plain.contains('\u{1b}') && !plain.contains('\u{202e}'));
    let colour = ScreenOptions { ink: ColorUse::Colour, ..PLAIN };
    expect(
        "summary.ansi",
        &render_summary(&record, colour, &ending(100, "a test failed or errored")).unwrap(),
    );
    let verbose = ScreenOptions { detail: Verbosity::Verbose, ..PLAIN };
    let verbose = render_summary(&record, verbose, &ending(100, "a test failed or errored")).unwrap();
    assert!(verbose.contains("✓ status equals succeeded"), "{verbose}");
}

#[test]
fn alike_errors_are_told_once_and_long_lists_cut() {
    let mut events = vec![Event::RunStarted(start(1100))];
    for case in 0..1000 {
        events.extend(pair(
            errored(case, "401: the key is not valid"),
            outcome(case, "s", &format!("e{case}"), Verdict::Errored),
        ));
    }
    for case in 1000..1100 {
        let finding = vec![finding(crate::record::verdict::Truth::Broken, "$.x equals 1")];
        events.extend(pair(
            attempt(case, Verdict::Failed, finding),
            outcome(case, "s", &format!("f{case}"), Verdict::Failed),
        ));
    }
    events.push(end());
    let (_folder, record) = in_folder(&events);
    let text = render_summary(&record, PLAIN, &ending(100, "a test failed or errored")).unwrap();
    assert_eq!(text.matches("401: the key is not valid").count(), 1);
    assert!(
        text.contains("errored 1,000 tests, all for one cause")
            && text.contains("s::e0, s::e1, s::e2 and 997 more")
    );
    assert!(
        text.contains("81 more tests are red") && text.contains("… and 51 more, all in the reports"),
        "{text}"
    );
    assert!(text.lines().count() < 250);
}

/// Five tests and one cause: the first met it with all its assertions undecided, the others were not sent.
fn one_cause() -> Vec<Event> {
    let mut first = errored(0, "HTTP 401 unauthorized: Access token is invalid");
    let cause = first.cause.clone().unwrap();
    let undecided = |label: &str| Finding {
        message: cause.message.clone(),
        ..finding(crate::record::verdict::Truth::Undecided, label)
    };
    let group = Finding {
        message: String::from("0 of 2 hold, 1 must; 2 cannot be decided"),
        members: vec![undecided("$.a equals 1"), undecided("$.b equals 1")],
        ..finding(crate::record::verdict::Truth::Undecided, "any of 2 assertions")
    };
    first.findings = vec![undecided("status is succeeded (implied)"), undecided("$.x equals 1"), group];
    let mut events = vec![Event::RunStarted(start(5))];
    events.extend(pair(first, outcome(0, "s", "t0", Verdict::Errored)));
    for case in 1..5 {
        let name = format!("t{case}");
        let unsent = CaseOutcome {
            reason: Some(cause.not_sent()),
            attempts: 0,
            ..outcome(case, "s", &name, Verdict::Errored)
        };
        events.push(Event::CaseFinished(Arc::new(unsent)));
    }
    events.push(end());
    events
}

#[test]
fn one_cause_is_told_once_without_the_assertions_it_left_undecided() {
    let (folder, record) = in_folder(&one_cause());
    let text = render_summary(&record, PLAIN, &ending(3, "no test could be judged")).unwrap();
    assert_eq!(text.matches("Access token is invalid").count(), 1, "{text}");
    assert!(text.contains("! errored 5 tests, all for one cause"), "{text}");
    assert!(text.contains("4 of them were not sent, since they would have met it again"), "{text}");
    assert!(
        text.contains("help: set DIFY_API_KEY") && text.contains("s::t0, s::t1, s::t2 and 2 more"),
        "{text}"
    );
    assert!(!text.contains("undecided") && !text.contains("cannot be decided"), "{text}");
    let mut out = Vec::new();
    let mut terminal = Terminal::to(&mut out, PLAIN);
    one_cause().iter().for_each(|event| terminal.take(event).unwrap());
    drop(terminal);
    let live = String::from_utf8(out).unwrap();
    assert!(live.contains("! errored s::t4  not sent\n") && !live.contains("Access token"), "{live}");
    let junit = written(&record, folder.path(), "a.xml");
    assert_eq!(junit.matches("Access token is invalid").count(), 6, "each testcase names it: {junit}");
    assert!(!junit.contains("undecided"), "{junit}");
    let annotations = github::annotations(&record);
    assert!(annotations.starts_with("::error file=suites/triage.yaml,line=12,col=11,"), "{annotations}");
}

#[test]
fn a_cause_leaves_what_was_decided_in_sight() {
    let mut attempt = errored(0, "no end within 2s");
    let cause = attempt.cause.clone().unwrap().message;
    let late = Finding {
        message: String::from("expected at most 1s, and it had not ended after 2s"),
        ..finding(crate::record::verdict::Truth::Broken, "latency at most 1s")
    };
    let unjudged = Finding {
        message: cause.clone(),
        ..finding(crate::record::verdict::Truth::Undecided, "$.x equals 1")
    };
    attempt.findings = vec![late, unjudged.clone(), unjudged];
    let text = failure_text(&outcome(0, "s", "n", Verdict::Failed), Some(&attempt));
    assert!(text.contains("latency at most 1s") && !text.contains("$.x"), "{text}");
    assert!(text.contains("2 assertions could not be judged for this reason"), "{text}");
    assert_eq!(text.matches(&cause).count(), 1, "{text}");
}

#[test]
fn a_run_that_failed_is_told_before_what_follows_from_it() {
    let status = Finding {
        message: String::from("expected succeeded, found failed: out of credit"),
        ..finding(crate::record::verdict::Truth::Broken, crate::assert::check::IMPLIED_STATUS)
    };
    let missing = Finding {
        message: String::from("`$.x` selects nothing in the outputs, which are empty"),
        ..finding(crate::record::verdict::Truth::Broken, "$.x equals 1")
    };
    let failed = attempt(0, Verdict::Failed, vec![missing, status]);
    let told = outcome(0, "s", "n", Verdict::Failed);
    let text = failure_text(&told, Some(&failed));
    assert!(text.find("out of credit").unwrap() < text.find("$.x equals 1").unwrap(), "{text}");
    let mut events = vec![Event::RunStarted(start(1))];
    events.extend(pair(failed, told));
    events.push(end());
    let (folder, record) = in_folder(&events);
    let junit = written(&record, folder.path(), "a.xml");
    assert!(junit.contains("found failed: out of credit (and 1 more)\" type"), "{junit}");
}

#[test]
fn nothing_is_said_twice() {
    let told = |mut finding: Finding, message: &str| {
        finding.message = message.to_owned();
        failure_text(
            &outcome(0, "s", "n", Verdict::Failed),
            Some(&attempt(0, Verdict::Failed, vec![finding])),
        )
    };
    let category = || broken("$.c equals \"billing\"", "billing".into(), "technical".into());
    let text = told(category(), "expected \"billing\", found \"technical\"");
    assert_eq!((text.matches("technical").count(), text.contains("+ found")), (1, false), "{text}");
    let reply = || broken("$.r equals …", "a refund is due".into(), "a voucher is due".into());
    let text = told(reply(), "expected \"a refund is due\", found \"a voucher is due\"");
    assert!(text.contains("- a [-refund-] is due") && !text.contains("expected \"a"), "{text}");
    let both = "expected \"a refund is due\", found \"a voucher is due\"; expected a match of `x`, found …";
    let text = told(reply(), both);
    assert!(text.contains("{+voucher+}") && text.contains("expected a match of `x`"), "{text}");
    let limit = || Finding {
        expected: Some("at most 100".into()),
        actual: Some(421.into()),
        ..finding(crate::record::verdict::Truth::Broken, "tokens at most 100")
    };
    let text = told(limit(), "expected at most 100 tokens, found 421");
    assert_eq!(text.matches("421").count(), 2, "once as the finding, once as the tokens: {text}");
    let text = told(limit(), "expected at most 100 tokens, found a lot of …");
    assert!(text.contains("found     421"), "what the message cuts is shown: {text}");
}

#[test]
fn a_stop_after_red_tests_is_named_in_junit() {
    let mut events = every_verdict();
    events.truncate(4);
    events.push(Event::RunFinished(crate::record::event::RunEnd {
        duration_ms: 1.0,
        interrupted: false,
        stopped_early: Some(String::from("stopped after 1 red test")),
        ..crate::record::event::RunEnd::default()
    }));
    let (folder, record) = in_folder(&events);
    let junit = written(&record, folder.path(), "a.xml");
    assert!(junit.contains("stopped after 1 red test: 7 of 8 tests were not judged"), "{junit}");
    assert!(!junit.contains("records are missing") && !junit.contains("interrupted"), "{junit}");
}

#[test]
fn live_lines_and_a_closed_pipe() {
    let mut out = Vec::new();
    let mut terminal = Terminal::to(&mut out, PLAIN);
    every_verdict().iter().for_each(|event| terminal.take(event).unwrap());
    drop(terminal);
    expect("live.txt", &String::from_utf8(out).unwrap());
    let mut quiet = Vec::new();
    let mut terminal = Terminal::to(&mut quiet, ScreenOptions { detail: Verbosity::Quiet, ..PLAIN });
    every_verdict().iter().for_each(|event| terminal.take(event).unwrap());
    drop(terminal);
    assert!(quiet.is_empty());
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut terminal = Terminal::to(writer, PLAIN);
    every_verdict().iter().for_each(|event| terminal.take(event).unwrap());
}

#[test]
fn live_lines_are_masked() {
    let mut out = Vec::new();
    let redactor = crate::base::redact::Redactor::new(["second try".to_owned()]);
    let mut terminal = Terminal::to(&mut out, PLAIN).masked_by(redactor);
    every_verdict().iter().for_each(|event| terminal.take(event).unwrap());
    drop(terminal);
    assert!(!String::from_utf8(out).unwrap().contains("second try"));
}

#[test]
fn annotations_point_at_assertions() {
    let (_folder, record) = in_folder(&every_verdict());
    expect("annotations.txt", &github::annotations(&record));
}

#[test]
fn a_harness_gets_plain_text() {
    let text = failure_text(
        &outcome(0, "s", "n", Verdict::Failed),
        Some(&attempt(0, Verdict::Failed, vec![broken("$.a equals \"x\"", "x".into(), "y".into())])),
    );
    assert!(text.starts_with("✗ failed  s::n") && text.contains("suites/triage.yaml:14:9"), "{text}");
    assert!(failure_text(&outcome(0, "s", "n", Verdict::Errored), None).contains("nothing was judged"));
}

#[test]
fn of_very_many_red_tests_junit_tells_the_beginning() {
    use crate::report::explain::{ExcerptLimits, MANY_RED};

    let explained = |red| {
        let (_, record) = in_folder(&every_verdict());
        let case = record.failures().next().unwrap().unwrap();
        let mut attempt = case.deciding().unwrap().clone();
        attempt.outputs = Some(Value::from("x".repeat(50_000)));
        crate::report::facts::bounded_explanation(&attempt, ExcerptLimits::of_file(red)).len()
    };
    let (few, many) = (explained(MANY_RED), explained(MANY_RED + 1));
    assert!(few > 4_000 && many < few / 4, "{few} and {many}");
}
