//! The command line as written; `settings` and the project file fill in what it leaves open.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::base::units::{Rate, parse_limit, parse_rate};
use crate::cli::exit::NoTests;
use crate::cli::record::{CassetteArgs, RecordArgs};
use crate::cli::schema::SchemaArgs;
use crate::mock::fault::{FaultSpec, parse_fault};
use crate::plan::choices::{self, Matching, Order};
use crate::session::Request;
use crate::suite::load::Outside;

/// `--shuffle` without a seed.
const RANDOM: &str = "random";

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
    #[command(after_help = "Example:\n  flowproof check suites/")]
    Check(CheckArgs),
    /// Serve the suites' answers as a Dify on 127.0.0.1.
    #[command(
        after_help = "Examples:\n  flowproof mock --port 5001\n  flowproof mock --fault drop_after:3\n  flowproof mock --fault http_429:1s,times=2 --fault one_byte_chunks"
    )]
    Mock(MockArgs),
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
pub struct Selection {
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

impl Selection {
    /// The selected tests of the default target.
    pub fn request(&self) -> Request {
        Request {
            paths: self.paths.clone(),
            outside: self.allow_outside.then_some(Outside::Allowed),
            selection: choices::Selection {
                filters: self.filter.clone(),
                matching: if self.exact { Matching::Exact } else { Matching::Substring },
                tags: self.tags.clone(),
                skip_tags: self.skip_tags.clone(),
                sample: None,
                order: Order::Written,
            },
            ..Request::default()
        }
    }
}

/// `flowproof run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Which tests.
    #[command(flatten)]
    pub selection: Selection,
    /// Where to run: a target of the project file, or `mock`.
    #[arg(long, value_name = "NAME")]
    pub target: Option<String>,
    /// Which profile of the project file.
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// Run this published version of the workflow.
    #[arg(long, value_name = "ID")]
    pub workflow_id: Option<String>,
    /// Attempts at once.
    #[arg(short = 'j', long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub concurrency: Option<u32>,
    /// Requests begun at most, such as `5/s`.
    #[arg(long, value_name = "RATE", value_parser = parse_rate)]
    pub rate: Option<Rate>,
    /// Run each test so often.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub repeat: Option<u32>,
    /// Infrastructure retries of each attempt; a failed assertion is never retried.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=100))]
    pub retries: Option<u32>,
    /// Limit of a whole attempt, such as `90s`.
    #[arg(long, value_name = "D", value_parser = parse_limit)]
    pub timeout: Option<Duration>,
    /// Start no new test after the first red one.
    #[arg(long)]
    pub fail_fast: bool,
    /// Start no new test after so many red ones.
    #[arg(long, value_name = "N", conflicts_with = "fail_fast", value_parser = clap::value_parser!(u32).range(1..))]
    pub max_fail: Option<u32>,
    /// Run in random order, or as `--shuffle=7` in that of a seed; the seed is printed.
    #[arg(long, value_name = "SEED", num_args = 0..=1, require_equals = true, default_missing_value = RANDOM)]
    pub shuffle: Option<String>,
    /// Run only so many tests, drawn at random.
    #[arg(long, value_name = "N")]
    pub sample: Option<usize>,
    /// The seed of `--sample`, `--shuffle` and of retry delays.
    #[arg(long, value_name = "S")]
    pub seed: Option<u64>,
    /// Recording and replaying.
    #[command(flatten)]
    pub cassettes: CassetteArgs,
    /// Also write the report to this file; the kind comes from its ending (.xml, .json).
    #[arg(short, long = "output", value_name = "FILE")]
    pub output: Vec<PathBuf>,
    /// Folder of the reports [default: the project's, else `reports`].
    #[arg(long, value_name = "DIR")]
    pub reports: Option<PathBuf>,
    /// What to do when no test was run.
    #[arg(long, value_name = "HOW", default_value = "fail")]
    pub no_tests: NoTests,
    /// Show the assertions that held, too.
    #[arg(short, long)]
    pub verbose: bool,
    /// Show failures and totals only.
    #[arg(short, long, conflicts_with = "verbose")]
    pub quiet: bool,
}

