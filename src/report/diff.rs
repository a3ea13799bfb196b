//! `diff/`: for each test with a difference a `.diff` and a `.md`, under names that every file system takes.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::base::digest::Digest;
use crate::base::file_name::encoded;
use crate::base::plural::plural;
use crate::record::attempt::Attempt;
use crate::record::journal::{CaseRecord, RunRecord};
use crate::record::verdict::{Finding, Truth};
use crate::report::document::{
    CaseBatch, Document, DocumentFailure, DocumentPlace, DocumentSelection, OpenDocument, WrittenDocument,
    batch_of,
};
use crate::report::explain::MANY_RED;
use crate::report::facts::plain_explanation;
use crate::report::headline::headline;
use crate::report::text::{LineEnds, visible};

/// The most characters of a name before its ending; file systems take 255 bytes.
const LONGEST: usize = 120;

/// `diff/`: a `.diff` and a `.md` per test with a difference.
pub(super) struct DiffDocument;

impl Document for DiffDocument {
    fn word(&self) -> &'static str {
        "diff"
    }

    fn file_name(&self) -> &'static str {
        "diff"
    }

    fn selection(&self) -> DocumentSelection {
        DocumentSelection::Always
    }

    fn signature(&self) -> &'static str {
        ""
    }

    fn begin<'r>(
        &self,
        place: DocumentPlace<'_>,
        _: &'r RunRecord,
    ) -> Result<Box<dyn OpenDocument + 'r>, DocumentFailure> {
        Ok(Box::new(DiffFolder::new(place.path)?))
    }

    fn batch(&self, _: &RunRecord) -> Option<Box<dyn CaseBatch>> {
        Some(Box::new(DifferingCases::default()))
    }
}

/// The cases with a difference.
#[derive(Default)]
struct DifferingCases(Vec<CaseRecord>);

impl CaseBatch for DifferingCases {
    fn push(&mut self, case: &CaseRecord, _: &[u8]) {
        if differing(case).is_some() {
            self.0.push(case.clone());
        }
    }
}

/// The folder that is being filled.
#[derive(Debug)]
struct DiffFolder {
    folder: PathBuf,
    taken: HashSet<String>,
    written: Vec<PathBuf>,
    /// Tests that have files at most.
    most: u32,
    /// Tests that differ and have no files.
    left_out: u32,
}

impl DiffFolder {
    /// Makes the folder, empty as a new one.
    fn new(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        Ok(Self {
            folder: folder.to_owned(),
            taken: HashSet::new(),
            written: Vec::new(),
            most: MANY_RED,
            left_out: 0,
        })
    }

    /// Writes the difference of a case, if it has one.
    fn case(&mut self, case: &CaseRecord) -> io::Result<()> {
        let Some(attempt) = differing(case) else { return Ok(()) };
        if self.written.len() >= 2 * self.most as usize {
            self.left_out += 1;
            return Ok(());
        }
        let stem = file_stem(&case.outcome.name, &mut self.taken);
        let explained = plain_explanation(attempt);
        let name = visible(&case.outcome.name, LineEnds::One);
        let word = case.outcome.verdict.word();
        let diff = format!("# {name}: {word}\n{explained}");
        let fence = fence_for(&explained);
        let headline = headline(case);
        let markdown = format!(
            "## {}: {word}\n\n{}\n\n`{}`\n\n{fence}diff\n{explained}{fence}\n",
            markdown_text(&name),
            markdown_text(&headline),
            case.outcome.place.to_string().replace('`', "'"),
        );
        for (ending, content) in [("diff", diff), ("md", markdown)] {
            let path = self.folder.join(format!("{stem}.{ending}"));
            fs::write(&path, content)?;
            self.written.push(path);
        }
        Ok(())
    }
}

impl OpenDocument for DiffFolder {
    fn add(&mut self, batch: &dyn CaseBatch) -> io::Result<()> {
        batch_of::<DifferingCases>(batch).0.iter().try_for_each(|case| self.case(case))
    }

