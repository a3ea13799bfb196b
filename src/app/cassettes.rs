//! Reads the cassettes of a plan's suites before a run, and writes what was recorded after it.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::app::parts::{left_parts, read_part};
use crate::app::settings::Settings;
use crate::app::{OpenedRun, PartialRun};
use crate::assert::snapshot::store::hold;
use crate::base::files::{self, Fence, plain};
use crate::base::origin::Place;
use crate::base::redact::Redactor;
use crate::base::whole_file::{self, FileReplacement};
use crate::dify::cassette::{
    CassetteError, CassetteShelf, Mask, Mode, NewRecordings, RecordedExchange, Speed, merge, newer, parse,
    render,
};
use crate::engine::part::PartFile;
use crate::engine::recorder::{RecordedSuite, RunRecording};
use crate::plan::case::{Plan, TargetKind};
use crate::suite::grounds::shown;
use crate::yaml::problem::Problem;
use crate::yaml::secret_lines::masked_text;

/// The largest cassette that is read.
pub(super) const LARGEST: u64 = 1 << 30;

/// How cassettes are used, as it was asked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Use {
    /// What is sent and recorded; none: nothing was asked for.
    pub mode: Option<Mode>,
    /// How fast recorded answers come.
    pub speed: Speed,
}

/// Reads the cassettes that the plan may replay into it; those that cannot be read are problems of their suites.
fn load(plan: &mut Plan, used: Use, (root, redactor): (&Path, &Redactor)) -> Vec<Problem> {
    let may_replay = match plan.target.kind {
        TargetKind::Mock(_) | TargetKind::Replay { .. } => true,
        TargetKind::Live { .. } => used.mode.is_some(),
    };
    if !may_replay {
        return Vec::new();
    }
    let mut shelf = CassetteShelf::new(used.mode, used.speed, redactor.clone());
    let mut problems = Vec::new();
    for (path, CassetteSuites { files, fence }) in suites(plan) {
        let name = shown(&path, root);
        let is_used = used.mode.is_some() || files::exists(&path);
        let folder = files::parent_of(&path);
        if fence.find(folder).is_ok() {
            whole_file::remove_leftovers(folder);
        }
        if let ([first, second, ..], true) = (files.as_slice(), is_used) {
            let what = format!("the suites `{first}` and `{second}` would share the cassette `{name}`");
            problems.push(
                Problem::new(Place::file(second.clone()), what)
                    .help("rename one of them")
                    .other(Place::file(first.clone()), "the other suite"),
            );
            continue;
        }
        match read_with_parts(&path, &fence) {
            Ok(None) => {}
            Ok(Some(SuiteRecordings { recorded, is_partial })) => {
                shelf.add(path.clone(), Arc::from(name), recorded);
                if is_partial {
                    shelf.mark_partial(&path);
                }
            }
            Err(error) => problems.extend(files.first().map(|file| {
                error.problem(&name).other(Place::file(file.clone()), "the suite that replays it")
            })),
        }
    }
    if used.mode.is_some() || shelf.is_any() {
        plan.cassettes = Some(shelf);
    }
    problems
}

impl PartialRun {
    /// Reads the cassettes; a suite whose cassette has a problem is left out.
    pub(super) fn add_cassettes(&mut self, used: Use, root: &Path) {
        let OpenedRun { plan, session, .. } = &mut self.opening;
        let found = load(plan, used, (root, &session.redactor));
        self.leave_out(found);
    }
}

/// Why a run cannot record as it was asked to.
pub fn why_not_recorded(plan: &Plan, used: Use, settings: &Settings) -> Option<String> {
    match (used.mode, &plan.target.kind) {
        (Some(Mode::None) | None, _) => None,
        (Some(_), TargetKind::Mock(_)) => Some(
            "exchanges with a live Dify are recorded, and the target is the mock: name another with --target"
                .to_owned(),
        ),
        (Some(_), _) if settings.nextest.is_some() => Some(
            "nothing is recorded under nextest, where each test is a process of its own: use `flowproof record`"
                .to_owned(),
        ),
        (Some(Mode::Once | Mode::NewEpisodes | Mode::All), _) => None,
    }
}

