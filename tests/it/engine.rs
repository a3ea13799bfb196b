//! The engine against servers that misbehave: pace, retries, configuration errors, timeouts, signals, choice and order.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::live::{Live, Ran, case, command, junit, report, signal, spawn, until, wait};
use crate::project::Project;
use crate::server::{
    Seen, Server, Step, document, event, good, ping, refusal, started, stream_head, succeed, suite_of,
    target, with_headers,
};

const QUICK: &str = "retries: { count: 3, delay: 10ms, max_delay: 20ms }";

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// A good answer after a while.
fn slow(seen: &Seen) -> Vec<Step> {
    [vec![Step::Sleep(ms(40))], good(seen)].concat()
}

// Pace.

#[test]
fn no_more_requests_at_once_than_allowed() {
    for (args, most) in [(&["-j", "3"][..], 3), (&["-j", "1"], 1), (&[], 5)] {
        let live = Live::new(&suite_of(20), "concurrency: 5", slow);
        live.expect(0, args);
        assert_eq!(live.server.runs().len(), 20);
        assert!(
            live.server.most_in_flight() <= most,
            "{} at once with {args:?}",
            live.server.most_in_flight()
        );
        assert!(most == 1 || live.server.most_in_flight() > 1, "nothing ran beside another with {args:?}");
    }
}

#[test]
fn repeats_of_one_test_run_side_by_side_and_none_too_many() {
    let test = |repeat: &str| suite_of(1).replace("    inputs:", &format!("{repeat}    inputs:"));
    let slow = |seen: &Seen| [vec![Step::Sleep(ms(150))], good(seen)].concat();
    let live = Live::new(&test("    repeat: 6\n"), "concurrency: 3", slow);
    live.expect(0, &[]);
    assert_eq!((live.server.runs().len(), live.server.most_in_flight()), (6, 3));
    let report = report(&live.project);
    let attempts = case(&report, "t0")["attempts"].as_array().unwrap();
    let order: Vec<u64> = attempts.iter().map(|attempt| attempt["repeat"].as_u64().unwrap()).collect();
    assert_eq!(order, [0, 1, 2, 3, 4, 5], "by number, whichever ended first");
    let runs = live.server.runs();
    let users: std::collections::BTreeSet<String> =
        runs.iter().map(|seen| seen.body["user"].to_string()).collect();
    assert_eq!(users.len(), 6, "each has a user of its own");

    // Both ways a range is decided by the same repeats.
    let range = "    repeat: { min: 4, max: 60 }\n    pass_rate: 0.9\n    fail_below: 0.5\n";
    let [one_by_one, side_by_side] = ["1", "8"].map(|at_once| {
        let live = Live::new(&test(range), "", slow);
        live.expect(0, &["-j", at_once]);
        (live.server.runs().len(), live.server.most_in_flight())
    });
    assert_eq!((one_by_one.0, one_by_one.1), (side_by_side.0, 1));
    assert!(side_by_side.1 >= 4, "{side_by_side:?}");
}

#[test]
fn what_is_in_flight_at_a_ctrl_c_is_told_and_counted() {
    let suite = suite_of(2).replacen("    inputs:", "    response_mode: blocking\n    inputs:", 1);
    let live = Live::new(&suite, "concurrency: 2", |seen| match seen.is_run() {
        true if seen.body["response_mode"] == "blocking" => vec![Step::Hang],
        true => vec![Step::Send([stream_head(), started("task-1")].concat()), Step::Hang],
        false => vec![Step::Send(document("200 OK", "application/json", b"{\"result\":\"success\"}"))],
    });
    let child = spawn(&live.project, command(&live.project, &[]));
    until("both are in flight", || live.server.runs().len() == 2);
    std::thread::sleep(ms(300));
    signal(&child, "INT");
    let ran = wait(&live.project, child);
    assert_eq!((ran.code, live.server.stops().len()), (Some(130), 1), "{}", ran.text);
    assert!(
        ran.text.contains("Dify was asked to stop 1") && ran.text.contains("1 could not be stopped"),
        "{}",
        ran.text
    );
    let totals = report(&live.project)["totals"].clone();
    assert_eq!((&totals["tokens_unknown"], &totals["cost_unknown"]), (&2.into(), &2.into()), "{totals}");
    assert_eq!((&totals["left"]["asked"], &totals["left"]["not_stoppable"]), (&1.into(), &1.into()));
}

