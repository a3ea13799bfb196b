//! Which suites of a plan have which cassette.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::base::files::Fence;
use crate::plan::case::Plan;

/// The suite files of a plan by the path of their cassettes.
pub(in crate::app) fn suites(plan: &Plan) -> BTreeMap<PathBuf, CassetteSuites> {
    let mut suites: BTreeMap<PathBuf, CassetteSuites> = BTreeMap::new();
    let mut last: Option<(&Path, &str)> = None;
    for case in &plan.cases {
        let (path, file) = (case.test.suite.cassette.as_path(), &*case.test.place.file);
        if last == Some((path, file)) {
            continue;
        }
        last = Some((path, file));
        let of = suites.entry(path.to_owned()).or_default();
        of.fence = case.test.suite.place.clone();
        if !of.files.iter().any(|known| **known == *file) {
            of.files.push(case.test.place.file.clone());
        }
    }
    suites
}

/// The suites of a cassette.
#[derive(Debug, Clone, Default)]
pub(in crate::app) struct CassetteSuites {
    /// Their files.
    pub files: Vec<Arc<str>>,
    /// Holds the cassette, links followed.
    pub fence: Fence,
}
