//! What a case would send: its inputs rendered, its files by name; nothing is read or uploaded.

use serde_json::Value;

use crate::app::live_app::mismatch::{NamedInput, SentFile, SentInput};
use crate::base::bindings::AttemptNames;
use crate::base::template::{Template, TemplateScope};
use crate::dify::wire::file::file_kind;
use crate::plan::case::{Case, FileSource, FileTemplate, Plan};

/// The most repeats of a test whose inputs go by `repeat.index`.
const MOST_REPEATS: u32 = 100;

/// How many repeats of a case must be looked at: one, but where its inputs go by the repeat.
pub fn repeats(plan: &Plan, case: &Case) -> u32 {
    let goes_by =
        |template: &Template| plan.templates.names(template).iter().any(|name| name.starts_with("repeat"));
    let vars = case.test.bindings.vars.iter().any(|(_, template)| goes_by(template));
    let files =
        case.test.files.iter().any(|(_, file)| sources(file).iter().any(|source| goes_by(name_of(source))));
    match vars || files || goes_by(&case.test.inputs) {
        true => case.test.repeats.times.most().clamp(1, MOST_REPEATS),
        false => 1,
    }
}

/// Everything that a repeat of a case sends, or why it cannot be known.
pub fn sent(plan: &Plan, case: &Case, repeat: u32) -> Result<Vec<NamedInput>, String> {
    let names = AttemptNames { test: &case.test.name, run: "check", repeat, row: case.row.as_deref() };
    let scope =
        case.test.bindings.scope(&plan.templates, names).map_err(|error| format!("`vars`: {error}"))?;
    let rendered = plan.templates.render(&case.test.inputs, &scope);
    let inputs = match rendered.map_err(|error| format!("`inputs`: {error}"))? {
        Value::Object(inputs) => inputs,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Default::default()
        }
    };
    let mut sent: Vec<NamedInput> = Vec::new();
    for (name, file) in &case.test.files {
        let files = sources(file).iter().map(|source| sent_file(plan, source, &scope));
        let files: Result<Vec<SentFile>, String> = files.collect();
        let mut files = files.map_err(|error| format!("`files.{name}`: {error}"))?;
        let of_input = match file {
            FileTemplate::One(_) => SentInput::File(files.remove(0)),
            FileTemplate::Many(_) => SentInput::Files(files),
        };
        sent.push(NamedInput { name: name.clone(), sent: of_input });
    }
    let values = inputs.into_iter().filter(|(name, _)| !case.test.files.iter().any(|(file, _)| file == name));
    sent.extend(values.map(|(name, value)| NamedInput { name, sent: SentInput::Value(value) }));
    Ok(sent)
}

fn sources(file: &FileTemplate) -> &[FileSource] {
    match file {
        FileTemplate::One(source) => std::slice::from_ref(source),
        FileTemplate::Many(sources) => sources,
    }
}

fn name_of(source: &FileSource) -> &Template {
    match source {
        FileSource::Path { path, .. } => path,
        FileSource::Url { url, .. } => url,
    }
}

fn sent_file(plan: &Plan, source: &FileSource, scope: &TemplateScope) -> Result<SentFile, String> {
    let name = plan.templates.render_text(name_of(source), scope).map_err(|error| error.to_string())?;
    let (kind, method) = match source {
        FileSource::Path { kind, .. } => (kind, "local_file"),
        FileSource::Url { kind, .. } => (kind, "remote_url"),
    };
    let kind = kind.clone().unwrap_or_else(|| file_kind(&name).to_owned());
    Ok(SentFile { name, kind, method })
}
