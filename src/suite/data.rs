//! Data rows: `each` from a list or a file, `matrix` as a product; every row an object with a unique name.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::base::origin::Place;
use crate::suite::grounds::SuiteFolder;
use crate::suite::table::{DataFormat, read_table};
use crate::suite::test_count::{MOST_COMBINATIONS, TestCount};
use crate::suite::unnamed_row::UnnamedRow;
use crate::yaml::node::{FilePosition, Node, NodeValue};
use crate::yaml::parse::LARGEST;
use crate::yaml::problem::Problem;
use crate::yaml::reader::Reader;
use crate::yaml::row::DataRow;

/// The rows of one test.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rows {
    /// The columns of all rows together, in order of appearance.
    pub columns: Vec<String>,
    /// The rows, in order.
    pub rows: Arc<Vec<DataRow>>,
    /// Whether what holds them could be read.
    pub read: ReadState,
    /// The file whose first line names the columns; `None` where they are not from CSV.
    pub header_of: Option<String>,
}

/// Whether something could be read; where it could not, that is a problem already.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ReadState {
    /// It could.
    #[default]
    Read,
    /// It could not: nothing more can be said of it.
    Unread,
}

impl Rows {
    /// Rows that could not be read.
    fn unread() -> Self {
        Self { read: ReadState::Unread, ..Self::default() }
    }
}

/// What a suite's tests are read with, besides their nodes.
pub struct TestContext<'a> {
    /// Where its paths may go.
    pub grounds: &'a SuiteFolder,
    /// The tests counted so far.
    pub count: &'a TestCount,
}

/// Reads `each`: an inline list, or the path of a data file.
pub fn read_each(reader: &mut Reader<'_>, node: &Node, around: &TestContext<'_>) -> Rows {
    match &node.value {
        NodeValue::List(items) => {
            let before = reader.problems.len();
            let rows: Vec<UnnamedRow> = items.iter().filter_map(|item| inline_row(reader, item)).collect();
            if rows.is_empty() && reader.problems.len() > before {
                return Rows::unread();
            }
            name_rows(reader, node.mark, rows)
        }
        NodeValue::Text(path) => read_file(reader, node.mark, path, around),
        NodeValue::Null | NodeValue::Bool(_) | NodeValue::Number(_) | NodeValue::Map(_) => {
            let message =
                format!("`each` must be a list of rows or the path of a file, found {}", node.kind());
            reader.problem(node.mark, message);
            Rows::unread()
        }
    }
}

/// Reads `matrix`: every combination of its lists, the last one turning fastest.
pub fn read_matrix(reader: &mut Reader<'_>, node: &Node) -> Rows {
    let Some(entries) = node.as_map() else {
        reader.problem(node.mark, format!("`matrix` must be a mapping of lists, found {}", node.kind()));
        return Rows::unread();
    };
    let mut lists = Vec::with_capacity(entries.len());
    let mut number = 1_usize;
    for entry in entries {
        let values = reader.list(&entry.value, &format!("`matrix.{}`", entry.key));
        if values.is_empty() {
            if entry.value.as_list().is_some() {
                reader.problem(entry.value.mark, format!("`matrix.{}` has no values", entry.key));
            }
            return Rows::unread();
        }
        number = number.saturating_mul(values.len());
        lists.push((&entry.key, values));
    }
    if number > MOST_COMBINATIONS {
        reader.problem(node.mark, format!("`matrix` has more than {MOST_COMBINATIONS} combinations"));
        return Rows::unread();
    }
    let mut combinations = vec![Map::new()];
    for (key, values) in lists {
        let extend =
            |row: Map<String, Value>| values.iter().map(move |value| with(&row, key, value.to_json()));
        combinations = combinations.into_iter().flat_map(extend).collect();
    }
    if entries.is_empty() {
        combinations.clear();
    }
    let place = Arc::new(reader.source.place(node.mark));
    let rows = combinations.into_iter().map(|value| UnnamedRow { place: place.clone(), value }).collect();
    name_rows(reader, node.mark, rows)
}

