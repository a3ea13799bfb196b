//! `flowproof schema suite|project|report|compare`.

use clap::{Args, ValueEnum};

use crate::cli::exit::Exit;
use crate::cli::say;

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
        SchemaKind::Suite => crate::suite::schema::SUITE,
        SchemaKind::Project => crate::suite::schema::PROJECT,
        SchemaKind::Report => crate::report::json::SCHEMA,
        SchemaKind::Compare => crate::report::compare::SCHEMA,
    };
    say::verbatim(text.as_bytes())
}
