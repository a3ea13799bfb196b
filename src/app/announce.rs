//! A run announces itself before it loads anything: its journal is made and it is the latest, so that what is asked of `latest`
//! after it was killed, or after its suites had problems, is never answered by the run before.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::app::reports::{WrittenReports, reports_folder};
use crate::app::runs::{ReportsFolder, remove_never_begun};
use crate::app::session::{Session, run_id};
use crate::app::settings::Settings;
use crate::base::files::{self, Fence};
use crate::base::redact::Redactor;
use crate::record::event::{RunOptions, SinkError};
use crate::record::journal::{self, Journal};
use crate::report::check_latest;
use crate::report::format_words;
use crate::suite::load::load_alone;

/// Names that are tried where another process takes a journal away that holds nothing yet.
const TRIES: usize = 16;

/// A run that is the latest, and of which nothing is recorded yet.
#[derive(Debug)]
pub struct AnnouncedRun {
    run: Arc<str>,
    reports: PathBuf,
    journal: Journal,
}

/// Announces a new run. A name of a run in the options means the one that it means before.
///
/// `None` where the run is going to be refused, whatever the suites hold: for a folder of reports that is not ours, or for the
/// name of a run that does not exist.
pub fn announce(settings: &Settings, options: &mut RunOptions) -> Result<Option<AnnouncedRun>, SinkError> {
    let reports = reports_of(settings, options)?;
    if check_latest(&reports.join("latest")).is_err() {
        return Ok(None);
    }
    if let Some(name) = &options.shard_by {
        let Ok(path) = ReportsFolder::below(settings, &reports).find(name) else { return Ok(None) };
        options.shard_by = Some(path.to_string_lossy().into_owned());
    }
    remove_never_begun(&reports);
    let mut tries = 0;
    loop {
        let run = run_id(&reports);
        tries += 1;
        match Journal::create(&reports, &run, Redactor::new([])) {
            Ok(journal) => return Ok(Some(AnnouncedRun { run, reports, journal })),
            Err(error) if tries == TRIES || error.source.kind() != std::io::ErrorKind::WouldBlock => {
                return Err(error);
            }
            Err(_) => {}
        }
    }
}

/// The folder of the reports, as it is known before suites are loaded.
fn reports_of(settings: &Settings, options: &RunOptions) -> Result<PathBuf, SinkError> {
    let (project, _) = load_alone(&settings.working_dir, &format_words());
    let written = match &project {
        Some(project) => WrittenReports { root: &project.folder, dir: project.reports_dir.as_deref() },
        None => WrittenReports { root: &settings.working_dir, dir: None },
    };
    reports_folder(settings, options.reports.as_deref(), written).map_err(|why| SinkError {
        what: String::from("use the reports"),
        source: std::io::Error::other(why),
    })
}

impl AnnouncedRun {
    /// Gives up a run that cannot start. It stays the latest where there was one before; where it is alone, nothing of it stays.
    pub fn give_up(self) {
        let Self { run, reports, journal } = self;
        drop(journal);
        let path = journal::path_of(&reports, &run);
        let (Some(folder), Some(runs)) = (path.parent(), path.parent().and_then(Path::parent)) else {
            return;
        };
        let is_alone = fs::read_dir(runs).is_ok_and(|entries| entries.flatten().count() == 1);
        if is_alone {
            // Folders go only where they are empty.
            let fence = Fence::around(&reports);
            let _ = files::remove(&path, &fence);
            let _ = files::remove_empty_folder(folder, &fence);
            let _ = files::remove_empty_folder(runs, &fence);
            journal::forget_latest(&reports);
            let _ = files::remove_empty_folder(&reports, &Fence::anywhere());
        }
    }
}

impl Session {
    /// Takes over the run that was announced, if its reports are in the same folder.
    pub fn adopt(&mut self, announced: AnnouncedRun) -> Option<Journal> {
        let AnnouncedRun { run, reports, journal } = announced;
        let is_same = fs::canonicalize(&reports).ok() == fs::canonicalize(&self.reports).ok();
        if !is_same {
            return None;
        }
        self.run = run;
        Some(journal.masked_by(self.redactor.clone()))
    }
}
