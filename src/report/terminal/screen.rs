//! How the output of a terminal looks: how much is shown, in colour or without, with a bar or without.

use std::io::{self, IsTerminal};

use anstream::{AutoStream, ColorChoice};

use crate::base::charset::Charset;
use crate::report::text::ColorUse;

/// How much is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verbosity {
    /// `-q`: failures and totals, at the end.
    Quiet,
    /// A line for each test.
    Normal,
    /// `-v`: also the assertions that hold.
    Verbose,
}

/// Whether a bar is drawn below the lines, on standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BarVisibility {
    /// On a terminal.
    Bar,
    /// In a pipe.
    None,
}

/// How the output looks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ScreenOptions {
    /// Colour or plain signs.
    pub ink: ColorUse,
    /// How much is shown.
    pub detail: Verbosity,
    /// Whether a bar is drawn.
    pub progress: BarVisibility,
}

/// Whether standard output is coloured: as `--color`, the environment and the terminal decide.
pub(crate) fn ink_of_stdout() -> ColorUse {
    match AutoStream::choice(&io::stdout()) {
        ColorChoice::Never => ColorUse::Plain,
        ColorChoice::Auto | ColorChoice::AlwaysAnsi | ColorChoice::Always => ColorUse::Colour,
    }
}

impl ScreenOptions {
    /// How standard output is to look: as `--color`, the environment and the terminal decide.
    pub fn of_stdout(detail: Verbosity) -> Self {
        let ink = ink_of_stdout();
        let screen = io::stdout().is_terminal() && io::stderr().is_terminal();
        Self {
            ink,
            detail,
            progress: if screen && detail != Verbosity::Quiet {
                BarVisibility::Bar
            } else {
                BarVisibility::None
            },
        }
    }

    /// Lines without colour and without a bar.
    pub(super) fn plain(detail: Verbosity) -> Self {
        Self { ink: ColorUse::Plain, detail, progress: BarVisibility::None }
    }
}

/// How a summary is printed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SummaryStyle {
    /// How much is shown.
    pub detail: Verbosity,
    /// The characters that may be printed.
    pub letters: Charset,
}
