//! Assertions decided by data: each case in `tests/data/check/` names an assertion, a transcript and what must become of it.

mod growth;
mod judging;
mod laws;
mod transcript;

use std::borrow::Cow;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::assert::judge::{JudgeKind, JudgeName, JudgeQuestions};
use crate::assert::snapshot::{Approved, Cleaner, SnapshotAttempt};
use crate::base::redact::Redactor;
use crate::base::template::{TemplateScope, Templates};
use crate::record::verdict::{Finding, Truth, Verdict, judge};
use crate::yaml::names::KnownNames;
use crate::yaml::node::Node;
use crate::yaml::parse::parse_yaml;
use crate::yaml::problem::Problem;
use crate::yaml::reader::Reader;

use super::{Check, CheckResult, CompileContext, Context, FileRoot, UsageAudit, compile_assertions, examine};

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/check")
}

/// The judges of every assertion here.
fn judges() -> Vec<JudgeName> {
    let judge = |name: &str, kind| JudgeName { name: name.to_owned(), kind };
    vec![judge("tone", JudgeKind::Endpoint), judge("grader", JudgeKind::App)]
}

/// An assertion compiled on its own.
struct Compiled {
    checks: Vec<Check>,
    problems: Vec<Problem>,
    templates: Templates,
}

fn compile(
    source: &std::sync::Arc<crate::yaml::node::SourceText>,
    nodes: &[&Node],
    vars: &Value,
) -> Compiled {
    let mut templates = Templates::new();
    let mut problems = Vec::new();
    let known = KnownNames {
        vars: vars.as_object().map(|vars| vars.keys().cloned().collect()).unwrap_or_default(),
        ..KnownNames::default()
    };
    let files =
        FileRoot { folder: data().join("schemas"), fence: crate::base::files::Fence::around(&data()) };
    let judges = judges();
    let mut context =
        CompileContext { templates: &mut templates, known: &known, files: &files, judges: &judges };
    let mut reader = Reader { source: source.clone(), problems: &mut problems };
    let nodes: Vec<Cow<'_, Node>> = nodes.iter().map(|node| Cow::Borrowed(*node)).collect();
    let checks = compile_assertions(&mut reader, &nodes, &mut context);
    Compiled { checks, problems, templates }
}

fn run(
    compiled: &Compiled,
    transcript: &crate::dify::transcript::Transcript,
    (vars, approved): (&Value, &Value),
    usage: UsageAudit,
) -> Vec<Finding> {
    let entries = approved.as_object().cloned().unwrap_or_default().into_iter().collect();
    let approved = Approved { shown: "snapshots/s/t.json".to_owned(), entries };
    let cleaner = Cleaner::new(Redactor::new(["hunter2hunter2".to_owned()]));
    let taking = SnapshotAttempt::new(&approved, &cleaner);
    let scope = TemplateScope::new().with_vars(vars).with_test("a test").with_run("run-1").with_repeat(0);
    let judging = JudgeQuestions::default();
    let context = Context::new(&compiled.templates, &scope, usage, &judging).taking(Some(&taking));
    examine(&compiled.checks, transcript, &context).findings
}

/// Cause and facts of a transcript that nothing is asserted of.
fn look_at(transcript: &crate::dify::transcript::Transcript, usage: UsageAudit) -> CheckResult {
    let (templates, scope) = (Templates::new(), TemplateScope::new());
    let judging = JudgeQuestions::default();
    examine(&[], transcript, &Context::new(&templates, &scope, usage, &judging))
}

/// Compiles and judges one YAML assertion.
fn judge_yaml(yaml: &str, transcript: &Value) -> Finding {
    let mut problems = Vec::new();
    let document = parse_yaml("t.yaml", yaml.as_bytes().to_vec(), &mut problems);
    let root = document.root.expect("YAML");
    let compiled = compile(&document.source, &[&root], &Value::Null);
    assert!(compiled.problems.is_empty(), "{yaml}: {:?}", compiled.problems);
    run(&compiled, &transcript::build(transcript), (&Value::Null, &Value::Null), UsageAudit::Audit).remove(0)
}

