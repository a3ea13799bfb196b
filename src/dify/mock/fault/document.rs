//! A blocking answer with faults: faults of streams treat it as one event, the last.

use bytes::Bytes;

use super::active::{ActiveFaults, CutStream};
use super::damage::damaged;
use super::spec::{ConnectionEnd, LostSight};
use super::wire_answer::{BrokenConnection, WireAnswer, WireStep};
use crate::dify::mock::answer::{MockRun, write_blocking, write_paused};

/// Plays a blocking answer with its faults.
pub fn play_document(run: &MockRun, active: &ActiveFaults) -> WireAnswer {
    let has_pauses = !run.graph.pauses.is_empty();
    let body = Bytes::from(if has_pauses { write_paused(run) } else { write_blocking(run) });
    let body = active.damage.iter().fold(body, |body, damage| damaged(&body, *damage));
    match active.cut {
        None => {
            let blanks = active.forms.blanks;
            let length = Some(body.len() as u64 + blanks);
            WireAnswer::Document { steps: vec![WireStep::Blanks(blanks), WireStep::Send(body)], length }
        }
        Some(cut) => lose(&body, cut),
    }
}

fn lose(body: &Bytes, cut: CutStream) -> WireAnswer {
    match cut.loss {
        LostSight::DropAfter(_) => nothing(cut.end.unwrap_or(ConnectionEnd::Close)),
        LostSight::NoTerminalEvent => nothing(cut.end.unwrap_or(ConnectionEnd::Clean)),
        LostSight::CutMidEvent(_) => half(body, cut.end.unwrap_or(ConnectionEnd::Close)),
        LostSight::StallAfter(_) => WireAnswer::Silent,
        LostSight::EndlessStream => {
            let blanks = Bytes::from_static(&[b' '; 16 * 1024]);
            WireAnswer::Document { steps: vec![WireStep::Repeat(blanks)], length: None }
        }
        LostSight::ConnectionReset(_) => WireAnswer::Broken(BrokenConnection::Reset),
        LostSight::Proxy(page) => WireAnswer::Proxy(page),
        LostSight::Maintenance => WireAnswer::HandedOver,
    }
}

/// Half of the answer.
fn half(body: &Bytes, end: ConnectionEnd) -> WireAnswer {
    let half = body.slice(..body.len() / 2);
    let broken = match end {
        ConnectionEnd::Clean => {
            let length = Some(half.len() as u64);
            return WireAnswer::Document { steps: vec![WireStep::Send(half)], length };
        }
        ConnectionEnd::Close => BrokenConnection::Closed,
        ConnectionEnd::Reset => BrokenConnection::Reset,
    };
    let steps = vec![WireStep::Send(half), WireStep::Break(broken)];
    WireAnswer::Document { steps, length: Some(body.len() as u64) }
}

/// Nothing of the answer.
fn nothing(end: ConnectionEnd) -> WireAnswer {
    match end {
        ConnectionEnd::Clean => WireAnswer::Document { steps: Vec::new(), length: Some(0) },
        ConnectionEnd::Close => WireAnswer::Broken(BrokenConnection::Closed),
        ConnectionEnd::Reset => WireAnswer::Broken(BrokenConnection::Reset),
    }
}
