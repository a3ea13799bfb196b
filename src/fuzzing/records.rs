//! What runs leave: journals, cassettes, snapshots.

use std::io::Write;
use std::path::{Path, PathBuf};

use tempfile::{NamedTempFile, TempDir};

use super::{Parts, split_line};
use crate::assert::snapshot::{parse_document, render_document};
use crate::base::files::Fence;
use crate::base::redact::Redactor;
use crate::dify::cassette::{self, Mask};
use crate::record::journal::merge;
use crate::record::journal::{self, JournalError, RunRecord};
use crate::record::thresholds::{self, RunConclusion};
use crate::report;

/// A secret that recordings hold.
const SECRET: &str = "s3cret-K7/x\"y";

/// A journal, cut where the number in the first line says: it is read or refused by name, and never green without its end.
pub fn journal(bytes: &[u8]) {
    let Some(Parts { first: cut, rest: journal }) = split_line(bytes) else { return };
    let at = cut.trim().parse().unwrap_or(journal.len()).min(journal.len());
    let whole = NamedFile::holding(journal);
    let Ok(record) = whole.read() else { return };
    let concluded = conclude(&record);
    write_reports(&record, whole.folder.path());
    let torn = NamedFile::holding(&journal[..at]);
    let Ok(record) = torn.read() else { return };
    let of_torn = conclude(&record);
    let ends = journal[..at].windows(14).any(|window| window == b"\"run_finished\"");
    assert!(ends || !of_torn.is_some_and(is_green), "cut at {at}: {of_torn:?}, whole: {concluded:?}");
    assert!(!record.is_complete() || record.unfinished() == 0);
}

/// What a run comes to; `None` where its lines cannot be read again.
fn conclude(record: &RunRecord) -> Option<RunConclusion> {
    let gates = thresholds::judge(record).ok()?;
    let conclusion = RunConclusion::of(record, &gates);
    let green = is_green(conclusion);
    assert!(!green || record.unfinished() == 0, "green with {} unfinished", record.unfinished());
    assert!(!green || !record.has_losses(), "green with losses: {:?}", record.damage);
    Some(conclusion)
}

fn is_green(conclusion: RunConclusion) -> bool {
    matches!(conclusion, RunConclusion::Passed | RunConclusion::NothingHere | RunConclusion::NoTestsAllowed)
}

fn write_reports(record: &RunRecord, folder: &Path) {
    for name in ["a.xml", "a.json", "a.html", "a.md", "a.tap", "a.csv"] {
        let written = report::write_file(record, &folder.join(name), &Fence::around(folder));
        assert!(!matches!(written, Err(report::ReportError::Kind { .. })), "{written:?}");
    }
}

/// Two journals, divided by a line that is empty: neither their order nor how often they are named decides what they come to.
pub fn merge(bytes: &[u8]) {
    let Some(at) = bytes.windows(2).position(|pair| pair == b"\n\n") else { return };
    let (one, other) = (NamedFile::holding(&bytes[..=at]), NamedFile::holding(&bytes[at + 2..]));
    let paths = [one.path.clone(), other.path.clone()];
    let first = merged(&paths, &one.folder.path().join("first"));
    let second =
        merged(&[paths[1].clone(), paths[0].clone(), paths[1].clone()], &one.folder.path().join("second"));
    match (&first, &second) {
        (Some(first), Some(second)) => {
            let (first, second) = (conclude(first), conclude(second));
            assert_eq!(first, second);
        }
        (None, None) => {}
        _ => panic!("the order decides: {first:?}, {second:?}"),
    }
}

/// The record of the merged run; `None` where they cannot be merged.
fn merged(paths: &[PathBuf], to: &Path) -> Option<RunRecord> {
    let plan = merge::plan(paths).ok()?;
    plan.write(to, "20260101T000000Z-merged", "2026-01-01T00:00:00Z").ok()?;
    let record = journal::read(to).expect("what was merged can be read");
    let _ = plan.missing(&record);
    Some(record)
}

/// A file in a folder of its own.
struct NamedFile {
    folder: TempDir,
    path: PathBuf,
    _file: NamedTempFile,
}

impl NamedFile {
    fn holding(bytes: &[u8]) -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let mut file = NamedTempFile::new_in(folder.path()).expect("a file can be made");
        file.write_all(bytes).expect("a file can be written");
        Self { path: file.path().to_owned(), folder, _file: file }
    }

    fn read(&self) -> Result<RunRecord, JournalError> {
        journal::read(&self.path)
    }
}

/// A cassette: what was read is written as it is read again, and no secret is in it.
pub fn cassette(bytes: &[u8]) {
    let _ = cassette::parse_part(bytes);
    let Ok(exchanges) = cassette::parse(bytes) else { return };
    let plain = Mask::new(Redactor::new([]));
    let written = cassette::render(&exchanges, &plain);
    let again = cassette::parse(written.as_bytes()).expect("what was written can be read");
    assert_eq!(cassette::render(&again, &plain), written);
    assert_eq!(again.len(), exchanges.len());
    let redactor = Redactor::new([SECRET.to_owned()]);
    let masked = cassette::render(&exchanges, &Mask::new(redactor));
    let again = cassette::parse(masked.as_bytes()).expect("what was masked can be read");
    assert_eq!(again.len(), exchanges.len());
    for one in &again {
        let heard = format!("{:?}", one.heard);
        assert!(!heard.contains(SECRET), "{heard}");
    }
}

/// A file of snapshots: what was read is written as it is read again.
pub fn snapshot(bytes: &[u8]) {
    let document = match parse_document(bytes) {
        Ok(document) => document,
        Err(error) => {
            let lines = bytes.split(|byte| *byte == b'\n').count();
            assert!((1..=lines).contains(&(error.line as usize)) && error.column >= 1, "{error:?}");
            return;
        }
    };
    let written = render_document(&document);
    let again = parse_document(written.as_bytes()).expect("what was written can be read");
    assert_eq!(again, document);
}
