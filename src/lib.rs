//! flowproof: regression tests for LLM workflows on Dify.

#![cfg_attr(
    any(test, fuzzing),
    allow(
        clippy::allow_attributes_without_reason,
        clippy::disallowed_methods,
        clippy::fn_params_excessive_bools,
        clippy::too_many_lines,
        clippy::unwrap_used,
        reason = "tests may unwrap, and are of any length"
    )
)]

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
