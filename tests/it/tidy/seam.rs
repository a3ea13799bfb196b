//! The seam: below it Dify's JSON is decoded, above it nothing knows Dify's keys, events or statuses.

use std::collections::{BTreeMap, BTreeSet};

use super::source::{Source, pattern};

/// What Dify is known to send, as `dify` itself holds it.
const TABLES: [&str; 2] = [
    include_str!("../../../src/dify/wire/contract/dify-1.12.txt"),
    include_str!("../../../src/dify/wire/contract/dify-1.14.txt"),
];

/// What no table has: the keys and events of chat apps, and of usage.
const OTHERS: &str = "agent_message agent_thought answer completion_tokens conversation_id created_by \
    dataset_name document_id document_name human_input_form_filled message_end message_files message_id \
    message_replace prompt_tokens retriever_resources score segment_id tool_input total_price usage";

/// How runs and nodes end or go on, in Dify's words. The others are words of ours as well, or hardly words at all.
const STATUSES: [&str; 8] =
    ["exception", "failed", "partial-succeeded", "paused", "running", "scheduled", "stopped", "succeeded"];

/// A place where a word of Dify's may be written although it is above the seam.
struct Exception {
    path: &'static str,
    words: &'static [&'static str],
    why: &'static str,
}

/// Each word as often as it may be written.
const EXCEPTIONS: [Exception; 7] = [
    Exception {
        path: "src/app/against/written.rs",
        words: &["status"],
        why: "a key of suites, read as YAML",
    },
    Exception {
        path: "src/assert/check/compile/merge.rs",
        words: &["status"],
        why: "a key of suites, read as YAML",
    },
    Exception {
        path: "src/assert/check/operand/predicate_kind.rs",
        words: &["succeeded", "succeeded", "partial-succeeded"],
        why: "what suites may write under `status`",
    },
    Exception { path: "src/assert/check/schema/lint.rs", words: &["type"], why: "a keyword of JSON Schema" },
    Exception {
        path: "src/assert/check/schema/shares.rs",
        words: &["type"],
        why: "a keyword of JSON Schema",
    },
    Exception {
        path: "src/assert/judge/read.rs",
        words: &[
            "score",
            "reason",
            "usage",
            "prompt_tokens",
            "completion_tokens",
            "total_tokens",
            "error",
            "message",
            "error",
            "message",
        ],
        why: "answers of OpenAI's API, and the outputs that a judging workflow is asked for",
    },
    Exception { path: "src/fuzzing/answers.rs", words: &["message", "score"], why: "as `assert/judge/read`" },
];

/// Rooms that cannot import `dify`: no JSON of Dify's reaches them.
const BELOW: [&str; 5] = ["base", "budget", "dify", "suite", "yaml"];

/// Words of suites and reports as well, which only a reading of JSON makes Dify's.
const SHARED: [&str; 2] = ["process_data", "workflow_id"];

/// The keys and events of the tables, and those that no table has.
fn words() -> BTreeSet<&'static str> {
    let lines = TABLES.iter().flat_map(|table| table.lines()).filter(|line| !line.starts_with('#'));
    let of_line = |line: &'static str| {
        let mut columns = line.split(' ');
        let (what, field) = (columns.next().unwrap_or_default(), columns.next().unwrap_or_default());
        let steps = field.split('.').map(|step| step.trim_matches(['~', '[', ']']));
        steps.chain(Some(what).filter(|what| what.contains('_'))).collect::<Vec<_>>()
    };
    let words = lines.flat_map(of_line).chain(OTHERS.split_whitespace());
    words.filter(|word| !word.is_empty()).collect()
}

/// Why a literal gives away that its file knows Dify's JSON; `None` where it may be a word of ours.
fn offence(word: &str, before: &str, after: &str, words: &BTreeSet<&str>) -> Option<&'static str> {
    let (before, after) = (before.trim_end(), after.trim_start());
    if words.contains(word) {
        let opened = before.strip_suffix('[').map(str::trim_end);
        let is_index =
            opened.is_some_and(|of| of.ends_with(|c: char| c.is_alphanumeric() || "_)]?".contains(c)));
        let looks_up = ["get(", "get_mut(", "contains_key(", "pointer(", "remove(", "get_key_value("];
        let is_constant = before.ends_with("&str =") || before.ends_with("&'static str =");
        if (is_index && after.starts_with(']')) || looks_up.iter().any(|call| before.ends_with(call)) {
            return Some("a field of Dify's JSON is read");
        }
        if (word.contains('_') && !SHARED.contains(&word)) || is_constant {
            return Some("Dify's word for a field or an event");
        }
    }
    if !STATUSES.contains(&word) {
        return None;
    }
    let is_compared = ["==", "!=", "|", "Some(", "Some(&", "of("].iter().any(|sign| before.ends_with(sign));
    let is_pattern = ["=>", "|", "==", "!=", ") =>", ") |"].iter().any(|sign| after.starts_with(sign));
    let is_own = matches!(word, "succeeded" | "partial-succeeded");
    (is_own || is_compared || is_pattern).then_some("Dify's word for a status is compared")
}

