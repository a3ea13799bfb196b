//! What projects hold: suites, the project file, rows.

use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use crate::base::diff::{EqualOptions, equal};
use crate::base::files::Fence;
use crate::plan::choices::Choices;
use crate::plan::compile::compile;
use crate::report::format_words;
use crate::suite::data::ReadState;
use crate::suite::grounds::SuiteFolder;
use crate::suite::load::{LoadedSuites, read_project_text};
use crate::suite::project::ProjectOptions;
use crate::suite::read_suite::{SuiteFile, read_suite};
use crate::suite::table::{DataFormat, read_table};
use crate::yaml::parse::parse_yaml;
use crate::yaml::problem::Problem;
use crate::yaml::reader::Reader;
use crate::yaml::render::{ProblemStyle, render};

/// A folder that is not there: nothing that a suite names can be read.
const NOWHERE: &str = "/nowhere-at-all";

/// A suite, planned for the mock: every problem has a place in it, and what has no problem has tests with assertions.
pub fn suite_yaml(bytes: &[u8]) {
    let mut problems = Vec::new();
    let document = parse_yaml("suite.yaml", bytes.to_vec(), &mut problems);
    let folder = Path::new(NOWHERE);
    let grounds = SuiteFolder {
        folder: Arc::new(folder.to_owned()),
        fence: Fence::around(folder),
        place: Fence::around(folder),
    };
    let file = SuiteFile { grounds, default_name: "suite".to_owned(), count: Arc::default() };
    let mut reader = Reader { source: document.source, problems: &mut problems };
    let suite = document.root.map(|root| read_suite(&mut reader, root, file));
    let suites = suite.into_iter().map(|mut suite| {
        suite.problems = problems.len();
        suite
    });
    let loaded = LoadedSuites {
        root: folder.to_owned(),
        project: None,
        project_read: ReadState::Read,
        suites: suites.collect(),
        files: vec![Arc::from("suite.yaml")],
        problems,
    };
    let compiled = compile(loaded, &Choices::default());
    check_problems(&compiled.problems, bytes);
    if compiled.problems.is_empty() {
        let plan = compiled.plan.expect("a suite without problems has a plan");
        for case in &plan.cases {
            assert!(!case.test.checks.is_empty(), "{} asserts nothing", case.name);
        }
    }
}

/// A project file: every problem has a place in it.
pub fn project_yaml(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (project, problems) = read_project_text(
        text,
        ProjectOptions { folder: Path::new(NOWHERE).to_path_buf(), formats: &format_words() },
    );
    check_problems(&problems, bytes);
    assert!(project.is_some() || !problems.is_empty() || text.trim().is_empty());
}

/// Every problem lies in the file, and says something that a terminal can show.
fn check_problems(problems: &[Problem], bytes: &[u8]) {
    let lines = bytes.iter().filter(|byte| matches!(byte, b'\n' | b'\r')).count() + 2;
    for problem in problems {
        assert!(problem.place.line as usize <= lines, "{problem:?}");
        assert!(!problem.message.is_empty(), "{problem:?}");
    }
    let shown = render(problems, ProblemStyle::Plain);
    let control = shown.chars().find(|c| c.is_control() && *c != '\n');
    assert_eq!(control, None, "{shown:?}");
}

/// Rows of a data file: each is an object, and what JSON says is kept. The first byte says of which kind the file is.
pub fn rows(bytes: &[u8]) {
    let Some((first, file)) = bytes.split_first() else { return };
    let table =
        [DataFormat::Csv, DataFormat::JsonLines, DataFormat::Json, DataFormat::Yaml][usize::from(first % 4)];
    let mut problems = Vec::new();
    let rows = read_table(table, "rows", file.to_vec(), &mut problems);
    check_problems(&problems, file);
    if matches!(table, DataFormat::Csv | DataFormat::JsonLines) {
        assert!(rows.iter().all(|row| row.place.line >= 1), "a row without its line");
    }
    let text = std::str::from_utf8(file).map(|text| text.trim_start_matches('\u{feff}'));
    if let (DataFormat::Json, true, Ok(text)) = (table, problems.is_empty(), text) {
        let kept: Value = rows.into_iter().map(|row| Value::Object(row.value)).collect();
        let read = serde_json::from_str::<Value>(text).expect("rows come from JSON");
        assert!(equal(&read, &kept, &EqualOptions::default()), "{read}: {kept}");
    }
}
