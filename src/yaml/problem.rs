//! What is wrong with a file, where, and how to mend it.

use crate::base::origin::Place;

/// One thing wrong with a suite or project file; nothing is sent while one stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// Where it stands.
    pub place: Place,
    /// What is wrong: a lower-case fragment without a full stop.
    pub message: String,
    /// How to mend it, often "did you mean `x`?".
    pub help: Option<String>,
    /// Other places that belong to it, each with what it is ("first defined here").
    pub others: Vec<(Place, String)>,
}

/// What the message of a problem holds that is no fault of a file: the system refuses what its reading takes.
pub const OF_MACHINE: &str = "the system gives no thread to read this file on";

impl Problem {
    /// True where the system is short of something, and no file is at fault.
    pub fn is_of_machine(&self) -> bool {
        self.message.contains(OF_MACHINE)
    }

    /// A problem at a place.
    pub fn new(place: Place, message: impl Into<String>) -> Self {
        Self { place, message: message.into(), help: None, others: Vec::new() }
    }

    /// Adds how to mend it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// True when the problem stands in a file or has to do with it.
    pub fn concerns(&self, file: &str) -> bool {
        *self.place.file == *file || self.others.iter().any(|(place, _)| *place.file == *file)
    }

    /// Adds another place.
    #[must_use]
    pub fn other(mut self, place: Place, label: impl Into<String>) -> Self {
        self.others.push((place, label.into()));
        self
    }
}

/// The candidate nearest to `word`, if one is near enough to be a slip of the finger.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (word.chars().count() / 3).clamp(1, 3);
    candidates
        .into_iter()
        .map(|candidate| (edit_distance(word, candidate), candidate))
        .filter(|(distance, candidate)| {
            *distance <= limit || (word.len() >= 3 && candidate.starts_with(word))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Damerau-Levenshtein distance with adjacent transpositions (optimal string alignment).
pub fn edit_distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(64).collect(), b.chars().take(64).collect());
    let mut rows = vec![vec![0usize; b.len() + 1]; a.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    for (j, cell) in rows[0].iter_mut().enumerate() {
        *cell = j;
    }
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let cost = usize::from(a[i - 1] != b[j - 1]);
            let mut best = (rows[i - 1][j] + 1).min(rows[i][j - 1] + 1).min(rows[i - 1][j - 1] + cost);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_finds_slips_only() {
        assert_eq!(nearest("asert", ["assert", "inputs"]), Some("assert"));
        assert_eq!(nearest("inptus", ["assert", "inputs"]), Some("inputs"));
        assert_eq!(nearest("zebra", ["assert", "inputs"]), None);
    }
}
