//! Every fault of the mock, against both modes and both Difys: the verdict, its message, and how long it may take, as data.
//!
//! `tests/data/faults/matrix.csv` has a line for each; a fault is written there as `flowproof mock --fault` and suites take it.
//! Each line is a suite and an app of its own, so that one that stops its app stops no other.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use serde_json::Value;

use crate::live::{Ran, case, command, finish, report, signal, until};
use crate::project::Project;

/// One line of the matrix.
struct Row {
    number: usize,
    fault: String,
    mode: String,
    dify: String,
    verdict: String,
    seconds: f64,
    /// How the run is found again: in 1.12/in 1.14 where they differ; nothing: it is not.
    recovered: String,
    message: String,
}

fn rows() -> Vec<Row> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/faults/matrix.csv");
    let mut reader = csv::Reader::from_path(path).unwrap();
    let header = reader.headers().unwrap().iter().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(header, ["fault", "mode", "dify", "verdict", "seconds", "recovered", "message"]);
    let read = |(number, record): (usize, Result<csv::StringRecord, csv::Error>)| {
        let record = record.unwrap();
        let text = |at: usize| record[at].to_owned();
        Row {
            number: number + 2,
            fault: text(0),
            mode: text(1),
            dify: text(2),
            verdict: text(3),
            seconds: text(4).parse().unwrap(),
            recovered: text(5),
            message: text(6),
        }
    };
    reader.records().enumerate().map(read).collect()
}

/// A run with a model in it; outputs that any misreading would change.
const RUN: &str = "outputs: { answer: \"Zwölf ☃ — 42\", n: 9007199254740993, list: [1, 2.5, null] }
      nodes:
        - { title: Think, type: llm, tokens: 30, price: 0.001 USD, outputs: { text: Zwölf }, stream: \"Zwölf ☃ — 42\" }
        - { title: Check, type: code, outputs: { ok: true } }";

/// What holds of it; nodes and prices are known only where they were streamed.
fn assertions(mode: &str) -> &'static str {
    match mode {
        "streaming" => {
            "- { path: $.answer, equals: \"Zwölf ☃ — 42\" }
      - { path: $.n, equals: 9007199254740993 }
      - { path: $.list, equals: [1, 2.5, null] }
      - { nodes: { visited: [Think, Check], absent: [Nobody] } }
      - { node: Think, tokens: 30 }
      - { node: Think, path: $.text, equals: Zwölf }
      - { tokens: 100, cost: 1 USD }"
        }
        _ => {
            "- { path: $.answer, equals: \"Zwölf ☃ — 42\" }
      - { path: $.n, equals: 9007199254740993 }
      - { path: $.list, equals: [1, 2.5, null] }
      - { tokens: 50 }"
        }
    }
}

fn suite_of(row: &Row) -> String {
    let Row { number, fault, mode, .. } = row;
    let fault = if fault.starts_with('[') { fault.clone() } else { format!("\"{fault}\"") };
    format!(
        "version: 1\nname: row{number}\napp: row{number}\ntests:
  - name: row{number}
    response_mode: {mode}
    inputs: {{ row: {number} }}
    assert:\n      {}
    mock:\n      {RUN}\n      fault: {fault}\n",
        assertions(mode)
    )
}

/// A mock in a process of its own.
struct Mock {
    child: Child,
    url: String,
}

impl Mock {
    fn start(project: &Project, args: &[&str]) -> Self {
        let all = [&["mock"], args].concat();
        let errors = std::fs::File::create(project.path("mock.txt")).unwrap();
        let mut child = project.command(&all).stdout(Stdio::piped()).stderr(errors).spawn().unwrap();
        let mut url = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut url).unwrap();
        assert!(url.starts_with("http://127.0.0.1:"), "{}", project.read("mock.txt"));
        Self { child, url: url.trim().to_owned() }
    }

    /// Ends it; whatever it was still doing must end, too.
    fn stop(mut self, project: &Project) {
        signal(&self.child, "TERM");
        let mut code = None;
        until("the mock has ended", || {
            code = self.child.try_wait().unwrap();
            code.is_some()
        });
        let code = code.and_then(|status| status.code());
        let said = project.read("mock.txt");
        assert_eq!(code, Some(0), "{said}");
        assert!(!said.contains("panicked"), "{said}");
    }
}

