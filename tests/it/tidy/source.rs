//! A Rust file, read just well enough to keep house: comments and literals blanked, tests set apart.

use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;
use std::sync::{LazyLock, Mutex};

use regex::Regex;

/// A compiled pattern; each is compiled once, for compiling is slow without optimisation.
pub fn pattern(text: &str) -> Regex {
    static COMPILED: LazyLock<Mutex<HashMap<String, Regex>>> = LazyLock::new(Mutex::default);
    let mut compiled = COMPILED.lock().unwrap();
    compiled.entry(text.to_owned()).or_insert_with(|| Regex::new(text).unwrap()).clone()
}

/// One file of the tree.
pub struct Source {
    /// Relative to the root, with `/`.
    pub path: String,
    /// As it is.
    pub text: String,
    /// The same length, with comments and the insides of literals blanked.
    pub code: String,
    /// `code` without what is under `#[cfg(test)]`.
    pub own: String,
    /// Lines that are under `#[cfg(test)]`.
    pub test_lines: usize,
    /// Modules declared as `#[cfg(test)] mod name;`.
    pub test_modules: Vec<String>,
    trait_blocks: Vec<Range<usize>>,
    /// True when the whole file is such a module.
    pub is_test: bool,
}

/// A function's signature.
pub struct Function {
    /// Its name.
    pub name: String,
    /// Its parameters, without `self`.
    pub parameters: Vec<String>,
    /// The line of `fn`, from 1.
    pub line: usize,
    /// True in an `impl … for …` block.
    pub of_a_trait: bool,
}

/// All Rust files under the folders given, in order of path.
pub fn load_sources(root: &Path, folders: &[&str]) -> Vec<Source> {
    let mut sources = Vec::new();
    for folder in folders {
        for entry in walkdir::WalkDir::new(root.join(folder)).sort_by_file_name().into_iter().flatten() {
            let path = entry.path();
            if path.extension().is_none_or(|ending| ending != "rs")
                || path.components().any(|c| c.as_os_str() == "target")
            {
                continue;
            }
            let name = path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/");
            sources.push(Source::parse(&name, &std::fs::read_to_string(path).unwrap()));
        }
    }
    let test_files: Vec<String> = sources
        .iter()
        .flat_map(|source| source.test_modules.iter().map(|module| format!("{}/{module}", source.folder())))
        .collect();
    for source in &mut sources {
        let stem = source.path.trim_end_matches(".rs").trim_end_matches("/mod");
        source.is_test = test_files.iter().any(|file| file == stem || stem.starts_with(&format!("{file}/")));
    }
    sources
}

impl Source {
    /// Reads one file.
    pub fn parse(path: &str, text: &str) -> Self {
        let code = blank_literals(text);
        let tests = test_items(&code);
        let mut own = code.clone().into_bytes();
        for range in &tests {
            own[range.clone()].iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
        }
        let module = pattern(r"#\[cfg\(test\)\]\s*(?:pub(?:\(\w+\))?\s+)?mod\s+(\w+)\s*;");
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
            own: String::from_utf8(own).unwrap(),
            test_lines: tests.iter().map(|range| code[range.clone()].lines().count()).sum(),
            test_modules: module.captures_iter(&code).map(|found| found[1].to_owned()).collect(),
            trait_blocks: trait_blocks(&code),
            code,
            is_test: false,
        }
    }

    /// The room it is in: the first name below `src`.
    pub fn room(&self) -> String {
        let inner = self.path.trim_start_matches("src/");
        inner.split('/').next().unwrap_or(inner).trim_end_matches(".rs").to_owned()
    }

    /// Its place in the module tree: how many `super` lead to the crate.
    pub fn depth(&self) -> usize {
        let stem = self.path.trim_start_matches("src/").trim_end_matches(".rs").trim_end_matches("/mod");
        if matches!(stem, "lib" | "main") { 0 } else { stem.split('/').count() }
    }

    /// The folder in which its modules are.
    fn folder(&self) -> String {
        let stem = self.path.trim_end_matches(".rs");
        stem.strip_suffix("/mod")
            .or(stem.strip_suffix("/lib"))
            .or(stem.strip_suffix("/main"))
            .unwrap_or(stem)
            .to_owned()
    }

    /// The line of a byte, from 1.
    pub fn line_at(&self, at: usize) -> usize {
        self.code.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count() + 1
    }

    /// The functions outside tests.
    pub fn functions(&self) -> Vec<Function> {
        let start = pattern(r"\bfn\s+(\w+)");
        start.captures_iter(&self.own).filter_map(|found| self.function(&found)).collect()
    }

    fn function(&self, found: &regex::Captures<'_>) -> Option<Function> {
        let whole = found.get(0)?;
        let code = self.own.as_bytes();
        let open = find_outside(code, whole.end(), b"(")?;
        let close = open + matching(&code[open..])?;
        let line = self.line_at(whole.start());
        let of_a_trait = self.trait_blocks.iter().any(|block| block.contains(&whole.start()));
        Some(Function {
            of_a_trait,
            name: found[1].to_owned(),
            parameters: split_parameters(&self.own[open + 1..close]),
            line,
        })
    }
}

/// The first of `wanted` that is outside `<…>`, `(…)` and `[…]`.
fn find_outside(code: &[u8], from: usize, wanted: &[u8]) -> Option<usize> {
    let mut depth = 0i32;
    for at in from..code.len() {
        let byte = code[at];
        if depth == 0 && wanted.contains(&byte) {
            return Some(at);
        }
        depth += step(code, at);
    }
    None
}

