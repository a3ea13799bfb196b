//! The mock against the recordings of real Dify, and against its own promises.

mod census;
mod derive;
mod details;
mod faults;
mod following;
mod likeness;
mod pauses;
mod recordings;
mod refusals;
mod replays;
mod scripts;
mod serving;
mod support;
