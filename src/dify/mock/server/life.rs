//! The events of a run on a clock: when each is sent, whoever listens, and how the run stands meanwhile.
//!
//! A run lives without its reader: a stream that is cut ends nothing. No task drives it. An event has happened once its time
//! has come, and whoever follows the run waits for that time.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

use crate::base::clock;
use crate::base::lock::lock;
use crate::dify::mock::answer::{MockEvents, PING};

/// What an event means for those who follow the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LifeEvent {
    /// The run goes on.
    Plain,
    /// The run waits for a person.
    Paused,
    /// The run has ended.
    Finished,
}

/// How a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// It has events to come.
    Running,
    /// It waits for a person.
    Paused,
    /// It is over.
    Ended,
}

/// An event with its time.
#[derive(Debug, Clone)]
pub struct TimedEvent {
    /// When it happens.
    pub due: Instant,
    /// What it means.
    pub kind: LifeEvent,
    /// As it is sent.
    pub bytes: Bytes,
}

/// The events of a run, past and to come; none for a run that was over at once.
#[derive(Debug, Default)]
pub struct RunTimeline {
    frames: Mutex<Frames>,
    changed: Notify,
}

/// Events that have a time, and those that wait until the run is let go on.
#[derive(Debug, Default)]
struct Frames {
    timed: Vec<TimedEvent>,
    held: Vec<TimedEvent>,
    is_stopped: bool,
}

impl RunTimeline {
    /// A run that was over as soon as it was answered.
    pub fn ended() -> Self {
        Self::default()
    }

    /// A run whose events come one after the other, each after its wait.
    pub fn begin(events: MockEvents, wait_before: impl Fn(&[u8]) -> Duration) -> Self {
        let life = Self::ended();
        life.go_on(events, wait_before);
        life
    }

    /// A run of which so many events have happened, and the others wait until it is let go on.
    pub fn hold(events: MockEvents, happened: usize) -> Self {
        let life = Self::begin(events, |_| Duration::ZERO);
        let mut frames = lock(&life.frames);
        let mut left = happened;
        let is_told = |frame: &&TimedEvent| {
            let is_ping = frame.bytes == PING;
            let is_told = is_ping || left > 0;
            left -= usize::from(is_told && !is_ping);
            is_told
        };
        let told = frames.timed.iter().take_while(is_told).count();
        frames.held = frames.timed.split_off(told);
        drop(frames);
        life
    }

    /// Lets a run that was held go on: what is to come happens now.
    pub fn release(&self) {
        let mut frames = lock(&self.frames);
        let now = clock::now();
        let held = std::mem::take(&mut frames.held);
        frames.timed.extend(held.into_iter().map(|frame| TimedEvent { due: now, ..frame }));
        drop(frames);
        self.changed.notify_waiters();
    }

    /// Adds what happens next; the first of it at once, or after its wait.
    pub fn go_on(&self, events: MockEvents, wait_before: impl Fn(&[u8]) -> Duration) {
        let mut frames = lock(&self.frames);
        let now = clock::now();
        let mut due = frames.timed.last().map_or(now, |last| now.max(last.due));
        let bytes = Bytes::from(events.bytes);
        let mut from = 0;
        let added = events.ends.into_iter().map(|end| {
            let event = bytes.slice(from..end);
            from = end;
            due += wait_before(&event);
            TimedEvent { due, kind: kind_of(&event), bytes: event }
        });
        frames.timed.extend(added);
        drop(frames);
        self.changed.notify_waiters();
    }

    /// Ends the run with this event, whatever was to come; false where it does not run.
    pub fn stop(&self, last: Bytes) -> bool {
        let now = clock::now();
        if self.phase_at(now) != Phase::Running {
            return false;
        }
        let mut frames = lock(&self.frames);
        frames.held.clear();
        frames.is_stopped = true;
        frames.timed.retain(|frame| frame.due <= now);
        frames.timed.push(TimedEvent { due: now, kind: LifeEvent::Finished, bytes: last });
        drop(frames);
        self.changed.notify_waiters();
        true
    }

    /// Whether it was stopped while it ran.
    pub fn is_stopped(&self) -> bool {
        lock(&self.frames).is_stopped
    }

    /// How the run stands now.
    pub fn phase(&self) -> Phase {
        self.phase_at(clock::now())
    }

    fn phase_at(&self, now: Instant) -> Phase {
        let frames = lock(&self.frames);
        let last = frames.timed.last();
        if !frames.held.is_empty() || last.is_some_and(|last| last.due > now) {
            return Phase::Running;
        }
        match last.map(|last| last.kind) {
            None | Some(LifeEvent::Finished) => Phase::Ended,
            Some(LifeEvent::Paused) => Phase::Paused,
            Some(LifeEvent::Plain) => Phase::Running,
        }
    }

    /// The events that have happened.
    pub fn past(&self) -> Vec<TimedEvent> {
        let now = clock::now();
        lock(&self.frames).timed.iter().take_while(|frame| frame.due <= now).cloned().collect()
    }

    /// The event at an index, happened or to come.
    pub fn frame(&self, index: usize) -> Option<TimedEvent> {
        lock(&self.frames).timed.get(index).cloned()
    }

    /// Waits until events are added or withdrawn, from now on.
    pub fn changed(&self) -> Notified<'_> {
        self.changed.notified()
    }
}

fn kind_of(event: &[u8]) -> LifeEvent {
    let names = |name: &str| {
        event.strip_prefix(b"data: {\"event\":\"").is_some_and(|rest| rest.starts_with(name.as_bytes()))
    };
    if names("workflow_finished\"") {
        LifeEvent::Finished
    } else if names("workflow_paused\"") {
        LifeEvent::Paused
    } else {
        LifeEvent::Plain
    }
}
