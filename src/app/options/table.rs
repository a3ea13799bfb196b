//! Which flag and which variable fill each option of a run.

use crate::app::options::field::{
    ListOption, OptionWord, SwitchOption, ValueOption, WordMeaning, WordOption, utf8,
};
use crate::app::options::read::{
    RANDOM, limit, name, next_amount, number, path, shard, shuffle_seed, some_tokens, whole, with_unit,
};
use crate::app::options::row::{OptionRow, SUITES};
use crate::base::repeat::parse_times;
use crate::base::units::parse_rate;
use crate::base::workflow_id::parse_workflow_id;
use crate::dify::cassette::{Mode, Speed};
use crate::record::event::NoTests;

/// The row with this name.
pub fn row(name: &str) -> Option<&'static OptionRow> {
    OPTIONS.iter().find(|row| row.name == name)
}

/// Every option of a run, in the order of its help.
pub static OPTIONS: &[OptionRow] = &[
    OptionRow::flag(
        SUITES,
        "PATH",
        "Suites: files or folders [default: the project's, else `suites`]",
        &ListOption { of: |options| &mut options.paths, read: |text, _| path(text) },
    )
    .variable("FLOWPROOF_SUITES"),
    OptionRow::flag(
        "filter",
        "EXPR",
        "Only tests whose full name contains this; repeatable",
        &ListOption { of: |options| &mut options.filters, read: |text, _| name(text) },
    )
    .short('f'),
    OptionRow::switch("exact", "Filters must equal the full name", &SwitchOption { of: |options| &mut options.exact }),
    OptionRow::flag(
        "tag",
        "T",
        "Only tests with this tag; repeatable",
        &ListOption { of: |options| &mut options.tags, read: |text, _| name(text) },
    ),
    OptionRow::flag(
        "skip-tag",
        "T",
        "No tests with this tag; repeatable",
        &ListOption { of: |options| &mut options.skip_tags, read: |text, _| name(text) },
    ),
    OptionRow::switch(
        "allow-outside",
        "Let suites name files outside the suites folder",
        &SwitchOption { of: |options| &mut options.outside },
    ),
    OptionRow::flag(
        "target",
        "NAME",
        "Where to run: a target of the project file, or `mock`",
        &ValueOption { of: |options| &mut options.target, read: name },
    )
    .variable("FLOWPROOF_TARGET"),
    OptionRow::flag(
        "profile",
        "NAME",
        "Which profile of the project file",
        &ValueOption { of: |options| &mut options.profile, read: name },
    )
    .variable("FLOWPROOF_PROFILE"),
    OptionRow::flag(
        "workflow-id",
        "ID",
        "Run this published version of the workflow",
        &ValueOption { of: |options| &mut options.workflow_id, read: |text| parse_workflow_id(utf8(text)?) },
    )
    .variable("FLOWPROOF_WORKFLOW_ID"),
    OptionRow::flag(
        "concurrency",
        "N",
        "Attempts at once",
        &ValueOption { of: |options| &mut options.concurrency, read: |text| whole(text, 1..=4096) },
    )
    .short('j')
    .variable("FLOWPROOF_CONCURRENCY"),
    OptionRow::flag(
        "rate",
        "RATE",
        "Requests begun at most, such as `5/s`",
        &ValueOption { of: |options| &mut options.rate, read: |text| with_unit(text, parse_rate) },
    )
    .variable("FLOWPROOF_RATE"),
    OptionRow::flag(
        "repeat",
        "N|MIN..MAX",
        "Run each test N times, or between MIN and MAX times until the result is statistically decided, such as `3..40`",
        &ValueOption {
            of: |options| &mut options.repeat,
            read: |text| parse_times(utf8(text)?).map_err(|error| error.to_string()),
        },
    )
    .variable("FLOWPROOF_REPEAT"),
    OptionRow::flag(
        "retries",
        "N",
        "Infrastructure retries of each attempt; a failed assertion is never retried",
        &ValueOption { of: |options| &mut options.retries, read: |text| whole(text, 0..=100) },
    )
    .variable("FLOWPROOF_RETRIES"),
    OptionRow::flag(
        "timeout",
        "D",
        "Limit of a whole attempt, such as `90s`",
        &ValueOption { of: |options| &mut options.timeout, read: limit },
    )
    .variable("FLOWPROOF_TIMEOUT"),
    OptionRow::switch(
        "fail-fast",
        "Start no new test after the first red one",
        &SwitchOption { of: |options| &mut options.fail_fast },
    ),
    OptionRow::flag(
        "max-fail",
        "N",
        "Start no new test after this many red ones",
        &ValueOption { of: |options| &mut options.max_fail, read: |text| whole(text, 1..=u32::MAX) },
    )
    .excludes(&["fail-fast"]),
    OptionRow::flag(
        "budget-tokens",
        "N",
        "Skip the tests that no longer fit this many tokens, such as `400k`",
        &ValueOption { of: |options| &mut options.budget_tokens, read: |text| with_unit(text, some_tokens) },
    ),
    OptionRow::flag(
        "budget-cost",
        "M",
        "Skip the tests that no longer fit this price, such as `3.00USD`; once for each currency",
        &ListOption { of: |options| &mut options.budget_cost, read: next_amount },
    ),
    OptionRow::flag(
        "max-time",
        "D",
        "Send nothing more when the run has lasted this long, such as `25m`",
        &ValueOption { of: |options| &mut options.max_time, read: limit },
    ),
    OptionRow::flag(
        "shuffle",
        "SEED",
        "Run in random order, or as `--shuffle=7` in that of a seed; the seed is printed",
        &ValueOption { of: |options| &mut options.shuffle, read: shuffle_seed },
    )
    .bare(RANDOM),
    OptionRow::flag(
        "sample",
        "N",
        "Run only this many tests, drawn at random",
        &ValueOption { of: |options| &mut options.sample, read: number },
    ),
    OptionRow::flag(
        "shard",
        "I/N",
        "Run only this share of the tests, such as `2/4`; `auto` asks the build server's environment",
        &ValueOption { of: |options| &mut options.shard, read: shard },
    ),
    OptionRow::flag(
        "shard-by",
        "RUN",
        "Balance the shards by the durations of this run; all shards must name the same one",
        &ValueOption { of: |options| &mut options.shard_by, read: name },
    )
    .requires("shard"),
    OptionRow::flag(
        "resume",
        "RUN",
        "Go on with this run: send what has no result yet; `latest` names the last one",
        &ValueOption { of: |options| &mut options.resume, read: name },
    )
    .excludes(&["rerun", "sample", "shuffle", "shard"]),
    OptionRow::flag(
        "rerun",
        "RUN",
        "As `--resume`, and run the tests again that failed or errored; the newest result of a test counts",
        &ValueOption { of: |options| &mut options.rerun, read: name },
    )
    .excludes(&["sample", "shuffle", "shard"]),
    OptionRow::flag(
        "seed",
        "S",
        "The seed of `--sample`, `--shuffle` and of retry delays",
        &ValueOption { of: |options| &mut options.seed, read: number },
    ),
    OptionRow::flag(
        "record",
        "MODE",
        "Record exchanges, or replay those recorded",
        &WordOption { of: |options| &mut options.record, words: RECORD_MODES },
    )
    .variable("FLOWPROOF_RECORD"),
    OptionRow::flag(
        "replay",
        "SPEED",
        "Replay recorded exchanges and send nothing; `--replay=realtime` lets each event wait for its time",
        &WordOption { of: |options| &mut options.replay, words: REPLAY_SPEEDS },
    )
    .bare("at-once"),
    OptionRow::flag(
        "reports",
        "DIR",
        "Folder of the reports [default: the project's, else `reports`]",
        &ValueOption { of: |options| &mut options.reports, read: path },
    )
    .variable("FLOWPROOF_REPORTS"),
    OptionRow::flag(
        "no-tests",
        "HOW",
        "What to do when no test was run [default: fail]",
        &WordOption { of: |options| &mut options.no_tests, words: NO_TESTS },
    ),
];

