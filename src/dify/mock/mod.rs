//! A Dify that answers from the suites: a real HTTP server on loopback.
//!
//! It answers a script as Dify 1.14 (or 1.12) would: same events, order, fields, types, headers. Times are reported, not waited
//! for: the events contain `elapsed`, but a suite with slow models stays fast; only a reply's `latency` delays the first byte. A
//! stream closes at once after its terminal event (a real 1.14 closes it a second later). With `MockOptions::pace`, nodes take
//! their time too, so that a run can be watched or stopped.
//! A run goes on without its reader (`server/timeline`), and a run that waits for people waits until its forms are answered.

mod answer;
pub(crate) mod book;
pub(crate) mod fault;
mod form;
pub(crate) mod options;
mod reply;
pub(crate) mod script;
mod script_value;
pub(crate) mod server;
mod version;

#[cfg(test)]
mod tests;
