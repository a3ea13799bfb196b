//! The nodes that ran in the last recorded run of a target, by app.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;

use crate::app::live_app::nodes::RecordedNodes;
use crate::base::byte_order_mark::without_mark;
use crate::base::files::{self, Fence};
use crate::record::event::Event;
use crate::record::journal;

/// The most journals of the target that are read whole.
const MOST_READ: usize = 20;
/// The most journals of which the first line is read.
const MOST_LOOKED: usize = 1_000;
/// The longest first line of a journal.
const LONGEST_LINE: u64 = 1_000_000;

/// What ran when a target was run last.
pub struct LastRun {
    /// The run, by its id and when it was.
    pub run: String,
    /// What ran, by app.
    pub apps: BTreeMap<Arc<str>, RecordedNodes>,
}

/// A stored attempt, with what its nodes need.
#[derive(Deserialize)]
struct AttemptNodes {
    facts: FactNodes,
}

#[derive(Deserialize)]
struct FactNodes {
    #[serde(default)]
    nodes: Vec<NodeName>,
}

#[derive(Deserialize)]
struct NodeName {
    #[serde(default)]
    id: String,
    title: String,
}

impl LastRun {
    /// The newest run of a target in which a node of these suites' apps ran.
    pub fn find(reports: &Path, target: &str, apps: &BTreeMap<&str, Arc<str>>) -> Option<Self> {
        let folders = files::list(&reports.join("runs"), &Fence::around(reports)).into_iter();
        let mut runs: Vec<String> =
            folders.filter_map(|folder| folder.file_name()?.to_str().map(str::to_owned)).collect();
        // Ids begin with the time.
        runs.sort_unstable_by(|a, b| b.cmp(a));
        let paths = runs.iter().take(MOST_LOOKED).map(|run| journal::path_of(reports, run));
        let mut of_target = paths.filter_map(|path| Some((started(&path, target)?, path))).take(MOST_READ);
        of_target.find_map(|(run, path)| {
            let seen = nodes(&path, apps);
            (!seen.is_empty()).then_some(Self { run, apps: seen })
        })
    }
}

/// The run of a journal, where it ran on the target.
fn started(path: &Path, target: &str) -> Option<String> {
    let mut line = Vec::new();
    BufReader::new(files::open(path, &journal::fence_of(path)).ok()?)
        .take(LONGEST_LINE)
        .read_until(b'\n', &mut line)
        .ok()?;
    match serde_json::from_slice(without_mark(&line)).ok()? {
        Event::RunStarted(start) if start.target == target => {
            Some(format!("the run {} of {}", start.run, start.started))
        }
        Event::RunStarted(_)
        | Event::CasesPlanned(_)
        | Event::RunContinued(_)
        | Event::AttemptStarted(_)
        | Event::AttemptLeft(_)
        | Event::AttemptFinished(_)
        | Event::CaseFinished(_)
        | Event::RunFinished(_) => None,
    }
}

fn nodes(path: &Path, apps: &BTreeMap<&str, Arc<str>>) -> BTreeMap<Arc<str>, RecordedNodes> {
    let mut seen: BTreeMap<Arc<str>, RecordedNodes> = BTreeMap::new();
    let Ok(record) = journal::read(path) else { return seen };
    // What cannot be read any more says nothing of what ran.
    let _ = record.read_cases(&record.order_by_suite(), |case, text| {
        let Some(app) = apps.get(case.outcome.suite.as_str()) else { return };
        let list = [b"[", text, b"]"].concat();
        let attempts: Vec<AttemptNodes> = serde_json::from_slice(&list).unwrap_or_default();
        for node in attempts.into_iter().flat_map(|attempt| attempt.facts.nodes) {
            let known = seen.entry(app.clone()).or_default();
            known.titles.insert(node.title);
            known.ids.extend(Some(node.id).filter(|id| !id.is_empty()));
        }
    });
    seen
}