impl RunArgs {
    /// What the flags ask for; an error names the flag.
    pub fn request(&self) -> Result<Request, String> {
        let mut request = self.selection.request();
        request.selection.sample = self.sample;
        request.seed = self.seed;
        if let Some(seed) = &self.shuffle {
            request.selection.order = Order::Shuffled;
            if seed != RANDOM {
                let seed = seed
                    .parse()
                    .map_err(|_| format!("--shuffle: `{seed}` is not a seed; write a whole number"))?;
                request.seed = Some(seed);
            }
        }
        Ok(Request {
            target: self.target.clone(),
            profile: self.profile.clone(),
            workflow_id: self.workflow_id.clone(),
            concurrency: self.concurrency,
            rate: self.rate,
            repeat: self.repeat,
            retries: self.retries,
            timeout: self.timeout,
            reports: self.reports.clone(),
            cassettes: self.cassettes.of_run()?,
            ..request
        })
    }
}

/// `flowproof list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Which tests.
    #[command(flatten)]
    pub selection: Selection,
    /// How to list them.
    #[arg(long, value_name = "FORMAT", default_value = "pretty")]
    pub format: ListFormat,
}

/// How tests are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ListFormat {
    /// Name, tags and place, aligned.
    Pretty,
    /// One `name: test` a line, as libtest does.
    Terse,
    /// One JSON array.
    Json,
}

/// `flowproof check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Suites: files or folders [default: the project's, else `suites`].
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Let suites name files outside the suites folder.
    #[arg(long)]
    pub allow_outside: bool,
}

impl CheckArgs {
    /// All tests of these suites.
    pub fn request(&self) -> Request {
        on_mock(&self.paths, self.allow_outside.then_some(Outside::Allowed))
    }
}

/// `flowproof mock`.
#[derive(Debug, Args)]
pub struct MockArgs {
    /// Suites: files or folders [default: the project's, else `suites`].
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Port on 127.0.0.1; 0 takes a free one.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub port: u16,
    /// Let nodes take their `elapsed` time, so that runs can be watched and stopped.
    #[arg(long)]
    pub real_time: bool,
    /// What goes wrong with every run, such as `http_500`, `drop_after:3` or `http_429,times=2`; repeatable.
    #[arg(long = "fault", value_name = "FAULT", value_parser = parse_fault)]
    pub faults: Vec<FaultSpec>,
    /// Let suites name files outside the suites folder.
    #[arg(long)]
    pub allow_outside: bool,
}

impl MockArgs {
    /// All tests of these suites.
    pub fn request(&self) -> Request {
        on_mock(&self.paths, self.allow_outside.then_some(Outside::Allowed))
    }
}

fn on_mock(paths: &[PathBuf], outside: Option<Outside>) -> Request {
    Request { paths: paths.to_vec(), outside, target: Some("mock".to_owned()), ..Request::default() }
}

/// `flowproof completions`.
#[derive(Debug, Args)]
pub struct CompletionArgs {
    /// Which shell.
    pub shell: clap_complete::Shell,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shuffled(words: &[&str]) -> (Vec<PathBuf>, Option<u64>) {
        let line = ["flowproof", "run"].iter().chain(words);
        let Command::Run(args) = CommandLine::try_parse_from(line).unwrap().command else {
            panic!("not `run`")
        };
        let request = args.request().unwrap();
        assert_eq!(request.selection.order, Order::Shuffled);
        (request.paths, request.seed)
    }

    #[test]
    fn a_path_after_shuffle_is_a_path() {
        assert_eq!(shuffled(&["--shuffle", "suites/x.yaml"]), (vec![PathBuf::from("suites/x.yaml")], None));
        assert_eq!(shuffled(&["--shuffle=7", "a"]), (vec![PathBuf::from("a")], Some(7)));
        assert_eq!(shuffled(&["a", "--shuffle"]), (vec![PathBuf::from("a")], None));
    }

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
