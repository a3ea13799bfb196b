//! A Dify that answers from the suites: a real HTTP server on loopback.
//!
//! What a script says is put on the wire as Dify 1.14 (or 1.12) would: same events, order, fields, types, headers. Times are
//! facts, not waits: `elapsed` is reported in the events and never slept, so that a suite with slow models stays fast; only a
//! reply's `latency` is really waited, before the first byte. A stream closes at once after its terminal event (a real 1.14
//! lingers for a second). `MockOptions::pace` waits for nodes too, for those who want to watch or stop a run.
//! A run goes on without its reader (`server/life`), and one that waits for people waits until its forms are answered.

mod answer;
pub(crate) mod book;
pub(crate) mod fault;
mod form;
pub(crate) mod options;
mod reply;
pub(crate) mod script;
pub(crate) mod server;

#[cfg(test)]
mod tests;