#[test]
fn every_run_has_a_connection_of_its_own() {
    let live = Live::new(&suite_of(40), "", slow);
    live.expect(0, &["-j", "4"]);
    assert_eq!(live.server.runs().len(), 40);
    // One that the server ends at the moment a run is sent on it would take the run with it.
    assert!(live.server.connections() >= 40, "{} connections", live.server.connections());
}

#[test]
fn the_rate_holds_back_requests_however_fast_the_answers_are() {
    let live = Live::new(&suite_of(12), "", good);
    live.expect(0, &["-j", "8", "--rate", "20/s"]);
    let runs = live.server.runs();
    let times: Vec<_> = runs.iter().map(|seen| seen.at).collect();
    // 12 starts at 20/s lie 550 ms apart at least, by the client's clock; the server's may see them a bit closer together.
    let all = *times.iter().max().unwrap() - *times.iter().min().unwrap();
    assert!(all >= ms(400), "12 requests at 20/s within {all:?}");
    let mut sorted = times;
    sorted.sort();
    for window in sorted.windows(7) {
        let took = window[6] - window[0];
        assert!(took >= ms(150), "7 requests at 20/s within {took:?}");
    }
}

// Retries.

/// One test against a server whose request number `n` is answered by `answer(n)`.
fn one(keys: &str, answer: impl Fn(usize, &Seen) -> Vec<Step> + Send + Sync + 'static) -> Live {
    let runs = AtomicUsize::new(0);
    Live::new(&suite_of(1), keys, move |seen| {
        if seen.is_run() { answer(runs.fetch_add(1, Ordering::SeqCst), seen) } else { nothing_there(seen) }
    })
}

/// Stops are taken; no run, and no page of logs, is known.
fn nothing_there(seen: &Seen) -> Vec<Step> {
    if seen.target.ends_with("/stop") {
        stop_said()
    } else {
        refusal(404, "not_found", "Workflow run not found.")
    }
}

#[test]
fn a_connection_that_is_refused_is_tried_again_until_the_server_is_up() {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&"127.0.0.1:0".parse::<std::net::SocketAddr>().unwrap().into()).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    let project = Project::with_suite(&suite_of(1));
    target(
        &project,
        &format!("http://{address}/v1"),
        "retries: { count: 100, delay: 20ms, max_delay: 200ms }",
    );
    let child = spawn(&project, command(&project, &[]));
    until("the run has begun", || project.path("reports/runs").exists());
    std::thread::sleep(ms(1000));
    socket.listen(16).unwrap();
    let server = Server::on(socket.into(), None, good);
    let ran = wait(&project, child);
    assert_eq!(ran.code, Some(0), "{}", ran.text);
    assert_eq!(server.runs().len(), 1, "what was refused reached nobody");
    assert!(ran.text.contains("flaky"), "{}", ran.text);
    let report = report(&project);
    let cause = &case(&report, "t0")["attempts"][0]["cause"]["message"];
    assert!(cause.as_str().unwrap().contains("refused"), "{cause}");
}

#[test]
fn what_provably_did_not_start_is_sent_again_and_the_test_is_flaky() {
    let busy = "Too many requests. Please try again later. The current maximum concurrent requests allowed for a is 2.";
    let refusals: [(&str, Vec<Step>); 4] = [
        ("429", refusal(429, "too_many_requests", "slow down")),
        ("Dify's 400", refusal(400, "invalid_param", busy)),
        ("Cloudflare", vec![Step::Send(document("429 Too Many", "text/plain", b"error code: 1015"))]),
        ("429 without a body", vec![Step::Send(document("429 Too Many", "text/html", b""))]),
    ];
    for (name, refused) in refusals {
        let live = one(QUICK, move |number, seen| if number < 2 { refused.clone() } else { good(seen) });
        let ran = live.expect(0, &[]);
        assert_eq!(live.server.runs().len(), 3, "{name}");
        assert_eq!(live.verdict("t0"), "flaky", "{name}: {}", ran.text);
        assert!(ran.text.contains("1 flaky"), "{name}: {}", ran.text);
        assert_eq!(junit(&live.project)["flakyError"], 2, "{name}");
        let users: std::collections::BTreeSet<_> =
            live.server.runs().iter().map(|seen| seen.body["user"].as_str().unwrap().to_owned()).collect();
        assert_eq!(users.len(), 3, "each attempt has a user of its own");
    }
}

