//! Follows a run that was sent: head, then stream or document, under the waits of its attempt.
//!
//! Times are taken as bytes arrive, before anything is read from them. The parser is chosen by the `Content-Type` that
//! came, not by the mode that was asked for.

use std::time::{Duration, Instant};

use crate::base::clock;
use crate::base::plural::plural;
use crate::base::units::format_size;
use crate::dify::client::Timeouts;
use crate::dify::client::assemble::{BodyEnd, StreamReader};
use crate::dify::client::document;
use crate::dify::client::failure;
use crate::dify::client::failure::ReadFailure;
use crate::dify::client::http_answer::{HttpAnswer, execute};
use crate::dify::client::leave::{AFTER_STOP, Stopper};
use crate::dify::client::message;
use crate::dify::client::room::{AllAnswers, Room};
use crate::dify::client::wait::{WaitEnd, Waiter, after};
use crate::dify::transcript::{Ending, RunCap, StallKind, StopOutcome, Transcript};
use crate::dify::wire::contract::Contracts;
use crate::dify::wire::error::classify_http;

/// How long a finished stream is given to end, so that its connection can be used again.
const REUSE_WAIT: Duration = Duration::from_millis(5);

/// A run that was sent.
pub struct SentRun<'a, 'b> {
    /// The waits of the attempt.
    pub timeouts: &'a Timeouts,
    /// Waits, and ends them.
    pub waiter: &'a mut Waiter<'b>,
    /// When it was sent; pauses move it, so that they are in no time.
    pub at: Instant,
    /// Most bytes of the answer, after decompression.
    pub max_body: u64,
    /// The most the run may use.
    pub cap: &'a RunCap,
    /// What the events are compared with; `None` where nobody watches.
    pub contracts: Option<&'a Contracts>,
    /// All answers that are being read.
    pub all: &'a AllAnswers,
    /// Asks Dify to stop what is given up.
    pub stopper: Stopper<'a>,
}

/// How the reading of a stream came to its end.
enum StreamEnd {
    /// The stream ended, or its run.
    Ended(BodyEnd),
    /// It cannot be read on.
    Unreadable(Ending),
    /// It is given up; the run may go on.
    Left(Ending),
}

