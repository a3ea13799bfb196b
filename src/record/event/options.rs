//! What a run is asked for. Flags and the environment fill it, the journal keeps it, and a run that goes on starts from it again.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::repeat::RepeatRange;
use crate::base::units::{Money, RequestRate};
use crate::dify::cassette::{Mode, Speed};
use crate::record::event::stored_options::{amounts, milliseconds, paths, per_second, repeats};

/// The options of a run.
///
/// Which flag and which variable fill a field is written in `app/options/table`. A field that is skipped here is not in the
/// journal: it is of one process only, or the beginning of the run tells it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunOptions {
    /// The target; `None`: the project's default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The profile; `None`: `default`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// Suites: files or folders, as they were named; empty: the project's.
    #[serde(with = "paths", skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<PathBuf>,
    /// True where suites may name files outside the suites folder.
    pub outside: bool,
    /// A full name must match one of them, if there are any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub filters: Vec<String>,
    /// True where a filter must equal the full name; otherwise the name contains it.
    pub exact: bool,
    /// A test must have one of these tags, if there are any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// A test may have none of these tags.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub skip_tags: Vec<String>,
    /// At most this many tests, drawn at random.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample: Option<usize>,
    /// The published version to run, of every app.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workflow_id: Option<String>,
    /// How often each test runs.
    #[serde(with = "repeats", skip_serializing_if = "Option::is_none")]
    pub repeat: Option<RepeatRange>,
    /// Infrastructure retries of each attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retries: Option<u32>,
    /// Limit of a whole attempt.
    #[serde(rename = "timeout_ms", with = "milliseconds", skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Duration>,
    /// Attempts at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<u32>,
    /// Requests begun per second.
    #[serde(with = "per_second", skip_serializing_if = "Option::is_none")]
    pub rate: Option<RequestRate>,
    /// Tokens that the whole run may use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget_tokens: Option<u64>,
    /// What the whole run may cost, an amount in each currency.
    #[serde(with = "amounts", skip_serializing_if = "Vec::is_empty")]
    pub budget_cost: Vec<Money>,
    /// How long the whole run may last.
    #[serde(rename = "max_time_ms", with = "milliseconds", skip_serializing_if = "Option::is_none")]
    pub max_time: Option<Duration>,
    /// What to do when no test was run; `None`: it is a failure.
    #[serde(skip_serializing_if = "is_failure")]
    pub no_tests: Option<NoTests>,
    /// What is sent and recorded, where cassettes are asked for.
    #[serde(skip)]
    pub record: Option<Mode>,
    /// How fast recorded answers come, where nothing is to be sent.
    #[serde(skip)]
    pub replay: Option<Speed>,
    /// Random order; `None`: in the order of files and tests.
    #[serde(skip)]
    pub shuffle: Option<ShuffleSeed>,
    /// The seed of everything drawn; `None`: it is drawn itself.
    #[serde(skip)]
    pub seed: Option<u64>,
    /// Which share of the tests.
    #[serde(skip)]
    pub shard: Option<ShardChoice>,
    /// The run whose durations balance the shares.
    #[serde(skip)]
    pub shard_by: Option<String>,
    /// The run to continue with the tests that have not finished.
    #[serde(skip)]
    pub resume: Option<String>,
    /// The run to continue, its red tests too.
    #[serde(skip)]
    pub rerun: Option<String>,
    /// True where no test starts after the first red one.
    #[serde(skip)]
    pub fail_fast: bool,
    /// No test starts after this many red ones.
    #[serde(skip)]
    pub max_fail: Option<u32>,
    /// Folder of the reports.
    #[serde(skip)]
    pub reports: Option<PathBuf>,
    /// The full name of the one test that is wanted: only its suite is loaded.
    #[serde(skip)]
    pub only: Option<String>,
}

/// The seed of a random order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShuffleSeed {
    /// That of the run.
    OfRun,
    /// This one, for everything else that is drawn, too.
    Given(u64),
}

/// Which share of the tests is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShardChoice {
    /// That which the build server says.
    Auto,
    /// This one.
    Share {
        /// Which, from 1.
        index: u32,
        /// How many there are.
        total: u32,
    },
}

