//! The difference of two texts by line, and within lines by word; bounded in time and size.

use std::time::{Duration, Instant};

use similar::{ChangeTag, DiffOp, DiffTag, InlineChange, InlineChangeMode, InlineChangeOptions};
use unicode_script::{Script, UnicodeScript};
use unicode_segmentation::UnicodeSegmentation;

use super::{DiffLine, LinePart, LineSide, TextDiff};
use crate::base::clock;
use crate::base::plural::plural;

/// The most bytes of either text that are compared.
const LONGEST: usize = 1 << 20;
/// Equal lines shown around a change.
const CONTEXT: usize = 3;
/// After this time the rest is shown as one replacement.
const TIMEOUT: Duration = Duration::from_millis(500);
/// A word of more bytes is no word of a language: a difference in it is looked for by character.
const LONG_WORD: usize = 64;
/// Stands for the end of a line where only one text ends with one.
const LINE_END: &str = "⏎";

/// Compares two texts; texts over 1 MiB are cut first.
pub fn diff_text(expected: &str, actual: &str) -> TextDiff {
    diff_until(expected, actual, clock::now() + TIMEOUT)
}

/// Compares two texts, coarser where the deadline passes.
pub(super) fn diff_until(expected: &str, actual: &str, deadline: Instant) -> TextDiff {
    let (old, new) = (head(expected), head(actual));
    let cut = old.len() < expected.len() || new.len() < actual.len();
    if old == new {
        return TextDiff { lines: Vec::new(), cut };
    }
    let diff = similar::TextDiff::configure().deadline(deadline).diff_lines(old, new);
    let mut lines = Vec::new();
    let mut shown = 0;
    for group in diff.grouped_ops(CONTEXT) {
        let start = group.first().map_or(shown, |op: &DiffOp| op.old_range().start);
        push_skipped(&mut lines, start.saturating_sub(shown));
        for op in &group {
            shown = op.old_range().end;
            let mut options = InlineChangeOptions::new();
            options.mode(mode(&diff, op));
            let changes = diff.iter_inline_changes_with_options_deadline(op, options, Some(deadline));
            lines.extend(changes.map(|change| line(&change, op.tag())));
        }
    }
    push_skipped(&mut lines, diff.old_len().saturating_sub(shown));
    if old.ends_with('\n') != new.ends_with('\n') {
        show_line_end(&mut lines, if old.ends_with('\n') { LineSide::Expected } else { LineSide::Actual });
    }
    TextDiff { lines, cut }
}

/// By Unicode's words, which are characters where a script has no blanks between words; by character where words are too long.
fn mode(diff: &similar::TextDiff<'_, '_, str>, op: &DiffOp) -> InlineChangeMode {
    let is_long = |word: &str| word.len() > LONG_WORD || word.chars().any(|c| c.script() == Script::Katakana);
    let mut changed = match op.tag() {
        DiffTag::Replace => diff.iter_changes(op).map(|change| change.value()).collect::<Vec<&str>>(),
        DiffTag::Equal | DiffTag::Delete | DiffTag::Insert => Vec::new(),
    };
    changed.retain(|line| line.split_word_bounds().any(is_long));
    if changed.is_empty() { InlineChangeMode::UnicodeWords } else { InlineChangeMode::Graphemes }
}

fn head(text: &str) -> &str {
    let end = (0..=LONGEST.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or(0)]
}

fn push_skipped(lines: &mut Vec<DiffLine>, count: usize) {
    let text = match count {
        0 => return,
        _ => format!("… {count} equal {}", plural(count, "line", "lines")),
    };
    lines.push(DiffLine { side: LineSide::Same, pieces: vec![LinePart { changed: false, text }] });
}

