//! The flags of the options of a run, made of their table. A command takes those that it names.

use std::ffi::OsString;
use std::marker::PhantomData;

use clap::builder::{
    OsStringValueParser, PossibleValue, PossibleValuesParser, TypedValueParser, ValueParser,
};
use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, Error, FromArgMatches, ValueHint};

use crate::app::options::field::OptionArity;
use crate::app::options::row::OptionRow;
use crate::app::options::table::OPTIONS;
use crate::record::event::RunOptions;

/// Which options a command takes.
pub trait OptionSet {
    /// True of an option that it takes.
    fn has(row: &OptionRow) -> bool;
}

/// The suites, and whether they may name files outside.
#[derive(Debug, Clone, Copy)]
pub enum SuiteOptions {}

impl OptionSet for SuiteOptions {
    fn has(row: &OptionRow) -> bool {
        row.is_positional() || row.name == "allow-outside"
    }
}

/// Which tests.
#[derive(Debug, Clone, Copy)]
pub enum SelectionOptions {}

impl OptionSet for SelectionOptions {
    fn has(row: &OptionRow) -> bool {
        SuiteOptions::has(row) || ["filter", "exact", "tag", "skip-tag"].contains(&row.name)
    }
}

/// Every option of a run.
#[derive(Debug, Clone, Copy)]
pub enum AllOptions {}

impl OptionSet for AllOptions {
    fn has(_: &OptionRow) -> bool {
        true
    }
}

/// What the flags of a command say.
#[derive(Debug, Clone)]
pub struct OptionFlags<S> {
    /// The options that they fill.
    pub options: RunOptions,
    /// The flags that were given, as they are written.
    pub given: Vec<String>,
    set: PhantomData<S>,
}

impl<S: OptionSet> Args for OptionFlags<S> {
    fn augment_args(command: Command) -> Command {
        command.args(OPTIONS.iter().filter(|row| S::has(row)).map(argument))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<S: OptionSet> FromArgMatches for OptionFlags<S> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let mut flags = Self { options: RunOptions::default(), given: Vec::new(), set: PhantomData };
        flags.update_from_arg_matches(matches)?;
        Ok(flags)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        for row in OPTIONS.iter().filter(|row| S::has(row)) {
            for text in texts(row, matches) {
                row.field.fill(&mut self.options, &text).map_err(|error| {
                    Error::raw(ErrorKind::ValueValidation, format!("{}: {error}\n", written(row)))
                })?;
                self.given.push(written(row));
            }
        }
        Ok(())
    }
}

/// What was given for an option; a flag without a value is an empty text.
fn texts(row: &OptionRow, matches: &ArgMatches) -> Vec<OsString> {
    match row.field.arity() {
        OptionArity::Nothing => vec![OsString::new(); usize::from(matches.get_flag(row.name))],
        OptionArity::Once | OptionArity::Repeated => {
            matches.get_many::<OsString>(row.name).into_iter().flatten().cloned().collect()
        }
    }
}

/// The flag as it is written.
fn written(row: &OptionRow) -> String {
    if row.is_positional() { row.name.to_owned() } else { format!("--{}", row.name) }
}

/// The same as clap's.
fn argument(row: &'static OptionRow) -> Arg {
    let mut argument = Arg::new(row.name).help(help_of(row)).conflicts_with_all(row.excludes);
    if !row.is_positional() {
        argument = argument.long(row.name);
    }
    if let Some(short) = row.short {
        argument = argument.short(short);
    }
    if let Some(flag) = row.requires {
        argument = argument.requires(flag);
    }
    if let Some(value) = row.bare {
        argument = argument.num_args(0..=1).require_equals(true).default_missing_value(value);
    }
    if ["PATH", "DIR"].contains(&row.value) {
        argument = argument.value_hint(ValueHint::AnyPath);
    }
    match row.field.arity() {
        OptionArity::Nothing => argument.action(ArgAction::SetTrue),
        OptionArity::Once => argument.value_name(row.value).value_parser(reader(row)),
        OptionArity::Repeated if row.is_positional() => {
            argument.value_name(row.value).value_parser(reader(row)).num_args(1..).action(ArgAction::Append)
        }
        OptionArity::Repeated => {
            argument.value_name(row.value).value_parser(reader(row)).action(ArgAction::Append)
        }
    }
}

/// Says what an option means, and which variable it has.
fn help_of(row: &OptionRow) -> String {
    match row.variable {
        Some(variable) => format!("{} [env: {variable}]", row.help),
        None => row.help.to_owned(),
    }
}

/// Reads each value alone, so that the message names the flag and the value.
pub fn reader(row: &'static OptionRow) -> ValueParser {
    let check = |text: OsString| row.field.fill(&mut RunOptions::default(), &text).map(|()| text);
    let words = row.field.words();
    if words.is_empty() {
        return OsStringValueParser::new().try_map(check).into();
    }
    let words = words.into_iter().map(|word| {
        let value = PossibleValue::new(word.word).help(word.help);
        match word.alias {
            Some(alias) => value.alias(alias),
            None => value,
        }
    });
    PossibleValuesParser::new(words).try_map(move |text| check(text.into())).into()
}
