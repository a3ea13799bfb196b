//! A run that the mock remembers: its events, the pause it waits in, and how a run goes on of which its client lost sight.
//!
//! A lost run goes on once it was looked up a number of times. Its time is counted in look-ups, not in seconds, so that tests are
//! the same on every machine.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use super::timeline::{RunPhase, RunTimeline};
use crate::base::lock::lock;
use crate::dify::mock::answer::MockRun;
use crate::dify::mock::answer::pauses::{WaitingRun, waiting_run};
use crate::dify::mock::fault::RunningReplies;

/// A run that was answered.
pub struct StoredRun {
    /// The run.
    pub run: MockRun,
    /// The app it belongs to.
    pub app: Arc<str>,
    /// Bytes that it holds in memory, by estimate.
    pub bytes: usize,
    /// Its events, past and future.
    pub timeline: RunTimeline,
    /// Whether it was stopped while it ran: its detail then says `running` for ever.
    pub is_stopped: AtomicBool,
    /// When it goes on, if its client lost sight of it.
    lookups: Option<LookupCount>,
    current_pause: Mutex<CurrentPause>,
}

impl StoredRun {
    /// A run with its events.
    pub fn new(run: MockRun, app: Arc<str>, bytes: usize, timeline: RunTimeline) -> Self {
        let current_pause = Mutex::new(CurrentPause::at(&run, 0));
        Self { run, app, bytes, timeline, is_stopped: false.into(), lookups: None, current_pause }
    }

    /// The same run, which goes on after some look-ups.
    #[must_use]
    pub fn with_lookups(mut self, lookups: LookupCount) -> Self {
        self.lookups = Some(lookups);
        self
    }

    /// The run's status now.
    pub fn status(&self) -> &'static str {
        match self.timeline.phase() {
            RunPhase::Running => "running",
            RunPhase::Paused => "paused",
            // In its detail, a stopped run says "running" for ever.
            RunPhase::Ended if self.is_stopped.load(Ordering::Relaxed) => "stopped",
            RunPhase::Ended => self.run.graph.status.word(),
        }
    }

    /// The pause it waits in, or waited in last.
    pub fn current_pause(&self) -> MutexGuard<'_, CurrentPause> {
        lock(&self.current_pause)
    }

    /// The forms it waits for, and its totals so far.
    pub fn waiting(&self) -> WaitingRun {
        let current = self.current_pause();
        let group = self.run.graph.pauses.get(current.pause).map_or(&[][..], Vec::as_slice);
        let forms: Vec<_> = current.waiting().into_iter().filter_map(|form| group.get(form)).collect();
        waiting_run(&self.run, &forms)
    }

    /// The phase of the run; looking a lost run up brings it nearer to its end.
    pub fn look_up(&self) -> RunPhase {
        let phase = self.timeline.phase();
        if self.lookups.as_ref().is_some_and(|lookups| lookups.look_up() == LookupReply::GoesOn) {
            self.timeline.release();
        }
        phase
    }

    /// Lets a lost run go on, unless it never ends: whoever follows a run sees its end.
    pub fn follow(&self) {
        if self.lookups.as_ref().is_some_and(|lookups| !lookups.is_endless()) {
            self.timeline.release();
        }
    }
}

/// The pause that a run waits in, or waited in last, and which of its forms are answered.
#[derive(Debug, Default)]
pub struct CurrentPause {
    /// Which pause of the run, from 0.
    pub pause: usize,
    answered: Vec<bool>,
}

impl CurrentPause {
    fn at(run: &MockRun, pause: usize) -> Self {
        Self { pause, answered: vec![false; run.graph.pauses.get(pause).map_or(0, Vec::len)] }
    }

    /// Whether a form of this or an earlier pause is answered.
    pub fn is_answered(&self, pause: usize, form: usize) -> bool {
        pause < self.pause || (pause == self.pause && self.answered.get(form) == Some(&true))
    }

    /// The forms of this pause that wait.
    pub fn waiting(&self) -> Vec<usize> {
        let waiting = self.answered.iter().enumerate().filter(|(_, answered)| !**answered);
        waiting.map(|(form, _)| form).collect()
    }

    /// Notes the answer to a form of this pause.
    pub fn answer(&mut self, form: usize) {
        self.answered[form] = true;
    }

    /// Goes to the next pause of the run.
    pub fn move_on(&mut self, run: &MockRun) {
        *self = Self::at(run, self.pause + 1);
    }
}

/// A count that never ends.
const FOREVER: u32 = u32::MAX;

/// How often a lost run still says that it goes on.
#[derive(Debug)]
pub struct LookupCount {
    left: AtomicU32,
}

/// What a lost run does once it was looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LookupReply {
    /// It waits to be looked up again.
    Waits,
    /// It goes on, to its end or to its pause.
    GoesOn,
}

impl LookupCount {
    /// A run that was just lost.
    pub fn new(running: RunningReplies) -> Self {
        let left = match running {
            RunningReplies::Times(times) => times.min(FOREVER - 1),
            RunningReplies::Forever => FOREVER,
        };
        Self { left: left.into() }
    }

    /// Counts a look-up.
    fn look_up(&self) -> LookupReply {
        let counted = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| match left {
            0 | FOREVER => None,
            left => Some(left - 1),
        });
        match counted {
            Ok(1) | Err(0) => LookupReply::GoesOn,
            Ok(_) | Err(_) => LookupReply::Waits,
        }
    }

    /// Whether it never ends.
    pub fn is_endless(&self) -> bool {
        self.left.load(Ordering::Relaxed) == FOREVER
    }

    /// Whether it is over before the first look-up.
    pub fn is_over(&self) -> bool {
        self.left.load(Ordering::Relaxed) == 0
    }
}
