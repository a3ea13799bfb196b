//! `flowproof completions SHELL`.

use clap::CommandFactory;

use crate::cli::args::{CommandLine, CompletionArgs};
use crate::cli::exit::Exit;
use crate::cli::say;

/// Prints the completion script of a shell.
pub fn completions(args: &CompletionArgs) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut CommandLine::command(), "flowproof", &mut script);
    say::bytes(&script)
}
