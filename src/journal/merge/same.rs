//! Whether runs may be joined, and whether two tellings of one run are of the same run.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::event::RunStart;
use crate::journal::JournalError;
use crate::journal::merge::MergeError;
use crate::journal::merge::survey::{RunParts, Surveyed};

/// Holds that all are of one plan and one target; gives how many tests that plan has.
pub(super) fn check(sources: &[Surveyed]) -> Result<u32, MergeError> {
    for source in sources {
        if let Some(reason) = unfit(source) {
            return Err(MergeError::Unfit { run: source.start.run.clone(), reason });
        }
    }
    let Some((first, rest)) = sources.split_first() else { return Ok(0) };
    for other in rest {
        if let Some(reason) = difference(first, other) {
            let (one, other) = (first.start.run.clone(), other.start.run.clone());
            return Err(MergeError::Different { one, other, reason });
        }
    }
    Ok(whole(&first.start))
}

/// Why a run cannot be joined with any other.
fn unfit(source: &Surveyed) -> Option<String> {
    if source.start.plan.is_none() {
        let path = source.path.display();
        return Some(format!(
            "{path} does not tell its plan, since an older flowproof recorded it or single tests of it ran under nextest"
        ));
    }
    source.plans.iter().any(|plan| *plan != source.start.plan).then(|| {
        String::from("it was continued after its suites had changed, so its results are of two plans")
    })
}

/// Tests of the whole plan.
fn whole(start: &RunStart) -> u32 {
    start.shard.map_or(start.cases, |shard| shard.cases)
}

/// What keeps two runs from being one.
fn difference(one: &Surveyed, other: &Surveyed) -> Option<String> {
    let (a, b) = (&one.start, &other.start);
    if a.target != b.target || a.mock != b.mock {
        return Some(format!("one ran on `{}`, the other on `{}`", a.target, b.target));
    }
    if a.profile != b.profile {
        return Some(format!("one ran with the profile `{}`, the other with `{}`", a.profile, b.profile));
    }
    if a.address != b.address {
        return Some(format!(
            "the target `{}` had another address or other pinned versions in each of them",
            a.target
        ));
    }
    if a.cassettes != b.cassettes {
        return Some(String::from("they sent and replayed in different ways (--record, --replay)"));
    }
    if a.thresholds != b.thresholds {
        return Some(String::from("they are of different plans: `thresholds` of their suites differ"));
    }
    if a.plan != b.plan {
        return Some(differing_tests(one, other));
    }
    (whole(a) != whole(b))
        .then(|| format!("{} tests were selected in one, {} in the other", whole(a), whole(b)))
}

/// Names tests that both planned and that differ, else says that other tests were selected.
fn differing_tests(one: &Surveyed, other: &Surveyed) -> String {
    let prints: HashMap<_, _> = one.planned.iter().map(|case| (case.key, case.print)).collect();
    let differing: Vec<&str> = other
        .planned
        .iter()
        .filter(|case| prints.get(&case.key).is_some_and(|print| *print != case.print))
        .map(|case| case.name.as_ref())
        .collect();
    match differing.as_slice() {
        [] => String::from("they are of different plans: other suites, rows, or flags that choose tests"),
        [only] => format!("they are of different plans: {only} sends or asserts something else"),
        [first, rest @ ..] => format!(
            "they are of different plans: {first} and {} more tests send or assert something else",
            rest.len()
        ),
    }
}

/// The runs of all journals; of several tellings of one the longest, of which the others must be the beginning.
#[derive(Debug, Default)]
pub(super) struct Tellings {
    runs: Vec<(PathBuf, RunParts)>,
}

impl Tellings {
    /// Adds a run as a journal tells it.
    pub fn add(&mut self, path: PathBuf, run: RunParts) -> Result<(), MergeError> {
        let Some(known) = self.runs.iter_mut().find(|(_, known)| known.run.run == run.run.run) else {
            self.runs.push((path, run));
            return Ok(());
        };
        let length = |run: &RunParts| {
            (run.parts.len(), run.parts.iter().map(|part| part.range.end - part.range.start).sum::<u64>())
        };
        let told = (path, run);
        let (longer, shorter) =
            if length(&told.1) > length(&known.1) { (&told, &*known) } else { (&*known, &told) };
        if !begins(longer, shorter)? {
            let paths = format!("{} and {}", known.0.display(), told.0.display());
            let reason = format!("{paths} tell different things of it");
            return Err(MergeError::Unfit { run: told.1.run.run, reason });
        }
        if length(&told.1) > length(&known.1) {
            *known = told;
        }
        Ok(())
    }

    /// Each run once.
    pub fn runs(self) -> Vec<(PathBuf, RunParts)> {
        self.runs
    }
}

/// Whether one telling goes on where the other ends.
fn begins(longer: &(PathBuf, RunParts), shorter: &(PathBuf, RunParts)) -> Result<bool, JournalError> {
    for (whole, begun) in longer.1.parts.iter().zip(&shorter.1.parts) {
        let is_same = whole.started == begun.started
            && begins_with((&longer.0, &whole.range), (&shorter.0, &begun.range))?;
        if !is_same {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether the bytes of one place begin with those of another.
fn begins_with(longer: (&Path, &Range<u64>), shorter: (&Path, &Range<u64>)) -> Result<bool, JournalError> {
    if longer == shorter {
        return Ok(true);
    }
    let length = shorter.1.end - shorter.1.start;
    if length > longer.1.end - longer.1.start {
        return Ok(false);
    }
    let (mut one, mut other) = (open(longer.0, longer.1.start)?, open(shorter.0, shorter.1.start)?);
    let (mut a, mut b) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    let mut left = length;
    while left > 0 {
        let size = left.min(64 * 1024) as usize;
        read(&mut one, &mut a[..size], longer.0)?;
        read(&mut other, &mut b[..size], shorter.0)?;
        if a[..size] != b[..size] {
            return Ok(false);
        }
        left -= size as u64;
    }
    Ok(true)
}

/// Opens a journal at a place in it.
pub(super) fn open(path: &Path, offset: u64) -> Result<BufReader<File>, JournalError> {
    let failed = |source: io::Error| JournalError::Io { path: path.to_owned(), source };
    let mut file = File::open(path).map_err(failed)?;
    file.seek(SeekFrom::Start(offset)).map_err(failed)?;
    Ok(BufReader::with_capacity(256 * 1024, file))
}

fn read(from: &mut impl Read, into: &mut [u8], path: &Path) -> Result<(), JournalError> {
    from.read_exact(into).map_err(|source| JournalError::Io { path: path.to_owned(), source })
}
