//! The journal of a run whose tests are processes of their own, as under nextest: all of them append to one file.
//!
//! What a test came to is written at once, under a lock and as whole lines, so that no two writers mix. Nobody knows how
//! many processes there will be: each plans its own tests first, and one that is killed leaves a test without a result.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::base::clock;
use crate::base::files::{self, ChangeCondition};
use crate::base::redact::Redactor;
use crate::record::event::{Event, RunEnd, RunStart, Sink, SinkError};
use crate::record::journal::depth::bounded;
use crate::record::journal::latest::point_to;
use crate::record::journal::mask::mask_line;
use crate::record::journal::split::mend_differences;
use crate::record::journal::{fence_of, path_of, read_start};

/// The part of one process in a journal that several write.
#[derive(Debug)]
pub(crate) struct SharedJournal {
    file: File,
    path: PathBuf,
    redactor: Redactor,
    pending: Vec<u8>,
    /// When the first of the processes began.
    began: Option<Timestamp>,
}

impl SharedJournal {
    /// Opens `<reports>/runs/<run>/journal.jsonl`, or makes it.
    pub(crate) fn open(reports: &Path, run: &str, redactor: Redactor) -> Result<Self, SinkError> {
        let path = path_of(reports, run);
        let failed = |source| SinkError { what: format!("open {}", path.display()), source };
        let file = files::open_to_add(&path, &fence_of(&path), ChangeCondition::Any).map_err(failed)?;
        Ok(Self { file, path, redactor, pending: Vec::new(), began: None })
    }

    fn append(&mut self, event: &Event) -> Result<(), SinkError> {
        let failed = |path: &Path, source| SinkError { what: format!("write {}", path.display()), source };
        match event {
            Event::RunStarted(start) => self.begin(start),
            Event::AttemptFinished(_) => self.add(event).map_err(|error| failed(&self.path, error)),
            Event::CasesPlanned(_)
            | Event::RunContinued(_)
            | Event::AttemptStarted(_)
            | Event::AttemptLeft(_)
            | Event::CaseFinished(_) => {
                self.add(event).and_then(|()| self.flush()).map_err(|error| failed(&self.path, error))
            }
            Event::RunFinished(end) => {
                let event = Event::RunFinished(self.since_the_first(end));
                self.add(&event).and_then(|()| self.flush()).map_err(|error| failed(&self.path, error))
            }
        }
    }

    /// Writes the first line, unless another process did; the lock is held from the look to the write.
    fn begin(&mut self, start: &RunStart) -> Result<(), SinkError> {
        let failed = |path: &Path, source| SinkError { what: format!("write {}", path.display()), source };
        let locked = JournalGuard::new(&self.file).map_err(|error| failed(&self.path, error))?;
        let length = self.file.metadata().map_err(|error| failed(&self.path, error))?.len();
        let mut started = start.started.clone();
        // Each process knows the thresholds of its suite only.
        if length == 0 || !start.thresholds.is_empty() {
            let mut line = Vec::new();
            serde_json::to_writer(&mut line, &Event::RunStarted(start.clone()))
                .map_err(|error| failed(&self.path, error.into()))?;
            mask_line(&mut line, 0, &self.redactor);
            line.push(b'\n');
            (&self.file).write_all(&line).map_err(|error| failed(&self.path, error))?;
        }
        if length == 0 {
            point_to(&self.path)?;
        } else if let Ok(first) = read_start(&self.path) {
            started = first.started;
        }
        drop(locked);
        self.began = started.parse().ok();
        Ok(())
    }

    fn add(&mut self, event: &Event) -> io::Result<()> {
        let start = self.pending.len();
        let event = mend_differences(bounded(event), &self.redactor);
        serde_json::to_writer(&mut self.pending, event.as_ref())?;
        mask_line(&mut self.pending, start, &self.redactor);
        self.pending.push(b'\n');
        Ok(())
    }

    /// Writes what waits; where another process was killed while it wrote, its torn line is ended first.
    fn flush(&mut self) -> io::Result<()> {
        let _locked = JournalGuard::new(&self.file)?;
        if !is_whole(&self.file)? {
            self.pending.insert(0, b'\n');
        }
        let written = (&self.file).write_all(&self.pending);
        self.pending.clear();
        written
    }

    /// The end of this process, its time counted from the beginning of the run.
    fn since_the_first(&self, end: &RunEnd) -> RunEnd {
        let since = self.began.map(|began| clock::wall().duration_since(began).as_secs_f64() * 1e3);
        RunEnd { duration_ms: since.unwrap_or(0.0).max(end.duration_ms), ..end.clone() }
    }
}

/// True where the file is empty or ends with the end of a line.
fn is_whole(mut file: &File) -> io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(true);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

/// Keeps the other processes from writing for a moment; a file system without locks keeps nobody from it.
struct JournalGuard<'f>(&'f File);

