//! The keys that say how often a test runs and at which rate it passes.

use crate::base::repeat::{MOST_REPEATS, RepeatRange};
use crate::base::units::parse_percent;
use crate::suite::keys::format_key::names;
use crate::suite::keys::of_suite::REPEAT;
use crate::suite::spec::{InconclusiveSpec, RunSpec};
use crate::yaml::node::{MapEntry, Node};
use crate::yaml::reader::{Located, Reader};

/// The words of `on_inconclusive`.
pub const INCONCLUSIVE_WORDS: [(&str, InconclusiveSpec); 2] =
    [("fail", InconclusiveSpec::Fail), ("warn", InconclusiveSpec::Warn)];

/// Reads one key of repeats.
pub(super) fn read_repeat_key(reader: &mut Reader<'_>, entry: &MapEntry, run: &mut RunSpec) {
    let value = &entry.value;
    match entry.key.as_str() {
        "repeat" => {
            run.repeat = read_repeat(reader, value).map(|times| Located { value: times, mark: value.mark })
        }
        "pass_rate" => run.pass_rate = read_pass_rate(reader, value),
        "fail_below" => run.fail_below = read_fail_below(reader, value),
        "confidence" => run.confidence = read_confidence(reader, value),
        "on_inconclusive" => {
            let word = reader.choice(value, "`on_inconclusive`", &INCONCLUSIVE_WORDS);
            run.on_inconclusive = word.map(|word| word.value);
        }
        _ => {}
    }
}

/// Reads `repeat`: a number from 1, or the bounds of a sequential test.
pub fn read_repeat(reader: &mut Reader<'_>, node: &Node) -> Option<RepeatRange> {
    let most = u64::from(MOST_REPEATS);
    if node.as_map().is_none() {
        return reader.bounded(node, "`repeat`", 1..=most).map(RepeatRange::Fixed);
    }
    let (mut min, mut max, mut is_sound) = (Some(1), None, true);
    for entry in reader.map(node, "`repeat`", &names(&REPEAT)) {
        let read = match entry.key.as_str() {
            "min" => &mut min,
            "max" => &mut max,
            _ => continue,
        };
        *read = reader.bounded(&entry.value, &format!("`repeat.{}`", entry.key), 1..=most);
        is_sound &= read.is_some();
    }
    if !is_sound {
        return None;
    }
    let (Some(min), Some(max)) = (min, max) else {
        let help = "write e.g. `repeat: { min: 3, max: 40 }`; the test ends as soon as it is decided";
        reader.problem_with_help(node.mark, "`repeat` has no `max`", help);
        return None;
    };
    if min > max {
        let message = format!("`repeat.min`, {min}, is more than `repeat.max`, {max}");
        reader.problem_with_help(node.mark, message, "the smaller number is `min`");
        return None;
    }
    Some(RepeatRange::Until { min, max })
}

fn read_pass_rate(reader: &mut Reader<'_>, node: &Node) -> Option<Located<f64>> {
    let rate = reader.parsed(node, "`pass_rate`", parse_percent)?;
    if rate.value > 0.0 && rate.value <= 1.0 {
        return Some(rate);
    }
    let message = "`pass_rate` must lie above 0 and be at most 1";
    reader.problem_with_help(node.mark, message, "at 0 nothing could fail");
    None
}

fn read_fail_below(reader: &mut Reader<'_>, node: &Node) -> Option<Located<f64>> {
    let rate = reader.parsed(node, "`fail_below`", parse_percent)?;
    if rate.value > 0.0 && rate.value < 1.0 {
        return Some(rate);
    }
    let help = "at 0 a single pass would make the test green, at 1 nothing could pass";
    reader.problem_with_help(node.mark, "`fail_below` must lie between 0 and 1", help);
    None
}

fn read_confidence(reader: &mut Reader<'_>, node: &Node) -> Option<Located<f64>> {
    let confidence = reader.parsed(node, "`confidence`", parse_percent)?;
    if confidence.value > 0.5 && confidence.value < 1.0 {
        return Some(confidence);
    }
    let help = "no number of repeats makes certain; usual is 0.95";
    reader.problem_with_help(node.mark, "`confidence` must lie above 0.5 and below 1", help);
    None
}
