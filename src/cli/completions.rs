//! `flowproof completions SHELL`.

use clap::{Args, CommandFactory};

use crate::cli::args::CommandLine;
use crate::cli::exit::Exit;
use crate::cli::say;

/// `flowproof completions`.
#[derive(Debug, Args)]
pub struct CompletionArgs {
    /// Which shell.
    pub shell: clap_complete::Shell,
}

/// Prints the completion script of a shell.
pub fn completions(args: &CompletionArgs) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut CommandLine::command(), "flowproof", &mut script);
    say::verbatim(&script)
}
