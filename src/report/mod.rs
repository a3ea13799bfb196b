//! Documents made from a folded run, and the live terminal; every document is a pure function of the record.

mod budget;
mod case_batch;
pub(crate) mod compare;
mod csv;
mod diff;
mod explain;
mod facts;
mod format;
pub(crate) mod gates;
pub(crate) mod github;
mod headline;
mod html;
pub(crate) mod json;
mod json_counts;
mod judges;
mod junit;
mod junit_cases;
mod junit_gates;
mod latest;
mod markdown;
mod named;
mod property;
mod provenance;
mod repeats;
mod run_facts;
mod short_path;
mod shown_parts;
pub(crate) mod snapshot;
mod source_line;
mod spent;
mod standing;
mod step_summary;
mod tap;
pub(crate) mod terminal;
#[cfg(test)]
mod tests;
pub(crate) mod text;
mod write;
mod xml;

pub(crate) use format::{ReportError, ReportFormat};
pub(crate) use judges::prices;
pub(crate) use latest::check_latest;
pub(crate) use spent::usage_texts;
pub(crate) use step_summary::{add_step_summary, append_summary};
pub(crate) use write::{kind_of, write_all, write_file};
