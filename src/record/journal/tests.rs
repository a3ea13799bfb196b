//! The journal as a whole: what is appended comes back, whatever becomes of the file.

use std::fs;
use std::sync::Arc;

use serde_json::{Value, json};

use super::sample::*;
use super::*;
use crate::base::redact::Redactor;
use crate::record::attempt::{Attempt, CaseOutcome};
use crate::record::event::{Event, Sink};
use crate::record::verdict::Verdict;

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn what_is_appended_comes_back() {
    let folder = folder();
    let events = every_verdict();
    let record = record(folder.path(), &events);
    assert_eq!(record.start, start(8));
    assert_eq!(Some(Event::RunFinished(record.end.clone().unwrap())), events.last().cloned());
    let mut read = Vec::new();
    let mut cases: Vec<CaseRecord> = record.cases_by_suite().map(Result::unwrap).collect();
    cases.sort_by_key(|case| case.outcome.case);
    for case in cases {
        read.extend(case.attempts.into_iter().map(|attempt| Event::AttemptFinished(Arc::new(attempt))));
        read.push(Event::CaseFinished(Arc::new(case.outcome)));
    }
    let case_of = |event: &Event| match event {
        Event::AttemptFinished(attempt) => attempt.case,
        Event::CaseFinished(outcome) => outcome.case,
        Event::RunStarted(_)
        | Event::CasesPlanned(_)
        | Event::RunContinued(_)
        | Event::AttemptStarted(_)
        | Event::AttemptLeft(_)
        | Event::RunFinished(_) => u32::MAX,
    };
    let mut told = events[1..events.len() - 1].to_vec();
    told.sort_by_key(case_of);
    assert_eq!(read, told);
}

#[test]
fn totals_count_every_verdict() {
    let folder = folder();
    let record = record(folder.path(), &every_verdict());
    let totals = &record.totals;
    let counts =
        [totals.passed, totals.failed, totals.errored, totals.inconclusive, totals.flaky, totals.skipped];
    assert_eq!(counts, [1, 2, 2, 1, 1, 1]);
    assert_eq!(
        (totals.attempts, totals.used.tokens, totals.used.tokens_unknown, totals.warnings),
        (8, 6 * 421, 2, 1)
    );
    assert_eq!(totals.used.cost["USD"].to_string(), "0.0000246");
    let suites: Vec<(&str, u32)> =
        record.suites.iter().map(|suite| (suite.name.as_str(), suite.totals.cases())).collect();
    assert_eq!(suites, [("triage", 6), ("hostile <&>", 1), ("other", 1)]);
    let red: Vec<u32> = record.failures().map(|case| case.unwrap().outcome.case).collect();
    assert_eq!(red, [1, 2, 3, 4, 5]);
    let by_suite: Vec<u32> = record.cases_by_suite().map(|case| case.unwrap().outcome.case).collect();
    assert_eq!(by_suite, [0, 1, 3, 4, 5, 6, 2, 7]);
    assert_eq!((record.unfinished(), record.damage.len()), (0, 0));
}

#[test]
fn a_finished_case_is_on_disk_before_take_returns() {
    let folder = folder();
    let mut journal = Journal::create(folder.path(), "r", Redactor::new([])).unwrap();
    let path = path_of(folder.path(), "r");
    journal.take(&Event::RunStarted(start(3))).unwrap();
    let events = passed(0, "s");
    journal.take(&events[0]).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 1);
    journal.take(&events[1]).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 3);
    let record = read(&path).unwrap();
    assert_eq!((record.totals.passed, record.unfinished(), record.end.is_none()), (1, 2, true));
    journal.take(&passed(1, "s")[0]).unwrap();
    drop(journal);
    assert_eq!(read(&path).unwrap().totals.attempts, 2);
    assert!(Journal::create(folder.path(), "r", Redactor::new([])).is_err());
}

