//! Text for the logs of build servers: what a runner would obey as a command is shown with a backslash in it.
//!
//! Commands are those of GitHub (`::x::` at the start of a line, `##[x]` anywhere), Azure (`##vso[x]`, `##[x]`), TeamCity
//! (`##teamcity[x]`), GitLab (`section_start:1:x`) and Buildkite (`--- x` and its like at the start of a line).

use std::borrow::Cow;

use super::is_hidden;

/// What begins a group of lines at Buildkite, before a blank.
const GROUPS: [&str; 4] = ["---", "+++", "~~~", "^^^"];
/// What begins and ends a section at GitLab, before its time.
const SECTIONS: [&str; 2] = ["section_start", "section_end"];

/// Makes every command in a text harmless; whether the colours in it are kept or removed later makes no difference.
pub fn harmless(text: &str) -> Cow<'_, str> {
    let mut places = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive(['\n', '\r']) {
        find(line, start, &mut places);
        start += line.len();
    }
    if places.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + places.len());
    let mut from = 0;
    for place in places {
        shown.push_str(&text[from..place]);
        shown.push('\\');
        from = place;
    }
    shown.push_str(&text[from..]);
    Cow::Owned(shown)
}

/// The same for a document of JSON, which stays the same JSON: no command but `##…[` fits into one of its lines.
pub fn harmless_json(document: &str) -> Cow<'_, str> {
    if !document.contains("##") {
        return Cow::Borrowed(document);
    }
    Cow::Owned(document.replace("##", "#\\u0023").replace("##", "#\\u0023"))
}

/// Notes where a backslash takes its force from each command of a line, in order.
fn find(line: &str, start: usize, places: &mut Vec<usize>) {
    if !line.contains(['#', ':', '-', '+', '~', '^']) {
        return;
    }
    let begun = seen(line).find(|(_, c)| !is_blank(*c)).map(|(at, _)| at);
    let first = begun.filter(|at| begins_command(&line[*at..]));
    places.extend(first.map(|at| start + at));
    let mut before = ' ';
    let mut second_hash = None;
    for (at, c) in seen(line) {
        match c {
            '#' => second_hash = (before == '#').then_some(at),
            '[' => places.extend(second_hash.take().map(|hash| start + hash)),
            ':' => {
                second_hash = None;
                places.extend(begins_section(line, at).then_some(start + at).filter(|_| first != Some(at)));
            }
            c if c.is_alphanumeric() || matches!(c, '-' | '_' | '.') => {}
            _ => second_hash = None,
        }
        before = c;
    }
}

/// Whether what is at the start of a line is a command.
fn begins_command(rest: &str) -> bool {
    let mut head = seen(rest).map(|(_, c)| c);
    let first: String = head.by_ref().take(3).collect();
    first.starts_with("::") || (GROUPS.contains(&first.as_str()) && head.next().is_some_and(is_gap))
}

/// Whether a character divides the sign of a group from its title.
fn is_gap(c: char) -> bool {
    c.is_whitespace() && !matches!(c, '\n' | '\r')
}

/// Whether the colon at this place divides the word of a section from its time.
fn begins_section(line: &str, at: usize) -> bool {
    let has_time = line[at + 1..].starts_with(|c: char| c.is_ascii_digit());
    let is_word = |word: &&str| {
        let before = at.checked_sub(word.len()).and_then(|from| line.get(from..at));
        before.is_some_and(|before| before.eq_ignore_ascii_case(word))
    };
    has_time && SECTIONS.iter().any(is_word)
}

/// Whether a runner may pass the character over before it looks for a command.
fn is_blank(c: char) -> bool {
    c.is_whitespace() || is_hidden(c)
}

/// The characters of a line without its escape sequences (CSI, such as colours), which another writer may remove.
fn seen(line: &str) -> impl Iterator<Item = (usize, char)> + '_ {
    let mut chars = line.char_indices();
    std::iter::from_fn(move || {
        loop {
            let (at, c) = chars.next()?;
            if c != '\u{1b}' {
                return Some((at, c));
            }
            if chars.as_str().starts_with('[') {
                chars.by_ref().skip(1).find(|(_, c)| ('@'..='~').contains(c));
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_of_every_runner_are_broken_and_stay_readable() {
        for (text, shown) in [
            ("::stop-commands::x9", "\\::stop-commands::x9"),
            ("no\n  ::set-output name=a::b\n", "no\n  \\::set-output name=a::b\n"),
            ("a\r\t\u{a0}\u{3000}::ERROR::x", "a\r\t\u{a0}\u{3000}\\::ERROR::x"),
            ("\u{feff}::x::", "\u{feff}\\::x::"),
            ("\u{1b}[2m ::x::\u{1b}[0m", "\u{1b}[2m \\::x::\u{1b}[0m"),
            (":\u{1b}[1m:x::", "\\:\u{1b}[1m:x::"),
            ("hello ##[add-matcher].github/m.json", "hello #\\#[add-matcher].github/m.json"),
            ("##[error]a ##[Group]b", "#\\#[error]a #\\#[Group]b"),
            ("a ##vso[task.setvariable variable=X]y", "a #\\#vso[task.setvariable variable=X]y"),
            ("##VSO[x] ##TeamCity[message text='x']", "#\\#VSO[x] #\\#TeamCity[message text='x']"),
            ("#\u{1b}[31m#vso[x]", "#\u{1b}[31m\\#vso[x]"),
            ("####[x]", "###\\#[x]"),
            ("\u{1b}[0Ksection_start:17:x\r\u{1b}[0KPWNED", "\u{1b}[0Ksection_start\\:17:x\r\u{1b}[0KPWNED"),
            ("Section_End:17:x", "Section_End\\:17:x"),
            ("--- a\n+++ b\n ~~~ c\n^^^ +++", "\\--- a\n\\+++ b\n \\~~~ c\n\\^^^ +++"),
        ] {
            assert_eq!(harmless(text), shown, "{text:?}");
            assert!(matches!(harmless(shown), Cow::Borrowed(_)), "{shown:?} is broken once");
        }
    }

    #[test]
    fn ordinary_text_stays_as_it_is() {
        for text in [
            "✓ passed  suite::test[row]\n",
            "# a\n## b [c]\n### d",
            "a :: b, std::fmt, #1 ##",
            "- -- a\n-- b\n---\n----- \n+++b\n  - ::x",
            "section_start: now\nsection:1",
            "2026-01-01 10:00:00 [x]",
        ] {
            assert!(matches!(harmless(text), Cow::Borrowed(_)), "{}", harmless(text));
        }
    }

    #[test]
    fn json_stays_the_same_json() {
        let value = serde_json::json!({"a": "##[error]x", "##vso[b]": "###", "c": "\\##["});
        for document in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
            let shown = harmless_json(&document);
            assert!(!shown.contains("##"), "{shown}");
            assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), value);
        }
    }
}
