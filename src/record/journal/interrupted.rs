//! Which attempts were in flight when a run was killed, by its journal.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader};

use crate::record::event::{AttemptStart, Event};
use crate::record::journal::JournalError;
use crate::record::journal::at_work::AttemptKey;
use crate::record::journal::lines::FromStart;
use crate::record::journal::read::RunRecord;

impl RunRecord {
    /// Reads which attempts were begun and have no end, in the order they were begun; `None` of runs that were merged.
    ///
    /// A user that several attempts had finds the run of none of them, and is left out.
    pub(crate) fn interrupted(&self) -> Result<Vec<AttemptStart>, JournalError> {
        if !self.start.merged.is_empty() {
            return Ok(Vec::new());
        }
        let mut open = HashMap::<AttemptKey, Vec<AttemptStart>>::new();
        self.each_of_attempts(&mut |event| match event {
            Event::AttemptStarted(start) => {
                let AttemptStart { key, repeat, attempt, .. } = start;
                open.entry(AttemptKey { key, repeat, attempt }).or_default().push(start);
            }
            Event::AttemptFinished(ended) => {
                end(&mut open, AttemptKey { key: ended.key, repeat: ended.repeat, attempt: ended.attempt });
            }
            Event::AttemptLeft(left) => {
                end(&mut open, AttemptKey { key: left.key, repeat: left.repeat, attempt: left.attempt });
            }
            _ => {}
        })?;
        let mut interrupted: Vec<AttemptStart> = open.into_values().flatten().collect();
        interrupted.sort_by(|one, other| one.sent.cmp(&other.sent));
        self.leave_out_shared_users(&mut interrupted)?;
        Ok(interrupted)
    }

    /// Leaves out the users that other attempts had, too: a retry, or a test whose user is written the same.
    fn leave_out_shared_users(&self, interrupted: &mut [AttemptStart]) -> Result<(), JournalError> {
        let users = interrupted.iter().filter_map(|start| start.user.clone());
        let mut bearers: HashMap<String, u32> = users.map(|user| (user, 0)).collect();
        if bearers.is_empty() {
            return Ok(());
        }
        self.each_of_attempts(&mut |event| {
            if let Event::AttemptStarted(AttemptStart { user: Some(user), .. }) = event
                && let Some(count) = bearers.get_mut(&user)
            {
                *count += 1;
            }
        })?;
        for start in interrupted {
            start.user = start.user.take().filter(|user| bearers.get(user) == Some(&1));
        }
        Ok(())
    }

    /// Takes the events of attempts, in their order.
    fn each_of_attempts(&self, take: &mut dyn FnMut(Event)) -> Result<(), JournalError> {
        let failed = |source: io::Error| JournalError::Io { path: self.path().to_owned(), source };
        let mut input = BufReader::with_capacity(256 * 1024, FromStart::of(self.file()));
        let mut line = Vec::new();
        loop {
            line.clear();
            if input.read_until(b'\n', &mut line).map_err(failed)? == 0 {
                return Ok(());
            }
            // The fold has reported a line that cannot be read.
            if line.starts_with(b"{\"attempt_")
                && let Ok(event) = serde_json::from_slice(&line)
            {
                take(event);
            }
        }
    }
}

/// Ends the attempt that was begun last: what is sent again ends before what a kill interrupted is looked for.
fn end(open: &mut HashMap<AttemptKey, Vec<AttemptStart>>, whose: AttemptKey) {
    if let Some(starts) = open.get_mut(&whose) {
        starts.pop();
    }
}
