//! What is kept of the exchanges with a live target while a run goes on.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};

use crate::base::clock;
use crate::cassette::{self, Fresh, Recorded};
use crate::engine::Engine;
use crate::engine::cassettes::Route;
use crate::engine::request::AttemptId;
use crate::exchange::Transcript;
use crate::plan::case::{Case, TargetKind};

/// What a run has recorded so far.
#[derive(Debug, Default)]
pub struct Recorder {
    kept: BTreeMap<PathBuf, BTreeMap<(Arc<str>, u32), Recorded>>,
    lost: BTreeMap<(Arc<str>, u32), &'static str>,
}

/// What a run recorded, by the path of each cassette.
#[derive(Debug)]
pub struct Recording {
    /// The exchanges of each cassette.
    pub cassettes: Vec<(PathBuf, Fresh)>,
    /// Tests of which an exchange is no recording, each with the reason.
    pub lost: Vec<(Arc<str>, &'static str)>,
}

impl Engine {
    /// Keeps what came from the target, if it is to be recorded and can be.
    pub(super) fn keep(&self, case: &Case, id: AttemptId, route: &Route, transcript: &Transcript) {
        let Route::Send(Some(asked)) = route else { return };
        if !matches!(self.plan.target.kind, TargetKind::Live { .. }) {
            return;
        }
        let mut recorder = self.recorder.lock().unwrap_or_else(PoisonError::into_inner);
        let whose = (case.name.clone(), id.repeat);
        let heard = match cassette::hear(transcript) {
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
        let recorded = Recorded {
            number: 0,
            test: case.name.to_string(),
            repeat: id.repeat,
            asked,
            recorded: clock::timestamp_text(clock::wall()),
            heard,
            masked: false,
        };
        recorder.kept.entry(case.test.suite.cassette.clone()).or_default().insert(whose, recorded);
    }

    /// Hands over what was recorded; to be called once, when the run has ended.
    pub fn take_recording(&self) -> Recording {
        let recorder = std::mem::take(&mut *self.recorder.lock().unwrap_or_else(PoisonError::into_inner));
        let is_whole = self.plan.deselected == 0 && self.stopping().is_none();
        let planned = |path: &PathBuf| {
            let cases = self.plan.cases.iter().filter(|case| case.test.suite.cassette == *path);
            is_whole
                .then(|| cases.map(|case| (case.name.to_string(), case.test.repeats.times.most())).collect())
        };
        let fresh = |(path, kept): (PathBuf, BTreeMap<_, Recorded>)| {
            let planned = planned(&path);
            (path, Fresh { exchanges: kept.into_values().collect(), planned })
        };
        let cassettes = recorder.kept.into_iter().map(fresh).collect();
        let mut lost: Vec<_> = recorder.lost.into_iter().map(|((test, _), reason)| (test, reason)).collect();
        lost.dedup();
        Recording { cassettes, lost }
    }
}