fn line(change: &InlineChange<'_, str>, tag: DiffTag) -> DiffLine {
    let side = match change.tag() {
        ChangeTag::Equal => LineSide::Same,
        ChangeTag::Delete => LineSide::Expected,
        ChangeTag::Insert => LineSide::Actual,
    };
    let mut pieces: Vec<LinePart> = Vec::new();
    for (changed, text) in change.iter_strings_lossy() {
        push_piece(&mut pieces, LinePart { changed, text: text.into_owned() });
    }
    if let Some(last) = pieces.last_mut()
        && last.text.ends_with('\n')
    {
        last.text.pop();
    }
    pieces.retain(|piece| !piece.text.is_empty());
    // Nothing alike: the whole line is the difference.
    if tag != DiffTag::Equal && !pieces.iter().any(|piece| piece.changed) {
        let text = pieces.into_iter().map(|piece| piece.text).collect();
        pieces = vec![LinePart { changed: true, text }];
    }
    DiffLine { side, pieces }
}

fn push_piece(pieces: &mut Vec<LinePart>, piece: LinePart) {
    match pieces.last_mut() {
        Some(last) if last.changed == piece.changed => last.text.push_str(&piece.text),
        Some(_) | None => pieces.push(piece),
    }
}

/// Marks the line end that only one text has, which its last line would else hide.
fn show_line_end(lines: &mut [DiffLine], side: LineSide) {
    if let Some(last) = lines.iter_mut().rev().find(|line| line.side == side) {
        last.pieces.push(LinePart { changed: true, text: LINE_END.to_owned() });
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn show(diff: &TextDiff) -> Vec<String> {
        let piece =
            |piece: &LinePart| if piece.changed { format!("[{}]", piece.text) } else { piece.text.clone() };
        let sign = |side| match side {
            LineSide::Same => ' ',
            LineSide::Expected => '-',
            LineSide::Actual => '+',
        };
        diff.lines
            .iter()
            .map(|line| format!("{}{}", sign(line.side), line.pieces.iter().map(piece).collect::<String>()))
            .collect()
    }

    /// The parts that are shown grow with the texts, whether or not there was time to look for words.
    #[test]
    fn the_parts_of_a_difference_grow_with_the_words() {
        let text = |words: usize, every: usize| {
            let word = |at: usize| if every > 0 && at.is_multiple_of(every) { "new " } else { "old " };
            (0..words).map(word).collect::<String>()
        };
        let parts = |(old, new): (&str, &str), deadline: Instant| {
            let diff = diff_until(old, new, deadline);
            let all = diff.lines.iter().flat_map(|line| &line.pieces);
            let (count, bytes) =
                all.fold((0, 0), |(count, bytes), part| (count + 1, bytes + part.text.len()));
            assert_eq!(bytes, old.len() + new.len(), "both are shown whole");
            count
        };
        let late = clock::now();
        let never = late + Duration::from_secs(3_600);
        for (words, every) in [(200, 10), (200, 7), (100, 1)] {
            let pairs = [words, 32 * words].map(|words| (text(words, 0), text(words, every)));
            let [short, long] = [0, 1].map(|at| parts((&pairs[at].0, &pairs[at].1), never));
            assert!(short > 0 && long <= 40 * short, "every {every}: {short} parts, then {long}");
            assert!(parts((&pairs[1].0, &pairs[1].1), late) <= long.max(2), "without time nothing is finer");
        }
    }

    #[test]
    fn equal_texts_have_no_lines() {
        assert_eq!(diff_text("a\nb\n", "a\nb\n"), TextDiff { lines: Vec::new(), cut: false });
        assert_eq!(diff_text("", ""), TextDiff { lines: Vec::new(), cut: false });
    }

    #[test]
    fn words_are_marked_within_lines() {
        let diff = diff_text("the quick brown fox jumps", "the quick red fox jumps");
        assert_eq!(show(&diff), ["-the quick [brown] fox jumps", "+the quick [red] fox jumps"]);
        assert_eq!(show(&diff_text("alpha", "12345")), ["-[alpha]", "+[12345]"]);
        assert_eq!(show(&diff_text("", "new")), ["+[new]"]);
        assert_eq!(show(&diff_text("a\n\nb", "a\nb")), [" a", "-[]", " b"]);
    }

    #[test]
    fn what_changed_is_marked_closely_where_no_blanks_are() {
        let marked = |old: &str, new: &str| show(&diff_text(old, new));
        assert_eq!(
            marked("我们会在三个工作日内为您办理退款。", "我们会在五个工作日内为您办理退款。"),
            ["-我们会在[三]个工作日内为您办理退款。", "+我们会在[五]个工作日内为您办理退款。"]
        );
        assert_eq!(marked("コーヒーカップ", "コーヒーコップ"), ["-コーヒー[カ]ップ", "+コーヒー[コ]ップ"]);
        assert_eq!(marked("ราคา สามบาท ค่ะ", "ราคา สี่บาท ค่ะ"), ["-ราคา [สาม]บาท ค่ะ", "+ราคา [สี่]บาท ค่ะ"]);
        assert_eq!(
            marked(r#"{"id":771,"state":"open","total":20}"#, r#"{"id":771,"state":"shut","total":20}"#),
            [r#"-{"id":771,"state":"[open]","total":20}"#, r#"+{"id":771,"state":"[shut]","total":20}"#]
        );
        let long = "Zm9vYmFyYmF6".repeat(8);
        assert_eq!(
            marked(&format!("{long}A{long}"), &format!("{long}B{long}")),
            [format!("-{long}[A]{long}"), format!("+{long}[B]{long}")]
        );
    }

    #[test]
    fn equal_lines_are_left_out() {
        let lines: Vec<String> = (0..40).map(|line| format!("line {line}")).collect();
        let mut changed = lines.clone();
        changed[10] = "different".to_owned();
        changed[30].push('!');
        let shown = show(&diff_text(&lines.join("\n"), &changed.join("\n")));
        assert_eq!(shown[0], " … 7 equal lines");
        assert_eq!(shown[4..6], ["-[line 10]", "+[different]"]);
        assert_eq!(shown[9], " … 13 equal lines");
        assert_eq!(shown.last().unwrap(), " … 6 equal lines");
    }

    #[test]
    fn a_missing_line_end_is_seen() {
        assert_eq!(show(&diff_text("a\nb\n", "a\nb")), [" a", "-[b][⏎]", "+[b]"]);
        assert_eq!(show(&diff_text("b", "b\n")), ["-[b]", "+[b][⏎]"]);
    }

    #[test]
    fn long_texts_are_cut_at_a_character() {
        let long = "é".repeat(LONGEST);
        let diff = diff_text(&long, "é");
        assert!(diff.cut);
        assert!(!diff_text("a", "b").cut);
        assert!(diff_text(&long, &format!("{long}x")).lines.is_empty());
    }

    #[test]
    fn hard_texts_end_in_time() {
        let old: String = (0..60_000_u64).map(|line| format!("{}\n", line * 7_919 % 10_007)).collect();
        let new: String = (0..60_000_u64).map(|line| format!("{}\n", line * 104_729 % 10_009)).collect();
        let started = clock::now();
        diff_text(&old, &new);
        assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    }

    proptest! {
        #[test]
        fn both_sides_can_be_read_back(old in "[ab \n]{0,12}", new in "[ab \n]{0,12}") {
            let diff = diff_text(&old, &new);
            prop_assert_eq!(diff.lines.is_empty(), old == new);
            let side = |side: LineSide| -> Vec<String> {
                let lines = diff.lines.iter().filter(|line| line.side == LineSide::Same || line.side == side);
                lines.map(|line| line.pieces.iter().map(|piece| piece.text.as_str()).filter(|text| *text != LINE_END).collect()).collect()
            };
            if old != new && !diff.lines.iter().any(|line| line.pieces.iter().any(|piece| piece.text.starts_with('…'))) {
                prop_assert_eq!(side(LineSide::Expected), old.split_terminator('\n').collect::<Vec<_>>());
                prop_assert_eq!(side(LineSide::Actual), new.split_terminator('\n').collect::<Vec<_>>());
            }
        }
    }
}
