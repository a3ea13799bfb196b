//! `flowproof schema suite|project|report`.

use crate::cli::args::{SchemaArgs, SchemaKind};
use crate::cli::exit::Exit;
use crate::cli::say;

/// Prints the JSON Schema of a file format.
pub fn schema(args: &SchemaArgs) -> Exit {
    let text = match args.which {
        SchemaKind::Suite => crate::suite::schema::SUITE,
        SchemaKind::Project => crate::suite::schema::PROJECT,
        SchemaKind::Report => crate::report::json::SCHEMA,
    };
    say::bytes(text.as_bytes())
}
