//! One test as meant: defaults merged key by key, templates, files and assertions compiled.

use std::sync::Arc;

use crate::assert::check::{
    Check, CompileContext, FileRoot, compile_assertions, expects_rejection, implicit_status, judges_of,
    merge_assertions, needs_status,
};
use crate::base::digest::Digest;
use crate::base::template::Templates;
use crate::dify::mock::script::{ScriptScope, compile_script};
use crate::dify::transcript::ResponseMode;
use crate::plan::answers::{answered_forms, compile_answers};
use crate::plan::case::{CompiledTest, Retries};
use crate::plan::files::compile_files;
use crate::plan::inputs::compile_inputs;
use crate::plan::print::test_print;
use crate::plan::repeats::repeats_of;
use crate::plan::shared::SharedChecks;
use crate::plan::spots::check_keys;
use crate::plan::suite_context::SuiteContext;
use crate::plan::target::{retries_of, usage_of};
use crate::plan::test_templates::TestTemplates;
use crate::suite::data::ReadState;
use crate::suite::spec::{ModeSpec, RetriesSpec, RunSpec, SuiteSpec, TestSpec};
use crate::yaml::names::KnownNames;
use crate::yaml::node::MapEntry;
use crate::yaml::reader::Reader;

/// What tests are compiled with, one after another.
pub struct TestTools<'a> {
    /// The arena of templates.
    pub templates: &'a mut Templates,
    /// The checks of earlier tests.
    pub shared: &'a mut SharedChecks,
}

/// Compiles a test; what is wrong with it is noted in the reader.
pub fn compile_test(
    reader: &mut Reader<'_>,
    spec: &TestSpec,
    context: &SuiteContext<'_>,
    tools: TestTools<'_>,
) -> CompiledTest {
    let none = RunSpec::default();
    let defaults = &context.suite.defaults;
    let inherited = if spec.skip_defaults { &none } else { defaults };
    let known = names_of(spec, &context.known);
    let mut templates = TestTemplates { templates: tools.templates, known: &known };
    let templates = &mut templates;
    let own = &spec.run;
    let inputs = merge_entries(&inherited.inputs, &own.inputs);
    let files = merge_entries(&inherited.files, &own.files);
    let checks = compile_checks(reader, spec, context, CheckTools { templates, shared: tools.shared });
    let mut test = CompiledTest {
        suite: context.head.clone(),
        name: Arc::from(spec.name.value.as_str()),
        place: Arc::new(reader.source.place(spec.name.mark)),
        tags: tags_of(context.suite, spec),
        app: context.app.clone(),
        bindings: context.bindings.clone(),
        inputs: compile_inputs(reader, &inputs, templates),
        files: compile_files(reader, &files, &context.suite.grounds, templates),
        user: own.user.as_ref().or(inherited.user.as_ref()).map(|node| templates.compile(reader, node)),
        mode: mode_of(spec, inherited),
        timeout: context
            .choices
            .options
            .timeout
            .or(own.timeout)
            .or(inherited.timeout)
            .or(context.profile.and_then(|profile| profile.timeout)),
        retries: retries_for(own.retries.over(inherited.retries), context),
        repeats: repeats_of(reader, spec, inherited, context),
        usage: context.suite.usage.map_or(context.usage, |usage| usage_of(Some(usage))),
        judges: judges_of(&checks),
        checks,
        answers: compile_answers(reader, &spec.answers, &context.suite.grounds, templates),
        mock: spec
            .mock
            .as_ref()
            .and_then(|node| {
                let mut scope = ScriptScope { templates: &mut *templates.templates, known: &known };
                compile_script(reader, node, answered_forms(&spec.answers), &mut scope)
            })
            .map(Arc::new),
        print: Digest::default(),
    };
    test.print = test_print(&test, spec, context.print, &context.judge_prints);
    test
}

