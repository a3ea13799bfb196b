//! A whole cassette: a first line with the version, then one line per exchange, sorted by test.

use serde::{Deserialize, Serialize};

use crate::base::byte_order_mark::without_mark;

use super::exchange::RecordedExchange;
use super::exchange_line::{LineProblem, read_line, write_line};
use super::mask::Mask;

/// The version of the files that this flowproof writes, and the newest it reads.
const VERSION: u32 = 1;

/// The most characters of a line that an error shows.
const SHOWN: usize = 120;

/// The first line.
#[derive(Serialize, Deserialize)]
struct CassetteHead {
    /// The version of the file.
    cassette: u32,
}

/// Why a file is no cassette, and where in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} {message}")]
pub struct CassetteError {
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1; 0 when it is the whole line.
    pub column: u32,
    /// What is wrong: goes on after "line 3".
    pub message: String,
    /// How to fix it.
    pub help: &'static str,
    /// The beginning of the line.
    pub excerpt: String,
}

/// Reads a cassette.
pub fn parse(bytes: &[u8]) -> Result<Vec<RecordedExchange>, CassetteError> {
    let bytes = without_mark(bytes);
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = &bytes[..error.valid_up_to()];
        let line = before.iter().filter(|byte| **byte == b'\n').count();
        wrong(line, "", LineProblem::whole("is not UTF-8"))
    })?;
    let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let Some((index, first)) = lines.next() else {
        return Err(wrong(0, "", LineProblem::whole("is missing: the file is empty")));
    };
    read_first(index, first)?;
    let mut exchanges: Vec<RecordedExchange> = Vec::new();
    let mut places = std::collections::HashMap::new();
    for (index, line) in lines {
        if is_conflict(line) {
            return Err(conflict(index, line));
        }
        let recorded = read_line(line).map_err(|problem| wrong(index, line, problem))?;
        if let Some(first) = places.insert((recorded.test.clone(), recorded.repeat), index) {
            let what = format!(
                "records repeat {} of `{}` again, which line {} does",
                recorded.repeat,
                recorded.test,
                first + 1
            );
            return Err(wrong(index, line, LineProblem::whole(what)));
        }
        exchanges.push(recorded);
    }
    Ok(exchanges)
}

fn read_first(index: usize, line: &str) -> Result<(), CassetteError> {
    if is_conflict(line) {
        return Err(conflict(index, line));
    }
    match serde_json::from_str::<CassetteHead>(line) {
        Ok(CassetteHead { cassette: VERSION }) => Ok(()),
        Ok(CassetteHead { cassette }) if cassette > VERSION => Err(CassetteError {
            help: "update flowproof to read it",
            ..wrong(
                index,
                line,
                LineProblem::whole(format!(
                    "says that a newer flowproof wrote it (cassette version {cassette}, this one reads up to {VERSION})"
                )),
            )
        }),
        Ok(CassetteHead { cassette }) => Err(wrong(
            index,
            line,
            LineProblem::whole(format!("names the version {cassette}, which never existed")),
        )),
        Err(_) => Err(wrong(
            index,
            line,
            LineProblem::whole(format!("is not the first of a cassette, `{}`", first_line())),
        )),
    }
}

fn is_conflict(line: &str) -> bool {
    ["<<<<<<<", "=======", ">>>>>>>", "|||||||"].iter().any(|marker| line.starts_with(marker))
}

fn conflict(index: usize, line: &str) -> CassetteError {
    CassetteError {
        help: "keep one side of it, or record again",
        ..wrong(index, line, LineProblem::whole("is the mark of an unresolved merge conflict"))
    }
}

fn wrong(index: usize, line: &str, problem: LineProblem) -> CassetteError {
    let LineProblem { column, message } = problem;
    let characters = line.get(..column.saturating_sub(1)).map_or(0, |before| before.chars().count() + 1);
    CassetteError {
        line: u32::try_from(index + 1).unwrap_or(u32::MAX),
        column: if column == 0 { 0 } else { u32::try_from(characters).unwrap_or(0) },
        message,
        help: "restore the file from version control, or delete it and record again",
        excerpt: line.chars().take(SHOWN).collect(),
    }
}

/// The first line of every file of exchanges.
pub fn first_line() -> String {
    serde_json::to_string(&CassetteHead { cassette: VERSION }).expect("a number always becomes JSON")
}

/// Reads what a process recorded before it ended without writing its cassette: a line that was cut is left out, and of several
/// lines for one test and repeat the last one counts.
pub fn parse_part(bytes: &[u8]) -> Result<Vec<RecordedExchange>, CassetteError> {
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(&[][..], |end| &bytes[..=end]);
    let text = String::from_utf8_lossy(whole);
    let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let Some((index, first)) = lines.next() else { return Ok(Vec::new()) };
    read_first(index, first)?;
    let mut exchanges: Vec<RecordedExchange> = Vec::new();
    let mut places = std::collections::HashMap::new();
    for (index, line) in lines {
        let recorded = read_line(line).map_err(|problem| wrong(index, line, problem))?;
        match places.get(&(recorded.test.clone(), recorded.repeat)) {
            Some(at) => exchanges[*at] = recorded,
            None => {
                places.insert((recorded.test.clone(), recorded.repeat), exchanges.len());
                exchanges.push(recorded);
            }
        }
    }
    Ok(exchanges)
}

/// Writes one exchange as a line, secrets and signatures masked.
pub fn render_line(recorded: &RecordedExchange, mask: &Mask) -> String {
    write_line(&mask.exchange(recorded.clone()))
}

/// Writes a cassette, secrets and signatures masked: the one writer of what is recorded.
pub fn render(exchanges: &[RecordedExchange], mask: &Mask) -> String {
    let mut sorted: Vec<&RecordedExchange> = exchanges.iter().collect();
    sorted.sort_by(|a, b| (&a.test, a.repeat).cmp(&(&b.test, b.repeat)));
    let mut text = first_line();
    text.push('\n');
    for recorded in sorted {
        text.push_str(&render_line(recorded, mask));
        text.push('\n');
    }
    text
}
