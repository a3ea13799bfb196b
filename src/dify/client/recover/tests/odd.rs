//! Odd shapes: what must not be taken for our run, what must not be taken for its end, what proves nothing.

use super::*;

/// A streaming run of 1.12 that is cut, with these details in turn.
async fn with_details(details: Vec<Vec<Step>>, recovery: Recover) -> Transcript {
    let script = Script { run: cut("1.12.1", &[started()]), detail: details, ..Script::default() };
    Try { recovery, ..Try::streaming() }.send(&script.start().await).await
}

/// A blocking run that is lost, with these logs in turn.
async fn with_logs(attempt: Try, pages: Vec<Vec<Step>>) -> Transcript {
    let script =
        Script { run: gateway_timeout(), logs: pages, detail: vec![succeeded()], ..Script::default() };
    attempt.send(&script.start().await).await
}

#[tokio::test]
async fn each_way_to_end_is_an_end() {
    let texts = json!({ "inputs": "{\"q\": \"hello\"}", "outputs": "{\"a\": [1]}" });
    for (status, more, expected) in [
        ("succeeded", texts, json!({ "a": [1] })),
        ("failed", json!({ "error": "boom", "outputs": null }), json!({})),
        ("partial-succeeded", json!({ "outputs": { "a": 1 } }), json!({ "a": 1 })),
        ("stopped", json!({ "outputs": "{}", "inputs": { "q": "hello" } }), json!({})),
    ] {
        let found = with_details(vec![vec![json_body(&detail(status, &more))]], QUICK).await;
        assert_eq!(
            (by(&found), &found.ending, outputs(&found)),
            (RecoveredBy::Detail, &Ending::Finished, &expected)
        );
        assert_eq!(found.answer.run.as_ref().unwrap().data()["status"], status);
    }
    let paused = with_details(vec![vec![json_body(&detail("paused", &json!({})))]], QUICK).await;
    assert_eq!((by(&paused), &paused.ending), (RecoveredBy::Detail, &Ending::Paused));
}

#[tokio::test]
async fn proxies_and_bugs_in_polling_are_waited_out() {
    let details = vec![
        vec![html("502 Bad Gateway")],
        vec![html("200 OK")],
        vec![json_body(&json!({ "code": "unknown", "message": "Internal Server Error", "status": 500 }))],
        vec![Step::Send(document(
            "500 X",
            "application/json",
            b"{\"code\":\"internal_server_error\",\"message\":\"x\"}",
        ))],
        vec![Step::Send(document("200 OK", "application/json", b"{\"id\": NaN"))],
        vec![Step::Reset],
        vec![json_body(&detail("succeeded", &json!({ "outputs": "half {" })))],
        vec![json_body(&detail("dreaming", &json!({})))],
        succeeded(),
    ];
    let found = with_details(details, QUICK).await;
    assert_eq!(by(&found), RecoveredBy::Detail);
}

#[tokio::test]
async fn what_stays_odd_is_lost_with_the_last_reason() {
    let refused = || {
        Step::Send(document(
            "401 X",
            "application/json",
            b"{\"code\":\"unauthorized\",\"message\":\"Access token is invalid\",\"status\":401}",
        ))
    };
    let missing = || {
        Step::Send(document(
            "404 X",
            "application/json",
            b"{\"code\":\"not_found\",\"message\":\"Workflow run not found.\",\"status\":404}",
        ))
    };
    for (answer, expected, trace) in [
        (html("200 OK"), "the run r-1 could not be looked up: HTTP 200: an HTML page: Sorry, ", Trace::None),
        (missing(), "Dify does not know the run r-1, ", Trace::None),
        (json_body(&json!({ "id": null })), "Dify does not know the run r-1, ", Trace::None),
        (refused(), "the run r-1 could not be looked up: HTTP 401: Access token is invalid", Trace::None),
        (Step::Hang, "the run r-1 could not be looked up: no answer came in time, ", Trace::None),
    ] {
        let found = with_details(vec![vec![answer]], BRIEF).await;
        let (why, left) = lost(&found);
        assert!(why.starts_with(expected), "{why}");
        assert!(left == trace && matches!(found.ending, Ending::Cut { .. }) && found.answer.run.is_none());
    }
    let once = with_details(vec![running(), vec![missing()]], BRIEF).await;
    assert_eq!(lost(&once).1, Trace::Seen, "a run that was seen to run did not vanish");
}

#[tokio::test]
async fn another_run_is_never_taken_for_ours() {
    for (key, value, expected) in [
        ("id", json!("r-2"), "the answer is about another run"),
        ("workflow_id", json!("w-2"), "it ran the version w-2, not w-1"),
        ("inputs", json!({ "q": "hello", "sys.user_id": "user-8" }), "it ran for another user"),
        ("inputs", json!("{\"q\": \"bye\"}"), "its input `q` is not what was sent"),
    ] {
        let mut other = json!({ "outputs": { "a": 1 } });
        other[key] = value;
        let found =
            with_details(vec![vec![json_body(&detail("succeeded", &other))], succeeded()], QUICK).await;
        assert_eq!(lost(&found), (&*format!("the run r-1 is not ours: {expected}"), Trace::Seen));
        assert!(found.answer.run.is_none());
    }
    let other = json!({ "id": "r-9", "workflow_id": "w-1", "status": "succeeded", "outputs": {} });
    let script = Script {
        run: cut("1.14.2", &[started()]),
        events: vec![stream(&[finished(&other)])],
        detail: vec![succeeded()],
        ..Script::default()
    };
    let found = Try::streaming().brief().send(&script.start().await).await;
    assert_eq!(lost(&found), ("the run r-1 is not ours: the events are those of another run", Trace::Seen));
}

