//! From YAML nodes to checks: every key, operand and path is examined here, at its place.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;

use crate::base::origin::Place;
use crate::base::template::Templates;
use crate::suite::names::KnownNames;
use crate::suite::node::Node;
use crate::suite::reader::Reader;

use super::Check;

/// Where the files that schemas name may lie.
#[derive(Debug, Clone)]
pub struct FileRoot {
    /// The folder of the suite: relative paths start here.
    pub folder: PathBuf,
    /// The folder that may not be left; none with `--allow-outside`.
    pub root: Option<PathBuf>,
}

/// What compiling needs besides the nodes.
pub struct CompileContext<'a> {
    /// The arena that takes the operands' templates.
    pub templates: &'a mut Templates,
    /// The names those templates may use.
    pub known: &'a KnownNames,
    /// Where schema files may lie.
    pub files: &'a FileRoot,
}

/// Compiles a test's assertions; what is wrong with them is noted in the reader, at its place.
pub fn compile_assertions(reader: &mut Reader<'_>, nodes: &[Cow<'_, Node>], context: &mut CompileContext<'_>) -> Vec<Check> {
    let _ = (reader, nodes, context);
    Vec::new()
}

/// The defaults' assertions, less the subjects that the test sets itself, and then the test's own.
///
/// `status`, `tokens`, `cost`, `latency`, `ttft`, `max_gap` and `steps` replace those of the defaults, outside groups and without
/// `node`; a default that has other subjects beside keeps those.
pub fn merge_assertions<'n>(defaults: &'n [Node], own: &'n [Node]) -> Vec<Cow<'n, Node>> {
    defaults.iter().chain(own).map(Cow::Borrowed).collect()
}

/// True when no `status` of severity error stands outside groups, so that `implicit_status` must be added.
pub fn needs_status(merged: &[Cow<'_, Node>]) -> bool {
    merged.is_empty()
}

/// True when a test's own assertions expect the status `rejected` and no other: it is sent in blocking mode.
pub fn expects_rejection(own: &[Node]) -> bool {
    own.is_empty()
}

/// The implied `status: succeeded`, standing at the test's name.
pub fn implicit_status(place: Arc<Place>) -> Check {
    let _ = place;
    Check {}
}
