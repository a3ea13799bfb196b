//! `GET` and `POST /form/human_input/{token}`: the forms of paused runs, and the answers that let them go on.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};

use serde_json::{Map, Value};

use super::files::{UploadScope, resolve_all};
use super::life::Phase;
use super::pace::wait_before;
use super::refusal::MockRefusal;
use super::request::{pydantic, read_object, read_user, violation};
use super::route::MockCall;
use super::state::{MockState, StoredRun};
use crate::base::clock;
use crate::base::lock::lock;
use crate::dify::mock::answer::MockRun;
use crate::dify::mock::answer::pauses::{
    PauseProgress, PendingForm, Submission, WaitingRun, waiting, write_answered,
};
use crate::dify::mock::reply::pause::ScriptedFieldKind;

/// Forms that are remembered.
const MOST_FORMS: usize = 10_000;

/// Where a run stands: the pause it waits in, or was last in, and which of its forms were answered.
#[derive(Debug, Default)]
pub struct PauseStanding {
    pause: usize,
    answered: Vec<bool>,
}

/// Forms by their tokens; the oldest is forgotten.
#[derive(Default)]
pub struct StoredForms {
    order: VecDeque<String>,
    by_token: HashMap<String, FormEntry>,
}

/// A form of a run that may be forgotten by now.
struct FormEntry {
    stored: Weak<StoredRun>,
    pause: usize,
    form: usize,
}

/// A form of a run.
struct StoredForm {
    stored: Arc<StoredRun>,
    pause: usize,
    form: usize,
}

impl StoredForms {
    /// Remembers the forms of a pause.
    pub fn remember(&mut self, stored: &Arc<StoredRun>, pause: usize) {
        let count = stored.run.graph.pauses.get(pause).map_or(0, Vec::len);
        for form in 0..count {
            let token = PendingForm::find(&stored.run, pause, form).and_then(|form| form.token());
            let Some(token) = token else { continue };
            self.order.push_back(token.clone());
            self.by_token.insert(token, FormEntry { stored: Arc::downgrade(stored), pause, form });
        }
        while self.order.len() > MOST_FORMS {
            if let Some(oldest) = self.order.pop_front() {
                self.by_token.remove(&oldest);
            }
        }
    }
}

impl PauseStanding {
    /// Before the first pause of a run.
    pub fn of(run: &MockRun) -> Self {
        Self { pause: 0, answered: vec![false; run.graph.pauses.first().map_or(0, Vec::len)] }
    }

    fn is_answered(&self, pause: usize, form: usize) -> bool {
        pause < self.pause || (pause == self.pause && self.answered.get(form) == Some(&true))
    }

    /// The forms of the present pause that wait.
    fn waiting(&self) -> Vec<usize> {
        let waiting = self.answered.iter().enumerate().filter(|(_, answered)| !**answered);
        waiting.map(|(form, _)| form).collect()
    }
}

impl StoredRun {
    /// The run's status now.
    pub fn status(&self) -> &'static str {
        match self.life.phase() {
            Phase::Running => "running",
            Phase::Paused => "paused",
            // Other than in its detail, where it says "running" for ever.
            Phase::Ended if self.is_stopped.load(Ordering::Relaxed) => "stopped",
            Phase::Ended => self.run.graph.status.word(),
        }
    }

    /// What the run waits for, and its totals so far.
    pub fn waiting(&self) -> WaitingRun {
        let standing = lock(&self.standing);
        let group = self.run.graph.pauses.get(standing.pause).map_or(&[][..], Vec::as_slice);
        let forms: Vec<_> = standing.waiting().into_iter().filter_map(|form| group.get(form)).collect();
        waiting(&self.run, &forms)
    }
}

/// Answers `GET /form/human_input/{token}`.
pub fn answer_form(state: &MockState, call: &MockCall, token: &str) -> Result<Value, MockRefusal> {
    let asked = find(state, call, token)?;
    let form = asked.form()?;
    asked.check_open(&lock(&asked.stored.standing), &form)?;
    Ok(form.shown())
}