fn with(row: &Map<String, Value>, key: &str, value: Value) -> Map<String, Value> {
    let mut row = row.clone();
    row.insert(key.to_owned(), value);
    row
}

fn inline_row(reader: &mut Reader<'_>, item: &Node) -> Option<UnnamedRow> {
    match item.to_json() {
        Value::Object(value) => Some(UnnamedRow { place: Arc::new(reader.source.place(item.mark)), value }),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            let message = format!("a row must be a mapping, found {}", item.kind());
            reader.problem_with_help(item.mark, message, "write e.g. `{ id: fr, country: France }`");
            None
        }
    }
}

fn read_file(reader: &mut Reader<'_>, mark: FilePosition, path: &str, around: &TestContext<'_>) -> Rows {
    let grounds = around.grounds;
    let bytes = match grounds.read(path, LARGEST) {
        Ok(bytes) => bytes,
        Err(message) => {
            reader.problem(mark, message);
            return Rows::unread();
        }
    };
    let ending = Path::new(path).extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    let shown = shown_beside(&reader.source.name, path);
    let Some(table) = DataFormat::by_ending(ending) else {
        reader.problem_with_help(
            mark,
            format!("`{path}` is no data file"),
            "data files end in .csv, .jsonl, .json, .yaml or .yml",
        );
        return Rows::unread();
    };
    let before = reader.problems.len();
    let rows = read_table(table, &shown, bytes, reader.problems);
    let mut rows =
        if reader.problems.len() > before { Rows::unread() } else { name_rows(reader, mark, rows) };
    rows.header_of = (table == DataFormat::Csv).then(|| path.to_owned());
    let here = reader.source.place(mark);
    let is_outside = grounds.place.find(&grounds.folder.join(path)).is_err();
    for problem in &mut reader.problems[before..] {
        if problem.place.file != here.file {
            problem.others.push((here.clone(), "read from here".to_owned()));
            if is_outside {
                problem.place.excerpt = Arc::from("");
            }
        }
    }
    rows
}

/// A data file as problems name it: beside the suite's file.
fn shown_beside(suite: &str, path: &str) -> String {
    match suite.rsplit_once('/') {
        Some((folder, _)) => format!("{folder}/{path}"),
        None => path.to_owned(),
    }
}

fn name_rows(reader: &mut Reader<'_>, mark: FilePosition, found: Vec<UnnamedRow>) -> Rows {
    if found.is_empty() {
        reader.problem_with_help(mark, "there are no rows here", "a test without rows would never run");
        return Rows::unread();
    }
    let mut rows = Rows::default();
    let mut named = Vec::with_capacity(found.len());
    let mut seen: HashMap<Arc<str>, Arc<Place>> = HashMap::with_capacity(found.len());
    let mut columns: HashSet<String> = HashSet::new();
    for (index, UnnamedRow { place, value }) in found.into_iter().enumerate() {
        for column in value.keys() {
            if !columns.contains(column) {
                columns.insert(column.clone());
                rows.columns.push(column.clone());
            }
        }
        let name: Arc<str> = match row_name(&value, index + 1) {
            Ok(name) => Arc::from(name),
            Err(message) => {
                reader.problems.push(Problem::new((*place).clone(), message));
                continue;
            }
        };
        if let Some(first) = seen.insert(name.clone(), place.clone()) {
            let problem = Problem::new((*place).clone(), format!("two rows are named `{name}`"));
            reader.problems.push(problem.other((*first).clone(), "first used here"));
        }
        named.push(DataRow { name, value: Arc::new(Value::Object(value)) });
    }
    Rows { rows: Arc::new(named), ..rows }
}

fn row_name(value: &Map<String, Value>, number: usize) -> Result<String, String> {
    let name = match value.get("id") {
        None => return Ok(number.to_string()),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_)) => {
            return Err("a row's `id` must be text or a number".to_owned());
        }
    };
    let trimmed = name.trim();
    if trimmed.is_empty() {
        return Err("a row's `id` is empty".to_owned());
    }
    if trimmed.chars().any(char::is_control) || trimmed.contains("::") {
        return Err("a row's `id` may hold no control characters and no `::`".to_owned());
    }
    Ok(trimmed.to_owned())
}
