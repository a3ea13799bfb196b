//! The command line as written: its commands, and what several of them share. Each command's own flags stand in its file.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::app::RunOptions;
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
use crate::plan::choices::{self, FilterMatching, RunOrder};
use crate::suite::load::OutsidePaths;

/// Regression tests for LLM workflows on Dify.
#[derive(Debug, Parser)]
#[command(name = "flowproof", version, about, max_term_width = 100, disable_help_subcommand = true)]
#[command(after_help = "Start with `flowproof run`: it runs the suites in `suites/` on the built-in mock.")]
pub struct CommandLine {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// When to use colour.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: ColorWhen,
    /// The only environment variables that the project file and suites may read, whatever they list; also `FLOWPROOF_ENV_NAMES`.
    #[arg(long, global = true, value_name = "A,B")]
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
        after_help = "Examples:\n  flowproof run\n  flowproof run suites/support.yaml --tag smoke --target staging\n  flowproof run -f refund --fail-fast"
    )]
    Run(Box<RunArgs>),
    /// Run suites against a live target and record every exchange: `run --record MODE`.
    #[command(after_help = "Example:\n  flowproof record once --target staging")]
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

/// Which tests, shared by the commands that choose some.
#[derive(Debug, Clone, Default, Args)]
pub struct SelectionArgs {
    /// Suites: files or folders [default: the project's, else `suites`].
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Only tests whose full name contains this; repeatable.
    #[arg(short, long = "filter", value_name = "EXPR")]
    pub filter: Vec<String>,
    /// Filters must equal the full name.
    #[arg(long)]
    pub exact: bool,
    /// Only tests with this tag; repeatable.
    #[arg(long = "tag", value_name = "T")]
    pub tags: Vec<String>,
    /// No tests with this tag; repeatable.
    #[arg(long = "skip-tag", value_name = "T")]
    pub skip_tags: Vec<String>,
    /// Let suites name files outside the suites folder.
    #[arg(long)]
    pub allow_outside: bool,
}

impl SelectionArgs {
    /// The selected tests of the default target.
    pub fn request(&self) -> RunOptions {
        RunOptions {
            paths: self.paths.clone(),
            outside: self.allow_outside.then_some(OutsidePaths::Allowed),
            selection: choices::TestSelection {
                filters: self.filter.clone(),
                matching: if self.exact { FilterMatching::Exact } else { FilterMatching::Substring },
                tags: self.tags.clone(),
                skip_tags: self.skip_tags.clone(),
                sample: None,
                shard: None,
                order: RunOrder::Written,
            },
            ..RunOptions::default()
        }
    }
}

/// The tests of these suites, on the mock.
pub fn on_mock(paths: &[PathBuf], outside: Option<OutsidePaths>) -> RunOptions {
    RunOptions { paths: paths.to_vec(), outside, target: Some("mock".to_owned()), ..RunOptions::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_flag_takes_a_value_only_perhaps_unless_it_follows_an_equals_sign() {
        use clap::CommandFactory;
        for command in CommandLine::command().get_subcommands() {
            for flag in command.get_opts() {
                let may_be_bare = flag.get_num_args().is_some_and(|count| count.min_values() == 0);
                let bare = may_be_bare && flag.get_action().takes_values();
                assert!(!bare || flag.is_require_equals_set(), "{} {}", command.get_name(), flag.get_id());
            }
        }
    }
}
