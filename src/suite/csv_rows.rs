//! CSV as RFC 4180 has it, and as spreadsheets of many countries save it: cells between commas, semicolons, tabs or bars.
//!
//! What is between the cells is said by a line `sep=;`, else by the header, if every row agrees. Nothing is repaired: text
//! behind a closing quote, or rows of another length than the header, are problems at their line of the file.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::base::plural::plural;
use crate::suite::unnamed_row::{UnnamedRow, line_place};
use crate::yaml::node::SourceText;
use crate::yaml::problem::Problem;

/// What may be between cells where no comma does, with its name.
const OTHERS: [(char, &str); 3] = [(';', "semicolons"), ('\t', "tabs"), ('|', "bars")];

/// One record: a header or a row.
struct CsvRecord {
    /// The line of the file on which it begins, from 1.
    line: usize,
    cells: Vec<String>,
}

/// What is wrong with a cell, and where it begins.
struct CellFault {
    line: usize,
    column: usize,
    message: &'static str,
    help: &'static str,
}

/// The rows below the header; everything wrong is added to `problems`.
pub fn read_csv(source: &SourceText, problems: &mut Vec<Problem>) -> Vec<UnnamedRow> {
    let first = separator_line(&source.text);
    let parsed = match first.separator {
        Some(separator) => records(source, first.end, separator),
        None => guess(source, problems),
    };
    let mut records = match parsed {
        Ok(records) => records.into_iter(),
        Err(fault) => {
            let place = line_place(source, fault.line, fault.column);
            problems.push(Problem::new(place, fault.message).help(fault.help));
            return Vec::new();
        }
    };
    let Some(header) = records.next() else { return Vec::new() };
    check_header(source, &header, problems);
    records.filter_map(|record| row(source, &header, record, problems)).collect()
}

/// A first line that names what is between the cells.
#[derive(Clone, Copy, Default)]
struct SeparatorLine {
    /// Where the text goes on behind it.
    end: usize,
    /// What it names; `None` where there is no such line.
    separator: Option<char>,
}

/// Spreadsheets say in a first line `sep=;` what is between the cells.
fn separator_line(text: &str) -> SeparatorLine {
    let end = text.find('\n').map_or(text.len(), |end| end + 1);
    let line = text[..end].trim_end_matches(['\r', '\n']);
    let line = line.strip_prefix('"').and_then(|line| line.strip_suffix('"')).unwrap_or(line);
    let mut letters =
        line.strip_prefix("sep=").or_else(|| line.strip_prefix("SEP=")).unwrap_or_default().chars();
    match (letters.next(), letters.next()) {
        (Some(separator), None) if separator != '"' => SeparatorLine { end, separator: Some(separator) },
        _ => SeparatorLine::default(),
    }
}

/// Reads with commas, or with what else is in a header without commas, where all rows have as many cells as it.
fn guess(source: &SourceText, problems: &mut Vec<Problem>) -> Result<Vec<CsvRecord>, CellFault> {
    let records_of = |separator| records(source, 0, separator);
    let with_commas = records_of(',');
    let lone = match &with_commas {
        Ok(all) => all.first().filter(|header| header.cells.len() == 1).map(|header| header.cells[0].clone()),
        Err(_) => source.text.lines().find(|line| !line.is_empty() && !line.contains(',')).map(str::to_owned),
    };
    let Some(lone) = lone else { return with_commas };
    for (separator, name) in OTHERS {
        if !lone.contains(separator) {
            continue;
        }
        if let Ok(all) = records_of(separator)
            && all.first().is_some_and(|header| header.cells.len() > 1)
            && all.iter().all(|record| record.cells.len() == all[0].cells.len())
        {
            return Ok(all);
        }
        if with_commas.is_ok() {
            let message =
                format!("the cells of this file seem to stand between {name}, and not all rows have as many");
            let help = format!(
                "put commas between the cells, or say what stands there in a first line `sep={separator}`"
            );
            problems.push(Problem::new(line_place(source, 1, 1), message).help(help));
            return Ok(Vec::new());
        }
    }
    with_commas
}

fn check_header(source: &SourceText, header: &CsvRecord, problems: &mut Vec<Problem>) {
    let mut seen = HashSet::new();
    for (index, column) in header.cells.iter().enumerate() {
        let place = || line_place(source, header.line, 1);
        if column.trim().is_empty() {
            let problem = Problem::new(place(), format!("column {} has no name", index + 1));
            problems.push(problem.help("the first line names the columns"));
        } else if !seen.insert(column) {
            let problem = Problem::new(place(), format!("two columns are named `{column}`"));
            problems.push(problem.help("the first line names the columns; is this one a row?"));
        }
    }
}