#[test]
fn a_torn_end_and_damaged_lines_are_named_and_left_out() {
    let folder = folder();
    let path = write(folder.path(), &every_verdict(), &[]);
    let whole = fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    let mut damaged = lines.clone();
    damaged[2] = "{\"case_finished\":{\"case\":0,\"su";
    damaged[3] = "\u{0}\u{0}";
    let text = damaged.join("\n");
    fs::write(&path, &text[..text.len() - 5]).unwrap();
    let record = read(&path).unwrap();
    assert_eq!(
        record.damage.iter().map(|damage| damage.line).collect::<Vec<_>>(),
        [3, 4, lines.len() as u64]
    );
    assert_eq!((record.unfinished(), record.totals.cases()), (1, 7));
    assert!(record.end.is_none());
    assert!(record.cases_by_suite().all(|case| case.is_ok()));
}

#[test]
fn every_cut_of_the_file_can_be_read() {
    let folder = folder();
    let path = write(folder.path(), &every_verdict(), &[]);
    let whole = fs::read(&path).unwrap();
    for cut in (0..whole.len()).step_by(97) {
        fs::write(&path, &whole[..cut]).unwrap();
        match read(&path) {
            Ok(record) => assert!(record.cases_by_suite().all(|case| case.is_ok()), "cut at {cut}"),
            Err(error) => {
                assert!(
                    cut < 400
                        && matches!(error, JournalError::NotAJournal { .. } | JournalError::Empty { .. }),
                    "{cut}: {error}"
                )
            }
        }
    }
}

#[test]
fn what_is_no_journal_is_refused() {
    let folder = folder();
    let path = folder.path().join("x.jsonl");
    for (text, says) in [
        ("", "holds nothing"),
        ("hello\n", "no `run_started`"),
        ("{\"run_started\":{\"schema\":99,\"new\":true}}\n", "newer flowproof"),
        ("{\"run_started\":{\"schema\":1}}\n", "is damaged"),
    ] {
        fs::write(&path, text).unwrap();
        let error = read(&path).unwrap_err().to_string();
        assert!(error.contains(says), "{text:?}: {error}");
    }
    assert!(matches!(read(&folder.path().join("none")), Err(JournalError::Io { .. })));
}

#[test]
fn no_secret_reaches_the_disk_and_no_fact_is_lost() {
    let events = every_verdict();
    let secrets =
        ["passed", "verdict", "findings", "9007199254740992", "refund is billing", "Classify", "Changed"];
    for secret in secrets {
        let folder = folder();
        let record = read(&write(folder.path(), &events, &[secret])).unwrap();
        assert!(record.damage.is_empty(), "{secret}: {:?}", record.damage);
        assert_eq!(
            record.totals,
            self::record(tempfile::tempdir().unwrap().path(), &events).totals,
            "{secret}"
        );
        for case in record.cases_by_suite() {
            let case = case.unwrap();
            let attempts = case
                .attempts
                .iter()
                .flat_map(|attempt| {
                    [&attempt.outputs, &attempt.findings[..].first().and_then(|f| f.actual.clone())]
                        .map(|v| serde_json::to_string(v).unwrap())
                })
                .collect::<String>();
            assert!(!attempts.contains(secret), "{secret}");
            assert!(!case.outcome.name.contains(secret), "{secret}");
        }
    }
}

#[test]
fn escaped_forms_of_a_secret_are_masked() {
    let folder = folder();
    let secret = "p\"w\\d\n12é";
    let mut events = vec![Event::RunStarted(start(1))];
    let mut leaky = attempt(0, Verdict::Failed, vec![broken("x", json!("a"), json!(format!("<{secret}>")))]);
    leaky.outputs = Some(json!({ secret: secret, "twice": Value::String(secret.to_owned()).to_string() }));
    leaky.curl = format!("curl -d '{}'", Value::String(secret.to_owned()));
    events.extend(pair(leaky, outcome(0, "s", secret, Verdict::Failed)));
    let text = fs::read_to_string(write(folder.path(), &events, &[secret])).unwrap();
    assert!(!text.contains("p\\\"w") && !text.contains("p\\\\\\\"w"), "{text}");
    assert!(text.contains("***"));
}