/// How a byte changes the depth of brackets; arrows and comparisons are no brackets.
fn step(code: &[u8], at: usize) -> i32 {
    match code[at] {
        b'(' | b'[' | b'<' => 1,
        b')' | b']' => -1,
        b'>' if at > 0 && matches!(code[at - 1], b'-' | b'=') => 0,
        b'>' => -1,
        _ => 0,
    }
}

/// The index of the bracket that closes the first byte.
fn matching(code: &[u8]) -> Option<usize> {
    let (open, close) = match code.first()? {
        b'{' => (b'{', b'}'),
        _ => (b'(', b')'),
    };
    let mut depth = 0usize;
    for (at, byte) in code.iter().enumerate() {
        depth += usize::from(*byte == open);
        if *byte == close {
            depth -= 1;
            if depth == 0 {
                return Some(at);
            }
        }
    }
    None
}

/// The parameters of a signature, without `self`.
fn split_parameters(inside: &str) -> Vec<String> {
    let bytes = inside.as_bytes();
    let (mut parts, mut depth, mut from) = (Vec::new(), 0, 0);
    for at in 0..bytes.len() {
        depth += step(bytes, at);
        if bytes[at] == b',' && depth == 0 {
            parts.push(&inside[from..at]);
            from = at + 1;
        }
    }
    parts.push(&inside[from..]);
    let is_self = pattern(r"^(&\s*('\w+\s+)?)?(mut\s+)?self\b");
    parts
        .iter()
        .map(|part| part.trim().to_owned())
        .filter(|part| !part.is_empty() && !is_self.is_match(part))
        .collect()
}

/// The bodies of `impl … for …` blocks.
fn trait_blocks(code: &str) -> Vec<Range<usize>> {
    let head = pattern(r"(?m)^\s*(?:unsafe\s+)?impl\b[^{;]*?\bfor\b[^{;]*\{");
    let body = |found: regex::Match<'_>| {
        let open = found.end() - 1;
        open..open + matching(&code.as_bytes()[open..]).unwrap_or(0)
    };
    head.find_iter(code).map(body).collect()
}

/// The items under `#[cfg(test)]`, attribute included.
fn test_items(code: &str) -> Vec<Range<usize>> {
    let attribute = pattern(r"#\[cfg\((?:all\()?test\b[^\]]*\]");
    let mut items: Vec<Range<usize>> = Vec::new();
    for found in attribute.find_iter(code) {
        if items.last().is_some_and(|item| item.contains(&found.start())) {
            continue;
        }
        let end = find_outside(code.as_bytes(), found.end(), b"{;").map(|at| match code.as_bytes()[at] {
            b'{' => at + matching(&code.as_bytes()[at..]).unwrap_or(code.len() - at - 1),
            _ => at,
        });
        items.push(found.start()..end.map_or(code.len(), |at| at + 1));
    }
    items
}

/// The text with comments and the insides of literals as spaces; every byte keeps its place.
fn blank_literals(text: &str) -> String {
    let raw = text.as_bytes();
    let mut out: Vec<u8> = raw.iter().map(|byte| if byte.is_ascii() { *byte } else { b'?' }).collect();
    let mut at = 0;
    while at < raw.len() {
        let Some(blank) = literal_at(raw, at) else {
            at += 1;
            continue;
        };
        out[blank.clone()].iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
        at = blank.end.max(at)
            + usize::from(raw.get(blank.end).is_some_and(|byte| matches!(byte, b'"' | b'\'')));
    }
    String::from_utf8(out).unwrap()
}

/// What is to be blanked when a comment or a literal begins at `at`.
fn literal_at(raw: &[u8], at: usize) -> Option<Range<usize>> {
    let rest = &raw[at..];
    let in_word = at > 0 && (raw[at - 1].is_ascii_alphanumeric() || raw[at - 1] == b'_');
    match rest {
        [b'/', b'/', ..] => Some(at..at + find(rest, b"\n").unwrap_or(rest.len())),
        [b'/', b'*', ..] => Some(at..at + block_comment(rest)),
        [b'r', b'"' | b'#', ..] if !in_word => raw_string(raw, at + 1),
        [b'b', b'r', b'"' | b'#', ..] if !in_word => raw_string(raw, at + 2),
        [b'"', ..] => Some(at + 1..at + closing_quote(rest, b'"')),
        [b'\'', b'\\', ..] => Some(at + 1..at + closing_quote(rest, b'\'')),
        [b'\'', ..] => {
            let width = std::str::from_utf8(&rest[1..rest.len().min(5)])
                .or_else(|error| std::str::from_utf8(&rest[1..=error.valid_up_to()]))
                .ok()?
                .chars()
                .next()?
                .len_utf8();
            (rest.get(1 + width) == Some(&b'\'')).then_some(at + 1..at + 1 + width)
        }
        _ => None,
    }
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    memchr::memmem::find(text, wanted)
}

fn block_comment(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        match &rest[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

/// The inside of a raw string whose first `#` or `"` is at `at`; `None` for a raw identifier.
fn raw_string(raw: &[u8], at: usize) -> Option<Range<usize>> {
    let hashes = raw[at..].iter().take_while(|byte| **byte == b'#').count();
    let inside = at + hashes + 1;
    (raw.get(at + hashes) == Some(&b'"')).then(|| {
        let end = [b"\"".as_slice(), &b"#".repeat(hashes)].concat();
        inside..find(&raw[inside..], &end).map_or(raw.len(), |length| inside + length)
    })
}

/// Where a literal that begins with `quote` ends: the index of its closing quote.
fn closing_quote(rest: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != quote {
        at += if rest[at] == b'\\' { 2 } else { 1 };
    }
    at.min(rest.len())
}
