//! What a suite's tests share, and one test as meant: defaults merged key by key, templates, files and assertions compiled.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::assert::check::{
    Check, CompileContext, FileRoot, UsageAudit, compile_assertions, expects_rejection, implicit_status,
    judges_of, merge_assertions, needs_status,
};
use crate::assert::judge::JudgeName;
use crate::base::bindings::Bindings;
use crate::base::digest::Digest;
use crate::base::file_name::encoded;
use crate::base::template::{Template, Templates};
use crate::dify::mock::script::{ScriptScope, compile_script};
use crate::dify::transcript::ResponseMode;
use crate::plan::answers::{answered_forms, compile_answers};
use crate::plan::budget;
use crate::plan::case::{CompiledTest, Retries, SuiteHead};
use crate::plan::choices::Choices;
use crate::plan::files::compile_files;
use crate::plan::print::{SuitePrint, test_print};
use crate::plan::repeats::repeats_of;
use crate::plan::shared::SharedChecks;
use crate::plan::spots::check_keys;
use crate::plan::target::{retries_of, usage_of};
use crate::suite::data::ReadState;
use crate::suite::project::ProfileSpec;
use crate::suite::spec::{ModeSpec, RetriesSpec, RunSpec, SuiteSpec, TestSpec};
use crate::yaml::names::KnownNames;
use crate::yaml::node::MapEntry;
use crate::yaml::reader::Reader;

/// What all tests of a suite share.
pub struct SuiteContext<'a> {
    /// The suite's own facts.
    pub head: Arc<SuiteHead>,
    /// The suite as written.
    pub suite: &'a SuiteSpec,
    /// The app it tests.
    pub app: Arc<str>,
    /// Its `vars` and the environment.
    pub bindings: Arc<Bindings>,
    /// The names that all its tests may use.
    pub known: KnownNames,
    /// Choices of the command line.
    pub choices: &'a Choices,
    /// The profile in use.
    pub profile: Option<&'a ProfileSpec>,
    /// `usage` of the target.
    pub usage: UsageAudit,
    /// Retries of the target.
    pub retries: Retries,
    /// The fingerprint of what all its tests have in common.
    pub(super) print: SuitePrint,
    /// The judges of the project.
    pub judges: &'a [JudgeName],
    /// The fingerprints of those that can be asked.
    pub judge_prints: BTreeMap<String, Digest>,
}

/// A suite's own facts.
pub fn head_of(suite: &SuiteSpec) -> SuiteHead {
    let (folder, file) = (&suite.grounds.folder, Path::new(&*suite.source.name));
    let cassette = file.with_extension("jsonl");
    let stem = encoded(&file.file_stem().unwrap_or_default().to_string_lossy());
    SuiteHead {
        name: Arc::from(suite.name.value.as_str()),
        budget: budget::of_suite(suite),
        cassette: folder.join("cassettes").join(cassette.file_name().unwrap_or_default()),
        place: suite.grounds.place.clone(),
        snapshots: Arc::new(folder.join("snapshots").join(stem)),
    }
}

/// Compiles a test; what is wrong with it is noted in the reader.
pub fn compile_test(
    reader: &mut Reader<'_>,
    spec: &TestSpec,
    context: &SuiteContext<'_>,
    (templates, shared): (&mut Templates, &mut SharedChecks),
) -> CompiledTest {
    let none = RunSpec::default();
    let defaults = &context.suite.defaults;
    let inherited = if spec.skip_defaults { &none } else { defaults };
    let known = names_of(spec, &context.known);
    let own = &spec.run;
    let inputs = merge_entries(&inherited.inputs, &own.inputs);
    let files = merge_entries(&inherited.files, &own.files);
    let checks = compile_checks(reader, spec, (context, shared), (&mut *templates, &known));
    let mut test = CompiledTest {
        suite: context.head.clone(),
        name: Arc::from(spec.name.value.as_str()),
        place: Arc::new(reader.source.place(spec.name.mark)),
        tags: tags_of(context.suite, spec),
        app: context.app.clone(),
        bindings: context.bindings.clone(),
        inputs: compile_inputs(reader, &inputs, templates, &known),
        files: compile_files(reader, &files, &context.suite.grounds, (&mut *templates, &known)),
        user: own
            .user
            .as_ref()
            .or(inherited.user.as_ref())
            .map(|node| reader.template(node, templates, &known)),
        mode: mode_of(spec, inherited),
        timeout: context
            .choices
            .timeout
            .or(own.timeout)
            .or(inherited.timeout)
            .or(context.profile.and_then(|profile| profile.timeout)),
        retries: retries_for(own.retries.over(inherited.retries), context),
        repeats: repeats_of(reader, spec, inherited, context),
        usage: context.suite.usage.map_or(context.usage, |usage| usage_of(Some(usage))),
        judges: judges_of(&checks),
        checks,
        answers: compile_answers(reader, &spec.answers, &context.suite.grounds, (&mut *templates, &known)),
        mock: spec
            .mock
            .as_ref()
            .and_then(|node| {
                let mut scope = ScriptScope { templates: &mut *templates, known: &known };
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

pub(super) fn compile_inputs(
    reader: &mut Reader<'_>,
    entries: &[&MapEntry],
    templates: &mut Templates,
    known: &KnownNames,
) -> Template {
    let members: Vec<(String, Template)> = entries
        .iter()
        .map(|entry| (entry.key.clone(), reader.template(&entry.value, templates, known)))
        .collect();
    if members.iter().all(|(_, member)| matches!(member, Template::Literal(_))) {
        let pairs = entries.iter().map(|entry| (entry.key.clone(), entry.value.to_json()));
        return Template::Literal(serde_json::Value::Object(pairs.collect()));
    }
    Template::Map(members)
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
        count: context.choices.retries.or(spec.count).unwrap_or(target.count),
        delay: if spec.delay.is_some() { filled.delay } else { target.delay },
        max_delay: if spec.max_delay.is_some() { filled.max_delay } else { target.max_delay },
        jitter: if spec.jitter.is_some() { filled.jitter } else { target.jitter },
        resend: if spec.resend.is_some() { filled.resend } else { target.resend },
    })
}

fn compile_checks(
    reader: &mut Reader<'_>,
    spec: &TestSpec,
    (context, shared): (&SuiteContext<'_>, &mut SharedChecks),
    (templates, known): (&mut Templates, &KnownNames),
) -> Vec<Check> {
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
