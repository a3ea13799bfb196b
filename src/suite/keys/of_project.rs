//! The keys of the project file, in the order in which messages name them.

use crate::suite::keys::format_key::{FormatKey, key};
use crate::suite::keys::of_suite::BUDGET;

/// The project file.
pub const PROJECT: [FormatKey; 11] = [
    key("version", "`1`", "required", "the version of this format"),
    key("suites", "list of folders", "`[suites]`", "where the suites are"),
    key("targets", "mapping by name", "none", "the Dify servers that can be tested. `mock` is built in"),
    key(
        "profiles",
        "mapping by name",
        "`default: { target: mock }`",
        "named settings, chosen with `--profile`: `target`, `repeat` (a number or `{ min, max }`), `concurrency`, `rate`, `retries`, `timeout`, `budget` (see [Budgets](#budgets))",
    ),
    key(
        "reports",
        "`{ dir, formats }`",
        "`reports`, `[junit, json, html, markdown]`",
        "the folder of the reports, and [their formats](cli.md#reports)",
    ),
    key(
        "env",
        "list of names of environment variables",
        "none",
        "the variables that suites may read as `env.NAME`; the project file itself may read any. Without a project file suites may read names that begin with `FLOWPROOF_VAR_`. `--env-names` limits both",
    ),
    key(
        "env_file",
        "path inside the project",
        "none",
        "a file of further variables, `NAME=value` on each line; the environment takes precedence. No such file is read unless it is named here",
    ),
    key(
        "secrets",
        "list of names of environment variables",
        "none",
        "their values are masked everywhere. Keys, headers of targets, what both are made of, and user and password of a `proxy` are masked anyway ([which values, and in which forms](security.md#secrets)). A value of fewer than 6 characters is a problem",
    ),
    key(
        "mock",
        "`{ dify_version, apps }`",
        "`\"1.14\"`, none",
        "which version of Dify the mock imitates, and the input form of its apps: `apps: { triage: { parameters: [Dify's user_input_form] } }`. An app that is not named accepts any inputs",
    ),
    key(
        "compare",
        "mapping",
        "none",
        "the limits that `flowproof compare` applies; see [Gates of comparisons](#gates-of-comparisons)",
    ),
    key(
        "judges",
        "mapping by name",
        "none",
        "the judges: `{ url, api_key, model }`, an OpenAI-compatible endpoint, or `{ app }`, a Dify workflow; both with `repeat` and `timeout`. See [Judges](judges.md)",
    ),
];

/// A profile.
pub const PROFILE: [FormatKey; 7] = [
    key("target", "text", "`mock`", "the target it runs on"),
    key("repeat", "count, or `{ min, max }`", "the test's", "how often each test runs"),
    key("concurrency", "count", "the target's", "at most this many attempts at the same time"),
    key("rate", "rate", "the target's", "start at most this many requests a second"),
    key("retries", "count or mapping", "the target's", "tries after the first"),
    key("timeout", "duration", "the target's `total`", "limit of a whole attempt"),
    key("budget", "mapping", "none", "what a run may use; see [Budgets](#budgets)"),
];

/// `budget` of a profile: that of a suite without a limit for each attempt.
pub const PROFILE_BUDGET: [FormatKey; 4] = [BUDGET[0], BUDGET[1], BUDGET[2], BUDGET[4]];

/// `reports`.
pub const REPORTS: [FormatKey; 2] = [
    key("dir", "folder", "`reports`", "the folder of the reports"),
    key("formats", "list", "`[junit, json, html, markdown]`", "which reports are written"),
];

/// `compare`.
pub const COMPARE: [FormatKey; 7] = [
    key(
        "pass_rate",
        "`{ worse_by, alpha }`",
        "none",
        "fails when the pass rate fell by more than this share, by more than chance",
    ),
    key(
        "tokens",
        "`{ worse_by, alpha }`",
        "none",
        "fails when B uses more tokens in total by more than this share, by more than chance",
    ),
    key(
        "cost",
        "`{ worse_by, alpha }`",
        "none",
        "fails when B costs more in total by more than this share, by more than chance",
    ),
    key(
        "latency",
        "`{ worse_by, alpha }`",
        "none",
        "fails when a typical run of B takes longer by more than this share, by more than chance",
    ),
    key(
        "ttft",
        "`{ worse_by, alpha }`",
        "none",
        "fails when a typical run of B takes longer to its first token by more than this share, by more than chance",
    ),
    key(
        "max_changed",
        "a number of tests, or a share with `%`",
        "none",
        "fails when more tests changed, regressed, improved, or are on one side only. With repeats, a test changed when that is significant",
    ),
    key(
        "min_similarity",
        "a share",
        "none",
        "fails when the outputs of a test are less alike: texts by `ratio` (see [Likeness](#likeness)), lists and objects as the mean of their members. If that is unknown for a test, and no other test fails, the gate is inconclusive",
    ),
];

