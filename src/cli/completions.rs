//! `flowproof completions SHELL`.

use clap::{Args, Command};

use crate::cli::exit::Exit;
use crate::cli::say;

/// `flowproof completions`.
#[derive(Debug, Args)]
pub struct CompletionArgs {
    /// Which shell.
    pub shell: clap_complete::Shell,
}

/// Prints the completion script of a shell.
pub fn completions(args: &CompletionArgs, mut line: Command) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut line, "flowproof", &mut script);
    say::verbatim(&script)
}
