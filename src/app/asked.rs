//! What a run was asked for, as its journal keeps it, and asked for again when it is continued.

use std::path::PathBuf;
use std::time::Duration;

use crate::app::cassettes::Use;
use crate::app::settings::Settings;
use crate::app::{OpenFailure, RunOptions};
use crate::base::digest::{Digest, Digester};
use crate::base::repeat::parse_times;
use crate::base::units::{Money, RequestRate, parse_money};
use crate::dify::cassette::Mode;
use crate::plan::budget::BudgetChoice;
use crate::plan::case::{Plan, TargetKind};
use crate::plan::choices::{Choices, FilterMatching, RunOrder, TestSelection};
use crate::record::event::{RunChoices, RunStart};
use crate::suite::load::OutsidePaths;

/// What the journal keeps of what was asked for.
pub(super) fn asked(request: &RunOptions, paths: &[PathBuf], choices: &Choices) -> RunChoices {
    let selection = &choices.selection;
    RunChoices {
        target: choices.target.clone(),
        profile: choices.profile.clone(),
        paths: paths.iter().map(|path| path.to_string_lossy().into_owned()).collect(),
        outside: request.outside == Some(OutsidePaths::Allowed),
        filters: selection.filters.clone(),
        exact: selection.matching == FilterMatching::Exact,
        tags: selection.tags.clone(),
        skip_tags: selection.skip_tags.clone(),
        sample: selection.sample,
        workflow_id: choices.workflow_id.clone(),
        repeat: choices.repeat.map(|times| times.to_string()),
        retries: choices.retries,
        timeout_ms: choices.timeout.map(|timeout| u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX)),
        concurrency: choices.concurrency.map(|number| u32::try_from(number).unwrap_or(u32::MAX)),
        rate: choices.rate.map(|rate| rate.per_second),
        budget_tokens: choices.budget.tokens,
        budget_cost: choices.budget.cost.iter().map(Money::to_string).collect(),
        max_time_ms: choices.budget.time.map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX)),
        no_tests: request.no_tests.unwrap_or_default(),
    }
}

/// The fingerprint of where a plan runs, and of the versions that are pinned; none on the mock and in a replay.
pub(super) fn address(plan: &Plan) -> Digest {
    let TargetKind::Live { endpoint, apps } = &plan.target.kind else { return Digest::default() };
    let mut digester = Digester::default();
    digester.text(&endpoint.base_url);
    for (name, app) in apps {
        digester.text(name).text(app.workflow_id.as_deref().unwrap_or_default());
    }
    digester.finish()
}

/// What was asked for when the run began, and what is asked for now where that does not change which run it is.
pub(super) fn as_begun(
    settings: &Settings,
    request: &RunOptions,
    (start, asked): (&RunStart, &RunChoices),
) -> Result<RunOptions, OpenFailure> {
    if !request.paths.is_empty() {
        return Err(OpenFailure::Usage(String::from(
            "a run is continued with its own suites: choose among their tests with --filter or --tag",
        )));
    }
    let mode = match (start.cassettes, request.cassettes.mode) {
        (mode, None) => mode,
        (_, asked) => asked,
    };
    let matching = if asked.exact { FilterMatching::Exact } else { FilterMatching::Substring };
    Ok(RunOptions {
        paths: asked.paths.iter().map(PathBuf::from).collect(),
        selection: TestSelection {
            filters: asked.filters.clone(),
            matching,
            tags: asked.tags.clone(),
            skip_tags: asked.skip_tags.clone(),
            order: if start.shuffled { RunOrder::Shuffled } else { RunOrder::Written },
            ..TestSelection::default()
        },
        outside: request.outside.or_else(|| asked.outside.then_some(OutsidePaths::Allowed)),
        target: request.target.clone().or_else(|| settings.target.is_none().then(|| asked.target.clone())?),
        profile: request
            .profile
            .clone()
            .or_else(|| settings.profile.is_none().then(|| asked.profile.clone())?),
        workflow_id: request.workflow_id.clone().or_else(|| asked.workflow_id.clone()),
        concurrency: request.concurrency.or(asked.concurrency),
        rate: request.rate.or_else(|| asked.rate.map(|per_second| RequestRate { per_second })),
        repeat: request.repeat.or(asked.repeat.as_deref().and_then(|times| parse_times(times).ok())),
        retries: request.retries.or(asked.retries),
        timeout: request.timeout.or_else(|| asked.timeout_ms.map(Duration::from_millis)),
        no_tests: request.no_tests.or(Some(asked.no_tests)),
        budget: budget_as_begun(&request.budget, asked),
        seed: request.seed.or(Some(start.seed)),
        cassettes: Use { mode, ..request.cassettes },
        again: None,
        ..request.clone()
    })
}

/// The budget that the run began with, where none is named now.
fn budget_as_begun(now: &BudgetChoice, asked: &RunChoices) -> BudgetChoice {
    let then = || asked.budget_cost.iter().filter_map(|money| parse_money(money).ok()).collect();
    BudgetChoice {
        tokens: now.tokens.or(asked.budget_tokens),
        cost: if now.cost.is_empty() { then() } else { now.cost.clone() },
        time: now.time.or_else(|| asked.max_time_ms.map(Duration::from_millis)),
    }
}

/// A record speaks of one target: another one needs another run.
pub(super) fn fits(plan: &Plan, now: &RunStart, then: &RunStart) -> Result<(), OpenFailure> {
    let run = &then.run;
    let other = |what: &str, was: &str, is: &str, flag: &str| {
        Err(OpenFailure::Usage(format!(
            "the run {run} was of the {what} `{was}`, and this would be of `{is}`: name {flag} {was}, or start a new run"
        )))
    };
    if now.target != then.target {
        return other("target", &then.target, &now.target, "--target");
    }
    if now.profile != then.profile {
        return other("profile", &then.profile, &now.profile, "--profile");
    }
    let differs = |one: Digest, two: Digest| one != two && !one.is_none() && !two.is_none();
    if now.mock != then.mock || differs(now.address, then.address) {
        return Err(OpenFailure::Usage(format!(
            "the target `{}` has another address or pins another version than when the run {run} began: start a new run",
            plan.target.name
        )));
    }
    if now.cassettes != then.cassettes {
        return Err(OpenFailure::Usage(format!(
            "the run {run} {}: a record holds one kind of answers; start a new run",
            match then.cassettes {
                Some(Mode::None) => "replayed recorded exchanges, and this would not: add --replay",
                Some(_) => "recorded exchanges in another way: leave --record and --replay out",
                None => "replayed nothing, and this would: leave --replay and --record out",
            }
        )));
    }
    Ok(())
}
