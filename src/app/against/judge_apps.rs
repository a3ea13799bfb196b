//! Whether the apps that grade answers have the inputs that a judge is sent: `rubric`, `output` and `context`, all long texts.

use std::sync::Arc;

use crate::app::against::forms::InputForms;
use crate::base::origin::Place;
use crate::dify::wire::parameters::{Input, InputKind};
use crate::suite::project::ProjectSpec;
use crate::suite::read_judge::JudgeKindSpec;
use crate::yaml::problem::Problem;

/// What every judge is sent.
const SENT: [&str; 3] = ["rubric", "output", "context"];
/// The fewest characters that an input of a judge must take: fewer hold no ordinary answer.
const LEAST_ROOM: u64 = 2_000;

/// An app that the project file names as a judge.
pub struct JudgeApp {
    /// The app.
    pub app: Arc<str>,
    judge: String,
    place: Place,
}

/// The judges of a project that are apps.
pub fn judge_apps(project: Option<&ProjectSpec>) -> Vec<JudgeApp> {
    let Some(project) = project else { return Vec::new() };
    let apps = project.judges.iter().filter_map(|judge| match &judge.kind {
        Some(JudgeKindSpec::App(app)) => Some(JudgeApp {
            app: Arc::from(app.value.as_str()),
            judge: judge.name.value.clone(),
            place: project.source.place(app.mark),
        }),
        Some(JudgeKindSpec::Endpoint { .. }) | None => None,
    });
    apps.collect()
}

/// What is wrong with the inputs of each judge whose app described them.
pub fn judge_findings(judges: &[JudgeApp], forms: &InputForms) -> Vec<Problem> {
    let known = judges.iter().filter_map(|judge| Some((judge, forms.get(&judge.app)?.as_ref()?)));
    known.flat_map(|(judge, form)| findings_of(judge, form)).collect()
}

fn findings_of(judge: &JudgeApp, form: &[Input]) -> Vec<Problem> {
    let JudgeApp { app, judge, place } = judge;
    let problem = |message: String, help: String| Problem::new(place.clone(), message).help(help);
    let mut found = Vec::new();
    for name in SENT {
        let paragraph = format!("give `{app}` a paragraph `{name}` in Dify, and publish it");
        match form.iter().find(|input| input.name == name) {
            None => found.push(problem(
                format!("the judge `{judge}` is the app `{app}`, which has no input `{name}`: Dify drops it silently"),
                paragraph,
            )),
            Some(Input { kind: InputKind::Text, max_length, .. }) => {
                if let Some(most) = max_length.filter(|most| *most < LEAST_ROOM) {
                    found.push(problem(
                        format!(
                            "the input `{name}` of the app `{app}` takes at most {most} characters: Dify refuses longer \
                             texts, and the judge `{judge}` then decides nothing"
                        ),
                        format!("make `{name}` a paragraph of {LEAST_ROOM} characters or more"),
                    ));
                }
            }
            Some(_) => found.push(problem(
                format!("the input `{name}` of the app `{app}` is no text, but the judge `{judge}` sends text"),
                paragraph,
            )),
        }
    }
    let unsent = form.iter().filter(|input| input.required && !SENT.contains(&input.name.as_str()));
    found.extend(unsent.map(|input| {
        problem(
            format!(
                "the app `{app}` requires the input `{}`, which the judge `{judge}` does not send",
                input.name
            ),
            "make it optional in Dify: a judge sends `rubric`, `output` and `context`".to_owned(),
        )
    }));
    found
}
