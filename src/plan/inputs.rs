//! The inputs of a test and of its answers, compiled.

use crate::base::template::Template;
use crate::plan::test_templates::TestTemplates;
use crate::yaml::node::MapEntry;
use crate::yaml::reader::Reader;

/// Compiles inputs by variable; without templates they are one literal.
pub(super) fn compile_inputs(
    reader: &mut Reader<'_>,
    entries: &[&MapEntry],
    templates: &mut TestTemplates<'_>,
) -> Template {
    let members: Vec<(String, Template)> =
        entries.iter().map(|entry| (entry.key.clone(), templates.compile(reader, &entry.value))).collect();
    if members.iter().all(|(_, member)| matches!(member, Template::Literal(_))) {
        let pairs = entries.iter().map(|entry| (entry.key.clone(), entry.value.to_json()));
        return Template::Literal(serde_json::Value::Object(pairs.collect()));
    }
    Template::Map(members)
}