/// A gate of `compare`.
pub const GATE: [FormatKey; 2] = [
    key("worse_by", "share", "required", "the most it may be worse by, such as `10%`"),
    key("alpha", "share", "`0.05`", "the probability of a false alarm over all gates"),
];

/// A judge.
pub const JUDGE: [FormatKey; 6] = [
    key("url", "text", "none", "its address"),
    key("api_key", "text", "none", "its key"),
    key("model", "text", "none", "its model"),
    key("app", "text", "none", "a Dify workflow"),
    key("repeat", "odd count", "`1`", "votes for each question, an odd number"),
    key("timeout", "duration", "none", "the longest time for one vote"),
];

/// A target.
pub const TARGET: [FormatKey; 16] = [
    key("base_url", "text", "required", "ends in `/v1`; contains no user and no password"),
    key("apps", "mapping by name", "none", "each with `api_key` and, if pinned, `workflow_id`"),
    key("api_key", "text", "none", "the API key, here instead of below `apps` if there is only one app"),
    key(
        "workflow_id",
        "text",
        "none",
        "the same for the app's version: it pins a published version by Dify's UUID, and that version must run",
    ),
    key(
        "concurrency",
        "count",
        "`8`",
        "at most this many attempts at the same time; fewer while Dify refuses some as too many",
    ),
    key(
        "rate",
        "rate",
        "none",
        "start at most this many requests a second; the run reports how far the rate was reached (see \"Three clocks\")",
    ),
    key(
        "timeouts",
        "`{ connect, first_event, idle, total }`",
        "`10s`, `60s`, `30s`, `5m`",
        "for the connection; for the first event of a stream or the head of a blocking answer; for any bytes after that; for the whole attempt",
    ),
    key(
        "retries",
        "count, or `{ count, delay, max_delay, jitter, resend }`",
        "`3`, `1s`, `30s`, `true`, `false`",
        "tries after the first, only where the run surely did not start. `resend: true`: also where it may have run and left no trace; see [Lost runs](#lost-runs)",
    ),
    key(
        "recovery",
        "`{ deadline, poll }`",
        "`2m`, `2s`",
        "how long a lost run is searched for, at most, and the pause between the first two polls; see [Lost runs](#lost-runs)",
    ),
    key(
        "usage",
        "`audit`, `trust`",
        "`audit`",
        "`trust` accepts Dify's total of tokens as it is, except a total of 0 if a model ran, which stays unknown",
    ),
    key(
        "contract",
        "`watch`, `strict`",
        "`watch`",
        "what Dify is not known to send is reported; with `strict` its test fails too",
    ),
    key(
        "headers",
        "mapping",
        "none",
        "extra headers of every request; their values are [secret](security.md#secrets)",
    ),
    key("ca_file", "path", "none", "a PEM file with one more certificate authority"),
    key(
        "proxy",
        "address, or `none`",
        "the system's",
        "the proxy; `none`: no proxy, whatever the environment says",
    ),
    key("insecure", "`true`, `false`", "`false`", "certificates are not checked"),
    key(
        "max_body",
        "size",
        "`64MB`",
        "largest answer that is read, from 1KB to 1GB: see *Large answers* below",
    ),
];

/// An app of a target.
pub const APP: [FormatKey; 2] = [
    key("api_key", "text", "required", "its API key"),
    key("workflow_id", "text", "none", "pins a published version by Dify's UUID"),
];

/// `timeouts` of a target.
pub const TIMEOUTS: [FormatKey; 4] = [
    key("connect", "duration", "`10s`", "for the connection"),
    key(
        "first_event",
        "duration",
        "`60s`",
        "for the first event of a stream or the head of a blocking answer",
    ),
    key("idle", "duration", "`30s`", "for any bytes after that"),
    key("total", "duration", "`5m`", "for the whole attempt"),
];

/// `recovery` of a target.
pub const RECOVERY: [FormatKey; 2] = [
    key("deadline", "duration", "`2m`", "how long a lost run is searched for, at most"),
    key("poll", "duration", "`2s`", "the pause between the first two polls"),
];