fn row(
    source: &SourceText,
    header: &CsvRecord,
    record: CsvRecord,
    problems: &mut Vec<Problem>,
) -> Option<UnnamedRow> {
    let place = line_place(source, record.line, 1);
    if record.cells.len() != header.cells.len() {
        let (cells, columns) = (record.cells.len(), header.cells.len());
        let plural = plural(cells, "cell", "cells");
        let message = format!("this row has {cells} {plural}, the header has {columns}");
        problems.push(Problem::new(place, message).help("quote cells that hold a comma"));
        return None;
    }
    let cells = header.cells.iter().cloned().zip(record.cells);
    let value: Map<String, Value> = cells.map(|(column, cell)| (column, Value::String(cell))).collect();
    Some(UnnamedRow { place: Arc::new(place), value })
}

/// All records from a byte of the text on; blank lines are none.
fn records(source: &SourceText, start: usize, separator: char) -> Result<Vec<CsvRecord>, CellFault> {
    let mut scan = CsvScan {
        rest: &source.text[start..],
        line: 1 + source.text[..start].matches('\n').count(),
        column: 1,
        separator,
    };
    let mut records = Vec::new();
    while !scan.rest.is_empty() {
        if scan.end_line() {
            continue;
        }
        let mut record = CsvRecord { line: scan.line, cells: Vec::new() };
        loop {
            record.cells.push(scan.cell()?);
            if !scan.skip(separator) {
                break;
            }
        }
        scan.end_line();
        records.push(record);
    }
    Ok(records)
}

/// Where a text is being read.
struct CsvScan<'t> {
    rest: &'t str,
    line: usize,
    column: usize,
    separator: char,
}

