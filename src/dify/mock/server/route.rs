//! Which call a request is, and whether it is allowed.

use std::sync::Arc;

use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use hyper::{Method, Request, Response};

use super::body::MockBody;
use super::call::MockCall;
use super::endpoints;
use super::follow;
use super::forms;
use super::refusal::MockRefusal;
use super::respond::{html, json, refuse};
use super::run;
use super::state::MockState;
use super::upload;
use crate::dify::mock::answer::json::{flask, spaced};
use crate::dify::mock::book::{MockAttemptId, recorded_number};
use crate::dify::mock::version::DifyVersion;

/// Most bytes of a request's body.
const MOST_BYTES: usize = 100 << 20;
/// The header that names a runner's attempt.
const ATTEMPT: &str = "x-flowproof-attempt";

/// A path that Dify knows.
enum DifyRoute<'p> {
    Run,
    RunById(&'p str),
    Detail(&'p str),
    Stop(&'p str),
    Events(&'p str),
    Form(&'p str),
    Submit(&'p str),
    Logs,
    Upload,
    Parameters,
    Info,
    Site,
    Meta,
    Completion,
    Root,
    RootWithoutSlash,
    Health,
}

fn route<'p>(path: &'p str, method: &Method) -> Option<DifyRoute<'p>> {
    let below = match path {
        "/health" => return Some(DifyRoute::Health),
        "/v1" => return Some(DifyRoute::RootWithoutSlash),
        "/v1/" => return Some(DifyRoute::Root),
        _ => path.strip_prefix("/v1/")?,
    };
    let parts: Vec<&str> = below.split('/').collect();
    Some(match parts.as_slice() {
        ["workflows", "run"] => DifyRoute::Run,
        ["workflows", "logs"] => DifyRoute::Logs,
        ["workflows", "run", id] if !id.is_empty() => DifyRoute::Detail(id),
        ["workflows", id, "run"] if !id.is_empty() => DifyRoute::RunById(id),
        ["workflows", "tasks", id, "stop"] if !id.is_empty() => DifyRoute::Stop(id),
        ["workflow", id, "events"] if !id.is_empty() => DifyRoute::Events(id),
        ["form", "human_input", token] if !token.is_empty() && *method == Method::POST => {
            DifyRoute::Submit(token)
        }
        ["form", "human_input", token] if !token.is_empty() => DifyRoute::Form(token),
        ["files", "upload"] => DifyRoute::Upload,
        ["parameters"] => DifyRoute::Parameters,
        ["info"] => DifyRoute::Info,
        ["site"] => DifyRoute::Site,
        ["meta"] => DifyRoute::Meta,
        ["completion-messages"] => DifyRoute::Completion,
        _ => return None,
    })
}

impl DifyRoute<'_> {
    /// Whether a version has it: runs can be followed, and forms answered, since 1.14.
    fn is_in(&self, version: DifyVersion) -> bool {
        match self {
            Self::Events(_) | Self::Form(_) | Self::Submit(_) => version == DifyVersion::V1_14,
            Self::Run | Self::RunById(_) | Self::Detail(_) | Self::Stop(_) | Self::Logs => true,
            Self::Upload | Self::Parameters | Self::Info | Self::Site | Self::Meta | Self::Completion => true,
            Self::Root | Self::RootWithoutSlash | Self::Health => true,
        }
    }

    fn method(&self) -> Method {
        match self {
            Self::Run | Self::RunById(_) | Self::Stop(_) => Method::POST,
            Self::Upload | Self::Completion | Self::Submit(_) => Method::POST,
            Self::Detail(_)
            | Self::Events(_)
            | Self::Form(_)
            | Self::Logs
            | Self::Parameters
            | Self::Info
            | Self::Site
            | Self::Meta => Method::GET,
            Self::Root | Self::RootWithoutSlash | Self::Health => Method::GET,
        }
    }
}

/// Answers one request.
pub async fn answer(state: &Arc<MockState>, request: Request<Incoming>) -> Response<MockBody> {
    let version = state.options.version;
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    let Some(route) = route(&path, &parts.method).filter(|route| route.is_in(version)) else {
        return html(version, 404, endpoints::NOT_FOUND.to_owned());
    };
    if parts.method == Method::OPTIONS {
        return endpoints::options(version, &route.method(), &parts.headers);
    }
    let is_head = parts.method == Method::HEAD && route.method() == Method::GET;
    if parts.method != route.method() && !is_head {
        let refusal =
            MockRefusal::new(405, "method_not_allowed", "The method is not allowed for the requested URL.");
        let mut response = refuse(version, &refusal);
        let allowed = HeaderValue::from_str(&format!("{}, OPTIONS", route.method()))
            .unwrap_or(HeaderValue::from_static("OPTIONS"));
        response.headers_mut().insert("allow", allowed);
        return response;
    }
    match route {
        DifyRoute::Health => return json(version, 200, endpoints::health(version)),
        DifyRoute::Root => return json(version, 200, endpoints::root(version)),
        DifyRoute::RootWithoutSlash => return endpoints::redirect(state, &parts.headers),
        DifyRoute::Run
        | DifyRoute::RunById(_)
        | DifyRoute::Detail(_)
        | DifyRoute::Stop(_)
        | DifyRoute::Logs
        | DifyRoute::Upload => {}
        DifyRoute::Parameters
        | DifyRoute::Info
        | DifyRoute::Site
        | DifyRoute::Meta
        | DifyRoute::Completion => {}
        DifyRoute::Events(_) | DifyRoute::Form(_) | DifyRoute::Submit(_) => {}
    }
    let AuthorisedCaller { app, attempt } = match authorise(state, &parts.headers) {
        Ok(caller) => caller,
        Err(refusal) => return refuse(version, &refusal),
    };
    let Ok(body) = Limited::new(body, MOST_BYTES).collect().await else {
        return html(version, 413, endpoints::TOO_LARGE.to_owned());
    };
    let content_type =
        parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let query = parts.uri.query().unwrap_or_default().to_owned();
    let recorded = attempt_header(&parts.headers).and_then(recorded_number);
    let call = MockCall { app, attempt, recorded, content_type, query, body: body.to_bytes() };
    dispatch(state, &route, &call).await
}

async fn dispatch(state: &Arc<MockState>, route: &DifyRoute<'_>, call: &MockCall) -> Response<MockBody> {
    let version = state.options.version;
    let answered = match route {
        DifyRoute::Run => return run::answer_run(state, call, None).await,
        DifyRoute::RunById(id) => return run::answer_run(state, call, Some(id)).await,
        DifyRoute::Events(id) => return follow::answer_events(state, call, id),
        DifyRoute::Form(token) => match forms::answer_form(state, call, token) {
            Ok(form) => return json(version, 200, spaced(&form)),
            Err(refusal) => Err(refusal),
        },
        DifyRoute::Submit(token) => forms::answer_submit(state, call, token).map(|value| (200, value)),
        DifyRoute::Upload => upload::answer_upload(state, call).await.map(|value| (201, value)),
        DifyRoute::Stop(task) => endpoints::stop(state, call, task).map(|value| (200, value)),
        DifyRoute::Detail(id) => endpoints::detail(state, call, id).map(|value| (200, value)),
        DifyRoute::Logs => endpoints::logs(state, call).map(|value| (200, value)),
        DifyRoute::Parameters => Ok((200, endpoints::parameters(state, &call.app))),
        DifyRoute::Info => Ok((200, endpoints::info(&call.app))),
        DifyRoute::Site => Ok((200, endpoints::site(&call.app))),
        DifyRoute::Meta => Ok((200, serde_json::json!({ "tool_icons": {} }))),
        DifyRoute::Completion => Err(MockRefusal::new(
            400,
            "app_unavailable",
            "App unavailable, please check your app configurations.",
        )),
        DifyRoute::Root | DifyRoute::RootWithoutSlash | DifyRoute::Health => Err(MockRefusal::unknown()),
    };
    match answered {
        Ok((status, value)) => json(version, status, flask(&value)),
        Err(refusal) => refuse(version, &refusal),
    }
}

/// The sender of a request with a valid key.
struct AuthorisedCaller {
    app: Arc<str>,
    attempt: Option<MockAttemptId>,
}

/// Finds the app of a key; the attempt of a runner names its own app.
fn authorise(state: &MockState, headers: &HeaderMap) -> Result<AuthorisedCaller, MockRefusal> {
    let header = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (scheme, key) = header.trim().split_once(char::is_whitespace).unwrap_or(("", ""));
    if !scheme.eq_ignore_ascii_case("bearer") || key.trim().is_empty() {
        return Err(MockRefusal::unauthorized(
            "Authorization header must be provided and start with 'Bearer'",
        ));
    }
    let attempt = attempt_header(headers).and_then(MockAttemptId::parse);
    match state.app_of(key.trim(), attempt) {
        Some(app) => Ok(AuthorisedCaller { app, attempt }),
        None => Err(MockRefusal::unauthorized("Access token is invalid")),
    }
}

/// The attempt or exchange that a runner names in its header.
fn attempt_header(headers: &HeaderMap) -> Option<&str> {
    headers.get(ATTEMPT).and_then(|value| value.to_str().ok())
}