#[test]
fn a_secret_that_a_difference_splits_is_masked() {
    let folder = folder();
    let secret = "key-alpha-beta-42";
    let mut events = vec![Event::RunStarted(start(1))];
    let mut cut = broken("x", json!("key-alpha-gamma-42 a"), json!(format!("{secret} b")));
    (cut.expected, cut.actual) = (None, None);
    let whole = broken("y", json!({"k": "key-alpha-gamma-42"}), json!({ "k": secret }));
    events.extend(pair(attempt(0, Verdict::Failed, vec![cut, whole]), outcome(0, "s", "n", Verdict::Failed)));
    let path = write(folder.path(), &events, &[secret]);
    assert!(!fs::read_to_string(&path).unwrap().contains("beta"));
    let case = read(&path).unwrap().cases_by_suite().next().unwrap().unwrap();
    assert!(case.attempts[0].findings[0].diff.is_none() && case.attempts[0].findings[1].diff.is_some());
}

#[test]
fn json_too_deep_for_a_reader_is_named_instead() {
    let folder = folder();
    let deep = (0..127).fold(json!(1), |value, _| json!([value]));
    let mut events = vec![Event::RunStarted(start(1))];
    let outputs = Some(deep.clone());
    let deep = Attempt { outputs, ..attempt(0, Verdict::Failed, vec![broken("x", json!(1), deep)]) };
    events.extend(pair(deep, outcome(0, "s", "deep", Verdict::Failed)));
    let record = record(folder.path(), &events);
    assert!(record.damage.is_empty(), "{:?}", record.damage);
    let case = record.cases_by_suite().next().unwrap().unwrap();
    assert!(case.attempts[0].outputs.as_ref().unwrap().as_str().unwrap().contains("not recorded"));
}

#[test]
fn the_index_stays_small() {
    let folder = folder();
    let record = record(folder.path(), &many(10_000));
    assert!(record.index_bytes() <= 32 * 10_000, "{}", record.index_bytes());
    assert_eq!(record.totals.passed, 10_000);
    let order: Vec<u32> = record.cases_by_suite().map(|case| case.unwrap().outcome.case).collect();
    assert!(order.is_sorted() && order.len() == 10_000);
}

/// The events as their writer folded them, and as the file is read.
fn both_folds(events: &[Event], secrets: &[&str]) -> (Option<RunRecord>, RunRecord) {
    let folder = folder();
    let ended = EndedRun::default();
    let redactor = Redactor::new(secrets.iter().map(|secret| (*secret).to_owned()));
    let mut journal = Journal::create(folder.path(), "r", redactor).unwrap().leaving(ended.clone());
    events.iter().for_each(|event| journal.take(event).unwrap());
    drop(journal);
    (ended.take(), read(&path_of(folder.path(), "r")).unwrap())
}

#[test]
fn what_the_writer_folds_is_what_the_file_says() {
    let mut odd = every_verdict();
    let last = odd.pop().unwrap();
    let mut priced = attempt(0, Verdict::Passed, Vec::new());
    priced.facts.cost[0].amount = String::from("a lot");
    odd.push(Event::AttemptFinished(Arc::new(priced)));
    let endless = CaseOutcome { duration_ms: f64::INFINITY, ..outcome(9, "new", "endless", Verdict::Passed) };
    odd.push(Event::CaseFinished(Arc::new(endless)));
    odd.push(Event::RunStarted(start(1)));
    let precise = CaseOutcome { duration_ms: 0.1 + 0.2, ..outcome(1, "triage", "again", Verdict::Passed) };
    odd.push(Event::CaseFinished(Arc::new(precise)));
    odd.push(last);
    for (events, secrets) in [
        (every_verdict(), &[][..]),
        (many(3_000), &[]),
        (odd.clone(), &[]),
        (every_verdict(), &["triage", "mock"]),
        (every_verdict(), &["USD"]),
        (every_verdict(), &["0.0000041", "passed", "421"]),
        (odd, &["triage", "USD", "a lot"]),
    ] {
        let (live, file) = both_folds(&events, secrets);
        let live = live.expect("the run has ended");
        assert_eq!(live, file, "{secrets:?}");
        assert_eq!(live.index_bytes(), file.index_bytes());
        let shown = |record: &RunRecord| format!("{:?} {:?}", record.totals, record.suites);
        assert_eq!(shown(&live), shown(&file), "{secrets:?}");
    }
}