impl<'f> JournalGuard<'f> {
    fn new(file: &'f File) -> io::Result<Self> {
        match file.lock() {
            Ok(()) => Ok(Self(file)),
            Err(error) if error.kind() == io::ErrorKind::Unsupported => Ok(Self(file)),
            Err(error) => Err(error),
        }
    }
}

impl Drop for JournalGuard<'_> {
    fn drop(&mut self) {
        // A lock that cannot be given back goes when the file is closed.
        let _ = self.0.unlock();
    }
}

impl Sink for SharedJournal {
    fn take(&mut self, event: &Event) -> Result<(), SinkError> {
        self.append(event)
    }
}

impl Drop for SharedJournal {
    /// Attempts whose case never finished are facts too; nobody is left to report an error to.
    fn drop(&mut self) {
        if !self.pending.is_empty() {
            let _ = self.flush();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::base::digest::Digest;
    use crate::record::event::{PlannedCase, RanVersion};
    use crate::record::journal::RunRecord;
    use crate::record::journal::read;
    use crate::record::journal::sample;
    use crate::record::verdict::Verdict;

    fn start() -> Event {
        Event::RunStarted(RunStart { nextest: true, ..sample::start(0) })
    }

    fn planned(name: &str) -> Event {
        let (key, print) = (Digest::of(name), Digest::default());
        Event::CasesPlanned([PlannedCase { key, name: Arc::from(name), print, place: None }].into())
    }

    /// What a process of one test reports.
    fn told(name: &str, verdict: Verdict) -> [Event; 2] {
        let mut attempt = sample::attempt(0, verdict, Vec::new());
        let mut outcome = sample::outcome(0, "s", name, verdict);
        (attempt.key, outcome.key, outcome.name) = (Digest::of(name), Digest::of(name), name.to_owned());
        [Event::AttemptFinished(attempt.into()), Event::CaseFinished(outcome.into())]
    }

    fn end() -> Event {
        let ran = RanVersion {
            app: String::from("a"),
            workflow_id: Some(String::from("v")),
            dify_version: None,
            attempts: 1,
        };
        Event::RunFinished(RunEnd { versions: vec![ran], ..RunEnd::default() })
    }

    fn folded(folder: &Path) -> RunRecord {
        read(&path_of(folder, "r")).unwrap()
    }

    #[test]
    fn processes_that_begin_together_make_one_record() {
        let folder = tempfile::tempdir().unwrap();
        let run = |number: u32| {
            let mut journal = SharedJournal::open(folder.path(), "r", Redactor::new([])).unwrap();
            let name = format!("s::{number}");
            let verdict = if number.is_multiple_of(10) { Verdict::Failed } else { Verdict::Passed };
            let [attempt, outcome] = told(&name, verdict);
            for event in [start(), planned(&name), attempt, outcome, end()] {
                journal.take(&event).unwrap();
            }
        };
        std::thread::scope(|scope| {
            (0..40).for_each(|number| drop(scope.spawn(move || run(number))));
        });
        let record = folded(folder.path());
        assert_eq!((record.totals.passed, record.totals.failed, record.unfinished()), (36, 4, 0));
        assert!(record.damage.is_empty(), "{:?}", record.damage);
        let end = record.end.unwrap();
        assert_eq!((end.versions.len(), end.versions[0].attempts), (1, 40));
        assert_eq!(record.start.cases, 40);
    }

    #[test]
    fn a_process_that_was_killed_leaves_a_test_without_a_result() {
        let folder = tempfile::tempdir().unwrap();
        let mut one = SharedJournal::open(folder.path(), "r", Redactor::new([])).unwrap();
        let mut killed = SharedJournal::open(folder.path(), "r", Redactor::new([])).unwrap();
        [start(), planned("s::a")].iter().for_each(|event| one.take(event).unwrap());
        [start(), planned("s::b")].iter().for_each(|event| killed.take(event).unwrap());
        (&killed.file).write_all(b"{\"case_fin").unwrap();
        drop(killed);
        told("s::a", Verdict::Passed).iter().for_each(|event| one.take(event).unwrap());
        one.take(&end()).unwrap();
        let record = folded(folder.path());
        assert_eq!((record.totals.passed, record.unfinished(), record.start.cases), (1, 1, 2));
        assert!(record.has_losses(), "{:?}", record.damage);
    }

    #[test]
    fn secrets_are_masked_here_too() {
        let folder = tempfile::tempdir().unwrap();
        let redactor = Redactor::new([String::from("hunter22")]);
        let mut journal = SharedJournal::open(folder.path(), "r", redactor).unwrap();
        for event in [start(), planned("s::hunter22")].iter().chain(&told("s::hunter22", Verdict::Passed)) {
            journal.take(event).unwrap();
        }
        let text = std::fs::read_to_string(path_of(folder.path(), "r")).unwrap();
        assert!(!text.contains("hunter22") && text.contains("***"), "{text}");
    }
}
