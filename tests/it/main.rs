//! The integration tests: one binary, one module a subject.
//!
//! The list below is the table of contents.

#![allow(
    clippy::disallowed_methods,
    clippy::fn_params_excessive_bools,
    clippy::too_many_lines,
    clippy::unwrap_used,
    reason = "tests may unwrap, read the time and are of any length"
)]

/// Runs that are taken up again, by `--resume` and `--rerun`; records that are damaged, in use, or can no longer be written.
mod again;
/// `check --against`: what tests send compared with what apps take, and names of nodes against what ran.
mod against;
/// One verdict through every door and in every document, for each exit code of `run`.
mod agreement;
/// Suites, outputs, keys and endpoints nobody wished for; secrets that endpoints tell.
mod bad_input;
/// Suites that ask for work without end: refused at their place, or undecided, and never the end of the others.
mod bounds;
/// Budgets: what no longer fits, what nobody knows, what several processes share; the plan of a dry run.
mod budgets;
/// Cassettes: every mode of recording, replays, what does not match, files that are broken, secrets.
mod cassettes;
/// The CI files of the examples: their commands run in order, as GitHub, GitLab and Kubernetes would.
mod ci_files;
mod clocks;
/// Text from outside is no command of a build server.
mod commands;
/// What differs between recorded runs and between live sides, which gate decides, and what is never green.
mod compare;
/// Live sides of a comparison: which request comes when, what their budgets leave out, sides that cannot be judged.
mod compare_live;
/// Files that tests upload and schemas that they name: a test whose file has changed is another test.
mod contents;
/// The documents are true: every YAML block loads, every command runs, every key and flag is written down.
mod docs;
/// Questions to live apps: what a doctor finds wrong with them.
mod doors;
/// Runs that were once green, endless or too talkative, and must not be.
mod doubts;
/// The engine against servers that misbehave: pace, retries, configuration errors, timeouts, signals, choice and order.
mod engine;
/// Every exit code, provoked in a child process.
mod exit_codes;
/// Every fault of the mock: verdict, message and longest wait, as data.
mod faults;
/// Files that strangers put into a project: links, pipes, folders of somebody else, lines with secrets.
mod files;
/// Repeats that stop when they are decided, and thresholds of suites.
mod gates;
/// The libtest harness as another crate uses it, under cargo test and nextest.
mod harness;
/// Runs that wait for people: answered, left waiting, answered wrongly.
mod human_input;
/// `init`: a first suite that runs as it is, here and on the app it was made for, and nothing overwritten.
mod init;
/// Judges: what they are asked, what counts as a vote, and that no output becomes its own verdict.
mod judges;
/// Runs killed at a hundred moments: nothing that had finished is lost or sent again.
mod killing;
/// The library as other programs use it, and its two example crates.
mod library;
/// A project whose target is a scripted server, and what its runs leave behind.
mod live;
mod loading;
/// Shards and re-runs become one run: in any order, twice the same, with one missing, of different plans.
mod merge;
/// Numbers of any length: written, sent, answered, compared and stored by their exact value.
mod numbers;
/// A project of its own for each test, and the built command to run in it.
mod project;
/// HTTP/1.1 as bytes, for this server and for those of the client's own tests.
#[path = "../../src/dify/client/tests/raw_http.rs"]
mod raw_http;
/// Runs whose answer breaks off are found again, told as such, and never taken for more than was seen.
mod recovery;
/// Apps and judges that refuse again and again: how long they are waited for, and when they are asked no more.
mod refusals;
/// The documents of a run: which there are, what each says, the summary of a job.
mod reports;
/// `snapshot review` at a terminal: what is typed decides, and nothing else.
mod review;
/// Headers, parts of keys and keys with quotes: masked at every door, and named where they are wrong.
mod secrets;
/// A server of raw bytes on a loopback port.
mod server;
/// Shares of a run on several machines, and runs that are read again.
mod shards;
/// Snapshots: compared, waiting, accepted, pruned; files that are broken; what varies and what does not.
mod snapshots;
/// The tree keeps its own rules: floors, sizes, names, who may read the clock.
mod tidy;
/// The way to the server: TLS, proxies, bodies without measure.
mod transport;
/// What a run watches besides its tests: the version that runs, the tokens that Dify counts, the limit it keeps, what it sends.
mod watch;
/// The recorded traffic of two Difys as two runs of one suite.
mod wire;
