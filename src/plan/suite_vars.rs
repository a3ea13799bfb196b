//! `vars` of a suite: each may use those before it.

use std::sync::Arc;

use crate::base::bindings::Bindings;
use crate::base::template::Templates;
use crate::plan::choices::Choices;
use crate::suite::names::KnownNames;
use crate::suite::reader::Reader;
use crate::suite::spec::SuiteSpec;

/// Compiles `vars`: each may use those before it.
pub(super) fn compile_vars(
    reader: &mut Reader<'_>,
    suite: &SuiteSpec,
    templates: &mut Templates,
    choices: &Choices,
) -> (Arc<Bindings>, KnownNames) {
    let mut known = KnownNames::default();
    let mut vars = Vec::with_capacity(suite.vars.len());
    for entry in &suite.vars {
        vars.push((entry.key.clone(), reader.template(&entry.value, templates, &known)));
        known.vars.push(entry.key.clone());
    }
    (Arc::new(Bindings { vars, env: choices.env.clone() }), known)
}
