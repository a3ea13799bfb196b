//! Writes the project that flowproof runs, and the rows that the loop reads.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::Mode;
use crate::answers::{CHECKED, Sending, TOKEN_BOUND, long_stream};
use crate::failure::Failure;
use crate::long_stream::{CHUNKS, EVENTS};
use crate::reading::Reading;

/// The variable in which flowproof finds the endpoint's key.
pub const KEY_VARIABLE: &str = "FLOWPROOF_BENCHMARK_KEY";

/// What the cases are, and how they are written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// One test with a data row for each case.
    Rows,
    /// The same, against the endpoint's own clock.
    Timed,
    /// A test for each case, all in one file.
    Tests,
    /// One test with a data row for each case; the answers are streams of many chunks.
    Chunks,
    /// The same, and flowproof also counts events and chunks.
    CountedChunks,
}

impl Form {
    /// How the endpoint answers such cases.
    pub fn sending(self) -> Sending {
        match self {
            Self::Rows | Self::Tests => Sending::Recorded,
            Self::Timed => Sending::Timed,
            Self::Chunks | Self::CountedChunks => Sending::Chunks,
        }
    }

    /// How the loop reads the answers to such cases.
    pub fn reading(self) -> Reading {
        match self {
            Self::Rows | Self::Tests => Reading::Checked,
            Self::Timed => Reading::Timed,
            Self::Chunks | Self::CountedChunks => Reading::Counted,
        }
    }

    /// The checks of a case: as many as the loop makes.
    fn checks(self) -> Result<String, Failure> {
        match self {
            Self::Rows | Self::Timed | Self::Tests => Ok(checks()),
            Self::Chunks => chunk_checks(),
            Self::CountedChunks => Ok(chunk_checks()? + &count_checks()),
        }
    }
}

/// A project in a folder of its own, removed when it goes out of scope.
#[derive(Debug)]
pub struct Project {
    folder: tempfile::TempDir,
    /// How many cases it has.
    pub cases: u64,
    /// What the cases are.
    pub form: Form,
}

impl Project {
    /// Writes a project of this many cases against the endpoint at `base_url`.
    pub fn write(base_url: &str, cases: u64, form: Form, mode: Mode) -> Result<Self, Failure> {
        let folder = tempfile::Builder::new()
            .prefix("flowproof-ratios-")
            .tempdir()
            .map_err(Failure::io("create a temporary folder"))?;
        let project = Self { folder, cases, form };
        std::fs::create_dir(project.root().join("suites")).map_err(Failure::io("create suites"))?;
        write_file(&project.root().join("flowproof.yaml"), &project_file(base_url))?;
        write_file(&project.rows(), &rows(cases))?;
        let suite = match form {
            Form::Rows | Form::Timed | Form::Chunks | Form::CountedChunks => {
                suite_of_rows(mode, &form.checks()?)
            }
            Form::Tests => suite_of_tests(cases, mode, &form.checks()?),
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
fn suite_of_rows(mode: Mode, checks: &str) -> String {
    let mode = mode.word();
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
fn suite_of_tests(cases: u64, mode: Mode, checks: &str) -> String {
    let mode = mode.word();
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

/// The checks of a stream of many chunks: all of its text came, and what the usual checks ask for.
fn chunk_checks() -> Result<String, Failure> {
    let stream = long_stream()?;
    let (first, streamed) = (stream.first_characters(), stream.streamed_characters());
    Ok(format!(
        "    assert:
      - status: succeeded
      - {{ path: {path}, length: {first} }}
      - {{ from: text, length: {streamed} }}
      - tokens: {TOKEN_BOUND}
      - {{ from: response, path: $.status, equals: 200 }}
",
        path = CHECKED.0
    ))
}

/// What is counted once, before the rounds: it would cost flowproof a second reading of every event.
fn count_checks() -> String {
    format!(
        "      - {{ from: events, path: \"$[*]\", count: {EVENTS} }}
      - {{ from: events, path: \"$[?@.event == 'text_chunk']\", count: {CHUNKS} }}
"
    )
}
