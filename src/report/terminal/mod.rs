//! The live terminal: a line for each finished test while the run goes on, on a screen also a bar; the summary at its end.
//!
//! A closed pipe ends the output quietly; where standard output cannot be written for another reason, that is said once on
//! standard error. Neither ends a run.

mod bar;
mod burst;
mod line;
mod summary;
mod undecided;

use std::collections::HashMap;
use std::io::{self, IsTerminal, Stderr, Stdout, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anstream::{AutoStream, ColorChoice};

use crate::base::letters::Letters;
use crate::base::redact::Redactor;
use crate::base::visible::harmless;
use crate::event::{Event, Sink, SinkError};
use crate::journal::{JournalError, RunRecord, mended};
use crate::outcome::{Attempt, CaseOutcome, UseSum};
use crate::report::explain::{Bounds, Which, explain_findings};
use crate::report::headline::warns_better;
use crate::report::terminal::bar::Bar;
use crate::report::terminal::burst::Burst;
use crate::report::terminal::line::{case_line, duration};
use crate::report::text::{Ink, Text};

pub(crate) use summary::{Ending, failure_text, render_summary};

/// How much is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detail {
    /// `-q`: failures and totals, at the end.
    Quiet,
    /// A line for each test.
    Normal,
    /// `-v`: also the assertions that held.
    Verbose,
}

/// Whether a bar is drawn below the lines, on standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// On a terminal.
    Bar,
    /// In a pipe.
    None,
}

/// How the output looks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Screen {
    /// Colour or plain signs.
    pub ink: Ink,
    /// How much is told.
    pub detail: Detail,
    /// Whether a bar is drawn.
    pub progress: Progress,
}

/// Whether standard output is coloured: as `--color`, the environment and the terminal have it.
pub(crate) fn ink_of_stdout() -> Ink {
    match AutoStream::choice(&io::stdout()) {
        ColorChoice::Never => Ink::Plain,
        ColorChoice::Auto | ColorChoice::AlwaysAnsi | ColorChoice::Always => Ink::Colour,
    }
}

impl Screen {
    /// How standard output is to look: as `--color`, the environment and the terminal have it.
    pub fn of_stdout(detail: Detail) -> Self {
        let ink = ink_of_stdout();
        let screen = io::stdout().is_terminal() && io::stderr().is_terminal();
        Self {
            ink,
            detail,
            progress: if screen && detail != Detail::Quiet { Progress::Bar } else { Progress::None },
        }
    }

    /// Lines without colour and without a bar.
    fn plain(detail: Detail) -> Self {
        Self { ink: Ink::Plain, detail, progress: Progress::None }
    }
}

/// Prints what a run comes to on standard output; a reader that has left is no failure.
pub(crate) fn summary(
    record: &RunRecord,
    (detail, letters): (Detail, Letters),
    ending: &Ending,
    output: &OutputFailure,
) -> Result<(), JournalError> {
    let text = render_summary(record, Screen::of_stdout(detail), ending)?;
    let mut out = anstream::stdout().lock();
    let shown = letters.shown(&text);
    let written = out.write_all(harmless(&shown).as_bytes()).and_then(|()| out.flush());
    written.unwrap_or_else(|error| output.note(&error));
    Ok(())
}

/// Prints it on standard error, where standard output is for a document.
pub(crate) fn summary_aside(
    record: &RunRecord,
    (detail, letters): (Detail, Letters),
    ending: &Ending,
) -> Result<(), JournalError> {
    let text = render_summary(record, Screen::plain(detail), ending)?;
    let mut out = io::stderr().lock();
    let _ = out.write_all(harmless(&letters.shown(&text)).as_bytes());
    Ok(())
}

/// Whether standard output could not be written, said once on standard error.
#[derive(Debug, Clone, Default)]
pub(crate) struct OutputFailure(Arc<AtomicBool>);