impl Drop for Mock {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a project against its mock as a live target.
fn run_live(project: &Project, args: &[&str]) -> Ran {
    finish(project, command(project, args))
}

fn configure(project: &Project, dify: &str, url: &str, apps: &[String]) {
    let apps: String = apps.iter().map(|app| format!("      {app}: {{ api_key: app-{app} }}\n")).collect();
    project.write(
        "flowproof.yaml",
        format!(
            "version: 1\nmock: {{ dify_version: \"{dify}\" }}\ntargets:\n  live:\n    base_url: {url}\n    apps:\n{apps}    \
             concurrency: 4\n    timeouts: {{ first_event: 6s, idle: 5s, total: 20s }}\n    \
             retries: {{ count: 2, delay: 10ms, max_delay: 2s }}\n    recovery: {{ deadline: 8s, poll: 500ms }}\n"
        ),
    );
}

/// The attempt that counts, and how many there were.
fn last(case: &Value) -> (Value, usize) {
    let attempts = case["attempts"].as_array().cloned().unwrap_or_default();
    (attempts.last().cloned().unwrap_or_default(), attempts.len())
}

/// Why a test is not green, or its run was looked for, wherever it is reported.
fn told(case: &Value) -> String {
    let (last, _) = last(case);
    let findings = last["findings"].as_array().cloned().unwrap_or_default();
    let unmet = findings.iter().filter(|finding| finding["truth"] != "held");
    let messages = unmet.map(|finding| finding["message"].as_str().unwrap_or_default().to_owned());
    let cause = last["cause"]["message"].as_str().unwrap_or_default().to_owned();
    let lost = last["facts"]["lost"].as_str().unwrap_or_default().to_owned();
    [cause, lost].into_iter().chain(messages).filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n")
}

/// How the run was found again; it was sent once, and what is known of it was judged.
fn recovered(case: &Value) -> String {
    let (last, attempts) = last(case);
    let Some(by) = last["facts"]["recovered"].as_str() else { return String::new() };
    let outputs = last["findings"].as_array().unwrap().iter().take(3);
    let is_judged = outputs.clone().count() == 3 && outputs.clone().all(|finding| finding["truth"] == "held");
    match (attempts, is_judged) {
        (1, true) => by.to_owned(),
        _ => format!("{by}, but in {attempts} attempts, or not judged"),
    }
}

fn judge(row: &Row, dify: &str, case: &Value, failures: &mut Vec<String>) {
    let Row { number, fault, mode, .. } = row;
    let (by_1_12, by_1_14) = row.recovered.split_once('/').unwrap_or((&row.recovered, &row.recovered));
    let by = recovered(case);
    if by != if dify == "1.12" { by_1_12 } else { by_1_14 } {
        failures.push(format!("line {number}: {fault} {mode}: recovered by {by:?}, not {:?}", row.recovered));
    }
    let verdict = case["verdict"].as_str().unwrap();
    let told = told(case);
    let seconds = case["duration_ms"].as_f64().unwrap() / 1e3;
    let is_told =
        told.contains(&row.message) && (verdict == "passed" || verdict == "flaky" || !row.message.is_empty());
    if verdict != row.verdict || !is_told || seconds > row.seconds {
        failures.push(format!(
            "line {number}: {fault} {mode}: {verdict} in {seconds:.1} s: {told}\n    expected {} in {} s: {}",
            row.verdict, row.seconds, row.message
        ));
    }
}

/// What all lines of a kind come to, against one Dify.
fn matrix(dify: &str, is_meant: fn(&Row) -> bool) {
    let of_this = |row: &Row| is_meant(row) && ["both", dify].contains(&&*row.dify);
    let rows: Vec<Row> = rows().into_iter().filter(of_this).collect();
    let project = Project::empty();
    for row in &rows {
        project.write(&format!("suites/row{}.yaml", row.number), suite_of(row));
    }
    let apps: Vec<String> = rows.iter().map(|row| format!("row{}", row.number)).collect();
    configure(&project, dify, "http://127.0.0.1:9/v1", &apps);
    let mock = Mock::start(&project, &[]);
    configure(&project, dify, &mock.url, &apps);
    if rows.iter().any(is_large) {
        // Where many tests share a machine, a large answer is not as steady as a small one.
        let patient = project.read("flowproof.yaml").replace("idle: 5s", "idle: 25s");
        project.write("flowproof.yaml", patient);
    }
    let ran = run_live(&project, &[]);
    assert_eq!(ran.code, Some(100), "{}", ran.text);
    assert!(!ran.text.contains("panicked"), "{}", ran.text);
    let report = report(&project);
    let mut failures = Vec::new();
    for row in &rows {
        judge(row, dify, case(&report, &format!("row{}", row.number)), &mut failures);
    }
    mock.stop(&project);
    assert!(failures.is_empty(), "{} of {} lines:\n{}", failures.len(), rows.len(), failures.join("\n"));
}

/// Answers of many megabytes keep a machine busy: they are tried by themselves.
fn is_large(row: &Row) -> bool {
    row.fault.starts_with("huge_event") || row.fault == "endless_stream"
}

#[test]
fn every_fault_of_1_12_is_told_for_what_it_is() {
    matrix("1.12", |row| !is_large(row));
}

#[test]
fn every_fault_of_1_14_is_told_for_what_it_is() {
    matrix("1.14", |row| !is_large(row));
}

#[test]
fn answers_without_measure_are_given_up() {
    matrix("1.12", is_large);
    matrix("1.14", is_large);
}

#[test]
fn the_matrix_has_every_fault_in_both_modes_and_no_green_damage() {
    let rows = rows();
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/format.md")).unwrap();
    let section = page.split("### Faults").nth(1).and_then(|rest| rest.split("\n## ").next()).unwrap();
    let rows_of = |table: &str| {
        let lines = table.lines().skip(2).take_while(|line| line.starts_with('|'));
        lines.map(|line| line.split('`').nth(1).unwrap().to_owned()).collect::<Vec<_>>()
    };
    let names: Vec<String> = section.split("| fault | argument |").skip(1).flat_map(rows_of).collect();
    assert_eq!(names.len(), 31, "{names:?}");
    for name in &names {
        for mode in ["streaming", "blocking"] {
            for dify in ["1.12", "1.14"] {
                let tried = rows.iter().any(|row| {
                    let is_it = row.fault.split([':', ',']).next() == Some(name.as_str());
                    is_it && row.mode == mode && ["both", dify].contains(&&*row.dify)
                });
                assert!(tried, "nobody tries {name} with {mode} on {dify}");
            }
        }
    }
    let harmless = [
        "missing_started",
        "slow_headers",
        "one_byte_chunks",
        "crlf",
        "gzip",
        "huge_event",
        "version_change",
        "sse_for_blocking",
    ];
    let is_green = |row: &&Row| row.verdict == "passed" && row.recovered.is_empty();
    for row in rows.iter().filter(is_green).filter(|row| !row.fault.starts_with('[')) {
        let name = row.fault.split([':', ',']).next().unwrap();
        assert!(harmless.contains(&name), "line {}: {name} damages the answer and is green", row.number);
    }
}

#[test]
fn on_the_built_in_mock_times_are_counted_by_attempt() {
    let project = Project::with_suite(
        "version: 1
name: S
tests:
  - name: two-of-three
    repeat: 2
    retries: { count: 2, delay: 1ms }
    assert: [{ path: $.n, equals: 1 }]
    mock: { outputs: { n: 1 }, fault: { name: http_429, times: 2 } }
  - name: rows
    each: [{ id: a, fault: \"too_many_requests,times=1\" }, { id: b, fault: { name: http_429, times: 1 } }]
    retries: { count: 1, delay: 1ms }
    assert: [{ path: $.n, equals: 1 }]
    mock: { outputs: { n: 1 }, fault: \"{{ row.fault }}\" }
  - name: refused-after-a-while
    retries: { count: 1, delay: 1ms }
    response_mode: blocking
    assert: [{ status: rejected }]
    mock: { reject: { message: q is required in input form }, fault: { name: http_429, times: 1 } }
",
    );
    let ran = finish(&project, project.command(&["run"]));
    assert_eq!(ran.code, Some(0), "{}", ran.text);
    let report = report(&project);
    for (test, attempts) in
        [("two-of-three", 6), ("rows[a]", 2), ("rows[b]", 2), ("refused-after-a-while", 2)]
    {
        let case = case(&report, test);
        assert_eq!(
            (case["verdict"].as_str(), case["attempts"].as_array().unwrap().len()),
            (Some("flaky"), attempts)
        );
    }
}

#[test]
fn faults_that_are_none_are_told_where_they_stand() {
    let project = Project::with_suite(
        "version: 1
tests:
  - name: a
    mock: { fault: htp_500 }
  - name: b
    mock:
      fault:
        - crlf
        - { drop_aftr: 3 }
        - { name: http_502_html, tims: 2 }
        - { name: gzipp }
        - drop_after
        - { huge_event: 50 }
        - { name: http_500, running: 2 }
        - { stall_after: 1, end: clean }
        - { ping_only: 3 }
        - { crlf: , gzip: }
        - { times: 2 }
        - { name: http_500, times: 0 }
        - 7
  - name: c
    mock: { reject: { message: no }, fault: { drop_after: 1 } }
  - name: d
    mock: { fault: [] }
",
    );
    let ran = finish(&project, project.command(&["check"]));
    assert_eq!(ran.code, Some(1), "{}", ran.text);
    let told = [
        ("4:20", "there is no fault `htp_500`", "did you mean `http_500`?"),
        ("9:13", "unknown key `drop_aftr` in a fault", "did you mean `drop_after`?"),
        ("10:34", "unknown key `tims` in a fault", "did you mean `times`?"),
        ("11:19", "there is no fault `gzipp`", "did you mean `gzip`?"),
        ("12:11", "`drop_after` needs a number of events: `drop_after: 3`", ""),
        ("13:25", "`huge_event`: `50` has no unit; write e.g. `10MB`", ""),
        ("14:11", "`running` belongs to a fault after which the run goes on, such as `drop_after`", ""),
        ("15:11", "`end` belongs to `drop_after`, `cut_mid_event` or `no_terminal_event`", ""),
        ("16:24", "`ping_only` takes no argument", ""),
        ("17:11", "must name one fault; several are a list", ""),
        ("18:11", "must name a fault", "write `{ name: http_500, times: 2 }`"),
        ("19:36", "`times` must be at least 1", ""),
        ("20:11", "a fault must be a name, a mapping, or a list of these", ""),
        ("22:45", "this fault cannot be combined with `reject`: nothing runs", ""),
        ("24:20", "a list of faults must not be empty", ""),
    ];
    for (place, message, help) in told {
        let is_told = ran.text.contains(&format!("s.yaml:{place}"))
            && ran.text.contains(message)
            && ran.text.contains(help);
        assert!(is_told, "{place} {message} {help} is not in\n{}", ran.text);
    }
}

#[test]
fn the_command_line_takes_faults_and_refuses_others() {
    let project = Project::with_suite(
        "version: 1\nname: S\napp: shop\ntests:\n  - { name: a, inputs: { q: x }, assert: [{ path: $.n, equals: 1 }], mock: { outputs: { n: 1 } } }\n",
    );
    for (fault, said) in [
        ("htp_500", "there is no fault `htp_500`; did you mean `http_500`?"),
        ("drop_after", "`drop_after` needs a number of events"),
        ("http_500,tims=2", "a fault has no key `tims`; known keys: times, running, booked, end"),
        ("http_500,2", "`2` is no `key=value`; write `drop_after:3,times=2`"),
        ("drop_after:many", "`drop_after`: "),
    ] {
        let ran = finish(&project, project.command(&["mock", "--fault", fault]));
        assert_eq!(ran.code, Some(2), "{}", ran.text);
        assert!(ran.text.contains(said), "{fault}: {}", ran.text);
    }
    configure(&project, "1.14", "http://127.0.0.1:9/v1", &["shop".to_owned()]);
    let mock = Mock::start(&project, &["--fault", "http_429,times=1", "--fault", "one_byte_chunks"]);
    configure(&project, "1.14", &mock.url, &["shop".to_owned()]);
    let ran = run_live(&project, &[]);
    assert_eq!(ran.code, Some(0), "{}", ran.text);
    assert_eq!(case(&report(&project), "a")["verdict"], "flaky");
    mock.stop(&project);
}

#[test]
fn no_fault_is_taken_for_the_bad_end_that_a_test_expects() {
    let project = Project::empty();
    let harmless =
        |row: &Row| row.recovered.is_empty() && ["passed", "flaky", "failed"].contains(&&*row.verdict);
    let rows: Vec<Row> = rows().into_iter().filter(|row| !harmless(row) && !is_large(row)).collect();
    let usage = |row: &Row| row.fault.contains("usage") || row.fault.starts_with("missing_started");
    let rows: Vec<Row> = rows.into_iter().filter(|row| !usage(row) && row.dify != "1.12").collect();
    for Row { number, fault, mode, .. } in &rows {
        let fault = if fault.starts_with('[') { fault.clone() } else { format!("\"{fault}\"") };
        let test = |name: &str, status: &str| {
            format!(
                "  - name: {name}\n    response_mode: {mode}\n    timeout: 2s\n    retries: 0\n    \
                 assert: [{{ status: [rejected, failed, stopped, partial-succeeded, paused] }}]\n    \
                 mock: {{ outputs: {{}}, status: {status}, fault: {fault} }}\n"
            )
        };
        let tests =
            test(&format!("row{number}-well"), "succeeded") + &test(&format!("row{number}-badly"), "failed");
        let suite = format!("version: 1\nname: row{number}\napp: row{number}\ntests:\n{tests}");
        project.write(&format!("suites/row{number}.yaml"), suite);
    }
    let ran = finish(&project, project.command(&["run", "-j", "8"]));
    let report = report(&project);
    for row in &rows {
        let verdict = |test: &str| {
            let case = case(&report, &format!("row{}-{test}", row.number));
            (case["verdict"].as_str().unwrap().to_owned(), !last(case).0["facts"]["recovered"].is_null())
        };
        let (well, badly) = (verdict("well"), verdict("badly"));
        // A run that was found is judged by how it truly ended, and nothing else is.
        let told = |(verdict, is_found): &(String, bool), truth: &str| match is_found {
            true => verdict == truth,
            false => verdict == "errored",
        };
        let Row { number, fault, mode, .. } = row;
        assert!(told(&well, "failed"), "line {number}: {fault} {mode}: {well:?}\n{}", ran.text);
        assert!(told(&badly, "passed"), "line {number}: {fault} {mode}: {badly:?}\n{}", ran.text);
    }
    assert!(rows.len() > 40, "{}", rows.len());
}