/// Answers `POST /form/human_input/{token}`: a valid answer lets the run go on.
pub fn answer_submit(state: &MockState, call: &MockCall, token: &str) -> Result<Value, MockRefusal> {
    let body = read_object(call.content_type.as_deref(), &call.body)?;
    let user = read_user(&body)?;
    let submission = read_submission(body, state)?;
    let asked = find(state, call, token)?;
    let form = asked.form()?;
    let mut standing = lock(&asked.stored.standing);
    asked.check_open(&standing, &form)?;
    let scope = UploadScope { state, app: &call.app, user: &user };
    let submission = check_submission(&form, submission, scope)?;
    standing.answered[asked.form] = true;
    let waiting = standing.waiting();
    let run = &asked.stored.run;
    let answered =
        PauseProgress { pause: asked.pause, form: asked.form, submission: &submission, waiting: &waiting };
    let events = write_answered(run, answered);
    if waiting.is_empty() {
        let next = standing.pause + 1;
        let forms = run.graph.pauses.get(next).map_or(0, Vec::len);
        *standing = PauseStanding { pause: next, answered: vec![false; forms] };
        state.ask(&asked.stored, next);
    }
    asked.stored.life.go_on(events, |event| wait_before(event, state.options.pace));
    Ok(Value::Object(Map::new()))
}

fn find(state: &MockState, call: &MockCall, token: &str) -> Result<StoredForm, MockRefusal> {
    let known = state.forms().by_token.get(token).and_then(|known| {
        let stored = known.stored.upgrade()?;
        Some(StoredForm { stored, pause: known.pause, form: known.form })
    });
    known.filter(|asked| *asked.stored.app == *call.app).ok_or_else(|| not_found(token))
}

/// The framework adds what else the address could have meant.
fn not_found(token: &str) -> MockRefusal {
    let message = format!(
        "Form not found. You have requested this URI [/v1/form/human_input/{token}] but did you mean \
         /v1/form/human_input/<string:form_token> or /api/form/human_input/<string:form_token> or \
         /console/api/form/human_input/<string:form_token> ?"
    );
    MockRefusal::new(404, "not_found", message)
}

impl StoredForm {
    fn form(&self) -> Result<PendingForm<'_>, MockRefusal> {
        PendingForm::find(&self.stored.run, self.pause, self.form).ok_or_else(MockRefusal::unknown)
    }

    fn check_open(&self, standing: &PauseStanding, form: &PendingForm<'_>) -> Result<(), MockRefusal> {
        let id = form.id();
        if standing.is_answered(self.pause, self.form) {
            let message = format!("This form has already been submitted by another user, form_id={id}");
            return Err(MockRefusal::new(412, "human_input_form_submitted", message));
        }
        if clock::wall().as_second() >= form.expires_at() {
            let message = format!("This form has expired, form_id={id}");
            return Err(MockRefusal::new(412, "human_input_form_expired", message));
        }
        Ok(())
    }
}

fn read_submission(mut body: Map<String, Value>, state: &MockState) -> Result<Submission, MockRefusal> {
    let mut errors = Vec::new();
    let whole = Value::Object(body.clone());
    let inputs = match body.remove("inputs") {
        Some(Value::Object(inputs)) => inputs,
        Some(other) => {
            errors.push(violation("inputs", "Input should be a valid dictionary", "dict_type", &other));
            Map::new()
        }
        None => {
            errors.push(violation("inputs", "Field required", "missing", &whole));
            Map::new()
        }
    };
    let action = match body.remove("action") {
        Some(Value::String(action)) => action,
        Some(other) => {
            errors.push(violation("action", "Input should be a valid string", "string_type", &other));
            String::new()
        }
        None => {
            errors.push(violation("action", "Field required", "missing", &whole));
            String::new()
        }
    };
    match errors.is_empty() {
        true => Ok(Submission { action, inputs }),
        false => Err(pydantic("HumanInputFormSubmitPayload", &errors, state.options.version)),
    }
}

/// The action is one of the form's, every field is there, and files are the user's own.
fn check_submission(
    form: &PendingForm<'_>,
    submission: Submission,
    scope: UploadScope<'_>,
) -> Result<Submission, MockRefusal> {
    let refused = |message: String| MockRefusal::new(400, "invalid_form_data", message);
    if form.pause.actions.iter().all(|action| action.id != submission.action) {
        return Err(refused(format!("Invalid action: {}", submission.action)));
    }
    let fields = || form.pause.fields.iter().flatten();
    let missing: Vec<&str> = fields()
        .map(|field| field.name.as_str())
        .filter(|name| !submission.inputs.contains_key(*name))
        .collect();
    if !missing.is_empty() {
        return Err(refused(format!("Missing required inputs: {}", missing.join(", "))));
    }
    let takes_files =
        fields().any(|field| matches!(field.kind, ScriptedFieldKind::File | ScriptedFieldKind::Files));
    if !takes_files {
        return Ok(submission);
    }
    let inputs = resolve_all(scope, &submission.inputs).map_err(refused)?.unwrap_or(submission.inputs);
    Ok(Submission { inputs, ..submission })
}
