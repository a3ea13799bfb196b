//! What a run sent once its forms were answered, replayed for the same answers; pure.

use std::time::Duration;

use super::{AnswerDelivery, count, waiting};
use crate::dify::client::assemble::{BodyEnd, StreamReader};
use crate::dify::transcript::{Arrival, Continuation, Ending, HumanAnswer, Transcript};

/// Reads after each pause what the run then sent; `total` is the limit of the whole attempt, `elapsed` what it took.
///
/// That the answers are those that were given is the caller's to see to.
pub fn retell(
    mut transcript: Transcript,
    after: &[Continuation],
    answers: &[HumanAnswer],
    (elapsed, total): (Duration, Duration),
) -> Transcript {
    let mut giving = AnswerDelivery::of(answers);
    for continuation in after {
        if giving.next(&mut transcript).is_none() {
            break;
        }
        transcript.elapsed = continuation.answered_at;
        transcript = count(transcript, Duration::ZERO);
        let mut reader = StreamReader::resume(transcript, u64::MAX, giving.answered.clone());
        let over = continuation.events.iter().find_map(|event| tell(&mut reader, event, total));
        transcript = match over {
            Some(RetellEnd::TooLate) => reader.give_up(Ending::TimedOut { after: total }),
            Some(RetellEnd::Ended) | None => reader.finish(&BodyEnd::Clean),
        };
    }
    if transcript.ending == Ending::Paused {
        transcript.pauses.waiting = waiting(&transcript, &giving.answered);
    }
    giving.close(Transcript { elapsed: elapsed.min(total), ..transcript })
}

/// Why no more events are taken.
enum RetellEnd {
    /// The run ended or paused.
    Ended,
    /// The attempt was over before the event came.
    TooLate,
}

fn tell(reader: &mut StreamReader, event: &Arrival, total: Duration) -> Option<RetellEnd> {
    if event.at > total {
        return Some(RetellEnd::TooLate);
    }
    reader.take_event(&event.text(), event.at).is_break().then_some(RetellEnd::Ended)
}
