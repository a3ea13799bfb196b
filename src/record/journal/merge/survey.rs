//! Looks through a journal for merging: which runs it holds, from where to where, and which tests each of them planned.
//!
//! Only the few lines that say so are read; the others are distinguished by how they begin.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader};
use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::base::digest::Digest;
use crate::base::files;
use crate::record::event::{ContinuationReason, Event, MergedRun, PlannedCase, RunContinuation, RunStart};
use crate::record::journal::file::start_of;
use crate::record::journal::merge::run_order::{order, plain};
use crate::record::journal::{JournalError, fence_of};

/// What a journal holds.
#[derive(Debug)]
pub(super) struct JournalSurvey {
    /// The journal.
    pub path: PathBuf,
    /// Its first line.
    pub start: RunStart,
    /// The runs in it, each with its parts in the order they were recorded.
    pub runs: Vec<RunParts>,
    /// Every test that was planned, as it was planned last.
    pub planned: Vec<PlannedCase>,
    /// Fingerprints of the plans that its runs went on with.
    pub plans: Vec<Digest>,
}

/// A run, as one journal reports it.
#[derive(Debug)]
pub(super) struct RunParts {
    /// The run.
    pub run: MergedRun,
    /// Its parts: what the first process recorded, and each that continued it.
    pub parts: Vec<ProcessLines>,
    /// The tests it planned.
    pub keys: Vec<Digest>,
}

/// The lines that one process recorded.
#[derive(Debug, Clone)]
pub(super) struct ProcessLines {
    /// The journal that records it.
    pub from: PathBuf,
    /// How it went on; `None` for the first part of a run.
    pub head: Option<RunContinuation>,
    /// When it started: RFC 3339, UTC.
    pub started: String,
    /// Where its lines are, the one that begins it left out.
    pub range: Range<u64>,
    /// The number of the first of them in their file, from 1.
    pub first_line: u64,
    /// What puts it in order: when it began, and never before what it continued, though a clock was set back.
    pub order: String,
    /// Lines up to this one that cannot be read were repaired by a later part of its run.
    pub mended: u64,
}

/// Looks through a journal.
pub(super) fn survey(path: &Path) -> Result<JournalSurvey, JournalError> {
    let failed = |source: io::Error| JournalError::Io { path: path.to_owned(), source };
    let mut input = BufReader::with_capacity(256 * 1024, files::open(path, &fence_of(path)).map_err(failed)?);
    let mut line = Vec::new();
    input.read_until(b'\n', &mut line).map_err(failed)?;
    let mut scan = JournalScan::new(path, start_of(path, &line)?, line.len() as u64);
    loop {
        line.clear();
        input.read_until(b'\n', &mut line).map_err(failed)?;
        // A torn last line is nobody's.
        if line.last() != Some(&b'\n') {
            break;
        }
        scan.line(&line);
    }
    Ok(scan.finish())
}

struct JournalScan {
    surveyed: JournalSurvey,
    /// Where the next line begins.
    offset: u64,
    /// Which run and part the lines belong to; `None` for what belongs to a merged run as a whole.
    current: Option<(usize, usize)>,
    /// Where each test is among those planned.
    known: HashMap<Digest, usize>,
    /// The number of the line read last, from 1.
    number: u64,
}

impl JournalScan {
    fn new(path: &Path, start: RunStart, offset: u64) -> Self {
        let own = MergedRun {
            run: start.run.clone(),
            started: start.started.clone(),
            shard: start.shard,
            build: start.build.clone(),
        };
        let is_merged = !start.merged.is_empty();
        let surveyed = JournalSurvey {
            path: path.to_owned(),
            start,
            runs: Vec::new(),
            planned: Vec::new(),
            plans: Vec::new(),
        };
        let mut scan = Self { surveyed, offset, current: None, known: HashMap::new(), number: 1 };
        if !is_merged {
            let started = own.started.clone();
            scan.begin(own, None, started);
        }
        scan
    }

