//! Cassettes: each mode against a live Dify played by a raw server, replays without one, and cassettes that cannot be read.

mod forms;
mod recordings;

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::live::{Live, Ran, assert_hidden, base64, case, finish, junit, report};
use crate::project::Project;
use crate::server::{
    KEY, Seen, Step, chunk, document, event, finished, good, ping, refusal, started, stream_head, succeed,
};

const CASSETTE: &str = "suites/cassettes/s.jsonl";
const REPLAYED: &str = "replayed from cassettes: no live workflow was tested";

/// One test with an input of its own.
fn suite(tests: &[(&str, &str)]) -> String {
    let test = |(name, q): &(&str, &str)| {
        format!("  - name: {name}\n    inputs: {{ q: {q} }}\n    assert: [{{ path: $.x, equals: 1 }}]\n")
    };
    format!("version: 1\nname: S\ntests:\n{}", tests.iter().map(test).collect::<String>())
}

/// A good run that tells its input, and which request it was.
fn numbered(seen: &Seen) -> Vec<Step> {
    succeed(seen, &format!(r#"{{"x":1,"q":"{}","turn":{}}}"#, seen.input("q"), seen.number))
}

fn two() -> Live {
    Live::new(&suite(&[("a", "one"), ("b", "two")]), "", numbered)
}

/// Runs without a key and without a target: nothing can be sent.
fn alone(project: &Project, args: &[&str]) -> Ran {
    let mut all = vec!["run"];
    all.extend_from_slice(args);
    finish(project, project.command(&all))
}

fn last_line(ran: &Ran) -> &str {
    ran.text.lines().rfind(|line| !line.starts_with("exit ")).unwrap_or_default()
}

// The modes.

#[test]
fn once_records_and_then_replays_without_a_server_or_a_key() {
    let live = two();
    let ran = live.expect(0, &["--record", "once"]);
    assert!(ran.text.contains("recorded 2 exchanges in suites/cassettes/s.jsonl"), "{}", ran.text);
    assert!(!ran.text.contains("replayed"), "it was live: {}", ran.text);
    let cassette = live.project.read(CASSETTE);
    assert_eq!(cassette.lines().count(), 3, "{cassette}");
    let ran = live.expect(0, &["--record", "once"]);
    assert_eq!(live.server.runs().len(), 2, "the second time nothing is sent");
    assert_eq!(last_line(&ran), REPLAYED);
    let ran = alone(&live.project, &["--replay", "--target", "live"]);
    assert_eq!((ran.code, last_line(&ran)), (Some(0), REPLAYED), "{}", ran.text);
    assert_eq!(live.project.read(CASSETTE), cassette);
}

#[test]
fn a_recording_that_was_killed_after_its_last_test_is_joined_by_the_run_that_goes_on() {
    let live = two();
    live.expect(0, &["--record", "once"]);
    let cassette = live.project.read(CASSETTE);
    // What a kill before the end leaves: the exchanges in a file of their own, and a journal without its last line.
    let (whole, part) =
        (live.project.path(CASSETTE), live.project.path(&format!("{CASSETTE}.abcdefgh.part")));
    std::fs::rename(&whole, &part).unwrap();
    let run = live.project.read("reports/latest-run");
    let journal = live.project.path(&format!("reports/runs/{}/journal.jsonl", run.trim()));
    let text = std::fs::read_to_string(&journal).unwrap();
    let end = text.trim_end().rfind('\n').unwrap();
    assert!(text[end + 1..].starts_with("{\"run_finished\""), "{text}");
    std::fs::write(&journal, &text[..=end]).unwrap();
    live.expect(0, &["--resume", "latest"]);
    assert_eq!(live.server.runs().len(), 2, "nothing is sent again");
    assert_eq!(live.project.read(CASSETTE), cassette);
    assert!(!part.exists());
}

#[test]
fn once_with_a_cassette_fails_what_is_new() {
    let live = two();
    live.expect(0, &["--record", "once", "-f", "S::a"]);
    let ran = live.expect(100, &["--record", "once"]);
    assert_eq!((live.verdict("a"), live.verdict("b")), ("passed".to_owned(), "errored".to_owned()));
    assert!(
        ran.text.contains(
            "the nearest there is that of S::a, and differs: inputs['q'] is \"two\", recorded \"one\""
        ),
        "{}",
        ran.text
    );
    assert!(ran.text.contains("`flowproof record new_episodes` adds it"), "{}", ran.text);
    assert_eq!(live.server.runs().len(), 1);
}

#[test]
fn new_episodes_sends_what_is_new_and_says_how_much_was_replayed() {
    let live = two();
    live.expect(0, &["--record", "new_episodes", "-f", "S::a"]);
    let first = live.project.read(CASSETTE);
    let ran = live.expect(0, &["--record", "new_episodes"]);
    assert_eq!(live.server.runs().len(), 2);
    let words = "
1 of 2 attempts were replayed from cassettes: those tested no live workflow
";
    assert!(ran.text.contains(words), "{}", ran.text);
    let second = live.project.read(CASSETTE);
    assert!(
        second.starts_with(&first) && second.lines().count() == 3,
        "what was known stands as it did:\n{second}"
    );
    let report = report(&live.project);
    assert_eq!(
        (&report["run"]["mock"], &report["run"]["cassettes"]),
        (&false.into(), &"new_episodes".into())
    );
    assert_eq!(report["totals"]["replayed"], 1);
    assert_eq!(case(&report, "a")["attempts"][0]["replayed"], true);
    assert_eq!(case(&report, "b")["attempts"][0].get("replayed"), None);
}

#[test]
fn all_sends_everything_and_keeps_the_tests_that_were_not_run() {
    let live = two();
    live.expect(0, &["--record", "all"]);
    let before = live.project.read(CASSETTE);
    live.expect(0, &["--record", "all", "-f", "S::b"]);
    assert_eq!(live.server.runs().len(), 3);
    let after = live.project.read(CASSETTE);
    let [old, new]: [Vec<&str>; 2] = [&before, &after].map(|text| text.lines().collect());
    assert_eq!((old[1], old.len(), new.len()), (new[1], 3, 3), "{after}");
    assert_ne!(old[2], new[2], "its turn is another");
    live.project.write("suites/s.yaml", suite(&[("b", "two")]));
    live.expect(0, &["--record", "all"]);
    assert_eq!(live.project.read(CASSETTE).lines().count(), 2, "a test that is gone is dropped");
}

#[test]
fn a_rerecording_that_changes_nothing_leaves_the_file_alone() {
    let live = Live::new(&suite(&[("a", "one")]), "", |seen| {
        let run = format!("11111111-1111-4111-8111-{:012}", seen.number);
        let steps = good(seen);
        let Step::Send(bytes) = &steps[0] else { panic!() };
        let text = String::from_utf8(bytes.clone()).unwrap();
        // The lengths of chunks change: it is sent as one.
        let body: String = text
            .split("data: ")
            .skip(1)
            .map(|part| format!("data: {}\n\n", part.lines().next().unwrap()))
            .collect();
        let body = body
            .replace("run-1", &run)
            .replace("\"created_at\":1", &format!("\"created_at\":{}", seen.number + 5));
        vec![Step::Send([stream_head(), chunk(body.as_bytes()), b"0\r\n\r\n".to_vec()].concat())]
    });
    live.expect(0, &["--record", "all"]);
    let before = live.project.read(CASSETTE);
    let ran = live.expect(0, &["--record", "all"]);
    assert!(
        ran.text.contains("1 exchange came back as recorded in suites/cassettes/s.jsonl"),
        "{}",
        ran.text
    );
    assert_eq!((live.server.runs().len(), live.project.read(CASSETTE)), (2, before));
}

#[test]
fn the_command_record_is_run_with_a_mode() {
    let live = two();
    let mut command = live.project.command(&["record", "once", "--target", "live", "-f", "S::a"]);
    command.env("TEST_KEY", KEY);
    assert_eq!(finish(&live.project, command).code, Some(0));
    assert_eq!(live.project.read(CASSETTE).lines().count(), 2);
    let mut command = live.project.command(&["run", "--target", "live"]);
    command.env("TEST_KEY", KEY).env("FLOWPROOF_RECORD", "none");
    assert_eq!(finish(&live.project, command).code, Some(100), "the environment says it too");
    assert_eq!(live.server.runs().len(), 1);
}

#[test]
fn what_contradicts_itself_is_refused_before_anything_is_sent() {
    let live = two();
    for (args, words) in [
        (&["run", "--record", "once"][..], "the target is the mock: name another with --target"),
        (
            &["run", "--record", "all", "--replay", "--target", "live"],
            "--record all sends everything, --replay nothing",
        ),
        (&["record", "once", "--record", "all"], "cannot be used with"),
        (&["record"], "<MODE>"),
        (&["record", "twice"], "possible values: none, once, new_episodes, all"),
    ] {
        let mut command = live.project.command(args);
        command.env("TEST_KEY", KEY);
        let ran = finish(&live.project, command);
        assert_eq!(ran.code, Some(2), "{args:?}: {}", ran.text);
        assert!(ran.text.contains(words), "{args:?}: {}", ran.text);
    }
    let mut command = live.project.command(&["run", "--target", "live", "--record", "once"]);
    command.env("TEST_KEY", KEY).env("NEXTEST_RUN_ID", "n");
    assert_eq!(finish(&live.project, command).code, Some(2), "each test of nextest is a process");
    assert!(live.server.requests().is_empty() && !live.project.path(CASSETTE).exists());
}

// What is replayed.

#[test]
fn every_report_of_a_replay_says_that_it_is_one() {
    let live = two();
    live.expect(0, &["--record", "once"]);
    for args in [&["--replay"][..], &["--record", "none", "--target", "live"], &[]] {
        let ran = alone(&live.project, args);
        assert_eq!((ran.code, last_line(&ran)), (Some(0), REPLAYED), "{args:?}: {}", ran.text);
        let report = report(&live.project);
        assert_eq!(report["run"]["note"], REPLAYED);
        assert_eq!(report["totals"]["replayed"], 2);
        junit(&live.project);
        let xml = live.project.read("reports/latest/junit.xml");
        assert!(xml.contains(&format!("name=\"flowproof.note\" value=\"{REPLAYED}\"")), "{xml}");
        for name in ["report.html", "summary.md"] {
            assert!(live.project.read(&format!("reports/latest/{name}")).contains(REPLAYED), "{name}");
        }
    }
    let ran = alone(&Project::with_suite(&suite(&[("a", "one")])), &["--replay"]);
    assert_eq!(ran.code, Some(3), "{}", ran.text);
    assert!(
        ran.text.contains("nothing is recorded: there is no cassettes/s.jsonl beside the suite"),
        "{}",
        ran.text
    );
    assert!(
        ran.text.contains(REPLAYED),
        "a replay that found nothing is still none that was live: {}",
        ran.text
    );
}

#[test]
fn a_replay_is_judged_like_the_run_it_was() {
    let live = two();
    live.expect(0, &["--record", "once"]);
    let text = live.project.read("suites/s.yaml").replace("equals: 1", "equals: 2");
    live.project.write("suites/s.yaml", text);
    let ran = alone(&live.project, &["--replay"]);
    assert_eq!(ran.code, Some(100), "{}", ran.text);
    assert_eq!((live.verdict("a"), live.verdict("b")), ("failed".to_owned(), "failed".to_owned()));
}

/// A run whose model says its first word after a while and ends after another.
fn leisurely(_: &Seen) -> Vec<Step> {
    let node = r#"{"id":"e1","node_id":"n","node_type":"llm","title":"N","index":1"#;
    let chunk = event("task-1", "text_chunk", r#"{"text":"hi","from_variable_selector":["n","text"]}"#);
    let begun = event("task-1", "node_started", &format!("{node}}}"));
    let ended = event(
        "task-1",
        "node_finished",
        &format!(
            r#"{node},"status":"succeeded","outputs":{{}},"elapsed_time":0.2,"execution_metadata":{{"total_tokens":5,"total_price":"0","currency":"USD"}}}}"#
        ),
    );
    vec![
        Step::Send([stream_head(), ping(), started("task-1"), begun].concat()),
        Step::Sleep(Duration::from_millis(300)),
        Step::Send([chunk, ended].concat()),
        Step::Sleep(Duration::from_millis(300)),
        Step::Send([finished("task-1", r#"{"x":1}"#).as_slice(), b"0\r\n\r\n"].concat()),
    ]
}

#[test]
fn times_are_those_of_the_recording_however_fast_the_replay_is() {
    let text = suite(&[("slow", "one")]);
    let live = Live::new(&text, "usage: trust", leisurely);
    live.expect(0, &["--record", "once"]);
    let recorded = case(&report(&live.project), "slow")["attempts"][0]["facts"].clone();
    live.expect(0, &["--replay"]);
    let facts = case(&report(&live.project), "slow")["attempts"][0]["facts"].clone();
    for key in ["latency_ms", "ttft_ms"] {
        let [live, replayed] = [&recorded, &facts].map(|facts| facts[key].as_f64().unwrap());
        assert!(replayed >= 299.0 && (live - replayed).abs() < 0.01, "{key}: {live} and {replayed}");
    }
    assert_eq!(facts["nodes"].as_array().unwrap().len(), 1);
    for (bound, code) in [
        ("latency: 300ms", 100),
        ("ttft: 100ms", 100),
        ("max_gap: 100ms", 100),
        ("latency: 60s", 0),
        ("ttft: 60s", 0),
    ] {
        live.project
            .write("suites/s.yaml", text.replace("equals: 1 }]", &format!("equals: 1 }}, {{ {bound} }}]")));
        live.expect(code, &["--replay"]);
    }
    live.project.write("suites/s.yaml", &text);
    let ran = live.expect(3, &["--replay", "--timeout", "400ms"]);
    assert!(ran.text.contains("no end within 400 ms"), "a limit the run did not keep: {}", ran.text);
    assert_eq!(live.server.runs().len(), 1);
}

#[test]
fn a_replay_in_real_time_takes_the_time_it_took() {
    let live = Live::new(&suite(&[("slow", "one")]), "usage: trust", leisurely);
    live.expect(0, &["--record", "once"]);
    let begun = std::time::Instant::now();
    let ran = alone(&live.project, &["--replay=realtime"]);
    assert!(begun.elapsed() >= Duration::from_millis(600), "{:?}", begun.elapsed());
    assert_eq!((ran.code, last_line(&ran)), (Some(0), REPLAYED), "{}", ran.text);
    let facts = case(&report(&live.project), "slow")["attempts"][0]["facts"].clone();
    assert!(
        facts["ttft_ms"].as_f64().unwrap() >= 299.0 && facts["latency_ms"].as_f64().unwrap() >= 599.0,
        "{facts}"
    );
}

#[test]
fn repeats_are_answered_in_order_and_one_too_many_is_told() {
    let live = Live::new(&suite(&[("a", "one")]), "", |seen| {
        succeed(seen, &format!(r#"{{"x":{}}}"#, usize::from(seen.number != 1)))
    });
    live.expect(100, &["--record", "once", "--repeat", "3", "-j", "1"]);
    let verdicts = |live: &Live| {
        let report = report(&live.project);
        let attempts = case(&report, "a")["attempts"].as_array().unwrap().clone();
        attempts.iter().map(|attempt| attempt["verdict"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(verdicts(&live), ["passed", "failed", "passed"]);
    live.expect(100, &["--replay", "--repeat", "3"]);
    assert_eq!(verdicts(&live), ["passed", "failed", "passed"]);
    let ran = live.expect(100, &["--replay", "--repeat", "4"]);
    assert_eq!(verdicts(&live), ["passed", "failed", "passed", "errored"]);
    assert_eq!(live.server.runs().len(), 3);
    live.project.write("suites/s.yaml", suite(&[("renamed", "one")]));
    live.expect(0, &["--replay"]);
    assert!(!ran.text.is_empty());
}

#[test]
fn files_count_by_name_and_content_and_the_user_and_the_run_do_not() {
    let text = "version: 1\nname: S\ntests:\n  - name: f\n    inputs: { q: \"run {{ run.id }}\" }\n    files: { doc: _data/a.txt }\n    response_mode: blocking\n    assert: [{ path: $.x, equals: 1 }, { from: inputs, path: $.doc.transfer_method, equals: local_file }]\n";
    let live = Live::new(text, "", |seen| match seen.is_run() {
        true => good(seen),
        false => {
            vec![Step::Send(document("201 CREATED", "application/json", br#"{"id":"up-1","name":"a.txt"}"#))]
        }
    });
    live.project.write("suites/_data/a.txt", "one");
    live.expect(0, &["--record", "once"]);
    let requests = live.server.requests().len();
    live.expect(0, &["--replay"]);
    assert_eq!(live.server.requests().len(), requests, "nothing is uploaded either");
    live.project.write("suites/_data/a.txt", "two");
    let ran = live.expect(3, &["--replay"]);
    assert!(ran.text.contains("files.doc is `a.txt` with another content or type"), "{}", ran.text);
}

#[test]
fn a_pinned_version_is_part_of_the_request() {
    let answer = |seen: &Seen| good(seen);
    let live = Live::new(&suite(&[("a", "one")]), "", answer);
    let [one, other] = ["7c3e33d4-2a8b-4e5f-9b1a-d3c6e8f12345", "7c3e33d4-2a8b-4e5f-9b1a-d3c6e8f12346"];
    live.expect(0, &["--record", "once", "--workflow-id", one]);
    live.expect(0, &["--replay", "--workflow-id", one]);
    let ran = live.expect(3, &["--replay", "--workflow-id", other]);
    assert!(
        ran.text.contains(&format!("the pinned workflow_id is `{other}`, recorded `{one}`")),
        "{}",
        ran.text
    );
    assert_eq!(alone(&live.project, &[]).code, Some(0), "the mock has no versions");
}

// What is recorded.

#[test]
fn accidents_are_not_recorded_and_rejections_are() {
    let text = "version: 1\nname: S\ndefaults: { retries: 0 }\ntests:\n  - { name: rejected, inputs: { q: bad }, assert: [{ status: rejected }] }\n  - { name: busy, inputs: { q: busy }, assert: [{ path: $.x, equals: 1 }] }\n  - { name: cut, inputs: { q: cut }, assert: [{ path: $.x, equals: 1 }] }\n  - { name: good, inputs: { q: good }, assert: [{ path: $.x, equals: 1 }] }\n";
    let live = Live::new(text, "", |seen| match seen.input("q") {
        "bad" => refusal(400, "invalid_param", "q is required in input form"),
        "busy" => refusal(429, "too_many_requests", "Too many requests."),
        "cut" => vec![Step::Send([stream_head(), started("task-1")].concat()), Step::Close],
        _ => good(seen),
    });
    let ran = live.expect(100, &["--record", "all"]);
    assert!(ran.text.contains("not recorded, since a limit of the target was met: S::busy"), "{}", ran.text);
    assert!(
        ran.text.contains("not recorded, since the answer did not come to its end: S::cut"),
        "{}",
        ran.text
    );
    let cassette = live.project.read(CASSETTE);
    assert_eq!(cassette.lines().count(), 3, "{cassette}");
    let ran = live.expect(100, &["--replay"]);
    assert_eq!([live.verdict("rejected"), live.verdict("good")], ["passed", "passed"], "{}", ran.text);
    assert_eq!([live.verdict("busy"), live.verdict("cut")], ["errored", "errored"], "{}", ran.text);
}

#[test]
fn no_key_is_in_a_cassette_in_any_form_and_what_hid_one_is_not_judged() {
    let encoded: String = KEY.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let forms = [
        KEY.to_owned(),
        KEY.replace('/', "\\/"),
        KEY.replace('/', "%2F").replace('+', "%2B"),
        base64(KEY.as_bytes()),
    ];
    let told = forms.clone();
    let live = Live::new(&suite(&[("leak", "one"), ("echo", "two")]), "", move |seen| {
        let words = if seen.input("q") == "one" { told.join(" ") } else { "nothing".to_owned() };
        let outputs = serde_json::json!({ "x": 1, "says": words, "url": "http://h/files/1/file-preview?timestamp=1&nonce=n0nc3&sign=s1gn%3D" });
        let begun = event(
            "task-1",
            "workflow_started",
            &serde_json::json!({ "id": "run-1", "inputs": { "k": words } }).to_string(),
        );
        vec![Step::Send(
            [stream_head(), begun, finished("task-1", &outputs.to_string()), b"0\r\n\r\n".to_vec()].concat(),
        )]
    });
    let ran = live.expect(0, &["--record", "once"]);
    let cassette = live.project.read(CASSETTE);
    for form in forms.iter().map(String::as_str).chain([encoded.as_str(), "K3yOfTheTests", "s1gn", "n0nc3"]) {
        assert!(!cassette.contains(form), "{form} in {cassette}");
    }
    assert!(cassette.contains("&nonce=***&sign=***"), "{cassette}");
    assert_hidden(&live.project, &ran, &[KEY]);
    let ran = live.expect(100, &["--replay"]);
    assert!(ran.text.contains("held a secret, which was masked there: it cannot be judged"), "{}", ran.text);
    assert_eq!([live.verdict("leak"), live.verdict("echo")], ["errored", "passed"], "{}", ran.text);
}

#[test]
fn a_run_that_waits_is_recorded_without_its_token_and_answers_nobody() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/wire/1.14.2/human.streaming.json");
    let recorded: serde_json::Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let body = recorded["response"]["body"].as_str().unwrap().to_owned();
    assert!(body.contains("MjJmMJLLsbKxXPYDqYxJzy"), "the token of the form");
    let text = "version: 1\nname: S\ntests:\n  - name: a\n    inputs: { draft: Hello }\n    assert: [{ status: paused }, { nodes: { visited: [Approval] } }]\n";
    let live = Live::new(text, "", move |_| {
        vec![Step::Send([stream_head(), chunk(body.as_bytes()), b"0\r\n\r\n".to_vec()].concat())]
    });
    live.expect(0, &["--record", "once"]);
    let cassette = live.project.read(CASSETTE);
    assert!(cassette.contains("\"form_token\":\"***\"") && !cassette.contains("MjJmMJLL"), "{cassette}");
    live.expect(0, &["--replay"]);
    let answered = format!("{text}    human_input: [{{ node: Approval, action: approve }}]\n");
    live.project.write("suites/s.yaml", answered);
    let ran = live.expect(3, &["--replay"]);
    assert!(
        ran.text.contains("human_input also answers `Approval`, recorded without that answer"),
        "{}",
        ran.text
    );
    assert_eq!(live.server.requests().len(), 1);
}

// Cassettes that cannot be read.

#[test]
fn a_broken_cassette_is_a_problem_at_its_line() {
    let live = two();
    live.expect(0, &["--record", "once"]);
    let whole = live.project.read(CASSETTE);
    let lines: Vec<&str> = whole.lines().collect();
    let conflict = format!("{}\n<<<<<<< HEAD\n{}\n=======\n{}\n>>>>>>> b\n", lines[0], lines[1], lines[2]);
    for (text, place, words) in [
        (
            whole[..whole.len() - 40].to_owned(),
            "s.jsonl:3:",
            "is cut off: the rest of the exchange is missing",
        ),
        (conflict, "s.jsonl:2:", "is the mark of an unresolved merge conflict"),
        (
            whole.replacen(":1}", ":9}", 1),
            "s.jsonl:1:",
            "a newer flowproof wrote it (cassette version 9, this one reads up to 1)",
        ),
        (String::new(), "s.jsonl:1:", "the file is empty"),
    ] {
        live.project.write(CASSETTE, &text);
        for args in [&["--replay"][..], &[], &["--record", "all", "--target", "live"]] {
            let mut command = live.project.command(&[&["run"], args].concat());
            command.env("TEST_KEY", KEY);
            let ran = finish(&live.project, command);
            assert_eq!(ran.code, Some(2), "{args:?}: {}", ran.text);
            assert!(ran.text.contains(place) && ran.text.contains(words), "{args:?}: {}", ran.text);
        }
        let checked = finish(&live.project, live.project.command(&["check"]));
        assert!(checked.code == Some(1) && checked.text.contains(words), "{}", checked.text);
        assert_eq!(live.project.read(CASSETTE), text, "nobody writes over what cannot be read");
    }
    assert_eq!(live.server.runs().len(), 2);
}

#[test]
fn a_cassette_that_cannot_be_written_is_told_and_the_run_is_reported() {
    let folder: Arc<OnceLock<PathBuf>> = Arc::default();
    let in_the_way = folder.clone();
    let live = Live::new(&suite(&[("a", "one")]), "", move |seen| {
        std::fs::write(in_the_way.get().unwrap(), "a file where the folder should be").unwrap();
        good(seen)
    });
    folder.set(live.project.path("suites/cassettes")).unwrap();
    let ran = live.expect(3, &["--record", "once"]);
    assert!(ran.text.contains("s.jsonl was not written: "), "{}", ran.text);
    assert_eq!(live.verdict("a"), "passed", "{}", ran.text);
    let ran = live.expect(2, &["--record", "once"]);
    assert!(ran.text.contains("the cassette cannot be read: not a directory"), "{}", ran.text);
    assert_eq!(live.server.runs().len(), 1, "what can be seen before is seen before anything is sent");
}

#[test]
fn two_suites_never_share_a_cassette() {
    let live = two();
    live.project.write("suites/s.yml", suite(&[("c", "three")]));
    let ran = live.expect(2, &["--record", "once"]);
    assert!(ran.text.contains("would share the cassette `suites/cassettes/s.jsonl`"), "{}", ran.text);
    assert!(live.server.requests().is_empty());
}
