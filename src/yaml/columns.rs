//! Where the characters of a text are, so that a column of a long line is found without going through the line.

/// Characters between two that are known.
const APART: usize = 64;

/// Where in a text its characters are: of some the byte, and of each line the number of its first.
#[derive(Debug)]
pub struct Columns {
    /// The byte of each `APART`th character; empty where every character is one byte.
    bytes: Vec<u32>,
    /// The number of the first character of each line; empty likewise.
    firsts: Vec<u32>,
}

impl Columns {
    /// Looks through a text once.
    pub fn of(text: &str, line_starts: &[u32]) -> Self {
        if text.is_ascii() {
            return Self { bytes: Vec::new(), firsts: line_starts.to_vec() };
        }
        let (mut bytes, mut firsts, mut lines) = (Vec::new(), Vec::new(), line_starts.iter().peekable());
        for (number, (byte, _)) in text.char_indices().enumerate() {
            if number % APART == 0 {
                bytes.push(byte as u32);
            }
            if lines.next_if(|start| **start as usize == byte).is_some() {
                firsts.push(number as u32);
            }
        }
        Self { bytes, firsts }
    }

    /// The byte of a line's column, both from 0; the end of the text for what is beyond it.
    pub fn byte(&self, text: &str, line: usize, column: usize) -> usize {
        let Some(first) = self.firsts.get(line) else { return text.len() };
        let number = *first as usize + column;
        if self.bytes.is_empty() {
            return number.min(text.len());
        }
        let Some(near) = self.bytes.get(number / APART) else { return text.len() };
        let rest = &text[*near as usize..];
        rest.char_indices().nth(number % APART).map_or(text.len(), |(at, _)| *near as usize + at)
    }
}
