//! The one table of the keys of suites and the project file.
//!
//! Readers take their known keys and suggestions from it, and the JSON Schemas their descriptions. Tests compare it with the schemas and
//! with the tables of `docs/format.md`, in both directions.

pub mod format_key;
pub mod of_project;
pub mod of_suite;

use self::format_key::FormatKey;
use self::of_project::{
    APP, COMPARE, GATE, JUDGE, PROFILE, PROFILE_BUDGET, PROJECT, RECOVERY, REPORTS, TARGET, TIMEOUTS,
};
use self::of_suite::{BUDGET, CAP, DEFAULTS, FORM_ANSWER, REPEAT, RETRIES, SUITE, TEST, THRESHOLDS};

/// The keys of a mapping, and where the JSON Schema of its file has them.
#[derive(Debug)]
pub struct Mapping {
    /// The schema's `properties` of it, by JSON Pointer.
    pub pointer: &'static str,
    /// Its keys.
    pub keys: &'static [FormatKey],
}

const fn mapping(pointer: &'static str, keys: &'static [FormatKey]) -> Mapping {
    Mapping { pointer, keys }
}

/// The mappings of a suite.
pub const OF_SUITE: &[Mapping] = &[
    mapping("/properties", &SUITE),
    mapping("/properties/defaults/properties", &DEFAULTS),
    mapping("/properties/defaults/properties/repeat/anyOf/1/properties", &REPEAT),
    mapping("/$defs/test/properties", &TEST),
    mapping("/$defs/test/properties/repeat/anyOf/1/properties", &REPEAT),
    mapping("/$defs/test/properties/human_input/items/properties", &FORM_ANSWER),
    mapping("/$defs/retries/anyOf/1/properties", &RETRIES),
    mapping("/properties/thresholds/properties", &THRESHOLDS),
    mapping("/properties/budget/properties", &BUDGET),
    mapping("/properties/budget/properties/per_test/properties", &CAP),
];

/// The mappings of the project file.
pub const OF_PROJECT: &[Mapping] = &[
    mapping("/properties", &PROJECT),
    mapping("/properties/profiles/additionalProperties/properties", &PROFILE),
    mapping("/properties/profiles/additionalProperties/properties/repeat/anyOf/1/properties", &REPEAT),
    mapping("/properties/profiles/additionalProperties/properties/budget/properties", &PROFILE_BUDGET),
    mapping("/$defs/retries/anyOf/1/properties", &RETRIES),
    mapping("/properties/reports/properties", &REPORTS),
    mapping("/properties/compare/properties", &COMPARE),
    mapping("/properties/compare/properties/pass_rate/properties", &GATE),
    mapping("/properties/compare/properties/tokens/properties", &GATE),
    mapping("/properties/compare/properties/cost/properties", &GATE),
    mapping("/properties/compare/properties/latency/properties", &GATE),
    mapping("/properties/compare/properties/ttft/properties", &GATE),
    mapping("/properties/judges/additionalProperties/properties", &JUDGE),
    mapping("/properties/targets/additionalProperties/properties", &TARGET),
    mapping("/properties/targets/additionalProperties/properties/apps/additionalProperties/properties", &APP),
    mapping("/properties/targets/additionalProperties/properties/timeouts/properties", &TIMEOUTS),
    mapping("/properties/targets/additionalProperties/properties/recovery/properties", &RECOVERY),
];

#[cfg(test)]
mod tests;