impl SentRun<'_, '_> {
    /// Waits for the head of the answer, then reads what it announces.
    pub async fn follow(
        &mut self,
        http: &reqwest::Client,
        message: reqwest::Request,
        mut transcript: Transcript,
    ) -> Transcript {
        let url = message.url().clone();
        let deadline = after(self.at, self.timeouts.first_event);
        let response = match self.waiter.wait(deadline, execute(http, message)).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => {
                let ending = failure::describe_send(&error, &url).into();
                return Transcript { ending, elapsed: self.elapsed(), ..transcript };
            }
            Err(given_up) => {
                let ending = self.ending_of(given_up, StallKind::FirstEvent);
                return Transcript { ending, elapsed: self.elapsed(), ..transcript };
            }
        };
        let content_type = message::content_type(response.headers());
        note_head(&mut transcript, &response);
        if let Some(why) = response.unreadable() {
            let ending = unreadable(response.status().as_u16(), why);
            return Transcript { ending, elapsed: self.elapsed(), ..transcript };
        }
        if response.status().as_u16() == 200 && document::is_stream(&content_type) {
            let reader = StreamReader::new(transcript, self.max_body).watched(self.contracts);
            self.read_stream(response, reader, self.at).await
        } else {
            self.read_document(response, transcript, &content_type).await
        }
    }

    /// Reads a stream that began at a time, to its end or the run's.
    pub(super) async fn read_stream(
        &mut self,
        mut response: HttpAnswer,
        reader: StreamReader,
        begun: Instant,
    ) -> Transcript {
        let mut reader = reader.capped(self.cap);
        let mut bytes = reader.bytes_before();
        let mut deadline = after(begun, self.timeouts.first_event);
        let mut wait = StallKind::FirstEvent;
        let mut share = self.all.begin();
        let (over, elapsed) = loop {
            let piece = self.waiter.wait(deadline, response.piece()).await;
            let now = clock::now();
            let at = now.saturating_duration_since(self.at);
            match piece {
                Ok(Ok(Some(piece))) => {
                    bytes += piece.len() as u64;
                    if reader.take(&piece, at).is_break() {
                        Self::finish_body(&mut response).await;
                        break (StreamEnd::Ended(BodyEnd::Clean), at);
                    }
                    if let Err(detail) = share.grow(piece.len()) {
                        break (StreamEnd::Unreadable(Ending::Unreadable { detail }), at);
                    }
                    if bytes > self.max_body {
                        break (StreamEnd::Unreadable(too_large(self.max_body)), at);
                    }
                    if let Some(left) = reader.left() {
                        break (StreamEnd::Left(left.clone()), at);
                    }
                    if reader.has_events() {
                        wait = StallKind::Idle;
                        deadline = after(now, self.timeouts.idle);
                    }
                }
                Ok(Ok(None)) => break (StreamEnd::Ended(BodyEnd::Clean), at),
                Ok(Err(error)) => {
                    let over = match failure::describe_body(&error) {
                        Ok(end) => StreamEnd::Ended(end),
                        Err(ending) => StreamEnd::Unreadable(ending),
                    };
                    break (over, at);
                }
                Err(given_up) => match self.ending_of(given_up, wait) {
                    // It is looked for before it is stopped.
                    ending @ Ending::Stalled { .. } => break (StreamEnd::Unreadable(ending), at),
                    ending => break (StreamEnd::Left(ending), at),
                },
            }
        };
        let transcript = match over {
            StreamEnd::Ended(end) => reader.finish(&end),
            StreamEnd::Unreadable(ending) => reader.give_up(ending),
            StreamEnd::Left(ending) => self.leave(response, reader, ending).await,
        };
        Transcript { bytes, elapsed, ..transcript }
    }

    /// Asks Dify to stop a run, and reads what it still sends.
    async fn leave(
        &mut self,
        mut response: HttpAnswer,
        mut reader: StreamReader,
        ending: Ending,
    ) -> Transcript {
        reader.leave(ending);
        let Some(task_id) = reader.task_id() else { return reader.finish(&BodyEnd::Clean) };
        let stopping = self.stopper.stop(task_id).await;
        if stopping == StopOutcome::Asked {
            let (mut left, at, end) = (self.max_body, self.at, after(clock::now(), AFTER_STOP));
            let rest = async {
                while let Ok(Some(piece)) = response.piece().await {
                    left = left.saturating_sub(piece.len() as u64);
                    let now = clock::now();
                    // While every piece is there at once, no timer is looked at.
                    let is_over = left == 0 || now >= end;
                    if reader.take(&piece, now.saturating_duration_since(at)).is_break() || is_over {
                        return;
                    }
                }
            };
            drop(tokio::time::timeout(AFTER_STOP, rest).await);
        }
        Transcript { stopping: Some(stopping), ..reader.finish(&BodyEnd::Clean) }
    }

    /// Reads a finished stream's last bytes if they come at once: only then can the connection be used again.
    async fn finish_body(response: &mut HttpAnswer) {
        drop(tokio::time::timeout(REUSE_WAIT, response.drain()).await);
    }

    async fn read_document(
        &mut self,
        mut response: HttpAnswer,
        transcript: Transcript,
        content_type: &str,
    ) -> Transcript {
        let (mut body, mut share) = (Vec::new(), self.all.begin());
        let ended = loop {
            let deadline = after(clock::now(), self.timeouts.idle);
            match self.waiter.wait(deadline, response.piece()).await {
                Ok(Ok(Some(piece))) if body.len() as u64 + piece.len() as u64 > self.max_body => {
                    break Some(too_large(self.max_body));
                }
                Ok(Ok(Some(piece))) => {
                    body.extend_from_slice(&piece);
                    if let Err(detail) = share.grow(piece.len()) {
                        break Some(Ending::Unreadable { detail });
                    }
                }
                Ok(Ok(None)) => break None,
                Ok(Err(error)) => break Some(cut_body(&error, body.len())),
                Err(given_up) => break Some(self.ending_of(given_up, StallKind::Idle)),
            }
        };
        let elapsed = self.elapsed();
        let bytes = body.len() as u64;
        let room = Room::of(self.max_body);
        let ended = ended.or_else(|| {
            let detail = || format!("it holds more values than are read: {}", room.bound());
            (!room.has_room_for_tree(&body)).then(|| Ending::Unreadable { detail: detail() })
        });
        let transcript = match ended {
            None => document::read_document(transcript, content_type, &body),
            Some(ending) => Transcript { ending, ..transcript },
        };
        Transcript { elapsed, bytes, ..transcript }
    }

    /// Since it was sent, pauses left out.
    pub(super) fn elapsed(&self) -> Duration {
        clock::now().saturating_duration_since(self.at)
    }

    /// What giving up a wait means for the attempt.
    pub(super) fn ending_of(&self, given_up: WaitEnd, wait: StallKind) -> Ending {
        match given_up {
            WaitEnd::Stopped(reason) => Ending::Stopped { reason: reason.to_string() },
            WaitEnd::Deadline if self.waiter.is_over(clock::now()) => {
                Ending::TimedOut { after: self.timeouts.total }
            }
            WaitEnd::Deadline => {
                let after = match wait {
                    StallKind::FirstEvent => self.timeouts.first_event,
                    StallKind::Idle => self.timeouts.idle,
                };
                Ending::Stalled { wait, after }
            }
        }
    }
}

fn cut_body(error: &ReadFailure, received: usize) -> Ending {
    let received = format!("{received} {}", plural(received, "byte", "bytes"));
    match failure::describe_body(error) {
        Ok(BodyEnd::Broken(how)) => Ending::Cut { detail: format!("{how} after {received} of the answer") },
        Ok(BodyEnd::Clean) => Ending::Cut { detail: format!("the answer ended after {received}") },
        Err(ending) => ending,
    }
}

/// What an answer comes to whose body cannot be read: its status says whether it may be that of a run.
fn unreadable(status: u16, why: &str) -> Ending {
    match status {
        200 => Ending::Unreadable { detail: why.to_owned() },
        _ => Ending::Rejected(classify_http(
            status,
            "text/plain",
            format!("the answer cannot be read: {why}").as_bytes(),
        )),
    }
}

fn too_large(limit: u64) -> Ending {
    Ending::Unreadable {
        detail: format!(
            "the answer is larger than {}, the most that is read; it may have no end",
            format_size(limit)
        ),
    }
}

fn note_head(transcript: &mut Transcript, response: &HttpAnswer) {
    transcript.http_status = Some(response.status().as_u16());
    let headers = response.headers().iter();
    transcript.headers = headers
        .map(|(name, value)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        })
        .collect();
    let version = transcript.headers.iter().find(|(name, _)| name == "x-version");
    transcript.dify_version = version.map(|(_, version)| version.clone());
}