#[test]
fn only_a_run_that_has_ended_as_the_file_says_is_not_read_again() {
    let events = every_verdict();
    assert!(both_folds(&events[..events.len() - 1], &[]).0.is_none());
    let late = [&events[..], &passed(0, "late")].concat();
    assert!(both_folds(&late, &[]).0.is_none());
    let folder = folder();
    let ended = EndedRun::default();
    let journal = Journal::create(folder.path(), "r", Redactor::new([])).unwrap();
    let mut journal = journal.leaving(ended.clone());
    events.iter().for_each(|event| journal.take(event).unwrap());
    let path = path_of(folder.path(), "r");
    let text = fs::read(&path).unwrap();
    fs::write(&path, &text[..text.len() - 1]).unwrap();
    assert!(ended.take().is_none());
}

/// Events of a keyed record: what a process of its own numbering writes.
mod continued {
    use super::*;
    use crate::base::digest::Digest;
    use crate::record::event::{ContinuationReason, PlannedCase, RunContinuation, RunEnd};

    fn planned(cases: &[(&str, &str)]) -> Event {
        let case = |(name, print): &(&str, &str)| PlannedCase {
            key: Digest::of(name),
            name: Arc::from(*name),
            print: Digest::of(print),
            place: None,
        };
        Event::CasesPlanned(cases.iter().map(case).collect())
    }

    /// A test's attempt and outcome as the process wrote them that knew it by this number.
    fn ran(case: u32, (name, print): (&str, &str), verdict: Verdict, tokens: u64) -> Vec<Event> {
        let mut made = attempt(case, verdict, Vec::new());
        made.key = Digest::of(name);
        made.facts.tokens = Some(tokens);
        let told = CaseOutcome {
            key: Digest::of(name),
            print: Digest::of(print),
            name: name.to_owned(),
            ..outcome(case, "s", name, verdict)
        };
        pair(made, told)
    }

    fn goes_on(how: ContinuationReason, withdrawn: &[&str], added: u32) -> Event {
        Event::RunContinued(RunContinuation {
            asked: None,
            thresholds: None,
            how,
            flowproof: String::from("0.1.0"),
            started: String::from("2026-11-23T09:00:00.000Z"),
            cases: 1,
            added,
            plan: Digest::default(),
            withdrawn: withdrawn.iter().map(|name| Digest::of(name)).collect(),
            mended: 0,
            run: None,
        })
    }

