//! Writes lines one by one up to a rate, and more of them together: each write costs a system call, and on a screen a redrawn bar.

use std::time::{Duration, Instant};

use crate::base::clock;

/// Lines written at once in each span.
const LINES: u32 = 20;
const SPAN: Duration = Duration::from_millis(100);

/// The lines that wait.
#[derive(Debug)]
pub(super) struct LineBuffer {
    held: String,
    span: Instant,
    lines: u32,
}

impl LineBuffer {
    /// Nothing waits.
    pub fn new() -> Self {
        Self { held: String::new(), span: clock::now(), lines: 0 }
    }

    /// Returns the lines that may be written now; keeps them back while there are too many.
    pub fn hold_back(&mut self, lines: &str) -> String {
        self.held.push_str(lines);
        let now = clock::now();
        if now.duration_since(self.span) >= SPAN {
            self.span = now;
            self.lines = 0;
        }
        self.lines += 1;
        if self.lines > LINES { String::new() } else { self.rest() }
    }

    /// Returns the lines that were kept back.
    pub fn rest(&mut self) -> String {
        std::mem::take(&mut self.held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_is_lost_and_the_order_stays() {
        let mut burst = LineBuffer::new();
        let lines: Vec<String> = (0..100).map(|number| format!("{number}\n")).collect();
        let mut written: String = lines.iter().map(|line| burst.hold_back(line)).collect();
        assert!(written.starts_with("0\n1\n"), "the first lines do not wait");
        written.push_str(&burst.rest());
        assert_eq!(written, lines.concat());
        assert!(burst.rest().is_empty());
    }
}
