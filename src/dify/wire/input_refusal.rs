//! The texts with which Dify refuses inputs before any node runs.
//!
//! Sources: the recordings of 1.12.1, 1.14.2 and a main of June 2026, and Dify's code from 0.12 on
//! (`base_app_generator.py`, `file_factory`, `message_file_parser.py`, the start node). The same text comes as HTTP 400
//! `invalid_param`, as an `error` event (without `code` in newer versions), and as the error of a `failed` run of 0 steps.
//! Messages about a network, a storage or a plugin are not here: "Reached maximum retries (3) for URL …" is not a refusal of an input.

/// The texts. `$` matches the name of a variable, `#` a number, `*` anything in one line.
const TEXTS: [&str; 35] = [
    "$ is required in input form",
    "$ in input form must be a string",
    "$ in input form must be a valid number",
    "$ in input form must be a number",
    "$ in input form must be a boolean",
    "$ in input form must be one of the following: *",
    "$ in input form must be less than # characters",
    "$ in input form must be less than # files",
    "$ in input form must be a file",
    "$ in input form must be a list of files",
    "$ in input form must be a dict",
    "$ in input form must be a valid JSON object",
    "expected value type int, float or str, got <class '*'>, value: *",
    "Invalid input type for [*]",
    "JSON object for '*' must be an object",
    "JSON object for '*' does not match schema: *",
    "query is required",
    "Invalid upload file",
    "Invalid upload file id",
    "Invalid upload file id format",
    "Invalid file url",
    "Invalid file format, must be dict",
    "Invalid file transfer method: *",
    "Missing file type",
    "Missing file transfer method",
    "Missing file url",
    "Missing file upload_file_id",
    "Missing file tool_file_id",
    "transfer_method is required in file mapping",
    "'*' is not a valid FileTransferMethod",
    "'*' is not a valid FileType",
    "No matching enum found for value '*'",
    "File validation failed for file: *",
    "Number of files exceeds the maximum limit #",
    "Number of image files exceeds the maximum limit #",
];

const WILDCARDS: [char; 3] = ['$', '#', '*'];

/// Texts that newer versions may make longer: only their beginning is compared.
const BEGINNINGS: [&str; 3] =
    ["Detected file type does not match the specified type.", "ToolFile ", "DatasourceFile "];

/// Returns true for a text with which Dify refuses inputs, so that a `failed` run of 0 steps is a rejection.
///
/// A text that only ends or begins like one is not enough: "Run failed: Traceback … query is required in input form" is the
/// error of a node.
pub fn is_input_refusal(text: &str) -> bool {
    let text = text.trim();
    let text = without_type(text);
    TEXTS.iter().any(|pattern| fits(pattern, text)) || BEGINNINGS.iter().any(|start| begins(start, text))
}

/// The text without the `(type 'text-input') ` that newer versions write in front of some.
fn without_type(text: &str) -> &str {
    let kind = text.strip_prefix("(type '").and_then(|rest| rest.split_once("') "));
    match kind {
        Some((kind, rest)) if kind.len() <= 40 && !kind.contains('\n') => rest,
        Some(_) | None => text,
    }
}

fn begins(start: &str, text: &str) -> bool {
    match start {
        "ToolFile " | "DatasourceFile " => {
            let id = text.strip_prefix(start).and_then(|rest| rest.strip_suffix(" not found"));
            id.is_some_and(|id| !id.contains(char::is_whitespace))
        }
        _ => text.starts_with(start),
    }
}

/// Compares a text with a pattern of two wildcards at most, in time that grows with the text's length.
///
/// The text between two wildcards is searched once: the second wildcard takes any rest that the first one leaves.
fn fits(pattern: &str, text: &str) -> bool {
    let Some(first) = pattern.find(WILDCARDS) else { return pattern == text };
    let last = pattern.rfind(WILDCARDS).unwrap_or(first);
    let inner = text.strip_prefix(&pattern[..first]).and_then(|rest| rest.strip_suffix(&pattern[last + 1..]));
    let Some(inner) = inner else { return false };
    let wildcard = |at: usize| pattern[at..].chars().next().unwrap_or_default();
    if first == last {
        return takes(wildcard(first), inner);
    }
    inner
        .split_once(&pattern[first + 1..last])
        .is_some_and(|(left, right)| takes(wildcard(first), left) && takes(wildcard(last), right))
}

/// Whether a wildcard may match a text.
fn takes(wildcard: char, text: &str) -> bool {
    match wildcard {
        '$' => {
            !text.is_empty()
                && !text.contains(|c: char| c.is_whitespace() || matches!(c, ':' | '{' | '}' | '"'))
        }
        '#' => !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()),
        _ => !text.contains(['\n', '\r']),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_of_inputs_are_known() {
        for text in [
            "text is required in input form",
            " text is required in input form\n",
            "(type 'text-input') text in input form must be a string",
            "text in input form must be a string",
            "text in input form must be less than 48 characters",
            "docs in input form must be less than 3 files",
            "sel in input form must be one of the following: ['red', 'green', 'blue']",
            "n in input form must be a valid number",
            "o in input form must be a dict",
            "d in input form must be a file",
            "d in input form must be a list of files",
            "größe_2 is required in input form",
            "expected value type int, float or str, got <class 'list'>, value: [1]",
            "Invalid input type for ['x']",
            "JSON object for 'o' does not match schema: 'a' is a required property",
            "Invalid upload file id",
            "Invalid upload file id format",
            "Invalid upload file",
            "Invalid file url",
            "Invalid file transfer method: ftp",
            "'ftp' is not a valid FileTransferMethod",
            "'banana' is not a valid FileType",
            "No matching enum found for value 'ftp'",
            "transfer_method is required in file mapping",
            "Missing file url",
            "Detected file type does not match the specified type. Please verify the file.",
            "File validation failed for file: héllo note.txt",
            "Number of files exceeds the maximum limit 3",
            "Number of image files exceeds the maximum limit 3",
            "ToolFile 7c3e33d4-2a8b-4e5f-9b1a-d3c6e8f12345 not found",
            "query is required",
        ] {
            assert!(is_input_refusal(text), "{text}");
        }
    }

    #[test]
    fn other_texts_are_no_refusals_of_inputs() {
        for text in [
            "",
            "input form",
            "is required in input forms",
            "[Errno 111] Connection refused",
            "Reached maximum retries (3) for URL https://files.example.com/a.png",
            "Reached maximum retries (3) for URL https://e.com/x is required in input form",
            "Workflow not published",
            "Run failed: query is required in input form",
            "Traceback (most recent call last):\nValueError: query is required in input form",
            "HTTP 400: {\"message\": \"query is required in input form\"}",
            "Number of files exceeds the maximum limit",
            "Number of files exceeds the maximum limit 3 of your plan",
            "ToolFile storage is not reachable, bucket not found",
            "File validation failed for file: a\nTraceback",
            "Failed to request plugin daemon",
            "(type 'x",
            "the node says: (type 'text-input') q in input form must be a string",
        ] {
            assert!(!is_input_refusal(text), "{text}");
        }
    }
}
