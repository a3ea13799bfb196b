//! The command line as written: its commands. Each command's own flags are in its file.

use clap::{Parser, Subcommand, ValueEnum};

use crate::app::settings::variables::OTHER_VARIABLES;
use crate::cli::check::CheckArgs;
use crate::cli::compare::CompareArgs;
use crate::cli::completions::CompletionArgs;
use crate::cli::doctor::DoctorArgs;
use crate::cli::init::InitArgs;
use crate::cli::list::ListArgs;
use crate::cli::merge::MergeArgs;
use crate::cli::mock::MockArgs;
use crate::cli::record::RecordArgs;
use crate::cli::report::ReportArgs;
use crate::cli::run::RunArgs;
use crate::cli::runs::RunsArgs;
use crate::cli::schema::SchemaArgs;
use crate::cli::snapshot::SnapshotArgs;

/// Help shows what every command takes behind what is its own.
const LAST: usize = 900;

/// Regression tests for LLM workflows on Dify.
#[derive(Debug, Parser)]
#[command(name = "flowproof", version, about, max_term_width = 100, disable_help_subcommand = true)]
#[command(after_help = "Start with `flowproof run`: it runs the suites in `suites/` on the built-in mock.")]
pub struct CommandLine {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// When to use colour.
    #[arg(long, global = true, display_order = LAST, value_name = "WHEN", default_value = "auto")]
    pub color: ColorWhen,
    /// The only environment variables that the project file and suites may read, whatever they list [env: FLOWPROOF_ENV_NAMES].
    #[arg(long, global = true, display_order = LAST, value_name = "A,B")]
    pub env_names: Option<String>,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ColorWhen {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run suites and write reports.
    #[command(
        after_help = with_variables("Examples:\n  flowproof run\n  flowproof run suites/support.yaml --tag smoke --target staging\n  flowproof run -f refund --fail-fast")
    )]
    Run(Box<RunArgs>),
    /// Run suites against a live target and record every exchange: `run --record MODE`.
    #[command(after_help = with_variables("Example:\n  flowproof record once --target staging"))]
    Record(Box<RecordArgs>),
    /// List the tests, with tags and places.
    #[command(after_help = "Example:\n  flowproof list --tag smoke --format json")]
    List(ListArgs),
    /// Load everything and list every problem; sends nothing.
    #[command(after_help = "Examples:\n  flowproof check suites/\n  flowproof check --against staging")]
    Check(CheckArgs),
    /// Serve the suites' answers as a Dify on 127.0.0.1.
    #[command(
        after_help = "Examples:\n  flowproof mock --port 5001\n  flowproof mock --fault drop_after:3\n  flowproof mock --fault http_429:1s,times=2 --fault one_byte_chunks"
    )]
    Mock(MockArgs),
    /// Write flowproof.yaml and a first suite: an example, or for a live app; overwrites nothing.
    #[command(
        after_help = "Examples:\n  flowproof init\n  flowproof init --base-url https://api.dify.ai/v1 --api-key-env DIFY_API_KEY\n  flowproof init staging --app triage"
    )]
    Init(InitArgs),
    /// Look at a live target: address, TLS, key, app, version, clock; runs nothing.
    #[command(after_help = "Example:\n  flowproof doctor staging")]
    Doctor(DoctorArgs),
    /// Say what changed between two runs of the same tests, or two versions run now, and whether it is more than noise.
    #[command(
        after_help = "Examples:\n  flowproof compare baseline.jsonl latest\n  flowproof compare baseline.jsonl latest --worse-by tokens=10% --max-changed 5%\n  flowproof compare staging@7c3e33d4-2a8b-4e5f-9b1a-d3c6e8f12345 staging --repeat 5"
    )]
    Compare(Box<CompareArgs>),
    /// Write any report of a run that was recorded, or judge it again.
    #[command(
        after_help = "Examples:\n  flowproof report latest -o junit.xml -o report.json\n  flowproof report latest --gate"
    )]
    Report(ReportArgs),
    /// Join shards and re-runs of one plan to one run; the newest result of a test counts.
    #[command(
        after_help = "Examples:\n  flowproof merge shards/\n  flowproof merge shard-1.jsonl shard-2.jsonl --partial"
    )]
    Merge(MergeArgs),
    /// List, show, prune and export the runs that were recorded.
    #[command(
        after_help = "Examples:\n  flowproof runs list\n  flowproof runs export latest -o shard-1.jsonl"
    )]
    Runs(RunsArgs),
    /// Approve or reject what workflows answered; list and prune what was approved.
    #[command(after_help = "Examples:\n  flowproof snapshot review\n  flowproof snapshot accept --all")]
    Snapshot(SnapshotArgs),
    /// Print the JSON Schema of a file format, for editors.
    #[command(after_help = "Example:\n  flowproof schema suite > suite.schema.json")]
    Schema(SchemaArgs),
    /// Print a shell's completion script.
    #[command(
        after_help = "Example:\n  flowproof completions bash > ~/.local/share/bash-completion/completions/flowproof"
    )]
    Completions(CompletionArgs),
}

/// The examples, then the variables that no flag names.
fn with_variables(examples: &str) -> String {
    let others = OTHER_VARIABLES.iter().filter(|variable| variable.flag.is_none());
    let lines = others.map(|variable| format!("\n  {}: {}", variable.name, variable.help));
    format!("{examples}\n\nEnvironment, besides the variables of flags:{}", lines.collect::<String>())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::CommandFactory;

    use super::*;
    use crate::app::settings::variables::variable_names;

    #[test]
    fn the_help_of_a_run_names_each_variable_and_no_other() {
        let name = regex::Regex::new(r"\bFLOWPROOF_[A-Z_]*[A-Z]\b").unwrap();
        let mut line = CommandLine::command();
        line.build();
        for command in ["run", "record"] {
            let help = line.find_subcommand_mut(command).unwrap().render_long_help().to_string();
            let named: BTreeSet<&str> = name.find_iter(&help).map(|found| found.as_str()).collect();
            assert_eq!(named, variable_names().collect(), "{command}");
        }
    }

    #[test]
    fn no_flag_takes_a_value_only_perhaps_unless_it_follows_an_equals_sign() {
        for command in CommandLine::command().get_subcommands() {
            for flag in command.get_opts() {
                let may_be_bare = flag.get_num_args().is_some_and(|count| count.min_values() == 0);
                let bare = may_be_bare && flag.get_action().takes_values();
                assert!(!bare || flag.is_require_equals_set(), "{} {}", command.get_name(), flag.get_id());
            }
        }
    }
}
