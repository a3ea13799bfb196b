//! The documents are true: what they show loads, runs and ends as they say, and nothing is left out.
//!
//! A fenced block says after its language what it is:
//! - `yaml`: a suite; it loads, and is green on the mock. `red`: it ends with 100. `tests`: a list of tests.
//!   `assert`: a list of assertions. `project`: a project file. `beside`: with the suites marked so and the project file that are above it.
//! - `console`: lines after `$` are run; what is between them is what they print. `red`: beside the page's last red suite.
//!   `recorded`: beside the recorded runs of two Difys; its lines are some of those printed.
//! - `sh`: every `flowproof` and `cargo run --` line is run. `live`: against a mock that plays the live Dify. `skip`: not run.
//!
//! `# exit 4` after a command, or `exit=4` after the language, is the exit code.

mod markdown;
mod sandbox;

use std::collections::BTreeSet;
use std::path::Path;

use markdown::{Block, Page, load_pages};
use regex::Regex;
use sandbox::{Done, Sandbox};
use serde_json::Value;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn page(name: &str) -> Page {
    load_pages(root()).into_iter().find(|page| page.name == name).expect("the page exists")
}

fn arguments(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// Indents a block so that it may be below a key.
fn below(text: &str, indent: &str) -> String {
    text.lines().map(|line| format!("{indent}{line}\n")).collect()
}

/// The suite that a block is, or is a part of.
fn suite_of(block: &Block) -> String {
    if block.is("tests") {
        format!("version: 1\ntests:\n{}", below(&block.text, "  "))
    } else if block.is("assert") {
        format!(
            "version: 1\ntests:\n  - name: shown\n    assert:\n{}    mock: {{ outputs: {{}} }}\n",
            below(&block.text, "      ")
        )
    } else {
        block.text.clone()
    }
}

#[test]
fn every_yaml_block_loads_and_runs() {
    let mut shown = 0;
    for (page, block) in load_pages(root())
        .iter()
        .flat_map(|page| page.blocks.iter().map(move |block| (page, block)))
        .filter(|(_, block)| block.language == "yaml")
    {
        // Files of other programs are shown as they are, and run, by `ci_files`.
        if block.words.iter().any(|word| word.starts_with("file=examples/ci/")) {
            continue;
        }
        let known = ["red", "tests", "assert", "project", "live", "beside"];
        assert!(
            block.words.iter().all(|word| known.contains(&word.as_str())),
            "{}: unknown words",
            block.place
        );
        let sandbox = if block.is("project") {
            let sandbox = Sandbox::with_suites(root());
            sandbox.write("flowproof.yaml", &block.text);
            sandbox
        } else {
            Sandbox::with_suite(root(), "shown.yaml", &suite_of(block))
        };
        if block.is("beside") {
            write_neighbours(&sandbox, page, block);
        }
        let checked = sandbox.run(&arguments(&["check"]), &[]);
        assert_eq!(checked.code, 0, "{}: does not load:\n{}", block.place, checked.output);
        if !block.is("assert") && !block.is("project") {
            let run = sandbox.run(&arguments(&["run"]), &[]);
            let expected = if block.is("red") { 100 } else { 0 };
            assert_eq!(run.code, expected, "{}: ended otherwise:\n{}", block.place, run.output);
        }
        shown += 1;
    }
    assert!(shown >= 15, "only {shown} YAML blocks were found");
}

/// The last project file above a block, and the suites that are beside it.
fn write_neighbours(sandbox: &Sandbox, page: &Page, block: &Block) {
    for (number, above) in page.blocks.iter().take_while(|above| above.place != block.place).enumerate() {
        if above.is("project") {
            sandbox.write("flowproof.yaml", &above.text);
        } else if above.is("beside") {
            sandbox.write(&format!("suites/beside{number}.yaml"), &above.text);
        }
    }
}

/// A command of the documents, with the exit code it is said to have.
struct Shown {
    arguments: Vec<String>,
    exit: i32,
}

/// The program's arguments in a line of a shell; `None` for other programs.
fn command_of(line: &str, default_exit: i32) -> Option<Shown> {
    let (line, comment) = line.split_once(" # ").unwrap_or((line, ""));
    let rest = line.strip_prefix("flowproof ").or_else(|| line.strip_prefix("cargo run -- "))?;
    assert!(!rest.contains(['|', '>', '&', ';', '$']), "this test knows no shell: {line}");
    let word = Regex::new(r#""([^"]*)"|'([^']*)'|(\S+)"#).unwrap();
    let pick = |found: regex::Captures<'_>| {
        (1..=3).find_map(|group| found.get(group)).map(|text| text.as_str().to_owned())
    };
    let exit = comment.trim().strip_prefix("exit ").map_or(default_exit, |code| code.trim().parse().unwrap());
    Some(Shown { arguments: word.captures_iter(rest).filter_map(pick).collect(), exit })
}

/// `exit=4` after the language.
fn exit_of(block: &Block) -> i32 {
    block.words.iter().find_map(|word| word.strip_prefix("exit=")).map_or(0, |code| code.parse().unwrap())
}

#[test]
fn every_command_runs() {
    let mut shown = 0;
    for page in load_pages(root()) {
        for block in page.blocks.iter().filter(|block| ["sh", "console"].contains(&block.language.as_str())) {
            if block.is("skip") || block.is("live") || block.is("red") {
                continue;
            }
            let sandbox = Sandbox::with_suites(root());
            if block.is("recorded") {
                let names = ["dify-1.12.1.jsonl", "dify-1.14.2.jsonl"];
                for (name, journal) in names.iter().zip(crate::wire::journals()) {
                    sandbox.write(name, &String::from_utf8(journal).unwrap());
                }
            }
            let mut printed = String::new();
            for line in block.text.lines() {
                if block.is("recorded") && !line.starts_with("$ ") {
                    assert!(printed.contains(line), "{}: `{line}` is not in:\n{printed}", block.place);
                    continue;
                }
                let line = if block.language == "console" {
                    line.strip_prefix("$ ").unwrap_or_default()
                } else {
                    line
                };
                let Some(command) = command_of(line, exit_of(block)) else {
                    let known = ["", "cargo test", "cargo install --path ."];
                    assert!(known.contains(&line), "{}: nobody runs `{line}`", block.place);
                    continue;
                };
                let done = sandbox.run(&command.arguments, &[]);
                assert_eq!(
                    done.code, command.exit,
                    "{}: `{line}` ended otherwise:\n{}",
                    block.place, done.output
                );
                printed = done.output;
                shown += 1;
            }
        }
    }
    assert!(shown >= 12, "only {shown} commands were found");
}

/// Output without what changes from run to run.
fn steady(output: &str) -> Vec<String> {
    let changing = [
        (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "[uuid]"),
        (r"\b\d{8}[-T]?\d{6}[\w-]*", "[run]"),
        (r"127\.0\.0\.1:\d+", "[address]"),
        (r"\b\d+(?:\.\d+)?\s?(?:µs|us|ms|s|m)\b", "[time]"),
        (r"^reports: \S+", "reports: [folder]"),
        (r"[ \t]+", " "),
    ];
    let steady_line = |line: &str| {
        let replace = |text: String, (pattern, word): &(&str, &str)| {
            Regex::new(pattern).unwrap().replace_all(&text, *word).into_owned()
        };
        changing.iter().fold(line.trim_end().to_owned(), replace)
    };
    let lines: Vec<String> = output.lines().map(steady_line).collect();
    lines.into_iter().filter(|line| !line.is_empty()).collect()
}

#[test]
fn the_failure_shown_is_the_one_that_is_printed() {
    let mut shown = 0;
    for page in load_pages(root()) {
        let mut suite = None;
        for block in &page.blocks {
            if block.language == "yaml" && block.is("red") {
                suite = Some(block);
            }
            if block.language != "console" || !block.is("red") {
                continue;
            }
            let suite = suite.expect("a red suite stands above");
            let sandbox = Sandbox::with_suite(root(), "support.yaml", &suite.text);
            let (command, expected) = block.text.split_once('\n').unwrap();
            let command = command_of(command.trim_start_matches("$ "), exit_of(block)).unwrap();
            let done = sandbox.run(&command.arguments, &[]);
            assert_eq!(done.code, command.exit, "{}:\n{}", block.place, done.output);
            assert_eq!(
                steady(expected),
                steady(&done.output),
                "{}: it now prints:\n{}",
                block.place,
                done.output
            );
            shown += 1;
        }
    }
    assert_eq!(shown, 1, "the README shows one failure");
}

/// The three steps of the README, against a mock that plays the live Dify.
#[test]
fn the_path_to_a_live_dify_works() {
    let readme = page("README.md");
    let live: Vec<&Block> = readme.blocks.iter().filter(|block| block.is("live")).collect();
    let served = Sandbox::with_suites(root()).serve();
    let sandbox = Sandbox::with_suites(root());
    let mut environment = vec![("DIFY_BASE_URL".to_owned(), address_of(&served.url))];
    let mut ran = 0;
    for block in live {
        if block.language == "yaml" {
            sandbox.write("flowproof.yaml", &block.text);
            continue;
        }
        for line in block.text.lines() {
            if let Some(pair) = line.strip_prefix("export ") {
                let (name, _) = pair.split_once('=').expect("NAME=value");
                // A key of the mock is `app-` and the app's name.
                environment.push((name.to_owned(), "app-triage".to_owned()));
            } else if let Some(command) = command_of(line, 0) {
                let Done { code, output } = sandbox.run(&command.arguments, &environment);
                assert_eq!(code, command.exit, "{}: `{line}` ended otherwise:\n{output}", block.place);
                assert!(
                    !output.contains("no live workflow was tested"),
                    "{}: it ran on the mock:\n{output}",
                    block.place
                );
                ran += 1;
            } else {
                panic!("{}: nobody runs `{line}`", block.place);
            }
        }
    }
    assert_eq!(ran, 1, "the last step runs the suites");
}

fn address_of(url: &str) -> String {
    format!("{}/v1", url.trim_end_matches('/').trim_end_matches("/v1"))
}

#[test]
fn every_link_leads_somewhere() {
    let pages = load_pages(root());
    let mut checked = 0;
    for page in &pages {
        for link in page.links().iter().filter(|link| !link.contains("://")) {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let folder = Path::new(&page.name).parent().unwrap();
            let target = if file.is_empty() { Path::new(&page.name).to_owned() } else { folder.join(file) };
            assert!(root().join(&target).exists(), "{}: `{link}` leads nowhere", page.name);
            let other = pages.iter().find(|other| Path::new(&other.name) == target);
            let found = anchor.is_empty()
                || other.is_some_and(|other| other.anchors().iter().any(|own| own == anchor));
            assert!(found, "{}: `{link}`: there is no such heading", page.name);
            checked += 1;
        }
    }
    assert!(checked > 10, "only {checked} links were found");
}

#[test]
fn every_block_has_a_language_we_know() {
    let known = ["yaml", "sh", "console", "rust", "toml", "text"];
    for block in load_pages(root()).iter().flat_map(|page| &page.blocks) {
        assert!(
            known.contains(&block.language.as_str()),
            "{}: nobody tests `{}`",
            block.place,
            block.language
        );
    }
}

/// Long and short flags in a text.
fn flags(text: &str, line: &str) -> BTreeSet<String> {
    let options = Regex::new(line).unwrap();
    let flag = Regex::new(r"(?:^|[\s`,])(--[a-z][a-z-]*|-[a-zA-Z])\b").unwrap();
    let known_everywhere = ["--help", "-h", "--version", "-V", "--color", "--env-names"];
    let lines = options.captures_iter(text).map(|found| found[1].to_owned()).collect::<Vec<_>>();
    let all = lines
        .iter()
        .flat_map(|line| flag.captures_iter(line).map(|found| found[1].to_owned()).collect::<Vec<_>>());
    all.filter(|flag| !known_everywhere.contains(&flag.as_str())).collect()
}

/// The commands below a command, by its help.
fn actions(help: &str) -> Vec<String> {
    let name = Regex::new(r"(?m)^  ([a-z]+)\b").unwrap();
    let listed = help.split("Commands:").nth(1).and_then(|rest| rest.split("\n\n").next());
    listed
        .into_iter()
        .flat_map(|listed| name.captures_iter(listed))
        .map(|found| found[1].to_owned())
        .collect()
}

#[test]
fn every_flag_is_documented_and_every_documented_flag_exists() {
    let cli = page("docs/cli.md");
    let sandbox = Sandbox::with_suites(root());
    let overview = sandbox.run(&arguments(&["--help"]), &[]).output;
    let commands = overview
        .split("Commands:")
        .nth(1)
        .and_then(|rest| rest.split("\n\n").next())
        .expect("commands are listed");
    let name = Regex::new(r"(?m)^  ([a-z]+)\b").unwrap();
    let mut seen = 0;
    for command in name.captures_iter(commands).map(|found| found[1].to_owned()) {
        let help = sandbox.run(&arguments(&[&command, "--help"]), &[]);
        assert_eq!(help.code, 0, "{}", help.output);
        assert!(help.output.contains("Example"), "`{command} --help` shows no example");
        let section = |name: &str| {
            cli.section(name).unwrap_or_else(|| panic!("docs/cli.md has no section `## {name}`"))
        };
        // `record` is `run` with a mode, and its section says that its flags are the same.
        let told_at = if command == "record" { "run" } else { &command };
        assert!(section(&command).contains("flowproof"), "`## {command}` shows no command");
        let section = section(told_at);
        let mut implemented = flags(&help.output, r"(?m)^\s+(-[^\n]*?)(?:  |$)");
        for action in actions(&help.output) {
            let help = sandbox.run(&arguments(&[&command, &action, "--help"]), &[]);
            assert!(help.output.contains("Example"), "`{command} {action} --help` shows no example");
            implemented.extend(flags(&help.output, r"(?m)^\s+(-[^\n]*?)(?:  |$)"));
        }
        let documented = flags(section, r"(?m)^\| ([^|]*) \|");
        assert_eq!(documented, implemented, "`{command}`: left is docs/cli.md, right is --help");
        seen += implemented.len();
    }
    assert!(seen >= 20, "only {seen} flags were found");
}

/// The names of all properties in a JSON Schema.
fn collect_properties(schema: &Value, into: &mut BTreeSet<String>) {
    match schema {
        Value::Object(members) => {
            if let Some(Value::Object(named)) = members.get("properties") {
                into.extend(named.keys().cloned());
            }
            members.values().for_each(|member| collect_properties(member, into));
        }
        Value::Array(items) => items.iter().for_each(|item| collect_properties(item, into)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn every_key_of_the_formats_is_documented() {
    let format = page("docs/format.md").text;
    let sandbox = Sandbox::with_suites(root());
    for (which, least) in [("suite", 60), ("project", 20)] {
        let printed = sandbox.run(&arguments(&["schema", which]), &[]);
        let schema: Value = serde_json::from_str(&printed.output).expect("the schema is JSON");
        let mut keys = BTreeSet::new();
        collect_properties(&schema, &mut keys);
        assert!(keys.len() >= least, "only {} keys in the {which} schema", keys.len());
        let written =
            |key: &String| Regex::new(&format!(r"`[^`\n]*\b{key}\b[^`\n]*`")).unwrap().is_match(&format);
        let missing: Vec<&String> = keys.iter().filter(|key| !written(key)).collect();
        assert!(
            missing.is_empty(),
            "docs/format.md says nothing about these keys of the {which} schema: {missing:?}"
        );
    }
}

#[test]
fn every_crate_has_a_reason() {
    let cargo = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let table = |name: &str| -> BTreeSet<String> {
        let rest = cargo.split(&format!("\n[{name}]\n")).nth(1).expect("the table exists");
        let lines = rest.lines().take_while(|line| !line.starts_with('['));
        lines.filter_map(|line| line.split_once('=')).map(|(name, _)| name.trim().to_owned()).collect()
    };
    let page = page("docs/dependencies.md");
    let name = Regex::new(r"(?m)^\| `([\w-]+)` \| [^ |]").unwrap();
    for (section, tables) in
        [("The program", "dependencies"), ("Tests and benchmarks only", "dev-dependencies")]
    {
        let text = page.section(section).expect("the section exists");
        let reasons: BTreeSet<String> = name.captures_iter(text).map(|found| found[1].to_owned()).collect();
        assert_eq!(reasons, table(tables), "`{section}`: left is docs/dependencies.md, right is Cargo.toml");
    }
}

#[test]
fn the_changelog_knows_this_version() {
    let changes = page("CHANGELOG.md").text;
    assert!(
        changes.contains(concat!("\n## [", env!("CARGO_PKG_VERSION"), "]")),
        "CHANGELOG.md lacks this version"
    );
}

#[test]
fn the_harness_shown_is_the_one_of_the_example() {
    let cli = page("docs/cli.md");
    let shown = &cli.blocks.iter().find(|block| block.language == "rust").expect("a Rust block").text;
    let example = std::fs::read_to_string(root().join("tests/suites.rs")).unwrap();
    assert!(example.contains(shown.trim()), "tests/suites.rs is written otherwise than docs/cli.md shows");
}

#[test]
fn markdown_is_read_well_enough() {
    let page = Page::parse(
        "a.md",
        "# A, b!\n\n1. x\n\n   ```yaml red\n   a: 1\n     b: 2\n   ```\n\n## c\n[d](e.md#f) `g`\n",
    );
    assert_eq!(page.blocks.len(), 1);
    assert_eq!((page.blocks[0].text.as_str(), page.blocks[0].place.as_str()), ("a: 1\n  b: 2\n", "a.md:5"));
    assert!(page.blocks[0].is("red") && !page.blocks[0].is("yaml"));
    assert_eq!(page.anchors(), ["a-b", "c"]);
    assert_eq!(page.links(), ["e.md#f"]);
    assert!(page.section("c").unwrap().starts_with("## c"));
    assert_eq!(steady("took 1.5 s,  at 127.0.0.1:4\n\n"), ["took [time], at [address]"]);
    let command = command_of("flowproof run -f 'a b'   # exit 4", 0).unwrap();
    assert_eq!((command.arguments, command.exit), (arguments(&["run", "-f", "a b"]), 4));
}
