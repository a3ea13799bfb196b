//! The keys of a suite file, in the order in which messages name them.

use crate::suite::keys::format_key::{FormatKey, key};

/// A suite.
pub const SUITE: [FormatKey; 12] = [
    key("version", "`1`", "required", "the version of this format"),
    key(
        "name",
        "text",
        "the file's path below the suites folder, without its ending",
        "name of the suite; first part of each test's full name",
    ),
    key(
        "app",
        "text",
        "the target's only app",
        "which app of the target runs it; Dify has one API key per app",
    ),
    key("description", "text", "none", "for people"),
    key(
        "tags",
        "list of text",
        "none",
        "added to every test of the suite; select with `--tag` and `--skip-tag`",
    ),
    key("vars", "mapping", "none", "values for templates, as `vars.name`; each may use those before it"),
    key("usage", "`audit`, `trust`", "the target's", "see [The project file](#the-project-file)"),
    key(
        "defaults",
        "mapping",
        "none",
        "keys that every test of the suite inherits: `inputs`, `timeout`, `assert` and the other keys of a test, except its name, rows and mock answer",
    ),
    key(
        "thresholds",
        "mapping",
        "none",
        "limits for all attempts of the suite together: `pass_rate`, `latency`, `server_latency`, `ttft`, `tokens`, `cost`, `steps`; see [Thresholds of a suite](gates.md#thresholds-of-a-suite)",
    ),
    key(
        "budget",
        "mapping",
        "none",
        "what the suite may use: `tokens`, `cost`, `time`, `per_test`, `on_exceed`; see [Budgets](#budgets)",
    ),
    key("mock", "list", "none", "answers chosen by inputs; see [The mock's answers](#the-mocks-answers)"),
    key("tests", "list", "required", "the tests, at least one"),
];

/// The keys of a test that a suite may set for all its tests, under `defaults`.
pub const DEFAULTS: [FormatKey; 12] = [
    key(
        "inputs",
        "mapping",
        "`{}`",
        "the workflow's variables, as Dify names them. Dify silently drops a name it does not know; [`check --against`](cli.md#check) finds it",
    ),
    key(
        "files",
        "mapping",
        "none",
        "files for the workflow's file variables; see [Files to send](#files-to-send)",
    ),
    key(
        "user",
        "text",
        "unique for each attempt",
        "Dify's end user; see [Lost runs](#lost-runs) before you choose your own",
    ),
    key(
        "response_mode",
        "`streaming`, `blocking`",
        "`streaming`; `blocking` where the test's own `status` is `rejected`",
        "how Dify is asked to answer. In blocking mode nothing is known about the nodes",
    ),
    key(
        "timeout",
        "duration",
        "the target's `total`",
        "limit of a whole attempt, including its checks: an attempt that is not judged by then is errored as timed out, but checks always have at least a second",
    ),
    key(
        "retries",
        "count or mapping",
        "the target's",
        "retries if the run certainly did not start, or, with `resend: true`, left no trace; a failed assertion is never retried. See [The project file](#the-project-file)",
    ),
    key(
        "repeat",
        "count, or `{ min, max }`",
        "`1`",
        "how often the test runs, side by side up to `concurrency`; with `min` and `max`: until the result is decided. See [Repeats and gates](gates.md)",
    ),
    key("pass_rate", "share", "`1`", "the share of the repeats that must pass"),
    key("fail_below", "share", "`pass_rate` - 0.2", "with `min` and `max`: the rate at which the test fails"),
    key(
        "confidence",
        "share",
        "`0.95`",
        "with `min` and `max`: 1 minus the probability of either wrong verdict; also the confidence of the interval in reports",
    ),
    key(
        "on_inconclusive",
        "`fail`, `warn`",
        "`fail`",
        "with `min` and `max`: how a test counts if its repeats did not decide",
    ),
    key("assert", "list", "none", "what must hold; see [Assertions](#assertions)"),
];

