//! flowproof: regression tests for LLM workflows on Dify.

mod base;
mod cassette;
mod check;
mod cli;
mod client;
mod compare;
mod drift;
mod engine;
mod event;
mod exchange;
mod files;
mod gate;
pub mod harness;
mod history;
mod journal;
mod judge;
mod ledger;
mod mock;
mod outcome;
mod plan;
mod probe;
mod report;
mod session;
mod settings;
mod suite;
mod verdict;
mod whole_file;
mod wire;

pub use cli::command_line;