impl OutputFailure {
    /// True once something could not be written; a reader that has left is no failure.
    pub fn is_noted(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    fn note(&self, error: &io::Error) {
        if error.kind() == io::ErrorKind::BrokenPipe || self.0.swap(true, Ordering::Relaxed) {
            return;
        }
        let text = format!(
            "error: standard output cannot be written: {error}; the run goes on, and its reports are written"
        );
        // Nobody is left to be told that standard error cannot be written either.
        let _ = writeln!(anstream::stderr().lock(), "{text}");
    }
}

/// What is kept of a case between its attempts and its end.
#[derive(Debug, Default)]
struct Going {
    used: UseSum,
    /// The last attempt, only where held assertions are told.
    last: Option<Arc<Attempt>>,
}

/// A listener that prints.
#[derive(Debug)]
pub(crate) struct Terminal<W: Write> {
    out: W,
    screen: Screen,
    bar: Bar,
    going: HashMap<u32, Going>,
    burst: Burst,
    closed: bool,
    failure: OutputFailure,
    redactor: Option<Redactor>,
    letters: Letters,
}

impl Terminal<AutoStream<Stdout>> {
    /// Prints to standard output as it is: a screen with colour and a bar, or a pipe without.
    pub fn new(detail: Detail) -> Self {
        Self::to(anstream::stdout(), Screen::of_stdout(detail))
    }
}

impl Terminal<Stderr> {
    /// Prints to standard error, where standard output is for a document.
    pub fn aside(detail: Detail) -> Self {
        Self::to(io::stderr(), Screen::plain(detail))
    }
}

impl<W: Write> Terminal<W> {
    /// Prints to `out`; the bar, if any, goes to standard error.
    pub fn to(out: W, screen: Screen) -> Self {
        Self {
            out,
            screen,
            bar: Bar::new(screen.progress),
            going: HashMap::new(),
            burst: Burst::new(),
            closed: false,
            failure: OutputFailure::default(),
            redactor: None,
            letters: Letters::All,
        }
    }

    /// Masks what is printed while the run goes on; the summary is made from masked records.
    #[must_use]
    pub fn masked_by(mut self, redactor: Redactor) -> Self {
        self.redactor = Some(redactor);
        self
    }

    /// Prints no other letters than these.
    #[must_use]
    pub fn in_letters(mut self, letters: Letters) -> Self {
        self.letters = letters;
        self.bar.in_letters(letters);
        self
    }

    /// Notes there that the output cannot be written.
    #[must_use]
    pub fn failing_into(mut self, failure: OutputFailure) -> Self {
        self.failure = failure;
        self
    }

    /// Prints until that fails once; a run is never ended by it.
    fn print(&mut self, text: &str) {
        if self.closed {
            return;
        }
        let Self { out, bar, letters, .. } = self;
        let text = letters.shown(text);
        let text = harmless(&text);
        let written = bar.suspend(|| out.write_all(text.as_bytes()).and_then(|()| out.flush()));
        if let Err(error) = written {
            self.closed = true;
            let Self { bar, failure, .. } = self;
            bar.suspend(|| failure.note(&error));
        }
    }

    fn attempt(&mut self, attempt: &Arc<Attempt>) {
        let going = self.going.entry(attempt.case).or_default();
        // A price that is no number is told with the run, by the fold.
        let _ = going.used.add(&attempt.facts.used());
        let is_shown = match self.screen.detail {
            Detail::Verbose => true,
            Detail::Normal | Detail::Quiet => warns_better(attempt, going.last.as_deref()),
        };
        if is_shown {
            // Secrets are masked before a difference takes them apart.
            let mended = self.redactor.as_ref().and_then(|redactor| mended(attempt, redactor));
            going.last = Some(mended.map_or_else(|| attempt.clone(), Arc::new));
        }
        self.bar.spent(&attempt.facts);
    }

    fn case(&mut self, outcome: &CaseOutcome) {
        let going = self.going.remove(&outcome.case).unwrap_or_default();
        self.bar.finished(outcome);
        if self.screen.detail == Detail::Quiet {
            return;
        }
        let mut text = Text::new(self.screen.ink);
        case_line(&mut text, outcome, &going.used);
        let which = if self.screen.detail == Detail::Verbose { Which::All } else { Which::NotHeld };
        if let Some(attempt) = going.last.filter(|_| !outcome.is_red()) {
            explain_findings(&mut text, &attempt.findings, which, Bounds::SCREEN);
        }
        let masked = self.redactor.as_ref().map(|redactor| redactor.text(&text.out).into_owned());
        let text = self.burst.hold_back(masked.as_ref().unwrap_or(&text.out));
        if !text.is_empty() {
            self.print(&text);
        }
    }

    fn event(&mut self, event: &Event) {
        match event {
            Event::RunStarted(start) => self.bar.start(start.cases),
            Event::RunContinued(continuation) => self.bar.start(continuation.cases),
            Event::CasesPlanned(_) | Event::AttemptStarted(_) | Event::AttemptLeft(_) => {}
            Event::AttemptFinished(attempt) => self.attempt(attempt),
            Event::CaseFinished(outcome) => self.case(outcome),
            Event::RunFinished(_) => {
                self.bar.clear();
                let held = self.burst.rest();
                self.print(&held);
            }
        }
    }
}

impl<W: Write> Drop for Terminal<W> {
    /// A run that broke off has lines that wait; there is nobody left to tell of an error.
    fn drop(&mut self) {
        let held = self.burst.rest();
        if !held.is_empty() {
            self.print(&held);
        }
    }
}

impl<W: Write> Sink for Terminal<W> {
    fn take(&mut self, event: &Event) -> Result<(), SinkError> {
        self.event(event);
        Ok(())
    }
}