/// The suite files of a plan by the path of their cassettes.
pub(super) fn suites(plan: &Plan) -> BTreeMap<PathBuf, CassetteSuites> {
    let mut suites: BTreeMap<PathBuf, CassetteSuites> = BTreeMap::new();
    let mut last: Option<(&Path, &str)> = None;
    for case in &plan.cases {
        let (path, file) = (case.test.suite.cassette.as_path(), &*case.test.place.file);
        if last == Some((path, file)) {
            continue;
        }
        last = Some((path, file));
        let of = suites.entry(path.to_owned()).or_default();
        of.fence = case.test.suite.place.clone();
        if !of.files.iter().any(|known| **known == *file) {
            of.files.push(case.test.place.file.clone());
        }
    }
    suites
}

/// The suites of a cassette.
#[derive(Debug, Clone, Default)]
pub(super) struct CassetteSuites {
    files: Vec<Arc<str>>,
    /// Holds the cassette, links followed.
    fence: Fence,
}

/// Why a cassette cannot be read.
pub(super) enum Unreadable {
    Io(io::Error),
    Content(CassetteError),
}

impl Unreadable {
    fn problem(&self, name: &str) -> Problem {
        match self {
            Self::Io(error) => {
                Problem::new(Place::file(name), format!("the cassette cannot be read: {}", plain(error)))
            }
            Self::Content(error) => {
                let place = Place {
                    file: Arc::from(name),
                    line: error.line,
                    column: error.column.max(1),
                    width: 1,
                    excerpt: Arc::from(masked_text(&error.excerpt, &[])),
                };
                Problem::new(place, format!("this line of the cassette {}", error.message)).help(error.help)
            }
        }
    }
}

/// What a file holds; none where there is no file.
fn read(path: &Path, fence: &Fence) -> Result<Option<Vec<RecordedExchange>>, Unreadable> {
    match files::read(path, fence, LARGEST) {
        Ok(bytes) => parse(&bytes).map(Some).map_err(Unreadable::Content),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Unreadable::Io(error)),
    }
}

/// What is recorded of a suite, and what processes left of it that ended before they had written it.
struct SuiteRecordings {
    recorded: Vec<RecordedExchange>,
    /// True where there is no cassette yet.
    is_partial: bool,
}

fn read_with_parts(path: &Path, fence: &Fence) -> Result<Option<SuiteRecordings>, Unreadable> {
    let cassette = read(path, fence)?;
    let left = left_parts(path, fence);
    if cassette.is_none() && left.is_empty() {
        return Ok(None);
    }
    let is_partial = cassette.is_none();
    let recorded = left
        .iter()
        .try_fold(cassette.unwrap_or_default(), |recorded, part| Ok(newer(recorded, part.read(fence)?)))?;
    Ok(Some(SuiteRecordings { recorded, is_partial }))
}

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
/// one is whole. All are tried; the first that fails is told. `known` are the suites of the whole run: one that goes on has
/// only those in its plan that still have a test to run.
pub(super) fn save(
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
        match save_suite(suite, mode, (&mask, &fence)) {
            Ok(suite) => saved.push(suite),
            Err(message) => failure = failure.or(Some(message)),
        }
    }
    failure.map_or(Ok(saved), Err)
}

fn save_suite(
    suite: RecordedSuite,
    mode: Mode,
    (mask, fence): (&Mask, &Fence),
) -> Result<SavedCassette, String> {
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
pub fn lost_text(lost: &[(Arc<str>, &'static str)]) -> Option<String> {
    const NAMED: usize = 5;
    let mut reasons: HashMap<&str, Vec<&str>> = HashMap::new();
    for (test, reason) in lost {
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