/// The names that a test may use: those of its suite and of its rows.
fn names_of(spec: &TestSpec, of_suite: &KnownNames) -> KnownNames {
    let mut known = of_suite.clone();
    let Some(rows) = &spec.rows else { return known };
    known.row = Some(rows.columns.clone());
    known.header_of = rows.header_of.clone();
    known.values = match rows.read {
        ReadState::Read => known.values.map(|values| values.with_rows(rows.rows.clone())),
        ReadState::Unread => {
            known.unread.push("row");
            None
        }
    };
    known
}

fn tags_of(suite: &SuiteSpec, spec: &TestSpec) -> Vec<Arc<str>> {
    let mut tags: Vec<Arc<str>> = Vec::with_capacity(suite.tags.len() + spec.tags.len());
    for tag in suite.tags.iter().chain(&spec.tags) {
        if !tags.iter().any(|earlier| **earlier == *tag.value) {
            tags.push(Arc::from(tag.value.as_str()));
        }
    }
    tags
}

/// The inherited entries, each replaced by the test's own of that key, and then the rest of its own.
fn merge_entries<'n>(inherited: &'n [MapEntry], own: &'n [MapEntry]) -> Vec<&'n MapEntry> {
    let find = |key: &str| own.iter().find(|entry| entry.key == key);
    let replaced = inherited.iter().map(|entry| find(&entry.key).unwrap_or(entry));
    let added = own.iter().filter(|entry| !inherited.iter().any(|earlier| earlier.key == entry.key));
    replaced.chain(added).collect()
}

/// A test that expects to be rejected is sent blocking: a streaming Dify 1.14 answers bad input with silence.
fn mode_of(spec: &TestSpec, inherited: &RunSpec) -> ResponseMode {
    match spec.run.mode.or(inherited.mode) {
        Some(ModeSpec::Streaming) => ResponseMode::Streaming,
        Some(ModeSpec::Blocking) => ResponseMode::Blocking,
        None if expects_rejection(&spec.run.assertions) => ResponseMode::Blocking,
        None => ResponseMode::Streaming,
    }
}

fn retries_for(spec: RetriesSpec, context: &SuiteContext<'_>) -> Option<Retries> {
    if spec.is_empty() {
        return None;
    }
    let target = &context.retries;
    let filled = retries_of(spec);
    Some(Retries {
        count: context.choices.options.retries.or(spec.count).unwrap_or(target.count),
        delay: if spec.delay.is_some() { filled.delay } else { target.delay },
        max_delay: if spec.max_delay.is_some() { filled.max_delay } else { target.max_delay },
        jitter: if spec.jitter.is_some() { filled.jitter } else { target.jitter },
        resend: if spec.resend.is_some() { filled.resend } else { target.resend },
    })
}

/// What the checks of a test are compiled with.
struct CheckTools<'a, 't> {
    templates: &'a mut TestTemplates<'t>,
    shared: &'a mut SharedChecks,
}

fn compile_checks(
    reader: &mut Reader<'_>,
    spec: &TestSpec,
    context: &SuiteContext<'_>,
    tools: CheckTools<'_, '_>,
) -> Vec<Check> {
    let CheckTools { templates: TestTemplates { templates, known }, shared } = tools;
    let defaults = if spec.skip_defaults { &[][..] } else { &context.suite.defaults.assertions };
    let merged = merge_assertions(defaults, &spec.run.assertions);
    let grounds = &context.suite.grounds;
    let files = FileRoot { folder: grounds.folder.to_path_buf(), fence: grounds.fence.clone() };
    let mut compiling = CompileContext { templates, known, files: &files, judges: context.judges };
    let mut checks = Vec::with_capacity(merged.len() + 1);
    for node in &merged {
        if let Some(check) = shared.find(node, || reader.source.place(node.mark)) {
            checks.push(check);
            continue;
        }
        let compiled = compile_assertions(reader, std::slice::from_ref(node), &mut compiling);
        compiled.iter().for_each(|check| shared.keep(node, check));
        checks.extend(compiled);
    }
    if needs_status(&merged) {
        checks.push(implicit_status(Arc::new(reader.source.place(spec.name.mark))));
    }
    check_keys(reader, &checks);
    checks
}
