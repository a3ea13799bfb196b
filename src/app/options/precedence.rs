//! Which option wins: a flag, else what a continued run was begun with, else the environment. The project file and the suites
//! come after all of them, and are read elsewhere.

use crate::app::opened::OpenFailure;
use crate::app::options::table::OPTIONS;
use crate::app::settings::Settings;
use crate::base::workflow_id::parse_workflow_id;
use crate::dify::cassette::Mode;
use crate::record::event::{RunOptions, RunStart, ShuffleSeed};

/// The options that count in this process: flags, else the environment.
///
/// Where the flags name the mock, `FLOWPROOF_RECORD` is not asked: nothing is recorded there.
pub fn with_environment(settings: &Settings, flags: &RunOptions) -> Result<RunOptions, OpenFailure> {
    let mut options = with_replay(flags.clone());
    let mut below = settings.options.clone();
    let asks = |name: &str| name != "record" || flags.target.as_deref() != Some("mock");
    for row in OPTIONS.iter().filter(|row| row.variable.is_some() && asks(row.name)) {
        let refused = settings.refused.iter().find(|refused| refused.name == row.name);
        if let Some(refused) = refused.filter(|_| !row.field.is_set(&mut options)) {
            return Err(OpenFailure::Usage(refused.message.clone()));
        }
        row.field.take_from_below(&mut options, &mut below);
    }
    if let Some(id) = &options.workflow_id {
        options.workflow_id = Some(parse_workflow_id(id).map_err(OpenFailure::Usage)?);
    }
    if let Some(only) = &options.only {
        options.filters = vec![only.clone()];
        options.exact = true;
    }
    Ok(options)
}

/// The options of a run that goes on: flags, else those it was begun with. The environment comes below them, except where it
/// names the target or the profile: then the run must be of these.
pub fn with_beginning(
    settings: &Settings,
    flags: &RunOptions,
    start: &RunStart,
    asked: &RunOptions,
) -> RunOptions {
    // What is selected among the tests of the run is selected later.
    let mut options = RunOptions {
        filters: Vec::new(),
        exact: false,
        tags: Vec::new(),
        skip_tags: Vec::new(),
        resume: None,
        rerun: None,
        ..with_replay(flags.clone())
    };
    let mut below = RunOptions {
        sample: None,
        record: start.cassettes,
        shuffle: start.shuffled.then_some(ShuffleSeed::OfRun),
        seed: Some(start.seed),
        no_tests: Some(asked.no_tests.unwrap_or_default()),
        ..asked.clone()
    };
    if settings.options.target.is_some() {
        below.target = None;
    }
    if settings.options.profile.is_some() {
        below.profile = None;
    }
    for row in OPTIONS {
        row.field.take_from_below(&mut options, &mut below);
    }
    options
}

