//! From `--shard` to a share of the plan: what the build server says, and how long tests took in an earlier run.

use std::collections::HashMap;
use std::sync::Arc;

use crate::app::opened::OpenFailure;
use crate::app::runs::ReportsFolder;
use crate::app::settings::{Settings, ShardSettings};
use crate::plan::shard::Shard;
use crate::record::event::{RunOptions, ShardChoice};
use crate::record::journal;
use crate::record::verdict::Verdict;

/// The share that is asked for, drawn by hash.
pub(super) fn share(settings: &Settings, options: &RunOptions) -> Result<Option<Shard>, OpenFailure> {
    let shard = match (options.shard, &settings.shard) {
        (None, _) => return Ok(None),
        (Some(ShardChoice::Share { index, total }), _) => {
            Shard::new(index, total).map_err(|error| OpenFailure::Usage(format!("--shard: {error}")))?
        }
        (Some(ShardChoice::Auto), ShardSettings::Share(shard)) => shard.clone(),
        (Some(ShardChoice::Auto), ShardSettings::Unclear(why)) => {
            return Err(OpenFailure::Usage(format!("--shard auto: {why}")));
        }
        (Some(ShardChoice::Auto), ShardSettings::Nothing) => {
            return Err(OpenFailure::Usage(String::from(
                "--shard auto: nothing here says which shard this is; GitLab, CircleCI, Buildkite, Azure Pipelines and \
                 Kubernetes do, elsewhere write --shard I/N",
            )));
        }
    };
    if shard.total > 1 && options.sample.is_some() && options.named_seed().is_none() {
        return Err(OpenFailure::Usage(String::from(
            "--sample with --shard needs --seed: without it each machine would draw other tests",
        )));
    }
    Ok(Some(shard))
}

/// How long each test took in the run that the shares are balanced by, milliseconds.
pub(super) fn durations(name: &str, runs: &ReportsFolder) -> Result<Arc<HashMap<String, f64>>, OpenFailure> {
    let failed = |why: String| OpenFailure::Usage(format!("--shard-by {name}: {why}"));
    let path = runs.find(name).map_err(failed)?;
    let record = journal::read(&path).map_err(|error| failed(error.to_string()))?;
    let mut durations = HashMap::new();
    for outcome in record.outcomes() {
        let outcome = outcome.map_err(|error| failed(error.to_string()))?;
        if outcome.verdict != Verdict::Skipped && outcome.attempts > 0 {
            durations.insert(outcome.name, outcome.duration_ms);
        }
    }
    Ok(Arc::new(durations))
}
