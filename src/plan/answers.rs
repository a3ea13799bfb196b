//! `human_input`: the answers of a test, compiled; and the forms that follow from them if the mock does not define them.

use std::sync::Arc;

use crate::dify::mock::script::{AnsweredForm, ScriptedField, ScriptedFieldKind};
use crate::plan::case::AnswerTemplate;
use crate::plan::files::compile_files;
use crate::plan::inputs::compile_inputs;
use crate::plan::test_templates::TestTemplates;
use crate::suite::grounds::SuiteFolder;
use crate::suite::spec::AnswerSpec;
use crate::yaml::node::{MapEntry, NodeValue};
use crate::yaml::reader::Reader;

/// Compiles the answers of a test, in the order written.
pub fn compile_answers(
    reader: &mut Reader<'_>,
    specs: &[AnswerSpec],
    grounds: &SuiteFolder,
    templates: &mut TestTemplates<'_>,
) -> Vec<AnswerTemplate> {
    let mut compile = |spec: &AnswerSpec| {
        let (inputs, files): (Vec<&MapEntry>, Vec<&MapEntry>) =
            (spec.inputs.iter().collect(), spec.files.iter().collect());
        AnswerTemplate {
            place: Arc::new(reader.source.place(spec.mark)),
            node: templates.compile(reader, &spec.node),
            action: templates.compile(reader, &spec.action),
            inputs: compile_inputs(reader, &inputs, templates),
            files: compile_files(reader, &files, grounds, templates),
        }
    };
    specs.iter().map(&mut compile).collect()
}

/// What the answers fill in, by node: the fields of a mock's form that does not say what it asks.
pub fn answered_forms(specs: &[AnswerSpec]) -> Vec<AnsweredForm> {
    let form = |spec: &AnswerSpec| {
        let inputs =
            spec.inputs.iter().map(|entry| ScriptedField::new(&entry.key, ScriptedFieldKind::Paragraph));
        let files = spec.files.iter().map(|entry| match entry.value.value {
            NodeValue::List(_) => ScriptedField::new(&entry.key, ScriptedFieldKind::Files),
            NodeValue::Null
            | NodeValue::Bool(_)
            | NodeValue::Number(_)
            | NodeValue::Text(_)
            | NodeValue::Map(_) => ScriptedField::new(&entry.key, ScriptedFieldKind::File),
        });
        let node = spec.node.as_text().unwrap_or_default().to_owned();
        AnsweredForm { node, fields: inputs.chain(files).collect() }
    };
    specs.iter().map(form).collect()
}
