//! Finds the file of one test without loading suites: only each file's top-level `name` is read.

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;

use crate::base::files;
use crate::suite::discover::SuiteLocation;
use crate::suite::grounds::shown;

/// The most lines that are looked at for a `name`.
const MOST_LINES: usize = 400;

/// The most bytes of them.
const MOST_BYTES: u64 = 1 << 20;

/// The files whose suite may hold the test with this full name; all of them if that is not known.
pub fn files_of(full_name: &str, found: &[SuiteLocation]) -> Vec<PathBuf> {
    let holds = |name: &str| full_name.strip_prefix(name).is_some_and(|rest| rest.starts_with("::"));
    // The name that a suite has when it does not say one.
    let key = |found: &SuiteLocation| shown(&found.path.with_extension(""), &found.folder);
    let (mine, others): (Vec<&SuiteLocation>, Vec<&SuiteLocation>) =
        found.iter().partition(|found| holds(&peek_name(found).unwrap_or_else(|| key(found))));
    let chosen = if mine.is_empty() { others } else { mine };
    chosen.into_iter().map(|found| found.path.clone()).collect()
}

/// The value of the first line that begins with `name:`, when it is plain or quoted text on that line.
fn peek_name(found: &SuiteLocation) -> Option<String> {
    let file = files::open(&found.path, &found.place).ok()?;
    let lines = BufReader::new(file.take(MOST_BYTES)).lines().take(MOST_LINES);
    let line = lines
        .map_while(Result::ok)
        .find_map(|line| line.trim_start_matches('\u{feff}').strip_prefix("name:").map(str::to_owned))?;
    let value = line.trim();
    let quoted = |quote: char| value.strip_prefix(quote).and_then(|rest| rest.split(quote).next());
    let text =
        quoted('"').or_else(|| quoted('\'')).unwrap_or_else(|| value.split(" #").next().unwrap_or(value));
    Some(text.trim().to_owned()).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(contents: &[(&str, &str)]) -> (tempfile::TempDir, Vec<SuiteLocation>) {
        let folder = tempfile::tempdir().unwrap();
        let written = contents.iter().map(|(name, text)| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            let (folder, place) = (folder.path().to_owned(), files::Fence::around(folder.path()));
            SuiteLocation { path, folder, place }
        });
        let files = written.collect();
        (folder, files)
    }

    fn found(full_name: &str) -> Vec<String> {
        let (_folder, files) = files(&[
            ("a.yaml", "version: 1\nname: \"Support triage\" # the first\ntests: []\n"),
            ("b.yaml", "version: 1\ntests:\n  - name: Support triage\n"),
            ("c.yaml", "\u{feff}name: Orders\r\n"),
        ]);
        let names = files_of(full_name, &files).into_iter();
        names.map(|path| path.file_stem().unwrap().to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn a_suite_is_found_by_its_name_or_its_file() {
        assert_eq!(found("Support triage::refund"), ["a"]);
        assert_eq!(found("b::Support triage"), ["b"]);
        assert_eq!(found("Orders::x[1]"), ["c"]);
    }

    #[test]
    fn a_name_that_no_file_claims_means_all_files() {
        assert_eq!(found("Nobody::x"), ["a", "b", "c"]);
    }
}