    /// A record and the folder of its journal.
    struct Folded(RunRecord, #[expect(dead_code, reason = "it goes with the record")] tempfile::TempDir);

    impl std::ops::Deref for Folded {
        type Target = RunRecord;

        fn deref(&self) -> &RunRecord {
            &self.0
        }
    }

    fn folded(events: &[Vec<Event>]) -> Folded {
        let folder = folder();
        let events: Vec<Event> = events.concat();
        if let (Some(live), file) = both_folds(&events, &[]) {
            assert_eq!(live, file);
        }
        Folded(record(folder.path(), &events), folder)
    }

    fn told(record: &RunRecord) -> Vec<(String, Verdict, Vec<u64>)> {
        let cases = record.cases_by_suite().map(Result::unwrap);
        cases
            .map(|case| {
                let tokens = case.attempts.iter().filter_map(|attempt| attempt.facts.tokens).collect();
                assert!(case.attempts.iter().all(|attempt| attempt.case == case.outcome.case));
                (case.outcome.name, case.outcome.verdict, tokens)
            })
            .collect()
    }

    fn begun(cases: &[(&str, &str)]) -> Vec<Event> {
        vec![Event::RunStarted(start(u32::try_from(cases.len()).unwrap())), planned(cases)]
    }

    #[test]
    fn a_case_is_known_by_its_name_and_not_by_its_number() {
        let record = folded(&[
            begun(&[("a", "1"), ("b", "1"), ("c", "1")]),
            ran(2, ("c", "1"), Verdict::Passed, 1),
            vec![goes_on(ContinuationReason::Resumed, &[], 0)],
            ran(0, ("b", "1"), Verdict::Failed, 2),
        ]);
        assert_eq!(
            told(&record),
            [("b".to_owned(), Verdict::Failed, vec![2]), ("c".to_owned(), Verdict::Passed, vec![1])]
        );
        assert_eq!((record.unfinished(), record.totals.cases(), record.end.is_none()), (1, 2, true));
    }

    #[test]
    fn the_newest_result_stands_and_all_that_was_spent_is_counted() {
        let record = folded(&[
            begun(&[("a", "1")]),
            ran(0, ("a", "1"), Verdict::Failed, 10),
            vec![end(), goes_on(ContinuationReason::Rerun, &[], 0)],
            ran(0, ("a", "1"), Verdict::Passed, 5),
            vec![Event::RunFinished(RunEnd { duration_ms: 1.0, ..RunEnd::default() })],
        ]);
        assert_eq!(told(&record), [("a".to_owned(), Verdict::Passed, vec![5])]);
        let totals = &record.totals;
        assert_eq!((totals.attempts, totals.used.tokens, totals.cases(), totals.failed), (2, 15, 1, 0));
        assert!((record.suites[0].duration_ms - 812.25).abs() < f64::EPSILON);
        assert!((record.end.as_ref().unwrap().duration_ms - 1235.5).abs() < 1e-9);
        assert_eq!(record.end.as_ref().unwrap().versions.len(), 2);
    }

    #[test]
    fn what_an_interrupted_attempt_left_belongs_to_no_result() {
        let half = ran(0, ("a", "1"), Verdict::Passed, 7)[..1].to_vec();
        let record = folded(&[
            begun(&[("a", "1")]),
            half.clone(),
            vec![goes_on(ContinuationReason::Resumed, &[], 0)],
            ran(0, ("a", "1"), Verdict::Passed, 5),
            vec![goes_on(ContinuationReason::Rerun, &[], 0)],
            half,
        ]);
        assert_eq!(told(&record), [("a".to_owned(), Verdict::Passed, vec![5])]);
        assert_eq!((record.totals.attempts, record.totals.used.tokens), (3, 19));
    }

    #[test]
    fn a_result_of_another_test_of_that_name_does_not_count() {
        let changed = folded(&[
            begun(&[("a", "1"), ("b", "1")]),
            ran(0, ("a", "1"), Verdict::Passed, 1),
            ran(1, ("b", "1"), Verdict::Passed, 1),
            vec![goes_on(ContinuationReason::Resumed, &[], 0), planned(&[("a", "2")])],
        ]);
        assert_eq!(told(&changed), [("b".to_owned(), Verdict::Passed, vec![1])]);
        assert_eq!((changed.unfinished(), changed.totals.attempts), (1, 2));
        let late = folded(&[begun(&[("a", "2")]), ran(0, ("a", "1"), Verdict::Passed, 1), vec![end()]]);
        assert_eq!((late.unfinished(), late.totals.cases(), late.suites.len()), (1, 0, 0));
        let same = folded(&[
            begun(&[("a", "1")]),
            ran(0, ("a", "1"), Verdict::Passed, 1),
            vec![planned(&[("a", "1")])],
        ]);
        assert_eq!((same.unfinished(), same.totals.passed), (0, 1));
    }

    #[test]
    fn gone_tests_are_withdrawn_and_new_ones_are_awaited() {
        let record = folded(&[
            begun(&[("gone", "1"), ("b", "1")]),
            ran(0, ("gone", "1"), Verdict::Failed, 1),
            ran(1, ("b", "1"), Verdict::Passed, 1),
            vec![goes_on(ContinuationReason::Resumed, &["gone", "never known"], 1), planned(&[("new", "1")])],
        ]);
        assert_eq!(told(&record), [("b".to_owned(), Verdict::Passed, vec![1])]);
        assert_eq!((record.unfinished(), record.start.cases), (1, 2));
        let back = folded(&[
            begun(&[("gone", "1")]),
            ran(0, ("gone", "1"), Verdict::Failed, 1),
            vec![
                goes_on(ContinuationReason::Resumed, &["gone"], 0),
                goes_on(ContinuationReason::Resumed, &[], 1),
            ],
            vec![planned(&[("gone", "1")])],
        ]);
        assert_eq!((back.unfinished(), back.totals.cases(), back.start.cases), (1, 0, 1));
    }

    #[test]
    fn a_plan_that_was_not_told_whole_is_not_taken_for_finished() {
        let record = folded(&[
            vec![Event::RunStarted(start(3)), planned(&[("a", "1")])],
            ran(0, ("a", "1"), Verdict::Passed, 1),
            vec![end()],
        ]);
        assert_eq!(record.unfinished(), 2);
        let unplanned = folded(&[begun(&[("a", "1")]), ran(5, ("x", "1"), Verdict::Passed, 1), vec![end()]]);
        assert_eq!(unplanned.unfinished(), 1);
    }

    #[test]
    fn a_line_that_is_lost_is_told_until_it_is_mended() {
        let events = [
            begun(&[("a", "1")]),
            ran(0, ("a", "1"), Verdict::Passed, 1),
            vec![goes_on(ContinuationReason::Resumed, &[], 0)],
            ran(0, ("a", "1"), Verdict::Passed, 1),
        ]
        .concat();
        let folder = folder();
        let path = write(folder.path(), &events, &[]);
        let text = fs::read_to_string(&path).unwrap();
        let mut lines: Vec<&str> = text.lines().collect();
        lines[2] = "{\"att";
        fs::write(&path, lines.join("\n") + "\n").unwrap();
        let record = read(&path).unwrap();
        assert!(record.has_losses());
        assert_eq!((record.damage[0].line, record.damage[0].loss), (3, RecordLoss::Unreadable));
        let mended = lines.join("\n").replace("\"mended\":0", "\"mended\":3") + "\n";
        fs::write(&path, mended).unwrap();
        let record = read(&path).unwrap();
        assert_eq!((record.has_losses(), record.damage[0].loss), (false, RecordLoss::Mended));
        fs::write(&path, &text[..text.len() - 4]).unwrap();
        let torn = read(&path).unwrap();
        assert_eq!((torn.has_losses(), torn.damage[0].loss), (false, RecordLoss::Torn));
    }
}

/// Journals as each version wrote them, of the same suite (`suite.yaml` beside them).
mod versions {
    use super::*;

