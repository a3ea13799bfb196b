//! Runs that are taken up again, by `--resume` and `--rerun`; records that are damaged, in use, or can no longer be written.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use crate::live::{Live, case, command, finish, junit, report, run, signal, spawn, until, wait};
use crate::project::{Project, RED, code, text};
use crate::server::{Seen, Step, good, succeed, suite_of, target, with_headers};

/// The journal of the run begun last.
fn journal(project: &Project) -> PathBuf {
    let id = project.read("reports/latest-run");
    project.path(&format!("reports/runs/{}/journal.jsonl", id.trim()))
}

/// How often each test was asked for.
fn counts(live: &Live) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for seen in live.server.runs() {
        *counts.entry(seen.input("t").to_owned()).or_default() += 1;
    }
    counts
}

/// Answers so that `$.x` is 1, but for the tests named here.
fn wrong(names: &Arc<Mutex<Vec<&'static str>>>) -> impl Fn(&Seen) -> Vec<Step> + Send + Sync + use<> {
    let names = names.clone();
    move |seen| {
        let is_wrong = names.lock().unwrap().contains(&seen.input("t"));
        succeed(seen, if is_wrong { r#"{"x":2}"# } else { r#"{"x":1}"# })
    }
}

fn answers(wrong_ones: &[&'static str]) -> Arc<Mutex<Vec<&'static str>>> {
    Arc::new(Mutex::new(wrong_ones.to_vec()))
}

/// Leaves the first lines of the journal, as if the process had been killed then.
fn cut(project: &Project, keep: impl Fn(&str) -> bool) {
    let path = journal(project);
    let text = fs::read_to_string(&path).unwrap();
    let kept: String = text.split_inclusive('\n').filter(|line| keep(line)).collect();
    fs::write(path, kept).unwrap();
}

fn is_end(line: &str) -> bool {
    line.starts_with("{\"run_finished\"")
}

fn tells(line: &str, test: &str) -> bool {
    line.starts_with("{\"case_finished\"") && line.contains(&format!("\"name\":\"S::{test}\""))
}

#[test]
fn only_what_has_no_result_is_sent() {
    let live = Live::new(&suite_of(4), "", good);
    live.expect(0, &[]);
    cut(&live.project, |line| !is_end(line) && !tells(line, "t2"));
    let ran = live.expect(0, &["--resume", "latest"]);
    assert!(ran.text.contains("3 results to keep, 1 not finished; 1 to run now"), "{}", ran.text);
    let expected = [("t0", 1), ("t1", 1), ("t2", 2), ("t3", 1)].map(|(test, count)| (test.to_owned(), count));
    assert_eq!(counts(&live), BTreeMap::from(expected));
    let report = report(&live.project);
    assert_eq!((&report["totals"]["passed"], &report["run"]["complete"]), (&4.into(), &true.into()));
    assert_eq!(report["totals"]["attempts"], 5, "the lost attempt was paid for");
    assert_eq!(case(&report, "t2")["attempts"].as_array().unwrap().len(), 1);
    let again = live.expect(0, &["--resume", "latest"]);
    assert!(again.text.contains("4 results to keep; 0 to run now"), "{}", again.text);
    assert_eq!(live.server.runs().len(), 5);
}

#[test]
fn red_tests_are_run_again_and_their_newest_result_counts() {
    let names = answers(&["t1", "t3"]);
    let live = Live::new(&suite_of(5), "", wrong(&names));
    live.expect(100, &[]);
    *names.lock().unwrap() = vec!["t3"];
    let ran = live.expect(100, &["--rerun", "latest"]);
    assert!(ran.text.contains("3 results to keep, 2 red; 2 to run now"), "{}", ran.text);
    let told = report(&live.project);
    assert_eq!((&told["totals"]["passed"], &told["totals"]["failed"]), (&4.into(), &1.into()));
    assert_eq!((&told["totals"]["tests"], &told["totals"]["attempts"]), (&5.into(), &7.into()));
    names.lock().unwrap().clear();
    let narrowed = live.expect(100, &["--rerun", "latest", "-f", "t1"]);
    assert!(narrowed.text.contains("0 to run now"), "{}", narrowed.text);
    live.expect(0, &["--rerun", "latest"]);
    let counts = counts(&live);
    assert_eq!((counts["t0"], counts["t1"], counts["t3"]), (1, 2, 3));
    assert_eq!(junit(&live.project).get("failure"), None);
    assert_eq!(fs::read_dir(live.project.path("reports/runs")).unwrap().count(), 1, "one run");
}

#[test]
fn tests_that_changed_came_or_went_are_named() {
    let live = Live::new(&suite_of(4), "", good);
    live.expect(0, &[]);
    let suite = suite_of(5)
        .replace(
            "inputs: { t: t1 }\n    assert: [{ path: $.x, equals: 1 }]",
            "inputs: { t: t1 }\n    assert: [{ path: $.x, equals: 2 }]",
        )
        .replace("t3", "renamed");
    live.project.write("suites/s.yaml", format!("# moved by a line\n{suite}"));
    let ran = live.expect(100, &["--resume", "latest"]);
    for line in [
        "2 results to keep, 1 changed; 3 to run now",
        "1 test has changed since and runs anew: S::t1",
        "2 tests are new: S::renamed, S::t4",
        "1 test is gone and counts no longer: S::t3",
    ] {
        assert!(ran.text.contains(line), "{line}: {}", ran.text);
    }
    let report = report(&live.project);
    assert_eq!((&report["totals"]["tests"], &report["run"]["selected"]), (&5.into(), &5.into()));
    assert_eq!(case(&report, "t1")["verdict"], "failed");
    assert_eq!(live.server.runs().len(), 7);
}

#[test]
fn a_changed_test_that_is_not_run_is_not_green() {
    let live = Live::new(&suite_of(2), "", good);
    live.expect(0, &[]);
    live.project.write("suites/s.yaml", suite_of(2).replacen("equals: 1", "equals: 3", 1));
    let ran = live.expect(100, &["--resume", "latest", "-f", "t1"]);
    assert!(ran.text.contains("not finished") && ran.text.contains("flowproof run --resume"), "{}", ran.text);
    assert_eq!(live.server.runs().len(), 2);
}

#[test]
fn a_run_goes_on_as_it_was_asked_for() {
    let live = Live::new(&suite_of(6), "", good);
    live.expect(0, &["-f", "t1", "-f", "t2", "--repeat", "2"]);
    cut(&live.project, |line| !is_end(line) && !tells(line, "t2"));
    live.expect(0, &["--resume", "latest"]);
    let expected = [("t1", 2), ("t2", 4)].map(|(test, count)| (test.to_owned(), count));
    assert_eq!(counts(&live), BTreeMap::from(expected));
    live.expect(0, &["--sample", "3", "--seed", "7"]);
    let drawn = report(&live.project)["cases"].as_array().unwrap().len();
    live.project.write("suites/s.yaml", suite_of(9));
    let ran = live.expect(0, &["--resume", "latest"]);
    assert!(
        ran.text.contains("3 results to keep; 0 to run now") && ran.text.contains("sample or a shard"),
        "{}",
        ran.text
    );
    assert_eq!((drawn, report(&live.project)["cases"].as_array().unwrap().len()), (3, 3));
}

#[test]
fn a_record_speaks_of_one_target() {
    let live = Live::new(&suite_of(2), "", good);
    live.expect(0, &[]);
    let refused = |args: &[&str], says: &str| {
        let ran = live.expect(2, args);
        assert!(ran.text.contains(says), "{says}: {}", ran.text);
    };
    refused(&["--resume", "never"], "there is no run `never`");
    refused(
        &["--resume", "latest", "--workflow-id", "7c3e33d4-2a8b-4e5f-9b1a-d3c6e8f12345"],
        "pins another version",
    );
    refused(&["--resume", "latest", "--replay"], "replayed nothing");
    refused(&["--resume", "latest", "suites"], "--filter or --tag");
    refused(&["--resume", "latest", "--rerun", "latest"], "cannot be used with");
    refused(&["--resume", "latest", "--shuffle"], "cannot be used with");
    let on_the_mock = live.project.run(&["run", "--resume", "latest", "--target", "mock"]);
    assert!(
        code(&on_the_mock) == 2 && text(&on_the_mock).contains("name --target live"),
        "{}",
        text(&on_the_mock)
    );
    target(&live.project, "http://127.0.0.1:9/v1", "");
    refused(&["--resume", "latest"], "another address");
    target(&live.project, &live.server.base_url(), "");
    live.project.write("suites/s.yaml", suite_of(2).replace("name: S", "name: other"));
    refused(&["--resume", "latest"], "belongs to another project");
    let older = live.project.read("reports/latest-run");
    live.project.write("suites/s.yaml", suite_of(2));
    live.expect(0, &[]);
    let newer = live.project.read("reports/latest-run");
    live.project.write("suites/s.yaml", suite_of(2).replace("name: S", "name: other"));
    refused(&["--resume", older.trim()], "belongs to another project");
    assert_eq!(live.project.read("reports/latest-run"), newer, "a run that was refused is not the latest");
    assert_eq!(live.server.runs().len(), 4);
}

#[test]
fn an_older_journal_is_read_but_not_continued() {
    let project = Project::with_suite(RED);
    let old = include_str!("../data/journal/1.jsonl");
    project.write("reports/runs/20261124T031439Z-uvvrvj/journal.jsonl", old);
    let shown = project.run(&["report", "latest", "--gate"]);
    assert!(
        code(&shown) == 100 && text(&shown).contains("3 passed, 2 failed, 1 skipped"),
        "{}",
        text(&shown)
    );
    let resumed = project.run(&["run", "--resume", "latest"]);
    assert!(code(&resumed) == 2 && text(&resumed).contains("older flowproof"), "{}", text(&resumed));
    assert_eq!(
        project.read("reports/runs/20261124T031439Z-uvvrvj/journal.jsonl"),
        old,
        "nothing was written"
    );
    let newer = old.replacen("\"schema\":1", "\"schema\":99", 1);
    project.write("reports/runs/20261124T031439Z-uvvrvj/journal.jsonl", newer);
    for args in [&["run", "--resume", "20261124T031439Z-uvvrvj"][..], &["report", "20261124T031439Z-uvvrvj"]]
    {
        let refused = project.run(args);
        assert!(code(&refused) == 2 && text(&refused).contains("newer flowproof"), "{}", text(&refused));
    }
}

#[test]
fn a_journal_that_was_not_begun_says_so() {
    let project = Project::with_suite(RED);
    for begun in ["", "{\"run_star"] {
        project.write("reports/runs/a/journal.jsonl", begun);
        let refused = project.run(&["run", "--resume", "a"]);
        assert!(code(&refused) == 2 && text(&refused).contains("start a new run"), "{}", text(&refused));
    }
    project.write("reports/runs/a/journal.jsonl", "hello\nworld\n");
    let refused = project.run(&["run", "--rerun", "a"]);
    assert!(code(&refused) == 2 && text(&refused).contains("not a journal"), "{}", text(&refused));
}

#[test]
fn a_run_that_goes_on_is_not_taken_up() {
    let live = Live::new(&suite_of(2), "concurrency: 1", |seen| match seen.number {
        0 => vec![Step::Hang],
        _ => good(seen),
    });
    let child = spawn(&live.project, command(&live.project, &[]));
    until("the run has sent something", || live.server.count() > 0);
    let refused = live
        .project
        .command(&["run", "--target", "live", "--resume", "latest"])
        .env("TEST_KEY", "app-x")
        .output()
        .unwrap();
    assert!(
        code(&refused) == 2 && text(&refused).contains("being written by another flowproof"),
        "{}",
        text(&refused)
    );
    signal(&child, "KILL");
    assert_eq!(wait(&live.project, child).code, None);
    live.expect(0, &["--resume", "latest"]);
}

#[test]
fn a_damaged_line_is_named_and_its_test_is_run_anew() {
    let live = Live::new(&suite_of(3), "concurrency: 1", good);
    live.expect(0, &[]);
    let path = journal(&live.project);
    let text_of = fs::read_to_string(&path).unwrap();
    let attempts: Vec<usize> = text_of
        .lines()
        .enumerate()
        .filter(|(_, line)| line.starts_with("{\"attempt_finished"))
        .map(|(at, _)| at)
        .collect();
    let damaged: Vec<&str> = text_of
        .lines()
        .enumerate()
        .map(|(at, line)| if at == attempts[1] { "{\"attempt_fin\u{0}" } else { line })
        .collect();
    fs::write(&path, damaged.join("\n") + "\n").unwrap();
    let line = attempts[1] + 1;
    let shown = live.project.run(&["report", "latest", "--gate"]);
    assert_eq!(code(&shown), 100, "{}", text(&shown));
    assert!(
        text(&shown).contains(&format!("warning: line {line} of "))
            && text(&shown).contains("the record is not complete"),
        "{}",
        text(&shown)
    );
    let ran = live.expect(0, &["--resume", "latest"]);
    assert!(ran.text.contains(&format!("line {line} of its journal cannot be read")), "{}", ran.text);
    let expected = [("t0", 1), ("t1", 2), ("t2", 1)].map(|(test, count)| (test.to_owned(), count));
    assert_eq!(counts(&live), BTreeMap::from(expected));
    let report = report(&live.project);
    assert_eq!((&report["run"]["complete"], &report["damage"][0]["loss"]), (&true.into(), &"mended".into()));
}

#[test]
fn a_record_is_judged_by_the_thresholds_of_now() {
    let suite =
        |bound: &str| suite_of(3).replace("tests:", &format!("thresholds: {{ latency: {bound} }}\ntests:"));
    let live = Live::new(&suite("{ max: 1h }"), "", good);
    live.expect(0, &[]);
    live.project.write("suites/s.yaml", suite("{ min: { gte: 1h } }"));
    let ran = live.expect(99, &["--resume", "latest"]);
    assert!(ran.text.contains("3 results to keep; 0 to run now"), "{}", ran.text);
    assert!(ran.text.contains("thresholds have changed since"), "{}", ran.text);
    assert!(ran.text.contains("latency min must be at least 1h"), "{}", ran.text);
    live.project.write("suites/s.yaml", format!("# moved\n{}", suite("{ min: { gte: 1h } }")));
    let ran = live.expect(99, &["--resume", "latest"]);
    assert!(!ran.text.contains("thresholds have changed"), "{}", ran.text);
    assert!(ran.text.contains("suites/s.yaml:4:"), "where it is written now: {}", ran.text);
}

#[test]
fn a_plan_that_is_lost_is_planned_again() {
    let live = Live::new(&suite_of(3), "", good);
    live.expect(0, &[]);
    let path = journal(&live.project);
    let whole = fs::read_to_string(&path).unwrap();
    let keep =
        |line: &str| if line.starts_with("{\"cases_planned\"") { "{".to_owned() } else { line.to_owned() };
    let lines = whole.lines().filter(|line| !tells(line, "t1")).map(keep);
    fs::write(&path, lines.collect::<Vec<_>>().join("\n") + "\n").unwrap();
    let ran = live.expect(0, &["--resume", "latest"]);
    assert!(ran.text.contains("3 tests: 3 passed"), "{}", ran.text);
    assert_eq!(counts(&live)["t1"], 2);
}

#[test]
fn a_damaged_line_is_not_mended_by_other_tests() {
    let live = Live::new(&suite_of(3), "concurrency: 1", good);
    live.expect(0, &[]);
    let path = journal(&live.project);
    let whole = fs::read_to_string(&path).unwrap();
    let first = whole.lines().position(|line| line.starts_with("{\"attempt_finished")).unwrap();
    let line = |(at, line): (usize, &str)| if at == first { "{".to_owned() } else { line.to_owned() };
    fs::write(&path, whole.lines().enumerate().map(line).collect::<Vec<_>>().join("\n") + "\n").unwrap();
    let ran = live.expect(100, &["--resume", "latest", "-f", "t2"]);
    assert!(ran.text.contains("2 results to keep, 1 not finished; 0 to run now"), "{}", ran.text);
    live.expect(0, &["--resume", "latest"]);
    assert_eq!((counts(&live)["t0"], live.server.runs().len()), (2, 4));
}

#[test]
fn what_is_lost_in_a_merged_record_is_not_mended_by_older_results() {
    let names = answers(&[]);
    let live = Live::new(&suite_of(2), "", wrong(&names));
    live.expect(0, &[]);
    names.lock().unwrap().push("t1");
    live.expect(100, &[]);
    // The newest result of t1, which failed, is lost.
    let path = journal(&live.project);
    let text = fs::read_to_string(&path).unwrap();
    let line = |line: &str| if tells(line, "t1") { "{".to_owned() } else { line.to_owned() };
    fs::write(&path, text.lines().map(line).collect::<Vec<_>>().join("\n") + "\n").unwrap();
    let merged = live.project.run(&["merge", "reports/runs", "--partial"]);
    assert_eq!(code(&merged), 0, "{}", self::text(&merged));
    let ran = live.expect(100, &["--resume", "latest"]);
    assert!(ran.text.contains("cannot be read"), "{}", ran.text);
}

#[test]
fn what_is_asked_for_anew_holds_from_then_on() {
    let live = Live::new(&suite_of(2), "", good);
    live.expect(0, &["--sample", "1", "--seed", "7"]);
    live.expect(0, &["--resume", "latest", "--repeat", "3"]);
    assert_eq!(live.server.runs().len(), 4);
    let ran = live.expect(0, &["--resume", "latest"]);
    assert!(ran.text.contains("1 result to keep; 0 to run now"), "{}", ran.text);
    assert!(ran.text.contains("sample or a shard"), "it is a sample still: {}", ran.text);
    assert_eq!(live.server.runs().len(), 4, "nothing is paid for twice");
}

#[test]
fn another_published_version_is_not_mixed_into_a_record() {
    let published = Arc::new(AtomicBool::new(false));
    let now = published.clone();
    let live = Live::new(&suite_of(3), "", move |seen| {
        let mut steps = good(seen);
        if now.load(Ordering::SeqCst) {
            for step in &mut steps {
                if let Step::Send(bytes) = step {
                    *bytes = String::from_utf8(bytes.clone())
                        .unwrap()
                        .replace(
                            "7c3e33d4-2a8b-4e5f-9b1a-d3c6e8f12345",
                            "7c3e33d4-2a8b-4e5f-9b1a-d3c6e8f12346",
                        )
                        .into_bytes();
                }
            }
        }
        steps
    });
    live.expect(0, &[]);
    cut(&live.project, |line| !is_end(line) && !tells(line, "t2"));
    published.store(true, Ordering::SeqCst);
    let ran = live.run(&["--resume", "latest"]);
    assert!(ran.code == Some(100) && ran.text.contains("published during the run"), "{}", ran.text);
    assert_eq!(case(&report(&live.project), "t2")["verdict"], "errored");
}

#[test]
fn names_that_dify_sees_are_never_those_of_an_earlier_part() {
    let live = Live::new(&suite_of(3), "", good);
    live.expect(0, &[]);
    cut(&live.project, |line| !is_end(line) && !line.starts_with("{\"case_finished\""));
    live.expect(0, &["--resume", "latest"]);
    let mut users: Vec<String> =
        live.server.runs().iter().map(|seen| seen.body["user"].as_str().unwrap().to_owned()).collect();
    users.sort();
    users.dedup();
    assert_eq!(users.len(), 6);
}

/// The command, every file it writes no longer than this many blocks of 512 bytes: a write beyond fails as on a full disk.
fn with_small_files(plain: &Command, blocks: u32) -> Command {
    let mut limited = Command::new("sh");
    limited.arg("-c").arg(format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\""));
    limited.arg(plain.get_program()).args(plain.get_args());
    limited.current_dir(plain.get_current_dir().unwrap());
    for (name, value) in plain.get_envs() {
        match value {
            Some(value) => limited.env(name, value),
            None => limited.env_remove(name),
        };
    }
    limited
}

#[test]
fn where_the_reports_find_no_room_junit_takes_the_place_of_an_earlier_run() {
    let live = Live::new(&suite_of(3), "", good);
    live.expect(0, &[]);
    live.project.write("suites/s.yaml", suite_of(3).replace("equals: 1", "equals: 2"));
    let ran = finish(&live.project, with_small_files(&command(&live.project, &[]), 60));
    assert_eq!(ran.code, Some(100), "{}", ran.text);
    assert!(ran.text.contains("report.html: ") && ran.text.contains("holds junit.xml alone"), "{}", ran.text);
    assert!(live.project.read("reports/latest/junit.xml").contains("failures=\"3\""));
    assert!(!live.project.path("reports/latest/report.html").exists(), "it would be that of the run before");
}

#[test]
fn a_full_disk_ends_the_run_at_once_and_what_had_finished_is_reported() {
    let live = Live::new(&suite_of(400), "concurrency: 2", good);
    // Documents of the run are smaller than its journal.
    let ran = finish(&live.project, with_small_files(&command(&live.project, &["-o", "out.xml"]), 120));
    assert_eq!(ran.code, Some(3), "{}", ran.text);
    assert!(ran.text.contains("error: the run cannot be recorded: write "), "{}", ran.text);
    assert!(ran.text.contains("not finished") && ran.text.contains(" passed"), "{}", ran.text);
    let sent = live.server.runs().len();
    assert!((1..300).contains(&sent), "{sent} were sent");
    let xml = live.project.read("out.xml");
    assert!(xml.contains("the run is complete") && xml.matches("<testcase ").count() > 1, "{xml}");
    let resumed = live.expect(0, &["--resume", "latest", "-q"]);
    assert!(resumed.text.contains("400 tests: 400 passed"), "{}", resumed.text);
    assert!(live.server.runs().len() <= 400 + 2 + 2, "{}", live.server.runs().len());
}

#[test]
fn a_folder_that_is_removed_ends_the_run_and_what_had_finished_is_reported() {
    let removed = Arc::new(Mutex::new(None::<PathBuf>));
    let (folder, count) = (removed.clone(), AtomicUsize::new(0));
    let live = Live::new(&suite_of(200), "concurrency: 1", move |seen| {
        if count.fetch_add(1, Ordering::SeqCst) == 20 {
            let folder = folder.lock().unwrap().clone().unwrap();
            fs::remove_dir_all(folder).unwrap();
        }
        good(seen)
    });
    *removed.lock().unwrap() = Some(live.project.path("reports"));
    let ran = live.run(&["-o", "out.xml"]);
    assert_eq!(ran.code, Some(3), "{}", ran.text);
    assert!(ran.text.contains("the file was removed while the run went on"), "{}", ran.text);
    assert!(live.server.runs().len() < 30, "{}", live.server.runs().len());
    assert!(ran.text.contains("200 tests: "), "{}", ran.text);
    assert!(live.project.read("out.xml").matches("<testcase ").count() > 15);
}

#[test]
fn a_folder_that_cannot_be_written_is_told_before_anything_is_sent() {
    let live = Live::new(&suite_of(2), "", good);
    live.project.write("reports/runs", "a file in the way");
    let ran = run(&live.project, &[]);
    assert!(ran.code == Some(3) && ran.text.contains("the run cannot be recorded: create "), "{}", ran.text);
    assert_eq!(live.server.count(), 0);
}

/// A run that records a test at a time, killed when some of them were answered; how many were sent.
#[cfg(unix)]
fn killed_recording(live: &Live, mode: &str) -> usize {
    let mut child = spawn(&live.project, command(&live.project, &["--record", mode]));
    let before = live.server.runs().len();
    until("four tests are sent", || live.server.runs().len() >= before + 4);
    signal(&child, "KILL");
    assert_eq!(crate::live::end(&mut child), None, "a signal ended it");
    live.server.runs().len() - before
}

#[cfg(unix)]
#[test]
fn a_recording_that_is_killed_loses_nothing_that_had_ended() {
    for mode in ["once", "new_episodes", "all"] {
        let live = Live::new(&suite_of(8), "concurrency: 1", |seen| {
            [vec![Step::Sleep(std::time::Duration::from_millis(60))], good(seen)].concat()
        });
        let sent = killed_recording(&live, mode);
        let replayed = live.run(&["--replay", "--reports", "replayed"]);
        assert!(
            replayed.text.contains(&format!("{} passed", sent - 1)),
            "{mode}, replayed: {}",
            replayed.text
        );
        let ran = live.expect(0, &["--resume", "latest"]);
        assert!(ran.text.contains(&format!("{} results to keep", sent - 1)), "{mode}: {}", ran.text);
        assert!(live.server.runs().len() <= 9, "{mode}: the attempt at work at most is sent again");
        live.expect(0, &["--replay"]);
        let files: Vec<_> = fs::read_dir(live.project.path("suites/cassettes")).unwrap().collect();
        assert_eq!(files.len(), 1, "{mode}: nothing is left beside the cassette");
    }
}

#[cfg(unix)]
#[test]
fn the_next_recording_takes_up_what_a_killed_one_left() {
    for mode in ["once", "new_episodes"] {
        let live = Live::new(&suite_of(8), "concurrency: 1", |seen| {
            [vec![Step::Sleep(std::time::Duration::from_millis(60))], good(seen)].concat()
        });
        killed_recording(&live, mode);
        live.expect(0, &["--record", mode]);
        assert!(live.server.runs().len() <= 9, "{mode}: {}", live.server.runs().len());
        let before = live.server.runs().len();
        live.expect(0, &["--record", mode]);
        assert_eq!(live.server.runs().len(), before, "{mode}: all of it is recorded");
    }
}

#[test]
fn a_run_is_the_latest_before_it_loads() {
    let live = Live::new(&suite_of(2), "", good);
    live.expect(0, &[]);
    let first = live.project.read("reports/latest-run");
    let suite = live.project.read("suites/s.yaml");
    live.project.write("suites/s.yaml", "version: 1\nno_such_key: 1\n");
    live.expect(2, &[]);
    live.project.write("suites/s.yaml", suite);
    for args in [
        &["run", "--target", "live", "--resume", "latest"][..],
        &["run", "--target", "live", "--rerun", "latest"],
        &["report", "latest", "--gate"],
        &["runs", "export", "latest"],
        &["merge", "latest"],
    ] {
        let said = live.project.command(args).env("TEST_KEY", crate::server::KEY).output().unwrap();
        assert_eq!(said.status.code(), Some(2), "{args:?}: {}", text(&said));
        assert!(text(&said).contains("holds nothing"), "{args:?}: {}", text(&said));
    }
    for name in ["previous", "latest~1", first.trim()] {
        let said = live.project.run(&["report", name, "--gate"]);
        assert_eq!(said.status.code(), Some(0), "{name}: {}", text(&said));
    }
    let said = live.project.run(&["report", "latest~2", "--gate"]);
    assert!(text(&said).contains("there is 1 run before the latest"), "{}", text(&said));
    live.expect(0, &[]);
    let runs = fs::read_dir(live.project.path("reports/runs")).unwrap().count();
    assert_eq!(runs, 2, "what never began is cleared away by the next run");
}

#[test]
fn a_run_with_nothing_left_is_judged_as_it_is() {
    let live = Live::new(&suite_of(2), "", wrong(&answers(&["t1"])));
    live.expect(100, &[]);
    let ran = live.expect(100, &["--resume", "latest"]);
    assert!(ran.text.contains("nothing is left to run"), "{}", ran.text);
    assert_eq!(live.server.runs().len(), 2);
}

#[test]
fn what_a_kill_interrupted_is_looked_for_before_it_is_sent_again() {
    looked_for("");
    // A user of the suite's own that names the run and the repeat tells its runs apart as well.
    looked_for("    user: \"bot-{{ run.id }}-{{ repeat.index }}\"\n");
}

/// Kills a run in flight and goes on with it, once while the logs have the run and once while they do not.
fn looked_for(keys: &str) {
    let suite = suite_of(1).replace("    inputs:", &format!("{keys}    inputs:"));
    let user = Arc::new(Mutex::new(String::new()));
    let heard = user.clone();
    let is_found = Arc::new(AtomicBool::new(true));
    let finds = is_found.clone();
    let live = Live::new(&suite, "recovery: { deadline: 2s, poll: 20ms }", move |seen| {
        let json = |body: serde_json::Value| {
            let date = "Date: Mon, 23 Nov 2026 18:42:00 GMT\r\n";
            vec![Step::Send(with_headers("200 OK", "application/json", date, body.to_string().as_bytes()))]
        };
        let whose = heard.lock().unwrap().clone();
        if seen.is_run() {
            let is_first = whose.is_empty();
            *heard.lock().unwrap() = seen.body["user"].as_str().unwrap().to_owned();
            return if is_first { vec![Step::Hang] } else { good(seen) };
        }
        if seen.target.contains("/workflows/logs?") {
            let row = serde_json::json!({ "workflow_run": { "id": "run-1", "created_at": 1_795_459_320 }, "created_by_end_user": { "session_id": whose } });
            let rows = if finds.load(Ordering::SeqCst) { vec![row] } else { Vec::new() };
            return json(serde_json::json!({ "data": rows }));
        }
        json(serde_json::json!({
            "id": "run-1", "workflow_id": "7c3e33d4-2a8b-4e5f-9b1a-d3c6e8f12345", "status": "succeeded",
            "inputs": serde_json::json!({ "sys.user_id": whose }).to_string(), "outputs": { "x": 1 },
            "error": null, "total_steps": 2, "total_tokens": 19, "created_at": 1, "finished_at": 2, "elapsed_time": 1.5,
        }))
    });
    let kill = || {
        let before = live.server.runs().len();
        let mut child = spawn(&live.project, command(&live.project, &[]));
        until("the run is in flight", || live.server.runs().len() > before);
        std::thread::sleep(std::time::Duration::from_millis(100));
        signal(&child, "KILL");
        crate::live::end(&mut child);
    };
    kill();
    live.expect(0, &["--resume", "latest"]);
    assert_eq!(live.server.runs().len(), 1, "it was found, and not sent again");
    let told = report(&live.project);
    assert_eq!((&told["totals"]["tokens"], &told["totals"]["tokens_unknown"]), (&19.into(), &0.into()));
    assert_eq!(case(&told, "t0")["attempts"][0]["facts"]["recovered"], "logs");

    // What is not found is sent again, and may have been paid all the same.
    user.lock().unwrap().clear();
    is_found.store(false, Ordering::SeqCst);
    kill();
    let ran = live.expect(0, &["--resume", "latest"]);
    assert_eq!(live.server.runs().len(), 3);
    let totals = report(&live.project)["totals"].clone();
    assert_eq!((&totals["left"]["killed"], &totals["attempts"]), (&1.into(), &2.into()), "{totals}");
    assert!(totals["tokens_unknown"].as_u64().unwrap() >= 1, "{}", ran.text);
}

#[test]
fn a_user_that_other_attempts_had_finds_no_run_after_a_kill() {
    // The run in the logs may be that of the other test, which bears the same user.
    let suite =
        suite_of(2).replace("tests:", "defaults: { user: \"u-{{ run.id }}-{{ repeat.index }}\" }\ntests:");
    let is_killed = Arc::new(AtomicBool::new(false));
    let killed = is_killed.clone();
    let live = Live::new(&suite, "recovery: { deadline: 2s, poll: 20ms }", move |seen| {
        let hangs = seen.is_run() && !killed.load(Ordering::SeqCst);
        if hangs { vec![Step::Hang] } else { good(seen) }
    });
    let mut child = spawn(&live.project, command(&live.project, &["-j", "2"]));
    until("both runs are in flight", || live.server.runs().len() == 2);
    std::thread::sleep(std::time::Duration::from_millis(100));
    signal(&child, "KILL");
    crate::live::end(&mut child);
    is_killed.store(true, Ordering::SeqCst);
    live.expect(0, &["--resume", "latest"]);
    assert_eq!(live.server.runs().len(), 4, "both are sent again");
    let asked = live.server.requests().iter().filter(|seen| seen.target.contains("/workflows/logs?")).count();
    assert_eq!(asked, 0, "the logs are not searched");
    assert_eq!(report(&live.project)["totals"]["left"]["killed"], 2);
}
