//! `flowproof schema suite|project|report|compare`.

use clap::{Args, ValueEnum};

use crate::cli::exit::Exit;
use crate::cli::say;
use crate::report;
use crate::suite;

/// `flowproof schema`.
#[derive(Debug, Args)]
pub struct SchemaArgs {
    /// Which format.
    pub which: SchemaKind,
}

/// The formats with a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SchemaKind {
    /// A suite file.
    Suite,
    /// `flowproof.yaml`.
    Project,
    /// `report.json`.
    Report,
    /// `compare.json`.
    Compare,
}

/// Prints the JSON Schema of a file format.
pub fn schema(args: &SchemaArgs) -> Exit {
    let text = match args.which {
        SchemaKind::Suite => suite::schema::suite(),
        SchemaKind::Project => suite::schema::project(&report::format_words()),
        SchemaKind::Report => report::json::SCHEMA.to_owned(),
        SchemaKind::Compare => report::compare::SCHEMA.to_owned(),
    };
    say::verbatim(text.as_bytes())
}
