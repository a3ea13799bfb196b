//! One function a rule: the offences of one file, each with its place.

use super::floors::House;
use super::source::{Source, pattern};

/// A rule with its name.
pub struct Rule {
    /// Its name.
    pub name: &'static str,
    /// Finds the offences of a file.
    pub find: fn(&Source, &House) -> Vec<String>,
}

/// Every rule for files under `src` that are no tests.
pub const RULES: &[Rule] = &[
    Rule { name: "floors", find: floors },
    Rule { name: "homes", find: homes },
    Rule { name: "purity", find: purity },
    Rule { name: "disk", find: disk },
    Rule { name: "environment", find: environment },
    Rule { name: "printing", find: printing },
    Rule { name: "absences", find: absences },
    Rule { name: "names", find: names },
    Rule { name: "signatures", find: signatures },
    Rule { name: "file_length", find: file_length },
    Rule { name: "commented_code", find: commented_code },
];

/// Most lines of a file, tests not counted.
const FILE_LINES: usize = 300;

/// Each match of a pattern outside tests, comments and literals.
fn matches(source: &Source, wanted: &str, what: &str) -> Vec<String> {
    let offence = |found: regex::Match<'_>| {
        let line = source.line_at(found.start());
        format!(
            "{}:{line}: `{}`: {what}",
            source.path,
            found.as_str().split_whitespace().collect::<Vec<_>>().join(" ")
        )
    };
    pattern(wanted).find_iter(&source.own).map(offence).collect()
}

/// True when the file is one of `files` (without ending) or is below one of them.
fn stands_in(source: &Source, files: &[&str]) -> bool {
    let stem = source.path.trim_start_matches("src/").trim_end_matches(".rs");
    files.iter().any(|file| stem == *file || stem.starts_with(&format!("{file}/")))
}

fn floors(source: &Source, house: &House) -> Vec<String> {
    let own_room = source.room();
    let own_floor = house.floor(&own_room);
    let mut offences = Vec::new();
    for (at, room) in used_rooms(source) {
        let (line, path) = (source.line_at(at), &source.path);
        match house.floor(&room) {
            _ if room == own_room => {}
            None => {
                offences.push(format!("{path}:{line}: `crate::{room}` is no room of docs/architecture.md"))
            }
            Some(floor) if own_floor.is_some_and(|own| floor >= own) => {
                let own = own_floor.unwrap_or_default();
                offences
                    .push(format!("{path}:{line}: `{own_room}` (floor {own}) uses `{room}` (floor {floor})"));
            }
            Some(_) => {}
        }
    }
    let to_the_crate = format!(r"\b(?:super::){{{}}}", source.depth().max(1));
    if source.depth() > 0 {
        offences.extend(matches(source, &to_the_crate, "reaches the crate by `super`; write `crate::`"));
    }
    offences
}

/// The rooms named after `crate::`, groups included.
fn used_rooms(source: &Source) -> Vec<(usize, String)> {
    let path = pattern(r"\bcrate::\s*(\w+|\{)");
    let mut rooms = Vec::new();
    for found in path.captures_iter(&source.own) {
        let first = found.get(1).expect("the pattern has a group");
        if first.as_str() == "{" {
            rooms.extend(
                group_heads(&source.own[first.end()..]).into_iter().map(|head| (first.start(), head)),
            );
        } else {
            rooms.push((first.start(), first.as_str().to_owned()));
        }
    }
    rooms
}

/// The first names of a `{…}` group's members.
fn group_heads(inside: &str) -> Vec<String> {
    let (mut depth, mut at_head, mut heads) = (0usize, true, Vec::new());
    for token in pattern(r"\w+|[{},]").find_iter(inside) {
        match token.as_str() {
            "{" => depth += 1,
            "}" if depth == 0 => break,
            "}" => depth -= 1,
            "," => at_head = depth == 0,
            word => {
                if at_head && depth == 0 {
                    heads.push(word.to_owned());
                }
                at_head = false;
            }
        }
    }
    heads
}

fn homes(source: &Source, house: &House) -> Vec<String> {
    let foreign = house.housed().filter(|name| {
        let homes: Vec<&str> = house.homes(name).iter().map(String::as_str).collect();
        !stands_in(source, &homes)
    });
    foreign
        .flat_map(|name| {
            let home = house.homes(name).join(", ");
            matches(source, &format!(r"\b{name}::|\buse\s+{name}\b"), &format!("this crate lives in {home}"))
        })
        .collect()
}

/// No I/O, no runtime and nothing async where values are only made from values.
fn purity(source: &Source, _: &House) -> Vec<String> {
    let pure = [
        "base",
        "dify/wire",
        "dify/transcript",
        "dify/client/assemble",
        "record/verdict",
        "record/attempt",
        "record/event",
        "assert/check",
        "plan",
    ];
    let may_do_io = ["assert/check/schema", "base/files", "base/whole_file"];
    if !stands_in(source, &pure) || stands_in(source, &may_do_io) {
        return Vec::new();
    }
    matches(
        source,
        r"\basync\b|\.await\b|\btokio::|\bstd::(?:fs|net|process)\b|\bfs::\w+",
        "no I/O and nothing async here",
    )
}

