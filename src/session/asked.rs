//! What a run was asked for, as its journal keeps it, and asked for again when it is continued.

use std::path::PathBuf;

use crate::base::digest::{Digest, Digester};
use crate::event::Asked;
use crate::plan::case::{Plan, TargetKind};
use crate::plan::choices::{Choices, Matching};
use crate::session::Request;
use crate::suite::load::Outside;

/// What the journal keeps of what was asked for.
pub(super) fn asked(request: &Request, paths: &[PathBuf], choices: &Choices) -> Asked {
    let selection = &choices.selection;
    Asked {
        target: choices.target.clone(),
        profile: choices.profile.clone(),
        paths: paths.iter().map(|path| path.to_string_lossy().into_owned()).collect(),
        outside: request.outside == Some(Outside::Allowed),
        filters: selection.filters.clone(),
        exact: selection.matching == Matching::Exact,
        tags: selection.tags.clone(),
        skip_tags: selection.skip_tags.clone(),
        sample: selection.sample,
        workflow_id: choices.workflow_id.clone(),
        repeat: choices.repeat,
        retries: choices.retries,
        timeout_ms: choices.timeout.map(|timeout| u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX)),
        concurrency: choices.concurrency.map(|number| u32::try_from(number).unwrap_or(u32::MAX)),
        rate: choices.rate.map(|rate| rate.per_second),
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
