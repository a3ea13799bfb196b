//! Which run is the latest: a file in the folder of reports names it, so that a clock that was set back misleads nobody.

use std::io::Write;
use std::path::{Path, PathBuf};

use jiff::civil::DateTime;
use jiff::{Span, Timestamp};

use crate::base::files::{self, Fence, NewFile};
use crate::record::event::SinkError;

/// The file in the folder of reports that names the run that was begun or continued last.
const POINTER: &str = "latest-run";
/// The most bytes that are read of it.
const LONGEST: u64 = 1024;
/// How a run's id begins: the time to the second in UTC.
const SECOND: &str = "%Y%m%dT%H%M%SZ";

/// Notes that the run of this journal is the latest; a journal that is in no folder of runs is not noted.
pub(crate) fn point_to(journal: &Path) -> Result<(), SinkError> {
    let Some(run) = journal.parent() else { return Ok(()) };
    let (Some(id), Some(runs)) = (run.file_name(), run.parent()) else { return Ok(()) };
    let Some(reports) = runs.parent().filter(|_| runs.file_name().is_some_and(|name| name == "runs")) else {
        return Ok(());
    };
    let pointer = reports.join(POINTER);
    let written = NewFile::beside(&pointer, &Fence::around(reports)).and_then(|file| {
        file.file().write_all(id.as_encoded_bytes())?;
        file.file().write_all(b"\n")?;
        file.persist()
    });
    written.map(drop).map_err(|source| SinkError { what: format!("write {}", pointer.display()), source })
}

/// Forgets which run is the latest, where that run is gone.
pub(crate) fn forget_latest(reports: &Path) {
    if latest(reports).is_none() {
        let _ = files::remove(&reports.join(POINTER), &Fence::around(reports));
    }
}

/// The id of the run that was begun or continued last, if a run of that id is still there.
pub(crate) fn latest(reports: &Path) -> Option<String> {
    let id = noted(reports)?;
    super::path_of(reports, &id).is_file().then_some(id)
}

fn noted(reports: &Path) -> Option<String> {
    let bytes = files::read(&reports.join(POINTER), &Fence::around(reports), LONGEST).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let id = text.trim();
    let is_name = !id.is_empty() && PathBuf::from(id).file_name().is_some_and(|name| name == id);
    is_name.then(|| id.to_owned())
}

/// When the newest run of a folder began, to the second, as the ids of its runs say.
pub(crate) fn newest_second(reports: &Path) -> Option<Timestamp> {
    let entries = files::list(&reports.join("runs"), &Fence::around(reports)).into_iter();
    let stored = entries.filter_map(|path| second_of(&path.file_name()?.to_string_lossy())).max();
    // The newest may have been removed.
    stored.max(noted(reports).and_then(|id| second_of(&id)))
}

/// The id of a run that begins now: the second in UTC, then the salt. It sorts after those of all runs of the folder, also
/// when one was begun in the same second or the clock was set back since.
pub(crate) fn next_id(reports: &Path, now: Timestamp, salt: &str) -> String {
    let after = newest_second(reports).and_then(|last| last.checked_add(Span::new().seconds(1)).ok());
    let second = after.map_or(now, |after| after.max(now));
    format!("{}-{salt}", second.strftime(SECOND))
}

/// When a run began, to the second, as its id says.
fn second_of(id: &str) -> Option<Timestamp> {
    let (second, _) = id.split_once('-')?;
    let second = DateTime::strptime(SECOND, second).ok()?;
    jiff::tz::TimeZone::UTC.to_timestamp(second).ok()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn second(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn ids_follow_each_other_whatever_the_clock_says() {
        let folder = tempfile::tempdir().unwrap();
        let runs = folder.path().join("runs");
        let begin = |now: &str, salt: &str| {
            let id = next_id(folder.path(), second(now), salt);
            let journal = super::super::path_of(folder.path(), &id);
            fs::create_dir_all(journal.parent().unwrap()).unwrap();
            fs::write(&journal, "").unwrap();
            point_to(&journal).unwrap();
            assert_eq!(latest(folder.path()), Some(id.clone()));
            id
        };
        let ids = [
            begin("2026-11-24T03:00:00.9Z", "zzzzzz"),
            begin("2026-11-24T03:00:00.95Z", "aaaaaa"),
            begin("2020-01-01T00:00:00Z", "aaaaaa"),
            begin("2026-11-24T03:00:09Z", "aaaaaa"),
        ];
        assert_eq!(ids[0], "20261124T030000Z-zzzzzz");
        assert_eq!(ids[1], "20261124T030001Z-aaaaaa");
        assert_eq!(ids[2], "20261124T030002Z-aaaaaa");
        assert_eq!(ids[3], "20261124T030009Z-aaaaaa");
        assert!(ids.is_sorted());
        point_to(&super::super::path_of(folder.path(), &ids[0])).unwrap();
        assert_eq!(latest(folder.path()).as_ref(), Some(&ids[0]), "it was continued");
        assert!(next_id(folder.path(), second("2020-01-01T00:00:00Z"), "a") > ids[3]);
        point_to(&super::super::path_of(folder.path(), &ids[3])).unwrap();
        fs::remove_dir_all(runs.join(&ids[3])).unwrap();
        assert_eq!(latest(folder.path()), None);
    }

    #[test]
    fn what_is_no_name_of_a_run_points_nowhere() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("runs")).unwrap();
        for text in ["", "\n", "../x", "a/b", "/etc", "..", ".", "\u{fffd}"] {
            fs::write(folder.path().join(POINTER), text).unwrap();
            assert_eq!(latest(folder.path()), None, "{text:?}");
            let id = next_id(folder.path(), second("2026-11-24T03:00:00Z"), "a");
            assert_eq!(id, "20261124T030000Z-a");
        }
        fs::write(folder.path().join(POINTER), [0xff, 0xfe]).unwrap();
        assert_eq!(latest(folder.path()), None);
    }
}
