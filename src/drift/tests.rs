//! Snapshot files and comparisons.