/// The literals of a file that give away that it knows Dify's JSON, with their lines.
fn given_away(source: &Source, words: &BTreeSet<&str>) -> Vec<(String, usize, &'static str)> {
    let literals = pattern(r#""[^"]*""#);
    let in_pointer = |text: &str| {
        text.strip_prefix('/').map(|rest| rest.split('/').next_back().unwrap_or(rest).to_owned())
    };
    let literal = |found: regex::Match<'_>| {
        let text = &source.text[found.start() + 1..found.end() - 1];
        let word = in_pointer(text).unwrap_or_else(|| text.to_owned());
        let (before, after) = (&source.own[..found.start()], &source.own[found.end()..]);
        let why = offence(&word, before, after, words)?;
        Some((word, source.line_at(found.start()), why))
    };
    literals.find_iter(&source.own).filter_map(literal).collect()
}

#[test]
fn only_dify_knows_the_keys_and_statuses_of_dify() {
    let words = words();
    assert!(
        words.len() > 100 && words.contains("process_data") && words.contains("node_finished"),
        "{words:?}"
    );
    let (mut offences, mut used) = (Vec::new(), BTreeMap::new());
    for source in
        super::product().iter().filter(|source| !source.is_test && !BELOW.contains(&source.room().as_str()))
    {
        for (word, line, why) in given_away(source, &words) {
            let excused = EXCEPTIONS.iter().filter(|exception| exception.path == source.path);
            let allowed = excused.flat_map(|exception| exception.words).filter(|own| **own == word).count();
            let count: &mut usize = used.entry((source.path.clone(), word.clone())).or_default();
            *count += 1;
            if *count > allowed {
                offences.push(format!("{}:{line}: `{word}`: {why}", source.path));
            }
        }
    }
    assert!(offences.is_empty(), "{} offences:\n{}", offences.len(), offences.join("\n"));
    for exception in &EXCEPTIONS {
        assert!(!exception.why.is_empty(), "{}", exception.path);
        for word in exception.words {
            let key = (exception.path.to_owned(), (*word).to_owned());
            let written = exception.words.iter().filter(|own| *own == word).count();
            assert_eq!(
                used.get(&key),
                Some(&written),
                "{}: `{word}` needs no exception so often",
                exception.path
            );
        }
    }
}

#[test]
fn what_reads_dify_is_seen() {
    let words = words();
    let seen = |text: &str| given_away(&Source::parse("src/assert/check/a.rs", text), &words).len();
    for bad in [
        r#"fn a() { run["status"] }"#,
        r#"fn a() { run[ "status" ] }"#,
        r#"fn a() { event?["data"] }"#,
        r#"fn a() { b()["data"] }"#,
        r#"fn a() { run.get("error") }"#,
        r#"fn a() { run.pointer("/data/outputs") }"#,
        r#"const KEY: &str = "outputs";"#,
        r#"const KEYS: [&str; 2] = ["a", "total_tokens"];"#,
        r#"fn a() { matches!(status, "failed" | "x") }"#,
        r#"fn a() { match b { Some("paused") => 1, _ => 2 } }"#,
        r#"fn a() { status == "stopped" }"#,
        r#"fn a() { ["succeeded"].contains(&status) }"#,
        r#"#[serde(rename = "workflow_run_id")] struct A;"#,
    ] {
        assert_eq!(seen(bad), 1, "{bad}");
    }
    for good in [
        r#"fn a() { ["status", "error"] }"#,
        r#"fn a() { format!("the status of the run") }"#,
        r#"fn a() { match self { Self::Failed => "failed" } }"#,
        r#"fn a() { run.get("category") }"#,
        "#[cfg(test)]\nmod tests { fn a() { run[\"status\"] } }",
    ] {
        assert_eq!(seen(good), 0, "{good}");
    }
}