/// A test.
pub const TEST: [FormatKey; 22] = [
    key(
        "name",
        "text",
        "required",
        "unique in the suite. Without `::` and control characters, and not beginning with `-`",
    ),
    key("description", "text", "none", "for people"),
    key("tags", "list of text", "none", "added to the suite's"),
    key("skip", "text", "none", "the reason why the test is not run; it is reported as skipped"),
    key("only", "`true`", "`false`", "run only tests with this key. Refused if `CI` is set"),
    key("skip_defaults", "`true`", "`false`", "without the suite's default assertions"),
    DEFAULTS[0],
    DEFAULTS[1],
    DEFAULTS[2],
    DEFAULTS[3],
    DEFAULTS[4],
    DEFAULTS[5],
    DEFAULTS[6],
    DEFAULTS[7],
    DEFAULTS[8],
    DEFAULTS[9],
    DEFAULTS[10],
    key("each", "list or file", "none", "one test for each row; see [Rows](#rows)"),
    key("matrix", "mapping of lists", "none", "one test for each combination"),
    key(
        "human_input",
        "list",
        "none",
        "answers to the forms of a run that waits for a person; see [Answers to forms](#answers-to-forms)",
    ),
    DEFAULTS[11],
    key("mock", "mapping", "none", "what the mock answers; see [The mock's answers](#the-mocks-answers)"),
];

/// `retries` of a test, a target or a profile.
pub const RETRIES: [FormatKey; 5] = [
    key("count", "count", "`3`", "how many tries follow the first"),
    key("delay", "duration", "`1s`", "before the first retry"),
    key("max_delay", "duration", "`30s`", "at most between two tries"),
    key("jitter", "`true`, `false`", "`true`", "draw delays at random"),
    key("resend", "`true`, `false`", "`false`", "also re-send when the run may have started"),
];

/// `repeat` of a test or a profile.
pub const REPEAT: [FormatKey; 2] =
    [key("min", "count", "`1`", "fewest repeats"), key("max", "count", "required", "most repeats")];

/// An answer of `human_input`.
pub const FORM_ANSWER: [FormatKey; 4] = [
    key("node", "text", "required", "title or id of the node that asks, a template"),
    key("action", "text", "required", "id or title of the action taken, a template"),
    key(
        "inputs",
        "mapping",
        "none",
        "what the person fills in, by field; a field left out takes the form's default",
    ),
    key("files", "mapping", "none", "files by field, uploaded before the answer is sent"),
];

/// `thresholds` of a suite.
pub const THRESHOLDS: [FormatKey; 7] = [
    key(
        "pass_rate",
        "share, or bounds",
        "none",
        "the share of the attempts that passed: the least it may be, or bounds",
    ),
    key("latency", "mapping by statistic", "none", "time from the request to the end, by flowproof's clock"),
    key("server_latency", "mapping by statistic", "none", "Dify's own time of the run"),
    key("ttft", "mapping by statistic", "none", "time from the request to the model's first token"),
    key("tokens", "mapping by statistic", "none", "tokens by Dify's total"),
    key("cost", "mapping by statistic", "none", "price in one currency"),
    key("steps", "mapping by statistic", "none", "steps of the run"),
];

/// `budget` of a suite.
pub const BUDGET: [FormatKey; 5] = [
    key("tokens", "count", "none", "the most that all attempts together may use"),
    key(
        "cost",
        "amount, or a list with one for each currency, four at most",
        "none",
        "the same for prices. Sums are exact",
    ),
    key(
        "time",
        "duration",
        "none",
        "attempts start only within this time, counted from the first one; running attempts then end by themselves",
    ),
    key("per_test", "`{ tokens, cost }`", "none", "the most that one attempt may use. Only in a suite"),
    key(
        "on_exceed",
        "`stop`",
        "`stop`",
        "what happens when an attempt no longer fits: it is not sent. This is the only value",
    ),
];

/// `budget.per_test`.
pub const CAP: [FormatKey; 2] = [
    key("tokens", "count", "none", "tokens, more than 0"),
    key("cost", "amount", "none", "an amount of money"),
];
