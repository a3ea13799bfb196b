//! One target of the project file as written.

use std::time::Duration;

use crate::base::units::{RequestRate, format_size, parse_rate, parse_size};
use crate::suite::keys::format_key::names;
use crate::suite::keys::of_project::{APP, RECOVERY, TARGET, TIMEOUTS};
use crate::suite::read_suite::USAGE_WORDS;
use crate::suite::spec::{RetriesSpec, UsageSpec};
use crate::suite::test_reader::read_retries;
use crate::yaml::node::{MapEntry, Node};
use crate::yaml::reader::{Located, Reader};

/// One target.
#[derive(Debug)]
pub struct TargetSpec {
    /// Its name.
    pub name: Located<String>,
    /// Its address, a template.
    pub base_url: Option<Node>,
    /// Its apps; an app without a name is given directly under the target.
    pub apps: Vec<AppSpec>,
    /// Attempts at once.
    pub concurrency: Option<u32>,
    /// Requests begun per second.
    pub rate: Option<RequestRate>,
    /// The waits of an exchange.
    pub timeouts: TimeoutsSpec,
    /// Infrastructure retries.
    pub retries: RetriesSpec,
    /// How lost runs are looked for.
    pub recovery: RecoverySpec,
    /// Whether Dify's token total is audited.
    pub usage: Option<UsageSpec>,
    /// Extra headers, templates.
    pub headers: Vec<MapEntry>,
    /// PEM file of a certificate authority, a template.
    pub ca_file: Option<Node>,
    /// Proxy address, a template.
    pub proxy: Option<Node>,
    /// `insecure: true`.
    pub insecure: bool,
    /// Most bytes of one answer.
    pub max_body: Option<u64>,
    /// `contract: strict`.
    pub strict: bool,
}

/// One app of a target.
#[derive(Debug)]
pub struct AppSpec {
    /// Its name; empty where the key is directly under the target.
    pub name: Located<String>,
    /// Its key, a template.
    pub api_key: Option<Node>,
    /// The published version to run, a template.
    pub workflow_id: Option<Node>,
}

/// `timeouts`, each key for itself.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct TimeoutsSpec {
    /// For the connection.
    pub connect: Option<Duration>,
    /// For the first data event or the head of a blocking answer.
    pub first_event: Option<Duration>,
    /// For any bytes after it.
    pub idle: Option<Duration>,
    /// For the whole attempt.
    pub total: Option<Duration>,
}

/// `recovery`, each key for itself.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct RecoverySpec {
    /// At most so long after a run was lost.
    pub deadline: Option<Duration>,
    /// Between the first two looks.
    pub poll: Option<Duration>,
}

/// Reads a target; what is wrong with it is noted in the reader.
pub fn read_target(reader: &mut Reader<'_>, name: Located<String>, node: &Node) -> TargetSpec {
    let mark = name.mark;
    let mut target = empty_target(name);
    let mut own = AppSpec { name: Located { value: String::new(), mark }, api_key: None, workflow_id: None };
    for entry in reader.map(node, "a target", &names(&TARGET)) {
        match entry.key.as_str() {
            "api_key" | "workflow_id" => read_app_key(reader, entry, &mut own),
            "apps" => read_apps(reader, &entry.value, &mut target.apps),
            _ => read_target_key(reader, entry, &mut target),
        }
    }
    let has_own = own.api_key.is_some() || own.workflow_id.is_some();
    if has_own && !target.apps.is_empty() {
        reader.problem(mark, "a target has `apps` or its own `api_key`, not both");
    } else if has_own {
        target.apps.push(own);
    }
    if node.as_map().is_some() {
        require(reader, &target, node);
    }
    target
}

fn require(reader: &mut Reader<'_>, target: &TargetSpec, node: &Node) {
    let mark = target.name.mark;
    if target.base_url.is_none() {
        let help = "add e.g. `base_url: https://api.dify.ai/v1`";
        reader.problem_with_help(mark, format!("the target `{}` has no `base_url`", target.name.value), help);
    }
    if target.apps.is_empty() && node.get("apps").is_none() {
        let help = "add `api_key: \"{{ env.DIFY_API_KEY }}\"`, or `apps:` with a key each";
        reader.problem_with_help(mark, format!("the target `{}` has no `api_key`", target.name.value), help);
    }
    for app in &target.apps {
        if app.api_key.is_none() {
            reader.problem(app.name.mark, "an app needs an `api_key`");
        }
    }
}

fn empty_target(name: Located<String>) -> TargetSpec {
    TargetSpec {
        name,
        base_url: None,
        apps: Vec::new(),
        concurrency: None,
        rate: None,
        timeouts: TimeoutsSpec::default(),
        retries: RetriesSpec::default(),
        recovery: RecoverySpec::default(),
        usage: None,
        headers: Vec::new(),
        ca_file: None,
        proxy: None,
        insecure: false,
        max_body: None,
        strict: false,
    }
}

