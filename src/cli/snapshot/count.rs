//! How many snapshots, in words.

use crate::base::plural::plural;

/// "1 snapshot", "2 snapshots".
pub(super) fn counted(count: usize) -> String {
    format!("{count} {}", plural(count, "snapshot", "snapshots"))
}
