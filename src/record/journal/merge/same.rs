//! Whether runs may be joined, and whether two tellings of one run are of the same run.

use std::collections::HashMap;
use std::io::{self, BufRead, Read};
use std::path::{Path, PathBuf};

use crate::base::plural::plural;
use crate::record::event::{Event, RunStart, SuiteThresholds};
use crate::record::journal::JournalError;
use crate::record::journal::merge::lines_at::open;
use crate::record::journal::merge::merge_error::MergeError;
use crate::record::journal::merge::survey::{JournalSurvey, ProcessLines, RunParts};

/// Holds that all are of one plan and one target; gives how many tests that plan has.
pub(super) fn check(sources: &[JournalSurvey]) -> Result<u32, MergeError> {
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
fn unfit(source: &JournalSurvey) -> Option<String> {
    if source.start.plan.is_none() {
        let path = source.path.display();
        return Some(format!(
            "{path} does not record its plan, because an older flowproof recorded it or single tests of it ran under nextest"
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
fn difference(one: &JournalSurvey, other: &JournalSurvey) -> Option<String> {
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
    if !SuiteThresholds::are_like(&a.thresholds, &b.thresholds) {
        return Some(String::from("they are of different plans: `thresholds` of their suites differ"));
    }
    if a.plan != b.plan {
        return Some(differing_tests(one, other));
    }
    (whole(a) != whole(b)).then(|| {
        format!(
            "{} {} selected in one, {} in the other",
            whole(a),
            plural(whole(a), "test was", "tests were"),
            whole(b)
        )
    })
}

/// Names tests that both planned and that differ, else says that other tests were selected.
fn differing_tests(one: &JournalSurvey, other: &JournalSurvey) -> String {
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
            "they are of different plans: {first} and {} more {} send or assert something else",
            rest.len(),
            plural(rest.len(), "test", "tests")
        ),
    }
}

/// The runs of all journals, each with every part that any of them contains.
///
/// A run that was continued on several machines has a part of its own from each: they have its beginning in common, and what
/// of the others counts says the time. Of several versions of one part the longest counts, of which the others must be the
/// beginning: a part that was being written, or was torn.
#[derive(Debug, Default)]
pub(super) struct RunVersions {
    runs: Vec<RunParts>,
}

impl RunVersions {
    /// Adds a run as a journal reports it.
    pub fn add(&mut self, run: RunParts) -> Result<(), MergeError> {
        let Some(known) = self.runs.iter_mut().find(|known| known.run.run == run.run.run) else {
            self.runs.push(run);
            return Ok(());
        };
        for part in run.parts {
            let left = known.parts.iter_mut().try_fold(Some(part), |part, other| match part {
                Some(part) => longer(other, part),
                None => Ok(None),
            });
            let left = left.map_err(|trouble| trouble.of(&known.run.run))?;
            known.parts.extend(left);
        }
        known.keys.extend(run.keys);
        Ok(())
    }

    /// Each run once.
    pub fn runs(self) -> Vec<RunParts> {
        self.runs
    }
}

/// Why of two tellings none is the beginning of the other.
enum MergeConflict {
    Journal(JournalError),
    Unlike(PathBuf, PathBuf),
}

impl MergeConflict {
    fn of(self, run: &str) -> MergeError {
        match self {
            Self::Journal(error) => MergeError::Journal(error),
            Self::Unlike(one, other) => MergeError::Unfit {
                run: run.to_owned(),
                reason: format!("{} and {} record it differently", one.display(), other.display()),
            },
        }
    }
}

/// Leaves the longer version of a part; returns the given one if it is another part. A run begins once.
fn longer(known: &mut ProcessLines, told: ProcessLines) -> Result<Option<ProcessLines>, MergeConflict> {
    let is_first = known.head.is_none();
    if is_first != told.head.is_none() || (!is_first && known.started != told.started) {
        return Ok(Some(told));
    }
    let length = |part: &ProcessLines| part.range.end - part.range.start;
    let (long, short) = if length(&told) > length(known) { (&told, &*known) } else { (&*known, &told) };
    let mut begins = begins_with(long, short);
    if let Ok(false) = begins
        && long.mended + short.mended > 0
    {
        // A merged record leaves out lines that were repaired.
        begins = begins_with_readable(long, short);
    }
    if known.started != told.started || !begins.map_err(MergeConflict::Journal)? {
        return match is_first {
            true => Err(MergeConflict::Unlike(known.from.clone(), told.from)),
            // Two machines went on in the same moment.
            false => Ok(Some(told)),
        };
    }
    if (length(&told), told.mended) > (length(known), known.mended) {
        *known = told;
    }
    Ok(None)
}

/// Whether the bytes of one place begin with those of another.
fn begins_with(longer: &ProcessLines, shorter: &ProcessLines) -> Result<bool, JournalError> {
    if longer.from == shorter.from && longer.range == shorter.range {
        return Ok(true);
    }
    let length = shorter.range.end - shorter.range.start;
    if length > longer.range.end - longer.range.start {
        return Ok(false);
    }
    let (mut one, mut other) =
        (open(&longer.from, longer.range.start)?, open(&shorter.from, shorter.range.start)?);
    let (mut a, mut b) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    let mut left = length;
    while left > 0 {
        let size = left.min(64 * 1024) as usize;
        read(&mut one, &mut a[..size], &longer.from)?;
        read(&mut other, &mut b[..size], &shorter.from)?;
        if a[..size] != b[..size] {
            return Ok(false);
        }
        left -= size as u64;
    }
    Ok(true)
}

/// Whether the readable lines of one version begin with those of another.
fn begins_with_readable(longer: &ProcessLines, shorter: &ProcessLines) -> Result<bool, JournalError> {
    let mut lines = readable(longer)?;
    for line in readable(shorter)? {
        let other = lines.next().transpose()?;
        if other != Some(line?) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn readable(
    part: &ProcessLines,
) -> Result<impl Iterator<Item = Result<Vec<u8>, JournalError>> + '_, JournalError> {
    let failed = |source: io::Error| JournalError::Io { path: part.from.clone(), source };
    let lines = open(&part.from, part.range.start)?.take(part.range.end - part.range.start).split(b'\n');
    let is_readable = |line: &Vec<u8>| serde_json::from_slice::<Event>(line).is_ok();
    Ok(lines
        .filter(move |line| line.as_ref().map_or(true, is_readable))
        .map(move |line| line.map_err(failed)))
}

fn read(from: &mut impl Read, into: &mut [u8], path: &Path) -> Result<(), JournalError> {
    from.read_exact(into).map_err(|source| JournalError::Io { path: path.to_owned(), source })
}