#[tokio::test]
async fn a_row_of_the_logs_must_be_ours_alone() {
    let several =
        with_logs(Try::blocking(), vec![logs(&[("r-1", "user-7", NOON), ("r-2", "user-7", NOON + 1)])]).await;
    let expected = "the logs show 2 runs of the user \"user-7\", and which one is ours is unknown";
    assert_eq!(lost(&several), (expected, Trace::Seen));
    let twice =
        with_logs(Try::blocking(), vec![logs(&[("r-1", "user-7", NOON), ("r-1", "user-7", NOON)])]).await;
    assert_eq!(by(&twice), RecoveredBy::Logs, "two rows of one run are one run");

    let nothing = "the logs show no run of the user \"user-7\", ";
    for page in [
        logs(&[]),
        logs(&[("r-1", "user-8", NOON)]),
        logs(&[("r-1", "user-7", NOON - 60)]),
        vec![json_body(&json!({ "data": [{ "workflow_run": null }, { "id": 1 }] }))],
    ] {
        let found = with_logs(Try::blocking().brief(), vec![page]).await;
        let (why, trace) = lost(&found);
        assert!(why.starts_with(nothing) && trace == Trace::None, "{why}");
        assert!(matches!(&found.ending, Ending::Rejected(error) if error.status == 504));
    }
    let broken = with_logs(Try::blocking().brief(), vec![vec![html("503 X")]]).await;
    assert!(lost(&broken).0.starts_with("the logs could not be searched: HTTP 503: an HTML page: Sorry"));
}

#[tokio::test]
async fn a_row_is_compared_with_what_was_sent_before_its_events_are_believed() {
    let run = json!({ "id": "r-1", "workflow_id": "w-1", "status": "succeeded", "outputs": { "a": 2 } });
    let other = json!({ "inputs": { "q": "bye" } });
    for (details, is_ours) in
        [(vec![running()], true), (vec![vec![json_body(&detail("running", &other))]], false)]
    {
        let first: Vec<Step> = details
            .into_iter()
            .flatten()
            .map(|step| match step {
                Step::Send(bytes) => Step::Send(
                    String::from_utf8(bytes)
                        .unwrap()
                        .replacen("\r\n", "\r\nX-Version: 1.14.2\r\n", 1)
                        .into_bytes(),
                ),
                other => other,
            })
            .collect();
        let script = Script {
            run: gateway_timeout(),
            logs: vec![logs(&[("r-1", "user-7", NOON)])],
            detail: vec![first],
            events: vec![stream(&[finished(&run)])],
        };
        let found = Try::blocking().send(&script.start().await).await;
        if is_ours {
            assert_eq!((by(&found), outputs(&found)), (RecoveredBy::Logs, &json!({ "a": 2 })));
        } else {
            assert_eq!(
                lost(&found),
                ("the run r-1 is not ours: its input `q` is not what was sent", Trace::Seen)
            );
        }
    }
}

#[tokio::test]
async fn only_a_user_of_one_attempt_is_looked_for() {
    let page = || vec![logs(&[("r-1", "user-7", NOON)])];
    let mut attempt = Try::blocking();
    attempt.request.user_scope = UserScope::Shared;
    let shared = with_logs(attempt, page()).await;
    assert_eq!(
        lost(&shared),
        ("the logs were not searched, for the test's `user` is not this attempt's alone", Trace::None)
    );

    let script =
        Script { run: gateway_timeout(), logs: page(), detail: vec![succeeded()], ..Script::default() };
    let server = script.start().await;
    let mut attempt = Try::blocking();
    attempt.request.user_scope = UserScope::Repeat;
    let (client, key) = (attempt.client(&server), SecretString::from("app-SECRET"));
    let (_keep, mut stop) = watch::channel(None);
    let first = client.run(&key, &attempt.request, &attempt.timeouts, &mut stop).await;
    assert_eq!(by(&first), RecoveredBy::Logs);
    let second = client.run(&key, &attempt.request, &attempt.timeouts, &mut stop).await;
    assert!(lost(&second).0.starts_with("the logs were not searched"), "the row may be that of the first");
}

#[tokio::test]
async fn one_ping_and_silence_proves_nothing() {
    let run = vec![Step::Send(stream_head()), Step::Send(chunk(b"event: ping\n\n")), Step::Hang];
    let script = Script { run, logs: vec![logs(&[])], ..Script::default() };
    let mut attempt = Try::streaming();
    attempt.timeouts.first_event = Duration::from_millis(100);
    attempt.recovery.deadline = LONG;
    let server = script.start().await;
    let found = attempt.send(&server).await;
    let after = Duration::from_millis(100);
    assert_eq!(found.ending, Ending::Stalled { wait: StallKind::FirstEvent, after });
    assert!(lost(&found).0.starts_with("the logs show no run of the user"), "{:?}", found.recovery);
    assert!(found.elapsed < LONG / 2 && !server.seen("GET /v1/workflows/logs").is_empty());
    assert_eq!(found.pings, 1);
}

#[tokio::test]
async fn what_was_refused_is_not_looked_for() {
    for status in ["400 X", "401 X", "404 X", "429 X", "500 X"] {
        let body = b"{\"code\":\"invalid_param\",\"message\":\"q is required in input form\",\"status\":400}";
        let run = vec![Step::Send(document(status, "application/json", body))];
        let server = Script { run, ..Script::default() }.start().await;
        let found = Try::blocking().send(&server).await;
        assert!(found.recovery.is_none() && server.seen("GET").is_empty(), "{status}");
    }
}
