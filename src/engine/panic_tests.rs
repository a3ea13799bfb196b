//! A panic in one attempt is the error of that attempt: the others are judged, and the run is reported.

use std::fs;
use std::sync::Arc;

use crate::app::open;
use crate::app::settings::Settings;
use crate::app::{planned, runtime};
use crate::engine::run::RunLimits;
use crate::record::event::RunOptions;
use crate::record::verdict::Verdict;

/// In the name of a test: what judges it panics.
const WHILE_JUDGED: &str = "a panic while it is judged";
/// In the name of a test: what makes its request panics.
const WHILE_PREPARED: &str = "a panic before it is sent";

/// The door of these tests; it is in no build but theirs.
pub(super) fn panic_while_judged(name: &str) {
    assert!(!name.contains(WHILE_JUDGED), "judging fell over\nand more");
}

/// The same, before an attempt is sent.
pub(super) fn panic_while_prepared(name: &str) {
    assert!(!name.contains(WHILE_PREPARED), "preparing fell over");
}

#[test]
fn a_panic_is_the_error_of_one_attempt_and_the_run_goes_on_and_reports() {
    let folder = tempfile::tempdir().unwrap();
    let tests: String = ["fine", WHILE_JUDGED, WHILE_PREPARED, "fine, too"]
        .map(|name| {
            format!("  - {{ name: \"{name}\", mock: {{ outputs: {{ x: 1 }} }}, assert: [{{ path: $.x, equals: 1 }}] }}\n")
        })
        .concat();
    fs::create_dir(folder.path().join("suites")).unwrap();
    fs::write(folder.path().join("flowproof.yaml"), "version: 1\n").unwrap();
    fs::write(folder.path().join("suites/s.yaml"), format!("version: 1\nname: s\ntests:\n{tests}")).unwrap();
    let settings = Settings { working_dir: folder.path().to_owned(), ..Settings::default() };
    let request = RunOptions { target: Some("mock".to_owned()), ..RunOptions::default() };
    let opening = open(&settings, &request).unwrap_or_else(|failure| panic!("{failure:?}"));
    let plan = Arc::new(opening.plan);
    let session = opening.session;
    let threads = runtime().unwrap();
    threads.block_on(async {
        let engine = session.start(plan.clone(), planned(&plan.cases), None).unwrap();
        engine.run(RunLimits::default()).await.unwrap();
        engine.close().await;
    });
    let record = session.record().unwrap();
    let verdicts: Vec<Verdict> = record.outcomes().map(|outcome| outcome.unwrap().verdict).collect();
    assert_eq!(verdicts, [Verdict::Passed, Verdict::Errored, Verdict::Errored, Verdict::Passed]);
    session.write_reports(&record).unwrap();
    let junit = fs::read_to_string(session.latest().join("junit.xml")).unwrap();
    assert!(junit.contains("tests=\"4\"") && junit.contains("errors=\"2\""), "{junit}");
    for said in ["an internal error (please report it): judging fell over", "preparing fell over"] {
        assert!(junit.contains(said), "{said}: {junit}");
    }
    assert!(!junit.contains("and more"), "one line: {junit}");
}
