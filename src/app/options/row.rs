//! One option of a run, as the command line and the environment name it.

use std::ffi::OsStr;

use crate::app::options::field::OptionField;
use crate::record::event::RunOptions;

/// The name of the suites, which are no flag.
pub const SUITES: &str = "PATH";

/// One option: its flag, its variable, and the field that they fill.
pub struct OptionRow {
    /// The flag without its dashes, or the name of a positional argument in capitals.
    pub name: &'static str,
    /// Its short form.
    pub short: Option<char>,
    /// How help calls its value.
    pub value: &'static str,
    /// What it means, in one sentence.
    pub help: &'static str,
    /// The variable that fills it where the flag does not.
    pub variable: Option<&'static str>,
    /// The value that the flag stands for where none follows it.
    pub bare: Option<&'static str>,
    /// Flags that cannot be given with it.
    pub excludes: &'static [&'static str],
    /// A flag that must be given with it.
    pub requires: Option<&'static str>,
    /// The field that it fills.
    pub field: &'static dyn OptionField,
}

impl OptionRow {
    /// A flag with a value.
    pub(super) const fn flag(
        name: &'static str,
        value: &'static str,
        help: &'static str,
        field: &'static dyn OptionField,
    ) -> Self {
        Self {
            name,
            short: None,
            value,
            help,
            variable: None,
            bare: None,
            excludes: &[],
            requires: None,
            field,
        }
    }

    /// A flag without a value.
    pub(super) const fn switch(
        name: &'static str,
        help: &'static str,
        field: &'static dyn OptionField,
    ) -> Self {
        Self::flag(name, "", help, field)
    }

    /// The short form of the flag.
    pub(super) const fn short(self, short: char) -> Self {
        Self { short: Some(short), ..self }
    }

    /// The variable that fills it, too.
    pub(super) const fn variable(self, name: &'static str) -> Self {
        Self { variable: Some(name), ..self }
    }

    /// What the flag stands for without a value.
    pub(super) const fn bare(self, value: &'static str) -> Self {
        Self { bare: Some(value), ..self }
    }

    /// Flags that cannot be given with it.
    pub(super) const fn excludes(self, flags: &'static [&'static str]) -> Self {
        Self { excludes: flags, ..self }
    }

    /// A flag that must be given with it.
    pub(super) const fn requires(self, flag: &'static str) -> Self {
        Self { requires: Some(flag), ..self }
    }

    /// Fills the option from the text of its variable; the suites are a list, separated as `PATH` is.
    pub fn fill_from_variable(&self, options: &mut RunOptions, text: &str) -> Result<(), String> {
        if self.name == SUITES {
            options.paths = std::env::split_paths(text).collect();
            return Ok(());
        }
        self.field.fill(options, OsStr::new(text))
    }

    /// True of what is named by its place, not by a flag.
    pub fn is_positional(&self) -> bool {
        self.name == SUITES
    }
}
