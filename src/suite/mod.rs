//! Suites and the project file as written: every value knows its place, every problem is collected.

pub(crate) mod contents;
mod csv_rows;
pub(crate) mod data;
pub(crate) mod discover;
pub(crate) mod env_file;
pub(crate) mod grounds;
pub(crate) mod keys;
pub(crate) mod load;
pub(crate) mod peek;
pub(crate) mod project;
pub(crate) mod read_answer;
pub(crate) mod read_budget;
pub(crate) mod read_compare;
pub(crate) mod read_judge;
pub(crate) mod read_repeat;
pub(crate) mod read_suite;
pub(crate) mod read_target;
pub(crate) mod read_thresholds;
pub(crate) mod schema;
pub(crate) mod spec;
pub(crate) mod table;
pub(crate) mod test_count;
pub(crate) mod test_reader;
pub(crate) mod thresholds;
mod unnamed_row;
