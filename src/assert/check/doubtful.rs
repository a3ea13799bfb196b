//! Which parts of a run's and a node's roots are not known, although something stands there.

use crate::base::json_path::PathStep;
use crate::dify::transcript::{Arrival, Flaw, NodeRun};

use super::doubt::{Doubt, cuts_in};
use super::model::PathRoot;
use super::view::View;

impl View<'_> {
    /// The parts of a root that are not known.
    pub(super) fn doubts(&self, root: PathRoot) -> Vec<Doubt> {
        let transcript = self.transcript;
        match root {
            PathRoot::Run => self.doubts_of_run().collect(),
            PathRoot::Outputs => {
                let outputs = [PathStep::Name("outputs".to_owned())];
                self.doubts_of_run().filter_map(|doubt| doubt.seen_from(&outputs)).collect()
            }
            PathRoot::Response => {
                let body = [PathStep::Name("body".to_owned())];
                let data = [body[0].clone(), PathStep::Name("data".to_owned())];
                let flaws = transcript.flaws.iter().filter(|flaw| flaw.event.is_none());
                let repeated = flaws.map(|flaw| Doubt::of(flaw).below(&body));
                let cut = transcript.body.as_ref().map(|body| cuts_in(&body["data"])).into_iter().flatten();
                repeated.chain(cut.map(|doubt| doubt.below(&data))).collect()
            }
            PathRoot::Events => {
                let events = transcript.events.iter().enumerate();
                let cut = events.filter(|(_, event)| may_be_cut(event)).flat_map(|(at, event)| {
                    let data = [PathStep::Index(at), PathStep::Name("data".to_owned())];
                    cuts_in(&event.json()["data"]).map(|doubt| doubt.below(&data)).collect::<Vec<_>>()
                });
                let repeated = transcript
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
        let flaws = transcript.flaws.iter().filter(is_final);
        let repeated =
            flaws.filter_map(|flaw| Some(Doubt { place: flaw.in_data()?.to_vec(), ..Doubt::of(flaw) }));
        let is_found_again = transcript.recovery.is_some();
        let cut = transcript.run.as_ref().map(cuts_in).into_iter().flatten();
        repeated.filter(move |_| !is_found_again).chain(cut)
    }
}

/// True where an event may say that Dify cut a part of it short.
fn may_be_cut(event: &Arrival) -> bool {
    let text = event.text();
    text.split("_truncated\"")
        .skip(1)
        .any(|rest| rest.trim_start_matches([' ', ':', '\t', '\r', '\n']).starts_with("true"))
}

/// The parts of a node's root that are not known.
pub(super) fn node_doubts(node: &NodeRun, root: PathRoot) -> Vec<Doubt> {
    let Some(data) = &node.finished else { return Vec::new() };
    let all = node.flaws.iter().map(Doubt::of);
    match root {
        PathRoot::Run => all.chain(cuts_in(data)).collect(),
        PathRoot::Outputs | PathRoot::Inputs | PathRoot::ProcessData => {
            let key = [PathStep::Name(root.word().to_owned())];
            all.filter_map(|doubt| doubt.seen_from(&key)).collect()
        }
        PathRoot::Response | PathRoot::Text | PathRoot::Events => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn an_event_says_that_it_is_cut_however_it_is_spaced() {
        let says = |text: &str| may_be_cut(&Arrival::new(Duration::ZERO, text));
        for blank in ["", " ", "\t", "\n", "\r\n", " \n "] {
            assert!(says(&format!("{{\"data\":{{\"outputs_truncated\"{blank}:{blank}true}}}}")), "{blank:?}");
            assert!(
                !says(&format!("{{\"data\":{{\"outputs_truncated\"{blank}:{blank}false}}}}")),
                "{blank:?}"
            );
        }
        assert!(says(r#"{"data":{"inputs_truncated":false,"outputs_truncated":true}}"#));
        assert!(!says(r#"{"data":{"outputs":true}}"#));
    }
}
