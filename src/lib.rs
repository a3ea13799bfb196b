//! flowproof: regression tests for LLM workflows on [Dify](https://dify.ai).
//!
//! Suites are YAML files: inputs of a workflow, and what must come back. flowproof runs them against a live Dify or the built-in
//! mock, judges the answers, records what happened and writes reports. Most people use the command `flowproof`. This crate is
//! for programs that do the same in their own way.
//!
//! # As tests of a crate
//!
//! [`harness::main`] is the whole of a test binary with `harness = false`: `cargo test` and `cargo nextest` then run every test
//! of every suite.
//!
//! # In a program of your own
//!
//! 1. A [`Project`] is a folder with `suites` and, where a live Dify is tested, `flowproof.yaml`.
//! 2. [`Project::load`] reads the suites that [`RunOptions`] select, and plans them. Every problem in every file is reported at
//!    once, with its place.
//! 3. [`RunnableSuites::run`] sends the requests and judges the answers. A [`RunListener`] is notified of each result.
//! 4. The [`RecordedRun`] has the results, the exit code, and every report. [`Project::record`] and [`RecordedRun::read`] read
//!    an earlier one.
//!
//! Nothing in these steps reads the arguments or the environment of the process, handles its signals, or prints. Files are
//! written below the folder of the reports (`reports` in the project, unless the options or the project name another one).
//!
//! ```no_run
//! use flowproof::{FinishedTest, Project, RunOptions};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let project = Project::in_folder("shop").with_variables([("TRIAGE_KEY", "app-…")]);
//! let suites = project.load(&RunOptions { target: Some("staging".into()), ..RunOptions::default() })?;
//! let run = suites.run(|test: &FinishedTest| eprintln!("{} {}", test.verdict.word(), test.name))?;
//! run.write_report("nightly.html".as_ref())?;
//! if run.exit_code() != 0 {
//!     eprintln!("not green: {}", run.conclusion());
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Two complete programs are in the repository: `examples/own-summary` runs suites and prints a summary of its own,
//! `examples/read-record` reads a record.

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
mod library;
mod plan;
mod record;
mod report;
mod suite;
mod yaml;

/// The values that options of a run may have.
pub mod options {
    pub use crate::base::repeat::RepeatRange;
    pub use crate::base::units::{Money, RequestRate};
    pub use crate::dify::cassette::{Mode, Speed};
    pub use crate::record::event::{NoTests, ShardChoice, ShuffleSeed};
}

pub use cli::command_line;
pub use library::{
    FinishedTest, LoadError, Project, RecordError, RecordedRun, RecordedTest, RunError, RunListener,
    RunnableSuites, SuiteProblem, TestCounts,
};
pub use record::event::RunOptions;
pub use record::verdict::Verdict;