const RECORD_MODES: &[WordMeaning<Mode>] = &[
    meaning("none", "Send nothing: what is not recorded fails", Mode::None),
    meaning("once", "Record where there is no cassette yet; otherwise as `none`", Mode::Once),
    WordMeaning {
        word: OptionWord {
            word: "new_episodes",
            alias: Some("new-episodes"),
            help: "Replay what is recorded, send and record the rest",
        },
        value: Mode::NewEpisodes,
    },
    meaning("all", "Send everything and record it anew", Mode::All),
];

const REPLAY_SPEEDS: &[WordMeaning<Speed>] = &[
    meaning("at-once", "At once, judged by the recorded times", Speed::AtOnce),
    WordMeaning {
        word: OptionWord {
            word: "realtime",
            alias: Some("real-time"),
            help: "Each event at its recorded time",
        },
        value: Speed::RealTime,
    },
];

const NO_TESTS: &[WordMeaning<NoTests>] = &[
    meaning("fail", "Exit with code 4", NoTests::Fail),
    meaning("warn", "Say so and exit with code 0", NoTests::Warn),
    meaning("pass", "Exit with code 0", NoTests::Pass),
];

const fn meaning<T: Copy>(word: &'static str, help: &'static str, value: T) -> WordMeaning<T> {
    WordMeaning { word: OptionWord { word, alias: None, help }, value }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::path::PathBuf;

    use super::*;
    use crate::record::event::RunOptions;

    fn filled(name: &str, texts: &[&str]) -> Result<RunOptions, String> {
        let mut options = RunOptions::default();
        let row = row(name).unwrap();
        texts.iter().try_for_each(|text| row.field.fill(&mut options, OsStr::new(text)))?;
        Ok(options)
    }

    #[test]
    fn each_option_has_a_field_of_its_own() {
        let sample = |row: &OptionRow| match row.name {
            "workflow-id" => "7c3e33d4-2a8b-4e5f-9b1a-d3c6e8f12345",
            "rate" => "5/s",
            "timeout" | "max-time" => "90s",
            "budget-cost" => "3.00USD",
            "shard" => "2/4",
            _ => row.field.words().first().map_or("7", |word| word.word),
        };
        for one in OPTIONS {
            let mut options = RunOptions::default();
            assert!(!one.field.is_set(&mut options), "{}", one.name);
            one.field.fill(&mut options, OsStr::new(sample(one))).unwrap();
            for other in OPTIONS {
                assert_eq!(
                    other.field.is_set(&mut options),
                    one.name == other.name,
                    "{} {}",
                    one.name,
                    other.name
                );
            }
            let (mut above, mut below) = (RunOptions::default(), options.clone());
            one.field.take_from_below(&mut above, &mut below);
            assert_eq!(above, options, "{}", one.name);
        }
    }

    #[test]
    fn what_is_above_stays() {
        let mut above = filled("retries", &["1"]).unwrap();
        let retries = row("retries").unwrap().field;
        retries.take_from_below(&mut above, &mut filled("retries", &["2"]).unwrap());
        assert_eq!(above.retries, Some(1));
        let mut above = filled("tag", &["a"]).unwrap();
        row("tag").unwrap().field.take_from_below(&mut above, &mut filled("tag", &["b", "c"]).unwrap());
        assert_eq!(above.tags, ["a"]);
    }

    #[test]
    fn nothing_and_less_are_no_budgets() {
        assert_eq!(filled("budget-tokens", &["8k"]).unwrap().budget_tokens, Some(8000));
        assert!(["0", "-1", "1.5", "", "0k"].iter().all(|text| filled("budget-tokens", &[text]).is_err()));
        assert_eq!(filled("budget-cost", &["0.05 USD"]).unwrap().budget_cost[0].to_string(), "0.05 USD");
        assert!(
            ["0USD", "0.00 USD", "-1 USD", "5"].iter().all(|text| filled("budget-cost", &[text]).is_err())
        );
    }

    #[test]
    fn each_currency_is_named_once() {
        assert_eq!(filled("budget-cost", &["1 USD", "2 EUR"]).unwrap().budget_cost.len(), 2);
        assert!(filled("budget-cost", &["1 USD", "2 USD"]).unwrap_err().contains("two amounts in USD"));
        assert!(filled("budget-cost", &["1 AAA", "1 BBB", "1 CCC", "1 DDD", "1 EEE"]).is_err());
    }

    #[test]
    fn numbers_have_bounds() {
        assert_eq!(filled("concurrency", &["4096"]).unwrap().concurrency, Some(4096));
        for (name, text, says) in [
            ("concurrency", "0", "0 is not in 1..=4096"),
            ("concurrency", "4097", "4097 is not in 1..=4096"),
            ("retries", "101", "101 is not in 0..=100"),
            ("max-fail", "0", "0 is less than 1"),
            ("retries", "-1", "`-1` is not a whole number"),
            ("shuffle", "x", "`x` is not a seed"),
            ("record", "twice", "none of none, once, new_episodes, all"),
            ("workflow-id", "v2", "is no id of a version"),
            ("shard", "5/4", "count from 1 to 4"),
            ("reports", "", "not empty"),
        ] {
            assert!(filled(name, &[text]).unwrap_err().contains(says), "{name} {text}");
        }
        assert_eq!(filled("record", &["new-episodes"]).unwrap().record, Some(Mode::NewEpisodes));
    }

    #[test]
    fn suites_of_the_environment_are_separated_as_path_is() {
        let mut options = RunOptions::default();
        row(SUITES).unwrap().fill_from_variable(&mut options, "a:b.yaml").unwrap();
        assert_eq!(options.paths, [PathBuf::from("a"), PathBuf::from("b.yaml")]);
    }
}