#[test]
fn what_may_have_run_is_never_sent_again() {
    let cut = || {
        let half =
            [stream_head(), started("task-1"), event("task-1", "node_started", "{}")[..20].to_vec()].concat();
        vec![Step::Send(half), Step::Close]
    };
    let clean = || vec![Step::Send([stream_head(), started("task-1"), b"0\r\n\r\n".to_vec()].concat())];
    let html = |status: &'static str| {
        move || vec![Step::Send(document(status, "text/html", b"<html><title>gone</title></html>"))]
    };
    type Answer = Box<dyn Fn() -> Vec<Step> + Send + Sync>;
    let answers: Vec<(&str, Answer, &str)> = vec![
        ("500", Box::new(|| refusal(500, "internal_server_error", "oh no")), "oh no"),
        ("502", Box::new(html("502 Bad Gateway")), "HTTP 502"),
        ("503", Box::new(html("503 Service Unavailable")), "HTTP 503"),
        ("504", Box::new(html("504 Gateway Timeout")), "HTTP 504"),
        ("reset", Box::new(|| vec![Step::Reset]), "reset"),
        ("close", Box::new(|| vec![Step::Close]), "closed"),
        ("cut", Box::new(cut), "the connection ended before the run did"),
        ("clean end", Box::new(clean), "the connection ended before the run did"),
        ("silence", Box::new(|| vec![Step::Hang]), "no answer within"),
        (
            "silence in the stream",
            Box::new(|| vec![Step::Send([stream_head(), started("t")].concat()), Step::Hang]),
            "nothing came for",
        ),
    ];
    for (name, answer, said) in answers {
        let keys = format!("{QUICK}\ntimeouts: {{ first_event: 400ms, idle: 400ms, total: 30s }}");
        let live = one(&keys, move |_, _| answer());
        let ran = live.expect(3, &[]);
        assert_eq!(live.server.runs().len(), 1, "{name} was sent again");
        assert_eq!(live.verdict("t0"), "errored", "{name}");
        assert!(ran.text.contains(said), "{name}: {said:?} is not in {}", ran.text);
    }
}

#[test]
fn what_may_have_run_is_sent_again_where_the_user_takes_the_risk() {
    let live = one("retries: { count: 2, delay: 10ms, resend: true }", |number, seen| match number {
        0 => refusal(500, "internal_server_error", "oh no"),
        1 => vec![Step::Reset],
        _ => good(seen),
    });
    live.expect(0, &[]);
    assert_eq!(live.server.runs().len(), 3);
    assert_eq!(live.verdict("t0"), "flaky");
}

