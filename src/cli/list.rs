//! `flowproof list`: the tests with tags and places; sends nothing.

use std::fmt::Write;

use clap::{Args, ValueEnum};
use serde_json::json;

use crate::app;
use crate::app::settings::Settings;
use crate::base::plural::plural;
use crate::cli::exit::Exit;
use crate::cli::option_flags::{OptionFlags, SelectionOptions};
use crate::cli::say;
use crate::plan::list::ListedTest;

/// `flowproof list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Which tests.
    #[command(flatten)]
    pub selection: OptionFlags<SelectionOptions>,
    /// How to list them.
    #[arg(long, value_name = "FORMAT", default_value = "pretty")]
    pub format: ListFormat,
}

/// How tests are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ListFormat {
    /// Name, tags and place, aligned.
    Pretty,
    /// One `name: test` a line, as libtest does.
    Terse,
    /// One JSON array.
    Json,
}

/// Prints the selected tests.
pub fn list(args: &ListArgs, settings: &Settings) -> Exit {
    match app::list(settings, &args.selection.options) {
        Ok(tests) => match args.format {
            ListFormat::Pretty | ListFormat::Terse => say::bytes(render(&tests, args.format).as_bytes()),
            ListFormat::Json => say::json(&render(&tests, args.format)),
        },
        Err(failure) => say::refusal(&failure, "nothing is listed"),
    }
}

fn render(tests: &[ListedTest], format: ListFormat) -> String {
    match format {
        ListFormat::Pretty => pretty(tests),
        ListFormat::Terse => tests.iter().map(|test| format!("{}: test\n", test.name)).collect(),
        ListFormat::Json => as_json(tests),
    }
}

/// Name, tags and place in columns, then how many there are.
fn pretty(tests: &[ListedTest]) -> String {
    let width = |text: &str| text.chars().count();
    let names = tests.iter().map(|test| width(&test.name)).max().unwrap_or(0).min(60);
    let tags: Vec<String> = tests.iter().map(|test| test.tags.join(", ")).collect();
    let columns = tags.iter().map(|tags| width(tags)).max().unwrap_or(0).min(30);
    let mut text = String::new();
    for (test, tags) in tests.iter().zip(&tags) {
        // Writing to a String cannot fail.
        let _ =
            write!(text, "{:names$}  {tags:columns$}  {}:{}", test.name, test.place.file, test.place.line);
        match &test.skip {
            Some(reason) => text.push_str(&format!("  skipped: {reason}\n")),
            None => text.push('\n'),
        }
    }
    text.push_str(&format!("{} {}\n", tests.len(), plural(tests.len(), "test", "tests")));
    text
}

fn as_json(tests: &[ListedTest]) -> String {
    let items: Vec<_> = tests
        .iter()
        .map(|test| {
            json!({
                "name": test.name, "suite": test.name.split("::").next(), "tags": test.tags,
                "file": test.place.file, "line": test.place.line, "skip": test.skip,
            })
        })
        .collect();
    let mut text = serde_json::to_string_pretty(&items).expect("names, tags and numbers are JSON");
    text.push('\n');
    text
}
