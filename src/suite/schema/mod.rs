//! The JSON Schemas (2020-12) of the suite and the project file, for editors; the reader remains the judge.

use serde_json::Value;

use crate::suite::keys::{Mapping, OF_PROJECT, OF_SUITE};

/// The schema of a suite, without what the table of keys says.
const SUITE: &str = include_str!("suite.schema.json");
/// The schema of the project file, without what the table of keys says.
const PROJECT: &str = include_str!("project.schema.json");

/// The schema of a suite.
pub fn suite() -> String {
    text(&with_descriptions(SUITE, OF_SUITE))
}

/// The schema of the project file, with the words of `reports.formats`.
pub fn project(formats: &[&str]) -> String {
    let mut schema = with_descriptions(PROJECT, OF_PROJECT);
    schema["properties"]["reports"]["properties"]["formats"]["items"]["enum"] = Value::from(formats);
    text(&schema)
}

/// Describes each key of some mappings as the table does.
fn with_descriptions(schema: &str, mappings: &[Mapping]) -> Value {
    let mut schema: Value = serde_json::from_str(schema).expect("our own schemas are JSON");
    for Mapping { pointer, keys } in mappings {
        for key in *keys {
            let place = schema.pointer_mut(&format!("{pointer}/{}", key.name));
            let Some(Value::Object(property)) = place else { continue };
            let known = std::mem::take(property);
            property.insert("description".to_owned(), Value::from(key.description()));
            property.extend(known);
        }
    }
    schema
}

fn text(schema: &Value) -> String {
    serde_json::to_string_pretty(schema).expect("a value becomes JSON") + "\n"
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::*;
    use crate::dify::mock::fault;
    use crate::suite::keys::format_key::FormatKey;
    use crate::yaml::parse;

    fn schema(text: &str) -> Value {
        serde_json::from_str(text).unwrap()
    }

    fn keys(schema: &Value, pointer: &str) -> Vec<String> {
        let properties =
            schema.pointer(pointer).and_then(Value::as_object).unwrap_or_else(|| panic!("{pointer}"));
        let mut keys: Vec<String> = properties.keys().cloned().collect();
        keys.sort();
        keys
    }

    fn same(schema: &Value, pointer: &str, mut known: Vec<String>) {
        known.sort();
        assert_eq!(keys(schema, pointer), known, "{pointer}");
    }

    #[test]
    fn the_schemas_know_the_readers_keys() {
        for (text, mappings) in [(SUITE, OF_SUITE), (PROJECT, OF_PROJECT)] {
            let schema = schema(text);
            for Mapping { pointer, keys } in mappings {
                let known = keys.iter().map(|FormatKey { name, .. }| (*name).to_owned());
                same(&schema, pointer, known.collect());
                for FormatKey { name, .. } in *keys {
                    let property = &schema.pointer(pointer).unwrap()[name];
                    assert!(
                        property.get("description").is_none(),
                        "{pointer}/{name} is described by the table"
                    );
                }
            }
        }
        let faults = fault::NAMES.into_iter().chain(fault::OPTIONS).map(str::to_owned);
        same(&schema(SUITE), "/$defs/fault/anyOf/1/properties", faults.collect());
    }

    #[test]
    fn the_schema_of_projects_has_the_words_of_the_reports() {
        let project = schema(&project(&["one", "other"]));
        let words = &project["properties"]["reports"]["properties"]["formats"]["items"]["enum"];
        assert_eq!(*words, serde_json::json!(["one", "other"]));
    }

    #[test]
    fn every_key_is_described() {
        fn walk(value: &Value, path: &str) {
            let Some(members) = value.as_object() else { return };
            for (key, member) in members.get("properties").and_then(Value::as_object).into_iter().flatten() {
                let described = member.get("description").is_some() || member.get("$ref").is_some();
                assert!(described, "{path}/{key} has no description");
            }
            for (key, member) in members {
                walk(member, &format!("{path}/{key}"));
                for item in member.as_array().into_iter().flatten() {
                    walk(item, &format!("{path}/{key}"));
                }
            }
        }
        walk(&schema(&suite()), "suite");
        walk(&schema(&project(&[])), "project");
    }

    fn document(path: &Path) -> Option<Value> {
        let root = parse::parse_yaml("x", std::fs::read(path).unwrap(), &mut Vec::new()).root?;
        Some(root.to_json())
    }

    fn data(folder: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/suites").join(folder)
    }

    #[test]
    fn good_suites_and_our_own_validate() {
        let suite = jsonschema::validator_for(&schema(&suite())).unwrap();
        for name in ["support-triage", "elsewhere", "repeats"] {
            let document = document(&data("good").join(format!("{name}.yaml"))).unwrap();
            let errors: Vec<String> = suite
                .iter_errors(&document)
                .map(|error| format!("{} {error}", error.instance_path()))
                .collect();
            assert_eq!(errors, Vec::<String>::new(), "{name}");
        }
        let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("suites");
        let suites = std::fs::read_dir(own).unwrap().map(|entry| entry.unwrap().path());
        let suites: Vec<PathBuf> =
            suites.filter(|path| path.extension().is_some_and(|ending| ending == "yaml")).collect();
        assert!(suites.len() >= 6, "{suites:?}");
        for path in suites {
            assert!(suite.is_valid(&document(&path).unwrap()), "{}", path.display());
        }
        let project = jsonschema::validator_for(&schema(&project(&crate::report::format_words()))).unwrap();
        let document = document(&data("good/project/flowproof.yaml")).unwrap();
        let errors: Vec<String> = project
            .iter_errors(&document)
            .map(|error| format!("{} {error}", error.instance_path()))
            .collect();
        assert_eq!(errors, Vec::<String>::new());
    }

    /// Bad suites whose fault no schema sees: it lies in names, files, templates or YAML itself.
    const BEYOND_A_SCHEMA: [&str; 37] = [
        "budget-cap-above",
        "confidence-one",
        "env-unlisted",
        "fail-below-above",
        "repeat-could-never-fail",
        "repeat-min-over-max",
        "repeat-no-room",
        "repeat-too-few",
        "thresholds-test-name",
        "text-of-dify",
        "duplicate-keys",
        "each-and-matrix",
        "each-bad-jsonl",
        "each-kind",
        "each-lossy",
        "each-no-file",
        "each-outside",
        "each-ragged-csv",
        "each-twice",
        "files-missing",
        "full-name-collision",
        "huge-number",
        "human-input-twice",
        "matrix-huge",
        "name-twice",
        "pass-rate-above",
        "row-without-key",
        "row-without-rows",
        "template-calls",
        "template-syntax",
        "timeout-zero",
        "unknown-column",
        "unknown-root",
        "name-with-control",
        "unknown-var",
        "var-name",
        "var-used-before",
    ];

    #[test]
    fn bad_shapes_are_refused() {
        let suite = jsonschema::validator_for(&schema(&suite())).unwrap();
        let mut accepted = Vec::new();
        for entry in std::fs::read_dir(data("bad")).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            if path.extension().is_none_or(|ending| ending != "yaml") {
                continue;
            }
            if document(&path).is_some_and(|document| suite.is_valid(&document)) {
                accepted.push(name);
            }
        }
        accepted.sort();
        let mut expected = BEYOND_A_SCHEMA;
        expected.sort_unstable();
        assert_eq!(accepted, expected);
    }
}
