//! What the templates of a test are compiled with.

use crate::base::template::{Template, Templates};
use crate::yaml::names::KnownNames;
use crate::yaml::node::Node;
use crate::yaml::reader::Reader;

/// The arena of templates, and the names that those of a test may use.
pub(super) struct TestTemplates<'a> {
    /// The arena.
    pub templates: &'a mut Templates,
    /// The names.
    pub known: &'a KnownNames,
}

impl TestTemplates<'_> {
    /// Compiles a value; what is wrong with it is noted in the reader.
    pub fn compile(&mut self, reader: &mut Reader<'_>, node: &Node) -> Template {
        reader.template(node, self.templates, self.known)
    }
}