/// What to do when no test was run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoTests {
    /// It is a failure.
    #[default]
    Fail,
    /// It is said, and is no failure.
    Warn,
    /// It is no failure.
    Pass,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_failure(choice: &Option<NoTests>) -> bool {
    choice.unwrap_or_default() == NoTests::Fail
}

impl RunOptions {
    /// The seed that is named: that of `--shuffle`, else that of `--seed`.
    pub fn named_seed(&self) -> Option<u64> {
        match self.shuffle {
            Some(ShuffleSeed::Given(seed)) => Some(seed),
            Some(ShuffleSeed::OfRun) | None => self.seed,
        }
    }

    /// True of a run that continues another one.
    pub fn continues(&self) -> bool {
        self.resume.is_some() || self.rerun.is_some()
    }

    /// True where a journal would keep the same of both.
    pub fn is_stored_like(&self, other: &Self) -> bool {
        match (serde_json::to_value(self), serde_json::to_value(other)) {
            (Ok(one), Ok(two)) => one == two,
            (Err(_), _) | (_, Err(_)) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(options: &RunOptions) -> String {
        serde_json::to_string(options).unwrap()
    }

    #[test]
    fn a_journal_keeps_what_it_always_kept() {
        assert_eq!(stored(&RunOptions::default()), r#"{"outside":false,"exact":false}"#);
        let text = concat!(
            r#"{"target":"staging","profile":"ci","paths":["suites/a.yaml"],"outside":true,"filters":["refund"],"#,
            r#""exact":true,"tags":["smoke"],"skip_tags":["slow"],"sample":7,"workflow_id":"w","repeat":"3..40","#,
            r#""retries":2,"timeout_ms":90000,"concurrency":8,"rate":2.5,"budget_tokens":400000,"#,
            r#""budget_cost":["3.00 USD","1 EUR"],"max_time_ms":1500000,"no_tests":"warn"}"#
        );
        let read: RunOptions = serde_json::from_str(text).unwrap();
        assert_eq!(read.repeat, Some(RepeatRange::Until { min: 3, max: 40 }));
        assert_eq!(read.timeout, Some(Duration::from_secs(90)));
        assert_eq!(read.rate, Some(RequestRate { per_second: 2.5 }));
        assert_eq!(read.budget_cost.len(), 2);
        assert_eq!(read.no_tests, Some(NoTests::Warn));
        assert_eq!(stored(&read), text);
    }

    #[test]
    fn what_earlier_versions_stored_is_read_and_written_as_it_was() {
        let journal = include_str!("../../../tests/data/journal/2.jsonl");
        let first: serde_json::Value = serde_json::from_str(journal.lines().next().unwrap()).unwrap();
        let asked = &first["run_started"]["asked"];
        let read: RunOptions = serde_json::from_value(asked.clone()).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), *asked);
    }

    #[test]
    fn a_rate_that_cannot_be_kept_was_not_asked_for() {
        for rate in ["0", "-1.0", "1e-300"] {
            let text = format!(r#"{{"rate":{rate},"retries":1}}"#);
            let read: RunOptions = serde_json::from_str(&text).unwrap();
            assert_eq!((read.rate, read.retries), (None, Some(1)), "{rate}");
        }
    }

    #[test]
    fn what_is_of_one_process_is_not_kept() {
        let of_process = RunOptions {
            record: Some(Mode::All),
            replay: Some(Speed::RealTime),
            shuffle: Some(ShuffleSeed::Given(7)),
            seed: Some(7),
            shard: Some(ShardChoice::Auto),
            shard_by: Some("latest".to_owned()),
            resume: Some("latest".to_owned()),
            rerun: Some("latest".to_owned()),
            fail_fast: true,
            max_fail: Some(3),
            reports: Some(PathBuf::from("reports")),
            only: Some("a::b".to_owned()),
            no_tests: Some(NoTests::Fail),
            ..RunOptions::default()
        };
        assert_eq!(stored(&of_process), stored(&RunOptions::default()));
        assert!(of_process.is_stored_like(&RunOptions::default()));
        assert!(!of_process.is_stored_like(&RunOptions { retries: Some(0), ..RunOptions::default() }));
    }
}
