//! Which attempts were at work when a run was killed, as far as its journal tells.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader};

use crate::record::event::{AttemptStart, Event};
use crate::record::journal::JournalError;
use crate::record::journal::at_work::AttemptKey;
use crate::record::journal::lines::FromStart;
use crate::record::journal::read::RunRecord;

impl RunRecord {
    /// Reads which attempts were begun and have no end, in the order they were begun; none of runs that were merged.
    pub(crate) fn interrupted(&self) -> Result<Vec<AttemptStart>, JournalError> {
        if !self.start.merged.is_empty() {
            return Ok(Vec::new());
        }
        let failed = |source: io::Error| JournalError::Io { path: self.path().to_owned(), source };
        let mut input = BufReader::with_capacity(256 * 1024, FromStart::of(self.file()));
        let (mut open, mut line) = (HashMap::<AttemptKey, Vec<AttemptStart>>::new(), Vec::new());
        loop {
            line.clear();
            if input.read_until(b'\n', &mut line).map_err(failed)? == 0 {
                break;
            }
            let is_of_attempt = line.starts_with(b"{\"attempt_");
            match is_of_attempt.then(|| serde_json::from_slice(&line)) {
                Some(Ok(Event::AttemptStarted(start))) => {
                    let AttemptStart { key, repeat, attempt, .. } = start;
                    open.entry(AttemptKey { key, repeat, attempt }).or_default().push(start);
                }
                Some(Ok(Event::AttemptFinished(ended))) => {
                    end(
                        &mut open,
                        AttemptKey { key: ended.key, repeat: ended.repeat, attempt: ended.attempt },
                    );
                }
                Some(Ok(Event::AttemptLeft(left))) => {
                    end(&mut open, AttemptKey { key: left.key, repeat: left.repeat, attempt: left.attempt });
                }
                // The fold has told of a line that cannot be read.
                Some(Ok(_) | Err(_)) | None => {}
            }
        }
        let mut interrupted: Vec<AttemptStart> = open.into_values().flatten().collect();
        interrupted.sort_by(|one, other| one.sent.cmp(&other.sent));
        Ok(interrupted)
    }
}

/// Ends the attempt that was begun last: what is sent again ends before what a kill interrupted is looked for.
fn end(open: &mut HashMap<AttemptKey, Vec<AttemptStart>>, whose: AttemptKey) {
    if let Some(starts) = open.get_mut(&whose) {
        starts.pop();
    }
}
