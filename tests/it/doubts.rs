//! Runs that must not be green, and those that must not hang or tell: each was once otherwise.

use serde_json::json;

use crate::live::{Live, assert_hidden, finish, run, written};
use crate::project::Project;
use crate::server::{
    KEY, Server, Step, document, event, finished, run_document, started, stream_head, suite_of, target,
};

#[test]
fn a_web_server_that_is_no_dify_rejects_nothing() {
    let suite = "version: 1\nname: S\ntests:\n  - name: a\n    assert: [{ status: rejected }]\n";
    for status in ["405 Not Allowed", "412 Precondition Failed", "415 Unsupported Media Type"] {
        let page = format!("<html><title>{status}</title></html>");
        let live = Live::new(suite, "retries: 0", move |_| {
            vec![Step::Send(document(status, "text/html", page.as_bytes()))]
        });
        let ran = live.expect(3, &[]);
        assert_eq!(live.verdict("a"), "errored", "{}", ran.text);
        assert!(ran.text.contains(status), "{}", ran.text);
    }
}

#[test]
fn a_document_in_place_of_a_stream_says_nothing_of_what_was_streamed() {
    let suite = "version: 1\nname: S\ntests:\n  - name: text\n    assert: [{ from: text, path: $, not: { contains: sorry } }]\n  - name: events\n    assert: [{ from: events, path: \"$[?@.event == 'error']\", exists: false }]\n  - name: outputs\n    assert: [{ path: $.x, equals: 1 }]\n";
    let live = Live::new(suite, "", |_| {
        vec![Step::Send(document("200 OK", "application/json", run_document(r#"{"x":1}"#).as_bytes()))]
    });
    let ran = live.expect(100, &[]);
    for (test, verdict) in [("text", "errored"), ("events", "errored"), ("outputs", "passed")] {
        assert_eq!(live.verdict(test), verdict, "{test}: {}", ran.text);
    }
    assert!(ran.text.contains("one document without events"), "{}", ran.text);
}

/// An iteration of two rounds, of which one never came, after which Dify counts one step more than came.
fn lossy(lost: &str) -> Vec<Step> {
    let node = |id: &str, more: &str| {
        let data = format!(
            r#"{{"id":"{id}","node_id":"n-{id}","node_type":"code","title":"Step","index":1,"status":"succeeded","inputs":{{}},"outputs":{{}},"process_data":{{}},"error":null,"elapsed_time":0.1{more}}}"#
        );
        event("t", "node_finished", &data)
    };
    let round = |round: u32| {
        let more = format!(
            r#","iteration_id":"it","execution_metadata":{{"iteration_id":"it","iteration_index":{round}}}"#
        );
        node(&format!("r{round}"), &more)
    };
    let each = |name: &str| {
        let map = r#","status":"succeeded","outputs":{},"error":null,"elapsed_time":0.1,"execution_metadata":{"iteration_duration_map":{"0":0.1,"1":0.1}}"#;
        event(
            "t",
            name,
            &format!(r#"{{"id":"it","node_id":"it","node_type":"iteration","title":"Each"{map}}}"#),
        )
    };
    let steps = finished("t", r#"{"x":1}"#);
    let mut events = vec![started("t"), node("first", ""), each("iteration_started"), round(0)];
    if lost != "round" {
        events.push(round(1));
    }
    events.push(each("iteration_completed"));
    // As long as before, so that the chunk's length stays true.
    let counted = if lost == "node" { "\"total_steps\":3" } else { "\"total_steps\":2" };
    events.push(String::from_utf8(steps).unwrap().replace("\"total_steps\":2", counted).into_bytes());
    vec![Step::Send([stream_head(), events.concat(), b"0\r\n\r\n".to_vec()].concat())]
}

#[test]
fn what_ran_inside_of_a_container_makes_up_for_nothing_that_was_lost() {
    let suite = "version: 1\nname: S\ntests:\n  - name: a\n    each: [{ id: whole }, { id: node }, { id: round }]\n    inputs: { t: \"{{ row.id }}\" }\n    assert: [{ nodes: { absent: [Escalate] } }]\n";
    let live = Live::new(suite, "", |seen| lossy(seen.input("t")));
    let ran = live.expect(100, &[]);
    for (test, verdict) in [("a[whole]", "passed"), ("a[node]", "errored"), ("a[round]", "errored")] {
        assert_eq!(live.verdict(test), verdict, "{test}: {}", ran.text);
    }
    assert!(ran.text.contains("Dify counts 3 steps, and events came of 2"), "{}", ran.text);
    assert!(ran.text.contains("no event came of round 1 of `Each`"), "{}", ran.text);
}

#[test]
fn the_end_of_another_run_ends_none() {
    let live = Live::new(&suite_of(1), "", |_| {
        let other = String::from_utf8(finished("t", r#"{"x":1}"#)).unwrap().replace("run-1", "run-2");
        vec![Step::Send([stream_head(), started("t"), other.into_bytes(), b"0\r\n\r\n".to_vec()].concat())]
    });
    let ran = live.expect(3, &[]);
    assert!(
        ran.text.contains("is of the run run-2, and the stream is that of the run run-1"),
        "{}",
        ran.text
    );
}

#[cfg(unix)]
#[test]
fn a_pipe_or_folder_that_a_template_names_is_no_file_to_upload() {
    let suite = "version: 1\nname: S\nvars: { pipe: _pipe, folder: _folder, none: \"\" }\ntests:\n  - { name: pipe, files: { f: \"{{ vars.pipe }}\" } }\n  - { name: folder, files: { f: \"{{ vars.folder }}\" } }\n  - { name: none, files: { f: \"{{ vars.none }}\" } }\n";
    let live = Live::new(suite, "timeouts: { total: 20s }", |_| vec![Step::Hang]);
    live.project.write("suites/_folder/x", "");
    let made = std::process::Command::new("mkfifo").arg(live.project.path("suites/_pipe")).status();
    assert!(made.unwrap().success());
    let ran = live.expect(3, &[]);
    for words in
        ["`files.f`: `_pipe` is no file", "`files.f`: `_folder` is no file", "`files.f`: `` is no file"]
    {
        assert!(ran.text.contains(words), "{words} in {}", ran.text);
    }
    assert!(live.server.requests().is_empty(), "nothing was sent");
}

#[test]
fn an_upload_answered_without_end_is_given_up() {
    let suite = "version: 1\nname: S\ntests:\n  - { name: a, files: { f: _f.txt } }\n";
    let live = Live::new(suite, "timeouts: { total: 60s }", |_| {
        let head = b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n\r\n".to_vec();
        vec![Step::Send(head), Step::Endless(vec![b' '; 64 * 1024])]
    });
    live.project.write("suites/_f.txt", "text");
    let ran = live.expect(3, &[]);
    assert!(ran.text.contains("the answer is larger than 1 MB"), "{}", ran.text);
}

#[test]
fn a_user_in_an_address_is_refused_and_shown_nowhere() {
    let password = "s3cret-of-the-gate";
    for base in [
        format!("http://bob:{password}@127.0.0.1:9/v1"),
        format!("http://{password}@127.0.0.1:9/v1"),
        format!("http://bob:{password}@/v1"),
        format!("http://bob:{password}@no such host/v1"),
    ] {
        let project = Project::with_suite(&suite_of(1));
        target(&project, &format!("\"{base}\""), "");
        let ran = run(&project, &[]);
        assert_eq!(ran.code, Some(2), "{base}: {}", ran.text);
        assert!(ran.text.contains("`base_url` is no address"), "{base}: {}", ran.text);
        assert!(!ran.text.contains(password), "{base}: {}", ran.text);
    }
}

#[test]
fn the_password_of_a_proxy_is_masked_where_the_proxy_tells_it() {
    let password = "s3cret-of-the-proxy";
    let answer = move |_: &crate::server::Seen| {
        let page = format!("<title>bob:{password} may not</title>");
        vec![Step::Send(document("502 Bad", "text/html", page.as_bytes()))]
    };
    let proxy = Server::start(answer);
    let project = Project::with_suite(&suite_of(1));
    let keys = format!("retries: 0\nproxy: \"http://bob:{password}@{}\"", proxy.address());
    target(&project, "http://dify.invalid/v1", &keys);
    let ran = run(&project, &[]);
    assert_eq!(ran.code, Some(3), "{}", ran.text);
    assert!(ran.text.contains("***"), "{}", ran.text);
    assert_hidden(&project, &ran, &[password, KEY]);
    assert!(!written(&project).is_empty());
}

#[test]
fn a_limit_of_no_time_is_a_usage_error() {
    let project = Project::with_suite("version: 1\ntests: [{ name: a, mock: { outputs: {} } }]\n");
    let output = project.run(&["run", "--timeout", "0s"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("`0s` must be more than zero"));
    let mut command = project.command(&["run"]);
    command.env("FLOWPROOF_TIMEOUT", "0s");
    let ran = finish(&project, command);
    assert_eq!(ran.code, Some(2), "{}", ran.text);
    assert!(ran.text.contains("FLOWPROOF_TIMEOUT: `0s` must be more than zero"), "{}", ran.text);
}

#[test]
fn a_filter_tells_numbers_apart_that_a_double_cannot() {
    let outputs = json!({ "rows": [{ "id": 9_007_199_254_740_993_i64 }] });
    let suite = |number: &str, exists: bool| {
        format!(
            "version: 1\ntests:\n  - name: a\n    assert: [{{ path: \"$.rows[?@.id == {number}]\", exists: {exists} }}]\n    mock: {{ outputs: {outputs} }}\n"
        )
    };
    for (number, is_there) in [("9007199254740993", true), ("9007199254740992", false)] {
        for claim in [true, false] {
            let output = Project::with_suite(&suite(number, claim)).run(&["run"]);
            let expected = if claim == is_there { 0 } else { 100 };
            assert_eq!(output.status.code(), Some(expected), "{number} {claim}");
        }
    }
}

#[test]
fn a_transform_may_take_all_of_a_line() {
    let suite = "version: 1\ntests:\n  - name: a\n    assert: [{ path: $.x, transform: [{ regex: '^(.*)' }], equals: one }]\n    mock: { outputs: { x: \"one\\ntwo\" } }\n";
    let output = Project::with_suite(suite).run(&["run"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}
