//! What a person decides of snapshots that wait: the only way an approved file changes.

use std::path::Path;

use serde_json::Value;

use crate::base::files::{self, Fence};

use super::document::SnapshotDocument;
use super::spot::SnapshotPlace;
use super::store::{StoreError, hold, home_of, read, write};

/// Approves what waits, where it still is what the person saw; returns the keys that were.
pub fn accept(
    spot: &SnapshotPlace,
    pending: &Path,
    seen: &[(&str, &Value)],
) -> Result<Vec<String>, StoreError> {
    let held = hold(&spot.folder, &spot.fence)?;
    let Some(mut waiting) = waiting(pending, spot)? else { return Ok(Vec::new()) };
    let home = home_of(spot)?;
    let mut approved = home.document.unwrap_or_default();
    approved.test = spot.name.to_string();
    let taken = take(&mut waiting, seen);
    let keys = taken.iter().map(|(key, _)| key.clone()).collect();
    approved.entries.extend(taken);
    write(&home.path, &approved, &held)?;
    write(pending, &waiting, &held)?;
    Ok(keys)
}

/// Throws away what waits, where it still is what the person saw; returns the keys that were.
pub fn reject(
    spot: &SnapshotPlace,
    pending: &Path,
    seen: &[(&str, &Value)],
) -> Result<Vec<String>, StoreError> {
    let held = hold(pending.parent().unwrap_or(Path::new(".")), &spot.fence)?;
    let Some(mut waiting) = waiting(pending, spot)? else { return Ok(Vec::new()) };
    let keys = take(&mut waiting, seen).into_iter().map(|(key, _)| key).collect();
    write(pending, &waiting, &held)?;
    Ok(keys)
}

/// Removes entries that no assertion asks for; the file goes with its last one.
pub fn prune(path: &Path, fence: &Fence, keys: &[&str]) -> Result<(), StoreError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let held = hold(folder, fence)?;
    if let Some(mut document) = read(path, fence)? {
        keys.iter().for_each(|key| drop(document.entries.remove(*key)));
        write(path, &document, &held)?;
    }
    drop(held);
    // A folder that still holds something stays.
    let _ = files::remove_empty_folder(folder, fence);
    Ok(())
}

fn waiting(pending: &Path, spot: &SnapshotPlace) -> Result<Option<SnapshotDocument>, StoreError> {
    Ok(read(pending, &spot.fence)?.filter(|document| *document.test == *spot.name))
}

fn take(waiting: &mut SnapshotDocument, seen: &[(&str, &Value)]) -> Vec<(String, Value)> {
    let is_same = |(key, value): &&(&str, &Value)| waiting.entries.get(*key) == Some(*value);
    let keys: Vec<&str> = seen.iter().filter(is_same).map(|(key, _)| *key).collect();
    keys.into_iter().filter_map(|key| waiting.entries.remove_entry(key)).collect()
}
