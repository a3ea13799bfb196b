//! Waiting with an end: for a deadline or for the word to stop, whichever is first.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::time::Sleep;

use crate::base::clock;

/// Tells a run to stop, and why; stays `None` while it may go on.
pub type StopSignal = watch::Receiver<Option<Arc<str>>>;

/// Why a wait was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WaitEnd {
    /// The deadline passed.
    Deadline,
    /// The word to stop came.
    Stopped(Arc<str>),
}

/// The waits of one attempt: one timer and one listener, however many pieces come.
pub struct Waiter<'a> {
    /// When the whole attempt is over.
    pub end: Instant,
    stopped: Pin<Box<dyn Future<Output = Arc<str>> + Send + 'a>>,
    timer: Pin<Box<Sleep>>,
    /// How often it waited.
    pieces: u32,
}

/// Pieces that are taken before others have their turn.
const AT_A_STRETCH: u32 = 32;

impl<'a> Waiter<'a> {
    /// Begins an attempt that may last for `total`.
    pub fn new(started: Instant, total: Duration, stop: &'a mut StopSignal) -> Self {
        let end = after(started, total);
        Self {
            end,
            stopped: Box::pin(stopped(stop)),
            timer: Box::pin(tokio::time::sleep_until(end.into())),
            pieces: 0,
        }
    }

    /// Waits for a future until the deadline, or the attempt's end if that is sooner.
    ///
    /// The timer is set anew only when it goes off too early or is set too late: a stream of many pieces costs no timers.
    pub async fn wait<T>(
        &mut self,
        deadline: Instant,
        future: impl Future<Output = T>,
    ) -> Result<T, WaitEnd> {
        let deadline = tokio::time::Instant::from_std(deadline.min(self.end));
        if self.timer.deadline() > deadline {
            self.timer.as_mut().reset(deadline);
        }
        tokio::pin!(future);
        self.pieces = self.pieces.wrapping_add(1);
        if self.pieces.is_multiple_of(AT_A_STRETCH) {
            tokio::task::yield_now().await;
        }
        loop {
            // The word to stop and the attempt's end count also while every piece is there at once.
            tokio::select! {
                biased;
                reason = &mut self.stopped => return Err(WaitEnd::Stopped(reason)),
                value = &mut future => {
                    return if self.is_over(clock::now()) { Err(WaitEnd::Deadline) } else { Ok(value) };
                }
                () = &mut self.timer => {
                    if clock::now() >= deadline.into_std() {
                        return Err(WaitEnd::Deadline);
                    }
                    self.timer.as_mut().reset(deadline);
                }
            }
        }
    }

    /// True when the whole attempt's time is up.
    pub fn is_over(&self, now: Instant) -> bool {
        now >= self.end
    }
}

/// A time later; unreachably late where the sum overflows.
pub fn after(start: Instant, wait: Duration) -> Instant {
    const FAR: Duration = Duration::from_secs(86_400 * 365);
    start.checked_add(wait.min(FAR)).unwrap_or(start)
}

async fn stopped(stop: &mut StopSignal) -> Arc<str> {
    let reason = stop.wait_for(Option::is_some).await.ok().and_then(|reason| reason.clone());
    match reason {
        Some(reason) => reason,
        None => std::future::pending().await,
    }
}
