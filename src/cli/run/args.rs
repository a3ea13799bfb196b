//! The flags of `flowproof run`, and what they ask for.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::app::ResumeRequest;
use crate::app::{RunOptions, ShardChoice};
use crate::base::repeat::{RepeatRange, parse_times};
use crate::base::units::{RequestRate, parse_limit, parse_rate};
use crate::cli::args::SelectionArgs;
use crate::cli::exit::NoTestsChoice;
use crate::cli::record::CassetteArgs;
use crate::cli::run::budget::BudgetArgs;
use crate::plan::choices::RunOrder;
use crate::plan::shard::Shard;
use crate::record::event::ContinuationReason;

/// `--shuffle` without a seed.
const RANDOM: &str = "random";

/// `flowproof run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Which tests.
    #[command(flatten)]
    pub selection: SelectionArgs,
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
    pub rate: Option<RequestRate>,
    /// Run each test so often, or until it is decided, such as `3..40`.
    #[arg(long, value_name = "N|MIN..MAX", value_parser = parse_times)]
    pub repeat: Option<RepeatRange>,
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
    /// The run's budget.
    #[command(flatten)]
    pub budget: BudgetArgs,
    /// Print what would be sent, and what earlier runs say it will use; send and write nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Run in random order, or as `--shuffle=7` in that of a seed; the seed is printed.
    #[arg(long, value_name = "SEED", num_args = 0..=1, require_equals = true, default_missing_value = RANDOM)]
    pub shuffle: Option<String>,
    /// Run only so many tests, drawn at random.
    #[arg(long, value_name = "N")]
    pub sample: Option<usize>,
    /// Run only this share of the tests, such as `2/4`; `auto` asks the build server's environment.
    #[arg(long, value_name = "I/N", value_parser = parse_shard)]
    pub shard: Option<ShardChoice>,
    /// Balance the shards by the durations of this run; all shards must name the same one.
    #[arg(long, value_name = "RUN", requires = "shard")]
    pub shard_by: Option<String>,
    /// Go on with this run: send what has no result yet; `latest` names the last one.
    #[arg(long, value_name = "RUN", conflicts_with_all = ["rerun", "sample", "shuffle", "shard"])]
    pub resume: Option<String>,
    /// As `--resume`, and run the tests again that failed or errored; the newest result of a test counts.
    #[arg(long, value_name = "RUN", conflicts_with_all = ["sample", "shuffle", "shard"])]
    pub rerun: Option<String>,
    /// The seed of `--sample`, `--shuffle` and of retry delays.
    #[arg(long, value_name = "S")]
    pub seed: Option<u64>,
    /// Recording and replaying.
    #[command(flatten)]
    pub cassettes: CassetteArgs,
    /// Also write the report to this file; the kind comes from its ending (.xml, .json, .html, .md, .tap, .csv).
    #[arg(short, long = "output", value_name = "FILE")]
    pub output: Vec<PathBuf>,
    /// Folder of the reports [default: the project's, else `reports`].
    #[arg(long, value_name = "DIR")]
    pub reports: Option<PathBuf>,
    /// What to do when no test was run [default: fail].
    #[arg(long, value_name = "HOW")]
    pub no_tests: Option<NoTestsChoice>,
    /// Show the assertions that held, too.
    #[arg(short, long)]
    pub verbose: bool,
    /// Show failures and totals only.
    #[arg(short, long, conflicts_with = "verbose")]
    pub quiet: bool,
}

impl RunArgs {
    /// What the flags ask for; an error names the flag.
    pub fn request(&self) -> Result<RunOptions, String> {
        let mut request = self.selection.request();
        request.selection.sample = self.sample;
        request.seed = self.seed;
        if let Some(seed) = &self.shuffle {
            request.selection.order = RunOrder::Shuffled;
            if seed != RANDOM {
                let seed = seed
                    .parse()
                    .map_err(|_| format!("--shuffle: `{seed}` is not a seed; write a whole number"))?;
                request.seed = Some(seed);
            }
        }
        Ok(RunOptions {
            shard: self.shard.clone(),
            shard_by: self.shard_by.clone(),
            target: self.target.clone(),
            profile: self.profile.clone(),
            workflow_id: self.workflow_id.clone(),
            concurrency: self.concurrency,
            rate: self.rate,
            repeat: self.repeat,
            retries: self.retries,
            timeout: self.timeout,
            budget: self.budget.choice()?,
            reports: self.reports.clone(),
            no_tests: self.no_tests.map(Into::into),
            cassettes: self.cassettes.of_run()?,
            again: self.again(),
            ..request
        })
    }
}

/// Reads `I/N` or `auto`.
fn parse_shard(text: &str) -> Result<ShardChoice, String> {
    if text == "auto" { Ok(ShardChoice::Auto) } else { Shard::parse(text).map(ShardChoice::Is) }
}

impl RunArgs {
    fn again(&self) -> Option<ResumeRequest> {
        let again = |how| move |run: &String| ResumeRequest { how, run: run.clone() };
        let rerun = self.rerun.as_ref().map(again(ContinuationReason::Rerun));
        rerun.or_else(|| self.resume.as_ref().map(again(ContinuationReason::Resumed)))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::args::{Command, CommandLine};

    fn shuffled(words: &[&str]) -> (Vec<PathBuf>, Option<u64>) {
        let line = ["flowproof", "run"].iter().chain(words);
        let Command::Run(args) = CommandLine::try_parse_from(line).unwrap().command else {
            panic!("not `run`")
        };
        let request = args.request().unwrap();
        assert_eq!(request.selection.order, RunOrder::Shuffled);
        (request.paths, request.seed)
    }

    #[test]
    fn a_path_after_shuffle_is_a_path() {
        assert_eq!(shuffled(&["--shuffle", "suites/x.yaml"]), (vec![PathBuf::from("suites/x.yaml")], None));
        assert_eq!(shuffled(&["--shuffle=7", "a"]), (vec![PathBuf::from("a")], Some(7)));
        assert_eq!(shuffled(&["a", "--shuffle"]), (vec![PathBuf::from("a")], None));
    }
}
