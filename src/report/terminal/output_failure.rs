//! A standard output that cannot be written.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether standard output could not be written, reported once on standard error.
#[derive(Debug, Clone, Default)]
pub(crate) struct OutputFailure(Arc<AtomicBool>);

impl OutputFailure {
    /// True once something could not be written; a reader that has left is not a failure.
    pub fn is_noted(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn note(&self, error: &io::Error) {
        if error.kind() == io::ErrorKind::BrokenPipe || self.0.swap(true, Ordering::Relaxed) {
            return;
        }
        let text = format!(
            "error: standard output cannot be written: {error}; the run goes on, and its reports are written"
        );
        // If standard error cannot be written either, there is nowhere to report it.
        let _ = writeln!(anstream::stderr().lock(), "{text}");
    }
}
