//! The repeats of a test in words: the rate with its interval, and what a sequential test saved.

use crate::base::plural::counted;
use crate::base::units::format_share;
use crate::record::attempt::{RateFacts, RepeatFacts, told_share};
use crate::record::journal::SavedRepeats;

/// `rate 94.4 % (74.2 % to 99 %)`; empty where nothing was observed.
pub(crate) fn pass_rate_text(repeats: &RepeatFacts) -> String {
    match repeats.rate {
        Some(RateFacts { observed, low, high }) => {
            format!("rate {} ({} to {})", format_share(observed), format_share(low), format_share(high))
        }
        None => String::new(),
    }
}

/// `repeats depend on the ones before them (p 0.008): …`; `None` where that may be chance.
pub(crate) fn dependence_text(repeats: &RepeatFacts) -> Option<String> {
    let p = (repeats.sticks? * 1000.0).ceil() / 1000.0;
    Some(format!(
        "repeats depend on the ones before them (p {p:.3}), so the rate is less certain than its interval says"
    ))
}

/// `17 of 18 repeats passed`.
pub(crate) fn passed_count(repeats: &RepeatFacts) -> String {
    told_share(repeats.passed, repeats.failed, repeats.errored)
}

/// `23 runs saved`, `4 runs more than a fixed plan`; `None` where the test was not decided.
pub(crate) fn saving_text(repeats: &RepeatFacts) -> Option<String> {
    let sequential = repeats.sequential.as_ref()?;
    let saved =
        SavedRepeats { tests: 1, runs: sequential.saved_runs?, tokens: sequential.saved_tokens.unwrap_or(0) };
    Some(saved_words(saved))
}

/// The same for a whole run; `None` where no sequential test decided.
pub(crate) fn savings_line(saved: SavedRepeats) -> Option<String> {
    let tests = match saved.tests {
        0 => return None,
        count => counted(count, "test"),
    };
    let words = saved_words(saved);
    Some(format!("repeats: {tests} stopped when decided: {words} compared with plans of a fixed number"))
}

fn saved_words(saved: SavedRepeats) -> String {
    let (runs, tokens) = (saved.runs.unsigned_abs(), saved.tokens.unsigned_abs());
    let tokens = if tokens > 0 { format!(" and about {}", counted(tokens, "token")) } else { String::new() };
    let what = format!("{}{tokens}", counted(runs, "run"));
    if saved.runs < 0 { format!("{what} more") } else { format!("{what} saved") }
}
