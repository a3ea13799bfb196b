//! What comes from outside never becomes a command of a build server, whichever command shows it.

use serde_json::json;

use crate::live::{Live, Ran, finish};
use crate::server::{refusal, succeed};

/// Commands of GitHub, Azure, TeamCity, GitLab and Buildkite, on lines of their own and within one.
const EVIL: &str = "said\n::stop-commands::x9\n \t::add-mask::passed\n##[add-matcher].github/m.json\nx ##vso[task.setvariable variable=A]b ##VSO[x] ##teamcity[testFailed name='a']\n\u{1b}[0Ksection_start:17:a\r\u{1b}[0K\n--- a\n+++ b\n~~~ c\n^^^ +++";

/// What a runner would obey: a line's start for `::` and groups, anywhere for the rest.
fn commands(text: &str) -> Vec<&str> {
    let obeyed = |line: &&str| {
        let (trimmed, lower) = (line.trim_start(), line.to_ascii_lowercase());
        let begins = ["::", "--- ", "+++ ", "~~~ ", "^^^ "].iter().any(|begin| trimmed.starts_with(begin));
        let marks = ["##[", "##vso[", "##teamcity["];
        // GitLab's markers of sections end with a carriage return.
        let is_section =
            line.ends_with('\r') && (lower.contains("section_start:1") || lower.contains("section_end:1"));
        begins || is_section || marks.iter().any(|mark| lower.contains(mark))
    };
    text.split_inclusive(['\n', '\r'])
        .filter(obeyed)
        .map(|line| line.trim_end_matches(['\n', '\r']))
        .collect()
}

/// Only our own annotations are commands, and nothing in them is one.
fn assert_tame(ran: &Ran) {
    let own = commands(&ran.text);
    assert!(own.iter().all(|line| line.starts_with("::error ")), "{own:#?}");
    assert!(own.iter().all(|line| commands(&line[2..]).is_empty()), "{own:#?}");
    let is_shown = ran.text.contains("stop-commands") || ran.text.contains("[group]a");
    assert!(is_shown, "what was said is shown: {}", ran.text);
}

fn suite() -> String {
    let name = json!("n ##[group]a ##vso[b]");
    let (row, label) = (json!("##[add-matcher]x ##vso[a]b --- c"), json!(EVIL));
    format!(
        "version: 1\nname: S\ntests:\n  - name: {name}\n    each: [{{ id: {row}, t: fail }}, {{ id: b, t: error }}, {{ id: c, t: output }}]\n    inputs: {{ t: \"{{{{ row.t }}}}\" }}\n    assert:\n      - {{ path: $.x, equals: \"said\\n::warning::mine\", label: {label} }}\n      - {{ path: $.x, snapshot: true }}\n"
    )
}

#[test]
fn nothing_that_is_shown_commands_a_runner() {
    let live = Live::new(&suite(), "retries: 0", |seen| match seen.input("t") {
        "fail" => refusal(400, "invalid_param", EVIL),
        "error" => refusal(500, "internal_server_error", EVIL),
        _ => succeed(seen, &json!({ "x": EVIL }).to_string()),
    });
    let said = |args: &[&str]| {
        let mut command = live.project.command(args);
        command.env("TEST_KEY", crate::server::KEY).env("GITHUB_ACTIONS", "true");
        finish(&live.project, command)
    };
    for args in [&["run", "--target", "live"][..], &["run", "--target", "live", "-v", "-j", "1"]] {
        let ran = said(args);
        assert_eq!(ran.code, Some(100), "{}", ran.text);
        assert!(ran.text.contains("::error file="), "{}", ran.text);
        assert_tame(&ran);
    }
    for args in [
        &["report", "latest"][..],
        &["snapshot", "review"],
        &["snapshot", "list"],
        &["snapshot", "list", "--format", "json"],
        &["list"],
        &["list", "--format", "terse"],
        &["list", "--format", "json"],
        &["doctor", "live"],
        &["check", "--against", "live"],
    ] {
        let ran = said(args);
        assert_eq!(commands(&ran.text).iter().find(|line| !line.starts_with("::error ")), None, "{args:?}");
        if args[0] != "doctor" && args[0] != "check" {
            assert_tame(&ran);
        }
    }
}

#[test]
fn colours_hide_no_command() {
    let suite = "version: 1\nname: S\ntests:\n  - name: a\n    assert: [{ path: $.x, equals: \"a #b\" }]\n";
    let live =
        Live::new(suite, "", |seen| succeed(seen, &json!({ "x": "a ##[error]b ##vso[x]y" }).to_string()));
    for colour in ["always", "never"] {
        let ran = live.expect(100, &["--color", colour]);
        let text = anstream::adapter::strip_str(&ran.text).to_string();
        assert_eq!(commands(&text), Vec::<&str>::new());
        assert!(text.contains("vso"), "{text}");
    }
}
