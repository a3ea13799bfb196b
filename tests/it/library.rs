//! The library as other programs use it: from here, and by the example crates `own-summary` and `read-record`, which are built.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

use flowproof::{FinishedTest, LoadError, Project as Library, RecordedRun, RunListener, RunOptions, Verdict};

use crate::project::{GREEN, Project, RED, text};

/// Keeps what it is notified of.
#[derive(Clone, Default)]
struct Notes(Arc<Mutex<Vec<String>>>);

impl RunListener for Notes {
    fn run_started(&mut self, tests: u32) {
        self.0.lock().unwrap().push(format!("{tests} tests"));
    }

    fn test_finished(&mut self, test: &FinishedTest) {
        self.0.lock().unwrap().push(format!("{} {} {}", test.verdict.word(), test.name, test.is_red));
    }
}

#[test]
fn a_program_runs_suites_and_reads_their_results() {
    let project = Project::with_suite(RED);
    let notes = Notes::default();
    let suites = Library::in_folder(project.path("")).load(&RunOptions::default()).unwrap();
    let names: Vec<String> = suites.tests().map(str::to_owned).collect();
    let run = suites.run(notes.clone()).unwrap();
    let noted = notes.0.lock().unwrap().clone();
    assert_eq!(noted[0], format!("{} tests", names.len()));
    assert_eq!(noted.len(), names.len() + 1, "{noted:?}");
    assert_eq!((run.exit_code(), run.target()), (100, "mock"));
    let counts = run.counts();
    let red: Vec<_> = run.tests().map(Result::unwrap).filter(|test| test.is_red).collect();
    assert_eq!(red.len() as u32, counts.failed + counts.errored);
    assert_eq!(red[0].verdict, Verdict::Failed);
    assert!(red[0].file.ends_with("s.yaml") && red[0].line > 1, "{:?}", red[0]);
    assert!(red[0].explanation.contains(&red[0].name), "{}", red[0].explanation);
    // The command line finds the same run and comes to the same end.
    assert_eq!(project.run(&["report", "latest", "--gate"]).status.code(), Some(100));
    let again = Library::in_folder(project.path("")).record("latest").unwrap();
    assert_eq!((again.id(), again.conclusion()), (run.id(), run.conclusion()));
    let page = project.path("page.html");
    again.write_report(&page).unwrap();
    assert!(std::fs::read_to_string(page).unwrap().contains("\"light\":\"red\""));
    let refused = again.write_report(&project.path("page.doc")).unwrap_err().to_string();
    assert!(refused.contains(".doc"), "{refused}");
}

#[test]
fn neither_the_environment_nor_the_folder_of_the_process_is_read() {
    let suite = GREEN.replace("tests:", "vars: { who: \"{{ env.FLOWPROOF_VAR_WHO }}\" }\ntests:");
    let project = Project::with_suite(&suite);
    let library = Library::in_folder(project.path(""));
    let Err(LoadError::Suites { problems, text }) = library.load(&RunOptions::default()) else {
        panic!("a variable that nobody gave is known")
    };
    assert!(problems[0].message.contains("FLOWPROOF_VAR_WHO") && problems[0].line == 4, "{problems:?}");
    assert!(text.contains("suites/s.yaml:4"), "{text}");
    let given = library.with_variables([("FLOWPROOF_VAR_WHO", "Ada"), ("FLOWPROOF_REPEAT", "2")]);
    let run = given.load(&RunOptions::default()).unwrap().run(|_: &FinishedTest| ()).unwrap();
    assert_eq!(run.exit_code(), 0, "{}", run.conclusion());
    assert!(run.tests().all(|test| test.unwrap().attempts == 2));
    let unread = given.with_variables([("FLOWPROOF_REPEAT", "often")]).load(&RunOptions::default());
    assert!(matches!(unread, Err(LoadError::Options(_))), "{:?}", unread.err());
}

#[test]
fn a_run_that_was_stopped_is_continued() {
    let project = Project::with_suite(RED);
    let library = Library::in_folder(project.path(""));
    let first = library.load(&RunOptions { fail_fast: true, ..RunOptions::default() }).unwrap();
    let first = first.run(|_: &FinishedTest| ()).unwrap();
    let rerun = RunOptions { rerun: Some(String::from("latest")), ..RunOptions::default() };
    let second = library.load(&rerun).unwrap().run(|_: &FinishedTest| ()).unwrap();
    assert_eq!(second.id(), first.id());
    assert_eq!((second.counts().unfinished, second.exit_code()), (0, 100));
}

#[test]
fn the_example_with_its_own_summary_runs_suites() {
    let program = build("own-summary");
    let folder = root().join("examples/own-summary");
    let project = Project::empty();
    project
        .write("suites/greeting.yaml", std::fs::read_to_string(folder.join("suites/greeting.yaml")).unwrap());
    let output = Command::new(&program).arg(project.path("")).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.starts_with("2 tests\n2 passed, 0 failed, 0 errored: "), "{said}");
    let journal = std::fs::read_dir(project.path("reports/runs")).unwrap().next().unwrap().unwrap().path();
    let journal = journal.join("journal.jsonl");
    assert_eq!(RecordedRun::read(&journal).unwrap().counts().passed, 2);
    let page = project.path("page.html");
    let read = Command::new(build("read-record")).arg(&journal).arg(&page).output().unwrap();
    let said = String::from_utf8(read.stdout.clone()).unwrap();
    assert!(read.status.success() && page.exists(), "{}", text(&read));
    assert!(
        said.contains("passed   Greeting::greets-by-name (1 attempts") && said.contains("exit code 0: "),
        "{said}"
    );
    project.write("suites/greeting.yaml", RED);
    let red = Command::new(&program).arg(project.path("")).output().unwrap();
    assert_eq!(red.status.code(), Some(100), "{}", text(&red));
    project.write("suites/greeting.yaml", "version: 1\ntests: 3\n");
    let broken = Command::new(&program).arg(project.path("")).output().unwrap();
    assert_eq!(broken.status.code(), Some(2), "{}", text(&broken));
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The program of an example crate, built with the dependencies that are built already.
fn build(name: &str) -> PathBuf {
    let target = Path::new(env!("CARGO_BIN_EXE_flowproof")).ancestors().nth(2).unwrap();
    let output: Output = Command::new(env!("CARGO"))
        .args(["build", "--locked"])
        .current_dir(root().join("examples").join(name))
        .env("CARGO_TARGET_DIR", target)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output));
    target.join("debug").join(name)
}
