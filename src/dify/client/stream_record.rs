//! What a stream told so far: the state that each of its events adds to; pure.

use std::sync::Arc;
use std::time::Duration;

use crate::dify::client::nodes::Nodes;
use crate::dify::client::repeats::RepeatedEvents;
use crate::dify::client::room::Room;
use crate::dify::transcript::{Ending, NodesUsage, RunCap, Transcript};
use crate::dify::wire::chunk::ChunkTemplate;
use crate::dify::wire::contract::VersionContract;

/// What the stream sent so far.
#[derive(Debug)]
pub(super) struct StreamRecord {
    pub transcript: Transcript,
    pub nodes: Nodes,
    /// Set by the event that ends the run.
    pub ending: Option<Ending>,
    /// Why the run was given up before it ended, if it was.
    pub left: Option<Ending>,
    pub last_event_at: Duration,
    pub repeats: RepeatedEvents,
    /// The most the run may use, and what its nodes used so far; `None` where nothing is capped.
    pub meter: Option<(RunCap, NodesUsage)>,
    /// What each event is compared with; `None` where nobody watches.
    pub contract: Option<Arc<VersionContract>>,
    /// Whether every event must be of the same run.
    pub ids: RunIdRule,
    /// What may be kept of it.
    pub room: Room,
    /// What the last chunk that was read has in common with those after it.
    pub mold: Option<Arc<ChunkTemplate>>,
}

/// Whether every event must be of the same run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RunIdRule {
    /// One of another run makes the stream unreadable.
    Checked,
    /// The same, but another task may go on with the run after a pause.
    CheckedButTask,
    /// Whoever reads the stream looks at them.
    Unchecked,
}

impl StreamRecord {
    /// Nothing of a stream came yet.
    pub fn new(transcript: Transcript, room: Room) -> Self {
        Self {
            transcript,
            nodes: Nodes::default(),
            ending: None,
            left: None,
            last_event_at: Duration::ZERO,
            repeats: RepeatedEvents::default(),
            meter: None,
            contract: None,
            ids: RunIdRule::Checked,
            room,
            mold: None,
        }
    }
}
