//! The plan as meant: every default filled in, every row expanded, everything compiled.

mod answers;
pub(crate) mod budget;
pub(crate) mod case;
mod case_compiler;
pub(crate) mod choices;
pub(crate) mod compile;
pub(crate) mod compiled;
mod contents;
pub(crate) mod endpoint;
mod environment;
mod expand;
mod files;
mod inputs;
pub(crate) mod judge;
mod judges;
pub(crate) mod list;
pub(crate) mod live;
mod print;
mod problems;
mod project_text;
mod repeated_defaults;
pub(crate) mod repeats;
pub(crate) mod secrets;
pub(crate) mod select;
pub(crate) mod shard;
pub(crate) mod share;
mod shared;
pub(crate) mod spots;
mod suite_context;
mod suite_vars;
pub(crate) mod target;
mod target_choice;
pub(crate) mod target_error;
mod test_templates;
mod thresholds;

#[cfg(test)]
mod tests;
