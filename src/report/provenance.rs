//! Where a run's answers come from, shown in every report: an answer of the mock or a cassette must never look like a live one.

use crate::base::units::format_count;
use crate::dify::cassette::Mode;
use crate::record::event::RunStart;
use crate::record::journal::Totals;

/// A note on answers that tested no live workflow; `None` where every answer is live.
pub(crate) fn note(start: &RunStart, totals: &Totals) -> Option<String> {
    let (replayed, attempts) = (totals.replayed, totals.attempts);
    let share = || {
        let [some, all] = [replayed, attempts].map(|count| format_count(u64::from(count)));
        format!("{some} of {all} attempts were replayed from cassettes")
    };
    let all_replayed = || "replayed from cassettes: no live workflow was tested".to_owned();
    match (start.mock, start.cassettes) {
        (false, Some(Mode::None)) => Some(all_replayed()),
        _ if replayed > 0 && replayed == attempts => Some(all_replayed()),
        (true, _) if replayed == 0 => Some("on the mock: no live workflow was tested".to_owned()),
        (true, _) => Some(format!("on the mock: no live workflow was tested; {}", share())),
        (false, _) if replayed == 0 => None,
        (false, _) => Some(format!("{}: those tested no live workflow", share())),
    }
}
