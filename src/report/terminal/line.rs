//! The line of a finished test.

use std::time::Duration;

use crate::base::units::{format_count, format_duration};
use crate::record::attempt::{CaseOutcome, Cause, RepeatFacts, UsageTotals};
use crate::record::verdict::Verdict;
use crate::report::repeats::{told_count, told_rate, told_saving, told_sticking};
use crate::report::spent::or_more;
use crate::report::text::{ReportText, TextTone, one_line};

/// Writes the line of a finished test: sign, word, name, duration, tokens, and why it was skipped.
pub(super) fn case_line(text: &mut ReportText, outcome: &CaseOutcome, used: &UsageTotals) {
    let (sign, tone) = sign_of(outcome.verdict);
    text.tone(tone, &format!("{sign} {:<7}", outcome.verdict.word()))
        .push(" ")
        .push(&one_line(&outcome.name, 300));
    if outcome.attempts > 0 {
        let mut aside = format!("  {}", format_duration(duration(outcome.duration_ms)));
        if used.tokens > 0 {
            aside.push_str(&format!(
                " · {} tokens{}",
                format_count(used.tokens),
                or_more(used.tokens_unknown)
            ));
        }
        match outcome.recovered {
            0 => {}
            1 if outcome.attempts == 1 => aside.push_str(" · recovered"),
            count => aside.push_str(&format!(" · {count} recovered")),
        }
        if outcome.attempts > 1 {
            aside.push_str(&format!(" · {} attempts", outcome.attempts));
        }
        text.tone(TextTone::Faint, &aside);
    }
    if outcome.warnings > 0 {
        let plural = if outcome.warnings == 1 { "" } else { "s" };
        text.tone(TextTone::Doubt, &format!("  {} warning{plural}", outcome.warnings));
    }
    if let Some(repeats) = &outcome.repeats {
        text.tone(TextTone::Faint, &format!("  {}", told_repeats(outcome, repeats)));
    } else if let Some(reason) = &outcome.reason {
        // The cause itself is told once, at the end.
        let reason = if Cause::met_before(reason).is_some() { "not sent" } else { reason };
        text.tone(TextTone::Faint, &format!("  {}", one_line(reason, 200)));
    }
    text.end();
}

/// Why a repeated test has its verdict, its rate, and what was saved.
fn told_repeats(outcome: &CaseOutcome, repeats: &RepeatFacts) -> String {
    let reason = outcome.reason.as_ref().map(|reason| one_line(reason, 200));
    let mut told = reason.unwrap_or_else(|| told_count(repeats));
    for more in [Some(told_rate(repeats)), told_saving(repeats), told_sticking(repeats)].into_iter().flatten()
    {
        if !more.is_empty() {
            told.push_str(" · ");
            told.push_str(&more);
        }
    }
    told
}

/// The sign of a verdict, and its tone.
fn sign_of(verdict: Verdict) -> (&'static str, TextTone) {
    match verdict {
        Verdict::Passed => ("✓", TextTone::Good),
        Verdict::Failed => ("✗", TextTone::Bad),
        Verdict::Errored => ("!", TextTone::Bad),
        Verdict::Inconclusive => ("?", TextTone::Doubt),
        Verdict::Flaky => ("~", TextTone::Doubt),
        Verdict::Skipped => ("-", TextTone::Faint),
    }
}

/// Milliseconds of a record as a duration; nonsense is zero.
pub(super) fn duration(ms: f64) -> Duration {
    Duration::try_from_secs_f64(ms / 1e3).unwrap_or_default()
}
