//! Where the snapshots of a suite's tests lie, and that no two of a test share a key.

use std::collections::HashMap;
use std::sync::Arc;

use crate::assert::check::{AssertedKey, Check, keys_of, snapshot_keys};
use crate::assert::snapshot::{FileNameUniqueness, SnapshotPlace};
use crate::plan::case::Case;
use crate::yaml::problem::Problem;
use crate::yaml::reader::Reader;

/// Two snapshots of a test under one key would judge each other.
pub(super) fn check_keys(reader: &mut Reader<'_>, checks: &[Check]) {
    let mut first = HashMap::new();
    for AssertedKey { key, place } in snapshot_keys(checks) {
        let Some(key) = key else { continue };
        match first.get(&key) {
            None => drop(first.insert(key, place)),
            Some(earlier) => {
                let what = format!("two snapshots of this test have the same key, `{key}`");
                let problem =
                    Problem::new((*place).clone(), what).help("give one of them a `label` of its own");
                reader
                    .problems
                    .push(problem.other(Arc::unwrap_or_clone(Arc::clone(earlier)), "the first of them"));
            }
        }
    }
}

/// The places of the snapshots of one suite's tests, all of them given, so that names are distinguished.
pub(super) fn spots_of<'c>(cases: impl Iterator<Item = &'c Case> + Clone) -> Vec<SnapshotPlace> {
    let mut sharing: HashMap<String, u32> = HashMap::new();
    for case in cases.clone() {
        *sharing.entry(own_name(case).to_lowercase()).or_default() += 1;
    }
    let spot = |case: &Case| {
        let name = own_name(case);
        Some(SnapshotPlace {
            case: case.name.clone(),
            name: Arc::from(name),
            place: case.test.place.clone(),
            folder: case.test.suite.snapshots.clone(),
            fence: case.test.suite.place.clone(),
            alone: if sharing.get(&name.to_lowercase()) == Some(&1) {
                FileNameUniqueness::Yes
            } else {
                FileNameUniqueness::No
            },
            keys: keys_of(&case.test.checks)?,
        })
    };
    cases.filter_map(spot).collect()
}

/// The test's full name without the suite's.
fn own_name(case: &Case) -> &str {
    let suite = case.test.suite.name.len();
    case.name.get(suite + "::".len()..).unwrap_or(&case.name)
}
