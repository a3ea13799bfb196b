//! Long texts from outside, such as tracebacks: kept within a bound, and shown in a line that has their end.

use std::borrow::Cow;

/// Most bytes that are kept of one text.
const KEPT: usize = 64 << 10;
/// Most characters of the line that stands for a text.
const TOLD: usize = 300;
/// Characters of its beginning that such a line has, where all of it is too long.
const BEGINNING: usize = 80;

/// The text, or its beginning and its end where it is longer than 64 KB.
pub fn keep_long(text: &str) -> Cow<'_, str> {
    if text.len() <= KEPT {
        return Cow::Borrowed(text);
    }
    let (head, tail) = (floor(text, KEPT / 4), ceil(text, text.len() - KEPT / 2));
    Cow::Owned(format!("{}… ({} bytes left out) …{}", &text[..head], tail - head, &text[tail..]))
}

/// A text in one line: whole where it is short, else its last line, or the beginning and the end of that.
///
/// What a traceback comes to is in its last line, and the provider's own words at the end of an error that quotes them.
pub fn tell_end(text: &str) -> String {
    let text = text.trim();
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let first = lines.next().unwrap_or_default();
    match lines.next_back() {
        None => shorten(first),
        Some(last) => {
            let count = text.lines().count();
            format!("{} (the last of {count} lines; the first: {})", shorten(last), begin(first))
        }
    }
}

fn shorten(line: &str) -> String {
    let count = line.chars().count();
    if count <= TOLD {
        return line.to_owned();
    }
    let tail = line.char_indices().nth(count - (TOLD - BEGINNING)).map_or(0, |(at, _)| at);
    format!("{} … {}", begin_of(line), &line[tail..])
}

fn begin(line: &str) -> String {
    let begun = begin_of(line);
    if begun.len() < line.len() { format!("{begun}…") } else { begun.to_owned() }
}

fn begin_of(line: &str) -> &str {
    line.char_indices().nth(BEGINNING).map_or(line, |(at, _)| &line[..at])
}

fn floor(text: &str, at: usize) -> usize {
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

fn ceil(text: &str, at: usize) -> usize {
    (at..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_long_text_is_told() {
        assert_eq!(tell_end(" [Errno 111] refused\n"), "[Errno 111] refused");
        let trace =
            "Traceback (most recent call last):\n  File \"<string>\", line 1\n\nValueError: no currency\n";
        assert_eq!(
            tell_end(trace),
            "ValueError: no currency (the last of 4 lines; the first: Traceback (most recent call last):)"
        );
        let line = format!("[openai] {} takes 8192", "é".repeat(2_000));
        let told = tell_end(&line);
        assert!(told.starts_with("[openai] é") && told.contains(" … ") && told.ends_with(" takes 8192"));
        assert_eq!(told.chars().count(), TOLD + 3);
        assert_eq!(tell_end(""), "");
    }

    #[test]
    fn texts_are_kept_whole_up_to_the_bound() {
        let whole = "é".repeat(KEPT / 2);
        assert_eq!(keep_long(&whole), whole);
        let cut = keep_long(&format!("x{}end", "é".repeat(KEPT))).into_owned();
        assert!(cut.len() < KEPT && cut.starts_with("xé") && cut.ends_with("éend"), "{}", cut.len());
        assert!(cut.contains(" bytes left out) …"));
    }
}
