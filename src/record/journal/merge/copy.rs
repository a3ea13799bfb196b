//! Writes the journal of a merged run: its own first line and plan, then the parts as they were recorded.

use std::io::{self, BufRead, BufWriter, Read, Write};
use std::path::Path;
use std::sync::Arc;

use crate::base::digest::Digest;
use crate::base::files::{self, ChangeCondition, Fence};
use crate::record::event::{ContinuationReason, Event, RunContinuation, RunEnd, RunStart};
use crate::record::journal::merge::lines_at::open;
use crate::record::journal::merge::merged_runs::{CopiedLines, Merge};
use crate::record::journal::{JournalError, SCHEMA};

/// Tests named in one line.
const PLANNED: usize = 256;

/// The run that joined runs become.
pub(super) struct NewRun<'a> {
    /// Its id.
    pub run: &'a str,
    /// When it started: RFC 3339, UTC.
    pub started: &'a str,
}

/// Writes it; the folder must be there, and the file must not.
pub(super) fn write(merge: &Merge, to: &Path, new: &NewRun<'_>) -> Result<(), JournalError> {
    let NewRun { run, started } = *new;
    let failed = |source: io::Error| JournalError::Write { path: to.to_owned(), source };
    let file = files::open_to_add(to, &Fence::anywhere(), ChangeCondition::Missing).map_err(failed)?;
    let mut output = BufWriter::with_capacity(256 * 1024, file);
    let start = RunStart {
        schema: SCHEMA,
        run: run.to_owned(),
        flowproof: env!("CARGO_PKG_VERSION").to_owned(),
        started: started.to_owned(),
        ..merge.start.clone()
    };
    tell(&mut output, &Event::RunStarted(start)).map_err(failed)?;
    for cases in merge.planned.chunks(PLANNED) {
        tell(&mut output, &Event::CasesPlanned(Arc::from(cases))).map_err(failed)?;
    }
    for piece in &merge.pieces {
        tell(&mut output, &Event::RunContinued(piece.head.clone())).map_err(failed)?;
        copy(piece, &mut output, to)?;
    }
    let last = RunContinuation {
        how: ContinuationReason::Merged,
        flowproof: env!("CARGO_PKG_VERSION").to_owned(),
        started: started.to_owned(),
        cases: 0,
        added: 0,
        plan: Digest::default(),
        withdrawn: Vec::new(),
        mended: 0,
        run: Some(run.to_owned()),
        asked: None,
        thresholds: None,
    };
    tell(&mut output, &Event::RunContinued(last)).map_err(failed)?;
    // They have the ends of their parts; that all were taken is recorded here.
    tell(&mut output, &Event::RunFinished(RunEnd::default())).map_err(failed)?;
    output.flush().map_err(failed)
}

fn tell(output: &mut impl Write, event: &Event) -> io::Result<()> {
    serde_json::to_writer(&mut *output, event)?;
    output.write_all(b"\n")
}

fn copy(piece: &CopiedLines, output: &mut impl Write, to: &Path) -> Result<(), JournalError> {
    let read = |source: io::Error| JournalError::Io { path: piece.from.clone(), source };
    let written = |source: io::Error| JournalError::Write { path: to.to_owned(), source };
    let mut input = open(&piece.from, piece.range.start)?.take(piece.range.end - piece.range.start);
    if piece.first_line > piece.mended {
        io::copy(&mut input, output).map_err(written)?;
        return Ok(());
    }
    let (mut line, mut number) = (Vec::new(), piece.first_line);
    while input.read_until(b'\n', &mut line).map_err(read)? > 0 {
        let is_gone = number <= piece.mended && serde_json::from_slice::<Event>(&line).is_err();
        if !is_gone {
            output.write_all(&line).map_err(written)?;
        }
        line.clear();
        number += 1;
    }
    Ok(())
}
