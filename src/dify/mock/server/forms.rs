//! `GET` and `POST /form/human_input/{token}`: the forms of paused runs, and the answers that let them go on.

use serde_json::{Map, Value};

use super::call::MockCall;
use super::files::{UploadScope, resolve_all};
use super::refusal::MockRefusal;
use super::request::{pydantic, read_object, read_user, violation};
use super::state::MockState;
use super::stored_forms::StoredForm;
use super::stored_run::CurrentPause;
use super::timeline::wait_before;
use crate::base::clock;
use crate::dify::mock::answer::pauses::PendingForm;
use crate::dify::mock::answer::resumption::{AnsweredPause, Submission, write_answered};
use crate::dify::mock::reply::pause::ScriptedFieldKind;

/// Answers `GET /form/human_input/{token}`.
pub fn answer_form(state: &MockState, call: &MockCall, token: &str) -> Result<Value, MockRefusal> {
    let stored = find(state, call, token)?;
    let form = pending(&stored)?;
    check_open(&stored, &stored.run.current_pause(), &form)?;
    Ok(form.shown())
}

/// Answers `POST /form/human_input/{token}`: a valid answer lets the run go on.
pub fn answer_submit(state: &MockState, call: &MockCall, token: &str) -> Result<Value, MockRefusal> {
    let body = read_object(call.content_type.as_deref(), &call.body)?;
    let user = read_user(&body)?;
    let submission = read_submission(body, state)?;
    let stored = find(state, call, token)?;
    let form = pending(&stored)?;
    let mut current = stored.run.current_pause();
    check_open(&stored, &current, &form)?;
    let scope = UploadScope { state, app: &call.app, user: &user };
    let submission = check_submission(&form, submission, scope)?;
    current.answer(stored.form);
    let waiting = current.waiting();
    let answered =
        AnsweredPause { pause: stored.pause, form: stored.form, submission: &submission, waiting: &waiting };
    let events = write_answered(&stored.run.run, answered);
    if waiting.is_empty() {
        current.move_on(&stored.run.run);
        state.open_forms(&stored.run, current.pause);
    }
    stored.run.timeline.go_on(events, |event| wait_before(event, state.options.pace));
    Ok(Value::Object(Map::new()))
}

fn find(state: &MockState, call: &MockCall, token: &str) -> Result<StoredForm, MockRefusal> {
    let found = state.forms().find(token).filter(|stored| *stored.run.app == *call.app);
    found.ok_or_else(|| not_found(token))
}

fn pending(stored: &StoredForm) -> Result<PendingForm<'_>, MockRefusal> {
    PendingForm::find(&stored.run.run, stored.pause, stored.form).ok_or_else(MockRefusal::unknown)
}

/// Refuses a form that is answered or expired.
fn check_open(
    stored: &StoredForm,
    current: &CurrentPause,
    form: &PendingForm<'_>,
) -> Result<(), MockRefusal> {
    let id = form.id();
    if current.is_answered(stored.pause, stored.form) {
        let message = format!("This form has already been submitted by another user, form_id={id}");
        return Err(MockRefusal::new(412, "human_input_form_submitted", message));
    }
    if clock::wall().as_second() >= form.expires_at() {
        let message = format!("This form has expired, form_id={id}");
        return Err(MockRefusal::new(412, "human_input_form_expired", message));
    }
    Ok(())
}

/// The framework suggests other addresses.
fn not_found(token: &str) -> MockRefusal {
    let message = format!(
        "Form not found. You have requested this URI [/v1/form/human_input/{token}] but did you mean \
         /v1/form/human_input/<string:form_token> or /api/form/human_input/<string:form_token> or \
         /console/api/form/human_input/<string:form_token> ?"
    );
    MockRefusal::new(404, "not_found", message)
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

/// Checks that the action is one of the form's, that every field is there, and that files are the user's own.
fn check_submission(
    form: &PendingForm<'_>,
    submission: Submission,
    scope: UploadScope<'_>,
) -> Result<Submission, MockRefusal> {
    let refused = |message: String| MockRefusal::new(400, "invalid_form_data", message);
    if form.form.actions.iter().all(|action| action.id != submission.action) {
        return Err(refused(format!("Invalid action: {}", submission.action)));
    }
    let fields = || form.form.fields.iter().flatten();
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
