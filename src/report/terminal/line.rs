//! The line of a finished test.

use std::time::Duration;

use crate::base::plural::{counted, plural};
use crate::base::units::format_duration;
use crate::record::attempt::{CaseOutcome, Cause, RepeatFacts, UsageTotals};
use crate::record::verdict::Verdict;
use crate::report::repeats::{dependence_text, pass_rate_text, passed_count, saving_text};
use crate::report::spent::or_more;
use crate::report::text::{ReportText, TextTone, one_line};

/// Writes the line of a finished test: sign, word, name, duration, tokens, and why it was skipped.
pub(super) fn case_line(text: &mut ReportText, outcome: &CaseOutcome, used: &UsageTotals) {
    let VerdictSign { sign, tone } = sign_of(outcome.verdict);
    text.tone(tone, &format!("{sign} {:<7}", outcome.verdict.word()))
        .push(" ")
        .push(&one_line(&outcome.name, 300));
    if outcome.attempts > 0 {
        let mut details = format!("  {}", format_duration(duration(outcome.duration_ms)));
        if used.tokens > 0 {
            details.push_str(&format!(
                " · {}{}",
                counted(used.tokens, "token"),
                or_more(used.tokens_unknown)
            ));
        }
        match outcome.recovered {
            0 => {}
            1 if outcome.attempts == 1 => details.push_str(" · recovered"),
            count => details.push_str(&format!(" · {count} recovered")),
        }
        if outcome.attempts > 1 {
            details.push_str(&format!(" · {} attempts", outcome.attempts));
        }
        text.tone(TextTone::Faint, &details);
    }
    if outcome.warnings > 0 {
        let warnings = plural(outcome.warnings, "warning", "warnings");
        text.tone(TextTone::Doubt, &format!("  {} {warnings}", outcome.warnings));
    }
    if let Some(repeats) = &outcome.repeats {
        text.tone(TextTone::Faint, &format!("  {}", repeats_text(outcome, repeats)));
    } else if let Some(reason) = &outcome.reason {
        // The cause itself is shown once, at the end.
        let reason = if Cause::met_before(reason).is_some() { "not sent" } else { reason };
        text.tone(TextTone::Faint, &format!("  {}", one_line(reason, 200)));
    }
    text.end();
}

/// Why a repeated test has its verdict, its rate, and what was saved.
fn repeats_text(outcome: &CaseOutcome, repeats: &RepeatFacts) -> String {
    let reason = outcome.reason.as_ref().map(|reason| one_line(reason, 200));
    let mut text = reason.unwrap_or_else(|| passed_count(repeats));
    for more in
        [Some(pass_rate_text(repeats)), saving_text(repeats), dependence_text(repeats)].into_iter().flatten()
    {
        if !more.is_empty() {
            text.push_str(" · ");
            text.push_str(&more);
        }
    }
    text
}

/// How a verdict is marked.
struct VerdictSign {
    sign: &'static str,
    tone: TextTone,
}

/// The mark of a verdict.
fn sign_of(verdict: Verdict) -> VerdictSign {
    let (sign, tone) = match verdict {
        Verdict::Passed => ("✓", TextTone::Good),
        Verdict::Failed => ("✗", TextTone::Bad),
        Verdict::Errored => ("!", TextTone::Bad),
        Verdict::Inconclusive => ("?", TextTone::Doubt),
        Verdict::Flaky => ("~", TextTone::Doubt),
        Verdict::Skipped => ("-", TextTone::Faint),
    };
    VerdictSign { sign, tone }
}

/// Milliseconds of a record as a duration; nonsense is zero.
pub(super) fn duration(ms: f64) -> Duration {
    Duration::try_from_secs_f64(ms / 1e3).unwrap_or_default()
}
