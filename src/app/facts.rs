//! What a journal says of a run, and of its tests, when it starts.

use std::sync::Arc;

use crate::app::session::{RecordKeeping, Session};
use crate::base::clock;
use crate::base::digest::{Digest, Digester};
use crate::engine::Engine;
use crate::plan::case::{Case, Plan, TargetKind};
use crate::plan::share::PlanShare;
use crate::record::event::{Event, PlannedCase, RunStart, Sharded, SinkError};
use crate::record::journal::SCHEMA;

/// Tests named in one line of the journal.
pub(super) const PLANNED: usize = 256;

impl Session {
    /// What is known of a run when it starts.
    pub(super) fn run_start(&self, plan: &Plan, selected: u32) -> RunStart {
        RunStart {
            schema: SCHEMA,
            run: self.run.to_string(),
            flowproof: env!("CARGO_PKG_VERSION").to_owned(),
            target: plan.target.name.to_string(),
            mock: matches!(plan.target.kind, TargetKind::Mock(_)),
            cassettes: plan.cassettes.as_ref().and_then(|shelf| shelf.mode),
            profile: plan.target.profile.to_string(),
            started: clock::timestamp_text(clock::wall()),
            cases: selected,
            shard: plan.share.map(|PlanShare { index, total, cases, runnable }| Sharded {
                index,
                total,
                cases,
                runnable,
            }),
            merged: Vec::new(),
            build: self.build.clone(),
            nextest: self.keeping == RecordKeeping::Shared,
            deselected: plan.deselected,
            seed: plan.seed,
            shuffled: plan.shuffled,
            // A process of nextest knows one suite only.
            plan: match self.keeping {
                RecordKeeping::Journal => plan.print,
                RecordKeeping::Shared => Digest::default(),
            },
            address: address(plan),
            asked: Some(Box::new(self.asked.clone())),
            thresholds: plan.thresholds.clone(),
        }
    }
}

/// The fingerprint of where a plan runs, and of the versions that are pinned; `None` on the mock and in a replay.
fn address(plan: &Plan) -> Digest {
    let TargetKind::Live { endpoint, apps } = &plan.target.kind else { return Digest::default() };
    let mut digester = Digester::default();
    digester.text(&endpoint.base_url);
    for (name, app) in apps {
        digester.text(name).text(app.workflow_id.as_deref().unwrap_or_default());
    }
    digester.finish()
}

/// Returns which tests will be run.
pub(super) fn tell_plan(engine: &Engine, selected: &[PlannedCase]) -> Result<(), SinkError> {
    selected.chunks(PLANNED).try_for_each(|cases| engine.record(&Event::CasesPlanned(Arc::from(cases))))
}

/// What a journal says of the cases of a plan before they run.
pub fn planned<'c>(cases: impl IntoIterator<Item = &'c Case>) -> Vec<PlannedCase> {
    let planned = |case: &Case| PlannedCase {
        key: case.key,
        name: case.name.clone(),
        print: case.print,
        place: Some(case.place_in_all),
    };
    cases.into_iter().map(planned).collect()
}
