//! The mock against the recordings of real Dify, and against its own promises.

mod derive;
mod faults;
mod likeness;
mod recordings;
mod refusals;
mod scripts;
mod serving;
mod support;
