//! flowproof: regression tests for LLM workflows on Dify.

mod app;
mod assert;
mod base;
mod budget;
mod cli;
mod dify;
mod engine;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub mod harness;
mod plan;
mod record;
mod report;
mod suite;
mod yaml;

pub use cli::command_line;
