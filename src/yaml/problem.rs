//! What is wrong with a file, where, and how to fix it.

use crate::base::origin::Place;

/// One thing wrong with a suite or project file; nothing is sent before it is fixed.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// Where it is.
    pub place: Place,
    /// What is wrong: a lower-case fragment without a full stop.
    pub message: String,
    /// How to repair it, often "did you mean `x`?".
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

    /// Adds how to fix it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// True when the problem is in a file or has to do with it.
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