    fn line(&mut self, line: &[u8]) {
        self.number += 1;
        let next = self.offset + line.len() as u64;
        let told = [&b"{\"cases_planned\":"[..], b"{\"run_continued\":"];
        let event = told.iter().any(|begin| line.starts_with(begin)).then(|| serde_json::from_slice(line));
        match event {
            Some(Ok(Event::CasesPlanned(cases))) => self.plan(&cases),
            Some(Ok(Event::RunContinued(continuation))) => {
                self.go_on(continuation, next);
                self.offset = next;
                return;
            }
            // A line that cannot be read is kept: the fold reports it.
            Some(
                Ok(
                    Event::RunStarted(_)
                    | Event::AttemptStarted(_)
                    | Event::AttemptLeft(_)
                    | Event::AttemptFinished(_)
                    | Event::CaseFinished(_)
                    | Event::RunFinished(_),
                )
                | Err(_),
            )
            | None => {}
        }
        self.offset = next;
        if let Some((run, part)) = self.current {
            self.surveyed.runs[run].parts[part].range.end = next;
        }
    }

    fn plan(&mut self, cases: &[PlannedCase]) {
        for case in cases {
            match self.known.get(&case.key) {
                Some(known) => self.surveyed.planned[*known] = case.clone(),
                None => {
                    self.known.insert(case.key, self.surveyed.planned.len());
                    self.surveyed.planned.push(case.clone());
                }
            }
        }
        if let Some((run, _)) = self.current {
            self.surveyed.runs[run].keys.extend(cases.iter().map(|case| case.key));
        }
    }

    fn go_on(&mut self, continuation: RunContinuation, next: u64) {
        if !continuation.plan.is_none() {
            self.surveyed.plans.push(continuation.plan);
        }
        if let Some(thresholds) = &continuation.thresholds {
            self.surveyed.start.thresholds.clone_from(thresholds);
        }
        self.offset = next;
        let id = continuation.run.clone().unwrap_or_else(|| self.surveyed.start.run.clone());
        let started = continuation.started.clone();
        match continuation.how {
            ContinuationReason::Merged if id == self.surveyed.start.run => self.current = None,
            ContinuationReason::Merged => {
                let told = self.surveyed.start.merged.iter().find(|run| run.run == id).cloned();
                let run =
                    told.unwrap_or(MergedRun { run: id, started: started.clone(), shard: None, build: None });
                self.begin(run, None, started);
            }
            ContinuationReason::Resumed | ContinuationReason::Rerun => {
                let own = MergedRun {
                    run: id,
                    started: self.surveyed.start.started.clone(),
                    shard: self.surveyed.start.shard,
                    build: self.surveyed.start.build.clone(),
                };
                self.begin(own, Some(continuation), started);
            }
        }
    }

    /// The lines that follow are a further part of this run.
    fn begin(&mut self, run: MergedRun, head: Option<RunContinuation>, started: String) {
        let (from, range) = (self.surveyed.path.clone(), self.offset..self.offset);
        let begun = match head {
            None => order(&run.run, &run.started).begun,
            Some(_) => plain(&started),
        };
        let mended = head.as_ref().map_or(0, |head| head.mended);
        let runs = &mut self.surveyed.runs;
        let index = match runs.iter().position(|known| known.run.run == run.run) {
            Some(index) => index,
            None => {
                runs.push(RunParts { run, parts: Vec::new(), keys: Vec::new() });
                runs.len() - 1
            }
        };
        let parts = &mut runs[index].parts;
        let order = parts.last().map_or(begun.clone(), |before| begun.clone().max(before.order.clone()));
        parts.iter_mut().for_each(|before| before.mended = before.mended.max(mended));
        let first_line = self.number + 1;
        parts.push(ProcessLines { from, head, started, range, first_line, order, mended: 0 });
        self.current = Some((index, runs[index].parts.len() - 1));
    }

    fn finish(self) -> JournalSurvey {
        self.surveyed
    }
}