impl<'t> CsvScan<'t> {
    /// Takes bytes off the front, counting lines and columns.
    fn take(&mut self, bytes: usize) -> &'t str {
        let (taken, rest) = self.rest.split_at(bytes);
        self.rest = rest;
        let lines = memchr::memchr_iter(b'\n', taken.as_bytes()).count();
        self.line += lines;
        let last = taken.rfind('\n').map_or(taken, |at| &taken[at + 1..]);
        self.column = last.chars().count() + if lines > 0 { 1 } else { self.column };
        taken
    }

    fn skip(&mut self, expected: char) -> bool {
        let found = self.rest.starts_with(expected);
        if found {
            self.take(expected.len_utf8());
        }
        found
    }

    /// Takes a line end: LF, CR LF, or the CR of old spreadsheets.
    fn end_line(&mut self) -> bool {
        let length = match self.rest.as_bytes() {
            [b'\r', b'\n', ..] => 2,
            [b'\r' | b'\n', ..] => 1,
            _ => return false,
        };
        self.take(length);
        true
    }

    fn cell(&mut self) -> Result<String, CellFault> {
        if self.rest.starts_with('"') {
            return self.quoted();
        }
        let ends = |letter: char| letter == self.separator || letter == '\n' || letter == '\r';
        let end = self.rest.find(ends).unwrap_or(self.rest.len());
        Ok(self.take(end).to_owned())
    }

    fn quoted(&mut self) -> Result<String, CellFault> {
        let (line, column) = (self.line, self.column);
        let fault = |message, help| CellFault { line, column, message, help };
        self.take(1);
        let mut cell = String::new();
        loop {
            let Some(end) = memchr::memchr(b'"', self.rest.as_bytes()) else {
                let help = "all rows after it would be part of one cell";
                return Err(fault("a quote on this line is never closed", help));
            };
            cell.push_str(self.take(end));
            self.take(1);
            if !self.skip('"') {
                break;
            }
            cell.push('"');
        }
        while self.separator != '\t' && self.skip('\t') || self.skip(' ') {}
        let is_end = self.rest.is_empty() || self.rest.starts_with([self.separator, '\n', '\r']);
        if !is_end {
            let (line, column) = (self.line, self.column);
            let (message, help) = (
                "there is text behind the closing quote of a cell",
                "a quote within quotes is written twice: `\"\"`",
            );
            return Err(CellFault { line, column, message, help });
        }
        Ok(cell)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Vec<String>, Vec<String>) {
        let mut problems = Vec::new();
        let rows = read_csv(&SourceText::new("a.csv", text.to_owned()), &mut problems);
        let rows = rows.iter().map(|row| format!("{}: {}", row.place.line, Value::Object(row.value.clone())));
        let problems = problems.iter().map(|problem| {
            format!(
                "{}:{} {} ({})",
                problem.place.line,
                problem.place.column,
                problem.message,
                problem.help.as_deref().unwrap_or_default()
            )
        });
        (rows.collect(), problems.collect())
    }

    fn sound(text: &str) -> Vec<String> {
        let (rows, problems) = read(text);
        assert_eq!(problems, Vec::<String>::new(), "{text:?}");
        rows
    }

    fn faults(text: &str) -> Vec<String> {
        let (_, problems) = read(text);
        problems
    }

    #[test]
    fn places_are_lines_of_the_file() {
        for end in ["\n", "\r\n"] {
            let text = ["id,q", "", "a,\"one", "two\"", "", "b,x", "c", ""].join(end);
            let (rows, problems) = read(&text);
            let expected = [
                format!("3: {}", serde_json::json!({"id": "a", "q": format!("one{end}two")})),
                "6: {\"id\":\"b\",\"q\":\"x\"}".to_owned(),
            ];
            assert_eq!(rows, expected);
            assert_eq!(
                problems,
                ["7:1 this row has 1 cell, the header has 2 (quote cells that hold a comma)"]
            );
        }
        assert_eq!(sound("id,q\ra,x\r").len(), 1);
        assert_eq!(sound("id,q\na,x"), ["2: {\"id\":\"a\",\"q\":\"x\"}"]);
        assert_eq!(sound("id,q\na,\n"), ["2: {\"id\":\"a\",\"q\":\"\"}"]);
    }

    #[test]
    fn quotes_are_read_as_they_must_be_written() {
        let rows = sound("id,q\na,\"He said \"\"hi\"\" loudly\"\nb,6\" pipe\nc,\"x\" \t\nd,\"\"\ne, \"x\"\n");
        let cells = ["He said \\\"hi\\\" loudly", "6\\\" pipe", "x", "", " \\\"x\\\""];
        for (row, cell) in rows.iter().zip(cells) {
            assert!(row.ends_with(&format!("\"q\":\"{cell}\"}}")), "{row}");
        }
        assert_eq!(rows.len(), cells.len());
        for (cell, column) in [
            ("\"He said \"hi\" loudly\"", 13),
            ("\"ok\"x", 7),
            ("\"a\"b\"c\"", 6),
            ("\"x\" y", 7),
            ("\"é\"x", 6),
        ] {
            let expected = format!("2:{column} there is text behind the closing quote of a cell");
            let found = faults(&format!("id,q\nc,{cell}\n"));
            assert!(found.len() == 1 && found[0].starts_with(&expected), "{cell}: {found:?}");
        }
        assert!(faults("id,q\na,\"open\nb,x\n")[0].starts_with("2:3 a quote on this line is never closed"));
    }

    #[test]
    fn other_separators_are_read_where_all_rows_agree() {
        for text in [
            "id;q\na;1,5\nb;x, y\n",
            "sep=;\nid;q\na;1,5\nb;x, y\n",
            "\"sep=;\"\r\nid;q\r\na;1,5\r\nb;x, y\r\n",
            "id\tq\na\t1,5\nb\tx, y\n",
            "id|q\na|1,5\nb|x, y\n",
            "\"id\";\"q\"\n\"a\";\"1,5\"\nb;\"x, y\"\n",
        ] {
            let rows = sound(text);
            assert!(
                rows[0].ends_with("{\"id\":\"a\",\"q\":\"1,5\"}") && rows[1].ends_with("\"q\":\"x, y\"}"),
                "{rows:?}"
            );
        }
        assert_eq!(sound("sep=;\nid;q\na;b\n"), ["3: {\"id\":\"a\",\"q\":\"b\"}"]);
        assert_eq!(sound("id,q\na,one;two\n"), ["2: {\"id\":\"a\",\"q\":\"one;two\"}"]);
        assert_eq!(sound("q\none;two\nthree\n").len(), 2, "one column whose cells hold semicolons");
        let torn = faults("id;q\na;b\nc\n");
        assert!(
            torn.len() == 1 && torn[0].contains("between semicolons") && torn[0].contains("`sep=;`"),
            "{torn:?}"
        );
        assert_eq!(
            faults("sep=;\nid;q\na\n"),
            ["3:1 this row has 1 cell, the header has 2 (quote cells that hold a comma)"]
        );
    }

    #[test]
    fn a_header_names_each_column_once() {
        assert!(faults("id,,q\n1,2,3\n")[0].contains("column 2 has no name"));
        assert!(
            faults("x,one,one\ny,two,two\n")[0]
                .contains("two columns are named `one` (the first line names the columns")
        );
        assert_eq!(read(""), (Vec::new(), Vec::new()));
    }
}
