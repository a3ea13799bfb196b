//! A live target's address, headers and keys, rendered with the environment; no text of a key is ever in an error.

use crate::base::template::TemplateScope;
use crate::base::workflow_id::parse_workflow_id;
use crate::dify::client::{Certificates, Endpoint, Recover, Timeouts};
use crate::plan::project_text::{ProjectTools, Setting, compile_node, render};
use crate::plan::target_error::TargetError;
use crate::suite::project::ProjectSpec;
use crate::suite::read_target::{AppSpec, RecoverySpec, TargetSpec, TimeoutsSpec};
use crate::yaml::node::Node;
use crate::yaml::reader::Reader;

/// Most bytes of one answer where the target does not say.
pub const MAX_BODY: u64 = 64_000_000;
/// What may be around a value that was copied with its quotes.
pub(super) const QUOTES: [char; 8] = ['"', '\'', '`', '“', '”', '‘', '’', '„'];
/// The fewest characters of a key: masking a shorter one would corrupt facts.
pub const SHORTEST_SECRET: usize = 6;

/// The address, without a slash at its end.
pub(super) fn read_base_url(
    spec: &TargetSpec,
    setting: &mut Setting<'_>,
    scope: &TemplateScope,
) -> Result<String, TargetError> {
    let Some(node) = &spec.base_url else { return Ok(String::new()) };
    let what = format!("`base_url` of the target `{}`", spec.name.value);
    let Some(text) = render(node, setting, scope).transpose() else { return Ok(String::new()) };
    let text = text.map_err(|error| TargetError::NotSet { what: what.clone(), reason: error.message })?;
    let text = text.trim().trim_end_matches('/').to_owned();
    if text.is_empty() {
        return Err(TargetError::NotSet { what, reason: "it is empty".to_owned() });
    }
    check_address(
        NamedNode { node, what: "`base_url`" },
        &text,
        "write e.g. `https://api.dify.ai/v1`",
        setting,
    );
    Ok(text)
}

/// A node of the project file, and how messages name it.
#[derive(Clone, Copy)]
pub(super) struct NamedNode<'a> {
    pub node: &'a Node,
    pub what: &'a str,
}

/// Notes an address that is none; a password in it is not shown.
pub(super) fn check_address(named: NamedNode<'_>, text: &str, help: &str, setting: &mut Setting<'_>) {
    let Some(reason) = why_no_address(text) else { return };
    let mut reader = Reader { source: setting.project.source.clone(), problems: setting.problems };
    let NamedNode { node, what } = named;
    reader.problem_with_help(node.mark, format!("{what} is no address: {reason}"), help);
    let excerpt = reader.problems.last_mut().map(|problem| &mut problem.place.excerpt);
    if let (Some(excerpt), Some(user)) = (excerpt, user_of(text)) {
        *excerpt = excerpt.replace(user, &"*".repeat(user.chars().count())).into();
    }
}

/// A user and password written into an address, whether or not it is one.
pub(super) fn user_of(address: &str) -> Option<&str> {
    let (_, rest) = address.split_once("//")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    authority.rsplit_once('@').map(|(user, _)| user).filter(|user| !user.is_empty())
}

fn why_no_address(text: &str) -> Option<String> {
    if text.starts_with(QUOTES) || text.ends_with(QUOTES) {
        let keepers = "which `docker run --env-file` and some build servers keep";
        return Some(format!("it is in quotes, {keepers}: take them off"));
    }
    match reqwest::Url::parse(text) {
        Err(error) => Some(error.to_string()),
        Ok(url) if !matches!(url.scheme(), "http" | "https") => {
            Some("it must begin with `http://` or `https://`".to_owned())
        }
        Ok(url) if url.host_str().is_none_or(str::is_empty) => Some("it names no host".to_owned()),
        Ok(url) if !url.username().is_empty() || url.password().is_some() => Some(
            "it may hold no user and no password, for the key is sent in their place; see `headers`"
                .to_owned(),
        ),
        Ok(url) if url.query().is_some() || url.fragment().is_some() => {
            Some("it may hold no `?` and no `#`".to_owned())
        }
        Ok(_) => None,
    }
}

/// An app's key, fit for a header.
pub(super) fn read_key(
    spec: &TargetSpec,
    app: &AppSpec,
    setting: &mut Setting<'_>,
    scope: &TemplateScope,
) -> Result<String, TargetError> {
    let what = match app.name.value.as_str() {
        "" => format!("the target `{}`", spec.name.value),
        name => format!("the app `{name}` of the target `{}`", spec.name.value),
    };
    let not_set = |reason: String| TargetError::NotSet { what: format!("the API key of {what}"), reason };
    let Some(node) = &app.api_key else { return Err(not_set("it has no `api_key`".to_owned())) };
    let key = match render(node, setting, scope) {
        Ok(Some(key)) => key,
        Ok(None) => return Err(not_set("its template has a problem".to_owned())),
        Err(error) => return Err(not_set(error.message)),
    };
    if key.trim().is_empty() {
        return Err(not_set("it is empty".to_owned()));
    }
    match why_no_key(&key) {
        Some(reason) => Err(TargetError::BadKey { what, reason: reason.to_owned() }),
        None => Ok(key),
    }
}