#[test]
fn a_failed_assertion_is_never_tried_again() {
    let live = one(&format!("{QUICK}\n"), |_, seen| succeed(seen, r#"{"x":2}"#));
    live.expect(100, &["--retries", "5"]);
    assert_eq!(live.server.runs().len(), 1);
    assert_eq!(live.verdict("t0"), "failed");
}

#[test]
fn a_rejected_run_is_judged_and_not_tried_again() {
    let live = one(QUICK, |_, _| refusal(400, "invalid_param", "t is required in input form"));
    let ran = live.expect(100, &[]);
    assert_eq!(live.server.runs().len(), 1);
    assert_eq!(live.verdict("t0"), "failed");
    assert!(ran.text.contains("t is required in input form"), "{}", ran.text);
}

#[test]
fn retry_after_is_waited_for() {
    let live = one(QUICK, |number, seen| match number {
        0 => vec![Step::Send(with_headers("429 Busy", "text/plain", "Retry-After: 1\r\n", b"busy"))],
        _ => good(seen),
    });
    live.expect(0, &[]);
    let runs = live.server.runs();
    assert!(runs[1].at - runs[0].at >= ms(900), "sent again after {:?}", runs[1].at - runs[0].at);
}

#[test]
fn an_upload_that_is_refused_holds_back_its_app_within_the_limits() {
    let suite = "version: 1\nname: S\ntests:\n  - { name: t0, inputs: { t: t0 }, files: { f: _f.txt }, assert: [{ path: $.x, equals: 1 }] }\n";
    let live = |seconds: &'static str, keys: &str| {
        let uploads = AtomicUsize::new(0);
        let live = Live::new(suite, &format!("{QUICK}\n{keys}"), move |seen| {
            if seen.is_run() {
                return good(seen);
            }
            let head = format!("Retry-After: {seconds}\r\n");
            match uploads.fetch_add(1, Ordering::SeqCst) {
                0 => vec![Step::Send(with_headers("429 Busy", "text/html", &head, b"<p>busy</p>"))],
                _ => vec![Step::Send(document("201 Created", "application/json", b"{\"id\":\"f1\"}"))],
            }
        });
        live.project.write("suites/_f.txt", "text");
        live
    };
    let short = live("1", "timeouts: { total: 30s }");
    short.expect(0, &[]);
    let times: Vec<_> = short.server.requests().iter().map(|seen| seen.at).collect();
    assert_eq!(times.len(), 3, "two uploads, and the run");
    assert!(times[1] - times[0] >= ms(900), "uploaded again after {:?}", times[1] - times[0]);
    let long = live("100", "timeouts: { total: 30s }");
    let ran = long.expect(3, &[]);
    assert!(ran.text.contains("_f.txt: "), "{}", ran.text);
    assert_eq!(long.server.requests().len(), 1, "what is beyond the limit of an attempt is not waited for");
    let run = live("100", "timeouts: { total: 10m }");
    let ran = run.run(&["--max-time", "20s"]);
    assert_ne!(ran.code, Some(0), "{}", ran.text);
    assert!(ran.text.contains("the time of the run is over before"), "{}", ran.text);
    assert_eq!(run.server.requests().len(), 1);
}

#[test]
fn when_retries_are_used_up_the_test_is_errored_with_the_cause() {
    let live = one(QUICK, |_, _| refusal(429, "too_many_requests", "slow down"));
    let ran = live.expect(3, &[]);
    assert_eq!(live.server.runs().len(), 4, "one attempt and three retries");
    assert_eq!(live.verdict("t0"), "errored");
    assert!(ran.text.contains("slow down"), "{}", ran.text);
    let live = one(QUICK, |_, _| refusal(429, "too_many_requests", "slow down"));
    live.expect(3, &["--retries", "0"]);
    assert_eq!(live.server.runs().len(), 1);
}

// Configuration errors.

#[test]
fn a_configuration_error_is_met_once_and_told_once() {
    let errors = [
        (401, "unauthorized", "Access token is invalid"),
        (403, "forbidden", "The app's API service has been disabled."),
        (400, "not_workflow_app", "Please check if your app mode matches the right API route."),
        (429, "rate_limit_error", "Workflow execution quota limit reached."),
        (400, "provider_quota_exceeded", "Your quota for Dify Hosted Model Provider has been exhausted."),
    ];
    for (status, code, message) in errors {
        let live = Live::new(&suite_of(30), QUICK, move |_| refusal(status, code, message));
        let ran = live.expect(3, &["-j", "1"]);
        assert_eq!(live.server.runs().len(), 1, "{code}");
        let report = report(&live.project);
        assert_eq!(report["totals"]["errored"], 30, "{code}");
        for case in &report["cases"].as_array().unwrap()[1..] {
            let reason = case["reason"].as_str().unwrap();
            assert!(reason.contains("not sent") && reason.contains(message), "{code}: {reason}");
        }
        let summary = summary(&ran);
        // Once for all: where it was met, and those that were not sent.
        assert_eq!(summary.matches(message).count(), 1, "{code} is told too often in: {summary}");
        assert!(summary.contains("errored 30 tests, all for one cause"), "{summary}");
        assert_eq!(junit(&live.project)["error"], 30, "{code}");
    }
}

/// What is printed after the live lines: the failures and the totals.
fn summary(ran: &Ran) -> String {
    let lines: Vec<&str> = ran.text.lines().filter(|line| !line.starts_with("! errored S::")).collect();
    lines.join("\n")
}

#[test]
fn a_configuration_error_of_one_app_leaves_the_other_alone() {
    let server = Server::start(|seen| {
        if seen.head.contains("bearer app-bad-key") {
            refusal(401, "unauthorized", "Access token is invalid")
        } else {
            good(seen)
        }
    });
    let project = Project::empty();
    project.write("suites/bad.yaml", suite_of(10).replace("name: S", "name: Bad\napp: bad"));
    project.write("suites/good.yaml", suite_of(10).replace("name: S", "name: Good\napp: good"));
    project.write(
        "flowproof.yaml",
        format!(
            "version: 1\ntargets:\n  live:\n    base_url: {}\n    apps:\n      bad: {{ api_key: app-bad-key }}\n      good: {{ api_key: app-good-key }}\n",
            server.base_url()
        ),
    );
    let ran = crate::live::run(&project, &["-j", "1"]);
    assert_eq!(ran.code, Some(100), "{}", ran.text);
    let report = report(&project);
    assert_eq!((&report["totals"]["errored"], &report["totals"]["passed"]), (&10.into(), &10.into()));
    assert_eq!(server.runs().len(), 11);
}

// Timeouts and signals.

/// The user of the only run and the stop that was asked for.
fn assert_stopped(live: &Live, task: &str) {
    let user = live.server.runs()[0].body["user"].as_str().unwrap().to_owned();
    assert_eq!(live.server.stops(), [(task.to_owned(), user)]);
    let stop = live.server.requests().into_iter().find(|seen| seen.target.contains("/stop")).unwrap();
    assert!(
        stop.head.contains(&format!("authorization: bearer {}", crate::server::KEY.to_lowercase())),
        "{}",
        stop.head
    );
}

#[test]
fn pings_are_no_first_event() {
    let pings = |_: &Seen| {
        let mut steps = vec![Step::Send(stream_head())];
        (0..40).for_each(|_| steps.extend([Step::Send(ping()), Step::Sleep(ms(50))]));
        steps.push(Step::Hang);
        steps
    };
    let live = Live::new(&suite_of(1), "timeouts: { first_event: 500ms, total: 60s }", pings);
    let ran = live.expect(3, &[]);
    assert!(ran.text.contains("and no event for 500 ms"), "{}", ran.text);
    assert!(ran.text.contains("pings"), "{}", ran.text);
    assert_eq!(live.verdict("t0"), "errored");
    assert!(live.server.stops().is_empty(), "no task id came, so none can be stopped");
}

#[test]
fn silence_ends_a_run_and_stops_its_task() {
    let live = Live::new(&suite_of(1), "timeouts: { idle: 300ms, total: 60s }", |seen| {
        if seen.is_run() {
            vec![Step::Send([stream_head(), started("task-idle")].concat()), Step::Hang]
        } else {
            stop_said()
        }
    });
    let ran = live.expect(3, &[]);
    assert!(ran.text.contains("nothing came for 300 ms"), "{}", ran.text);
    assert_stopped(&live, "task-idle");
}

#[test]
fn pings_hold_off_the_idle_limit() {
    let live = Live::new(&suite_of(1), "timeouts: { idle: 2s, total: 60s }", |seen| {
        let mut steps = vec![Step::Send([stream_head(), started("task-1")].concat())];
        (0..30).for_each(|_| steps.extend([Step::Sleep(ms(100)), Step::Send(ping())]));
        steps.push(Step::Send(crate::server::finished("task-1", "{\"x\":1}")));
        if seen.is_run() { steps } else { stop_said() }
    });
    live.expect(0, &[]);
    assert!(live.server.stops().is_empty());
}

#[test]
fn the_whole_attempt_has_a_limit_and_its_task_is_stopped() {
    let talk = |seen: &Seen| {
        let mut steps = vec![Step::Send([stream_head(), started("task-total")].concat())];
        (0..400).for_each(|_| steps.extend([Step::Send(ping()), Step::Sleep(ms(50))]));
        if seen.is_run() { steps } else { stop_said() }
    };
    let live = Live::new(&suite_of(1), "timeouts: { total: 600ms }", talk);
    let ran = live.expect(3, &[]);
    assert!(ran.text.contains("no end within 600 ms"), "{}", ran.text);
    assert_stopped(&live, "task-total");
    let by_flag = Live::new(&suite_of(1), "timeouts: { total: 60s }", talk);
    let ran = by_flag.expect(3, &["--timeout", "500ms"]);
    assert!(ran.text.contains("no end within 500 ms"), "{}", ran.text);
    assert_stopped(&by_flag, "task-total");
}

#[test]
fn a_blocking_answer_that_never_comes_times_out() {
    let suite = suite_of(1).replace("    inputs:", "    response_mode: blocking\n    inputs:");
    let live = Live::new(&suite, "timeouts: { first_event: 400ms, total: 60s }", |_| vec![Step::Hang]);
    let ran = live.expect(3, &[]);
    assert!(ran.text.contains("no answer within 400 ms"), "{}", ran.text);
    let live = Live::new(&suite, "timeouts: { first_event: 60s, total: 400ms }", |_| vec![Step::Hang]);
    let ran = live.expect(3, &[]);
    assert!(ran.text.contains("no end within 400 ms"), "{}", ran.text);
}

fn stop_said() -> Vec<Step> {
    vec![Step::Send(document("200 OK", "application/json", b"{\"result\":\"success\"}"))]
}

#[test]
fn a_timed_out_run_that_was_already_too_slow_failed() {
    let suite = suite_of(1).replace("equals: 1 }]", "equals: 1 }, { latency: 100ms }]");
    let live = Live::new(&suite, "timeouts: { total: 600ms }", |_| {
        vec![Step::Send([stream_head(), started("t")].concat()), Step::Hang]
    });
    let ran = live.expect(100, &[]);
    assert_eq!(live.verdict("t0"), "failed", "{}", ran.text);
    let live = Live::new(&suite.replace("100ms", "100s"), "timeouts: { total: 600ms }", |_| {
        vec![Step::Send([stream_head(), started("t")].concat()), Step::Hang]
    });
    live.expect(3, &[]);
    assert_eq!(live.verdict("t0"), "errored");
}

/// The first test is answered, all others stay in a running stream.
fn one_quick_then_running(seen: &Seen) -> Vec<Step> {
    match seen.input("t") {
        _ if !seen.is_run() => stop_said(),
        "t0" => good(seen),
        name => vec![Step::Send([stream_head(), started(&format!("task-{name}"))].concat()), Step::Hang],
    }
}

#[cfg(unix)]
#[test]
fn an_interrupt_stops_every_running_task_and_reports_what_finished() {
    let live = Live::new(&suite_of(9), "", one_quick_then_running);
    let child = spawn(&live.project, command(&live.project, &["-j", "3"]));
    until("three streams run", || live.server.runs().len() == 4);
    // Nothing tells from outside that the client has read the task's id.
    std::thread::sleep(ms(1500));
    signal(&child, "INT");
    let ran = wait(&live.project, child);
    assert_eq!(ran.code, Some(130), "{}", ran.text);
    let user = |name: &str| {
        let run = live.server.runs().into_iter().find(|seen| seen.input("t") == name);
        run.unwrap().body["user"].as_str().unwrap().to_owned()
    };
    let mut stops = live.server.stops();
    stops.sort();
    let expected: Vec<_> = ["t1", "t2", "t3"].map(|name| (format!("task-{name}"), user(name))).into();
    assert_eq!(stops, expected);
    assert_eq!(live.server.runs().len(), 4, "nothing new was started");
    let report = report(&live.project);
    assert_eq!(report["run"]["interrupted"], true);
    assert_eq!((&report["totals"]["passed"], &report["totals"]["unfinished"]), (&1.into(), &8.into()));
    assert_eq!(junit(&live.project)["testcase"], 2, "the one that finished, and the run that did not");
}

#[cfg(unix)]
#[test]
fn a_second_interrupt_leaves_at_once() {
    let live = Live::new(&suite_of(2), "", |seen| {
        // The stop is never answered, so that the run waits for it.
        if seen.is_run() { one_quick_then_running(seen) } else { vec![Step::Hang] }
    });
    let child = spawn(&live.project, command(&live.project, &["-j", "1"]));
    until("a stream runs", || live.server.runs().len() == 2);
    // Nothing tells from outside that the client has read the task's id.
    std::thread::sleep(ms(1500));
    signal(&child, "INT");
    until("the stop is asked for", || !live.server.stops().is_empty());
    signal(&child, "INT");
    let ran = wait(&live.project, child);
    assert_eq!(ran.code, Some(130), "{}", ran.text);
    assert!(
        !live.project.path("reports/latest/report.json").exists(),
        "it left without reports: {}",
        ran.text
    );
}

// Choice and order.

/// A suite of passing and failing tests on the mock: `p` passes, `f` fails.
fn marks(marks: &str) -> String {
    let mut suite = String::from("version: 1\nname: S\ntests:\n");
    for (number, mark) in marks.chars().enumerate() {
        let x = if mark == 'p' { 1 } else { 2 };
        suite.push_str(&format!(
            "  - {{ name: t{number}, tags: [{mark}, n{number}], assert: [{{ path: $.x, equals: 1 }}], mock: {{ outputs: {{ x: {x} }} }} }}\n"
        ));
    }
    suite
}

fn on_mock(project: &Project, args: &[&str]) -> (i32, Vec<String>) {
    let mut all = vec!["run", "-j", "1"];
    all.extend_from_slice(args);
    let ran = crate::live::finish(project, project.command(&all));
    let code = ran.code.unwrap();
    let latest = project.path("reports/latest");
    if !latest.exists() {
        return (code, Vec::new());
    }
    let journal = report(project);
    std::fs::remove_dir_all(latest).unwrap();
    let mut cases: Vec<_> = journal["cases"].as_array().unwrap().iter().collect();
    cases.sort_by(|a, b| {
        a["attempts"][0]["sent_ms"]
            .as_f64()
            .unwrap()
            .total_cmp(&b["attempts"][0]["sent_ms"].as_f64().unwrap())
    });
    (
        code,
        cases
            .iter()
            .map(|case| case["name"].as_str().unwrap().trim_start_matches("S::").to_owned())
            .collect(),
    )
}

#[test]
fn fail_fast_and_max_fail_stop_early() {
    let project = Project::with_suite(&marks("ppfpfpfp"));
    assert_eq!(on_mock(&project, &["--fail-fast"]), (100, ["t0", "t1", "t2"].map(str::to_owned).into()));
    assert_eq!(
        on_mock(&project, &["--max-fail", "2"]),
        (100, ["t0", "t1", "t2", "t3", "t4"].map(str::to_owned).into())
    );
    assert_eq!(on_mock(&project, &[]).1.len(), 8);
    let ran = crate::live::finish(&project, project.command(&["run", "-j", "1", "--fail-fast"]));
    assert!(ran.text.contains("stopped after 1 red"), "{}", ran.text);
    assert_eq!(report(&project)["totals"]["unfinished"], 5);
}

#[test]
fn filters_names_and_tags_choose() {
    let project = Project::with_suite(&marks("pppppppppppp"));
    let names = |args: &[&str]| on_mock(&project, args).1;
    assert_eq!(names(&["-f", "t1"]), ["t1", "t10", "t11"]);
    assert_eq!(names(&["-f", "t1", "-f", "t2"]), ["t1", "t2", "t10", "t11"]);
    assert_eq!(names(&["-f", "S::t1", "--exact"]), ["t1"]);
    assert_eq!(on_mock(&project, &["-f", "t1", "--exact"]), (4, vec![]));
    assert_eq!(names(&["--tag", "n3", "--tag", "n4"]), ["t3", "t4"]);
    assert_eq!(names(&["--tag", "p", "--skip-tag", "n0", "-f", "t0", "-f", "t1"]), ["t1", "t10", "t11"]);
    assert_eq!(on_mock(&project, &["-f", "nope", "--no-tests", "warn"]), (0, vec![]));
    assert_eq!(on_mock(&project, &["-f", "nope", "--no-tests", "pass"]), (0, vec![]));
    assert_eq!(on_mock(&project, &["-f", "nope", "--no-tests", "fail"]), (4, vec![]));
}

#[test]
fn a_seed_gives_an_order_and_a_sample() {
    let project = Project::with_suite(&marks(&"p".repeat(20)));
    let names = |args: &[&str]| on_mock(&project, args).1;
    let written: Vec<String> = (0..20).map(|number| format!("t{number}")).collect();
    let one = names(&["--shuffle=1"]);
    assert_eq!(one, names(&["--shuffle=1"]));
    assert_eq!(one, names(&["--shuffle", "--seed", "1"]));
    assert_ne!(one, written);
    assert_ne!(one, names(&["--shuffle=2"]));
    let mut sorted = one;
    sorted.sort_by_key(|name| name[1..].parse::<u32>().unwrap());
    assert_eq!(sorted, written);
    let sample = names(&["--sample", "5", "--seed", "7"]);
    assert_eq!(sample.len(), 5);
    assert_eq!(sample, names(&["--sample", "5", "--seed", "7"]));
    let ran = crate::live::finish(&project, project.command(&["run", "--shuffle"]));
    let seed = report(&project)["run"]["seed"].as_u64().unwrap();
    assert!(ran.text.contains(&format!("--seed {seed}")), "{}", ran.text);
}

#[test]
fn only_leaves_the_others_out() {
    let project = Project::with_suite(&marks("ppp").replace("name: t1,", "name: t1, only: true,"));
    assert_eq!(on_mock(&project, &[]), (0, vec!["t1".to_owned()]));
    let mut in_ci = project.command(&["run"]);
    in_ci.env("CI", "true");
    let ran = crate::live::finish(&project, in_ci);
    assert_eq!(ran.code, Some(2), "{}", ran.text);
    assert!(ran.text.contains("`only` is refused"), "{}", ran.text);
}

#[test]
fn repeats_are_judged_by_their_rate() {
    for (rate, bad, code, verdict) in [
        ("1", 0, 0, "passed"),
        ("1", 1, 100, "failed"),
        ("0.8", 1, 0, "flaky"),
        ("0.8", 2, 100, "failed"),
        ("0.6", 2, 0, "flaky"),
    ] {
        let suite =
            suite_of(1).replace("    inputs:", &format!("    repeat: 5\n    pass_rate: {rate}\n    inputs:"));
        let runs = Arc::new(AtomicUsize::new(0));
        let live = Live::new(&suite, "", move |seen| {
            let number = runs.fetch_add(1, Ordering::SeqCst);
            succeed(seen, if number < bad { r#"{"x":2}"# } else { r#"{"x":1}"# })
        });
        live.expect(code, &[]);
        assert_eq!(live.server.runs().len(), 5);
        assert_eq!(live.verdict("t0"), verdict, "{bad} of 5 bad at {rate}");
    }
}

// Precedence.

#[test]
fn retries_go_flag_environment_test_defaults_profile_target() {
    let project_keys = "retries: { count: 1, delay: 1ms }";
    let own = "    retries: 2\n    inputs:";
    let count = |own_key: bool, defaults: bool, profile: bool, env: Option<&str>, flag: Option<&str>| {
        let mut suite = suite_of(1);
        if own_key {
            suite = suite.replace("    inputs:", own);
        }
        if defaults {
            suite = suite.replace("tests:", "defaults: { retries: 3 }\ntests:");
        }
        let live = Live::new(&suite, project_keys, |_| refusal(429, "too_many_requests", "busy"));
        if profile {
            let file = live.project.read("flowproof.yaml");
            live.project
                .write("flowproof.yaml", format!("{file}profiles: {{ default: {{ retries: 4 }} }}\n"));
        }
        let mut args = Vec::new();
        args.extend(flag.into_iter().flat_map(|flag| ["--retries", flag]));
        let mut command = command(&live.project, &args);
        if let Some(env) = env {
            command.env("FLOWPROOF_RETRIES", env);
        }
        let ran = crate::live::finish(&live.project, command);
        assert_eq!(ran.code, Some(3), "{}", ran.text);
        live.server.runs().len() - 1
    };
    assert_eq!(count(false, false, false, None, None), 1, "target");
    assert_eq!(count(false, false, true, None, None), 4, "profile over target");
    assert_eq!(count(false, true, true, None, None), 3, "defaults over profile");
    assert_eq!(count(true, true, true, None, None), 2, "test over defaults");
    assert_eq!(count(true, true, true, Some("5"), None), 5, "environment over test");
    assert_eq!(count(true, true, true, Some("5"), Some("0")), 0, "flag over environment");
}

#[test]
fn timeouts_and_concurrency_go_by_the_same_order() {
    let keys = "concurrency: 4\ntimeouts: { total: 60s }";
    let limit = |suite: &str, env: Option<&str>, args: &[&str]| {
        let live = Live::new(suite, keys, |_| vec![Step::Hang]);
        let mut command = command(&live.project, args);
        command.envs(env.map(|env| ("FLOWPROOF_TIMEOUT", env)));
        let ran = crate::live::finish(&live.project, command);
        let after = ran.text.split("no end within ").nth(1).unwrap_or_else(|| panic!("{}", ran.text));
        after.split(';').next().unwrap().to_owned()
    };
    let by_defaults = suite_of(1).replace("tests:", "defaults: { timeout: 300ms }\ntests:");
    let by_test = by_defaults.replace("    inputs:", "    timeout: 310ms\n    inputs:");
    assert_eq!(limit(&by_defaults, None, &[]), "300 ms");
    assert_eq!(limit(&by_test, None, &[]), "310 ms");
    assert_eq!(limit(&by_test, Some("320ms"), &[]), "320 ms");
    assert_eq!(limit(&by_test, Some("320ms"), &["--timeout", "330ms"]), "330 ms");
    let most = |env: Option<&str>, args: &[&str]| {
        let live = Live::new(&suite_of(24), keys, |seen| [vec![Step::Sleep(ms(60))], good(seen)].concat());
        let mut command = command(&live.project, args);
        command.envs(env.map(|env| ("FLOWPROOF_CONCURRENCY", env)));
        let ran = crate::live::finish(&live.project, command);
        assert_eq!(ran.code, Some(0), "{}", ran.text);
        live.server.most_in_flight()
    };
    assert!((3..=4).contains(&most(None, &[])));
    assert_eq!(most(Some("2"), &[]), 2);
    assert_eq!(most(Some("2"), &["-j", "1"]), 1);
}

#[test]
fn a_bad_word_in_the_environment_is_a_usage_error() {
    for (name, value) in [
        ("FLOWPROOF_RETRIES", "many"),
        ("FLOWPROOF_TIMEOUT", "5"),
        ("FLOWPROOF_RATE", "5"),
        ("FLOWPROOF_CONCURRENCY", "0"),
    ] {
        let live = Live::new(&suite_of(1), "", good);
        let mut command = command(&live.project, &[]);
        command.env(name, value);
        let ran = crate::live::finish(&live.project, command);
        assert_eq!(ran.code, Some(2), "{name}: {}", ran.text);
        assert!(ran.text.contains(name), "{}", ran.text);
        assert!(live.server.requests().is_empty());
    }
}
