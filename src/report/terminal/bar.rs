//! The bar: done of all, what passed and failed, tokens, cost, time left; and how many lines a second a screen can take.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use rust_decimal::Decimal;

use crate::base::clock;
use crate::base::units::format_count;
use crate::outcome::Facts;
use crate::report::terminal::Progress;
use crate::verdict::Verdict;

/// Lines printed at once in each span; more of them wait, since each redraws the bar.
const LINES: u32 = 20;
const SPAN: Duration = Duration::from_millis(100);

/// The bar and its counts; without a terminal it does nothing.
#[derive(Debug)]
pub(super) struct Bar {
    shown: Option<Shown>,
}

#[derive(Debug)]
struct Shown {
    bar: ProgressBar,
    green: u64,
    red: u64,
    tokens: u64,
    cost: BTreeMap<String, Decimal>,
    held: String,
    span: Instant,
    lines: u32,
}

impl Bar {
    /// A bar that is not drawn before the run starts.
    pub fn new(progress: Progress) -> Self {
        let shown = match progress {
            Progress::None => None,
            Progress::Bar => Some(Shown::new()),
        };
        Self { shown }
    }

    /// Draws it, empty.
    pub fn start(&mut self, cases: u32) {
        if let Some(shown) = &self.shown {
            shown.bar.set_length(u64::from(cases));
            shown.bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(10));
        }
    }

    /// Counts what an attempt used.
    pub fn spent(&mut self, facts: &Facts) {
        let Some(shown) = &mut self.shown else { return };
        shown.tokens = shown.tokens.saturating_add(facts.tokens.unwrap_or(0));
        for price in &facts.cost {
            let sum = shown.cost.entry(price.currency.clone()).or_default();
            *sum = sum.saturating_add(price.amount.parse().unwrap_or_default());
        }
    }

    /// Counts a finished case.
    pub fn finished(&mut self, verdict: Verdict) {
        let Some(shown) = &mut self.shown else { return };
        match verdict {
            Verdict::Passed | Verdict::Flaky => shown.green += 1,
            Verdict::Failed | Verdict::Errored | Verdict::Inconclusive => shown.red += 1,
            Verdict::Skipped => {}
        }
        shown.bar.inc(1);
        shown.bar.set_message(shown.message());
    }

    /// Gives the lines that may be printed now; keeps them back while too many come.
    pub fn hold_back(&mut self, lines: String) -> String {
        let Some(shown) = &mut self.shown else { return lines };
        shown.held.push_str(&lines);
        let now = clock::now();
        if now.duration_since(shown.span) >= SPAN {
            shown.span = now;
            shown.lines = 0;
        }
        shown.lines += 1;
        if shown.lines > LINES { String::new() } else { std::mem::take(&mut shown.held) }
    }

    /// Takes it off the screen; gives the lines that were kept back.
    pub fn clear(&mut self) -> String {
        let Some(mut shown) = self.shown.take() else { return String::new() };
        shown.bar.finish_and_clear();
        std::mem::take(&mut shown.held)
    }

    /// Writes something with the bar out of the way.
    pub fn suspend<R>(&self, write: impl FnOnce() -> R) -> R {
        match &self.shown {
            Some(shown) => shown.bar.suspend(write),
            None => write(),
        }
    }
}

impl Shown {
    fn new() -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template("{bar:24} {pos}/{len}  {msg}  {eta} left") {
            bar.set_style(style.progress_chars("█▉▊▋▌▍▎▏ "));
        }
        Self {
            bar,
            green: 0,
            red: 0,
            tokens: 0,
            cost: BTreeMap::new(),
            held: String::new(),
            span: clock::now(),
            lines: 0,
        }
    }

    fn message(&self) -> String {
        let mut message = format!("{} passed, {} failed", self.green, self.red);
        if self.tokens > 0 {
            message.push_str(&format!(" · {} tokens", format_count(self.tokens)));
        }
        for (currency, amount) in &self.cost {
            message.push_str(&format!(" · {} {currency}", amount.normalize()));
        }
        message
    }
}
