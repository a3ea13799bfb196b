//! The live terminal: a line for each finished test while the run goes on, on a screen also a bar; the summary at its end.
//!
//! A closed pipe ends the output quietly; where standard output cannot be written for another reason, one line on standard
//! error says so. Neither ends a run.

mod bar;
mod burst;
mod cause_group;
mod line;
mod output_failure;
pub(super) mod screen;
mod summary;

use std::collections::HashMap;
use std::io::{self, Stderr, Stdout, Write};
use std::sync::Arc;

use anstream::AutoStream;

use crate::base::charset::Charset;
use crate::base::redact::Redactor;
use crate::base::visible::harmless;
use crate::record::attempt::{Attempt, CaseOutcome, UsageTotals};
use crate::record::event::{Event, Sink, SinkError};
use crate::record::journal::{JournalError, RunRecord, mended};
use crate::report::explain::{ExcerptLimits, ExplainedFindings, explain_findings};
use crate::report::headline::warns_better;
use crate::report::terminal::bar::TerminalBar;
use crate::report::terminal::burst::LineBuffer;
use crate::report::terminal::line::case_line;
use crate::report::text::ReportText;

pub(crate) use output_failure::OutputFailure;
pub(crate) use screen::{ScreenOptions, SummaryStyle, Verbosity, ink_of_stdout};
pub(crate) use summary::{SummaryContext, failure_text, render_summary};

/// Prints the summary of a run on standard output; a reader that has left is not a failure.
pub(crate) fn summary(
    record: &RunRecord,
    style: SummaryStyle,
    ending: &SummaryContext,
    output: &OutputFailure,
) -> Result<(), JournalError> {
    let SummaryStyle { detail, letters } = style;
    let text = render_summary(record, ScreenOptions::of_stdout(detail), ending)?;
    let mut out = anstream::stdout().lock();
    let shown = letters.shown(&text);
    let written = out.write_all(harmless(&shown).as_bytes()).and_then(|()| out.flush());
    written.unwrap_or_else(|error| output.note(&error));
    Ok(())
}

/// Prints the summary on standard error, where standard output is for a document.
pub(crate) fn summary_on_stderr(
    record: &RunRecord,
    style: SummaryStyle,
    ending: &SummaryContext,
) -> Result<(), JournalError> {
    let SummaryStyle { detail, letters } = style;
    let text = render_summary(record, ScreenOptions::plain(detail), ending)?;
    let mut out = io::stderr().lock();
    let _ = out.write_all(harmless(&letters.shown(&text)).as_bytes());
    Ok(())
}

/// What is remembered of a case between its attempts and its end.
#[derive(Debug, Default)]
struct OpenCase {
    used: UsageTotals,
    /// The last attempt, only where passing assertions are shown.
    last: Option<Arc<Attempt>>,
}

/// A listener that prints.
#[derive(Debug)]
pub(crate) struct Terminal<W: Write> {
    out: W,
    screen: ScreenOptions,
    bar: TerminalBar,
    going: HashMap<u32, OpenCase>,
    burst: LineBuffer,
    closed: bool,
    failure: OutputFailure,
    redactor: Option<Redactor>,
    letters: Charset,
}

impl Terminal<AutoStream<Stdout>> {
    /// Prints to standard output: with colour and a bar on a screen, without in a pipe.
    pub fn new(detail: Verbosity) -> Self {
        Self::to(anstream::stdout(), ScreenOptions::of_stdout(detail))
    }
}

impl Terminal<Stderr> {
    /// Prints to standard error, where standard output is for a document.
    pub fn on_stderr(detail: Verbosity) -> Self {
        Self::to(io::stderr(), ScreenOptions::plain(detail))
    }
}

impl<W: Write> Terminal<W> {
    /// Prints to `out`; the bar, if any, goes to standard error.
    pub fn to(out: W, screen: ScreenOptions) -> Self {
        Self {
            out,
            screen,
            bar: TerminalBar::new(screen.progress),
            going: HashMap::new(),
            burst: LineBuffer::new(),
            closed: false,
            failure: OutputFailure::default(),
            redactor: None,
            letters: Charset::All,
        }
    }

    /// Masks what is printed while the run goes on; the summary is made from masked records.
    #[must_use]
    pub fn masked_by(mut self, redactor: Redactor) -> Self {
        self.redactor = Some(redactor);
        self
    }

    /// Prints only characters of this set.
    #[must_use]
    pub fn in_letters(mut self, letters: Charset) -> Self {
        self.letters = letters;
        self.bar.in_letters(letters);
        self
    }

    /// Notes there when the output cannot be written.
    #[must_use]
    pub fn failing_into(mut self, failure: OutputFailure) -> Self {
        self.failure = failure;
        self
    }

    /// Prints until printing fails once; that never ends a run.
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
        // The fold reports a price that is not a number.
        let _ = going.used.add(&attempt.facts.used());
        let is_shown = match self.screen.detail {
            Verbosity::Verbose => true,
            Verbosity::Normal | Verbosity::Quiet => warns_better(attempt, going.last.as_deref()),
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
        if self.screen.detail == Verbosity::Quiet {
            return;
        }
        let mut text = ReportText::new(self.screen.ink);
        case_line(&mut text, outcome, &going.used);
        let which = if self.screen.detail == Verbosity::Verbose {
            ExplainedFindings::All
        } else {
            ExplainedFindings::NotHeld
        };
        if let Some(attempt) = going.last.filter(|_| !outcome.is_red()) {
            explain_findings(&mut text, &attempt.findings, which, ExcerptLimits::SCREEN);
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
    /// Writes the lines that wait when a run breaks off; an error has nowhere to be reported.
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
