//! The endpoint's own clock: how long it took itself over each run.
//!
//! A run begins when its request has been read to the end. A time is noted when the part of the answer that ends with
//! the first model token, or with the terminal event, is handed to hyper, which writes it at once.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use crate::times::Times;

/// The part that ends with the first model token: after the one that ends with `workflow_started`.
const FIRST_TOKEN_PART: usize = 1;

/// The times of all runs that ended since it was last read.
#[derive(Debug, Default)]
pub struct OwnClock(Mutex<Vec<Times>>);

impl OwnClock {
    /// Takes the times that were noted.
    pub fn take(&self) -> Vec<Times> {
        std::mem::take(&mut *self.0.lock().expect("no holder of the lock panics"))
    }
}

/// The clock of one run.
#[derive(Debug)]
pub struct Watch {
    clock: Arc<OwnClock>,
    started: Instant,
    times: Times,
}

impl Watch {
    /// Watches the run of a row whose request had been read at `started`.
    pub fn new(clock: Arc<OwnClock>, n: u64, started: Instant) -> Self {
        Self { clock, started, times: Times { n, first_token_ms: None, ended_ms: None } }
    }

    /// Notes that a part of this many is handed over.
    pub fn part(&mut self, index: usize, count: usize) {
        let now = Some(self.started.elapsed().as_secs_f64() * 1000.0);
        if index == FIRST_TOKEN_PART {
            self.times.first_token_ms = now;
        }
        if index + 1 == count {
            self.times.ended_ms = now;
            self.clock.0.lock().expect("no holder of the lock panics").push(self.times);
        }
    }
}
