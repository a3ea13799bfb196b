//! How many snapshots, in words.

/// "1 snapshot", "2 snapshots".
pub(super) fn counted(count: usize) -> String {
    if count == 1 { "1 snapshot".to_owned() } else { format!("{count} snapshots") }
}
