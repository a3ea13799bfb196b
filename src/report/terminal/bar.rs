//! The bar: progress, passed and failed tests, tokens, cost, time left.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::base::charset::Charset;
use crate::record::attempt::{CaseOutcome, RunFacts, UsageTotals};
use crate::record::verdict::Verdict;
use crate::report::spent::{cost_texts, tokens_text};
use crate::report::terminal::screen::BarVisibility;

/// The bar and its counts; without a terminal it does nothing.
#[derive(Debug)]
pub(super) struct TerminalBar {
    shown: Option<BarState>,
}

#[derive(Debug)]
struct BarState {
    letters: Charset,
    bar: ProgressBar,
    green: u64,
    red: u64,
    used: UsageTotals,
}

impl TerminalBar {
    /// A bar that is not drawn before the run starts.
    pub fn new(progress: BarVisibility) -> Self {
        let shown = match progress {
            BarVisibility::None => None,
            BarVisibility::Bar => Some(BarState::new()),
        };
        Self { shown }
    }

    /// Draws it with characters of this set.
    pub fn in_letters(&mut self, letters: Charset) {
        if let Some(shown) = &mut self.shown {
            shown.letters = letters;
            shown.bar.set_style(style(letters));
        }
    }

    /// Draws it, empty.
    pub fn start(&mut self, cases: u32) {
        if let Some(shown) = &self.shown {
            shown.bar.set_length(u64::from(cases));
            shown.bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(10));
        }
    }

    /// Counts what an attempt used.
    pub fn spent(&mut self, facts: &RunFacts) {
        let Some(shown) = &mut self.shown else { return };
        // The fold reports a price that is not a number.
        let _ = shown.used.add(&facts.used());
    }

    /// Counts a finished case.
    pub fn finished(&mut self, outcome: &CaseOutcome) {
        let Some(shown) = &mut self.shown else { return };
        match outcome.verdict {
            Verdict::Passed | Verdict::Flaky => shown.green += 1,
            Verdict::Failed | Verdict::Errored => shown.red += 1,
            Verdict::Inconclusive => shown.red += u64::from(!outcome.tolerated),
            Verdict::Skipped => {}
        }
        shown.bar.inc(1);
        shown.bar.set_message(shown.message());
    }

    /// Takes it off the screen.
    pub fn clear(&mut self) {
        if let Some(shown) = self.shown.take() {
            shown.bar.finish_and_clear();
        }
    }

    /// Writes something with the bar out of the way.
    pub fn suspend<R>(&self, write: impl FnOnce() -> R) -> R {
        match &self.shown {
            Some(shown) => shown.bar.suspend(write),
            None => write(),
        }
    }
}

impl BarState {
    fn new() -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        bar.set_style(style(Charset::All));
        Self { letters: Charset::All, bar, green: 0, red: 0, used: UsageTotals::default() }
    }

    fn message(&self) -> String {
        let mut message = format!("{} passed, {} failed", self.green, self.red);
        for usage in tokens_text(&self.used).into_iter().chain(cost_texts(&self.used)) {
            message.push_str(&format!(" · {usage}"));
        }
        self.letters.shown(&message).into_owned()
    }
}

fn style(letters: Charset) -> ProgressStyle {
    let template = ProgressStyle::with_template("{bar:24} {pos}/{len}  {msg}  {eta} left");
    template.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars(match letters {
        Charset::All => "█▉▊▋▌▍▎▏ ",
        Charset::Ascii => "##-",
    })
}