/// `--replay` sends nothing, unless `--record` says otherwise.
fn with_replay(options: RunOptions) -> RunOptions {
    let record = options.record.or(options.replay.map(|_| Mode::None));
    RunOptions { record, ..options }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::event::NoTests;
    use crate::record::journal::sample;

    fn settings(variables: &[(&str, &str)]) -> Settings {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Settings::from_env(variables.iter().map(own).collect())
    }

    fn flags(target: Option<&str>) -> RunOptions {
        RunOptions { target: target.map(str::to_owned), ..RunOptions::default() }
    }

    fn usage(found: Result<RunOptions, OpenFailure>) -> String {
        match found {
            Err(OpenFailure::Usage(message)) => message,
            other => panic!("no usage: {other:?}"),
        }
    }

    #[test]
    fn a_flag_wins_over_its_variable() {
        let settings = settings(&[
            ("FLOWPROOF_TARGET", "staging"),
            ("FLOWPROOF_RETRIES", "7"),
            ("FLOWPROOF_SUITES", "a:b"),
            ("FLOWPROOF_REPORTS", "out"),
        ]);
        let named = RunOptions { retries: Some(0), ..flags(Some("production")) };
        let found = with_environment(&settings, &named).unwrap();
        assert_eq!((found.target.as_deref(), found.retries), (Some("production"), Some(0)));
        assert_eq!((found.paths.len(), found.reports.is_some()), (2, true));
        let found = with_environment(&settings, &flags(None)).unwrap();
        assert_eq!((found.target.as_deref(), found.retries), (Some("staging"), Some(7)));
    }

    #[test]
    fn a_variable_that_cannot_be_read_matters_only_where_it_counts() {
        let settings = settings(&[("FLOWPROOF_REPEAT", "often"), ("FLOWPROOF_RECORD", "twice")]);
        assert!(
            usage(with_environment(&settings, &flags(Some("mock")))).starts_with("FLOWPROOF_REPEAT: `often`")
        );
        let repeat = Some(crate::base::repeat::RepeatRange::Fixed(3));
        let named = RunOptions { repeat, ..flags(None) };
        assert!(usage(with_environment(&settings, &named)).starts_with("FLOWPROOF_RECORD: `twice`"));
        let on_mock = RunOptions { repeat, ..flags(Some("mock")) };
        assert_eq!(with_environment(&settings, &on_mock).unwrap().record, None);
    }

    #[test]
    fn the_environment_records_nothing_where_the_mock_or_a_replay_is_named() {
        let settings = settings(&[("FLOWPROOF_RECORD", "all"), ("FLOWPROOF_TARGET", "mock")]);
        assert_eq!(with_environment(&settings, &flags(None)).unwrap().record, Some(Mode::All));
        assert_eq!(with_environment(&settings, &flags(Some("mock"))).unwrap().record, None);
        let replay = RunOptions { replay: Some(Default::default()), ..flags(Some("staging")) };
        assert_eq!(with_environment(&settings, &replay).unwrap().record, Some(Mode::None));
    }

    #[test]
    fn the_one_test_that_is_wanted_is_the_only_one() {
        let only = RunOptions { only: Some("s::a".to_owned()), filters: vec!["x".to_owned()], ..flags(None) };
        let found = with_environment(&settings(&[]), &only).unwrap();
        assert_eq!((found.filters, found.exact), (vec!["s::a".to_owned()], true));
    }

    #[test]
    fn a_version_that_dify_cannot_take_is_refused_wherever_it_is_named() {
        let settings_of = |id| settings(&[("FLOWPROOF_WORKFLOW_ID", id)]);
        assert!(
            usage(with_environment(&settings_of("v2"), &flags(None)))
                .starts_with("FLOWPROOF_WORKFLOW_ID: `v2`")
        );
        let named = RunOptions { workflow_id: Some("v2".to_owned()), ..flags(None) };
        assert!(usage(with_environment(&settings(&[]), &named)).starts_with("`v2` is no id of a version"));
    }

    #[test]
    fn a_run_that_goes_on_keeps_what_it_was_begun_with() {
        let asked = RunOptions {
            retries: Some(1),
            concurrency: Some(2),
            filters: vec!["refund".to_owned()],
            sample: Some(5),
            profile: Some("ci".to_owned()),
            ..flags(Some("staging"))
        };
        let start = RunStart { seed: 11, shuffled: true, cassettes: Some(Mode::Once), ..sample::start(1) };
        let named = RunOptions {
            retries: Some(0),
            filters: vec!["narrower".to_owned()],
            resume: Some("latest".to_owned()),
            ..RunOptions::default()
        };
        let begun = |variables: &[(&str, &str)]| {
            let settings = settings(variables);
            with_environment(&settings, &with_beginning(&settings, &named, &start, &asked)).unwrap()
        };
        let found =
            begun(&[("FLOWPROOF_CONCURRENCY", "9"), ("FLOWPROOF_RATE", "5/s"), ("FLOWPROOF_RECORD", "all")]);
        assert_eq!((found.retries, found.concurrency, found.rate.is_some()), (Some(0), Some(2), true));
        assert_eq!(
            (found.record, found.seed, found.shuffle),
            (Some(Mode::Once), Some(11), Some(ShuffleSeed::OfRun))
        );
        assert_eq!((found.filters, found.sample, found.resume), (vec!["refund".to_owned()], None, None));
        assert_eq!((found.target.as_deref(), found.profile.as_deref()), (Some("staging"), Some("ci")));
        assert_eq!(found.no_tests, Some(NoTests::Fail));
        let found = begun(&[("FLOWPROOF_TARGET", "other"), ("FLOWPROOF_PROFILE", "nightly")]);
        assert_eq!((found.target.as_deref(), found.profile.as_deref()), (Some("other"), Some("nightly")));
    }
}
