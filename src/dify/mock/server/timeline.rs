//! The events of a run with the times at which they happen, and the phase of the run that follows from them.
//!
//! A run goes on without a reader: the end of a stream does not end it. No task drives it. An event has happened once its time
//! has come, and everyone who follows the run waits for that time.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

use crate::base::clock;
use crate::base::lock::lock;
use crate::dify::mock::answer::{MockEvents, PING};
use crate::dify::mock::options::NodePace;

/// What an event means for those who follow the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventMeaning {
    /// The run goes on.
    GoesOn,
    /// The run waits for a person.
    Paused,
    /// The run has ended.
    Finished,
}

/// The phase of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunPhase {
    /// It has future events.
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
    pub meaning: EventMeaning,
    /// As it is sent.
    pub bytes: Bytes,
}

/// The events of a run, past and future; empty for a run that ended at once.
#[derive(Debug, Default)]
pub struct RunTimeline {
    events: Mutex<TimelineEvents>,
    changed: Notify,
}

/// Events that have a time, and those that wait until the run is released.
#[derive(Debug, Default)]
struct TimelineEvents {
    timed: Vec<TimedEvent>,
    held: Vec<TimedEvent>,
    is_stopped: bool,
}

impl RunTimeline {
    /// A run that ended when it was answered.
    pub fn ended() -> Self {
        Self::default()
    }

    /// A run whose events happen one after the other, each after its wait.
    pub fn begin(events: MockEvents, wait_before: impl Fn(&[u8]) -> Duration) -> Self {
        let timeline = Self::ended();
        timeline.go_on(events, wait_before);
        timeline
    }

    /// A run of which this many events have happened; the others wait until it is released.
    pub fn hold(events: MockEvents, happened: usize) -> Self {
        let timeline = Self::begin(events, |_| Duration::ZERO);
        let mut events = lock(&timeline.events);
        let mut left = happened;
        let has_happened = |event: &&TimedEvent| {
            let is_ping = event.bytes == PING;
            let has_happened = is_ping || left > 0;
            left -= usize::from(has_happened && !is_ping);
            has_happened
        };
        let past = events.timed.iter().take_while(has_happened).count();
        events.held = events.timed.split_off(past);
        drop(events);
        timeline
    }

    /// Releases a run that was held: its remaining events happen now.
    pub fn release(&self) {
        let mut events = lock(&self.events);
        let now = clock::now();
        let held = std::mem::take(&mut events.held);
        events.timed.extend(held.into_iter().map(|event| TimedEvent { due: now, ..event }));
        drop(events);
        self.changed.notify_waiters();
    }

    /// Adds the next events; the first happens at once, or after its wait.
    pub fn go_on(&self, next: MockEvents, wait_before: impl Fn(&[u8]) -> Duration) {
        let mut events = lock(&self.events);
        let now = clock::now();
        let mut due = events.timed.last().map_or(now, |last| now.max(last.due));
        let bytes = Bytes::from(next.bytes);
        let mut from = 0;
        let added = next.ends.into_iter().map(|end| {
            let event = bytes.slice(from..end);
            from = end;
            due += wait_before(&event);
            TimedEvent { due, meaning: meaning_of(&event), bytes: event }
        });
        events.timed.extend(added);
        drop(events);
        self.changed.notify_waiters();
    }

    /// Ends the run with this event in place of all future ones; false where it does not run.
    pub fn stop(&self, last: Bytes) -> bool {
        let now = clock::now();
        if self.phase_at(now) != RunPhase::Running {
            return false;
        }
        let mut events = lock(&self.events);
        events.held.clear();
        events.is_stopped = true;
        events.timed.retain(|event| event.due <= now);
        events.timed.push(TimedEvent { due: now, meaning: EventMeaning::Finished, bytes: last });
        drop(events);
        self.changed.notify_waiters();
        true
    }

    /// Whether it was stopped while it ran.
    pub fn is_stopped(&self) -> bool {
        lock(&self.events).is_stopped
    }

    /// The phase of the run now.
    pub fn phase(&self) -> RunPhase {
        self.phase_at(clock::now())
    }

    fn phase_at(&self, now: Instant) -> RunPhase {
        let events = lock(&self.events);
        let last = events.timed.last();
        if !events.held.is_empty() || last.is_some_and(|last| last.due > now) {
            return RunPhase::Running;
        }
        match last.map(|last| last.meaning) {
            None | Some(EventMeaning::Finished) => RunPhase::Ended,
            Some(EventMeaning::Paused) => RunPhase::Paused,
            Some(EventMeaning::GoesOn) => RunPhase::Running,
        }
    }

    /// The events that have happened.
    pub fn past(&self) -> Vec<TimedEvent> {
        let now = clock::now();
        lock(&self.events).timed.iter().take_while(|event| event.due <= now).cloned().collect()
    }

    /// The event at an index, past or future.
    pub fn event(&self, index: usize) -> Option<TimedEvent> {
        lock(&self.events).timed.get(index).cloned()
    }

    /// Waits until events are added or withdrawn, from now on.
    pub fn changed(&self) -> Notified<'_> {
        self.changed.notified()
    }
}

fn meaning_of(event: &[u8]) -> EventMeaning {
    let names = |name: &str| {
        event.strip_prefix(b"data: {\"event\":\"").is_some_and(|rest| rest.starts_with(name.as_bytes()))
    };
    if names("workflow_finished\"") {
        EventMeaning::Finished
    } else if names("workflow_paused\"") {
        EventMeaning::Paused
    } else {
        EventMeaning::GoesOn
    }
}

/// The wait before an event: in real time, a node ends after its `elapsed_time`.
pub fn wait_before(event: &[u8], pace: NodePace) -> Duration {
    let Some(json) = event.strip_prefix(b"data: ") else { return Duration::ZERO };
    if pace == NodePace::AtOnce || !json.starts_with(b"{\"event\":\"node_finished\"") {
        return Duration::ZERO;
    }
    let Ok(json) = serde_json::from_slice::<serde_json::Value>(json) else { return Duration::ZERO };
    Duration::try_from_secs_f64(json["data"]["elapsed_time"].as_f64().unwrap_or(0.0))
        .unwrap_or(Duration::ZERO)
}
