//! The live terminal: a line for each finished test while the run goes on, on a screen also a bar; the summary at its end.
//!
//! A closed pipe ends the output quietly and never the run.

mod bar;
mod burst;
mod summary;

use std::collections::HashMap;
use std::io::{self, IsTerminal, Stdout, Write};
use std::sync::Arc;
use std::time::Duration;

use anstream::{AutoStream, ColorChoice};

use crate::base::redact::Redactor;
use crate::base::units::{format_count, format_duration};
use crate::event::{Event, Sink, SinkError};
use crate::journal::{JournalError, RunRecord, mended};
use crate::outcome::{Attempt, CaseOutcome, Cause, RepeatFacts};
use crate::report::explain::{Bounds, Which, explain_findings};
use crate::report::repeats::{told_count, told_rate, told_saving};
use crate::report::terminal::bar::Bar;
use crate::report::terminal::burst::Burst;
use crate::report::text::{Ink, Text, Tone, one_line};
use crate::verdict::Verdict;

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

impl Screen {
    /// How standard output is to look: as `--color`, the environment and the terminal have it.
    pub fn of_stdout(detail: Detail) -> Self {
        let ink = match AutoStream::choice(&io::stdout()) {
            ColorChoice::Never => Ink::Plain,
            ColorChoice::Auto | ColorChoice::AlwaysAnsi | ColorChoice::Always => Ink::Colour,
        };
        let screen = io::stdout().is_terminal() && io::stderr().is_terminal();
        Self {
            ink,
            detail,
            progress: if screen && detail != Detail::Quiet { Progress::Bar } else { Progress::None },
        }
    }
}

/// Prints what a run comes to on standard output; a reader that has left is no failure.
pub(crate) fn summary(record: &RunRecord, detail: Detail, ending: &Ending) -> Result<(), JournalError> {
    let text = render_summary(record, Screen::of_stdout(detail), ending)?;
    let mut out = anstream::stdout().lock();
    // Nobody is left to be told that standard output cannot be written.
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    Ok(())
}

/// What is kept of a case between its attempts and its end.
#[derive(Debug, Default)]
struct Going {
    tokens: Option<u64>,
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
    redactor: Option<Redactor>,
}

impl Terminal<AutoStream<Stdout>> {
    /// Prints to standard output as it is: a screen with colour and a bar, or a pipe without.
    pub fn new(detail: Detail) -> Self {
        Self::to(anstream::stdout(), Screen::of_stdout(detail))
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
            redactor: None,
        }
    }

    /// Masks what is printed while the run goes on; the summary is made from masked records.
    #[must_use]
    pub fn masked_by(mut self, redactor: Redactor) -> Self {
        self.redactor = Some(redactor);
        self
    }

    fn print(&mut self, text: &str) -> io::Result<()> {
        if self.closed {
            return Ok(());
        }
        let Self { out, bar, .. } = self;
        let written = bar.suspend(|| out.write_all(text.as_bytes()).and_then(|()| out.flush()));
        match written {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(())
            }
            other => other,
        }
    }

    fn attempt(&mut self, attempt: &Arc<Attempt>) {
        let going = self.going.entry(attempt.case).or_default();
        if let Some(tokens) = attempt.facts.tokens {
            going.tokens = Some(going.tokens.unwrap_or(0).saturating_add(tokens));
        }
        if self.screen.detail == Detail::Verbose {
            let mended = self.redactor.as_ref().and_then(|redactor| mended(attempt, redactor));
            going.last = Some(mended.map_or_else(|| attempt.clone(), Arc::new));
        }
        self.bar.spent(&attempt.facts);
    }

    fn case(&mut self, outcome: &CaseOutcome) -> io::Result<()> {
        let going = self.going.remove(&outcome.case).unwrap_or_default();
        self.bar.finished(outcome);
        if self.screen.detail == Detail::Quiet {
            return Ok(());
        }
        let mut text = Text::new(self.screen.ink);
        case_line(&mut text, outcome, going.tokens);
        if let Some(attempt) = going.last.filter(|_| !outcome.is_red()) {
            explain_findings(&mut text, &attempt.findings, Which::All, Bounds::SCREEN);
        }
        let masked = self.redactor.as_ref().map(|redactor| redactor.text(&text.out).into_owned());
        let text = self.burst.hold_back(masked.as_ref().unwrap_or(&text.out));
        if text.is_empty() { Ok(()) } else { self.print(&text) }
    }

    fn event(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::RunStarted(start) => {
                self.bar.start(start.cases);
                Ok(())
            }
            Event::AttemptFinished(attempt) => {
                self.attempt(attempt);
                Ok(())
            }
            Event::CaseFinished(outcome) => self.case(outcome),
            Event::RunFinished(_) => {
                self.bar.clear();
                let held = self.burst.rest();
                self.print(&held)
            }
        }
    }
}

