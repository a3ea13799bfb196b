//! Problems in the order in which they are reported, and the files that have some.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::suite::load::LoadedSuites;
use crate::yaml::problem::Problem;

/// The suite files that were found and are no suite, or met problems while they were read.
pub(super) fn unread_files(loaded: &LoadedSuites) -> Vec<Arc<str>> {
    let is_sound = |file: &&Arc<str>| {
        let suite = loaded.suites.iter().find(|suite| suite.source.name == **file);
        suite.is_some_and(|suite| suite.problems == 0)
            && !loaded.problems.iter().any(|problem| problem.concerns(file))
    };
    loaded.files.iter().filter(|file| !is_sound(file)).cloned().collect()
}

/// Each problem once (defaults are compiled for every test), file by file, from top to bottom.
pub(super) fn in_order(mut problems: Vec<Problem>) -> Vec<Problem> {
    let mut seen = HashSet::new();
    problems.retain(|problem| seen.insert((problem.place.to_string(), problem.message.clone())));
    let mut files: HashMap<Arc<str>, usize> = HashMap::new();
    for problem in &problems {
        let next = files.len();
        files.entry(problem.place.file.clone()).or_insert(next);
    }
    problems.sort_by_key(|problem| {
        (files.get(&problem.place.file).copied(), problem.place.line, problem.place.column)
    });
    problems
}
