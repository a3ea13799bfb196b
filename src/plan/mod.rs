//! The plan as meant: every default filled in, every row expanded, everything compiled.

mod answers;
pub(crate) mod case;
pub(crate) mod choices;
pub(crate) mod compile;
mod compile_test;
mod endpoint;
mod expand;
mod files;
pub(crate) mod list;
pub(crate) mod live;
pub(crate) mod repeats;
pub(crate) mod select;
mod shared;
mod suite_vars;
pub(crate) mod target;
mod thresholds;

#[cfg(test)]
mod tests;
