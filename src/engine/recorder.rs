//! What is kept of the exchanges with a live target while a run goes on.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::base::clock;
use crate::base::files::Fence;
use crate::base::lock::lock;
use crate::dify::cassette::{self, Mask, RecordedExchange};
use crate::dify::transcript::Transcript;
use crate::engine::Engine;
use crate::engine::cassettes::AnswerRoute;
use crate::engine::part::PartFile;
use crate::engine::request::AttemptId;
use crate::plan::case::{Case, TargetKind};

/// What a run has recorded so far.
#[derive(Debug, Default)]
pub struct Recorder {
    tapes: BTreeMap<PathBuf, SuiteTape>,
    lost: BTreeMap<(Arc<str>, u32), &'static str>,
}

/// What is recorded of one suite.
#[derive(Debug, Default)]
struct SuiteTape {
    /// The file that takes each exchange when it ends; none where it could not be made.
    part: Option<PartFile>,
    /// Exchanges that the file did not take.
    held: BTreeMap<(Arc<str>, u32), RecordedExchange>,
    /// The tests and repeats of which there is an exchange.
    kept: BTreeSet<(Arc<str>, u32)>,
}

/// What a run recorded.
#[derive(Debug)]
pub struct RunRecording {
    /// What it recorded of each suite.
    pub cassettes: Vec<RecordedSuite>,
    /// Tests of which an exchange is no recording, each with the reason.
    pub lost: Vec<(Arc<str>, &'static str)>,
}

/// What a run recorded of one suite.
#[derive(Debug)]
pub struct RecordedSuite {
    /// The cassette that takes it.
    pub path: PathBuf,
    /// The file that holds it until then.
    pub part: Option<PartFile>,
    /// Exchanges that the file did not take.
    pub held: Vec<RecordedExchange>,
    /// How many exchanges there are in all.
    pub count: usize,
    /// How often each test was to run, if every test of the suite was planned: others exist no more.
    pub planned: Option<HashMap<String, u32>>,
}

impl Engine {
    /// Keeps what came from the target, if it is to be recorded and can be.
    pub(super) fn keep(&self, case: &Case, id: AttemptId, route: &AnswerRoute, transcript: &Transcript) {
        let AnswerRoute::Send(Some(asked)) = route else { return };
        if !matches!(self.plan.target.kind, TargetKind::Live { .. }) {
            return;
        }
        let mut recorder = lock(&self.recorder);
        let whose = (case.name.clone(), id.repeat);
        let heard = match cassette::record_response(transcript) {
            Ok(heard) => heard,
            Err(reason) => {
                recorder.lost.insert(whose, reason);
                return;
            }
        };
        recorder.lost.remove(&whose);
        let mut asked = asked.clone();
        if !heard.is_paused() {
            asked.answers.clear();
        }
        let recorded = RecordedExchange {
            number: 0,
            test: case.name.to_string(),
            repeat: id.repeat,
            asked,
            recorded: clock::timestamp_text(clock::wall()),
            heard,
            masked: false,
        };
        let path = &case.test.suite.cassette;
        let tape = recorder.tapes.entry(path.clone()).or_default();
        if let Some(shelf) = &self.plan.cassettes {
            tape.keep((whose, recorded), (path, &case.test.suite.place), &shelf.mask);
        }
    }

    /// Hands over what was recorded; to be called once, when the run has ended.
    pub fn take_recording(&self) -> RunRecording {
        let recorder = std::mem::take(&mut *lock(&self.recorder));
        let plan = &self.plan;
        let is_whole =
            plan.deselected == 0 && plan.share.is_none() && !plan.goes_on && self.stopping().is_none();
        let planned = |path: &PathBuf| {
            let cases = self.plan.cases.iter().filter(|case| case.test.suite.cassette == *path);
            is_whole
                .then(|| cases.map(|case| (case.name.to_string(), case.test.repeats.times.most())).collect())
        };
        let recorded = |(path, tape): (PathBuf, SuiteTape)| RecordedSuite {
            planned: planned(&path),
            path,
            part: tape.part,
            held: tape.held.into_values().collect(),
            count: tape.kept.len(),
        };
        let cassettes = recorder.tapes.into_iter().map(recorded).collect();
        let mut lost: Vec<_> = recorder.lost.into_iter().map(|((test, _), reason)| (test, reason)).collect();
        lost.dedup();
        RunRecording { cassettes, lost }
    }
}

impl SuiteTape {
    /// Keeps an exchange: in the file, and where that cannot be written in memory.
    fn keep(
        &mut self,
        (whose, recorded): ((Arc<str>, u32), RecordedExchange),
        (path, fence): (&Path, &Fence),
        mask: &Mask,
    ) {
        if self.part.is_none() && self.held.is_empty() {
            self.part = PartFile::beside(path, fence).ok();
        }
        let is_written = self.part.as_mut().is_some_and(|part| part.add(&recorded, mask).is_ok());
        if is_written {
            // An earlier attempt may be held.
            self.held.remove(&whose);
        } else {
            self.held.insert(whose.clone(), recorded);
        }
        self.kept.insert(whose);
    }
}
