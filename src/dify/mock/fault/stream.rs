//! The events of a stream with faults: lost, damaged, inflated, cut.

use bytes::Bytes;

use super::active::{ActiveFaults, CutStream, LineEnding, UnusualForms};
use super::damage::{can_be_damaged, damaged};
use super::spec::{AnswerDamage, ConnectionEnd, LostSight, ProxyPage};
use super::wire_answer::{BrokenConnection, WireAnswer, WireStep};
use crate::dify::mock::answer::{MockRun, PING, handover_event, write_chunk, write_stream};

/// Characters of an event that is repeated without end.
const ENDLESS_TEXT: usize = 16 * 1024;

/// One event of a stream, or a ping.
#[derive(Debug, Clone, PartialEq, Eq)]
struct FaultFrame {
    bytes: Bytes,
    kind: FrameKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FrameKind {
    Ping,
    Data,
}

/// Plays a stream with its faults.
pub fn play_stream(run: &MockRun, active: &ActiveFaults) -> WireAnswer {
    let mut frames = frames(run);
    let total = count(&frames);
    lose_first(&mut frames, active.forms.lost);
    let lost = total - count(&frames);
    for damage in &active.damage {
        damage_one(&mut frames, *damage);
    }
    let Some(cut) = active.cut else {
        return WireAnswer::Stream { steps: steps_of(&frames, &active.forms), happened: total };
    };
    let steps = match lose(run, &mut frames, cut) {
        StreamEnding::Steps(rest) => {
            let mut steps = steps_of(&frames, &active.forms);
            steps.extend(rest);
            steps
        }
        StreamEnding::Broken(broken) => return WireAnswer::Broken(broken),
        StreamEnding::Proxy(page) => return WireAnswer::Proxy(page),
    };
    WireAnswer::Stream { steps, happened: lost + count(&frames) }
}

fn frames(run: &MockRun) -> Vec<FaultFrame> {
    let events = write_stream(run);
    let bytes = Bytes::from(events.bytes);
    let mut from = 0;
    let frame = |end: usize| {
        let bytes = bytes.slice(from..end);
        from = end;
        let kind = if bytes == PING { FrameKind::Ping } else { FrameKind::Data };
        FaultFrame { bytes, kind }
    };
    events.ends.into_iter().map(frame).collect()
}

fn count(frames: &[FaultFrame]) -> usize {
    frames.iter().filter(|frame| frame.kind == FrameKind::Data).count()
}

/// Loses events at the beginning; the last event is never lost.
fn lose_first(frames: &mut Vec<FaultFrame>, lost: u64) {
    let mut left = usize::try_from(lost).unwrap_or(usize::MAX).min(count(frames).saturating_sub(1));
    frames.retain(|frame| {
        let is_lost = frame.kind == FrameKind::Data && left > 0;
        left -= usize::from(is_lost);
        !is_lost
    });
}

/// Damages an event in the middle or after it; garbage is added there as one more.
fn damage_one(frames: &mut Vec<FaultFrame>, damage: AnswerDamage) {
    let middle = frames.len() / 2;
    let is_suitable =
        |frame: &FaultFrame| frame.kind == FrameKind::Data && can_be_damaged(&frame.bytes, damage);
    let Some(at) = (middle..frames.len()).find(|at| is_suitable(&frames[*at])) else { return };
    let json = frames[at].bytes.strip_prefix(b"data: ").unwrap_or_default();
    let json = json.strip_suffix(b"\n\n").unwrap_or(json);
    let bytes = Bytes::from([b"data: ", &*damaged(json, damage), b"\n\n"].concat());
    let frame = FaultFrame { bytes, kind: FrameKind::Data };
    match damage {
        AnswerDamage::GarbageFrame => frames.insert(at, frame),
        AnswerDamage::TruncatedUtf8 | AnswerDamage::InvalidJson | AnswerDamage::NanJson => frames[at] = frame,
    }
}

/// What follows the remaining frames.
enum StreamEnding {
    Steps(Vec<WireStep>),
    Broken(BrokenConnection),
    Proxy(ProxyPage),
}

fn lose(run: &MockRun, frames: &mut Vec<FaultFrame>, cut: CutStream) -> StreamEnding {
    StreamEnding::Steps(match cut.loss {
        LostSight::DropAfter(events) => {
            keep(frames, Some(events));
            ending(cut.end.unwrap_or(ConnectionEnd::Close))
        }
        LostSight::CutMidEvent(events) => {
            let half =
                keep(frames, events).map(|next| WireStep::Send(next.bytes.slice(..next.bytes.len() / 2)));
            half.into_iter().chain(ending(cut.end.unwrap_or(ConnectionEnd::Close))).collect()
        }
        LostSight::StallAfter(events) => {
            keep(frames, Some(events));
            vec![WireStep::Silence]
        }
        LostSight::NoTerminalEvent => {
            keep(frames, None);
            ending(cut.end.unwrap_or(ConnectionEnd::Clean))
        }
        LostSight::EndlessStream => {
            keep(frames, None);
            let text = "and so on ".repeat(ENDLESS_TEXT / 10);
            vec![WireStep::Repeat(Bytes::from(write_chunk(run, &text)))]
        }
        LostSight::ConnectionReset(None) => return StreamEnding::Broken(BrokenConnection::Reset),
        LostSight::ConnectionReset(Some(events)) => {
            keep(frames, Some(events));
            vec![WireStep::Break(BrokenConnection::Reset)]
        }
        LostSight::Proxy(page) => return StreamEnding::Proxy(page),
        LostSight::Maintenance => {
            keep(frames, Some(1));
            vec![WireStep::Send(Bytes::from(handover_event(run)))]
        }
    })
}

/// Keeps this many events, never the one that ends the run; returns the first that is not kept.
fn keep(frames: &mut Vec<FaultFrame>, events: Option<u64>) -> Option<FaultFrame> {
    let most = count(frames).saturating_sub(1);
    let kept = events.map_or(most, |events| usize::try_from(events).unwrap_or(most).min(most));
    let mut data = frames.iter().enumerate().filter(|(_, frame)| frame.kind == FrameKind::Data);
    let (at, _) = data.nth(kept)?;
    frames.drain(at..).next()
}

fn ending(end: ConnectionEnd) -> Vec<WireStep> {
    match end {
        ConnectionEnd::Clean => Vec::new(),
        ConnectionEnd::Close => vec![WireStep::Break(BrokenConnection::Closed)],
        ConnectionEnd::Reset => vec![WireStep::Break(BrokenConnection::Reset)],
    }
}

/// The steps that send the frames, with the line ends and the size of the unusual forms.
fn steps_of(frames: &[FaultFrame], forms: &UnusualForms) -> Vec<WireStep> {
    let data = (0..frames.len()).filter(|at| frames[*at].kind == FrameKind::Data);
    // The second event, so that the wait for the first is not affected.
    let huge = data.take(2).last().filter(|_| forms.blanks > 0);
    let mut steps = Vec::with_capacity(frames.len() + 2);
    for (index, frame) in frames.iter().enumerate() {
        let bytes = match forms.lines {
            LineEnding::Lf => frame.bytes.clone(),
            LineEnding::CrLf => with_crlf(&frame.bytes),
        };
        match (huge, memchr::memchr(b'{', &bytes)) {
            (Some(huge), Some(brace)) if huge == index => {
                steps.push(WireStep::Send(bytes.slice(..=brace)));
                steps.push(WireStep::Blanks(forms.blanks));
                steps.push(WireStep::Send(bytes.slice(brace + 1..)));
            }
            (Some(_) | None, Some(_) | None) => steps.push(WireStep::Send(bytes)),
        }
    }
    steps
}

/// One more event, with the line ends of the unusual forms.
pub fn event_in_form(event: Vec<u8>, forms: &UnusualForms) -> Bytes {
    match forms.lines {
        LineEnding::Lf => Bytes::from(event),
        LineEnding::CrLf => with_crlf(&event),
    }
}

fn with_crlf(bytes: &[u8]) -> Bytes {
    let mut out = Vec::with_capacity(bytes.len() + 4);
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        match line.strip_suffix(b"\n") {
            Some(line) => {
                out.extend_from_slice(line);
                out.extend_from_slice(b"\r\n");
            }
            None => out.extend_from_slice(line),
        }
    }
    Bytes::from(out)
}