impl<W: Write> Drop for Terminal<W> {
    /// A run that broke off has lines that wait; there is nobody left to tell of an error.
    fn drop(&mut self) {
        let held = self.burst.rest();
        if !held.is_empty() {
            let _ = self.print(&held);
        }
    }
}

impl<W: Write> Sink for Terminal<W> {
    fn take(&mut self, event: &Event) -> Result<(), SinkError> {
        self.event(event).map_err(|source| SinkError { what: String::from("write to the terminal"), source })
    }
}

/// Writes the line of a finished test: sign, word, name, duration, tokens, and why it was skipped.
fn case_line(text: &mut Text, outcome: &CaseOutcome, tokens: Option<u64>) {
    let (sign, tone) = sign_of(outcome.verdict);
    text.tone(tone, &format!("{sign} {:<7}", outcome.verdict.word()))
        .push(" ")
        .push(&one_line(&outcome.name, 300));
    if outcome.attempts > 0 {
        let mut aside = format!("  {}", format_duration(duration(outcome.duration_ms)));
        if let Some(tokens) = tokens.filter(|tokens| *tokens > 0) {
            aside.push_str(&format!(" · {} tokens", format_count(tokens)));
        }
        match outcome.recovered {
            0 => {}
            1 if outcome.attempts == 1 => aside.push_str(" · recovered"),
            count => aside.push_str(&format!(" · {count} recovered")),
        }
        if outcome.attempts > 1 {
            aside.push_str(&format!(" · {} attempts", outcome.attempts));
        }
        text.tone(Tone::Faint, &aside);
    }
    if outcome.warnings > 0 {
        let plural = if outcome.warnings == 1 { "" } else { "s" };
        text.tone(Tone::Doubt, &format!("  {} warning{plural}", outcome.warnings));
    }
    if let Some(repeats) = &outcome.repeats {
        text.tone(Tone::Faint, &format!("  {}", told_repeats(outcome, repeats)));
    } else if let Some(reason) = &outcome.reason {
        // The cause itself is told once, at the end.
        let reason = if Cause::met_before(reason).is_some() { "not sent" } else { reason };
        text.tone(Tone::Faint, &format!("  {}", one_line(reason, 200)));
    }
    text.end();
}

/// Why a repeated test has its verdict, its rate, and what was saved.
fn told_repeats(outcome: &CaseOutcome, repeats: &RepeatFacts) -> String {
    let reason = outcome.reason.as_ref().map(|reason| one_line(reason, 200));
    let mut told = reason.unwrap_or_else(|| told_count(repeats));
    for more in [Some(told_rate(repeats)), told_saving(repeats)].into_iter().flatten() {
        if !more.is_empty() {
            told.push_str(" · ");
            told.push_str(&more);
        }
    }
    told
}

/// The sign of a verdict, and its tone.
fn sign_of(verdict: Verdict) -> (&'static str, Tone) {
    match verdict {
        Verdict::Passed => ("✓", Tone::Good),
        Verdict::Failed => ("✗", Tone::Bad),
        Verdict::Errored => ("!", Tone::Bad),
        Verdict::Inconclusive => ("?", Tone::Doubt),
        Verdict::Flaky => ("~", Tone::Doubt),
        Verdict::Skipped => ("-", Tone::Faint),
    }
}

/// Milliseconds of a record as a duration; nonsense is zero.
fn duration(ms: f64) -> Duration {
    Duration::try_from_secs_f64(ms / 1e3).unwrap_or_default()
}
