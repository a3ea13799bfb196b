//! Whether what was merged is one run: its results may come from several runs of a build server, or from several days.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use crate::record::event::MergedRun;
use crate::record::journal::RunRecord;
use crate::record::journal::merge::{Merge, told};

/// Where no build server names its run: what began further apart is hardly one run.
const APART: Duration = Duration::from_secs(12 * 60 * 60);
/// Runs that are named one by one.
const NAMED: usize = 8;

impl Merge {
    /// What makes the merged run look like one that it is not, a sentence each. Only runs count that have a result in it:
    /// one that was run again as a whole is superseded.
    pub fn doubts(&self, record: &RunRecord) -> Vec<String> {
        let standing = record.index.parts_that_count();
        let standing: BTreeSet<usize> =
            standing.iter().filter_map(|part| Some(self.pieces.get(*part)?.run)).collect();
        let runs: Vec<&MergedRun> = standing.iter().map(|run| &self.runs[*run].run).collect();
        builds(&runs).into_iter().chain(versions(record)).collect()
    }
}

/// That results come from several builds, or from times far apart where a build is not known.
fn builds(runs: &[&MergedRun]) -> Option<String> {
    let builds: BTreeSet<&str> = runs.iter().filter_map(|run| run.build.as_deref()).collect();
    let all_known = runs.iter().all(|run| run.build.is_some());
    let what = if builds.len() > 1 {
        format!("the results come from {} runs of the build server", builds.len())
    } else if !all_known && is_far_apart(runs) {
        String::from("the results come from runs that began more than 12 hours apart")
    } else {
        return None;
    };
    let mut named: Vec<String> = runs.iter().take(NAMED).map(|run| told_with_start(run)).collect();
    if runs.len() > NAMED {
        named.push(format!("{} more", runs.len() - NAMED));
    }
    let named = named.join("; ");
    Some(format!("{what}: {named}. Name only those that belong together, unless that is meant"))
}

/// `shard 2/4 (run 2026…), started 2026-…, GitHub Actions 4711`.
fn told_with_start(run: &MergedRun) -> String {
    let build = run.build.as_ref().map(|build| format!(", {build}")).unwrap_or_default();
    format!("{}, started {}{build}", told(run), run.started)
}

fn is_far_apart(runs: &[&MergedRun]) -> bool {
    let times = || runs.iter().filter_map(|run| run.started.parse::<Timestamp>().ok());
    let (Some(first), Some(last)) = (times().min(), times().max()) else { return false };
    last.duration_since(first).unsigned_abs() > APART
}

/// That an app was tested in several versions.
fn versions(record: &RunRecord) -> Vec<String> {
    let mut of_apps: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    if record.start.mock || record.start.cassettes.is_some() {
        return Vec::new();
    }
    for ran in record.end.iter().flat_map(|end| &end.versions) {
        if let Some(version) = &ran.workflow_id {
            of_apps.entry(&ran.app).or_default().insert(version);
        }
    }
    let several = of_apps.into_iter().filter(|(_, versions)| versions.len() > 1);
    several
        .map(|(app, versions)| {
            let of = if app.is_empty() { String::from("the app") } else { format!("the app `{app}`") };
            let versions = versions.into_iter().collect::<Vec<_>>().join(", ");
            format!("{of} was tested in several versions: {versions}")
        })
        .collect()
}
