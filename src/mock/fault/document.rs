//! What becomes of a blocking answer: to the faults of streams it is one event, the last.

use bytes::Bytes;

use super::damage::damaged;
use super::{Active, Broken, Cut, End, Loss, Played, Step};
use crate::mock::answer::{Run, write_blocking, write_paused};

/// Plays a blocking answer with its faults.
pub fn play_document(run: &Run, active: &Active) -> Played {
    let has_pauses = !run.graph.pauses.is_empty();
    let body = Bytes::from(if has_pauses { write_paused(run) } else { write_blocking(run) });
    let body = active.damage.iter().fold(body, |body, damage| damaged(&body, *damage));
    match active.cut {
        None => {
            let blanks = active.dress.blanks;
            let length = Some(body.len() as u64 + blanks);
            Played::Document { steps: vec![Step::Blanks(blanks), Step::Send(body)], length }
        }
        Some(cut) => lose(&body, cut),
    }
}

fn lose(body: &Bytes, cut: Cut) -> Played {
    match cut.loss {
        Loss::DropAfter(_) => nothing(cut.end.unwrap_or(End::Close)),
        Loss::NoTerminalEvent => nothing(cut.end.unwrap_or(End::Clean)),
        Loss::CutMidEvent(_) => half(body, cut.end.unwrap_or(End::Close)),
        Loss::StallAfter(_) => Played::Silent,
        Loss::EndlessStream => {
            let blanks = Bytes::from_static(&[b' '; 16 * 1024]);
            Played::Document { steps: vec![Step::Repeat(blanks)], length: None }
        }
        Loss::ConnectionReset(_) => Played::Broken(Broken::Reset),
        Loss::Proxy(page) => Played::Proxy(page),
        Loss::Maintenance => Played::HandedOver,
    }
}

/// Half of the answer.
fn half(body: &Bytes, end: End) -> Played {
    let half = body.slice(..body.len() / 2);
    let broken = match end {
        End::Clean => {
            let length = Some(half.len() as u64);
            return Played::Document { steps: vec![Step::Send(half)], length };
        }
        End::Close => Broken::Closed,
        End::Reset => Broken::Reset,
    };
    let steps = vec![Step::Send(half), Step::Break(broken)];
    Played::Document { steps, length: Some(body.len() as u64) }
}

/// Nothing of the answer.
fn nothing(end: End) -> Played {
    match end {
        End::Clean => Played::Document { steps: Vec::new(), length: Some(0) },
        End::Close => Played::Broken(Broken::Closed),
        End::Reset => Played::Broken(Broken::Reset),
    }
}
