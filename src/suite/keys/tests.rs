//! The key tables of `docs/format.md` are those of the readers.

use std::collections::BTreeSet;
use std::path::Path;

use super::*;
use crate::suite::keys::format_key::names;
use crate::suite::thresholds::METRICS;

/// The rows of the first table with this head behind a heading.
fn rows(page: &str, heading: &str, head: &str) -> BTreeSet<String> {
    let (_, section) = page.split_once(&format!("\n{heading}\n")).unwrap_or_else(|| panic!("{heading}"));
    let (_, table) = section
        .split_once(&format!("\n{head}\n| --- | --- | --- | --- |\n"))
        .unwrap_or_else(|| panic!("{heading}"));
    table.lines().take_while(|line| line.starts_with('|')).map(str::to_owned).collect()
}

fn row(key: &FormatKey) -> String {
    format!("| `{}` | {} | {} | {} |", key.name, key.kind, key.default, key.meaning)
}

#[test]
fn the_key_tables_of_the_docs_are_those_of_the_readers() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/format.md");
    let page = std::fs::read_to_string(path).unwrap();
    let head = "| key | type | default | meaning |";
    let tables: [(&str, &str, &[FormatKey]); 6] = [
        ("## A suite", head, &SUITE),
        ("## Keys of a test", head, &TEST),
        ("## The project file", head, &PROJECT),
        ("## The project file", "| key of a target | type | default | meaning |", &TARGET),
        ("### Gates of comparisons", head, &COMPARE),
        ("## Budgets", head, &BUDGET),
    ];
    for (heading, head, keys) in tables {
        let mut written = rows(&page, heading, head);
        // The one key that is a pattern: readers know it by its beginning.
        written.retain(|row| !row.starts_with("| `x-…` |"));
        let known: BTreeSet<String> = keys.iter().map(row).collect();
        let missing: Vec<_> = known.difference(&written).collect();
        let unknown: Vec<_> = written.difference(&known).collect();
        assert!(
            missing.is_empty() && unknown.is_empty(),
            "{heading}: docs/format.md lacks {missing:#?} and has {unknown:#?}"
        );
    }
}

/// Keys whose mapping has no table of its own are named where it is described.
#[test]
fn every_key_of_a_small_mapping_is_in_the_row_of_its_mapping() {
    let small: [(&[FormatKey], &str, &[FormatKey]); 9] = [
        (&PROJECT, "profiles", &PROFILE),
        (&PROJECT, "reports", &REPORTS),
        (&PROJECT, "judges", &JUDGE),
        (&TARGET, "apps", &APP),
        (&TARGET, "timeouts", &TIMEOUTS),
        (&TARGET, "retries", &RETRIES),
        (&TARGET, "recovery", &RECOVERY),
        (&SUITE, "thresholds", &THRESHOLDS),
        (&COMPARE, "pass_rate", &GATE),
    ];
    for (parent, name, keys) in small {
        let row = row(parent.iter().find(|key| key.name == name).unwrap());
        let words: BTreeSet<&str> = row.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
        let missing: Vec<_> = keys.iter().filter(|key| !words.contains(key.name)).collect();
        assert!(missing.is_empty(), "{row}: {missing:?}");
    }
}

#[test]
fn no_mapping_has_a_key_twice() {
    for mapping in OF_SUITE.iter().chain(OF_PROJECT) {
        let names: BTreeSet<&str> = mapping.keys.iter().map(|key| key.name).collect();
        assert_eq!(names.len(), mapping.keys.len(), "{}", mapping.pointer);
    }
}

#[test]
fn thresholds_have_a_key_for_every_metric() {
    assert_eq!(names(&THRESHOLDS), METRICS.map(|(name, _)| name));
}
