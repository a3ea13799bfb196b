//! Plays the steps of a fault on the wire, in the form that was asked for.

use std::collections::VecDeque;
use std::io::Write;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::{Stream, stream};

use super::pace::wait_before;
use super::state::StoredRun;
use crate::base::clock;
use crate::dify::mock::answer::PING;
use crate::dify::mock::fault::{BrokenConnection, ChunkCutting, Encoding, UnusualForms, WireStep};
use crate::dify::mock::options::{MockOptions, NodePace};

/// Between two pings (recorded from both versions).
const PING_EVERY: Duration = Duration::from_secs(10);
/// How long what was sent is given to leave before the connection breaks.
const LEAVE: Duration = Duration::from_millis(20);
/// Blanks sent at once.
static BLANKS: [u8; 64 * 1024] = [b' '; 64 * 1024];

/// The pieces of a body, and perhaps its breaking off.
pub type BodyPieces = Pin<Box<dyn Stream<Item = Result<Bytes, BrokenConnection>> + Send>>;

/// A run whose stream is played, and what its stream ends with when it is stopped.
pub struct PlayedStream {
    /// The run, as the mock remembers it.
    pub stored: Arc<StoredRun>,
    /// The event of the stop; none where the fault loses the event that ends a run.
    pub last: Option<Bytes>,
}

/// Plays steps, nodes at their pace; a silent stream is closed as the mock's options say, that of a stopped run ends.
pub fn play(
    steps: Vec<WireStep>,
    dress: &UnusualForms,
    options: &MockOptions,
    playing: Option<PlayedStream>,
) -> BodyPieces {
    let gzip = match dress.encoding {
        Encoding::Identity => None,
        Encoding::Gzip => Some(GzEncoder::new(Vec::new(), Compression::fast())),
    };
    let (idle, pace) = (options.stream_idle, options.pace);
    let player = EventPlayer {
        steps: steps.into(),
        gzip,
        chunks: dress.chunks,
        rest: Bytes::new(),
        idle,
        pace,
        playing,
    };
    Box::pin(stream::unfold(player, next))
}

/// How a wait came to its end.
enum WaitOutcome {
    /// The time is over.
    Whole,
    /// The run was stopped: what its stream ends with.
    Stopped(Bytes),
}

struct EventPlayer {
    steps: VecDeque<WireStep>,
    gzip: Option<GzEncoder<Vec<u8>>>,
    chunks: ChunkCutting,
    /// What is still to be sent byte by byte.
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
            player.rest = player.gzip.take().map(finished).unwrap_or_default();
            if player.rest.is_empty() {
                return None;
            }
            continue;
        };
        match player.step(step).await {
            Ok(bytes) => player.rest = player.encoded(bytes),
            Err(broken) => return Some((Err(broken), player)),
        }
    }
}

impl EventPlayer {
    /// The bytes of a step; steps that go on put themselves back.
    async fn step(&mut self, step: WireStep) -> Result<Bytes, BrokenConnection> {
        match step {
            WireStep::Send(bytes) => {
                let wait = wait_before(&bytes, self.pace);
                match self.wait(wait).await {
                    WaitOutcome::Whole => Ok(bytes),
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
                tokio::time::sleep(LEAVE).await;
                Err(broken)
            }
        }
    }

    /// Waits for a node's end; a stop ends the wait, and the stream: what is still to come is what the fault adds.
    async fn wait(&mut self, wait: Duration) -> WaitOutcome {
        let Some(playing) = &self.playing else {
            tokio::time::sleep(wait).await;
            return WaitOutcome::Whole;
        };
        let until = clock::now() + wait;
        loop {
            let changed = playing.stored.life.changed();
            if playing.stored.life.is_stopped() {
                break;
            }
            tokio::select! {
                () = tokio::time::sleep_until(until.into()) => return WaitOutcome::Whole,
                () = changed => {}
            }
        }
        let last = playing.last.clone().unwrap_or_default();
        self.playing = None;
        self.steps.retain(|step| !matches!(step, WireStep::Send(_) | WireStep::Blanks(_)));
        WaitOutcome::Stopped(last)
    }

    fn encoded(&mut self, bytes: Bytes) -> Bytes {
        let Some(gzip) = &mut self.gzip else { return bytes };
        gzip.write_all(&bytes).and_then(|()| gzip.flush()).expect("compressing into memory does not fail");
        Bytes::from(std::mem::take(gzip.get_mut()))
    }
}

fn finished(gzip: GzEncoder<Vec<u8>>) -> Bytes {
    Bytes::from(gzip.finish().expect("compressing into memory does not fail"))
}
