//! Data files: CSV, JSON lines, JSON and YAML to rows, each problem at its line of that file.

use std::sync::Arc;

use serde_json::Value;

use crate::base::origin::Place;
use crate::suite::csv_rows::read_csv;
use crate::suite::unnamed_row::{UnnamedRow, line_place};
use crate::yaml::json::parse_json;
use crate::yaml::node::{FilePosition, SourceText};
use crate::yaml::parse::decode;
use crate::yaml::parse::{decode_sheet, parse_yaml};
use crate::yaml::problem::Problem;

/// The kinds of data files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataFormat {
    /// A header row, then one row a record; every cell is text.
    Csv,
    /// One object a line.
    JsonLines,
    /// A list of objects.
    Json,
    /// A list of mappings.
    Yaml,
}

impl DataFormat {
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
pub fn read_table(
    table: DataFormat,
    name: &str,
    bytes: Vec<u8>,
    problems: &mut Vec<Problem>,
) -> Vec<UnnamedRow> {
    if table == DataFormat::Yaml {
        return read_yaml(name, bytes, problems);
    }
    let decoded = match table {
        DataFormat::Csv => decode_sheet(name, bytes),
        DataFormat::JsonLines | DataFormat::Json | DataFormat::Yaml => decode(name, bytes),
    };
    let source = match decoded {
        Ok(source) => source,
        Err(problem) => {
            problems.push(*problem);
            return Vec::new();
        }
    };
    match table {
        DataFormat::Csv => read_csv(&source, problems),
        DataFormat::JsonLines => read_json_lines(&source, problems),
        DataFormat::Json => read_json(&source, problems),
        DataFormat::Yaml => Vec::new(),
    }
}

fn read_yaml(name: &str, bytes: Vec<u8>, problems: &mut Vec<Problem>) -> Vec<UnnamedRow> {
    let document = parse_yaml(name, bytes, problems);
    let Some(root) = document.root else { return Vec::new() };
    let place = |mark: FilePosition| document.source.place(mark);
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
            Value::Object(value) => rows.push(UnnamedRow { place: Arc::new(place(item.mark)), value }),
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

fn read_json_lines(source: &SourceText, problems: &mut Vec<Problem>) -> Vec<UnnamedRow> {
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

fn read_json(source: &SourceText, problems: &mut Vec<Problem>) -> Vec<UnnamedRow> {
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
        Value::Object(value) => Some(UnnamedRow { place: Arc::new(Place::file(source.name.clone())), value }),
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

fn json_row(value: Value, place: Place, problems: &mut Vec<Problem>) -> Option<UnnamedRow> {
    match value {
        Value::Object(value) => Some(UnnamedRow { place: Arc::new(place), value }),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            problems.push(Problem::new(place, "a row must be an object"));
            None
        }
    }
}