    fn fixture(version: u32) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/data/journal/{version}.jsonl"))
    }

    #[test]
    fn journals_of_every_version_are_read_alike() {
        for version in 1..=SCHEMA {
            let record = read(&fixture(version)).unwrap();
            assert_eq!(record.start.schema, version);
            assert_eq!(
                (record.start.asked.is_some(), record.start.plan.is_none()),
                (version > 1, version == 1)
            );
            let told: Vec<(String, Verdict, usize)> = record
                .cases_by_suite()
                .map(Result::unwrap)
                .map(|case| (case.outcome.name, case.outcome.verdict, case.attempts.len()))
                .collect();
            let expected = [
                ("triage::passes", Verdict::Passed, 1),
                ("triage::fails", Verdict::Failed, 1),
                ("triage::later", Verdict::Skipped, 0),
                ("triage::rows[1]", Verdict::Passed, 1),
                ("triage::rows[2]", Verdict::Passed, 1),
                ("triage::nothing comes", Verdict::Failed, 1),
            ];
            let expected = expected.map(|(name, verdict, attempts)| (name.to_owned(), verdict, attempts));
            assert_eq!(told, expected, "schema {version}");
            assert_eq!((record.unfinished(), record.damage.len(), record.end.is_some()), (0, 0, true));
        }
    }
}
