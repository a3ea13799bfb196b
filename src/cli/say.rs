//! How commands speak: results on standard output, everything else on standard error; a closed pipe is no failure.
//!
//! What is said cannot become a command of a build server; only `verbatim` writes bytes as they are.

use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::process::ExitCode;

use crate::app::OpenFailure;
use crate::base::panics::{CaughtPanic, PanicPlace};
use crate::base::plural::plural;
use crate::base::visible::{LineEnds, LookAlikes, harmless, harmless_json, visible};
use crate::cli::exit::Exit;
use crate::yaml::problem::Problem;
use crate::yaml::render::{self, ProblemStyle};

/// Writes a result for people; a reader that has left is no failure.
pub fn bytes(result: &[u8]) -> Exit {
    verbatim(harmless(&String::from_utf8_lossy(result)).as_bytes())
}

/// Writes a result that is JSON.
pub fn json(result: &str) -> Exit {
    verbatim(harmless_json(result).as_bytes())
}

/// Writes bytes as they are: our own documents, in which nothing comes from outside, and our own commands to a build server.
pub fn verbatim(result: &[u8]) -> Exit {
    let mut output = anstream::stdout().lock();
    match output.write_all(result).and_then(|()| output.flush()) {
        Ok(()) => Exit::Success,
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Exit::Success,
        Err(error) => failure(&format!("standard output cannot be written: {error}"), Exit::Usage),
    }
}

/// Writes a document that was made for the standard output, line by line; that of JSON, or a page that holds JSON, stays such.
pub fn document(whole: std::fs::File) -> Exit {
    let mut lines = BufReader::new(whole);
    let is_json = match lines.fill_buf() {
        Ok(begin) => [&b"{"[..], b"[", b"<!doctype", b"<!DOCTYPE"].iter().any(|sign| begin.starts_with(sign)),
        Err(error) => return failure(&format!("the document cannot be read again: {error}"), Exit::Usage),
    };
    let mut output = std::io::stdout().lock();
    let mut line = Vec::new();
    let mut copy = || -> std::io::Result<()> {
        while lines.read_until(b'\n', &mut line)? > 0 {
            let text = String::from_utf8_lossy(&line);
            let shown = if is_json { harmless_json(&text) } else { harmless(&text) };
            output.write_all(shown.as_bytes())?;
            line.clear();
        }
        output.flush()
    };
    match copy() {
        Ok(()) => Exit::Success,
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Exit::Success,
        Err(error) => failure(&format!("standard output cannot be written: {error}"), Exit::Usage),
    }
}

/// Writes a note for the person at the terminal; what cannot be seen in it is named.
pub fn note(text: &str) {
    coloured_note(&visible(text, LineEnds::Kept));
}

/// Writes a note that may be coloured, in which everything is visible.
fn coloured_note(text: &str) {
    let mut output = anstream::stderr().lock();
    // If standard error is closed, there is no way left to report it.
    let _ = writeln!(output, "{}", harmless(text.trim_end_matches('\n')));
}

/// Says why a command failed.
pub fn failure(message: &str, exit: Exit) -> Exit {
    note(&format!("error: {}", LookAlikes::within(message).show(message, LineEnds::Kept)));
    exit
}

/// Says why nothing could be opened, and what was therefore not done: "nothing was sent".
pub fn refusal(failure_of: &OpenFailure, undone: &str) -> Exit {
    match failure_of {
        OpenFailure::Usage(message) => failure(message, Exit::Usage),
        OpenFailure::Target(message) => failure(message, Exit::Unusable),
        OpenFailure::Problems(found) => {
            problems(found);
            let these = plural(found.len(), "this", "these");
            note(&format!("{undone}: fix {these} first; `flowproof check` checks again"));
            Exit::Usage
        }
    }
}

/// Shows problems with their source lines.
pub fn problems(found: &[Problem]) {
    // The stream removes the colours where they are not wanted.
    let columns = terminal_size::terminal_size_of(std::io::stderr()).map(|(width, _)| usize::from(width.0));
    coloured_note(&render::render(found, ProblemStyle::Color(columns)));
}

/// The exit code of a program that panicked.
const PANICKED: u8 = 101;

/// Says that the program itself is at fault, and where.
pub fn panicked(panic: &CaughtPanic, place: &PanicPlace) -> ExitCode {
    let at = place.last().map(|place| format!(" at {place}")).unwrap_or_default();
    note(&format!("{panic}{at}"));
    ExitCode::from(PANICKED)
}

/// Prints clap's help, version or usage error.
pub fn usage(error: &clap::Error) -> ExitCode {
    match error.print() {
        Ok(()) => {}
        Err(cause) if cause.kind() == ErrorKind::BrokenPipe => {}
        Err(_) => return Exit::Usage.into(),
    }
    if error.use_stderr() { Exit::Usage.into() } else { Exit::Success.into() }
}
