//! The plan as meant: every default filled in, every row expanded, everything compiled.

mod answers;
pub(crate) mod budget;
pub(crate) mod case;
mod case_compiler;
pub(crate) mod choices;
pub(crate) mod compile;
pub(crate) mod compiled;
mod contents;
mod endpoint;
mod environment;
mod expand;
mod files;
pub(crate) mod judge;
mod judges;
pub(crate) mod list;
pub(crate) mod live;
mod print;
mod problems;
mod repeated_inputs;
pub(crate) mod repeats;
pub(crate) mod secrets;
pub(crate) mod select;
pub(crate) mod shard;
mod shared;
pub(crate) mod spots;
mod suite_vars;
pub(crate) mod target;
mod thresholds;

#[cfg(test)]
mod tests;
