//! Plays the steps of an answer with faults on the wire, in its unusual forms.

use std::collections::VecDeque;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::stream;

use super::body::BodyPieces;
use super::stored_run::StoredRun;
use super::timeline::wait_before;
use crate::base::clock;
use crate::dify::mock::answer::PING;
use crate::dify::mock::fault::{BrokenConnection, ChunkCutting, Encoding, UnusualForms, WireStep};
use crate::dify::mock::options::{MockOptions, NodePace};

/// Between two pings (recorded from both versions).
const PING_EVERY: Duration = Duration::from_secs(10);
/// The time for sent bytes to leave before the connection breaks.
const FLUSH_TIME: Duration = Duration::from_millis(20);
/// Blanks that are sent at once.
static BLANKS: [u8; 64 * 1024] = [b' '; 64 * 1024];

/// A run whose stream is played, and the event with which the stream ends when the run is stopped.
pub struct PlayedStream {
    /// The run, as the mock remembers it.
    pub stored: Arc<StoredRun>,
    /// The event of the stop; `None` where the fault loses the event that ends a run.
    pub last: Option<Bytes>,
}

/// Plays steps, with nodes at the pace of the options. A silent stream is closed after the time of the options; the stream of a
/// stopped run ends.
pub fn play(
    steps: Vec<WireStep>,
    forms: &UnusualForms,
    options: &MockOptions,
    playing: Option<PlayedStream>,
) -> BodyPieces {
    let gzip = match forms.encoding {
        Encoding::Identity => None,
        Encoding::Gzip => Some(GzEncoder::new(Vec::new(), Compression::fast())),
    };
    let (idle, pace) = (options.stream_idle, options.pace);
    let player = EventPlayer {
        steps: steps.into(),
        gzip,
        chunks: forms.chunks,
        rest: Bytes::new(),
        idle,
        pace,
        playing,
    };
    Box::pin(stream::unfold(player, next))
}

/// How a wait ends.
enum WaitOutcome {
    /// The time is over.
    TimeOver,
    /// The run is stopped: the last event of its stream.
    Stopped(Bytes),
}

struct EventPlayer {
    steps: VecDeque<WireStep>,
    gzip: Option<GzEncoder<Vec<u8>>>,
    chunks: ChunkCutting,
    /// Bytes of the current step that are not yet sent.
    rest: Bytes,
    idle: Duration,
    pace: NodePace,
    playing: Option<PlayedStream>,
}

async fn next(mut player: EventPlayer) -> Option<(Result<Bytes, BrokenConnection>, EventPlayer)> {
    loop {
        if !player.rest.is_empty() {
            let piece = match player.chunks {
                ChunkCutting::Events => std::mem::take(&mut player.rest),
                ChunkCutting::Bytes => player.rest.split_to(1),
            };
            return Some((Ok(piece), player));
        }
        let Some(step) = player.steps.pop_front() else {
            player.rest = player.gzip.take().map(finish).unwrap_or_default();
            if player.rest.is_empty() {
                return None;
            }
            continue;
        };
        match player.step(step).await {
            Ok(bytes) => player.rest = player.encode(bytes),
            Err(broken) => return Some((Err(broken), player)),
        }
    }
}

impl EventPlayer {
    /// The bytes of a step; a step that continues is put back.
    async fn step(&mut self, step: WireStep) -> Result<Bytes, BrokenConnection> {
        match step {
            WireStep::Send(bytes) => {
                let wait = wait_before(&bytes, self.pace);
                match self.wait(wait).await {
                    WaitOutcome::TimeOver => Ok(bytes),
                    WaitOutcome::Stopped(last) => Ok(last),
                }
            }
            WireStep::Blanks(count) => {
                let now = count.min(BLANKS.len() as u64);
                if count > now {
                    self.steps.push_front(WireStep::Blanks(count - now));
                }
                Ok(Bytes::from_static(&BLANKS).slice(..now as usize))
            }
            WireStep::Repeat(bytes) => {
                self.steps.push_front(WireStep::Repeat(bytes.clone()));
                Ok(bytes)
            }
            WireStep::Silence => {
                tokio::time::sleep(self.idle).await;
                Ok(Bytes::new())
            }
            WireStep::Pings => {
                tokio::time::sleep(PING_EVERY.min(self.idle)).await;
                self.idle = self.idle.saturating_sub(PING_EVERY);
                if self.idle.is_zero() {
                    return Ok(Bytes::new());
                }
                self.steps.push_front(WireStep::Pings);
                Ok(Bytes::from_static(PING))
            }
            WireStep::Break(broken) => {
                tokio::time::sleep(FLUSH_TIME).await;
                Err(broken)
            }
        }
    }

    /// Waits for a node's end. A stop ends the wait, and the stream: only what the fault adds still follows.
    async fn wait(&mut self, wait: Duration) -> WaitOutcome {
        let Some(playing) = &self.playing else {
            tokio::time::sleep(wait).await;
            return WaitOutcome::TimeOver;
        };
        let until = clock::now() + wait;
        loop {
            let changed = playing.stored.timeline.changed();
            if playing.stored.timeline.is_stopped() {
                break;
            }
            tokio::select! {
                () = tokio::time::sleep_until(until.into()) => return WaitOutcome::TimeOver,
                () = changed => {}
            }
        }
        let last = playing.last.clone().unwrap_or_default();
        self.playing = None;
        self.steps.retain(|step| !matches!(step, WireStep::Send(_) | WireStep::Blanks(_)));
        WaitOutcome::Stopped(last)
    }

    fn encode(&mut self, bytes: Bytes) -> Bytes {
        let Some(gzip) = &mut self.gzip else { return bytes };
        gzip.write_all(&bytes).and_then(|()| gzip.flush()).expect("compressing into memory does not fail");
        Bytes::from(std::mem::take(gzip.get_mut()))
    }
}

fn finish(gzip: GzEncoder<Vec<u8>>) -> Bytes {
    Bytes::from(gzip.finish().expect("compressing into memory does not fail"))
}
