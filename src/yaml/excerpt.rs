//! What is shown of a line: its beginning, and how much of it a list or mapping covers.

/// At most the first 400 characters of a line; a column past the cut is named, and its caret left out.
pub fn cut_line(line: &str) -> &str {
    match line.char_indices().nth(400) {
        Some((at, _)) => &line[..at],
        None => line,
    }
}

/// How many characters a list or mapping in flow style covers from its bracket on, up to the line's end if it goes on below;
/// 1 in block style.
pub fn flow_width(line: &str, column: u32) -> u32 {
    let rest = || line.chars().skip(column.saturating_sub(1) as usize);
    if !rest().next().is_some_and(|first| matches!(first, '{' | '[')) {
        return 1;
    }
    let (mut open, mut within, mut before, mut solid) = (0_u32, Within::Flow, ' ', 1);
    for (index, character) in (1_u32..).zip(rest()) {
        match (within, character) {
            (Within::Flow, '#') if before == ' ' => break,
            (Within::Flow, '{' | '[') => open += 1,
            (Within::Flow, '}' | ']') => open -= 1,
            (Within::Flow | Within::Single | Within::Double | Within::Escape, _) => {}
        }
        within = within.after(character, before);
        before = character;
        if open == 0 {
            return index;
        }
        if character != ' ' {
            solid = index;
        }
    }
    solid
}

/// Where a character of a line in flow style is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Within {
    /// Outside quotes.
    Flow,
    /// In single quotes.
    Single,
    /// In double quotes.
    Double,
    /// After a backslash in double quotes.
    Escape,
}

impl Within {
    /// Where the next character is. A quote opens only where a scalar may begin; `''` is a quote within single quotes.
    fn after(self, character: char, before: char) -> Self {
        let begins = matches!(before, ' ' | ',' | '[' | '{' | ':');
        match (self, character) {
            (Self::Flow, '"') if begins => Self::Double,
            (Self::Flow, '\'') if begins || before == '\'' => Self::Single,
            (Self::Single, '\'') | (Self::Double, '"') => Self::Flow,
            (Self::Double, '\\') => Self::Escape,
            (Self::Escape, _) => Self::Double,
            (Self::Flow | Self::Single | Self::Double, _) => self,
        }
    }
}
