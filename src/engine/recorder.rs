//! Records the exchanges with a live target for the cassettes while a run goes on.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use crate::base::clock;
use crate::base::lock::lock;
use crate::dify::cassette::{self, Mask, RecordedExchange};
use crate::dify::transcript::Transcript;
use crate::engine::current_run::CurrentRun;
use crate::engine::part::PartFile;
use crate::engine::request::AttemptId;
use crate::engine::route::AnswerRoute;
use crate::plan::case::{Case, SuiteHead};

/// Records the exchanges of a run.
pub struct ExchangeRecorder {
    run: Arc<CurrentRun>,
    state: Mutex<RecorderState>,
}

#[derive(Debug, Default)]
struct RecorderState {
    /// By cassette.
    suites: BTreeMap<PathBuf, SuiteExchanges>,
    /// Why the last exchange of a repeat cannot be recorded.
    lost: BTreeMap<ExchangeKey, &'static str>,
}

/// Which repeat of which test an exchange belongs to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct ExchangeKey {
    test: Arc<str>,
    repeat: u32,
}

/// What is recorded of one suite.
#[derive(Debug, Default)]
struct SuiteExchanges {
    /// The file to which each exchange is added when it ends; `None` if it could not be created.
    part: Option<PartFile>,
    /// Exchanges that could not be written to the file.
    unwritten: BTreeMap<ExchangeKey, RecordedExchange>,
    /// The repeats with an exchange.
    recorded: BTreeSet<ExchangeKey>,
}

/// What a run recorded.
#[derive(Debug)]
pub struct RunRecording {
    /// What it recorded of each suite.
    pub cassettes: Vec<RecordedSuite>,
    /// Tests with an exchange that cannot be recorded, each with the reason.
    pub lost: Vec<(Arc<str>, &'static str)>,
}

/// What a run recorded of one suite.
#[derive(Debug)]
pub struct RecordedSuite {
    /// The cassette that the exchanges belong to.
    pub path: PathBuf,
    /// The file that contains them until then.
    pub part: Option<PartFile>,
    /// Exchanges that could not be written to the file.
    pub held: Vec<RecordedExchange>,
    /// The number of exchanges in all.
    pub count: usize,
    /// How often each test was to run, if every test of the suite was planned: tests that are not named no longer exist.
    pub planned: Option<HashMap<String, u32>>,
}

impl ExchangeRecorder {
    /// Nothing is recorded so far.
    pub fn new(run: &Arc<CurrentRun>) -> Self {
        Self { run: run.clone(), state: Mutex::default() }
    }

    /// Records an exchange with a live target, if it is to be recorded and can be.
    pub fn record(&self, case: &Case, id: AttemptId, route: &AnswerRoute, transcript: &Transcript) {
        let AnswerRoute::Send(Some(asked)) = route else { return };
        if !self.run.is_live() {
            return;
        }
        let mut state = lock(&self.state);
        let key = ExchangeKey { test: case.name.clone(), repeat: id.repeat };
        let heard = match cassette::record_response(transcript) {
            Ok(heard) => heard,
            Err(reason) => {
                state.lost.insert(key, reason);
                return;
            }
        };
        state.lost.remove(&key);
        let mut asked = asked.clone();
        if !heard.is_paused() {
            asked.answers.clear();
        }
        let exchange = RecordedExchange {
            number: 0,
            test: case.name.to_string(),
            repeat: id.repeat,
            asked,
            recorded: clock::timestamp_text(clock::wall()),
            heard,
            masked: false,
        };
        let suite = &case.test.suite;
        let exchanges = state.suites.entry(suite.cassette.clone()).or_default();
        if let Some(shelf) = &self.run.plan.cassettes {
            exchanges.add(key, exchange, suite, &shelf.mask);
        }
    }

    /// Returns what was recorded; to be called once, when the run has ended.
    pub fn take(&self) -> RunRecording {
        let state = std::mem::take(&mut *lock(&self.state));
        let plan = &self.run.plan;
        let is_whole =
            plan.deselected == 0 && plan.share.is_none() && !plan.goes_on && self.run.stop_reason().is_none();
        let planned = |path: &PathBuf| {
            let cases = plan.cases.iter().filter(|case| case.test.suite.cassette == *path);
            is_whole
                .then(|| cases.map(|case| (case.name.to_string(), case.test.repeats.times.most())).collect())
        };
        let recorded = |(path, exchanges): (PathBuf, SuiteExchanges)| RecordedSuite {
            planned: planned(&path),
            path,
            part: exchanges.part,
            held: exchanges.unwritten.into_values().collect(),
            count: exchanges.recorded.len(),
        };
        let cassettes = state.suites.into_iter().map(recorded).collect();
        let mut lost: Vec<_> = state.lost.into_iter().map(|(key, reason)| (key.test, reason)).collect();
        lost.dedup();
        RunRecording { cassettes, lost }
    }
}

impl SuiteExchanges {
    /// Adds an exchange: to the file, and to memory if it cannot be written.
    fn add(&mut self, key: ExchangeKey, exchange: RecordedExchange, suite: &SuiteHead, mask: &Mask) {
        if self.part.is_none() && self.unwritten.is_empty() {
            self.part = PartFile::beside(&suite.cassette, &suite.place).ok();
        }
        let is_written = self.part.as_mut().is_some_and(|part| part.add(&exchange, mask).is_ok());
        if is_written {
            // The exchange of an earlier attempt may be in memory.
            self.unwritten.remove(&key);
        } else {
            self.unwritten.insert(key.clone(), exchange);
        }
        self.recorded.insert(key);
    }
}