/// The version of an app that is pinned, that of the command line before its own; what cannot be one is a problem at its line.
pub(super) fn read_version(
    app: &AppSpec,
    setting: &mut Setting<'_>,
    scope: &TemplateScope,
) -> Option<String> {
    if let Some(chosen) = &setting.choices.options.workflow_id {
        return Some(chosen.clone());
    }
    let node = app.workflow_id.as_ref()?;
    let text = read_text(NamedNode { node, what: "`workflow_id`" }, setting, scope)?;
    match parse_workflow_id(&text) {
        Ok(id) => Some(id),
        Err(message) => {
            let mut reader = Reader { source: setting.project.source.clone(), problems: setting.problems };
            reader.problem(node.mark, format!("`workflow_id`: {message}"));
            None
        }
    }
}

/// A rendered text of the target in use; one that cannot be rendered is a problem at its line.
fn read_text(named: NamedNode<'_>, setting: &mut Setting<'_>, scope: &TemplateScope) -> Option<String> {
    let NamedNode { node, what } = named;
    match render(node, setting, scope) {
        Ok(text) => text,
        Err(error) => {
            let mut reader = Reader { source: setting.project.source.clone(), problems: setting.problems };
            reader.problem(node.mark, format!("{what} cannot be rendered: {error}"));
            None
        }
    }
}

/// What is wrong with a key, said without it; what surrounds it is named first.
pub(super) fn why_no_key(key: &str) -> Option<&'static str> {
    let text = key.trim();
    let scheme = text.get(..6).filter(|word| word.eq_ignore_ascii_case("bearer"));
    if text.starts_with(QUOTES) || text.ends_with(QUOTES) {
        Some("it is in quotes, which `docker run --env-file` and some build servers keep: take them off")
    } else if scheme.is_some_and(|word| text[word.len()..].starts_with([' ', ':', '\t'])) {
        Some("it begins with `Bearer`, which is sent in front of it anyway: leave the word out")
    } else if key.contains(['\n', '\r']) {
        Some("it holds a line end, often left over from reading it out of a file")
    } else if text != key {
        Some("it begins or ends with blanks")
    } else if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        Some("it holds characters that no header can carry")
    } else if key.len() < SHORTEST_SECRET {
        Some("it has fewer than 6 characters")
    } else {
        None
    }
}

/// Extra headers, rendered; a value that no header can carry is a problem.
fn read_headers(
    spec: &TargetSpec,
    setting: &mut Setting<'_>,
    scope: &TemplateScope,
) -> Vec<(String, String)> {
    let mut headers = Vec::new();
    for entry in &spec.headers {
        let reason = match render(&entry.value, setting, scope) {
            Ok(Some(value)) if value.bytes().all(|byte| byte == b'\t' || (b' '..=b'~').contains(&byte)) => {
                headers.push((entry.key.clone(), value));
                continue;
            }
            Ok(Some(_)) => "it holds characters that no header can carry".to_owned(),
            Ok(None) => continue,
            Err(error) => error.message,
        };
        let mut reader = Reader { source: setting.project.source.clone(), problems: setting.problems };
        reader.problem(entry.value.mark, format!("the header `{}` cannot be sent: {reason}", entry.key));
    }
    headers
}

/// Compiles the templates of all targets, whichever is in use; only that one's are rendered.
pub(super) fn check_templates(project: Option<&ProjectSpec>, tools: ProjectTools<'_>) {
    let Some(project) = project else { return };
    let mut setting = tools.of(project);
    for target in &project.targets {
        let keys = target.apps.iter().filter_map(|app| app.api_key.as_ref());
        let headers = target.headers.iter().map(|entry| &entry.value);
        let versions = target.apps.iter().filter_map(|app| app.workflow_id.as_ref());
        let others = target.base_url.iter().chain(&target.ca_file).chain(&target.proxy);
        for node in others.chain(keys).chain(versions).chain(headers) {
            compile_node(node, &mut setting);
        }
    }
}

/// An endpoint of which nothing is set.
pub(super) fn bare_endpoint() -> Endpoint {
    Endpoint {
        base_url: String::new(),
        headers: Vec::new(),
        ca_file: None,
        proxy: None,
        certificates: Certificates::Checked,
        kept_connections: 0,
        timeouts: Timeouts::default(),
        recovery: Recover::default(),
        max_body: MAX_BODY,
    }
}

/// The endpoint that a target describes.
pub(super) fn endpoint_of(
    spec: &TargetSpec,
    base_url: String,
    setting: &mut Setting<'_>,
    scope: &TemplateScope,
) -> Endpoint {
    let ca_file = spec
        .ca_file
        .as_ref()
        .and_then(|node| read_text(NamedNode { node, what: "`ca_file`" }, setting, scope));
    let proxy =
        spec.proxy.as_ref().and_then(|node| read_text(NamedNode { node, what: "`proxy`" }, setting, scope));
    Endpoint {
        base_url,
        headers: read_headers(spec, setting, scope),
        ca_file: ca_file.map(|path| setting.project.folder.join(path)),
        proxy,
        certificates: if spec.insecure { Certificates::Unchecked } else { Certificates::Checked },
        timeouts: timeouts_of(spec.timeouts),
        recovery: recovery_of(spec.recovery),
        max_body: spec.max_body.unwrap_or(MAX_BODY),
        ..bare_endpoint()
    }
}

fn timeouts_of(spec: TimeoutsSpec) -> Timeouts {
    let built_in = Timeouts::default();
    Timeouts {
        connect: spec.connect.unwrap_or(built_in.connect),
        first_event: spec.first_event.unwrap_or(built_in.first_event),
        idle: spec.idle.unwrap_or(built_in.idle),
        total: spec.total.unwrap_or(built_in.total),
    }
}

fn recovery_of(spec: RecoverySpec) -> Recover {
    let built_in = Recover::default();
    Recover { deadline: spec.deadline.unwrap_or(built_in.deadline), poll: spec.poll.unwrap_or(built_in.poll) }
}