fn check_case(
    file: &str,
    base: &Value,
    source: &std::sync::Arc<crate::yaml::node::SourceText>,
    case: &Node,
) -> Result<(), String> {
    let json = case.to_json();
    let place = format!("{file}:{}", case.mark.line);
    let vars = json.get("vars").cloned().unwrap_or(Value::Null);
    let compiled = compile(source, &[case.get("assert").ok_or(format!("{place}: no assert"))?], &vars);
    if let Some(expected) = json["problem"].as_str() {
        let said: Vec<String> = compiled
            .problems
            .iter()
            .map(|p| format!("{} ({})", p.message, p.help.as_deref().unwrap_or_default()))
            .collect();
        let at = json["at"].as_str().is_none_or(|at| {
            compiled.problems.iter().any(|p| {
                p.place.excerpt.chars().skip(p.place.column as usize - 1).collect::<String>().starts_with(at)
            })
        });
        let found = said.iter().any(|said| said.contains(expected)) && compiled.checks.is_empty();
        return if found && at {
            Ok(())
        } else {
            Err(format!(
                "{place}: expected the problem {expected:?}, found {said:?} {:?}",
                compiled.problems.first().map(|p| &p.place)
            ))
        };
    }
    if !compiled.problems.is_empty() {
        return Err(format!("{place}: {:?}", compiled.problems));
    }
    let spec = transcript::overlay(base, &json["transcript"]);
    let usage = if json["usage"] == "trust" { UsageAudit::Trust } else { UsageAudit::Audit };
    let finding = run(&compiled, &transcript::build(&spec), (&vars, &json["approved"]), usage).remove(0);
    let truth = match json["truth"].as_str() {
        Some("held") => Truth::Held,
        Some("broken") => Truth::Broken,
        Some("undecided") => Truth::Undecided,
        other => return Err(format!("{place}: truth {other:?}")),
    };
    let message = json["message"].as_str().unwrap_or_default();
    if finding.truth != truth || !finding.message.contains(message) {
        return Err(format!(
            "{place}: expected {truth:?} {message:?}, found {:?} {:?}",
            finding.truth, finding.message
        ));
    }
    if (finding.truth == Truth::Held) != finding.message.is_empty() {
        return Err(format!("{place}: {:?} with the message {:?}", finding.truth, finding.message));
    }
    if let Some(label) = json["label"].as_str()
        && finding.label != label
    {
        return Err(format!("{place}: expected the label {label:?}, found {:?}", finding.label));
    }
    let expected = match truth {
        Truth::Held => Verdict::Passed,
        Truth::Broken => Verdict::Failed,
        Truth::Undecided => Verdict::Errored,
    };
    if json["assert"]["severity"] != "warn" && judge(&[finding]) != expected {
        return Err(format!("{place}: the verdict is not {expected:?}"));
    }
    Ok(())
}

#[test]
fn every_case_comes_out_as_its_file_says() {
    let mut failures = Vec::new();
    let mut count = 0;
    let mut files: Vec<PathBuf> = fs::read_dir(data()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "yaml"));
    files.sort();
    for path in files {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let mut problems = Vec::new();
        let document = parse_yaml(&name, fs::read(&path).unwrap(), &mut problems);
        assert!(problems.is_empty(), "{problems:?}");
        let root = document.root.unwrap();
        let base = root.get("transcript").map_or(Value::Null, Node::to_json);
        for case in root.get("cases").unwrap().as_list().unwrap() {
            count += 1;
            failures.extend(check_case(&name, &base, &document.source, case).err());
        }
    }
    assert!(failures.is_empty(), "{} of {count} cases:\n{}", failures.len(), failures.join("\n"));
    assert!(count >= 150, "only {count} cases");
    println!("{count} cases");
}

#[test]
fn a_name_that_the_mock_or_another_attempt_knows_is_no_slip() {
    let transcript = transcript::build(&serde_json::json!({ "nodes": [{ "title": "Escalate" }] }));
    let mut problems = Vec::new();
    let yaml = "nodes: { absent: [Escalated] }";
    let document = parse_yaml("t.yaml", yaml.as_bytes().to_vec(), &mut problems);
    let root = document.root.expect("YAML");
    let compiled = compile(&document.source, &[&root], &Value::Null);
    let (scope, judging) = (TemplateScope::new(), JudgeQuestions::default());
    for (known, notes) in [("Escalated", 0), ("Refund", 1)] {
        let is_node = |name: &str| name == known;
        let context =
            Context::new(&compiled.templates, &scope, UsageAudit::Audit, &judging).knowing(&is_node);
        let findings = examine(&compiled.checks, &transcript, &context).findings;
        assert_eq!(findings[0].truth, Truth::Held, "{known}");
        assert_eq!(findings.len() - 1, notes, "{known}: {findings:?}");
    }
}
