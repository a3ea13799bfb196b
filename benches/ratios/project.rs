//! Writes the project that flowproof runs, and the rows that the loop reads.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::Mode;
use crate::answers::{CHECKED, TOKEN_BOUND};
use crate::failure::Failure;

/// The variable in which flowproof finds the endpoint's key.
pub const KEY_VARIABLE: &str = "FLOWPROOF_BENCHMARK_KEY";

/// How the cases are written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// One test with a data row for each case.
    Rows,
    /// A test for each case, all in one file.
    Tests,
}

/// A project in a folder of its own, removed when it goes out of scope.
#[derive(Debug)]
pub struct Project {
    folder: tempfile::TempDir,
    /// How many cases it has.
    pub cases: u64,
}

impl Project {
    /// Writes a project of so many cases against the endpoint at `base_url`.
    pub fn write(base_url: &str, cases: u64, form: Form, mode: Mode) -> Result<Self, Failure> {
        let folder = tempfile::Builder::new()
            .prefix("flowproof-ratios-")
            .tempdir()
            .map_err(Failure::io("create a temporary folder"))?;
        let project = Self { folder, cases };
        std::fs::create_dir(project.root().join("suites")).map_err(Failure::io("create suites"))?;
        write_file(&project.root().join("flowproof.yaml"), &project_file(base_url))?;
        write_file(&project.rows(), &rows(cases))?;
        let suite = match form {
            Form::Rows => suite_of_rows(mode),
            Form::Tests => suite_of_tests(cases, mode),
        };
        write_file(&project.suite(), &suite)?;
        Ok(project)
    }

    /// The project's folder.
    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    /// The data rows.
    pub fn rows(&self) -> PathBuf {
        self.root().join("suites").join("rows.jsonl")
    }

    /// The only suite.
    pub fn suite(&self) -> PathBuf {
        self.root().join("suites").join("bench.yaml")
    }

    /// How large the suite is.
    pub fn suite_bytes(&self) -> Result<u64, Failure> {
        let facts = std::fs::metadata(self.suite()).map_err(Failure::io("look at the suite"))?;
        Ok(facts.len())
    }

    /// Where a run's reports go.
    pub fn reports(&self) -> PathBuf {
        self.root().join("reports")
    }

    /// The sum of all row numbers.
    pub fn row_sum(&self) -> u64 {
        self.cases * (self.cases + 1) / 2
    }
}

fn write_file(path: &Path, text: &str) -> Result<(), Failure> {
    std::fs::write(path, text).map_err(Failure::io(format!("write {}", path.display())))
}

/// The project file: the endpoint is the default target.
fn project_file(base_url: &str) -> String {
    format!(
        "version: 1
suites: [suites]
targets:
  endpoint:
    base_url: {base_url}
    api_key: \"{{{{ env.{KEY_VARIABLE} }}}}\"
    retries: 0
profiles:
  default: {{ target: endpoint }}
reports: {{ dir: reports, formats: [junit, json] }}
"
    )
}

/// The question of a case.
fn query(n: u64) -> String {
    format!("Question {n}: my kettle arrived broken, I want my money back.")
}

/// One JSON object a case.
fn rows(cases: u64) -> String {
    let mut text = String::new();
    for n in 1..=cases {
        let query = query(n);
        writeln!(text, "{{\"n\":{n},\"query\":\"{query}\"}}").expect("a String takes all");
    }
    text
}

/// A suite with one test over all rows.
fn suite_of_rows(mode: Mode) -> String {
    let mode = mode.word();
    let checks = checks();
    format!(
        "version: 1
name: bench
tests:
  - name: row
    each: rows.jsonl
    response_mode: {mode}
    inputs: {{ n: \"{{{{ row.n }}}}\", query: \"{{{{ row.query }}}}\" }}
{checks}"
    )
}

/// A suite with a test for each case.
fn suite_of_tests(cases: u64, mode: Mode) -> String {
    let mode = mode.word();
    let checks = checks();
    let mut text = "version: 1\nname: bench\ntests:\n".to_owned();
    for n in 1..=cases {
        let query = query(n);
        write!(
            text,
            "  - name: {name}
    response_mode: {mode}
    inputs: {{ n: {n}, query: \"{query}\" }}
{checks}",
            name = test_name(n)
        )
        .expect("a String takes all");
    }
    text
}

/// The name of the test of a case.
pub fn test_name(n: u64) -> String {
    format!("test-{n:06}")
}

/// The four checks of a case, as the loop makes them.
fn checks() -> String {
    let (path, value) = CHECKED;
    format!(
        "    assert:
      - status: succeeded
      - {{ path: {path}, equals: \"{value}\" }}
      - tokens: {TOKEN_BOUND}
      - {{ from: response, path: $.status, equals: 200 }}
"
    )
}
