//! The JSON Schemas (2020-12) of the suite and the project file, for editors; the reader remains the judge.

/// The schema of a suite.
pub const SUITE: &str = include_str!("suite.schema.json");
/// The schema of the project file.
pub const PROJECT: &str = include_str!("project.schema.json");

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use serde_json::Value;

    use super::*;
    use crate::dify::mock::fault;
    use crate::suite::project;
    use crate::suite::read_budget;
    use crate::suite::read_compare;
    use crate::suite::read_suite;
    use crate::suite::read_target;
    use crate::suite::test_reader;
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

    fn same(schema: &Value, pointer: &str, known: &[&str]) {
        let mut known: Vec<String> = known.iter().map(|key| (*key).to_owned()).collect();
        known.sort();
        assert_eq!(keys(schema, pointer), known, "{pointer}");
    }

    #[test]
    fn the_schemas_know_the_readers_keys() {
        let suite = schema(SUITE);
        same(&suite, "/properties", &read_suite::SUITE_KEYS);
        same(&suite, "/properties/defaults/properties", &test_reader::RUN_KEYS);
        same(&suite, "/$defs/test/properties", &test_reader::TEST_KEYS);
        same(&suite, "/properties/budget/properties", &read_budget::BUDGET_KEYS);
        same(&suite, "/properties/budget/properties/per_test/properties", &read_budget::CAP_KEYS);
        let answer = "/$defs/test/properties/human_input/items/properties";
        same(&suite, answer, &crate::suite::read_answer::ANSWER_KEYS);
        same(&suite, "/$defs/retries/anyOf/1/properties", &test_reader::RETRIES_KEYS);
        let repeat = "/$defs/test/properties/repeat/anyOf/1/properties";
        same(&suite, repeat, &crate::suite::read_repeat::REPEAT_KEYS);
        let metrics = crate::suite::thresholds::METRICS.map(|(name, _)| name);
        same(&suite, "/properties/thresholds/properties", &metrics);
        let faults: Vec<&str> = fault::NAMES.into_iter().chain(fault::OPTIONS).collect();
        same(&suite, "/$defs/fault/anyOf/1/properties", &faults);
        let project = schema(PROJECT);
        same(&project, "/properties", &project::PROJECT_KEYS);
        same(&project, "/properties/profiles/additionalProperties/properties", &project::PROFILE_KEYS);
        let budget = "/properties/profiles/additionalProperties/properties/budget/properties";
        same(&project, budget, &read_budget::PROFILE_BUDGET_KEYS);
        same(&project, "/properties/reports/properties", &project::REPORTS_KEYS);
        same(&project, "/properties/compare/properties", &read_compare::COMPARE_KEYS);
        same(
            &project,
            "/properties/judges/additionalProperties/properties",
            &crate::suite::read_judge::JUDGE_KEYS,
        );
        let target = "/properties/targets/additionalProperties/properties";
        same(&project, target, &read_target::TARGET_KEYS);
        same(&project, &format!("{target}/apps/additionalProperties/properties"), &read_target::APP_KEYS);
        same(&project, &format!("{target}/timeouts/properties"), &read_target::TIMEOUT_KEYS);
        same(&project, &format!("{target}/recovery/properties"), &read_target::RECOVERY_KEYS);
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
        walk(&schema(SUITE), "suite");
        walk(&schema(PROJECT), "project");
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
        let suite = jsonschema::validator_for(&schema(SUITE)).unwrap();
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
        let project = jsonschema::validator_for(&schema(PROJECT)).unwrap();
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
        let suite = jsonschema::validator_for(&schema(SUITE)).unwrap();
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
