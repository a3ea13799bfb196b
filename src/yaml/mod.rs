//! YAML with places: nodes, the reader, problems and how they are shown. Knows no suite.

pub(crate) mod columns;
pub(crate) mod environment;
pub(crate) mod excerpt;
pub(crate) mod json;
pub(crate) mod names;
pub(crate) mod node;
pub(crate) mod parse;
pub(crate) mod problem;
pub(crate) mod reader;
pub(crate) mod render;
pub(crate) mod row;
pub(crate) mod secret_lines;
pub(crate) mod secret_values;
pub(crate) mod values;