/// Files are opened and written in one room.
fn disk(source: &Source, _: &House) -> Vec<String> {
    let of_whole_folders =
        ["base/whole_file", "report/document", "report/write", "report/diff", "app/runs", "cli/runs/prune"];
    if stands_in(source, &["base/files"]) || stands_in(source, &of_whole_folders) {
        return Vec::new();
    }
    matches(
        source,
        r"\bFile::(?:open|create|create_new|options)\b|\bOpenOptions::|\bfs::(?:read|read_to_string|write|rename|copy|create_dir|create_dir_all|remove_\w+)\(",
        "files are opened and written by `base/files`",
    )
}

/// What clippy cannot see: clap's own reading of variables.
fn environment(source: &Source, _: &House) -> Vec<String> {
    if stands_in(source, &["app/settings"]) {
        return Vec::new();
    }
    let pattern = r"#\[(?:arg|clap)\((?:[^\]]*,)?\s*env\b[^\]]*\]";
    matches(source, pattern, "only `app/settings` reads the environment")
}

fn printing(source: &Source, _: &House) -> Vec<String> {
    if stands_in(source, &["cli", "report/terminal", "main", "harness"]) {
        return Vec::new();
    }
    matches(
        source,
        r"\be?print(?:ln)?!|\b(?:stdout|stderr)\(\)",
        "only `cli`, `harness` and `report/terminal` print",
    )
}

fn absences(source: &Source, _: &House) -> Vec<String> {
    let rules = [
        (r"\banyhow\b", "errors are enums of the place they arise in"),
        (
            r"\bthread_local!|\bstatic\s+(?:mut\b|\w+\s*:[^=;]*\b(?:Lazy\w+|Once\w+|Mutex|RwLock|Atomic\w+)\b)",
            "no globals",
        ),
        (r"#\[serde\([^\]]*\b(?:flatten|untagged)\b", "loses places and spoils messages"),
    ];
    rules.iter().flat_map(|(pattern, what)| matches(source, pattern, what)).collect()
}

fn names(source: &Source, _: &House) -> Vec<String> {
    let vague = ["utils", "util", "helpers", "helper", "common", "types", "misc", "imp"];
    let mut offences: Vec<String> = source
        .path
        .trim_end_matches(".rs")
        .split('/')
        .filter(|part| vague.contains(part))
        .map(|part| format!("{}: `{part}` says nothing", source.path))
        .collect();
    let pattern = r"\b(?:struct|enum|trait)\s+\w*(?:Manager|Handler|Processor|Info|Data|Helper|Utils)\b";
    offences.extend(matches(source, pattern, "name it by what it is"));
    offences
}

/// The receiver does not count, as it does for clippy.
fn signatures(source: &Source, _: &House) -> Vec<String> {
    // A trait dictates the signatures of its implementations.
    let own = source.functions().into_iter().filter(|function| !function.of_a_trait);
    own.filter(|function| function.parameters.len() > 4)
        .map(|function| {
            format!(
                "{}:{}: `{}` has {} parameters; make a struct",
                source.path,
                function.line,
                function.name,
                function.parameters.len()
            )
        })
        .collect()
}

fn file_length(source: &Source, _: &House) -> Vec<String> {
    let lines = source.text.lines().count().saturating_sub(source.test_lines);
    (lines > FILE_LINES)
        .then(|| format!("{}: {lines} lines without tests", source.path))
        .into_iter()
        .collect()
}

fn commented_code(source: &Source, _: &House) -> Vec<String> {
    let code = pattern(r"(?m)^\s*// ?(?:let|use|pub|fn|if|for|match|return|mod|impl|struct|self)\b.*[;{]$");
    code.find_iter(&source.text)
        .map(|found| format!("{}: commented-out code: {}", source.path, found.as_str().trim()))
        .collect()
}

/// A file without `//!` at its top.
pub fn module_docs(source: &Source) -> Option<String> {
    let first = source.text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    (!first.starts_with("//! ")).then(|| format!("{}: begins without `//!`", source.path))
}

/// Notes to oneself.
pub fn leftovers(source: &Source) -> Vec<String> {
    let notes = pattern(concat!(r"\b(?:TO", "DO|FIX", "ME|XX", "X|HA", r"CK)\b"));
    let offence = |found: regex::Match<'_>| {
        let line = source.text[..found.start()].lines().count();
        format!("{}:{line}: {}", source.path, found.as_str())
    };
    notes.find_iter(&source.text).map(offence).collect()
}
