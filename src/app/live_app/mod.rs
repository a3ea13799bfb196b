//! What a live app says of itself, read for people: what a doctor finds, how a suite compares with it, a first suite for it.
//!
//! Pure: `app/probe` asks, this room judges the answers.

pub(crate) mod app;
pub(crate) mod compare;
mod compare_files;
pub(crate) mod diagnosis;
pub(crate) mod doctor;
pub(crate) mod draft_suite;
mod input_rules;
pub(crate) mod mismatch;
pub(crate) mod nodes;
mod quote;
mod sample_file;

#[cfg(test)]
mod tests;
