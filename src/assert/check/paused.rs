//! Runs that wait for people: what they wait for.

use crate::base::spelling::nearest;
use crate::dify::transcript::{NodeRun, Transcript};
use crate::dify::wire::form::{HumanForm, either};
use crate::record::attempt::Cause;

/// More red tests than anybody reads: of each only the beginning is shown, and no more differences have files of their own.
const MOST: usize = 1500;

/// Why a run that waits cannot be judged: its forms, and how to answer one.
pub(super) fn paused(transcript: &Transcript) -> Cause {
    let waiting = &transcript.pauses.waiting;
    let mut message = "the run waits for a person".to_owned();
    if !waiting.is_empty() {
        let forms: Vec<String> = waiting.iter().map(HumanForm::describe).collect();
        message.push_str(&format!(": {}", forms.join("; ")));
    } else if let Some(nodes) = waiting_nodes(transcript) {
        message.push_str(&format!(" at {nodes}"));
    }
    if tells_no_form(transcript) {
        message.push_str(
            "; what it asks is not known, for the run's detail, by which it was found again, holds no form",
        );
    }
    let unused = &transcript.pauses.unused;
    if !unused.is_empty() {
        let names = either(unused.iter().map(|answer| answer.node.as_str()));
        message.push_str(&format!("; `human_input` has an answer for {names}"));
    }
    Cause {
        message: bounded(message),
        hint: Some(bounded(hint(transcript))),
        class: None,
        stops_suite: false,
    }
}

/// True where the pause is known without its reasons: neither detail nor logs contain them.
fn tells_no_form(transcript: &Transcript) -> bool {
    let told = transcript.answer.run.as_ref().is_some_and(|run| run.reasons().is_some());
    transcript.recovered().is_some() && transcript.pauses.waiting.is_empty() && !told
}

/// The nodes that ask people and had not finished, as far as they were reported.
fn waiting_nodes(transcript: &Transcript) -> Option<String> {
    let waiting = |node: &&NodeRun| node.waits_for_person();
    let mut titles: Vec<&str> =
        transcript.answer.nodes.iter().filter(waiting).map(|node| node.title.as_str()).collect();
    titles.dedup();
    (!titles.is_empty()).then(|| either(titles.into_iter()))
}

fn bounded(mut text: String) -> String {
    if let Some((at, _)) = text.char_indices().nth(MOST) {
        text.truncate(at);
        text.push('…');
    }
    text
}

fn hint(transcript: &Transcript) -> String {
    if tells_no_form(transcript) {
        return "answer it in Dify, or run the test again; a suite answers only forms that the stream announced".to_owned();
    }
    let Some(form) = transcript.pauses.waiting.first() else {
        return "look into the run in Dify: what it waits for is no form".to_owned();
    };
    let names = || transcript.pauses.waiting.iter().map(HumanForm::name);
    let meant = transcript.pauses.unused.iter().find_map(|answer| nearest(&answer.node, names()));
    if let Some(name) = meant {
        return format!("did you mean `node: {name}`?");
    }
    let action = form.actions.first().map_or("…", |action| action.id.as_str());
    let fields: Vec<String> = form.fields.iter().map(|field| format!("{}: …", field.name)).collect();
    let inputs =
        if fields.is_empty() { String::new() } else { format!(", inputs: {{ {} }}", fields.join(", ")) };
    format!(
        "answer it with `human_input: [{{ node: {}, action: {action}{inputs} }}]`, or assert `status: paused`",
        form.name()
    )
}
