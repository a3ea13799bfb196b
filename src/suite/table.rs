//! Data files: CSV, JSON lines, JSON and YAML to rows, each problem at its line of that file.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::base::origin::Place;
use crate::suite::data::Found;
use crate::suite::json::parse_json;
use crate::suite::node::{Mark, Source};
use crate::suite::problem::Problem;
use crate::suite::yaml::{decode, parse_yaml};

/// The kinds of data files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    /// A header row, then one row a record; every cell is text.
    Csv,
    /// One object a line.
    JsonLines,
    /// A list of objects.
    Json,
    /// A list of mappings.
    Yaml,
}

impl Table {
    /// The kind by a file's ending.
    pub fn by_ending(ending: &str) -> Option<Self> {
        match ending.to_ascii_lowercase().as_str() {
            "csv" => Some(Self::Csv),
            "jsonl" => Some(Self::JsonLines),
            "json" => Some(Self::Json),
            "yaml" | "yml" => Some(Self::Yaml),
            _ => None,
        }
    }
}

/// The rows of a data file; everything wrong is added to `problems`.
pub fn read_table(table: Table, name: &str, bytes: Vec<u8>, problems: &mut Vec<Problem>) -> Vec<Found> {
    if table == Table::Yaml {
        return read_yaml(name, bytes, problems);
    }
    let source = match decode(name, bytes) {
        Ok(source) => source,
        Err(problem) => {
            problems.push(*problem);
            return Vec::new();
        }
    };
    match table {
        Table::Csv => read_csv(&source, problems),
        Table::JsonLines => read_json_lines(&source, problems),
        Table::Json => read_json(&source, problems),
        Table::Yaml => Vec::new(),
    }
}

fn read_yaml(name: &str, bytes: Vec<u8>, problems: &mut Vec<Problem>) -> Vec<Found> {
    let document = parse_yaml(name, bytes, problems);
    let Some(root) = document.root else { return Vec::new() };
    let place = |mark: Mark| document.source.place(mark);
    let Some(items) = root.as_list() else {
        problems.push(Problem::new(
            place(root.mark),
            format!("a data file must be a list of rows, found {}", root.kind()),
        ));
        return Vec::new();
    };
    let mut rows = Vec::with_capacity(items.len());
    for item in items {
        match item.to_json() {
            Value::Object(value) => rows.push(Found { place: Arc::new(place(item.mark)), value }),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                problems.push(Problem::new(
                    place(item.mark),
                    format!("a row must be a mapping, found {}", item.kind()),
                ));
            }
        }
    }
    rows
}

fn line_place(source: &Source, line: usize, column: usize) -> Place {
    let clamp = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    source.place(Mark { line: clamp(line).max(1), column: clamp(column).max(1), width: 1 })
}

fn read_json_lines(source: &Source, problems: &mut Vec<Problem>) -> Vec<Found> {
    let mut rows = Vec::new();
    for (index, line) in source.text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        match parse_json(line) {
            Ok(value) => rows.extend(json_row(value, line_place(source, index + 1, 1), problems)),
            Err(fault) => {
                problems.push(Problem::new(line_place(source, index + 1, fault.column), fault.message));
            }
        }
    }
    rows
}

fn read_json(source: &Source, problems: &mut Vec<Problem>) -> Vec<Found> {
    let value = match parse_json(&source.text) {
        Ok(value) => value,
        Err(fault) => {
            let place = line_place(source, fault.line, fault.column);
            problems.push(Problem::new(place, fault.message));
            return Vec::new();
        }
    };
    let Value::Array(items) = value else {
        problems.push(Problem::new(line_place(source, 1, 1), "a data file must be a list of objects"));
        return Vec::new();
    };
    let rows = items.into_iter().enumerate();
    rows.filter_map(|(index, item)| match item {
        Value::Object(value) => Some(Found { place: Arc::new(Place::file(source.name.clone())), value }),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            problems.push(Problem::new(
                Place::file(source.name.clone()),
                format!("row {} is no object", index + 1),
            ));
            None
        }
    })
    .collect()
}

fn json_row(value: Value, place: Place, problems: &mut Vec<Problem>) -> Option<Found> {
    match value {
        Value::Object(value) => Some(Found { place: Arc::new(place), value }),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            problems.push(Problem::new(place, "a row must be an object"));
            None
        }
    }
}

fn read_csv(source: &Source, problems: &mut Vec<Problem>) -> Vec<Found> {
    if let Some(line) = open_quote(&source.text) {
        let problem = Problem::new(line_place(source, line, 1), "a quote on this line is never closed");
        problems.push(problem.help("all rows after it would be part of one cell"));
        return Vec::new();
    }
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(source.text.as_bytes());
    let header = match reader.headers() {
        Ok(header) => header.clone(),
        Err(error) => {
            problems.push(Problem::new(line_place(source, 1, 1), format!("no CSV: {error}")));
            return Vec::new();
        }
    };
    for (index, column) in header.iter().enumerate() {
        if column.trim().is_empty() {
            problems
                .push(Problem::new(line_place(source, 1, 1), format!("column {} has no name", index + 1)));
        } else if header.iter().take(index).any(|earlier| earlier == column) {
            problems
                .push(Problem::new(line_place(source, 1, 1), format!("two columns are named `{column}`")));
        }
    }
    let mut rows = Vec::new();
    for record in reader.records() {
        match record {
            Ok(record) => rows.extend(csv_row(source, &header, &record, problems)),
            Err(error) => {
                let line = error.position().map_or(1, |at| at.line() as usize);
                problems.push(Problem::new(line_place(source, line, 1), format!("no CSV: {error}")));
            }
        }
    }
    rows
}

/// The line of a quote that begins a cell and is never closed, which the CSV library takes for the end of the file.
fn open_quote(text: &str) -> Option<usize> {
    let (mut line, mut opened) = (1, None);
    let mut at_start = true;
    for byte in text.bytes() {
        match (byte, opened) {
            (b'"', Some(_)) => opened = None,
            // A second quote right after the first closed one goes on with the cell.
            (b'"', None) if at_start => opened = Some(line),
            _ => {}
        }
        at_start = matches!(byte, b',' | b'\n' | b'\r') || byte == b'"' && opened.is_none();
        line += usize::from(byte == b'\n');
    }
    opened
}

fn csv_row(
    source: &Source,
    header: &csv::StringRecord,
    record: &csv::StringRecord,
    problems: &mut Vec<Problem>,
) -> Option<Found> {
    let line = record.position().map_or(1, |at| at.line() as usize);
    let place = line_place(source, line, 1);
    if record.len() != header.len() {
        let message = format!("this row has {} cells, the header has {}", record.len(), header.len());
        problems.push(Problem::new(place, message).help("quote cells that hold a comma"));
        return None;
    }
    let cells = header.iter().zip(record.iter());
    let value: Map<String, Value> =
        cells.map(|(column, cell)| (column.to_owned(), Value::String(cell.to_owned()))).collect();
    Some(Found { place: Arc::new(place), value })
}
