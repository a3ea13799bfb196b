//! How text fills an option, wherever the text comes from.

use std::ffi::OsStr;

use crate::record::event::RunOptions;

/// One option: a field of `RunOptions`, and how its text is read.
pub trait OptionField: Sync {
    /// Fills the option; an error says what is wrong with the text.
    fn fill(&self, options: &mut RunOptions, text: &OsStr) -> Result<(), String>;

    /// True where the option was given.
    fn is_set(&self, options: &mut RunOptions) -> bool;

    /// Takes the option from `below` where `above` has none.
    fn take_from_below(&self, above: &mut RunOptions, below: &mut RunOptions);

    /// The words that it takes, where these are a few.
    fn words(&self) -> Vec<OptionWord> {
        Vec::new()
    }

    /// What the option takes.
    fn arity(&self) -> OptionArity {
        OptionArity::Once
    }
}

/// What an option takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OptionArity {
    /// Nothing.
    Nothing,
    /// One value.
    Once,
    /// Any number of values.
    Repeated,
}

/// A word that an option takes.
#[derive(Debug, Clone, Copy)]
pub struct OptionWord {
    /// The word.
    pub word: &'static str,
    /// Another spelling, which help does not show.
    pub alias: Option<&'static str>,
    /// What it means.
    pub help: &'static str,
}

/// An option that is on or off.
pub struct SwitchOption {
    /// The field.
    pub of: fn(&mut RunOptions) -> &mut bool,
}

impl OptionField for SwitchOption {
    fn fill(&self, options: &mut RunOptions, _: &OsStr) -> Result<(), String> {
        *(self.of)(options) = true;
        Ok(())
    }

    fn is_set(&self, options: &mut RunOptions) -> bool {
        *(self.of)(options)
    }

    fn take_from_below(&self, above: &mut RunOptions, below: &mut RunOptions) {
        *(self.of)(above) |= *(self.of)(below);
    }

    fn arity(&self) -> OptionArity {
        OptionArity::Nothing
    }
}

/// An option with one value.
pub struct ValueOption<T: 'static> {
    /// The field.
    pub of: fn(&mut RunOptions) -> &mut Option<T>,
    /// Reads the value.
    pub read: fn(&OsStr) -> Result<T, String>,
}

impl<T> OptionField for ValueOption<T> {
    fn fill(&self, options: &mut RunOptions, text: &OsStr) -> Result<(), String> {
        *(self.of)(options) = Some((self.read)(text)?);
        Ok(())
    }

    fn is_set(&self, options: &mut RunOptions) -> bool {
        (self.of)(options).is_some()
    }

    fn take_from_below(&self, above: &mut RunOptions, below: &mut RunOptions) {
        take_missing((self.of)(above), (self.of)(below));
    }
}

/// Takes a value from below where there is none above.
fn take_missing<T>(above: &mut Option<T>, below: &mut Option<T>) {
    if above.is_none() {
        *above = below.take();
    }
}

/// An option with any number of values. Values from below count only where there are none above.
pub struct ListOption<T: 'static> {
    /// The field.
    pub of: fn(&mut RunOptions) -> &mut Vec<T>,
    /// Reads a value that follows earlier ones.
    pub read: fn(&OsStr, earlier: &[T]) -> Result<T, String>,
}

impl<T> OptionField for ListOption<T> {
    fn fill(&self, options: &mut RunOptions, text: &OsStr) -> Result<(), String> {
        let values = (self.of)(options);
        let value = (self.read)(text, values)?;
        values.push(value);
        Ok(())
    }

    fn is_set(&self, options: &mut RunOptions) -> bool {
        !(self.of)(options).is_empty()
    }

    fn take_from_below(&self, above: &mut RunOptions, below: &mut RunOptions) {
        let above = (self.of)(above);
        if above.is_empty() {
            *above = std::mem::take((self.of)(below));
        }
    }

    fn arity(&self) -> OptionArity {
        OptionArity::Repeated
    }
}

/// An option that is one of a few words.
pub struct WordOption<T: 'static> {
    /// The field.
    pub of: fn(&mut RunOptions) -> &mut Option<T>,
    /// The words and what each stands for.
    pub words: &'static [WordMeaning<T>],
}

/// What a word of an option stands for.
pub struct WordMeaning<T> {
    /// The word.
    pub word: OptionWord,
    /// What it stands for.
    pub value: T,
}

impl<T: Copy + Sync> OptionField for WordOption<T> {
    fn fill(&self, options: &mut RunOptions, text: &OsStr) -> Result<(), String> {
        let text = utf8(text)?;
        let is_it = |meaning: &&WordMeaning<T>| meaning.word.word == text || meaning.word.alias == Some(text);
        let Some(meaning) = self.words.iter().find(is_it) else {
            let words: Vec<&str> = self.words.iter().map(|meaning| meaning.word.word).collect();
            return Err(format!("`{text}` is none of {}", words.join(", ")));
        };
        *(self.of)(options) = Some(meaning.value);
        Ok(())
    }

    fn is_set(&self, options: &mut RunOptions) -> bool {
        (self.of)(options).is_some()
    }

    fn take_from_below(&self, above: &mut RunOptions, below: &mut RunOptions) {
        take_missing((self.of)(above), (self.of)(below));
    }

    fn words(&self) -> Vec<OptionWord> {
        self.words.iter().map(|meaning| meaning.word).collect()
    }
}

/// The text of a value that is no path.
pub fn utf8(text: &OsStr) -> Result<&str, String> {
    text.to_str().ok_or_else(|| format!("`{}` is not UTF-8", text.to_string_lossy()))
}
