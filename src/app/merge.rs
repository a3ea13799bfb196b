//! Joins runs that were recorded, here or elsewhere, to a run of its own in the folder of reports.

use std::io;
use std::path::PathBuf;

use crate::app::prepare::formats;
use crate::app::runs::{ReportsFolder, remove_leftovers};
use crate::app::session::run_id;
use crate::app::settings::Settings;
use crate::base::clock;
use crate::base::files::Fence;
use crate::base::whole_file::ScratchFolder;
use crate::record::journal::merge::{self, Merge};
use crate::record::journal::{self, RunRecord};
use crate::report;
use crate::report::format_words;
use crate::suite::load::load_alone;

/// Runs that were joined, not yet in the folder of reports.
pub struct MergedRuns {
    /// What is missing in it, a sentence each.
    pub missing: Vec<String>,
    /// What makes it look like one run that it is not, a sentence each.
    pub doubts: Vec<String>,
    /// Files in folders that are no journals, and why.
    pub left_out: Vec<String>,
    /// Which runs they are.
    pub plan: Merge,
    id: String,
    folder: ScratchFolder,
}

/// Joins the runs that are named: ids, files, folders of runs, and folders with any number of either.
pub fn join(runs: &ReportsFolder, named: &[String]) -> Result<MergedRuns, String> {
    let (mut journals, mut left_out) = (Vec::new(), Vec::new());
    for name in named {
        let found = runs.gather(name)?;
        journals.extend(found.journals);
        left_out.extend(found.left_out);
    }
    journals.sort();
    journals.dedup();
    let plan = merge::plan(&journals).map_err(|error| error.to_string())?;
    let parent = runs.reports.join("runs");
    let failed = |error: io::Error| format!("{} cannot be written: {error}", parent.display());
    remove_leftovers(&runs.reports);
    let folder = ScratchFolder::new_in(&parent, &Fence::around(&runs.reports)).map_err(failed)?;
    let id = run_id(&runs.reports).to_string();
    let path = folder.path().join("journal.jsonl");
    let started = clock::timestamp_text(clock::wall());
    plan.write(&path, &id, &started).map_err(|error| error.to_string())?;
    let record = journal::read(&path).map_err(|error| error.to_string())?;
    let mut missing = plan.missing(&record).map_err(|error| error.to_string())?;
    if record.has_losses() {
        missing.extend(damaged(&journals)?);
    }
    let doubts = plan.doubts(&record);
    Ok(MergedRuns { missing, doubts, left_out, plan, id, folder })
}

/// Names the lines that cannot be read, and what fixes that.
fn damaged(journals: &[PathBuf]) -> Result<Vec<String>, String> {
    let mut damaged = Vec::new();
    for path in journals {
        let record = journal::read(path).map_err(|error| error.to_string())?;
        let Some(first) = record.damage.iter().find(|damage| damage.is_lost()) else { continue };
        let others = record.damage.iter().filter(|damage| damage.is_lost()).count() - 1;
        let more = if others > 0 { format!(" (and {others} more)") } else { String::new() };
        let (path, line, reason) = (path.display(), first.line, &first.reason);
        damaged.push(format!(
            "{path}: line {line}{more} {reason}; facts are lost with it, `flowproof run --resume {path}` runs the affected tests again"
        ));
    }
    if damaged.is_empty() {
        damaged.push(String::from("lines of a journal cannot be read, and facts are lost with them"));
    }
    Ok(damaged)
}

impl MergedRuns {
    /// Puts the merged run in its place and writes the reports of the newest run; gives the record as it lies there.
    pub fn keep(self, runs: &ReportsFolder, settings: &Settings) -> Result<RunRecord, String> {
        report::check_latest(&runs.reports.join("latest")).map_err(|error| error.to_string())?;
        let path = journal::path_of(&runs.reports, &self.id);
        let place = path.parent().map_or_else(|| PathBuf::from("."), PathBuf::from);
        let failed = |error: io::Error| format!("{} cannot be written: {error}", place.display());
        self.folder.keep_as(&place).map_err(failed)?;
        journal::point_to(&path).map_err(|error| error.to_string())?;
        let record = journal::read(&path).map_err(|error| error.to_string())?;
        let (project, _) = load_alone(&settings.working_dir, &format_words());
        report::write_all(&record, &runs.reports.join("latest"), &formats(project.as_ref()))
            .map_err(|error| error.to_string())?;
        Ok(record)
    }
}
