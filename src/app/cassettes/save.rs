//! Writes what a run recorded into its cassettes.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;

use crate::app::cassettes::files::{Unreadable, left_parts, read, read_part};
use crate::app::cassettes::suites::CassetteSuites;
use crate::assert::snapshot::store::hold;
use crate::base::files::{self, Fence, plain};
use crate::base::redact::Redactor;
use crate::base::whole_file::{self, FileReplacement};
use crate::dify::cassette::{Mask, Mode, NewRecordings, merge, newer, render};
use crate::engine::part::PartFile;
use crate::engine::recorder::{RecordedSuite, RunRecording};
use crate::plan::case::Plan;

/// A cassette that a run wrote or left as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedCassette {
    /// The file.
    pub path: PathBuf,
    /// Exchanges the run recorded into it.
    pub recorded: usize,
    /// Whether the file changed.
    pub change: FileReplacement,
}

/// Joins what a run recorded into the cassettes, and what earlier ones left that were killed; each is replaced only when the new
/// one is whole. All are tried; the first that fails is reported. `known` are the suites of the whole run: one that goes on has
/// only those in its plan that still have a test to run.
pub(in crate::app) fn save(
    recording: RunRecording,
    plan: &Plan,
    known: &BTreeMap<PathBuf, CassetteSuites>,
    redactor: &Redactor,
) -> Result<Vec<SavedCassette>, String> {
    let mode = match plan.cassettes.as_ref().and_then(|shelf| shelf.mode) {
        Some(mode @ (Mode::Once | Mode::NewEpisodes | Mode::All)) => mode,
        Some(Mode::None) | None => return Ok(Vec::new()),
    };
    let mask = Mask::new(redactor.clone());
    let recorded: HashSet<PathBuf> = recording.cassettes.iter().map(|suite| suite.path.clone()).collect();
    let nothing =
        |path: PathBuf| RecordedSuite { path, part: None, held: Vec::new(), count: 0, planned: None };
    let left = known.iter().filter(|(path, _)| !recorded.contains(*path));
    let left = left.filter(|(path, of)| !left_parts(path, &of.fence).is_empty());
    let left = left.map(|(path, _)| nothing(path.clone()));
    let (mut saved, mut failure) = (Vec::new(), None);
    for suite in recording.cassettes.into_iter().chain(left.collect::<Vec<_>>()) {
        let fence = known.get(&suite.path).map(|of| of.fence.clone()).unwrap_or_default();
        match save_suite(suite, mode, &mask, &fence) {
            Ok(suite) => saved.push(suite),
            Err(message) => failure = failure.or(Some(message)),
        }
    }
    failure.map_or(Ok(saved), Err)
}

fn save_suite(suite: RecordedSuite, mode: Mode, mask: &Mask, fence: &Fence) -> Result<SavedCassette, String> {
    let RecordedSuite { path, part, held, count, planned } = suite;
    let kept = part.as_ref().map_or(String::new(), |part| {
        format!(
            "; what was recorded is kept in {}, and the next recording takes it up",
            part.path().display()
        )
    });
    let failed = |what: String| format!("the cassette {} was not written: {what}{kept}", path.display());
    let unreadable = |error: Unreadable| match error {
        Unreadable::Io(error) => failed(plain(&error)),
        Unreadable::Content(error) => failed(format!("it changed during the run, and its {error}")),
    };
    // Others may record into the same cassette.
    let _held = hold(files::parent_of(&path), fence).map_err(|error| failed(error.to_string()))?;
    let mut before = read(&path, fence).map_err(unreadable)?.unwrap_or_default();
    let left = left_parts(&path, fence);
    for part in &left {
        before = newer(before, part.read(fence).map_err(unreadable)?);
    }
    let mut exchanges = match &part {
        Some(part) => read_part(part.path(), fence).map_err(unreadable)?,
        None => Vec::new(),
    };
    exchanges.extend(held);
    let text = render(&merge(before, NewRecordings { exchanges, planned }, mode, mask), mask);
    let change = whole_file::replace(&path, fence, &text).map_err(|error| failed(plain(&error)))?;
    // All of it is in the cassette now.
    for path in left.iter().map(|part| part.path.as_path()).chain(part.as_ref().map(PartFile::path)) {
        let _ = files::remove(path, fence);
    }
    Ok(SavedCassette { path, recorded: count, change })
}

/// The tests whose exchanges could not be recorded, in a few lines.
pub fn lost_text(recording: &RunRecording) -> Option<String> {
    const NAMED: usize = 5;
    let mut reasons: HashMap<&str, Vec<&str>> = HashMap::new();
    for (test, reason) in &recording.lost {
        reasons.entry(reason).or_default().push(test);
    }
    let mut lines: Vec<String> = reasons
        .into_iter()
        .map(|(reason, tests)| {
            let more = tests.len().saturating_sub(NAMED);
            let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
            format!("not recorded, since {reason}: {}{rest}", tests[..tests.len() - more].join(", "))
        })
        .collect();
    lines.sort();
    (!lines.is_empty()).then(|| lines.join("\n"))
}