fn read_target_key(reader: &mut Reader<'_>, entry: &MapEntry, target: &mut TargetSpec) {
    let value = &entry.value;
    match entry.key.as_str() {
        "base_url" => target.base_url = reader.filled_text(value, "`base_url`").map(|_| value.clone()),
        "concurrency" => target.concurrency = reader.bounded(value, "`concurrency`", 1..=4096),
        "rate" => target.rate = reader.rate(value),
        "timeouts" => target.timeouts = read_timeouts(reader, value),
        "retries" => target.retries = read_retries(reader, value),
        "recovery" => target.recovery = read_recovery(reader, value),
        "usage" => target.usage = reader.choice(value, "`usage`", &USAGE_WORDS).map(|usage| usage.value),
        "contract" => {
            let strict = reader.choice(value, "`contract`", &[("watch", false), ("strict", true)]);
            target.strict = strict.is_some_and(|strict| strict.value);
        }
        "headers" => target.headers = read_headers(reader, value),
        "ca_file" => target.ca_file = reader.filled_text(value, "`ca_file`").map(|_| value.clone()),
        "proxy" => target.proxy = reader.filled_text(value, "`proxy`").map(|_| value.clone()),
        "max_body" => target.max_body = read_max_body(reader, value),
        "insecure" => target.insecure = reader.boolean(value, "`insecure`").is_some_and(|flag| flag.value),
        _ => {}
    }
}

/// The bounds of `max_body`, bytes: the smallest holds any refusal, the largest is what one answer may take of memory.
const LEAST_BODY: u64 = 1_000;
const LARGEST_BODY: u64 = 1_000_000_000;

fn read_max_body(reader: &mut Reader<'_>, node: &Node) -> Option<u64> {
    let size = reader.parsed(node, "`max_body`", parse_size)?.value;
    if (LEAST_BODY..=LARGEST_BODY).contains(&size) {
        return Some(size);
    }
    let (least, most) = (format_size(LEAST_BODY), format_size(LARGEST_BODY));
    reader.problem(node.mark, format!("`max_body` must lie between {least} and {most}"));
    None
}

fn read_headers(reader: &mut Reader<'_>, node: &Node) -> Vec<MapEntry> {
    let Some(entries) = node.as_map() else {
        reader.problem(node.mark, format!("`headers` must be a mapping, found {}", node.kind()));
        return Vec::new();
    };
    for entry in entries {
        let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if entry.key.is_empty() || !entry.key.bytes().all(is_token) {
            reader.problem(entry.mark, format!("`{}` is no header name", entry.key));
        }
        if entry.key.eq_ignore_ascii_case("authorization") {
            reader.problem_with_help(entry.mark, "`authorization` is made from `api_key`", "remove it");
        }
        reader.text(&entry.value, "a header");
    }
    entries.to_vec()
}

fn read_apps(reader: &mut Reader<'_>, node: &Node, apps: &mut Vec<AppSpec>) {
    let Some(entries) = node.as_map() else {
        reader.problem(node.mark, format!("`apps` must be a mapping, found {}", node.kind()));
        return;
    };
    if entries.is_empty() {
        reader.problem(node.mark, "`apps` names no app");
    }
    for entry in entries {
        let mut app = AppSpec {
            name: Located { value: entry.key.clone(), mark: entry.mark },
            api_key: None,
            workflow_id: None,
        };
        for key in reader.map(&entry.value, "an app", &names(&APP)) {
            read_app_key(reader, key, &mut app);
        }
        apps.push(app);
    }
}

fn read_app_key(reader: &mut Reader<'_>, entry: &MapEntry, app: &mut AppSpec) {
    match entry.key.as_str() {
        "api_key" => app.api_key = reader.filled_text(&entry.value, "`api_key`").map(|_| entry.value.clone()),
        "workflow_id" => {
            app.workflow_id = reader.filled_text(&entry.value, "`workflow_id`").map(|_| entry.value.clone())
        }
        _ => {}
    }
}

fn read_timeouts(reader: &mut Reader<'_>, node: &Node) -> TimeoutsSpec {
    let mut timeouts = TimeoutsSpec::default();
    for entry in reader.map(node, "`timeouts`", &names(&TIMEOUTS)) {
        let duration = reader.positive_duration(&entry.value, &format!("`timeouts.{}`", entry.key));
        match entry.key.as_str() {
            "connect" => timeouts.connect = duration,
            "first_event" => timeouts.first_event = duration,
            "idle" => timeouts.idle = duration,
            "total" => timeouts.total = duration,
            _ => {}
        }
    }
    timeouts
}

fn read_recovery(reader: &mut Reader<'_>, node: &Node) -> RecoverySpec {
    let mut recovery = RecoverySpec::default();
    for entry in reader.map(node, "`recovery`", &names(&RECOVERY)) {
        let duration = reader.positive_duration(&entry.value, &format!("`recovery.{}`", entry.key));
        match entry.key.as_str() {
            "deadline" => recovery.deadline = duration,
            "poll" => recovery.poll = duration,
            _ => {}
        }
    }
    if let (Some(deadline), Some(poll)) = (recovery.deadline, recovery.poll)
        && poll > deadline
    {
        let help = "nothing would be looked for a second time";
        reader.problem_with_help(node.mark, "`recovery.poll` is longer than `recovery.deadline`", help);
    }
    recovery
}

impl Reader<'_> {
    /// A rate such as `5/s`.
    pub fn rate(&mut self, node: &Node) -> Option<RequestRate> {
        self.parsed(node, "`rate`", parse_rate).map(|rate| rate.value)
    }
}
