//! What becomes of the events of a stream: lost, damaged, inflated, cut.

use bytes::Bytes;

use super::active::LineEnding;
use super::damage::{can_be_damaged, damaged};
use super::{
    ActiveFaults, AnswerDamage, BrokenConnection, ConnectionEnd, CutStream, LostSight, ProxyPage,
    UnusualForms, WireAnswer, WireStep,
};
use crate::dify::mock::answer::{MockRun, PING, handover_event, write_chunk, write_stream};

/// Characters of an event that comes again and again.
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
    lose_first(&mut frames, active.dress.lost);
    let lost = total - count(&frames);
    for damage in &active.damage {
        damage_one(&mut frames, *damage);
    }
    let Some(cut) = active.cut else {
        return WireAnswer::Stream { steps: dressed(&frames, &active.dress), happened: total };
    };
    let steps = match lose(run, &mut frames, cut) {
        TornTail::Steps(rest) => {
            let mut steps = dressed(&frames, &active.dress);
            steps.extend(rest);
            steps
        }
        TornTail::Broken(broken) => return WireAnswer::Broken(broken),
        TornTail::Proxy(page) => return WireAnswer::Proxy(page),
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

/// Loses events at the beginning; the last is never lost so.
fn lose_first(frames: &mut Vec<FaultFrame>, lost: u64) {
    let mut left = usize::try_from(lost).unwrap_or(usize::MAX).min(count(frames).saturating_sub(1));
    frames.retain(|frame| {
        let is_lost = frame.kind == FrameKind::Data && left > 0;
        left -= usize::from(is_lost);
        !is_lost
    });
}

/// Damages an event from the middle on; garbage stands there as one more.
fn damage_one(frames: &mut Vec<FaultFrame>, damage: AnswerDamage) {
    let middle = frames.len() / 2;
    let is_meant = |frame: &FaultFrame| frame.kind == FrameKind::Data && can_be_damaged(&frame.bytes, damage);
    let Some(at) = (middle..frames.len()).find(|at| is_meant(&frames[*at])) else { return };
    let json = frames[at].bytes.strip_prefix(b"data: ").unwrap_or_default();
    let json = json.strip_suffix(b"\n\n").unwrap_or(json);
    let bytes = Bytes::from([b"data: ", &*damaged(json, damage), b"\n\n"].concat());
    let frame = FaultFrame { bytes, kind: FrameKind::Data };
    match damage {
        AnswerDamage::GarbageFrame => frames.insert(at, frame),
        AnswerDamage::TruncatedUtf8 | AnswerDamage::InvalidJson | AnswerDamage::NanJson => frames[at] = frame,
    }
}

/// What stands after the frames that are left.
enum TornTail {
    Steps(Vec<WireStep>),
    Broken(BrokenConnection),
    Proxy(ProxyPage),
}

fn lose(run: &MockRun, frames: &mut Vec<FaultFrame>, cut: CutStream) -> TornTail {
    TornTail::Steps(match cut.loss {
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
        LostSight::ConnectionReset(None) => return TornTail::Broken(BrokenConnection::Reset),
        LostSight::ConnectionReset(Some(events)) => {
            keep(frames, Some(events));
            vec![WireStep::Break(BrokenConnection::Reset)]
        }
        LostSight::Proxy(page) => return TornTail::Proxy(page),
        LostSight::Maintenance => {
            keep(frames, Some(1));
            vec![WireStep::Send(Bytes::from(handover_event(run)))]
        }
    })
}

/// Keeps so many events, never the one that ends the run; gives the first that is not kept.
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

/// The frames in the lines and the size that were asked for.
fn dressed(frames: &[FaultFrame], dress: &UnusualForms) -> Vec<WireStep> {
    let data = (0..frames.len()).filter(|at| frames[*at].kind == FrameKind::Data);
    // The second, so that it is no matter of the wait for the first.
    let huge = data.take(2).last().filter(|_| dress.blanks > 0);
    let mut steps = Vec::with_capacity(frames.len() + 2);
    for (index, frame) in frames.iter().enumerate() {
        let bytes = match dress.lines {
            LineEnding::Lf => frame.bytes.clone(),
            LineEnding::CrLf => with_crlf(&frame.bytes),
        };
        match (huge, memchr::memchr(b'{', &bytes)) {
            (Some(huge), Some(brace)) if huge == index => {
                steps.push(WireStep::Send(bytes.slice(..=brace)));
                steps.push(WireStep::Blanks(dress.blanks));
                steps.push(WireStep::Send(bytes.slice(brace + 1..)));
            }
            (Some(_) | None, Some(_) | None) => steps.push(WireStep::Send(bytes)),
        }
    }
    steps
}

/// One more event, in the lines that were asked for.
pub fn dressed_event(event: Vec<u8>, dress: &UnusualForms) -> Bytes {
    match dress.lines {
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
