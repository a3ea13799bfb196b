//! Which parts of a run's and a node's roots are not known, although there is something.

use crate::base::json_path::PathStep;
use crate::dify::transcript::{AnswerField, Flaw, NodeRun, RunResult};

use super::doubt::Doubt;
use super::model::PathRoot;
use super::view::View;

impl View<'_> {
    /// The parts of a root that are not known.
    pub(super) fn doubts(&self, root: PathRoot) -> Vec<Doubt> {
        let transcript = self.transcript;
        match root {
            PathRoot::Run => self.doubts_of_run().collect(),
            PathRoot::Outputs => {
                let outputs = [AnswerField::Outputs.step()];
                self.doubts_of_run().filter_map(|doubt| doubt.seen_from(&outputs)).collect()
            }
            PathRoot::Response => {
                let body = [PathStep::Name("body".to_owned())];
                let flaws = transcript.answer.flaws.iter().filter(|flaw| flaw.event.is_none());
                let repeated = flaws.map(|flaw| Doubt::of(flaw).below(&body));
                let cut = transcript.truncated_in_body().map(|field| Doubt::cut(&field.place_in_event()));
                repeated.chain(cut.map(|doubt| doubt.below(&body))).collect()
            }
            PathRoot::Events => {
                let events = transcript.events.iter().enumerate();
                let cut = events.flat_map(|(at, event)| {
                    let cut = event.truncated().into_iter();
                    cut.map(move |field| Doubt::cut(&field.place_in_event()).below(&[PathStep::Index(at)]))
                });
                let repeated = transcript
                    .answer
                    .flaws
                    .iter()
                    .filter_map(|flaw| Some(Doubt::of(flaw).below(&[PathStep::Index(flaw.event?)])));
                cut.chain(repeated).collect()
            }
            PathRoot::Inputs | PathRoot::Text | PathRoot::ProcessData => Vec::new(),
        }
    }

    /// The parts of the run's final `data` that are not known.
    pub(super) fn doubts_of_run(&self) -> impl Iterator<Item = Doubt> {
        let transcript = self.transcript;
        let last = transcript.events.len().checked_sub(1);
        let is_final = move |flaw: &&Flaw| flaw.event.is_none() || flaw.event == last;
        let flaws = transcript.answer.flaws.iter().filter(is_final);
        let repeated =
            flaws.filter_map(|flaw| Some(Doubt { place: flaw.in_data()?.to_vec(), ..Doubt::of(flaw) }));
        let is_found_again = transcript.recovery.is_some();
        let cut = transcript.answer.run.as_ref().map(RunResult::truncated).into_iter().flatten();
        let cut = cut.map(|field| Doubt::cut(&[field.step()]));
        repeated.filter(move |_| !is_found_again).chain(cut)
    }
}

/// The parts of a node's root that are not known.
pub(super) fn node_doubts(node: &NodeRun, root: PathRoot) -> Vec<Doubt> {
    let Some(end) = &node.finished else { return Vec::new() };
    let all = node.flaws.iter().map(Doubt::of);
    match root {
        PathRoot::Run => all.chain(end.truncated().map(|field| Doubt::cut(&[field.step()]))).collect(),
        PathRoot::Outputs | PathRoot::Inputs | PathRoot::ProcessData => {
            let place = root.field().map(AnswerField::step);
            all.filter_map(|doubt| doubt.seen_from(place.as_slice())).collect()
        }
        PathRoot::Response | PathRoot::Text | PathRoot::Events => Vec::new(),
    }
}