    /// The files written; where there are very many tests that differ, one says how many have none.
    fn finish(mut self: Box<Self>) -> io::Result<WrittenDocument> {
        if self.left_out > 0 {
            let path = self.folder.join("LEFT_OUT.md");
            let text = format!(
                "{} more {}. Their files would fill this folder; `report.json` and the journal have them.\n",
                self.left_out,
                plural(self.left_out, "test differs", "tests differ")
            );
            fs::write(&path, text)?;
            self.written.push(path);
        }
        Ok(WrittenDocument::Folder(self.written))
    }
}

/// The attempt whose difference is shown, if the case has one.
pub(super) fn differing(case: &CaseRecord) -> Option<&Attempt> {
    case.deciding().filter(|attempt| attempt.findings.iter().any(differs))
}

/// True where something other than the expected value was found.
fn differs(finding: &Finding) -> bool {
    let own = finding.diff.is_some() || finding.expected.is_some() || finding.actual.is_some();
    finding.truth == Truth::Broken && (own || finding.members.iter().any(differs))
}

/// A name of letters, digits, `.`, `_`, `-` and `%XX`, unlike all taken ones even where upper and lower case are one.
fn file_stem(name: &str, taken: &mut HashSet<String>) -> String {
    let mut stem = encoded(name);
    if stem.len() > LONGEST || !taken.insert(stem.to_ascii_lowercase()) {
        stem.truncate(LONGEST - 17);
        // A hash of 64 bits; two names that share it would share a file, which costs one of the two differences.
        stem = format!("{stem}-{}", Digest::of(name));
        taken.insert(stem.to_ascii_lowercase());
    }
    stem
}

/// A fence longer than every run of backticks in the text.
pub(super) fn fence_for(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    "`".repeat(longest.max(2) + 1)
}

/// Text that Markdown shows as it is.
pub(super) fn markdown_text(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '|' | '~' | '&' | '@') {
            shown.push('\\');
        }
        shown.push(c);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_safe_short_and_unlike_each_other() {
        let mut taken = HashSet::new();
        assert_eq!(file_stem("a::b[c/d]", &mut taken), "a%3A%3Ab%5Bc%2Fd%5D");
        assert_eq!(file_stem("../x", &mut taken), "%2E.%2Fx");
        assert_eq!(file_stem("CON é", &mut taken), "CON%20%C3%A9");
        let first = file_stem("suite::Name", &mut taken);
        let second = file_stem("suite::name", &mut taken);
        assert_ne!(first.to_lowercase(), second.to_lowercase());
        let long = file_stem(&"x".repeat(1000), &mut taken);
        let longer = file_stem(&"x".repeat(1001), &mut taken);
        assert!(long.len() <= LONGEST && longer.len() <= LONGEST && long != longer);
    }

    #[test]
    fn very_many_differences_have_no_files_and_are_counted() {
        use crate::record::journal::sample;
        let folder = tempfile::tempdir().unwrap();
        let record = sample::record(folder.path(), &sample::every_verdict());
        let case = record.failures().map(Result::unwrap).find(|case| differing(case).is_some()).unwrap();
        let diffs = DiffFolder { most: 2, ..DiffFolder::new(&folder.path().join("diff")).unwrap() };
        let mut diffs = Box::new(diffs);
        (0..5).for_each(|_| diffs.case(&case).unwrap());
        let WrittenDocument::Folder(files) = diffs.finish().unwrap() else { panic!("not a folder") };
        assert_eq!(files.len(), 2 * 2 + 1);
        assert!(fs::read_to_string(files.last().unwrap()).unwrap().starts_with("3 more tests differ."));
    }

    #[test]
    fn a_fence_outlasts_its_text() {
        assert_eq!(fence_for("no ticks"), "```");
        assert_eq!(fence_for("a ```` b"), "`````");
    }
}
